#include "store/pickle.h"

#include "base/json.h"
#include "base/memory.h"

#include <check.h>
#include <string.h>

Suite *store_pickle_suite(void);

/* A string literal as bytes with their number. */
#define BYTES(literal) literal, sizeof(literal) - 1

static const struct {
    const char *bytes;
    size_t size;
    const char *json;
} pickles[] = {
    /* Protocol 5, as Meltano stores it. */
    {BYTES("\x80\x05\x95\x07\0\0\0\0\0\0\0\x8c\x03zzz\x94."), "\"zzz\""},
    {BYTES("\x80\x05\x89."), "false"},
    {BYTES("\x80\x05N."), "null"},
    {BYTES("\x80\x05K\xff."), "255"},
    {BYTES("\x80\x05\x95\x04\0\0\0\0\0\0\0M\0\x01."), "256"},
    {BYTES("\x80\x05\x95\x06\0\0\0\0\0\0\0J\xff\xff\xff\xff."), "-1"},
    {BYTES("\x80\x05\x95\x0c\0\0\0\0\0\0\0\x8a\x09\0\0\0\0\0\0\0\0\x40."),
     "1180591620717411303424"},
    {BYTES("\x80\x05\x95\x08\0\0\0\0\0\0\0\x8a\x05\xff\xff\xff\x7f\xff."), "-2147483649"},
    {BYTES("\x80\x05\x95\x0a\0\0\0\0\0\0\0G?\xf8\0\0\0\0\0\0."), "1.5"},
    {BYTES("\x80\x05]\x94."), "[]"},
    {BYTES("\x80\x05\x95\x0b\0\0\0\0\0\0\0]\x94(K\x01\x8c\x01"
           "a\x94"
           "e."),
     "[1,\"a\"]"},
    {BYTES("\x80\x05\x95\x1f\0\0\0\0\0\0\0}\x94(\x8c\x01"
           "a\x94K\x01\x8c\x01"
           "b\x94]\x94(K\x01K\x02}\x94\x8c\x01"
           "c\x94Nseu."),
     "{\"a\":1,\"b\":[1,2,{\"c\":null}]}"},
};

START_TEST(what_python_wrote_is_read_and_written_back_the_same)
{
    struct error err = {0};
    auto_value struct value *value = NULL;
    auto_strbuf struct strbuf again = STRBUF_INIT;
    auto_free char *json = NULL;

    ck_assert_msg(!pickle_read(pickles[_i].bytes, pickles[_i].size, &value, &err), "%s",
                  err.message);
    json = json_to_text(value, &json_compact);
    ck_assert_str_eq(json, pickles[_i].json);
    pickle_write(&again, value);
    ck_assert_uint_eq(again.length, pickles[_i].size);
    ck_assert_mem_eq(again.text, pickles[_i].bytes, again.length);
}
END_TEST

static const struct {
    const char *bytes;
    size_t size;
    const char *json;
} old_pickles[] = {
    {BYTES("I01\n."), "true"},
    {BYTES("I-70000\n."), "-70000"},
    {BYTES("L-2147483649L\n."), "-2147483649"},
    {BYTES("F0.1\n."), "0.1"},
    {BYTES("Va\\u20ac\xe9\np0\n."), "\"a€é\""},
    {BYTES("(lp0\nI1\naVa\np1\na."), "[1,\"a\"]"},
    {BYTES("(dp0\nVa\np1\nVs\np2\nsVb\np3\ng2\ns."), "{\"a\":\"s\",\"b\":\"s\"}"},
    {BYTES("\x80\x02(K\x01K\x02K\x03K\x04tq\0."), "[1,2,3,4]"},
    {BYTES("\x80\x02K\x01\x85q\0."), "[1]"},
    {BYTES("\x80\x03X\x03\0\0\0zzzq\0."), "\"zzz\""},
    {BYTES("\x80\x05]\x94(h\0e."), NULL}, /* a list that contains itself */
};

START_TEST(older_protocols_are_read_as_well)
{
    struct error err = {0};
    auto_value struct value *value = NULL;
    auto_free char *json = NULL;
    int failed = pickle_read(old_pickles[_i].bytes, old_pickles[_i].size, &value, &err);

    if (!old_pickles[_i].json) {
        ck_assert_int_eq(failed, -1);
        return;
    }
    ck_assert_msg(!failed, "%s", err.message);
    json = json_to_text(value, &json_compact);
    ck_assert_str_eq(json, old_pickles[_i].json);
}
END_TEST

static const struct {
    const char *bytes;
    size_t size;
    const char *problem;
} refused_pickles[] = {
    {BYTES(""), "it ends too early"},
    {BYTES("\x80\x05\x8c\x03zz"), "it ends too early"},
    {BYTES("\x80\x05\x8d\xff\xff\xff\xff\xff\xff\xff\xff."), "it ends too early"},
    {BYTES("\x80\x05."), "its stack runs empty"},
    {BYTES("\x80\x05K\x01(."), "its stack runs empty"},
    {BYTES("\x80\x05K\x01\x87."), "its stack runs empty"},
    {BYTES("\x80\x05]Na("), "it ends too early"},
    {BYTES("\x80\x05NNa."), "it adds to what is no collection"},
    {BYTES("\x80\x05}(Nu."), "a key has no value"},
    {BYTES("\x80\x05}NNs."), "it holds a dictionary with keys that are no strings"},
    {BYTES("\x80\x05h\x05."), "a memo index is unknown"},
    {BYTES("\x80\x05Nr\xff\xff\xff\xff."), "a memo index is too large"},
    {BYTES("\x80\x05\x8c\x01\xff."), "a string is not valid UTF-8"},
    {BYTES("\x80\x05"
           "C\x01"
           "a."),
     "it holds bytes"},
    {BYTES("\x80\x05\x8f."), "it holds a set"},
    {BYTES("cposix\nsystem\n(Vid\ntR."), "it holds an object of a Python class, such as a date"},
    {BYTES("hello"), "a memo index is unknown"},
    {BYTES("I1x\n."), "an integer has other characters than digits"},
    {BYTES("\x80\x05\x96."), "it holds bytes"},
    {BYTES("\x80\x05\xff."), "it is no pickle of plain values"},
};

START_TEST(what_is_no_plain_value_is_refused)
{
    struct error err = {0};
    struct value *value = NULL;
    auto_free char *message =
        xasprintf("a setting in the database cannot be read: %s", refused_pickles[_i].problem);

    ck_assert_int_eq(pickle_read(refused_pickles[_i].bytes, refused_pickles[_i].size, &value, &err),
                     -1);
    ck_assert_str_eq(err.message, message);
    ck_assert_int_eq(err.code, ERR_DATABASE);
    ck_assert_ptr_null(value);
}
END_TEST

START_TEST(values_that_multiply_are_refused)
{
    struct strbuf bytes = STRBUF_INIT;
    struct error err = {0};
    struct value *value = NULL;

    /* Every list holds the one before twice. */
    strbuf_add(&bytes, "\x80\x05N\x94");
    for (int i = 0; i < 60; i++)
        strbuf_add(&bytes, "2\x86");
    strbuf_add_char(&bytes, '.');
    ck_assert_int_eq(pickle_read(bytes.text, bytes.length, &value, &err), -1);
    ck_assert_str_eq(err.message, "a setting in the database cannot be read: it is too large");
    strbuf_clear(&bytes);
}
END_TEST

static const char *const values[] = {
    "12345678901234567890123456789",
    "-340282366920938463463374607431768211456",
    "-128",
    "65536",
    "0.0",
    "1e+300",
    "\"\\u0000\"",
    "{\"a\":{\"b\":[[],{},\"\",1e-05]}}",
};

START_TEST(what_is_written_is_read_again)
{
    struct error err = {0};
    auto_value struct value *value = NULL, *again = NULL;
    auto_strbuf struct strbuf bytes = STRBUF_INIT;
    auto_free char *json = NULL;

    ck_assert_int_eq(json_parse(values[_i], strlen(values[_i]), NULL, &value, &err), 0);
    pickle_write(&bytes, value);
    ck_assert_msg(!pickle_read(bytes.text, bytes.length, &again, &err), "%s", err.message);
    json = json_to_text(again, &json_compact);
    ck_assert_str_eq(json, values[_i]);
}
END_TEST

Suite *store_pickle_suite(void)
{
    Suite *suite = suite_create("store/pickle");
    TCase *tcase = tcase_create("pickle");

    tcase_add_loop_test(tcase, what_python_wrote_is_read_and_written_back_the_same, 0,
                        ARRAY_LEN(pickles));
    tcase_add_loop_test(tcase, older_protocols_are_read_as_well, 0, ARRAY_LEN(old_pickles));
    tcase_add_loop_test(tcase, what_is_no_plain_value_is_refused, 0, ARRAY_LEN(refused_pickles));
    tcase_add_test(tcase, values_that_multiply_are_refused);
    tcase_add_loop_test(tcase, what_is_written_is_read_again, 0, ARRAY_LEN(values));
    suite_add_tcase(suite, tcase);
    return suite;
}
