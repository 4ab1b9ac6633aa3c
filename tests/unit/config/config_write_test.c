#include "config/config_write.h"

#include "base/file.h"
#include "base/memory.h"
#include "tests/unit/tempdir.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

Suite *config_config_write_suite(void);

static struct project *project;
static struct config *config;
static struct store *store;
static struct strmap environment;
static struct strbuf out;
static struct error err;

static void set_up(void)
{
    unsetenv("MELTANO_SYS_DIR_ROOT");
    tempdir_make();
    project = NULL;
    config = NULL;
    store = NULL;
    environment = (struct strmap)STRMAP_INIT;
    out = (struct strbuf)STRBUF_INIT;
    err = (struct error){0};
}

static void close_project(void)
{
    store_close(store);
    config_free(config);
    project_free(project);
    store = NULL;
    config = NULL;
    project = NULL;
}

static void tear_down(void)
{
    close_project();
    strbuf_clear(&out);
    strmap_clear(&environment);
    tempdir_remove();
}

static struct store *open_store(void *context ATTR_UNUSED, struct error *error)
{
    const struct store_options options = {0};
    auto_free char *uri = NULL;

    if (!store) {
        ck_assert_int_eq(dir_make_all(tempdir_join(".meltano"), 0755, error), 0);
        ck_assert_int_eq(config_project_text(config, "database_uri", &uri, error), 0);
        ck_assert_msg(!store_open(uri, &options, &store, error), "%s", error->message);
    }
    return store;
}

static int read_settings(void *context, const char *setting_namespace, struct value **values,
                         struct error *error)
{
    return store_settings_read(open_store(context, error), setting_namespace, values, error);
}

#define PROJECT                                                                                    \
    "# a project\n"                                                                                \
    "include_paths: [more/*.yml]\n"                                                                \
    "elt: {buffer_size: 5} # bytes\n"                                                              \
    "environments:\n"                                                                              \
    "- name: dev\n"                                                                                \
    "plugins:\n"                                                                                   \
    "  extractors:\n"                                                                              \
    "  - name: tap-x # the tap\n"                                                                  \
    "    namespace: tap_x\n"                                                                       \
    "    settings:\n"                                                                              \
    "    - {name: user, aliases: [login]}\n"                                                       \
    "    - {name: token, sensitive: true}\n"                                                       \
    "    - {name: port, kind: integer}\n"                                                          \
    "    - {name: where, env_specific: true}\n"                                                    \
    "    - {name: auth.method, value: basic}\n"                                                    \
    "    config:\n"                                                                                \
    "      login: alice # who\n"

static void open_project(const char *active)
{
    struct config_options options = {.environment = active, .read_db_settings = read_settings};

    tempdir_write("more/a.yml", "{}\n");
    ck_assert_msg(!project_load(tempdir_path(), &project, &err), "%s", err.message);
    ck_assert_msg(!config_open(project, &environment, &options, &config, &err), "%s", err.message);
}

static void start(const char *active)
{
    tempdir_write("meltano.yml", PROJECT);
    open_project(active);
}

static struct plugin *subject(const char *name)
{
    return strcmp(name, "meltano") != 0 ? project_find_plugin(project, name) : NULL;
}

static void split_words(const char *words, struct strlist *list)
{
    ck_assert_int_eq(strlist_split_shell(list, words), 0);
}

static int set(const char *name, const char *words, const char *value, enum config_store where)
{
    struct config_write_options options = {.store = where, .open_store = open_store};
    auto_strlist struct strlist path = STRLIST_INIT;

    split_words(words, &path);
    strbuf_reset(&out);
    return config_set(config, subject(name), &path, value, &options, &out, &err);
}

static int unset(const char *name, const char *words, enum config_store where)
{
    struct config_write_options options = {.store = where, .open_store = open_store};
    auto_strlist struct strlist path = STRLIST_INIT;

    split_words(words, &path);
    strbuf_reset(&out);
    return config_unset(config, subject(name), &path, &options, &out, &err);
}

static int reset(const char *name, enum config_store where)
{
    struct config_write_options options = {.store = where, .open_store = open_store};

    strbuf_reset(&out);
    return config_reset(config, subject(name), &options, &out, &err);
}

static void check_file(const char *name, const char *expected)
{
    auto_free char *text = tempdir_read(name);

    ck_assert_str_eq(text, expected);
}

static void check_file_has(const char *name, const char *part)
{
    auto_free char *text = tempdir_read(name);

    ck_assert_msg(strstr(text, part) != NULL, "%s has no '%s':\n%s", name, part, text);
}

static void check_file_lacks(const char *name, const char *part)
{
    auto_free char *text = tempdir_read(name);

    ck_assert_msg(strstr(text, part) == NULL, "%s has '%s':\n%s", name, part, text);
}

START_TEST(a_value_goes_to_meltano_yml_and_keeps_its_comments)
{
    start(NULL);
    ck_assert_msg(!set("tap-x", "port", " 5432 ", CONFIG_STORE_AUTO), "%s", err.message);
    ck_assert_str_eq(strbuf_text(&out),
                     "Extractor 'tap-x' setting 'port' was set in `meltano.yml`: 5432\n");
    check_file("meltano.yml", PROJECT "      port: 5432\n");
}
END_TEST

START_TEST(words_are_a_path_and_one_word_is_taken_apart_at_its_dots)
{
    start(NULL);
    ck_assert_int_eq(set("tap-x", "auth.method", "oauth", CONFIG_STORE_AUTO), 0);
    check_file("meltano.yml", PROJECT "      auth:\n        method: oauth\n");
    close_project();
    open_project(NULL);
    ck_assert_int_eq(set("tap-x", "_metadata s.replication-method", "FULL", CONFIG_STORE_AUTO), 0);
    check_file_has("meltano.yml", "metadata:\n      s.replication-method: FULL\n");
}
END_TEST

START_TEST(other_spellings_of_a_setting_are_removed)
{
    start(NULL);
    ck_assert_int_eq(set("tap-x", "user", "bob", CONFIG_STORE_AUTO), 0);
    check_file_has("meltano.yml", "    config:\n      user: bob");
    check_file_lacks("meltano.yml", "login: alice");
}
END_TEST

START_TEST(with_an_environment_it_gets_the_value)
{
    start("dev");
    ck_assert_int_eq(set("tap-x", "port", "1", CONFIG_STORE_AUTO), 0);
    ck_assert_str_eq(strbuf_text(&out), "Extractor 'tap-x' setting 'port' was set in the active "
                                        "environment in `meltano.yml`: 1\n");
    check_file_has("meltano.yml", "- name: dev\n  config:\n    plugins:\n      extractors:\n"
                                  "      - name: tap-x\n        config:\n          port: 1\n");
}
END_TEST

START_TEST(secrets_and_what_differs_by_place_go_to_dotenv)
{
    start("dev");
    ck_assert_int_eq(set("tap-x", "token", "it's", CONFIG_STORE_AUTO), 0);
    ck_assert_str_eq(strbuf_text(&out),
                     "Extractor 'tap-x' setting 'token' was set in `.env`: (redacted)\n");
    ck_assert_int_eq(set("tap-x", "where", "here", CONFIG_STORE_AUTO), 0);
    check_file(".env", "TAP_X_TOKEN='it\\'s'\nTAP_X_WHERE='here'\n");
    check_file("meltano.yml", PROJECT);
}
END_TEST

START_TEST(a_value_of_another_layer_is_mentioned)
{
    strmap_set(&environment, "TAP_X_PORT", "1");
    start(NULL);
    ck_assert_int_eq(set("tap-x", "port", "2", CONFIG_STORE_AUTO), 0);
    ck_assert_str_eq(strbuf_text(&out),
                     "Extractor 'tap-x' setting 'port' was set in `meltano.yml`: 2\n"
                     "Current value is still: 1 (from the environment)\n");
}
END_TEST

START_TEST(a_bad_value_changes_nothing)
{
    start(NULL);
    ck_assert_int_eq(set("tap-x", "port", "many", CONFIG_STORE_AUTO), -1);
    ck_assert_str_eq(err.message, "setting 'port' of extractor 'tap-x': invalid literal for int() "
                                  "with base 10: 'many'");
    check_file("meltano.yml", PROJECT);
}
END_TEST

START_TEST(the_word_for_a_secret_is_no_new_value)
{
    tempdir_write(".env", "TAP_X_TOKEN=hunter2\n");
    start(NULL);
    ck_assert_int_eq(set("tap-x", "token", "(redacted)", CONFIG_STORE_AUTO), 0);
    check_file(".env", "TAP_X_TOKEN=hunter2\n");
}
END_TEST

START_TEST(an_unknown_setting_cannot_go_to_dotenv)
{
    start(NULL);
    ck_assert_int_eq(set("tap-x", "nope", "5", CONFIG_STORE_DOTENV), -1);
    ck_assert_str_eq(err.message, "Unknown setting 'nope' can not be set in `.env`");
    ck_assert_int_eq(set("tap-x", "nope", "5", CONFIG_STORE_AUTO), 0);
    check_file_has("meltano.yml", "nope: '5'\n");
}
END_TEST

START_TEST(the_database_takes_what_a_read_only_project_cannot)
{
    auto_value struct value *rows = NULL;

    strmap_set(&environment, "MELTANO_PROJECT_READONLY", "true");
    start(NULL);
    ck_assert_msg(!set("tap-x", "port", "7", CONFIG_STORE_AUTO), "%s", err.message);
    ck_assert_str_eq(strbuf_text(&out),
                     "Extractor 'tap-x' setting 'port' was set in the system database: 7\n");
    ck_assert_int_eq(store_settings_read(store, "extractors.tap-x.default", &rows, &err), 0);
    ck_assert_str_eq(value_get_text(rows, "port"), "7");
    ck_assert_int_eq(set("tap-x", "port", "7", CONFIG_STORE_MELTANO_YML), -1);
    ck_assert_str_eq(err.message, "This Meltano project is deployed as read-only");
    ck_assert_int_eq(unset("tap-x", "user", CONFIG_STORE_AUTO), -1);
    ck_assert_str_eq(err.message, "This Meltano project is deployed as read-only");
    check_file("meltano.yml", PROJECT);
}
END_TEST

START_TEST(unset_removes_a_setting_wherever_it_is)
{
    tempdir_write(".env", "TAP_X_USER=dot\nTAP_X_LOGIN=dot\nOTHER=1\n");
    strmap_set(&environment, "TAP_X_USER", "shell");
    start(NULL);
    ck_assert_msg(!unset("tap-x", "user", CONFIG_STORE_AUTO), "%s", err.message);
    ck_assert_str_eq(strbuf_text(&out),
                     "Extractor 'tap-x' setting 'user' in the system database was unset\n"
                     "Current value is now: 'shell' (from the TAP_X_USER variable in the "
                     "environment)\n");
    check_file(".env", "OTHER=1\n");
    check_file_lacks("meltano.yml", "config:");
    ck_assert_int_eq(unset("tap-x", "no.such", CONFIG_STORE_AUTO), 0);
    ck_assert_str_eq(strbuf_text(&out),
                     "Extractor 'tap-x' setting 'no.such' in the system database was unset\n");
}
END_TEST

START_TEST(reset_removes_all_settings_of_a_plugin)
{
    auto_value struct value *rows = NULL;

    tempdir_write(".env", "TAP_X_USER=dot\n");
    start("dev");
    ck_assert_int_eq(set("tap-x", "port", "7", CONFIG_STORE_DB), 0);
    ck_assert_int_eq(set("tap-x", "_select", "[\"a\"]", CONFIG_STORE_AUTO), 0);
    close_project();
    open_project("dev");
    ck_assert_msg(!reset("tap-x", CONFIG_STORE_AUTO), "%s", err.message);
    ck_assert_str_eq(strbuf_text(&out), "Extractor 'tap-x' settings in the system database, "
                                        "`meltano.yml`, and `.env` were reset\n");
    ck_assert(!file_exists(tempdir_join(".env")));
    check_file_lacks("meltano.yml", "alice");
    check_file_lacks("meltano.yml", "select");
    check_file_has("meltano.yml", "      - name: tap-x\n");
    ck_assert_int_eq(store_settings_read(store, "extractors.tap-x.default", &rows, &err), 0);
    ck_assert_uint_eq(value_count(rows), 0);
}
END_TEST

START_TEST(settings_of_the_project_are_top_level_keys)
{
    start("dev");
    ck_assert_msg(!set("meltano", "elt.buffer_size", "77", CONFIG_STORE_AUTO), "%s", err.message);
    ck_assert_str_eq(strbuf_text(&out),
                     "Meltano setting 'elt.buffer_size' was set in `meltano.yml`: 77\n");
    check_file_has("meltano.yml", "elt: {buffer_size: 77} # bytes\n");
    close_project();
    open_project(NULL);
    ck_assert_int_eq(reset("meltano", CONFIG_STORE_MELTANO_YML), 0);
    check_file_lacks("meltano.yml", "elt");
    check_file_has("meltano.yml", "include_paths: [more/*.yml]\n");
}
END_TEST

START_TEST(stores_go_by_their_names)
{
    enum config_store parsed;

    ck_assert(config_store_parse("meltano-yml", &parsed));
    ck_assert_int_eq(parsed, CONFIG_STORE_MELTANO_YML);
    ck_assert(config_store_parse("db", &parsed));
    ck_assert(!config_store_parse("env", &parsed));
    start(NULL);
    ck_assert_int_eq(set("tap-x", "port", "1", CONFIG_STORE_MELTANO_ENVIRONMENT), -1);
    ck_assert_str_eq(err.message, "No active environment found");
}
END_TEST

Suite *config_config_write_suite(void)
{
    Suite *suite = suite_create("config/config_write");
    TCase *tcase = tcase_create("config_write");

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_value_goes_to_meltano_yml_and_keeps_its_comments);
    tcase_add_test(tcase, words_are_a_path_and_one_word_is_taken_apart_at_its_dots);
    tcase_add_test(tcase, other_spellings_of_a_setting_are_removed);
    tcase_add_test(tcase, with_an_environment_it_gets_the_value);
    tcase_add_test(tcase, secrets_and_what_differs_by_place_go_to_dotenv);
    tcase_add_test(tcase, a_value_of_another_layer_is_mentioned);
    tcase_add_test(tcase, a_bad_value_changes_nothing);
    tcase_add_test(tcase, the_word_for_a_secret_is_no_new_value);
    tcase_add_test(tcase, an_unknown_setting_cannot_go_to_dotenv);
    tcase_add_test(tcase, the_database_takes_what_a_read_only_project_cannot);
    tcase_add_test(tcase, unset_removes_a_setting_wherever_it_is);
    tcase_add_test(tcase, reset_removes_all_settings_of_a_plugin);
    tcase_add_test(tcase, settings_of_the_project_are_top_level_keys);
    tcase_add_test(tcase, stores_go_by_their_names);
    suite_add_tcase(suite, tcase);
    return suite;
}
