#include "plugin/test_plugin.h"

#include "base/memory.h"
#include "tests/unit/plugin/plugin_fixture.h"
#include "tests/unit/tempdir.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

Suite *plugin_test_plugin_suite(void);

static struct plugin_fixture fixture;
static struct error err;

static void set_up(void)
{
    plugin_fixture_make(&fixture);
    memset(&err, 0, sizeof err);
}

static void tear_down(void)
{
    plugin_fixture_remove(&fixture);
}

static void open_singer(const char *tap_script, const char *target_script)
{
    plugin_fixture_write_program("tap", tap_script);
    plugin_fixture_write_program("target", target_script);
    plugin_fixture_open(&fixture, "plugins:\n"
                                  "  extractors:\n"
                                  "  - {name: tap-x, namespace: tap_x, executable: ./tap}\n"
                                  "  loaders:\n"
                                  "  - name: target-x\n"
                                  "    namespace: target_x\n"
                                  "    executable: ./target\n"
                                  "    capabilities: [activate-version]\n"
                                  "  utilities:\n"
                                  "  - name: util\n"
                                  "    namespace: util\n"
                                  "    executable: ./tap\n"
                                  "    commands: {test: ok, test-b: no, other: ok}\n");
}

/* --- config test ---------------------------------------------------------------------------- */

#define SH "#!/bin/sh\n"

static const struct {
    const char *script, *message, *hint;
} taps[] = {
    {SH "echo '{\"type\": \"SCHEMA\"}'; echo '{\"stream\": \"a\", \"type\": \"RECORD\"}';"
        "exec sleep 1000",
     NULL, NULL},
    {SH "echo '{\"type\": \"BATCH\"}'", NULL, NULL},
    {SH "echo 'no such host' >&2; exit 3", "plugin configuration is invalid: no such host",
     "It ended with exit status 3. Run 'meltano config list tap-x' to review the plugin settings."},
    {SH "exit 3", "plugin configuration is invalid: exit status 3",
     "Run 'meltano config list tap-x' to review the plugin settings."},
    {SH "echo '{\"type\": \"STATE\"}'",
     "plugin configuration is invalid: no RECORD or BATCH message received",
     "Verify that at least one stream is selected using 'meltano select tap-x --list', and run "
     "'meltano config list tap-x' to review the settings."},
};

START_TEST(a_tap_is_tried_until_its_first_record)
{
    int result;

    open_singer(taps[_i].script, SH);
    result = plugin_test_config(fixture.config, plugin_fixture_plugin(&fixture, "tap-x"), &err);
    ck_assert_str_eq(err.message, taps[_i].message ? taps[_i].message : "");
    ck_assert_str_eq(err.hint, taps[_i].hint ? taps[_i].hint : "");
    ck_assert_int_eq(result, taps[_i].message ? -1 : 0);
}
END_TEST

static const struct {
    const char *script, *message;
} targets[] = {
    {SH "cat >&2", NULL},
    {SH "cat > /dev/null; exit 4", "plugin configuration is invalid: exit status 4"},
    {SH "cat > /dev/null; echo 'an ERROR came'; echo later",
     "plugin configuration is invalid: an ERROR came"},
    {SH "cat > /dev/null; echo 'ValueException' >&2; echo later >&2",
     "plugin configuration is invalid: ValueException"},
};

START_TEST(a_loader_is_given_a_record)
{
    int result;

    open_singer(SH, targets[_i].script);
    result = plugin_test_config(fixture.config, plugin_fixture_plugin(&fixture, "target-x"), &err);
    ck_assert_str_eq(err.message, targets[_i].message ? targets[_i].message : "");
    ck_assert_int_eq(result, targets[_i].message ? -1 : 0);
}
END_TEST

START_TEST(a_loader_that_can_gets_its_version_activated)
{
    auto_free char *read = NULL;

    open_singer(SH, SH "cat > \"$(dirname \"$0\")/read\"\n");
    ck_assert(
        !plugin_test_config(fixture.config, plugin_fixture_plugin(&fixture, "target-x"), &err));
    read = tempdir_read("read");
    ck_assert_ptr_nonnull(strstr(read, "{\"type\": \"SCHEMA\", "));
    ck_assert_ptr_nonnull(strstr(read, "{\"type\": \"ACTIVATE_VERSION\", "));
}
END_TEST

START_TEST(nothing_else_can_be_tried)
{
    open_singer(SH, SH);
    ck_assert_int_eq(
        plugin_test_config(fixture.config, plugin_fixture_plugin(&fixture, "util"), &err), -1);
    ck_assert_str_eq(err.message, "operation not supported for utility 'util'");
}
END_TEST

/* --- test ----------------------------------------------------------------------------------- */

static int collect(bool all, const char *names, struct plugin_test_list *out)
{
    auto_strlist struct strlist list = STRLIST_INIT;

    if (*names)
        strlist_split(&list, names, ' ');
    return plugin_tests_collect(fixture.project, all, &list, out, &err);
}

static const struct {
    bool all;
    const char *names, *collected;
} collections[] = {
    {true, "", "test test-b "},
    {false, "", ""},
    {false, "util", "test test-b "},
    {false, "util:test-b", "test-b "},
    {false, "util:other", "other "},
    {false, "tap-x", ""},
    {true, "util:other util:test", "test test-b other "},
};

START_TEST(tests_are_commands_whose_names_begin_so)
{
    auto_plugin_test_list struct plugin_test_list tests = PLUGIN_TEST_LIST_INIT;
    auto_strbuf struct strbuf names = STRBUF_INIT;

    open_singer(SH, SH);
    ck_assert_msg(!collect(collections[_i].all, collections[_i].names, &tests), "%s", err.message);
    for (size_t i = 0; i < tests.count; i++)
        strbuf_addf(&names, "%s ", tests.items[i].command);
    ck_assert_str_eq(strbuf_text(&names), collections[_i].collected);
}
END_TEST

START_TEST(an_unknown_test_is_refused)
{
    auto_plugin_test_list struct plugin_test_list tests = PLUGIN_TEST_LIST_INIT;

    open_singer(SH, SH);
    ck_assert_int_eq(collect(false, "util:nope", &tests), -1);
    ck_assert_str_eq(err.message, "command 'nope' could not be found");
    ck_assert_int_eq(collect(false, "nope:test", &tests), -1);
}
END_TEST

START_TEST(each_test_has_a_line_and_all_have_a_summary)
{
    auto_plugin_test_list struct plugin_test_list tests = PLUGIN_TEST_LIST_INIT;
    int result;

    open_singer(SH "echo \"running $1\"; test \"$1\" = ok\n", SH);
    ck_assert(!collect(false, "util", &tests));
    stdout_capture();
    result = plugin_tests_run(fixture.config, &tests, &err);
    ck_assert_str_eq(
        stdout_text(),
        "\n================================== util:test ==================================\n"
        "running ok\n"
        "\n================================= util:test-b =================================\n"
        "running no\n"
        "\n"
        "util:test........................................... success\n"
        "util:test-b......................................... failure\n"
        "\n=== Testing completed with failures. 1 test(s) successful. 1 test(s) failed. ===\n");
    stdout_release();
    ck_assert_int_eq(result, -1);
    ck_assert_int_eq(err.code, ERR_COMMAND);
    ck_assert_str_eq(err.message, "1 of 2 tests failed");
}
END_TEST

Suite *plugin_test_plugin_suite(void)
{
    Suite *suite = suite_create("plugin/test_plugin");
    TCase *configs = tcase_create("config test");
    TCase *tests = tcase_create("test");

    tcase_add_checked_fixture(configs, set_up, tear_down);
    tcase_add_loop_test(configs, a_tap_is_tried_until_its_first_record, 0, ARRAY_LEN(taps));
    tcase_add_loop_test(configs, a_loader_is_given_a_record, 0, ARRAY_LEN(targets));
    tcase_add_test(configs, a_loader_that_can_gets_its_version_activated);
    tcase_add_test(configs, nothing_else_can_be_tried);
    suite_add_tcase(suite, configs);

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, tests_are_commands_whose_names_begin_so, 0, ARRAY_LEN(collections));
    tcase_add_test(tests, an_unknown_test_is_refused);
    tcase_add_test(tests, each_test_has_a_line_and_all_have_a_summary);
    suite_add_tcase(suite, tests);
    return suite;
}
