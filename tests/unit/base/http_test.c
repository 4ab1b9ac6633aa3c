#include "base/http.h"

#include "base/clock.h"
#include "base/deadline.h"
#include "base/memory.h"
#include "tests/unit/http_server.h"
#include "tests/unit/tempdir.h"

#include <check.h>
#include <string.h>

Suite *base_http_suite(void);

static void tear_down(void)
{
    http_server_stop();
    tempdir_remove();
}

static const char *start(const struct http_answer *answers)
{
    return http_server_start(answers, tempdir_join("log"));
}

START_TEST(an_answer_has_status_headers_and_body)
{
    static const struct http_answer answers[] = {
        {"/a?b=c", 0, 201, "X-One:  two words \r\n", "the body"}, {0}};
    auto_http_response struct http_response response = {0};
    auto_strlist struct strlist headers = STRLIST_INIT;
    auto_free char *url = xasprintf("%s/a?b=c", start(answers));
    struct http_request request = {.url = url};
    struct error err = {0};
    char *log;

    strlist_add(&headers, "X-Mine: yes");
    request.headers = headers;
    ck_assert_msg(!http_perform(&request, &response, &err), "%s", err.message);
    ck_assert_int_eq(response.status, 201);
    ck_assert_str_eq(strmap_get(&response.headers, "x-one"), "two words");
    ck_assert_str_eq(strbuf_text(&response.body), "the body");
    log = tempdir_read("log");
    ck_assert_ptr_nonnull(strstr(log, "GET /a?b=c HTTP/1.1\r\n"));
    ck_assert_ptr_nonnull(strstr(log, "X-Mine: yes\r\n"));
    free(log);
}
END_TEST

START_TEST(a_body_is_sent_with_its_method)
{
    static const struct http_answer answers[] = {{"/p", 0, 200, NULL, NULL}, {0}};
    auto_http_response struct http_response response = {0};
    auto_strbuf struct strbuf body = STRBUF_INIT;
    auto_free char *url = xasprintf("%s/p", start(answers));
    struct http_request request = {.method = "PUT", .url = url, .body = &body};
    struct error err = {0};
    char *log;

    strbuf_add(&body, "{\"a\": 1}");
    ck_assert_msg(!http_perform(&request, &response, &err), "%s", err.message);
    log = tempdir_read("log");
    ck_assert_ptr_nonnull(strstr(log, "PUT /p HTTP/1.1\r\n"));
    ck_assert_ptr_nonnull(strstr(log, "\r\n\r\n{\"a\": 1}"));
    free(log);
}
END_TEST

START_TEST(a_redirection_is_followed_and_leaves_only_the_last_answer)
{
    static const struct http_answer answers[] = {
        {"/old", 0, 302, "Location: /new\r\nX-Old: 1\r\n", "moved"},
        {"/new", 0, 200, NULL, "here"},
        {0}};
    auto_http_response struct http_response response = {0};
    auto_free char *url = xasprintf("%s/old", start(answers));
    struct http_request request = {.url = url};
    struct error err = {0};

    ck_assert_msg(!http_perform(&request, &response, &err), "%s", err.message);
    ck_assert_int_eq(response.status, 200);
    ck_assert_str_eq(strbuf_text(&response.body), "here");
    ck_assert(!strmap_has(&response.headers, "x-old"));
}
END_TEST

START_TEST(a_server_that_is_not_there_is_named)
{
    auto_http_response struct http_response response = {0};
    struct http_request request = {.url = "http://user:secret@127.0.0.1:1/path?token=secret"};
    struct error err = {0};

    ck_assert_int_eq(http_perform(&request, &response, &err), -1);
    ck_assert_int_eq(err.code, ERR_HUB);
    ck_assert_ptr_nonnull(strstr(err.message, "cannot reach 127.0.0.1:1: "));
    ck_assert_ptr_null(strstr(err.message, "secret"));
}
END_TEST

START_TEST(a_silent_server_is_given_up_in_time)
{
    static const struct http_answer answers[] = {{"/", 0, -1, NULL, NULL}, {0}};
    auto_http_response struct http_response response = {0};
    auto_free char *url = xasprintf("%s/", start(answers));
    auto_free char *message =
        xasprintf("%.*s did not answer in time (10000 ms to connect, 200 ms in all)",
                  (int)strlen(url) - 1, url);
    struct http_request request = {.url = url, .timeout_ms = 200};
    int64_t before = clock_monotonic_ms();
    struct error err = {0};

    ck_assert_int_eq(http_perform(&request, &response, &err), -1);
    ck_assert_str_eq(err.message, message);
    ck_assert_int_lt(clock_monotonic_ms() - before, 3000);
}
END_TEST

START_TEST(a_server_that_falls_silent_is_given_up)
{
    static const struct http_answer answers[] = {{"/", 0, -1, NULL, NULL}, {0}};
    auto_http_response struct http_response response = {0};
    auto_free char *url = xasprintf("%s/", start(answers));
    auto_free char *message =
        xasprintf("%.*s did not answer in time (10000 ms to connect, 300 ms without a byte)",
                  (int)strlen(url) - 1, url);
    struct http_request request = {.url = url, .timeout_ms = 1, .silence_ms = 300};
    int64_t before = clock_monotonic_ms();
    struct error err = {0};

    ck_assert_int_eq(http_perform(&request, &response, &err), -1);
    ck_assert_str_eq(err.message, message);
    ck_assert_int_ge(clock_monotonic_ms() - before, 300);
    ck_assert_int_lt(clock_monotonic_ms() - before, 3000);
}
END_TEST

START_TEST(a_server_that_is_slow_and_not_silent_is_waited_for)
{
    static const struct http_answer answers[] = {{"/", 0, 200, NULL, "ten bytes."}, {0}};
    auto_http_response struct http_response response = {0};
    auto_free char *url =
        xasprintf("%s/", http_server_start_slow(answers, tempdir_join("log"), 100));
    struct http_request request = {.url = url, .timeout_ms = 1, .silence_ms = 800};
    int64_t before = clock_monotonic_ms();
    struct error err = {0};

    ck_assert_msg(!http_perform(&request, &response, &err), "%s", err.message);
    ck_assert_str_eq(strbuf_text(&response.body), "ten bytes.");
    ck_assert_int_ge(clock_monotonic_ms() - before, 1000);
}
END_TEST

START_TEST(the_deadline_ends_an_exchange)
{
    static const struct http_answer answers[] = {{"/", 0, -1, NULL, NULL}, {0}};
    auto_http_response struct http_response response = {0};
    auto_free char *url = xasprintf("%s/", start(answers));
    struct http_request request = {.url = url};
    int64_t before = clock_monotonic_ms();
    struct error err = {0};

    deadline_set(before + 300);
    ck_assert_int_eq(http_perform(&request, &response, &err), -1);
    deadline_set(0);
    ck_assert_ptr_nonnull(strstr(err.message, "did not answer before this program had to end"));
    ck_assert_int_lt(clock_monotonic_ms() - before, 800);
}
END_TEST

START_TEST(only_http_is_spoken)
{
    auto_http_response struct http_response response = {0};
    struct http_request request = {.url = "file:///etc/passwd"};
    struct error err = {0};

    ck_assert_int_eq(http_perform(&request, &response, &err), -1);
    ck_assert_uint_eq(response.body.length, 0);
}
END_TEST

Suite *base_http_suite(void)
{
    Suite *suite = suite_create("base/http");
    TCase *tcase = tcase_create("http");

    tcase_add_checked_fixture(tcase, tempdir_make, tear_down);
    tcase_add_test(tcase, an_answer_has_status_headers_and_body);
    tcase_add_test(tcase, a_body_is_sent_with_its_method);
    tcase_add_test(tcase, a_redirection_is_followed_and_leaves_only_the_last_answer);
    tcase_add_test(tcase, a_server_that_is_not_there_is_named);
    tcase_add_test(tcase, a_silent_server_is_given_up_in_time);
    tcase_add_test(tcase, a_server_that_falls_silent_is_given_up);
    tcase_add_test(tcase, a_server_that_is_slow_and_not_silent_is_waited_for);
    tcase_add_test(tcase, the_deadline_ends_an_exchange);
    tcase_add_test(tcase, only_http_is_spoken);
    suite_add_tcase(suite, tcase);
    return suite;
}
