#include "base/log.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/redact.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

Suite *base_log_suite(void);

#define NOW  1795436825327058
#define TIME "2026-11-23T12:27:05.327058Z"

static int saved_stderr, captured;
static struct strbuf text;

static void set_up(void)
{
    unsetenv("NO_COLOR");
    unsetenv("FORCE_COLOR");
    unsetenv("NO_UTC");
    unsetenv("AIRFLOW_CTX_DAG_ID");
    clock_set_for_tests(NOW);
    saved_stderr = dup(STDERR_FILENO);
    captured = memfd_create("stderr", MFD_CLOEXEC);
    dup2(captured, STDERR_FILENO);
    log_set_level(LOG_INFO);
    log_set_format(LOG_UNCOLORED);
}

static void tear_down(void)
{
    dup2(saved_stderr, STDERR_FILENO);
    close(saved_stderr);
    close(captured);
    strbuf_clear(&text);
    log_bind("run_id", NULL);
    clock_set_for_tests(-1);
}

/* What was written to standard error so far. */
static const char *output(void)
{
    lseek(captured, 0, SEEK_SET);
    strbuf_reset(&text);
    ck_assert_int_eq(fd_read_all(captured, &text), 0);
    return strbuf_text(&text);
}

static struct value *some_fields(void)
{
    const char *json = "{\"cmd_type\":\"elb\",\"code\":3,\"ok\":false,\"err\":null,"
                       "\"metric_info\":{\"metric\":\"record count\",\"value\":5}}";
    struct error err = {0};
    struct value *fields = NULL;

    ck_assert_int_eq(json_parse(json, strlen(json), NULL, &fields, &err), 0);
    return fields;
}

START_TEST(a_console_line_has_columns)
{
    log_info("Environment 'dev' is active");
    log_event(LOG_WARNING, "tap-demo", NULL, "hello");
    log_event(LOG_ERROR, "a-long-plugin-name", NULL, "%s", "");
    ck_assert_str_eq(output(), TIME " [info     ] meltano      Environment 'dev' is active\n" TIME
                                    " [warning  ] tap-demo     hello\n" TIME
                                    " [error    ] a-long-plugin-name\n");
}
END_TEST

START_TEST(what_would_steer_a_terminal_is_spelt_out)
{
    log_error("no plugin '%s'", "tap\033[2J\033[31m");
    log_event(LOG_INFO, "tap\033[31m", NULL, "%s", "\033[31mred\033[0m\033]0;x\007\rover");
    log_set_format(LOG_PLAIN);
    log_info("%s", "a\033[2J");
    ck_assert_str_eq(output(), TIME
                     " [error    ] meltano      no plugin 'tap\\u001b[2J\\u001b[31m'\n" TIME
                     " [info     ] tap\\u001b[31m \033[31mred\033[0m\\u001b]0;x\\u0007\\rover\n"
                     "a\\u001b[2J\n");
}
END_TEST

START_TEST(a_text_of_several_lines_cannot_be_taken_for_several_texts)
{
    log_info("no plugin 'a\n%s [error    ] forged'", TIME);
    ck_assert_str_eq(output(), TIME " [info     ] meltano      no plugin 'a\n    " TIME
                                    " [error    ] forged'\n");
}
END_TEST

START_TEST(a_console_line_shows_metrics_and_no_other_field)
{
    auto_value struct value *fields = some_fields();

    log_event(LOG_WARNING, "tap-demo", fields, "hello");
    ck_assert_str_eq(output(), TIME " [warning  ] tap-demo     hello                         "
                                    " metric_name='record count' metric_value=5\n");
}
END_TEST

START_TEST(colors_are_forced_and_forbidden_by_the_environment)
{
    setenv("FORCE_COLOR", "1", 1);
    log_set_format(LOG_COLORED);
    log_event(LOG_WARNING, "tap-demo", NULL, "hello");
    ck_assert_str_eq(output(), "\033[2m" TIME "\033[0m [\033[33mwarning  \033[0m] "
                               "\033[36mtap-demo    \033[0m "
                               "\033[1mhello                         \033[0m\n");

    setenv("NO_COLOR", "yes", 1);
    log_set_format(LOG_COLORED);
    ck_assert_int_eq(ftruncate(captured, 0), 0);
    lseek(captured, 0, SEEK_SET);
    log_info("plain");
    ck_assert_str_eq(output(), TIME " [info     ] meltano      plain\n");
}
END_TEST

START_TEST(local_time_has_no_zone)
{
    setenv("NO_UTC", "1", 1);
    setenv("TZ", "EET-2", 1);
    log_set_format(LOG_UNCOLORED);
    log_info("hello");
    ck_assert_str_eq(output(), "2026-11-23T14:27:05.327058 [info     ] meltano      hello\n");
}
END_TEST

START_TEST(json_has_every_field)
{
    auto_value struct value *fields = some_fields();

    log_set_format(LOG_JSON);
    log_bind("run_id", "u1");
    log_event(LOG_ERROR, "tap-demo", fields, "it \"failed\"\nbadly");
    ck_assert_str_eq(output(),
                     "{\"cmd_type\": \"elb\", \"code\": 3, \"ok\": false, \"err\": null, "
                     "\"metric_info\": {\"metric\": \"record count\", \"value\": 5}, "
                     "\"name\": \"tap-demo\", \"event\": \"it \\\"failed\\\"\\nbadly\", "
                     "\"run_id\": \"u1\", \"level\": \"error\", \"timestamp\": \"" TIME "\"}\n");
}
END_TEST

START_TEST(key_value_has_every_field)
{
    auto_value struct value *fields = some_fields();

    log_set_format(LOG_KEY_VALUE);
    log_bind("run_id", "u1");
    log_event(LOG_ERROR, "tap-demo", fields, "it failed");
    ck_assert_str_eq(output(), "timestamp='" TIME "' level='error' event='it failed' logger=None "
                               "cmd_type='elb' code=3 ok=False err=None metric_info={'metric': "
                               "'record count', 'value': 5} name='tap-demo' run_id='u1'\n");
}
END_TEST

START_TEST(plain_is_the_text_alone)
{
    log_set_format(LOG_PLAIN);
    log_event(LOG_ERROR, "tap-demo", NULL, "it failed");
    ck_assert_str_eq(output(), "it failed\n");
}
END_TEST

START_TEST(events_below_the_level_are_dropped)
{
    log_set_level(LOG_ERROR);
    log_warning("no");
    log_error("yes");
    log_set_level(LOG_DISABLED);
    log_event(LOG_CRITICAL, NULL, NULL, "no");
    ck_assert_str_eq(output(), TIME " [error    ] meltano      yes\n");
}
END_TEST

static const struct {
    enum log_format format;
    const char *begin, *end;
} long_lines[] = {
    {LOG_UNCOLORED, TIME " [info     ] meltano      \xc3\xa4", " metric_value=5\n"},
    {LOG_JSON, "{\"cmd_type\": \"elb\"", TIME "\"}\n"},
    {LOG_PLAIN, "\xc3\xa4", "\xa4... (cut)\n"},
};

START_TEST(under_airflow_a_line_fits_into_one_write)
{
    auto_value struct value *fields = some_fields();
    auto_strbuf struct strbuf message = STRBUF_INIT;

    for (int i = 0; i < 3000; i++)
        strbuf_add(&message, "\xc3\xa4");
    setenv("AIRFLOW_CTX_DAG_ID", "dag", 1);
    log_set_format(long_lines[_i].format);
    log_event(LOG_INFO, NULL, fields, "%s", strbuf_text(&message));
    ck_assert_uint_le(strlen(output()), 4096);
    ck_assert_uint_ge(text.length, 4096 - strlen("\\u00e4"));
    ck_assert_msg(!strncmp(text.text, long_lines[_i].begin, strlen(long_lines[_i].begin)), "%s",
                  text.text);
    ck_assert_msg(strbuf_ends_with(&text, long_lines[_i].end), "%s", text.text);
}
END_TEST

START_TEST(under_airflow_fields_that_are_too_long_are_left_out)
{
    auto_value struct value *fields = value_new_map();
    auto_strbuf struct strbuf message = STRBUF_INIT;

    strbuf_add_repeat(&message, 'x', 5000);
    value_set_string(fields, "detail", strbuf_text(&message));
    setenv("AIRFLOW_CTX_DAG_ID", "dag", 1);
    log_set_format(LOG_JSON);
    log_event(LOG_INFO, NULL, fields, "hello");
    ck_assert_str_eq(output(),
                     "{\"event\": \"hello... (cut)\", \"level\": \"info\", \"timestamp\": "
                     "\"" TIME "\"}\n");
}
END_TEST

START_TEST(under_airflow_there_are_no_colors)
{
    setenv("AIRFLOW_CTX_DAG_ID", "dag", 1);
    setenv("FORCE_COLOR", "1", 1);
    log_set_format(LOG_COLORED);
    log_event(LOG_INFO, "dbt", NULL, "\033[32mOK\033[0m in \033[1;31m2\033[0m s\033[2J");
    ck_assert_str_eq(output(), TIME " [info     ] dbt          OK in 2 s\\u001b[2J\n");
}
END_TEST

static int count_lines_with(const char *lines, const char *word)
{
    int count = 0;

    while ((lines = strstr(lines, word))) {
        lines++;
        count++;
    }
    return count;
}

START_TEST(under_airflow_chatter_is_left_out_and_stays_in_the_file)
{
    auto_strbuf struct strbuf file = STRBUF_INIT;
    auto_free char *notice = NULL;
    struct error err = {0};
    char path[] = "/tmp/log_test.XXXXXX";

    close(mkstemp(path));
    setenv("AIRFLOW_CTX_DAG_ID", "dag", 1);
    log_set_format(LOG_UNCOLORED);
    ck_assert_int_eq(log_open_file(path, &err), 0);
    for (int i = 0; i < 1000; i++)
        log_chatter(LOG_WARNING, "tap-demo", NULL, "chatter");
    log_info("our own");
    ck_assert_uint_eq(log_left_out(), 900);
    clock_set_for_tests(NOW + INT64_C(3600) * 1000000);
    log_chatter(LOG_INFO, "tap-demo", NULL, "an hour later");
    log_close_file();
    notice = xasprintf("Too many lines: from here on they are only in %s\n", path);
    ck_assert_int_eq(count_lines_with(output(), "chatter\n"), 100);
    ck_assert_int_eq(count_lines_with(text.text, notice), 1);
    ck_assert_int_eq(count_lines_with(text.text, "our own\n"), 1);
    ck_assert_int_eq(count_lines_with(text.text, "900 lines were left out here\n"), 1);
    ck_assert_int_eq(count_lines_with(text.text, "an hour later\n"), 1);
    ck_assert_int_eq(file_read(path, &file, &err), 0);
    ck_assert_int_eq(count_lines_with(strbuf_text(&file), "chatter\n"), 1000);
    ck_assert_int_eq(count_lines_with(strbuf_text(&file), "left out"), 0);
    unlink(path);
}
END_TEST

static const struct {
    bool has_airflow, has_file;
    enum log_level level;
} unlimited[] = {
    {false, true, LOG_INFO},
    {true, false, LOG_INFO}, /* else it would be lost */
    {true, true, LOG_DEBUG},
};

START_TEST(otherwise_chatter_is_shown)
{
    struct error err = {0};

    if (unlimited[_i].has_airflow)
        setenv("AIRFLOW_CTX_DAG_ID", "dag", 1);
    log_set_format(LOG_PLAIN);
    log_set_level(unlimited[_i].level);
    if (unlimited[_i].has_file)
        ck_assert_int_eq(log_open_file("/dev/null", &err), 0);
    for (int i = 0; i < 1000; i++)
        log_chatter(LOG_INFO, "tap-demo", NULL, "chatter");
    log_close_file();
    ck_assert_int_eq(count_lines_with(output(), "chatter\n"), 1000);
}
END_TEST

START_TEST(secrets_are_masked_in_text_fields_and_file)
{
    auto_value struct value *fields = value_new_map();
    auto_strbuf struct strbuf file = STRBUF_INIT;
    struct error err = {0};
    char path[] = "/tmp/log_test.XXXXXX";

    close(mkstemp(path));
    redact_add_secret("hunter2");
    value_set_string(fields, "password", "hunter2");
    log_set_format(LOG_JSON);
    ck_assert_int_eq(log_open_file(path, &err), 0);
    log_event(LOG_INFO, NULL, fields, "I am hunter2");
    log_close_file();
    ck_assert_str_eq(output(), "{\"password\": \"(redacted)\", \"event\": \"I am (redacted)\", "
                               "\"level\": \"info\", \"timestamp\": \"" TIME "\"}\n");
    ck_assert_int_eq(file_read(path, &file, &err), 0);
    ck_assert_str_eq(strbuf_text(&file), TIME " [info     ] meltano      I am (redacted)\n");
    unlink(path);
}
END_TEST

START_TEST(a_full_disk_ends_the_file_and_is_reported_once)
{
    struct error err = {0};

    ck_assert_int_eq(log_open_file("/dev/full", &err), 0);
    log_info("one");
    log_info("two");
    ck_assert_str_eq(output(), TIME " [info     ] meltano      one\n" TIME
                                    " [warning  ] meltano      The log ends here: cannot write "
                                    "/dev/full: No space left on device\n" TIME
                                    " [info     ] meltano      two\n");
}
END_TEST

START_TEST(a_log_that_cannot_be_opened_names_its_path)
{
    struct error err = {0};

    ck_assert_int_eq(log_open_file("/dev/null/elt.log", &err), -1);
    ck_assert_str_eq(err.message, "cannot open the log /dev/null/elt.log: Not a directory");
}
END_TEST

START_TEST(a_reader_that_went_away_is_no_error)
{
    int ends[2];

    signal(SIGPIPE, SIG_IGN);
    ck_assert_int_eq(pipe(ends), 0);
    dup2(ends[1], STDERR_FILENO);
    close(ends[0]);
    close(ends[1]);
    log_info("nobody hears this");
    log_info("nor this");
}
END_TEST

START_TEST(a_pipe_that_is_full_is_waited_for)
{
    auto_strbuf struct strbuf message = STRBUF_INIT;
    char bytes[4096];
    size_t received = 0;
    ssize_t size;
    int ends[2];

    ck_assert_int_eq(pipe2(ends, O_NONBLOCK), 0);
    strbuf_add_repeat(&message, 'x', 200000);
    if (fork() == 0) {
        close(ends[0]);
        dup2(ends[1], STDERR_FILENO);
        log_set_format(LOG_PLAIN);
        log_info("%s", strbuf_text(&message));
        _exit(0);
    }
    close(ends[1]);
    fcntl(ends[0], F_SETFL, 0);
    while ((size = read(ends[0], bytes, sizeof bytes)) > 0)
        received += (size_t)size;
    ck_assert_uint_eq(received, 200001);
    close(ends[0]);
}
END_TEST

START_TEST(names_are_read_with_either_dash)
{
    enum log_level level;
    enum log_format format;

    ck_assert(log_level_parse("WARNING", &level) && level == LOG_WARNING);
    ck_assert(!log_level_parse("warn", &level));
    ck_assert(log_format_parse("key-value", &format) && format == LOG_KEY_VALUE);
    ck_assert(log_format_parse("key_value", &format) && format == LOG_KEY_VALUE);
    ck_assert(!log_format_parse("key_valu", &format));
    ck_assert(!log_format_parse("xml", &format));
}
END_TEST

Suite *base_log_suite(void)
{
    Suite *suite = suite_create("base/log");
    TCase *tcase = tcase_create("log");

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_console_line_has_columns);
    tcase_add_test(tcase, what_would_steer_a_terminal_is_spelt_out);
    tcase_add_test(tcase, a_text_of_several_lines_cannot_be_taken_for_several_texts);
    tcase_add_test(tcase, a_console_line_shows_metrics_and_no_other_field);
    tcase_add_test(tcase, colors_are_forced_and_forbidden_by_the_environment);
    tcase_add_test(tcase, local_time_has_no_zone);
    tcase_add_test(tcase, json_has_every_field);
    tcase_add_test(tcase, key_value_has_every_field);
    tcase_add_test(tcase, plain_is_the_text_alone);
    tcase_add_test(tcase, events_below_the_level_are_dropped);
    tcase_add_loop_test(tcase, under_airflow_a_line_fits_into_one_write, 0, ARRAY_LEN(long_lines));
    tcase_add_test(tcase, under_airflow_fields_that_are_too_long_are_left_out);
    tcase_add_test(tcase, under_airflow_there_are_no_colors);
    tcase_add_test(tcase, under_airflow_chatter_is_left_out_and_stays_in_the_file);
    tcase_add_loop_test(tcase, otherwise_chatter_is_shown, 0, ARRAY_LEN(unlimited));
    tcase_add_test(tcase, secrets_are_masked_in_text_fields_and_file);
    tcase_add_test(tcase, a_full_disk_ends_the_file_and_is_reported_once);
    tcase_add_test(tcase, a_log_that_cannot_be_opened_names_its_path);
    tcase_add_test(tcase, a_reader_that_went_away_is_no_error);
    tcase_add_test(tcase, a_pipe_that_is_full_is_waited_for);
    tcase_add_test(tcase, names_are_read_with_either_dash);
    suite_add_tcase(suite, tcase);
    return suite;
}
