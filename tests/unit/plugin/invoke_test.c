#include "plugin/invoke.h"

#include "base/json.h"
#include "base/memory.h"
#include "tests/unit/plugin/plugin_fixture.h"
#include "tests/unit/tempdir.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

Suite *plugin_invoke_suite(void);

static struct plugin_fixture fixture;
static struct error err;
static int status;

static const char project_file[] = "plugins:\n"
                                   "  extractors:\n"
                                   "  - name: tap-x\n"
                                   "    namespace: tap_x\n"
                                   "    executable: ./program\n"
                                   "    capabilities: [catalog, discover]\n"
                                   "    config: {token: t}\n"
                                   "    select: [a.*]\n"
                                   "  - name: tap-missing\n"
                                   "    namespace: tap_missing\n"
                                   "    executable: ./missing\n"
                                   "    config: {token: t}\n"
                                   "  utilities:\n"
                                   "  - name: util\n"
                                   "    namespace: util\n"
                                   "    executable: ./program\n"
                                   "    commands:\n"
                                   "      hello: {args: hi there, description: Greets}\n"
                                   "      goodbye: bye\n";

static void set_up(void)
{
    plugin_fixture_make(&fixture);
    plugin_fixture_write_program(
        "program", "#!/bin/sh\n"
                   "case \"$*\" in\n"
                   "*--discover) echo '{\"streams\": [{\"tap_stream_id\": \"a\"}]}' ;;\n"
                   "*die) kill -9 $$ ;;\n"
                   "*fail) exit 7 ;;\n"
                   "*read) cat ;;\n"
                   "*) for word; do printf '[%s]' \"${word##*/}\"; done ;;\n"
                   "esac\n");
    plugin_fixture_open(&fixture, project_file);
    memset(&err, 0, sizeof err);
    status = -1;
    stdout_capture();
}

static void tear_down(void)
{
    stdout_release();
    plugin_fixture_remove(&fixture);
}

static int invoke(const char *plugin, const char *words, struct invoke_options options)
{
    auto_strlist struct strlist args = STRLIST_INIT;

    if (words)
        strlist_split(&args, words, ' ');
    options.args = &args;
    return plugin_invoke(fixture.config, plugin_fixture_plugin(&fixture, plugin), &options, &status,
                         &err);
}

static const struct {
    const char *words;
    int status;
} ends[] = {{"ok", 0}, {"fail", 7}, {"die", 256 - 9}};

START_TEST(the_status_of_the_program_is_ours)
{
    ck_assert_msg(!invoke("util", ends[_i].words, (struct invoke_options){0}), "%s", err.message);
    ck_assert_int_eq(status, ends[_i].status);
}
END_TEST

START_TEST(arguments_follow_those_of_the_command)
{
    ck_assert(!invoke("util", "a b", (struct invoke_options){.command = "hello"}));
    ck_assert_str_eq(stdout_text(), "[hi][there][a][b]");
}
END_TEST

START_TEST(an_unknown_command_starts_nothing)
{
    ck_assert_int_eq(invoke("tap-x", NULL, (struct invoke_options){.command = "nope"}), -1);
    ck_assert_str_eq(err.message, "command 'nope' could not be found");
    ck_assert_str_eq(err.hint, "Extractor 'tap-x' does not define any commands.");
    ck_assert_str_eq(stdout_text(), "");
}
END_TEST

START_TEST(a_tap_without_arguments_is_prepared_for_a_sync)
{
    ck_assert(!invoke("tap-x", NULL, (struct invoke_options){0}));
    ck_assert_ptr_nonnull(strstr(stdout_text(), "[--catalog][tap.properties.json]"));
}
END_TEST

START_TEST(a_tap_with_arguments_gets_them_after_its_configuration)
{
    const char *text;

    ck_assert(!invoke("tap-x", "--about", (struct invoke_options){0}));
    text = stdout_text();
    ck_assert_int_eq(strncmp(text, "[--config][tap.", 15), 0);
    ck_assert_ptr_nonnull(strstr(text, ".config.json][--about]"));
}
END_TEST

START_TEST(variables_are_printed_first)
{
    auto_strlist struct strlist names = STRLIST_INIT;

    strlist_add(&names, "MELTANO_UTILITY_NAME");
    strlist_add(&names, "NOPE");
    ck_assert(!invoke("util", "ok", (struct invoke_options){.variables = &names}));
    ck_assert_str_eq(stdout_text(), "MELTANO_UTILITY_NAME=util\nNOPE=None\n[ok]");
}
END_TEST

START_TEST(a_configuration_is_shown_without_the_program)
{
    ck_assert_msg(!invoke("tap-missing", NULL, (struct invoke_options){.dump = "config"}), "%s",
                  err.message);
    ck_assert_str_eq(stdout_text(), "{\n  \"token\": \"t\"\n}\n");
    ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(a_catalog_is_shown_with_the_rules_applied)
{
    ck_assert(!invoke("tap-x", NULL, (struct invoke_options){.dump = "catalog"}));
    ck_assert_ptr_nonnull(strstr(stdout_text(), "\"selected\": true"));
}
END_TEST

START_TEST(what_is_not_there_cannot_be_shown)
{
    ck_assert_int_eq(invoke("util", NULL, (struct invoke_options){.dump = "catalog"}), -1);
    ck_assert_str_eq(err.message, "could not find catalog");
}
END_TEST

START_TEST(commands_are_listed_with_their_descriptions)
{
    ck_assert(!plugin_print_commands(plugin_fixture_plugin(&fixture, "util"), &err));
    ck_assert(!plugin_print_commands(plugin_fixture_plugin(&fixture, "tap-x"), &err));
    ck_assert_str_eq(stdout_text(), "util:hello    Greets\n"
                                    "util:goodbye  \n"
                                    "Plugin 'tap-x' does not define any commands.\n");
}
END_TEST

START_TEST(a_catalog_is_loaded_for_a_listing)
{
    auto_value struct value *catalog = NULL;

    ck_assert(!plugin_load_catalog(fixture.config, plugin_fixture_plugin(&fixture, "tap-x"), false,
                                   &catalog, &err));
    ck_assert_str_eq(value_get_text(value_at(value_get(catalog, "streams"), 0), "tap_stream_id"),
                     "a");
}
END_TEST

Suite *plugin_invoke_suite(void)
{
    Suite *suite = suite_create("plugin/invoke");
    TCase *tcase = tcase_create("invoke");

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, the_status_of_the_program_is_ours, 0, ARRAY_LEN(ends));
    tcase_add_test(tcase, arguments_follow_those_of_the_command);
    tcase_add_test(tcase, an_unknown_command_starts_nothing);
    tcase_add_test(tcase, a_tap_without_arguments_is_prepared_for_a_sync);
    tcase_add_test(tcase, a_tap_with_arguments_gets_them_after_its_configuration);
    tcase_add_test(tcase, variables_are_printed_first);
    tcase_add_test(tcase, a_configuration_is_shown_without_the_program);
    tcase_add_test(tcase, a_catalog_is_shown_with_the_rules_applied);
    tcase_add_test(tcase, what_is_not_there_cannot_be_shown);
    tcase_add_test(tcase, commands_are_listed_with_their_descriptions);
    tcase_add_test(tcase, a_catalog_is_loaded_for_a_listing);
    suite_add_tcase(suite, tcase);
    return suite;
}
