#include "store/state_service.h"
#include "store/store_impl.h"

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

static struct value *parse(const char *text)
{
    struct value *value = NULL;

    ck_ok(json_parse(text, strlen(text), NULL, &value, &err));
    return value;
}

static void set(const char *state_id, const char *text)
{
    auto_value struct value *state = parse(text);

    ck_ok(state_service_set(backend, state_id, NULL, state, &err));
}

static void merge(const char *state_id, const char *text)
{
    auto_value struct value *state = parse(text);

    ck_ok(state_service_merge(backend, state_id, NULL, state, &err));
}

static void check_value(struct value *value, const char *expected)
{
    auto_free char *text = json_to_text(value, &json_compact);

    ck_assert_str_eq(text, expected);
    value_free(value);
}

static void check_state(const char *state_id, const char *expected)
{
    struct value *state = NULL;

    ck_ok(state_service_get(backend, state_id, &state, &err));
    check_value(state, expected);
}

START_TEST(a_state_is_set_merged_and_read)
{
    start(_i);
    check_state("a", "{}");
    set("a", "{\"singer_state\":{\"u\":1,\"o\":1}}");
    merge("a", "{\"singer_state\":{\"u\":0.50}}");
    check_state("a", "{\"singer_state\":{\"u\":0.50,\"o\":1}}");
}
END_TEST

START_TEST(a_copy_leaves_the_source_and_a_move_does_not)
{
    start(_i);
    set("a", "{\"singer_state\":{\"u\":1}}");
    merge("a", "{\"singer_state\":{\"o\":2}}");
    ck_ok(state_service_copy(backend, "a", "b", NULL, &err));
    check_state("a", "{\"singer_state\":{\"u\":1,\"o\":2}}");
    check_state("b", "{\"singer_state\":{\"u\":1,\"o\":2}}");
    ck_ok(state_service_move(backend, "b", NULL, "c", NULL, &err));
    check_state("b", "{}");
    check_state("c", "{\"singer_state\":{\"u\":1,\"o\":2}}");
}
END_TEST

START_TEST(a_source_without_state_overwrites_nothing)
{
    start(_i);
    set("a", "{\"singer_state\":{\"u\":1}}");
    ck_assert_int_eq(state_service_copy(backend, "never seen", "a", NULL, &err), -1);
    ck_assert_str_eq(err.message, "invalid state format: singer_state not found in top level of "
                                  "provided state");
    ck_assert_int_eq(state_service_move(backend, "a", NULL, "a", NULL, &err), -1);
    ck_assert_int_eq(err.code, ERR_USAGE);
    check_state("a", "{\"singer_state\":{\"u\":1}}");
}
END_TEST

static const struct {
    const char *text;
    const char *message;
} wrong_states[] = {
    {"{\"a\":1}", "invalid state format: singer_state not found in top level of provided state"},
    {"5", "a state is a JSON object, not an integer"},
    {"{", "invalid JSON provided: invalid JSON at line 1, column 2: a key in double quotes was "
          "expected"},
};

START_TEST(a_wrong_state_is_refused)
{
    auto_value struct value *state = NULL;

    ck_assert(state_service_parse(wrong_states[_i].text, &state, &err) < 0 ||
              state_service_check(state, &err) < 0);
    ck_assert_str_eq(err.message, wrong_states[_i].message);
    ck_assert_int_eq(err.code, ERR_STATE);
}
END_TEST

START_TEST(what_was_exported_can_be_imported)
{
    auto_value struct value *exported = NULL;
    struct value *again = NULL;
    static const char expected[] =
        "{\"a\":{\"completed\":{},\"partial\":{\"singer_state\":{\"x\":2}}},"
        "\"b\":{\"completed\":{\"singer_state\":{\"u\":1.0}},\"partial\":{}}}";

    start(_i);
    set("b", "{\"singer_state\":{\"u\":1.0}}");
    merge("a", "{\"singer_state\":{\"x\":2}}");
    ck_ok(state_service_export(backend, &exported, &err));
    set("b", "{\"singer_state\":{\"u\":2}}");
    ck_ok(state_backend_clear(backend, "a", NULL, &err));
    ck_ok(state_service_check_export(exported, &err));
    for (size_t i = 0; i < value_count(exported); i++) {
        const struct value_member *member = value_member_at(exported, i);

        ck_ok(state_service_import(backend, member->key, NULL, member->value, &err));
    }
    ck_ok(state_service_export(backend, &again, &err));
    check_value(again, expected);
}
END_TEST

static const struct {
    const char *text;
    const char *message;
} wrong_exports[] = {
    {"[]", "expected a JSON object, got a list"},
    {"{\"a\":{},\"b\":5}",
     "the state of 'b': {\"completed\": {...}, \"partial\": {...}} was expected"},
    {"{\"b\":{\"completed\":[]}}",
     "the state of 'b': {\"completed\": {...}, \"partial\": {...}} was expected"},
    {"{\"b\":{\"partial\":\"\"}}",
     "the state of 'b': {\"completed\": {...}, \"partial\": {...}} was expected"},
};

START_TEST(what_is_no_export_is_refused_as_a_whole)
{
    auto_value struct value *states = parse(wrong_exports[_i].text);

    ck_assert_int_eq(state_service_check_export(states, &err), -1);
    ck_assert_str_eq(err.message, wrong_exports[_i].message);
}
END_TEST

START_TEST(an_older_version_can_be_had_back)
{
    struct value *shown = NULL;
    struct state_version_list versions = {0};

    start(_i);
    set("a", "{\"singer_state\":{\"u\":1}}");
    merge("a", "{\"singer_state\":{\"o\":1}}");
    ck_ok(state_backend_clear(backend, "a", NULL, &err));
    ck_ok(state_service_show(backend, "a", 2, &shown, &err));
    check_value(shown, "{\"singer_state\":{\"u\":1,\"o\":1}}");
    ck_ok(state_service_rollback(backend, "a", NULL, 2, &err));
    check_state("a", "{\"singer_state\":{\"u\":1,\"o\":1}}");
    ck_ok(store_state_history(store, "a", 0, &versions, &err));
    ck_assert_uint_eq(versions.count, 4);
    ck_assert_str_eq(versions.items[0].source, "state rollback to 2");
    ck_assert_str_eq(versions.items[1].kind, "cleared");
    ck_assert_str_eq(versions.items[2].source, "state merge");
    state_version_list_clear(&versions);
    ck_assert_int_eq(state_service_rollback(backend, "a", NULL, 9, &err), -1);
    ck_assert_str_eq(err.message, "the state of 'a' has no version 9");
    ck_assert_str_eq(err.hint, "'state history a' lists its versions.");
}
END_TEST

START_TEST(an_edit_under_a_lost_lock_is_refused)
{
    auto_value struct value *state = parse("{\"singer_state\":{\"u\":2}}");
    struct store_lock *lock = NULL;

    start(_i);
    set("a", "{\"singer_state\":{\"u\":1}}");
    ck_ok(store_lock_acquire(store, "a", 0, NULL, &lock, NULL, &err));
    ck_ok(state_service_set(backend, "a", lock, state, &err));
    ck_ok(store->db.driver->script(&store->db,
                                   "UPDATE meltshim_locks SET generation = generation + 1", &err));
    ck_assert_int_eq(state_service_set(backend, "a", lock, state, &err), -1);
    ck_assert_int_eq(err.code, ERR_LOST_LOCK);
    ck_assert_int_eq(state_service_rollback(backend, "a", lock, 1, &err), -1);
    ck_assert_int_eq(state_backend_clear(backend, "a", lock, &err), -1);
    check_state("a", "{\"singer_state\":{\"u\":2}}");
}
END_TEST

Suite *store_state_service_suite(void)
{
    Suite *suite = suite_create("store/state_service");
    TCase *tcase = tcase_create("state_service");

    tcase_add_checked_fixture(tcase, tempdir_make, tear_down);
    tcase_add_loop_test(tcase, a_state_is_set_merged_and_read, 0, BACKEND_COUNT);
    tcase_add_loop_test(tcase, a_copy_leaves_the_source_and_a_move_does_not, 0, BACKEND_COUNT);
    tcase_add_loop_test(tcase, a_source_without_state_overwrites_nothing, 0, BACKEND_COUNT);
    tcase_add_loop_test(tcase, a_wrong_state_is_refused, 0, ARRAY_LEN(wrong_states));
    tcase_add_loop_test(tcase, what_was_exported_can_be_imported, 0, BACKEND_COUNT);
    tcase_add_loop_test(tcase, what_is_no_export_is_refused_as_a_whole, 0,
                        ARRAY_LEN(wrong_exports));
    tcase_add_loop_test(tcase, an_older_version_can_be_had_back, 0, BACKEND_COUNT);
    tcase_add_loop_test(tcase, an_edit_under_a_lost_lock_is_refused, 0, BACKEND_COUNT);
    suite_add_tcase(suite, tcase);
    return suite;
}
