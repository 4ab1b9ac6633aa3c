/* How answers of S3 are taken; what it does in earnest is in tests/compat. */
#include "store/state_backend.h"

#include "base/clock.h"
#include "base/memory.h"
#include "tests/unit/http_server.h"
#include "tests/unit/tempdir.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

Suite *store_s3_backend_suite(void);

static struct error err;
static struct store *store;
static struct state_backend *backend;

#define ck_ok(call) ck_assert_msg((call) == 0, "%s (%s)", err.message, err.hint)

#define LIST_PATH  "/bucket/?list-type=2&prefix=pre%2Ffix%2F"
#define STATE_PATH "/bucket/pre/fix/a%3Ab/state.json"
#define LOCK_PATH  "/bucket/pre/fix/a%3Ab/lock"

static int open_backend(const char *uri, const char *endpoint, const char *id, const char *secret)
{
    struct state_backend_options options = {
        .uri = uri,
        .lock_timeout_s = 1,
        .s3_access_key_id = id,
        .s3_secret_access_key = secret,
        .s3_endpoint_url = endpoint,
    };

    return state_backend_open(&options, store, &backend, &err);
}

static void start(const struct http_answer *answers)
{
    auto_free char *endpoint = xasprintf("%s/", http_server_start(answers, tempdir_join("log")));

    ck_ok(open_backend("s3://bucket/pre/fix/", endpoint, "id", "sesame"));
}

static void set_up(void)
{
    tempdir_make();
    auto_free char *database = xasprintf("sqlite:///%s/meltano.db", tempdir_path());

    ck_ok(store_open(database, NULL, &store, &err));
}

static void tear_down(void)
{
    state_backend_close(backend);
    store_close(store);
    http_server_stop();
    tempdir_remove();
}

/* How many requests there were whose first line begins like this. */
static int count_requests(const char *start_line)
{
    auto_free char *log = tempdir_read("log");
    int count = 0;

    for (const char *at = log; (at = strstr(at, start_line)); at++)
        count++;
    return count;
}

START_TEST(the_ids_of_all_pages_are_listed)
{
    static const struct http_answer answers[] = {
        {LIST_PATH, 0, 200, NULL,
         "<ListBucketResult><IsTruncated>true</IsTruncated>"
         "<Contents><Key>pre/fix/dev:a&amp;b/state.json</Key></Contents>"
         "<Contents><Key>pre/fix/dev:a&amp;b/lock</Key></Contents>"
         "<NextContinuationToken>t/1=</NextContinuationToken></ListBucketResult>"},
        {"/bucket/?continuation-token=t%2F1%3D&list-type=2&prefix=pre%2Ffix%2F", 0, 200, NULL,
         "<ListBucketResult><Contents><Key>pre/fix/a/state.json</Key></Contents>"
         "</ListBucketResult>"},
        {0}};
    auto_strlist struct strlist ids = STRLIST_INIT;

    start(answers);
    ck_ok(state_backend_list(backend, &ids, &err));
    ck_assert_uint_eq(ids.count, 2);
    ck_assert_str_eq(ids.items[0], "a");
    ck_assert_str_eq(ids.items[1], "dev:a&b");
}
END_TEST

START_TEST(a_write_is_locked_and_unlocked)
{
    static const struct http_answer answers[] = {
        {LOCK_PATH, 1, 404, NULL, "<Error><Code>NoSuchKey</Code></Error>"},
        {LOCK_PATH, 1, 200, NULL, NULL},
        {LOCK_PATH, 1, 204, NULL, NULL},
        {STATE_PATH, 1, 404, NULL, "<Error><Code>NoSuchKey</Code></Error>"},
        {STATE_PATH, 1, 200, NULL, NULL},
        {0}};

    start(answers);
    ck_ok(state_backend_write(backend, "a:b", NULL, 0, NULL, STATE_COMPLETE,
                              "{\"singer_state\": {}}", NULL, &err));
    auto_free char *log = tempdir_read("log");

    ck_assert_ptr_nonnull(strstr(log, "PUT " LOCK_PATH));
    ck_assert_ptr_nonnull(strstr(log, "If-None-Match: *"));
    ck_assert_ptr_nonnull(strstr(log, "DELETE " LOCK_PATH));
    ck_assert_ptr_nonnull(strstr(log, "{\"completed\": {\"singer_state\": {}}, \"partial\": {}}"));
    ck_assert_ptr_nonnull(strstr(log, "Content-Type: application/json"));
    ck_assert_ptr_null(strstr(log, "sesame"));
}
END_TEST

START_TEST(a_lock_of_another_program_is_waited_for)
{
    static const struct http_answer answers[] = {
        {LOCK_PATH, 1, 404, NULL, NULL},
        {LOCK_PATH, 1, 412, NULL, "<Error><Code>PreconditionFailed</Code></Error>"},
        {LOCK_PATH, 1, 200, NULL, "9999999999.5"},
        {LOCK_PATH, 1, 404, NULL, NULL},
        {LOCK_PATH, 0, 200, NULL, NULL},
        {STATE_PATH, 1, 404, NULL, NULL},
        {STATE_PATH, 1, 200, NULL, NULL},
        {0}};

    start(answers);
    ck_ok(state_backend_write(backend, "a:b", NULL, 0, NULL, STATE_COMPLETE,
                              "{\"singer_state\": {}}", NULL, &err));
    ck_assert_int_eq(count_requests("PUT " LOCK_PATH), 2);
}
END_TEST

START_TEST(a_lock_that_stays_is_named)
{
    static const struct http_answer answers[] = {{LOCK_PATH, 0, 200, NULL, "9999999999.5"}, {0}};

    start(answers);
    ck_assert_int_eq(state_backend_write(backend, "a:b", NULL, 0, NULL, STATE_COMPLETE,
                                         "{\"singer_state\": {}}", NULL, &err),
                     -1);
    ck_assert_str_eq(err.message, "the state of 'a:b' stayed locked by another program");
    ck_assert_str_eq(err.hint, "Its lock is the object 's3://bucket/pre/fix/a:b/lock'.");
    ck_assert_int_eq(count_requests("PUT "), 0);
}
END_TEST

static const struct http_answer busy_answers[] = {
    {LIST_PATH, 2, 503, NULL, "<Error><Code>SlowDown</Code></Error>"},
    {LIST_PATH, 1, 0, NULL, NULL},
    {LIST_PATH, 0, 200, NULL, "<ListBucketResult/>"},
    {0}};

START_TEST(a_busy_server_is_asked_again)
{
    auto_strlist struct strlist ids = STRLIST_INIT;

    start(busy_answers);
    ck_ok(state_backend_list(backend, &ids, &err));
    ck_assert_int_eq(count_requests("GET " LIST_PATH), 4);
}
END_TEST

static const struct {
    int status;
    const char *body;
    const char *message;
    const char *hint;
} refusals[] = {
    {403, "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>",
     "S3 refused to read an object in the bucket 'bucket': status 403, AccessDenied: Access Denied",
     "The keys need s3:GetObject, s3:PutObject, s3:DeleteObject and s3:ListBucket."},
    {404, "<Error><Code>NoSuchBucket</Code></Error>",
     "S3 refused to read an object in the bucket 'bucket': status 404, NoSuchBucket",
     "Create the bucket, or correct its name in state_backend.uri."},
    {503, "", "S3 refused to read an object in the bucket 'bucket': status 503",
     "The server is busy or broken; nothing was lost."},
};

START_TEST(a_refusal_says_what_to_do)
{
    const struct http_answer answers[] = {
        {STATE_PATH, 0, refusals[_i].status, NULL, refusals[_i].body}, {0}};
    struct state_parts parts = {0};
    bool found;

    start(answers);
    ck_assert_int_eq(state_backend_read(backend, "a:b", &parts, &found, &err), -1);
    ck_assert_int_eq(err.code, ERR_STATE);
    ck_assert_str_eq(err.message, refusals[_i].message);
    ck_assert_str_eq(err.hint, refusals[_i].hint);
}
END_TEST

START_TEST(an_object_that_is_no_state_is_named)
{
    static const struct http_answer answers[] = {{STATE_PATH, 0, 200, NULL, "{\"completed"}, {0}};
    struct state_parts parts = {0};
    bool found;

    start(answers);
    ck_assert_int_eq(state_backend_read(backend, "a:b", &parts, &found, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.message, "the state object "
                                              "'s3://bucket/pre/fix/a:b/state.json' is damaged"));
}
END_TEST

static const struct {
    const char *uri, *endpoint, *id, *secret;
    const char *message;
} wrong_settings[] = {
    {"s3:///prefix", NULL, NULL, NULL, "the setting state_backend.uri names no bucket"},
    {"s3://bucket", NULL, "id", NULL,
     "AWS access key ID configured, but no AWS secret access key."},
    {"s3://bucket", NULL, NULL, "secret",
     "AWS secret access key configured, but not AWS access key ID."},
    {"s3://id@bucket", NULL, NULL, NULL,
     "AWS access key ID configured, but no AWS secret access key."},
    {"s3://bucket", "host:9000", "id", "secret", "the endpoint of S3 'host:9000' is no URL"},
};

START_TEST(settings_that_do_not_fit_are_refused)
{
    ck_assert_int_eq(open_backend(wrong_settings[_i].uri, wrong_settings[_i].endpoint,
                                  wrong_settings[_i].id, wrong_settings[_i].secret),
                     -1);
    ck_assert_str_eq(err.message, wrong_settings[_i].message);
    ck_assert_int_eq(err.code, ERR_CONFIG);
}
END_TEST

Suite *store_s3_backend_suite(void)
{
    Suite *suite = suite_create("store/s3_backend");
    TCase *tcase = tcase_create("s3_backend");

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 30);
    tcase_add_test(tcase, the_ids_of_all_pages_are_listed);
    tcase_add_test(tcase, a_write_is_locked_and_unlocked);
    tcase_add_test(tcase, a_lock_of_another_program_is_waited_for);
    tcase_add_test(tcase, a_lock_that_stays_is_named);
    tcase_add_test(tcase, a_busy_server_is_asked_again);
    tcase_add_loop_test(tcase, a_refusal_says_what_to_do, 0, ARRAY_LEN(refusals));
    tcase_add_test(tcase, an_object_that_is_no_state_is_named);
    tcase_add_loop_test(tcase, settings_that_do_not_fit_are_refused, 0, ARRAY_LEN(wrong_settings));
    suite_add_tcase(suite, tcase);
    return suite;
}
