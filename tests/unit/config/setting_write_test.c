#include "config/setting_write.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/strmap.h"
#include "store/store.h"
#include "tests/unit/tempdir.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

Suite *config_setting_write_suite(void);

#define PLUGINS                                                                                    \
    "plugins:\n"                                                                                   \
    "  extractors:\n"                                                                              \
    "  - name: tap-x\n"                                                                            \
    "    namespace: tap_x\n"                                                                       \
    "    settings:\n"                                                                              \
    "    - {name: port, kind: integer}\n"                                                          \
    "    - {name: user, aliases: [login]}\n"                                                       \
    "    - {name: password, sensitive: true}\n"                                                    \
    "    - {name: auth.token}\n"                                                                   \
    "    - {name: rate, kind: decimal}\n"                                                          \
    "    config:\n"
#define ENVIRONMENTS "environments:\n- name: dev\n"

static struct strmap environment;
static struct project *project;
static struct config *config;
static struct store *store;
static struct error err;

static struct store *give_store(void *context, bool for_writing, struct error *error)
{
    (void)context;
    (void)for_writing;
    (void)error;
    return store;
}

static void set_up(void)
{
    tempdir_make();
}

static void tear_down(void)
{
    store_close(take(store));
    config_free(take(config));
    project_free(take(project));
    strmap_clear(&environment);
    tempdir_remove();
}

/* The tap of a project whose tap has these lines under config:, in this environment. */
static struct setting_subject subject_of(const char *lines, const char *environment_name)
{
    auto_free char *text = xasprintf("%s%s%s", ENVIRONMENTS, PLUGINS, lines);
    struct config_options options = {.environment = environment_name};
    struct setting_subject subject = {.open_store = give_store};

    tempdir_write("meltano.yml", text);
    ck_assert_msg(!project_load(tempdir_path(), &project, &err), "%s", err.message);
    ck_assert_msg(!config_open(project, &environment, &options, &config, &err), "%s", err.message);
    subject.config = config;
    subject.plugin = project_find_plugin(project, "tap-x");
    return subject;
}

static int set(const struct setting_subject *subject, const char *words, const char *text,
               enum setting_source *where)
{
    auto_strlist struct strlist path = STRLIST_INIT;
    auto_value struct value *value = NULL;

    strlist_split(&path, words, ' ');
    return setting_set(subject, &path, text, SETTING_ANYWHERE, where, &value, &err);
}

static void check_file(const char *lines, const char *after)
{
    auto_free char *expected = xasprintf("%s%s%s%s", ENVIRONMENTS, PLUGINS, lines, after);
    auto_free char *text = tempdir_read("meltano.yml");

    ck_assert_str_eq(text, expected);
}

START_TEST(a_value_changes_in_place_and_comments_stay)
{
    struct setting_subject subject = subject_of("      port: 5  # the usual one\n"
                                                "      # who\n"
                                                "      user: bob\n",
                                                NULL);
    enum setting_source where;

    ck_assert_msg(!set(&subject, "port", "6", &where), "%s", err.message);
    ck_assert_int_eq(where, SOURCE_MELTANO_YML);
    check_file("      port: 6  # the usual one\n"
               "      # who\n"
               "      user: bob\n",
               "");
}
END_TEST

START_TEST(other_spellings_are_removed)
{
    struct setting_subject subject = subject_of("      login: bob\n"
                                                "      auth.token: old\n"
                                                "      port: 5\n",
                                                NULL);
    enum setting_source where;

    ck_assert_msg(!set(&subject, "user", "eve", &where), "%s", err.message);
    ck_assert_msg(!set(&subject, "auth token", "new", &where), "%s", err.message);
    check_file("      port: 5\n"
               "      user: eve\n"
               "      auth:\n"
               "        token: new\n",
               "");
}
END_TEST

START_TEST(a_secret_goes_to_dotenv)
{
    struct setting_subject subject = subject_of("      port: 5\n", "dev");
    auto_free char *text = NULL;
    enum setting_source where;

    ck_assert_msg(!set(&subject, "password", "hunter2", &where), "%s", err.message);
    ck_assert_int_eq(where, SOURCE_DOTENV);
    check_file("      port: 5\n", "");
    text = tempdir_read(".env");
    ck_assert_str_eq(text, "TAP_X_PASSWORD='hunter2'\n");
}
END_TEST

START_TEST(an_active_environment_takes_the_rest)
{
    struct setting_subject subject = subject_of("      port: 5\n", "dev");
    auto_free char *text = NULL;
    enum setting_source where;

    ck_assert_msg(!set(&subject, "port", "6", &where), "%s", err.message);
    ck_assert_int_eq(where, SOURCE_MELTANO_ENVIRONMENT);
    text = tempdir_read("meltano.yml");
    ck_assert_str_eq(text, "environments:\n"
                           "- name: dev\n"
                           "  config:\n"
                           "    plugins:\n"
                           "      extractors:\n"
                           "      - name: tap-x\n"
                           "        config:\n"
                           "          port: 6\n" PLUGINS "      port: 5\n");
}
END_TEST

START_TEST(a_read_only_project_leaves_the_database)
{
    auto_free char *path = NULL, *uri = NULL;
    auto_value struct value *rows = NULL;
    struct setting_subject subject;
    enum setting_source where;

    strmap_set(&environment, "MELTANO_PROJECT_READONLY", "true");
    subject = subject_of("      port: 5\n", NULL);
    path = xstrdup(tempdir_join("meltano.db"));
    uri = xasprintf("sqlite:///%s", path);
    ck_assert_msg(!store_open(uri, NULL, &store, &err), "%s", err.message);
    ck_assert_msg(!set(&subject, "port", "6", &where), "%s", err.message);
    ck_assert_int_eq(where, SOURCE_DB);
    ck_assert_int_eq(store_settings_read(store, "extractors.tap-x.default", &rows, &err), 0);
    ck_assert_int_eq(value_to_int(value_get(rows, "port"), 0), 6);
    check_file("      port: 5\n", "");
}
END_TEST

START_TEST(a_read_only_project_does_not_hide_what_it_cannot_remove)
{
    auto_strlist struct strlist path = STRLIST_INIT;
    auto_free char *uri = NULL;
    struct setting_subject subject;
    enum setting_source where;

    strmap_set(&environment, "MELTANO_PROJECT_READONLY", "true");
    subject = subject_of("      login: alice\n", NULL);
    uri = xasprintf("sqlite:///%s", tempdir_join("meltano.db"));
    ck_assert_msg(!store_open(uri, NULL, &store, &err), "%s", err.message);
    strlist_add(&path, "user");
    ck_assert_int_eq(setting_unset(&subject, &path, SETTING_ANYWHERE, &where, &err), -1);
    ck_assert_str_eq(err.message, "this Meltano project is deployed as read-only");
    ck_assert_str_eq(err.hint, "Use '--store db', or turn project_readonly off.");
}
END_TEST

START_TEST(a_decimal_is_written_as_it_will_be_read)
{
    struct setting_subject subject = subject_of("      port: 5\n", NULL);
    enum setting_source where;

    ck_assert_msg(!set(&subject, "rate", "1.50", &where), "%s", err.message);
    check_file("      port: 5\n      rate: 1.5\n", "");
}
END_TEST

START_TEST(a_value_of_the_wrong_kind_changes_nothing)
{
    struct setting_subject subject = subject_of("      port: 5\n", NULL);
    enum setting_source where;

    ck_assert_int_eq(set(&subject, "port", "many", &where), -1);
    ck_assert_int_eq(err.code, ERR_CONFIG);
    check_file("      port: 5\n", "");
}
END_TEST

START_TEST(unset_removes_every_spelling)
{
    struct setting_subject subject = subject_of("      login: bob\n"
                                                "      port: 5\n",
                                                NULL);
    auto_strlist struct strlist path = STRLIST_INIT;
    enum setting_source where;

    strlist_add(&path, "user");
    ck_assert_msg(!setting_unset(&subject, &path, SOURCE_MELTANO_YML, &where, &err), "%s",
                  err.message);
    check_file("      port: 5\n", "");
}
END_TEST

START_TEST(reset_leaves_the_variables_of_others)
{
    struct setting_subject subject = subject_of("      port: 5\n"
                                                "    select: [a.*]\n"
                                                "    label: stays\n",
                                                NULL);
    auto_free char *text = NULL;

    tempdir_write(".env", "OTHER='1'\nTAP_X_PASSWORD='x'\n# note\nTAP_X_LOGIN='y'\n");
    ck_assert_msg(!settings_reset(&subject, SOURCE_DOTENV, &err), "%s", err.message);
    ck_assert_msg(!settings_reset(&subject, SOURCE_MELTANO_YML, &err), "%s", err.message);
    text = tempdir_read(".env");
    ck_assert_str_eq(text, "OTHER='1'\n# note\n");
    free(text);
    text = tempdir_read("meltano.yml");
    ck_assert_ptr_null(strstr(text, "port: 5"));
    ck_assert_ptr_null(strstr(text, "select"));
    ck_assert_ptr_nonnull(strstr(text, "    label: stays\n"));
}
END_TEST

START_TEST(reset_removes_a_dotenv_file_that_holds_nothing_else)
{
    struct setting_subject subject = subject_of("      port: 5\n", NULL);

    tempdir_write(".env", "TAP_X_PASSWORD='x'\n\n");
    ck_assert_msg(!settings_reset(&subject, SOURCE_DOTENV, &err), "%s", err.message);
    ck_assert(!file_exists(tempdir_join(".env")));
}
END_TEST

START_TEST(a_mapping_has_a_config_but_no_extras)
{
    struct setting_subject subject;
    enum setting_source where;
    auto_free char *text = NULL;

    subject_of("      port: 5\n"
               "  mappers:\n"
               "  - {name: map, namespace: map, mappings: [{name: hash}]}\n",
               NULL);
    subject = (struct setting_subject){
        .config = config, .plugin = project_find_plugin(project, "hash"), .open_store = give_store};
    ck_assert_msg(!set(&subject, "level", "1", &where), "%s", err.message);
    text = tempdir_read("meltano.yml");
    ck_assert_ptr_nonnull(strstr(text, "{name: hash, config: {level: '1'}}"));
    ck_assert_int_eq(set(&subject, "_log_parser", "x", &where), -1);
    ck_assert_str_eq(err.message, "mapping 'hash' has no extras of its own");
    ck_assert_str_eq(err.hint, "Set '_log_parser' of mapper 'map'.");
}
END_TEST

Suite *config_setting_write_suite(void)
{
    Suite *suite = suite_create("config/setting_write");
    TCase *tcase = tcase_create("write");

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_value_changes_in_place_and_comments_stay);
    tcase_add_test(tcase, other_spellings_are_removed);
    tcase_add_test(tcase, a_secret_goes_to_dotenv);
    tcase_add_test(tcase, an_active_environment_takes_the_rest);
    tcase_add_test(tcase, a_read_only_project_leaves_the_database);
    tcase_add_test(tcase, a_value_of_the_wrong_kind_changes_nothing);
    tcase_add_test(tcase, unset_removes_every_spelling);
    tcase_add_test(tcase, reset_leaves_the_variables_of_others);
    tcase_add_test(tcase, reset_removes_a_dotenv_file_that_holds_nothing_else);
    tcase_add_test(tcase, a_read_only_project_does_not_hide_what_it_cannot_remove);
    tcase_add_test(tcase, a_decimal_is_written_as_it_will_be_read);
    tcase_add_test(tcase, a_mapping_has_a_config_but_no_extras);
    suite_add_tcase(suite, tcase);
    return suite;
}
