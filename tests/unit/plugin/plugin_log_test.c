#include "plugin/plugin_log.h"

#include "base/json.h"
#include "base/memory.h"

#include <check.h>
#include <string.h>

Suite *plugin_plugin_log_suite(void);

#define COMMON "\"pid\": 7, \"ts\": 1.5, \"thread_name\": \"Main\", \"app_name\": \"tap\""

static bool parse(const char *line, struct plugin_log_record *out)
{
    return plugin_log_parse(line, strlen(line), out);
}

static void assert_fields(const struct plugin_log_record *record, const char *expected)
{
    auto_free char *text = json_to_text(record->fields, &json_python);

    ck_assert_str_eq(text, expected);
}

START_TEST(a_structured_line_keeps_its_level_and_fields)
{
    struct plugin_log_record record ATTR_CLEANUP(plugin_log_record_clear) = {.level = LOG_INFO};

    ck_assert(
        parse(" {\"level\": \"warning\", " COMMON ", \"logger_name\": \"tap.core\", "
              "\"stream_name\": null, \"message\": \"slow\", \"extra\": "
              "{\"metric_info\": {\"metric\": \"n\", \"value\": 5}, \"pid\": 8, \"x\": null}}\r\n",
              &record));
    ck_assert_int_eq(record.level, LOG_WARNING);
    ck_assert_str_eq(record.message, "slow");
    assert_fields(&record, "{\"pid\": 8, \"thread_name\": \"Main\", \"app_name\": \"tap\", "
                           "\"metric_info\": {\"metric\": \"n\", \"value\": 5}, "
                           "\"plugin_logger\": \"tap.core\"}");
}
END_TEST

START_TEST(an_exception_comes_with_its_traceback_and_cause)
{
    struct plugin_log_record record ATTR_CLEANUP(plugin_log_record_clear) = {.level = LOG_INFO};

    ck_assert(parse(
        "{\"level\": \"ERROR\", " COMMON ", \"logger_name\": \"t\", \"message\": \"no\", "
        "\"exception\": {\"type\": \"E\", \"module\": \"m\", \"message\": \"why\", \"other\": 1, "
        "\"traceback\": [{\"filename\": \"f\", \"function\": \"g\", \"lineno\": 3, \"line\": "
        "\"h\"}],"
        " \"cause\": {\"type\": \"C\", \"module\": \"m\", \"message\": \"root\"}}}",
        &record));
    ck_assert_int_eq(record.level, LOG_ERROR);
    assert_fields(&record,
                  "{\"pid\": 7, \"thread_name\": \"Main\", \"app_name\": \"tap\", "
                  "\"plugin_logger\": \"t\", \"plugin_exception\": {\"type\": \"E\", \"module\": "
                  "\"m\", \"message\": \"why\", \"traceback\": [{\"filename\": \"f\", "
                  "\"function\": \"g\", \"lineno\": 3, \"line\": \"h\"}], \"cause\": {\"type\": "
                  "\"C\", \"module\": \"m\", \"message\": \"root\"}}}");
}
END_TEST

static const struct {
    const char *word;
    enum log_level level;
} levels[] = {
    {"debug", LOG_DEBUG},    {"Info", LOG_INFO},         {"WARN", LOG_WARNING},
    {"fatal", LOG_CRITICAL}, {"critical", LOG_CRITICAL}, {"noise", LOG_INFO},
};

START_TEST(a_level_goes_by_the_names_of_python)
{
    struct plugin_log_record record ATTR_CLEANUP(plugin_log_record_clear) = {.level = LOG_INFO};
    auto_free char *line =
        xasprintf("{\"level\": \"%s\", " COMMON ", \"logger_name\": null, \"message\": {\"a\": 1}}",
                  levels[_i].word);

    ck_assert(parse(line, &record));
    ck_assert_int_eq(record.level, levels[_i].level);
    ck_assert_str_eq(record.message, "{\"a\": 1}");
}
END_TEST

static const char *const plain_lines[] = {
    "",
    "reading users",
    "{\"level\": \"info\", \"message\": \"too little\"}",
    "{\"level\": \"info\", " COMMON ", \"logger_name\": \"t\", \"message\": \"cut",
    "{\"level\": 20, " COMMON ", \"logger_name\": \"t\", \"message\": \"m\"}",
    "{\"level\": \"info\", " COMMON
    ", \"logger_name\": \"t\", \"message\": \"m\", \"extra\": null}",
    "{\"level\": \"info\", " COMMON ", \"logger_name\": \"t\", \"message\": \"m\", "
    "\"exception\": {\"type\": \"E\"}}",
};

START_TEST(anything_else_is_no_structured_line)
{
    struct plugin_log_record record = {.level = LOG_INFO};

    ck_assert(!parse(plain_lines[_i], &record));
    ck_assert_ptr_null(record.message);
}
END_TEST

Suite *plugin_plugin_log_suite(void)
{
    Suite *suite = suite_create("plugin/plugin_log");
    TCase *tcase = tcase_create("plugin_log");

    tcase_add_test(tcase, a_structured_line_keeps_its_level_and_fields);
    tcase_add_test(tcase, an_exception_comes_with_its_traceback_and_cause);
    tcase_add_loop_test(tcase, a_level_goes_by_the_names_of_python, 0, ARRAY_LEN(levels));
    tcase_add_loop_test(tcase, anything_else_is_no_structured_line, 0, ARRAY_LEN(plain_lines));
    suite_add_tcase(suite, tcase);
    return suite;
}
