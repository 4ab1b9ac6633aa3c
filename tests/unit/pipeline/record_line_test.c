#include "pipeline/record_line.h"

#include "base/json.h"
#include "base/memory.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

Suite *pipeline_record_line_suite(void);

static struct value *parse(const char *text)
{
    struct error err = {0};
    struct value *value = NULL;

    ck_assert_msg(!json_parse(text, strlen(text), NULL, &value, &err), "%s", err.message);
    return value;
}

static struct value *small_record(void)
{
    return parse("{\"status\":\"failed\",\"command\":[\"run\"],\"totals\":{\"streams\":0},"
                 "\"streams\":[],\"blocks\":[],\"processes\":[],\"log_path\":\"/logs/1/elt.log\"}");
}

static void add_streams(struct value *record, int count)
{
    for (int i = 0; i < count; i++) {
        struct value *stream = value_new_map();
        auto_free char *name = xasprintf("stream-%d", i);

        value_set_string(stream, "name", name);
        value_set_int(stream, "records", (long long)i % 1000);
        value_append_take(value_get(record, "streams"), stream);
    }
}

static void add_processes(struct value *record, int count, int culprit, size_t tail_size)
{
    auto_strbuf struct strbuf line = STRBUF_INIT;

    strbuf_add_repeat(&line, 'x', tail_size);
    for (int i = 0; i < count; i++) {
        struct value *process = value_new_map();
        struct value *tail = value_new_list();

        value_set_int(process, "block", i);
        value_set_bool(process, "culprit", i == culprit);
        value_append_string(tail, strbuf_text(&line));
        value_set_take(process, "stderr_tail", tail);
        value_append_take(value_get(record, "processes"), process);
    }
}

/* The line of record, which must not be longer than the limit. */
static struct value *shorten(const struct value *record)
{
    auto_free char *line = record_line(record, "/logs/1/run.json");

    ck_assert_uint_le(strlen(line), RECORD_LINE_LIMIT);
    ck_assert_ptr_null(strchr(line, '\n'));
    return parse(line);
}

/* The place of a stream in the whole record. */
static int find_number(const struct value *stream)
{
    return atoi(value_get_text(stream, "name") + strlen("stream-"));
}

START_TEST(a_record_that_fits_is_printed_whole)
{
    auto_value struct value *record = small_record();
    auto_free char *whole = NULL, *line = NULL;

    add_streams(record, 100);
    whole = json_to_text(record, &json_compact);
    line = record_line(record, "/logs/1/run.json");
    ck_assert_str_eq(line, whole);
}
END_TEST

START_TEST(what_is_nowhere_else_is_counted_all_the_same)
{
    auto_value struct value *record = small_record();
    auto_value struct value *parsed = NULL;
    auto_free char *line = NULL;
    const struct value *left_out;

    add_streams(record, 5000);
    line = record_line(record, NULL);
    parsed = parse(line);
    left_out = value_get(parsed, "left_out");
    ck_assert(value_is_null(value_get(left_out, "record_path")));
    ck_assert_int_eq(value_to_int(value_get(left_out, "streams"), 0),
                     5000 - (long long)value_count(value_get(parsed, "streams")));
}
END_TEST

START_TEST(the_streams_with_the_most_records_are_kept_in_their_order)
{
    auto_value struct value *record = small_record();
    auto_value struct value *line = NULL;
    const struct value *streams, *left_out;
    size_t kept;

    add_streams(record, 100000);
    line = shorten(record);
    streams = value_get(line, "streams");
    left_out = value_get(line, "left_out");
    kept = value_count(streams);
    ck_assert_uint_gt(kept, 500);
    for (size_t i = 0; i < kept; i++) {
        const struct value *stream = value_at(streams, i);

        ck_assert_int_ge(value_to_int(value_get(stream, "records"), -1), 980);
        ck_assert(!i || find_number(value_at(streams, i - 1)) < find_number(stream));
    }
    ck_assert_int_eq(value_to_int(value_get(left_out, "streams"), -1), 100000 - (long long)kept);
    ck_assert_int_eq(value_to_int(value_get(left_out, "processes"), -1), 0);
    ck_assert_str_eq(value_get_text(left_out, "record_path"), "/logs/1/run.json");
    ck_assert_str_eq(value_member_at(line, 0)->key, "status");
}
END_TEST

START_TEST(the_process_that_failed_is_kept_without_its_bulk)
{
    auto_value struct value *record = small_record();
    auto_value struct value *line = NULL;
    const struct value *processes;
    bool has_culprit = false;

    add_processes(record, 2000, 1999, 30000);
    line = shorten(record);
    processes = value_get(line, "processes");
    ck_assert_uint_gt(value_count(processes), 10);
    for (size_t i = 0; i < value_count(processes); i++)
        has_culprit |= value_is_truthy(value_get(value_at(processes, i), "culprit"));
    ck_assert(has_culprit);
}
END_TEST

START_TEST(last_lines_are_kept_longer_than_what_was_waited_for)
{
    auto_value struct value *record = small_record();
    auto_value struct value *line = NULL;
    struct value *process;

    add_processes(record, 1, 0, 10000);
    process = value_at(value_get(record, "processes"), 0);
    value_set_take(process, "snapshot", value_copy(value_get(process, "stderr_tail")));
    line = shorten(record);
    process = value_at(value_get(line, "processes"), 0);
    ck_assert_ptr_nonnull(value_get(process, "stderr_tail"));
    ck_assert_ptr_nonnull(value_get(process, "snapshot"));

    value_free(line);
    for (int i = 0; i < 3; i++)
        value_append_take(value_get(value_at(value_get(record, "processes"), 0), "snapshot"),
                          value_copy(record));
    line = shorten(record);
    process = value_at(value_get(line, "processes"), 0);
    ck_assert_ptr_nonnull(value_get(process, "stderr_tail"));
    ck_assert_ptr_null(value_get(process, "snapshot"));
}
END_TEST

START_TEST(a_record_that_is_long_everywhere_is_bounded)
{
    auto_value struct value *record = small_record();
    auto_value struct value *line = NULL;

    for (int i = 0; i < 20000; i++) {
        value_append_string(value_get(record, "command"), "tap-something");
        value_append_take(value_get(record, "blocks"), parse("{\"status\":\"success\"}"));
    }
    value_append_take(value_get(record, "blocks"), parse("{\"status\":\"failed\"}"));
    add_streams(record, 20000);
    add_processes(record, 20000, 7, 100);
    line = shorten(record);
    ck_assert_str_eq(value_text(value_at(value_get(line, "command"), 0)), "run");
    ck_assert_str_eq(value_get_text(value_at(value_get(line, "blocks"),
                                             value_count(value_get(line, "blocks")) - 1),
                                    "status"),
                     "failed");
    ck_assert_uint_gt(value_count(value_get(line, "streams")), 100);
}
END_TEST

Suite *pipeline_record_line_suite(void)
{
    Suite *suite = suite_create("pipeline/record_line");
    TCase *tcase = tcase_create("record_line");

    tcase_add_test(tcase, a_record_that_fits_is_printed_whole);
    tcase_add_test(tcase, what_is_nowhere_else_is_counted_all_the_same);
    tcase_add_test(tcase, the_streams_with_the_most_records_are_kept_in_their_order);
    tcase_add_test(tcase, the_process_that_failed_is_kept_without_its_bulk);
    tcase_add_test(tcase, last_lines_are_kept_longer_than_what_was_waited_for);
    tcase_add_test(tcase, a_record_that_is_long_everywhere_is_bounded);
    suite_add_tcase(suite, tcase);
    return suite;
}
