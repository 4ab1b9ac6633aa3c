#include "store/state_service.h"

#include "base/json.h"
#include "base/memory.h"
#include "tests/unit/tempdir.h"

#include <check.h>
#include <string.h>

Suite *store_state_service_suite(void);

enum { SYSTEMDB, FILES, BACKEND_COUNT };

static struct error err;
static struct store *store;
static struct state_backend *backend;

#define ck_ok(call) ck_assert_msg((call) == 0, "%s (%s)", err.message, err.hint)

static void start(int kind)
{
    auto_free char *database = xasprintf("sqlite:///%s/meltano.db", tempdir_path());
    auto_free char *uri = xasprintf("file:%s/state", tempdir_path());
    struct state_backend_options options = {.uri = kind == FILES ? uri : NULL};

    ck_ok(store_open(database, NULL, &store, &err));
    ck_ok(state_backend_open(&options, store, &backend, &err));
}

static void tear_down(void)
{
    state_backend_close(backend);
    store_close(store);
    tempdir_remove();
}

static void check_state(const char *state_id, const char *expected)
{
    auto_free char *text = NULL;

    ck_ok(state_service_get(backend, state_id, &text, &err));
    ck_assert_str_eq(text, expected);
}

START_TEST(a_state_is_set_merged_and_read)
{
    start(_i);
    check_state("a", "{}");
    ck_ok(state_service_set(backend, "a", "{\"singer_state\":{\"u\":1,\"o\":1}}", true, &err));
    ck_ok(state_service_merge(backend, "a", "{\"singer_state\":{\"u\":0.50}}", &err));
    check_state("a", "{\"singer_state\": {\"u\": 0.50, \"o\": 1}}");
    ck_ok(state_service_set(backend, "b", "{\"singer_state\":{\"x\":{}}}", true, &err));
    ck_ok(state_service_merge_from(backend, "a", "b", &err));
    check_state("a", "{\"singer_state\": {\"u\": 0.50, \"o\": 1, \"x\": {}}}");
}
END_TEST

START_TEST(a_copy_leaves_the_source_and_a_move_does_not)
{
    start(_i);
    ck_ok(state_service_set(backend, "a", "{\"singer_state\":{\"u\":1}}", true, &err));
    ck_ok(state_service_merge(backend, "a", "{\"singer_state\":{\"o\":2}}", &err));
    ck_ok(state_service_copy(backend, "a", "b", &err));
    check_state("a", "{\"singer_state\": {\"u\": 1, \"o\": 2}}");
    check_state("b", "{\"singer_state\": {\"u\": 1, \"o\": 2}}");
    ck_ok(state_service_move(backend, "b", "c", &err));
    check_state("b", "{}");
    check_state("c", "{\"singer_state\": {\"u\": 1, \"o\": 2}}");
    ck_assert_int_eq(state_service_move(backend, "c", "c", &err), -1);
    check_state("c", "{\"singer_state\": {\"u\": 1, \"o\": 2}}");
    ck_assert_int_eq(state_service_copy(backend, "never seen", "c", &err), -1);
    ck_assert_str_eq(err.message, "Invalid state format: singer_state not found in top level of "
                                  "provided state");
    check_state("c", "{\"singer_state\": {\"u\": 1, \"o\": 2}}");
}
END_TEST

static const struct {
    const char *text;
    const char *message;
} wrong_states[] = {
    {"{\"a\":1}", "Invalid state format: singer_state not found in top level of provided state"},
    {"5", "Invalid state format: a JSON object was expected, not an integer"},
    {"{", "Invalid JSON provided: invalid JSON at line 1, column 2: a key in double quotes was "
          "expected"},
};

START_TEST(a_wrong_state_is_refused_in_the_words_of_meltano)
{
    start(_i);
    for (size_t i = 0; i < ARRAY_LEN(wrong_states); i++) {
        ck_assert_int_eq(state_service_set(backend, "a", wrong_states[i].text, true, &err), -1);
        ck_assert_str_eq(err.message, wrong_states[i].message);
    }
    ck_ok(state_service_set(backend, "a", "{\"a\":1}", false, &err));
    check_state("a", "{\"a\": 1}");
}
END_TEST

START_TEST(the_list_tells_good_states_from_others)
{
    struct state_summary_list list = {0};
    size_t count = 0;

    start(_i);
    ck_ok(state_service_set(backend, "dev:a-to-b", "{\"singer_state\":{}}", true, &err));
    ck_ok(state_service_set(backend, "dev:c-to-d", "{\"other\":{}}", false, &err));
    ck_ok(state_service_set(backend, "prod:a-to-b", "{}", false, &err));
    ck_ok(state_service_list(backend, NULL, &list, &err));
    ck_assert_uint_eq(list.count, 3);
    ck_assert_str_eq(list.items[0].state_id, "dev:a-to-b");
    ck_assert_int_eq(list.items[0].condition, STATE_VALID);
    ck_assert_int_eq(list.items[1].condition, STATE_INVALID);
    ck_assert_int_eq(list.items[2].condition, STATE_EMPTY);
    state_summary_list_clear(&list);
    ck_ok(state_service_list(backend, "*:a-to-[bc]", &list, &err));
    ck_assert_uint_eq(list.count, 2);
    state_summary_list_clear(&list);
    ck_ok(state_service_list(backend, "dev_a-to-b", &list, &err));
    ck_assert_uint_eq(list.count, 0);
    ck_ok(state_service_clear_all(backend, &count, &err));
    ck_assert_uint_eq(count, 3);
    ck_ok(state_service_list(backend, NULL, &list, &err));
    ck_assert_uint_eq(list.count, 0);
}
END_TEST

START_TEST(what_was_exported_can_be_imported)
{
    auto_free char *exported = NULL;
    auto_free char *again = NULL;
    size_t count = 0;

    start(_i);
    ck_ok(state_service_set(backend, "b", "{\"singer_state\":{\"u\":1.0}}", true, &err));
    ck_ok(state_service_merge(backend, "a", "{\"singer_state\":{\"\\u00e9\":2}}", &err));
    ck_ok(state_service_export(backend, &exported, &err));
    ck_assert_str_eq(exported,
                     "{\"a\":{\"completed\":{},\"partial\":{\"singer_state\":{\"\\u00e9\":2}}},"
                     "\"b\":{\"completed\":{\"singer_state\":{\"u\":1.0}},\"partial\":{}}}");
    ck_ok(state_service_set(backend, "b", "{\"singer_state\":{\"u\":2}}", true, &err));
    ck_ok(state_service_clear(backend, "a", &err));
    ck_ok(state_service_import(backend, exported, &count, &err));
    ck_assert_uint_eq(count, 2);
    ck_ok(state_service_export(backend, &again, &err));
    ck_assert_str_eq(again, exported);
}
END_TEST

START_TEST(an_import_with_one_wrong_entry_writes_nothing)
{
    size_t count = 0;

    start(_i);
    ck_assert_int_eq(state_service_import(backend,
                                          "{\"a\":{\"completed\":{\"singer_state\":{}}},"
                                          "\"b\":{\"completed\":[]}}",
                                          &count, &err),
                     -1);
    ck_assert_str_eq(err.message, "'completed' of 'b': a JSON object was expected, not a list");
    check_state("a", "{}");
    ck_assert_int_eq(state_service_import(backend, "[]", &count, &err), -1);
    ck_assert_str_eq(err.message, "expected a JSON object, got a list");
}
END_TEST

START_TEST(an_older_version_can_be_had_back)
{
    auto_free char *shown = NULL;
    int64_t version = 0;

    start(_i);
    ck_ok(state_service_set(backend, "a", "{\"singer_state\":{\"u\":1}}", true, &err));
    ck_ok(state_service_merge(backend, "a", "{\"singer_state\":{\"o\":1}}", &err));
    ck_ok(state_service_clear(backend, "a", &err));
    ck_ok(state_service_show(backend, "a", 2, &shown, &err));
    ck_assert_str_eq(shown, "{\"singer_state\": {\"u\": 1, \"o\": 1}}");
    ck_ok(state_service_rollback(backend, "a", 2, &version, &err));
    ck_assert_int_eq(version, 4);
    check_state("a", "{\"singer_state\": {\"u\": 1, \"o\": 1}}");
    ck_assert_int_eq(state_service_rollback(backend, "a", 9, &version, &err), -1);
    ck_assert_str_eq(err.message, "the state of 'a' has no version 9");
    ck_assert_str_eq(err.hint, "List its versions with 'state history a'.");
}
END_TEST

START_TEST(a_difference_names_what_changed)
{
    auto_value struct value *changes = NULL;
    auto_free char *text = NULL;

    start(_i);
    ck_ok(state_service_set(
        backend, "a", "{\"singer_state\":{\"b\":{\"u\":\"1\",\"o\":[1],\"x\":null}}}", true, &err));
    ck_ok(state_service_set(backend, "a",
                            "{\"singer_state\":{\"b\":{\"u\":\"2\",\"o\":[1],"
                            "\"n\":{\"k\":1}}}}",
                            true, &err));
    ck_ok(state_service_diff(backend, "a", 1, STATE_VERSION_NOW, &changes, &err));
    text = json_to_text(changes, &json_compact);
    ck_assert_str_eq(text, "[{\"path\":\"singer_state.b.u\",\"before\":\"1\",\"after\":\"2\"},"
                           "{\"path\":\"singer_state.b.x\",\"before\":null},"
                           "{\"path\":\"singer_state.b.n\",\"after\":{\"k\":1}}]");
}
END_TEST

Suite *store_state_service_suite(void)
{
    Suite *suite = suite_create("store/state_service");
    TCase *tcase = tcase_create("state_service");

    tcase_add_checked_fixture(tcase, tempdir_make, tear_down);
    tcase_add_loop_test(tcase, a_state_is_set_merged_and_read, 0, BACKEND_COUNT);
    tcase_add_loop_test(tcase, a_copy_leaves_the_source_and_a_move_does_not, 0, BACKEND_COUNT);
    tcase_add_loop_test(tcase, a_wrong_state_is_refused_in_the_words_of_meltano, 0, BACKEND_COUNT);
    tcase_add_loop_test(tcase, the_list_tells_good_states_from_others, 0, BACKEND_COUNT);
    tcase_add_loop_test(tcase, what_was_exported_can_be_imported, 0, BACKEND_COUNT);
    tcase_add_loop_test(tcase, an_import_with_one_wrong_entry_writes_nothing, 0, BACKEND_COUNT);
    tcase_add_loop_test(tcase, an_older_version_can_be_had_back, 0, BACKEND_COUNT);
    tcase_add_loop_test(tcase, a_difference_names_what_changed, 0, BACKEND_COUNT);
    suite_add_tcase(suite, tcase);
    return suite;
}
