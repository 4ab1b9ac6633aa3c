#include "config/config_print.h"

#include "base/memory.h"
#include "tests/unit/tempdir.h"

#include <check.h>
#include <stdlib.h>

Suite *config_config_print_suite(void);

static struct project *project;
static struct config *config;
static struct strmap environment;

static const char meltano_yml[] =
    "plugins:\n"
    "  extractors:\n"
    "  - name: tap-x\n"
    "    namespace: tap_x\n"
    "    label: X\n"
    "    docs: https://example.com\n"
    "    settings_group_validation: [[user, token], [user, 'key']]\n"
    "    settings:\n"
    "    - {name: user, value: nobody}\n"
    "    - {name: token, sensitive: true, label: Token, description: A secret.}\n"
    "    - {name: 'key', description: Another way.}\n"
    "    - {name: rate, kind: decimal}\n"
    "    - {name: 'optional', value: 1}\n"
    "    config: {token: $SECRET, own: [a, 1.5, null]}\n"
    "    select: [a.*]\n"
    "    leaky: $TAP_X_TOKEN\n"
    "  - {name: tap-bare, namespace: tap_bare}\n";

static void set_up(void)
{
    struct config_options options = {0};
    struct error err = {0};

    unsetenv("MELTANO_SYS_DIR_ROOT");
    tempdir_make();
    tempdir_write("meltano.yml", meltano_yml);
    environment = (struct strmap)STRMAP_INIT;
    strmap_set(&environment, "SECRET", "hunter2");
    strmap_set(&environment, "TAP_X_RATE", "0.50");
    ck_assert_msg(!project_load(tempdir_path(), &project, &err), "%s", err.message);
    ck_assert_msg(!config_open(project, &environment, &options, &config, &err), "%s", err.message);
}

static void tear_down(void)
{
    config_free(config);
    project_free(project);
    strmap_clear(&environment);
    tempdir_remove();
}

static void check_print(const struct config_print_options *options, const char *expected)
{
    auto_strbuf struct strbuf out = STRBUF_INIT;
    struct error err = {0};

    ck_assert_msg(!config_print(config, project_find_plugin(project, "tap-x"), options, &out, &err),
                  "%s", err.message);
    ck_assert_str_eq(strbuf_text(&out), expected);
}

static void check_list(const char *plugin, const struct config_list_options *options,
                       const char *expected)
{
    auto_strbuf struct strbuf out = STRBUF_INIT;
    struct error err = {0};

    ck_assert_msg(!config_list(config, project_find_plugin(project, plugin), options, &out, &err),
                  "%s", err.message);
    ck_assert_str_eq(strbuf_text(&out), expected);
}

START_TEST(the_json_form_hides_secrets_unless_it_is_told_not_to)
{
    check_print(&(struct config_print_options){0},
                "{\n  \"user\": \"nobody\",\n  \"token\": \"*****\",\n  \"rate\": 0.50,\n"
                "  \"optional\": 1,\n  \"own\": [\n    \"a\",\n    1.5,\n    null\n  ]\n}\n");
    check_print(&(struct config_print_options){.unsafe = true},
                "{\n  \"user\": \"nobody\",\n  \"token\": \"hunter2\",\n  \"rate\": 0.50,\n"
                "  \"optional\": 1,\n  \"own\": [\n    \"a\",\n    1.5,\n    null\n  ]\n}\n");
}
END_TEST

START_TEST(the_env_form_has_every_variable_that_is_written)
{
    check_print(&(struct config_print_options){.as_env = true},
                "TAP_X_USER='nobody'\nMELTANO_EXTRACT_USER='nobody'\n"
                "TAP_X_TOKEN='*****'\nMELTANO_EXTRACT_TOKEN='*****'\n"
                "TAP_X_RATE='0.50'\nMELTANO_EXTRACT_RATE='0.50'\n"
                "TAP_X_OPTIONAL='1'\nMELTANO_EXTRACT_OPTIONAL='1'\n"
                "TAP_X_OWN='[\"a\", 1.5, null]'\nMELTANO_EXTRACT_OWN='[\"a\", 1.5, null]'\n\n");
}
END_TEST

START_TEST(extras_are_printed_apart_and_do_not_leak_secrets)
{
    check_print(&(struct config_print_options){.extras = true},
                "{\n  \"_log_parser\": \"singer-sdk\",\n  \"_catalog\": null,\n"
                "  \"_state\": null,\n  \"_load_schema\": \"tap_x\",\n"
                "  \"_select\": [\n    \"a.*\"\n  ],\n  \"_metadata\": {},\n  \"_schema\": {},\n"
                "  \"_select_filter\": [],\n  \"_use_cached_catalog\": true,\n"
                "  \"_leaky\": \"(redacted)\"\n}\n");
}
END_TEST

START_TEST(the_list_has_sections_and_says_where_values_come_from)
{
    check_list("tap-x", &(struct config_list_options){0},
               "Setting groups (one of the following combinations is required):\n"
               "  Group 1: token, user\n"
               "  Group 2: key, user\n"
               "\n"
               "Required:\n"
               "key (required by group 2) [env: TAP_X_KEY] current value: None (default)\n"
               "\tAnother way.\n"
               "token (required by group 1) [env: TAP_X_TOKEN] current value: (redacted) "
               "(from `meltano.yml`: '$SECRET')\n"
               "\tToken: A secret.\n"
               "user (required) [env: TAP_X_USER] current value: 'nobody' (default)\n"
               "\n"
               "Configured:\n"
               "rate [env: TAP_X_RATE] current value: Decimal('0.50') (from the TAP_X_RATE "
               "variable in the environment)\n"
               "\n"
               "Custom, possibly unsupported by the plugin:\n"
               "own [env: TAP_X_OWN] current value: ['a', 1.5, None] (from `meltano.yml`)\n"
               "\n"
               "Custom extras, plugin-specific options handled by Meltano:\n"
               "_leaky [env: TAP_X__LEAKY] current value: '(redacted)' (from `meltano.yml`: "
               "'$TAP_X_TOKEN')\n"
               "\n"
               "Optional settings with default values: 1 hidden. Use --all to show all.\n"
               "\n"
               "To learn more about extractor 'tap-x' and its settings, visit "
               "https://example.com\n");
}
END_TEST

START_TEST(a_filter_searches_all_settings_by_name)
{
    check_list("tap-x", &(struct config_list_options){.filter = " OPTI "},
               "Setting groups (one of the following combinations is required):\n"
               "  Group 1: token, user\n"
               "  Group 2: key, user\n"
               "\n"
               "Optional:\n"
               "optional [env: TAP_X_OPTIONAL] current value: 1 (default)\n"
               "\n"
               "To learn more about extractor 'tap-x' and its settings, visit "
               "https://example.com\n");
    check_list("tap-bare", &(struct config_list_options){.filter = "it's"},
               "No settings match \"it's\".\n");
}
END_TEST

START_TEST(extras_are_listed_apart)
{
    check_list("tap-bare", &(struct config_list_options){.extras = true},
               "Optional settings with default values: 9 hidden. Use --all to show all.\n");
    check_list("tap-x", &(struct config_list_options){.extras = true, .filter = "_select"},
               "Configured:\n"
               "_select [env: TAP_X__SELECT] (default: ['*.*']) current value: ['a.*'] "
               "(from `meltano.yml`)\n"
               "\n"
               "Optional:\n"
               "_select_filter [env: TAP_X__SELECT_FILTER] current value: [] (default)\n"
               "\n"
               "To learn more about extractor 'tap-x' and its settings, visit "
               "https://example.com\n");
}
END_TEST

Suite *config_config_print_suite(void)
{
    Suite *suite = suite_create("config/config_print");
    TCase *tcase = tcase_create("config_print");

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, the_json_form_hides_secrets_unless_it_is_told_not_to);
    tcase_add_test(tcase, the_env_form_has_every_variable_that_is_written);
    tcase_add_test(tcase, extras_are_printed_apart_and_do_not_leak_secrets);
    tcase_add_test(tcase, the_list_has_sections_and_says_where_values_come_from);
    tcase_add_test(tcase, a_filter_searches_all_settings_by_name);
    tcase_add_test(tcase, extras_are_listed_apart);
    suite_add_tcase(suite, tcase);
    return suite;
}
