#include "base/redact.h"

#include "base/memory.h"

#include <check.h>
#include <string.h>

Suite *base_redact_suite(void);

#define KEY "-----BEGIN KEY-----\nMIIEvgIBADAN\n  QkqhkiG9w0BA  \nQw==\n-----END KEY-----\n"

static const struct {
    const char *secret, *text, *expected;
} cases[] = {
    {"hunter2", "no secret here", "no secret here"},
    {"hunter2", "hunter2", "(redacted)"},
    {"hunter2", "a hunter2hunter2 b", "a (redacted)(redacted) b"},
    {"hunter2", "hunter", "hunter"},
    {"abc", "abc is too short to be masked", "abc is too short to be masked"},
    {"\xc3\xa4\xc3\xb6\xc3\xbc", "three characters \xc3\xa4\xc3\xb6\xc3\xbc",
     "three characters \xc3\xa4\xc3\xb6\xc3\xbc"},
    {"p\"a\\s's", "{\"k\": \"p\\\"a\\\\s's\"}", "{\"k\": \"(redacted)\"}"},
    {"p\"a\\s's", "twice: \"{\\\"k\\\": \\\"p\\\\\\\"a\\\\\\\\s's\\\"}\"",
     "twice: \"{\\\"k\\\": \\\"(redacted)\\\"}\""},
    {"p\"a\\s's", "repr 'p\"a\\\\s\\'s'", "repr '(redacted)'"},
    {"p@ss/w\xc3\xb6rt", "postgresql://me:p%40ss%2Fw%C3%B6rt@host/db",
     "postgresql://me:(redacted)@host/db"},
    {"p@ss/w\xc3\xb6rt", "\"p@ss/w\\u00f6rt\"", "\"(redacted)\""},
    {"aaaa", "aaaaaaaaab", "(redacted)b"},
    {"token\n", "read from a file: token.", "read from a file: (redacted)."},
    {KEY, "key: " KEY "end", "key: (redacted)end"},
    {KEY, "line QkqhkiG9w0BA", "line (redacted)"},
    {KEY, "a short last line: Qw==", "a short last line: Qw=="},
    {KEY, "\"-----BEGIN KEY-----\\nMIIEvgIBADAN\\n  QkqhkiG9w0BA  \\nQw==\\n-----END KEY-----\\n\"",
     "\"(redacted)\""},
};

START_TEST(a_secret_is_masked_in_every_form)
{
    auto_free char *masked = NULL;

    redact_add_secret(cases[_i].secret);
    masked = redact_text(cases[_i].text);
    ck_assert_str_eq(masked, cases[_i].expected);
}
END_TEST

START_TEST(secrets_that_overlap_leave_nothing_behind)
{
    auto_free char *masked = NULL;

    redact_add_secret("abcd");
    redact_add_secret("bcdefgh");
    redact_add_secret("abcdef");
    masked = redact_text("x abcdefgh y");
    ck_assert_str_eq(masked, "x (redacted) y");
}
END_TEST

static const struct {
    const char *text, *expected;
} cut_texts[] = {
    {"password=hunter", "password=(redacted)"},
    {"password=hunt", "password=(redacted)"},
    {"password=hun", "password=hun"}, /* could be any word */
    {"password=hunter22", "password=(redacted)"},
    {"hunter22 and hunter2", "(redacted) and (redacted)"},
    {"no secret", "no secret"},
    {"", ""},
};

START_TEST(a_secret_that_was_cut_off_is_masked)
{
    auto_strbuf struct strbuf text = STRBUF_INIT;

    redact_add_secret("hunter22");
    strbuf_add(&text, cut_texts[_i].text);
    redact_cut_strbuf(&text);
    ck_assert_str_eq(strbuf_text(&text), cut_texts[_i].expected);
}
END_TEST

START_TEST(the_text_before_the_offset_stays)
{
    auto_strbuf struct strbuf text = STRBUF_INIT;

    redact_add_secret("hunter2");
    strbuf_add(&text, "hunter2 hunter2");
    redact_strbuf(&text, 8);
    ck_assert_str_eq(strbuf_text(&text), "hunter2 (redacted)");
}
END_TEST

START_TEST(text_with_nul_bytes_is_searched_to_its_end)
{
    auto_strbuf struct strbuf text = STRBUF_INIT;

    redact_add_secret("hunter2");
    strbuf_add_bytes(&text, "a\0hunter2", 9);
    redact_strbuf(&text, 0);
    ck_assert_uint_eq(text.length, 12);
    ck_assert_int_eq(memcmp(text.text, "a\0(redacted)", 12), 0);
}
END_TEST

START_TEST(many_secrets_are_all_found)
{
    auto_strbuf struct strbuf text = STRBUF_INIT;

    for (int i = 0; i < 500; i++) {
        auto_free char *secret = xasprintf("secret-number-%04d", i);

        redact_add_secret(secret);
        strbuf_addf(&text, "%s,", secret);
    }
    redact_strbuf(&text, 0);
    ck_assert_uint_eq(text.length, 500 * strlen("(redacted),"));
    ck_assert_ptr_null(strstr(text.text, "secret"));
}
END_TEST

START_TEST(nothing_is_a_secret_when_none_is_known)
{
    auto_free char *text = NULL;

    redact_add_secret(NULL);
    redact_add_secret("");
    text = redact_text("abc");
    ck_assert_str_eq(text, "abc");
}
END_TEST

Suite *base_redact_suite(void)
{
    Suite *suite = suite_create("base/redact");
    TCase *tcase = tcase_create("redact");

    tcase_add_loop_test(tcase, a_secret_is_masked_in_every_form, 0, ARRAY_LEN(cases));
    tcase_add_test(tcase, secrets_that_overlap_leave_nothing_behind);
    tcase_add_loop_test(tcase, a_secret_that_was_cut_off_is_masked, 0, ARRAY_LEN(cut_texts));
    tcase_add_test(tcase, the_text_before_the_offset_stays);
    tcase_add_test(tcase, text_with_nul_bytes_is_searched_to_its_end);
    tcase_add_test(tcase, many_secrets_are_all_found);
    tcase_add_test(tcase, nothing_is_a_secret_when_none_is_known);
    suite_add_tcase(suite, tcase);
    return suite;
}
