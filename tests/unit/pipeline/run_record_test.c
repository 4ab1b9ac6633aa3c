#include "pipeline/run_record.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/redact.h"
#include "pipeline/run_command.h"

#include <check.h>
#include <string.h>
#include <unistd.h>

Suite *pipeline_run_record_suite(void);

static struct value *parse(const char *text)
{
    struct error err = {0};
    struct value *value = NULL;

    ck_assert_msg(!json_parse(text, strlen(text), NULL, &value, &err), "%s", err.message);
    return value;
}

static void fill_record(struct run_record *record)
{
    struct block_record *block;

    *record = (struct run_record){.started_us = 1795350000123456, .duration_ms = 1500};
    strcpy(record->run_id, "01a2032b-0000-7000-8000-000000000000");
    strlist_add(&record->command, "run");
    record->trigger = value_new_map();
    value_set_string(record->trigger, "kind", "cli");
    block = run_record_add_block(record);
    block->is_extract_load = true;
    block->words = xstrdup("tap-a target-b");
    block->state_id = xstrdup("dev:tap-a-to-target-b");
    block->started_us = record->started_us;
    block->version_after = 3;
    block->checkpoints = 2;
    block->tap_wait_ms = 10;
    block->state_before = parse("{\"singer_state\":{\"bookmarks\":{\"users\":{\"id\":1.10}}}}");
    block->state_after = parse("{\"singer_state\":{\"bookmarks\":{\"users\":{\"id\":2.20}}}}");
    block->counts.streams = xcalloc(1, sizeof(struct stream_count));
    block->counts.stream_count = block->counts.stream_capacity = 1;
    block->counts.streams[0] = (struct stream_count){.name = xstrdup("users"), .records = 7};
    block_record_set_processes(block, 1);
    block->processes[0].plugin = xstrdup("tap-a");
    block->processes[0].end = (struct process_end){.kind = EXIT_STATUS, .code = 3};
}

START_TEST(bookmarks_keep_their_bytes)
{
    struct run_record record;
    auto_free char *json = NULL;

    fill_record(&record);
    json = run_record_to_json(&record);
    ck_assert_ptr_nonnull(strstr(json, "\"bookmark_before\":{\"id\":1.10}"));
    ck_assert_ptr_nonnull(strstr(json, "\"bookmark_after\":{\"id\":2.20}"));
    run_record_clear(&record);
}
END_TEST

START_TEST(the_record_is_one_line_with_the_facts_of_the_run)
{
    struct run_record record;
    auto_value struct value *value = NULL;
    auto_free char *json = NULL;
    const struct value *stream, *process, *block;

    fill_record(&record);
    json = run_record_to_json(&record);
    ck_assert_ptr_null(strchr(json, '\n'));
    value = parse(json);
    stream = value_at(value_get(value, "streams"), 0);
    process = value_at(value_get(value, "processes"), 0);
    block = value_at(value_get(value, "blocks"), 0);
    ck_assert_str_eq(value_get_text(value, "schema"), "meltshim.run/1");
    ck_assert_str_eq(value_get_text(value, "state_id"), "dev:tap-a-to-target-b");
    ck_assert_str_eq(value_get_text(value, "started_at"), "2026-11-22T12:20:00.123456Z");
    ck_assert_str_eq(value_get_text(value, "ended_at"), "2026-11-22T12:20:01.623456Z");
    ck_assert_str_eq(value_get_text(stream, "name"), "users");
    ck_assert_int_eq(value_to_int(value_get(stream, "records"), -1), 7);
    ck_assert_int_eq(value_to_int(value_get(value_get(value, "totals"), "records"), -1), 7);
    ck_assert_int_eq(value_to_int(value_get(process, "exit_code"), -1), 3);
    ck_assert_str_eq(value_get_text(process, "ended"), "exit status 3");
    ck_assert_str_eq(value_get_text(block, "slower_side"), "tap");
    ck_assert_int_eq(value_to_int(value_get(value_get(block, "state"), "version_after"), -1), 3);
    run_record_clear(&record);
}
END_TEST

START_TEST(a_bookmark_too_long_for_a_record_is_left_out)
{
    struct run_record record;
    auto_value struct value *value = NULL;
    char text[600];

    fill_record(&record);
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    value_set_string(
        value_get(value_get(record.blocks[0].state_after, "singer_state"), "bookmarks"), "users",
        text);
    value = run_record_to_value(&record);
    ck_assert(value_is_null(value_get(value_at(value_get(value, "streams"), 0), "bookmark_after")));
    run_record_clear(&record);
}
END_TEST

START_TEST(a_bookmark_with_a_nul_is_left_out)
{
    struct run_record record;
    auto_free char *json = NULL;

    fill_record(&record);
    value_free(record.blocks[0].state_after);
    record.blocks[0].state_after =
        parse("{\"singer_state\":{\"bookmarks\":{\"users\":{\"key\":\"a\\u0000b\"}}}}");
    json = run_record_to_json(&record);
    ck_assert_ptr_nonnull(strstr(json, "\"bookmark_after\":null"));
    run_record_clear(&record);
}
END_TEST

START_TEST(a_bookmark_with_a_secret_is_left_out)
{
    struct run_record record;
    auto_free char *json = NULL;

    fill_record(&record);
    redact_add_secret("open sesame");
    value_free(record.blocks[0].state_after);
    record.blocks[0].state_after =
        parse("{\"singer_state\":{\"bookmarks\":{\"users\":{\"url\":\"/?token=open sesame\"}}}}");
    json = run_record_to_json(&record);
    ck_assert_ptr_nonnull(strstr(json, "\"bookmark_before\":{\"id\":1.10}"));
    ck_assert_ptr_nonnull(strstr(json, "\"bookmark_after\":null"));
    run_record_clear(&record);
}
END_TEST

START_TEST(texts_are_cut_between_characters)
{
    struct run_record record;
    auto_value struct value *value = NULL;
    char text[520];

    fill_record(&record);
    memset(text, 'x', 511);
    strcpy(text + 511, "\u00e9");
    strlist_add(&record.command, text);
    value = run_record_to_value(&record);
    ck_assert_uint_eq(strlen(value_text(value_at(value_get(value, "command"), 1))), 511);
    run_record_clear(&record);
}
END_TEST

START_TEST(a_task_of_airflow_is_named_as_the_trigger)
{
    auto_strmap struct strmap environ_map = STRMAP_INIT;
    auto_value struct value *trigger = NULL;
    auto_free char *json = NULL;

    strmap_set(&environ_map, "AIRFLOW_CTX_DAG_ID", "flights");
    strmap_set(&environ_map, "AIRFLOW_CTX_TASK_ID", "load");
    strmap_set(&environ_map, "AIRFLOW_CTX_TRY_NUMBER", "2");
    strmap_set(&environ_map, "AIRFLOW_CTX_EXECUTION_DATE", "2026-01-01T00:00:00+00:00");
    trigger = run_trigger_from_environ(&environ_map);
    json = json_to_text(trigger, &json_compact);
    ck_assert_str_eq(json, "{\"kind\":\"airflow\",\"dag_id\":\"flights\",\"task_id\":\"load\","
                           "\"try_number\":\"2\",\"logical_date\":\"2026-01-01T00:00:00+00:00\"}");
}
END_TEST

static const struct {
    const char *state_id, *name;
} dir_names[] = {
    {"dev:tap-x-to-target-y:sfx", "devtap-x-to-target-ysfx"},
    {"my id:/x", "my_id_x"},
    {"..__a/b__..", "a_b"},
    {"caf\u00e9 \u65e5", "cafe"},
};

START_TEST(the_record_of_a_run_that_is_killed_has_what_is_known_before)
{
    struct run_record record;
    auto_value struct value *value = NULL;
    auto_free char *json = NULL, *after = NULL, *message = NULL, *before = NULL;
    const struct value *block, *error;

    fill_record(&record);
    record.host = xstrdup("worker-1");
    before = run_record_to_json(&record);
    json = run_record_if_killed(&record);
    after = run_record_to_json(&record);
    ck_assert_str_eq(after, before);
    value = parse(json);
    block = value_at(value_get(value, "blocks"), 0);
    error = value_get(value, "error");
    message = xasprintf("the process %d on worker-1 ended without closing its run", (int)getpid());
    ck_assert_str_eq(value_get_text(value, "status"), "failed");
    ck_assert_str_eq(value_get_text(block, "status"), "failed");
    ck_assert_str_eq(value_get_text(error, "message"), message);
    ck_assert_str_eq(value_get_text(error, "signature"),
                     "failed: the process # on worker-# ended without closing its run");
    ck_assert_str_eq(value_get_text(value, "ended_at"), "2026-11-22T12:20:01.623456Z");
    ck_assert_int_eq(value_to_int(value_get(value_get(value, "totals"), "records"), -1), 7);
    ck_assert_uint_eq(value_count(value_get(value, "processes")), 0);
    run_record_clear(&record);
}
END_TEST

START_TEST(a_state_id_becomes_a_directory_name)
{
    auto_free char *name = state_id_to_dir_name(dir_names[_i].state_id);

    ck_assert_str_eq(name, dir_names[_i].name);
}
END_TEST

START_TEST(a_long_state_id_becomes_a_name_that_fits)
{
    char first[400], second[400];
    auto_free char *first_name = NULL, *second_name = NULL;

    memset(first, 'x', sizeof first - 1);
    first[sizeof first - 1] = '\0';
    memcpy(second, first, sizeof first);
    second[sizeof second - 2] = 'y';
    first_name = state_id_to_dir_name(first);
    second_name = state_id_to_dir_name(second);
    ck_assert_uint_le(strlen(first_name), 255);
    ck_assert_uint_eq(strlen(first_name), strlen(second_name));
    ck_assert_str_ne(first_name, second_name);
}
END_TEST

Suite *pipeline_run_record_suite(void)
{
    Suite *suite = suite_create("pipeline/run_record");
    TCase *tcase = tcase_create("run_record");

    tcase_add_test(tcase, bookmarks_keep_their_bytes);
    tcase_add_test(tcase, the_record_is_one_line_with_the_facts_of_the_run);
    tcase_add_test(tcase, a_bookmark_too_long_for_a_record_is_left_out);
    tcase_add_test(tcase, a_bookmark_with_a_nul_is_left_out);
    tcase_add_test(tcase, a_bookmark_with_a_secret_is_left_out);
    tcase_add_test(tcase, texts_are_cut_between_characters);
    tcase_add_test(tcase, a_task_of_airflow_is_named_as_the_trigger);
    tcase_add_test(tcase, a_long_state_id_becomes_a_name_that_fits);
    tcase_add_test(tcase, the_record_of_a_run_that_is_killed_has_what_is_known_before);
    tcase_add_loop_test(tcase, a_state_id_becomes_a_directory_name, 0, ARRAY_LEN(dir_names));
    suite_add_tcase(suite, tcase);
    return suite;
}
