#include "pipeline/failure_words.h"

#include "base/attrs.h"
#include "base/memory.h"
#include "base/redact.h"

#include <check.h>
#include <string.h>

Suite *pipeline_failure_words_suite(void);

static const struct {
    const char *text, *words;
} texts[] = {
    {"no such table: users", "no such table: users"},
    {"  two\t blanks  and   more ", "two blanks and more"},
    {"2026-11-22 12:19:01,981 ERROR cannot connect", "# # ERROR cannot connect"},
    {"2026-11-22T12:19:01.981268Z CRITICAL gone", "#T#Z CRITICAL gone"},
    {"\033[31mred\033[0m 7", "red #"},
    {"row 17 of 3,141,592 is bad", "row # of # is bad"},
    {"took 1.5 s", "took # s"},
    {"connection to 10.0.0.7:5432 refused", "connection to # refused"},
    {"<object at 0x7f3aBEEF>", "<object at #>"},
    {"id=550e8400-e29b-41d4-a716-446655440000;", "id=#;"},
    {"commit deadbeef12 and decade", "commit # and decade"},
    {"request 'Xb7yQ2Lm9ZkP4rTs' failed", "request '#' failed"},
    {"column_2 of utf8 and s3", "column_# of utf# and s#"},
    {"cannot open /srv/data/2026/file.csv: denied", "cannot open <path>: denied"},
    {"in ./a and ~/b and c/d/e but and/or", "in <path> and <path> and <path> but and/or"},
    {"C:\\data\\x.csv is gone", "<path> is gone"},
    {"GET https://me:pw@api.example.com:8443/v1/items/17?page=3 failed",
     "GET https://api.example.com failed"},
    {"password hunter22 is wrong", "password (redacted) is wrong"},
    {"", ""},
};

START_TEST(what_changes_is_left_out)
{
    auto_free char *words = NULL;

    redact_add_secret("hunter22");
    words = failure_words_of(texts[_i].text);
    ck_assert_str_eq(words, texts[_i].words);
}
END_TEST

START_TEST(long_texts_are_cut_between_characters)
{
    auto_strbuf struct strbuf text = STRBUF_INIT;
    auto_free char *words = NULL;

    strbuf_add_repeat(&text, 'x', 299);
    strbuf_add(&text, "\u00e9");
    words = failure_words_of(strbuf_text(&text));
    ck_assert_uint_eq(strlen(words), 299);
}
END_TEST

#define TRACEBACK(number, path)                                                                    \
    "Traceback (most recent call last):\n"                                                         \
    "  File \"" path "/main.py\", line " number ", in <module>\n"                                  \
    "    main()\n"                                                                                 \
    "  File \"" path "/client.py\", line " number ", in fetch\n"                                   \
    "    raise KeyError(" number ")\n"

static const struct {
    const char *lines; /* joined by line feeds */
    const char *words; /* NULL: none */
} tails[] = {
    {"", NULL},
    {"done", "done"},
    {"starting\nERROR: row 7 is bad\nbye", "ERROR: row # is bad"},
    {"error 1\nerror 2: worse\nshutting down", "error #: worse"},
    {TRACEBACK("12", "/a") "KeyError: 12", "KeyError at main.py:<module> > client.py:fetch"},
    {TRACEBACK("99", "/other/venv") "KeyError: 'x'\nException ignored in: <stdout>",
     "KeyError at main.py:<module> > client.py:fetch"},
    /* The outer exception of two is the one that ended the program. */
    {TRACEBACK("1", "/a") "KeyError: 1\n\n"
                          "During handling of the above exception, another exception occurred:\n\n"
                          "Traceback (most recent call last):\n"
                          "  File \"/a/main.py\", line 3, in run\n"
                          "    x()\n"
                          "requests.exceptions.HTTPError: 404 Client Error",
     "requests.exceptions.HTTPError at main.py:run"},
    /* One that was dealt with long ago. */
    {TRACEBACK("1", "/a") "KeyError: 1\na\nb\nc\nd\ne\nf\ng\nh\ni\nj\nk\nl\nm\nn\no\nfatal: disk 3",
     "fatal: disk #"},
    {"{\"level\": \"error\", \"message\": \"row 7 failed\", \"pid\": 4711}", "row # failed"},
    {"{\"level\": \"error\", \"message\": \"x\", \"exception\": {\"type\": \"ValueError\", "
     "\"traceback\": [{\"filename\": \"/a/tap.py\", \"function\": \"sync\", \"lineno\": 3}]}}",
     "ValueError at tap.py:sync"},
};

START_TEST(the_last_lines_say_why)
{
    auto_strlist struct strlist lines = STRLIST_INIT;
    auto_free char *words = NULL;

    if (*tails[_i].lines)
        strlist_split(&lines, tails[_i].lines, '\n');
    words = failure_words_of_lines(&lines);
    if (tails[_i].words)
        ck_assert_str_eq(words, tails[_i].words);
    else
        ck_assert_ptr_null(words);
}
END_TEST

Suite *pipeline_failure_words_suite(void)
{
    Suite *suite = suite_create("pipeline/failure_words");
    TCase *tcase = tcase_create("failure_words");

    tcase_add_loop_test(tcase, what_changes_is_left_out, 0, ARRAY_LEN(texts));
    tcase_add_test(tcase, long_texts_are_cut_between_characters);
    tcase_add_loop_test(tcase, the_last_lines_say_why, 0, ARRAY_LEN(tails));
    suite_add_tcase(suite, tcase);
    return suite;
}
