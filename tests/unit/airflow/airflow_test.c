#include "airflow/airflow.h"

#include "airflow/cfg.h"
#include "airflow/services.h"
#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/path.h"
#include "plugin/plugin_run.h"
#include "tests/unit/plugin/plugin_fixture.h"
#include "tests/unit/tempdir.h"

#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

Suite *airflow_airflow_suite(void);

#define PACKAGES "env/lib/python3.11/site-packages/"

/* Writes down how it is called, and leaves a file as its database. */
static const char program[] = "#!/bin/sh\n"
                              "echo \"$*\" >> \"$MELTANO_PROJECT_ROOT/calls\"\n"
                              "cat \"$MELTANO_PROJECT_ROOT/says\"\n"
                              "exit $(cat \"$MELTANO_PROJECT_ROOT/status\")\n";

static const char head[] = "plugins:\n"
                           "  orchestrators:\n"
                           "  - name: airflow\n"
                           "    namespace: airflow\n"
                           "    executable: env/bin/airflow\n";

static struct plugin_fixture fixture;
static struct airflow *airflow;
static struct error err;

static void set_up(void)
{
    plugin_fixture_make(&fixture);
    memset(&err, 0, sizeof err);
    plugin_fixture_write_program("env/bin/airflow", program);
    tempdir_write("calls", "");
    tempdir_write("says", "");
    tempdir_write("status", "0");
}

static void close_airflow(void)
{
    airflow_free(airflow);
    config_free(fixture.config);
    project_free(fixture.project);
    airflow = NULL;
    fixture.config = NULL;
    fixture.project = NULL;
}

static void tear_down(void)
{
    airflow_free(airflow);
    airflow = NULL;
    plugin_fixture_remove(&fixture);
}

static void install(const char *version)
{
    auto_free char *old = NULL, *folder = NULL;

    old = xstrdup(tempdir_join("env/lib"));
    ck_assert_int_eq(path_remove_all(old, &err), 0);
    folder = xasprintf(PACKAGES "apache_airflow-%s.dist-info/METADATA", version);
    tempdir_write(folder, "");
    tempdir_write(PACKAGES "aiosqlite/__init__.py", "");
    tempdir_write(PACKAGES "apache_airflow_providers_fab-9.9.9.dist-info/METADATA", "");
}

/* Opens the project of the entry's further lines anew. */
static void open_airflow(const char *more)
{
    auto_free char *yaml = xasprintf("%s%s", head, more);

    close_airflow();
    plugin_fixture_open(&fixture, yaml);
    ck_assert_msg(
        !airflow_open(fixture.config, plugin_fixture_plugin(&fixture, "airflow"), &airflow, &err),
        "%s", err.message);
}

static void prepare(const char *more)
{
    open_airflow(more);
    ck_assert_msg(!airflow_prepare(airflow, true, &err), "%s", err.message);
}

static void check_calls(const char *expected)
{
    auto_free char *calls = tempdir_read("calls");

    ck_assert_str_eq(calls, expected);
}

static char *config_value(const char *section, const char *key)
{
    auto_free char *text = tempdir_read(".meltano/airflow/airflow.cfg");

    return cfg_get(text, section, key);
}

static void check_config(const char *section, const char *key, const char *expected)
{
    auto_free char *value = config_value(section, key);

    if (expected)
        ck_assert_str_eq(value, expected);
    else
        ck_assert_ptr_null(value);
}

START_TEST(the_version_is_read_without_starting_anything)
{
    install("2.11.2");
    tempdir_write(PACKAGES "apache_airflow_core-3.3.2.dist-info/METADATA", "");
    open_airflow("");
    ck_assert_str_eq(airflow->installed.version, "3.3.2");
    ck_assert_int_eq(airflow->installed.major, 3);
    check_calls("");
}
END_TEST

START_TEST(an_extension_without_airflow_has_it_elsewhere)
{
    struct plugin *plugin;
    auto_free char *venv = NULL, *path = NULL;

    close_airflow();
    plugin_fixture_open(&fixture, "plugins:\n"
                                  "  utilities:\n"
                                  "  - {name: airflow, namespace: airflow, pip_url: airflow-ext,\n"
                                  "     executable: airflow_invoker}\n");
    plugin = plugin_fixture_plugin(&fixture, "airflow");
    ck_assert(airflow_is_native(plugin) && airflow_is_elsewhere(plugin));
    venv = plugin_venv_path(plugin);
    path = path_join(venv, "lib/python3.11/site-packages/apache_airflow-2.10.5.dist-info/METADATA");
    tempdir_write(path + strlen(tempdir_path()) + 1, "");
    ck_assert_msg(!airflow_is_elsewhere(plugin), "%s", path);
}
END_TEST

START_TEST(airflow_is_started_once_and_then_only_after_a_change)
{
    install("3.3.2");
    prepare("");
    prepare("");
    check_calls("db migrate\n");
    install("3.4.0");
    prepare("");
    check_calls("db migrate\ndb migrate\n");
    prepare("    config: {database: {sql_alchemy_conn: 'sqlite:////tmp/other.db'}}\n");
    check_calls("db migrate\ndb migrate\ndb migrate\n");
}
END_TEST

START_TEST(an_old_version_is_migrated_by_its_old_command)
{
    install("2.6.3");
    prepare("");
    check_calls("db init\n");
}
END_TEST

static const struct {
    const char *version, *said; /* NULL: nothing */
} versions[] = {
    {"2.6.3", "Airflow 2.6.3 is older than 2.7, the oldest version that meltshim is tested with"},
    {"2.7.0", NULL},
    {"3.3.2", NULL},
    {"3.4.0", "Airflow 3.4.0 is newer than the versions that meltshim is tested with"},
};

START_TEST(a_version_that_was_not_tested_is_said_and_tried)
{
    auto_free char *log = NULL;

    install(versions[_i].version);
    log_set_level(LOG_WARNING);
    ck_assert_int_eq(log_open_file(tempdir_join("log"), &err), 0);
    prepare("");
    log_close_file();
    log = tempdir_read("log");
    if (versions[_i].said)
        ck_assert_ptr_nonnull(strstr(log, versions[_i].said));
    else
        ck_assert_ptr_null(strstr(log, "tested"));
}
END_TEST

START_TEST(a_failed_migration_is_tried_again)
{
    install("3.3.2");
    tempdir_write("status", "1");
    open_airflow("");
    ck_assert_int_eq(airflow_prepare(airflow, true, &err), -1);
    ck_assert_str_eq(err.message, "Airflow 3.3.2 could not migrate its metadata database (exit "
                                  "status 1); its last lines:");
    tempdir_write("status", "0");
    prepare("");
    check_calls("db migrate\ndb migrate\n");
}
END_TEST

START_TEST(a_database_of_a_newer_version_is_named_when_it_cannot_be_migrated)
{
    install("3.3.2");
    prepare("");
    install("2.11.2");
    tempdir_write("status", "1");
    open_airflow("");
    ck_assert_int_eq(airflow_prepare(airflow, true, &err), -1);
    ck_assert_str_eq(err.hint, "The database was last used by Airflow 3.3.2, which is newer: "
                               "install that again, and see its 'db downgrade', or name another "
                               "database.");
}
END_TEST

START_TEST(a_revision_that_airflow_does_not_know_comes_from_a_newer_one)
{
    install("2.11.2");
    tempdir_write("status", "1");
    tempdir_write("says", "alembic: Can't locate revision identified by 'a3c7f2b18d4e'\n");
    open_airflow("");
    ck_assert_int_eq(airflow_prepare(airflow, true, &err), -1);
    ck_assert_str_eq(err.hint, "A newer Airflow has used the database: install that one, and see "
                               "its 'db downgrade', or name another database.");
}
END_TEST

START_TEST(a_database_whose_address_a_command_says_is_a_server)
{
    install("2.11.2");
    prepare("");
    check_config("core", "executor", NULL);
    strmap_set(&fixture.environment, "AIRFLOW__CORE__SQL_ALCHEMY_CONN_CMD", "cat /run/address");
    prepare("");
    check_config("core", "executor", "LocalExecutor");
}
END_TEST

START_TEST(a_folder_that_cannot_be_written_is_refused_with_a_remedy)
{
    install("3.3.2");
    open_airflow("");
    tempdir_write(".meltano/airflow", "in the way");
    ck_assert_int_eq(airflow_prepare(airflow, true, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.message, ".meltano/airflow"));
    ck_assert_ptr_nonnull(strstr(err.hint, "mount or link a writable .meltano/airflow"));
    check_calls("");
}
END_TEST

START_TEST(the_folder_of_an_sqlite_file_is_made)
{
    auto_free char *config =
        xasprintf("    config: {database: {sql_alchemy_conn: 'sqlite:///%s/new/folder/a.db'}}\n",
                  tempdir_path());

    install("3.3.2");
    prepare(config);
    ck_assert(file_is_directory(tempdir_join("new/folder")));
}
END_TEST

START_TEST(secrets_are_made_once_and_kept_private)
{
    auto_free char *fernet = NULL, *jwt = NULL, *again = NULL;
    struct stat status;

    install("3.3.2");
    prepare("");
    fernet = config_value("core", "fernet_key");
    jwt = config_value("api_auth", "jwt_secret");
    ck_assert_uint_eq(strlen(fernet), 44);
    ck_assert_uint_eq(strlen(jwt), 64);
    ck_assert_int_eq(stat(tempdir_join(".meltano/airflow/airflow.cfg"), &status), 0);
    ck_assert_uint_eq(status.st_mode & 0777, 0600);
    ck_assert_int_eq(stat(tempdir_join(".meltano/airflow"), &status), 0);
    ck_assert_uint_eq(status.st_mode & 0777, 0700);
    prepare("    config: {core: {parallelism: 2}}\n");
    again = config_value("core", "fernet_key");
    ck_assert_str_eq(again, fernet);
    /* Not in the environment, which every task inherits. */
    ck_assert(!strmap_has(&airflow->env, "AIRFLOW__CORE__FERNET_KEY"));
}
END_TEST

START_TEST(a_secret_that_is_given_is_not_made)
{
    install("2.11.2");
    strmap_set(&fixture.environment, "AIRFLOW__CORE__FERNET_KEY_CMD", "cat key");
    prepare("    config: {webserver: {secret_key: mine}}\n");
    check_config("core", "fernet_key", NULL);
    check_config("webserver", "secret_key", "mine");
    check_config("api_auth", "jwt_secret", NULL);
}
END_TEST

START_TEST(settings_go_by_the_names_of_the_version)
{
    const char *more = "    config: {core: {sql_alchemy_conn: 'sqlite:////x/a.db'}, "
                       "webserver: {web_server_port: 8085}}\n";

    install("3.3.2");
    prepare(more);
    ck_assert_str_eq(strmap_get(&airflow->env, "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"),
                     "sqlite:////x/a.db");
    ck_assert_str_eq(strmap_get(&airflow->env, "AIRFLOW__API__PORT"), "8085");
    ck_assert_str_eq(strmap_get(&airflow->env, "AIRFLOW__API__BASE_URL"), "http://localhost:8085");
    ck_assert(!strmap_has(&airflow->env, "AIRFLOW__CORE__SQL_ALCHEMY_CONN"));
    check_config("api", "port", "8085");
    /* Back to the old version: the new names leave the file again. */
    install("2.11.2");
    prepare(more);
    check_config("api", "port", NULL);
    check_config("webserver", "web_server_port", "8085");
    ck_assert(!strmap_has(&airflow->env, "AIRFLOW__API__PORT"));
}
END_TEST

START_TEST(a_relative_dag_folder_is_in_the_project)
{
    auto_free char *expected = xstrdup(tempdir_join("etl/dags"));

    install("3.3.2");
    open_airflow("    config: {core: {dags_folder: etl/dags}}\n");
    ck_assert_str_eq(strmap_get(&airflow->env, "AIRFLOW__CORE__DAGS_FOLDER"), expected);
    open_airflow("    config: {core: {dags_folder: ~/dags}}\n");
    ck_assert_str_eq(strmap_get(&airflow->env, "AIRFLOW__CORE__DAGS_FOLDER"), "~/dags");
}
END_TEST

START_TEST(a_variable_wins_over_a_setting_under_any_of_its_names)
{
    install("3.3.2");
    strmap_set(&fixture.environment, "AIRFLOW__CORE__EXECUTOR", "CeleryExecutor");
    strmap_set(&fixture.environment, "AIRFLOW__WEBSERVER__WEB_SERVER_PORT", "8086");
    prepare("    config: {core: {executor: LocalExecutor}, api: {port: 8085}}\n");
    ck_assert_str_eq(strmap_get(&airflow->env, "AIRFLOW__CORE__EXECUTOR"), "CeleryExecutor");
    ck_assert_str_eq(strmap_get(&airflow->env, "AIRFLOW__API__PORT"), "8086");
    ck_assert(!strmap_has(&airflow->env, "AIRFLOW__WEBSERVER__WEB_SERVER_PORT"));
    /* The environment of one call is not for the file. */
    check_config("core", "executor", NULL);
}
END_TEST

START_TEST(a_variable_makes_no_hand_of_what_we_wrote)
{
    install("3.3.2");
    prepare("    config: {core: {parallelism: 2}}\n");
    strmap_set(&fixture.environment, "AIRFLOW__CORE__PARALLELISM", "9");
    prepare("    config: {core: {parallelism: 2}}\n");
    strmap_remove(&fixture.environment, "AIRFLOW__CORE__PARALLELISM");
    prepare("    config: {core: {parallelism: 4}}\n");
    check_config("core", "parallelism", "4");
}
END_TEST

START_TEST(what_is_written_by_hand_stays)
{
    const char *path = ".meltano/airflow/airflow.cfg";
    auto_strbuf struct strbuf text = STRBUF_INIT;
    auto_free char *before = NULL, *after = NULL;

    install("3.3.2");
    prepare("    config: {core: {parallelism: 2}}\n");
    before = tempdir_read(path);
    strbuf_add(&text, before);
    strbuf_add(&text, "\n# mine\n[email]\nfrom_email = me@example.org\n");
    cfg_set(&text, "core", "parallelism", "7");
    cfg_set(&text, "core", "load_examples", "True");
    tempdir_write(path, strbuf_text(&text));
    prepare("    config: {core: {parallelism: 4}, api: {port: 8085}}\n");
    after = tempdir_read(path);
    ck_assert_ptr_nonnull(strstr(after, "\n# mine\n[email]\nfrom_email = me@example.org\n"));
    check_config("core", "parallelism", "7");
    check_config("api", "port", "8085");
    /* What the project says counts all the same; but a hand beats a default. */
    ck_assert_str_eq(strmap_get(&airflow->env, "AIRFLOW__CORE__PARALLELISM"), "4");
    ck_assert_str_eq(strmap_get(&airflow->env, "AIRFLOW__CORE__LOAD_EXAMPLES"), "True");
}
END_TEST

START_TEST(a_setting_that_is_removed_leaves_the_file)
{
    install("3.3.2");
    prepare("    config: {core: {parallelism: 2}}\n");
    check_config("core", "parallelism", "2");
    prepare("");
    check_config("core", "parallelism", NULL);
}
END_TEST

static const struct {
    const char *version, *config, *message, *hint;
} refusals[] = {
    {"2.11.2", "{core: {executor: LocalExecutor}}",
     "Airflow 2.11.2 refuses the LocalExecutor with an SQLite database",
     "Set core.executor to SequentialExecutor, or better database.sql_alchemy_conn to "
     "postgresql+psycopg2://USER:PASSWORD@HOST/DATABASE."},
    {"3.3.2", "{core: {executor: SequentialExecutor}}",
     "Airflow 3.3.2 has no SequentialExecutor any more",
     "Set core.executor to LocalExecutor, which works with SQLite, too."},
    {"2.11.2", "{database: {sql_alchemy_conn: 'postgresql://u@127.0.0.1/d'}}",
     "Airflow 2.11.2 needs the Python module 'psycopg2' for its metadata database, and the "
     "environment of orchestrator 'airflow' does not have it",
     NULL},
    {"3.3.2", "{database: {sql_alchemy_conn: 'airflow-db-not-allowed:///'}}",
     "this is a task of Airflow 3.3.2, which keeps tasks from its metadata database",
     "Use Airflow's REST API, or call airflow outside of tasks."},
    {"3.3.2", "{database: {sql_alchemy_conn: 'sqlite:///airflow.db'}}",
     "Airflow takes no relative path to an SQLite database: sqlite:///airflow.db",
     "Set database.sql_alchemy_conn to sqlite:/// and an absolute path."},
    {"3.3.2", "{database: {sql_alchemy_conn: secret}}",
     "database.sql_alchemy_conn is no address of a database",
     "Set it to postgresql+psycopg2://USER:PASSWORD@HOST/DATABASE."},
    {"3.3.2", "{database: {sql_alchemy_conn: 'sqlite:////dev/null/x/airflow.db'}}",
     "Airflow's metadata database (database.sql_alchemy_conn): cannot create the directory "
     "/dev/null/x: Not a directory",
     NULL},
    {"2.11.2", "{database: {sql_alchemy_conn: 'mysql+pymysql://u@127.0.0.1/d'}}",
     "Airflow 2.11.2 needs the Python module 'pymysql' for its metadata database, and the "
     "environment of orchestrator 'airflow' does not have it",
     NULL},
};

START_TEST(what_airflow_would_refuse_is_said_before_it_starts)
{
    auto_free char *more = xasprintf("    config: %s\n", refusals[_i].config);

    install(refusals[_i].version);
    open_airflow(more);
    ck_assert_int_eq(airflow_prepare(airflow, true, &err), -1);
    ck_assert_str_eq(err.message, refusals[_i].message);
    if (refusals[_i].hint)
        ck_assert_str_eq(err.hint, refusals[_i].hint);
    check_calls("");
}
END_TEST

START_TEST(airflow_3_needs_an_asynchronous_driver_too)
{
    install("3.3.2");
    tempdir_write(PACKAGES "psycopg2/__init__.py", "");
    open_airflow("    config: {database: {sql_alchemy_conn: 'postgresql://u@127.0.0.1/d'}}\n");
    ck_assert_int_eq(airflow_prepare(airflow, true, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.message, "needs the Python module 'asyncpg'"));
}
END_TEST

START_TEST(a_uri_without_a_driver_gets_the_one_that_is_installed)
{
    install("3.3.2");
    tempdir_write(PACKAGES "psycopg2/__init__.py", "");
    open_airflow("    config: {core: {sql_alchemy_conn: 'postgres://u:p@127.0.0.1/d'}}\n");
    ck_assert_str_eq(strmap_get(&airflow->env, "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"),
                     "postgresql+psycopg2://u:p@127.0.0.1/d");
}
END_TEST

START_TEST(extras_come_from_the_entry_or_from_a_variable)
{
    auto_free char *processes = NULL, *timeout = NULL, *none = NULL;

    install("3.3.2");
    strmap_set(&fixture.environment, "AIRFLOW__MELTSHIM_STOP_TIMEOUT", "5m");
    open_airflow("    meltshim_processes: [api-server, triggerer]\n");
    processes = airflow_extra(airflow, "processes");
    timeout = airflow_extra(airflow, "stop_timeout");
    none = airflow_extra(airflow, "generate");
    ck_assert_str_eq(processes, "api-server triggerer");
    ck_assert_str_eq(timeout, "5m");
    ck_assert_ptr_null(none);
}
END_TEST

static const struct {
    const char *version, *more, *names;
} plans[] = {
    {"3.3.2", "", "api-server dag-processor scheduler"},
    {"2.11.2", "", "scheduler"},
    {"3.3.2", "    meltshim_processes: none\n", "scheduler"},
    {"3.3.2", "    meltshim_processes: []\n", "scheduler"},
    {"3.3.2", "    meltshim_processes: webserver,triggerer\n", "api-server triggerer scheduler"},
    {"2.11.2", "    meltshim_processes: [api-server]\n", "webserver scheduler"},
};

START_TEST(a_scheduler_has_the_companions_that_it_needs)
{
    auto_strlist struct strlist words = STRLIST_INIT, names = STRLIST_INIT;
    auto_service_set struct service_set set = {0};
    auto_free char *joined = NULL;
    auto_free char *more =
        xasprintf("%s    config: {api: {port: 1}}\n", plans[_i].more); /* nobody has that port */

    install(plans[_i].version);
    open_airflow(more);
    strlist_add(&words, "scheduler");
    ck_assert_msg(!services_plan(airflow, &words, &set, &err), "%s", err.message);
    for (size_t i = 0; i < set.count; i++)
        strlist_add(&names, set.items[i].name);
    joined = strlist_join(&names, " ");
    ck_assert_str_eq(joined, plans[_i].names);
    ck_assert_int_eq(set.stop_timeout_ms, 60000);
}
END_TEST

static const struct {
    const char *more, *message;
} bad_extras[] = {
    {"    meltshim_processes: [api-server, tasks]\n",
     "_meltshim_processes: 'tasks' is no process beside the scheduler"},
    {"    meltshim_stop_timeout: soon\n", "_meltshim_stop_timeout: 'soon' is no duration"},
    {"    meltshim_stop_timeout: -1\n", "_meltshim_stop_timeout: '-1' is no duration"},
};

START_TEST(bad_extras_are_refused)
{
    auto_strlist struct strlist words = STRLIST_INIT;
    auto_service_set struct service_set set = {0};

    install("3.3.2");
    open_airflow(bad_extras[_i].more);
    strlist_add(&words, "scheduler");
    ck_assert_int_eq(services_plan(airflow, &words, &set, &err), -1);
    ck_assert_str_eq(err.message, bad_extras[_i].message);
}
END_TEST

static const struct {
    const char *words;
    bool goes_on, needs_database;
} lines[] = {
    {"scheduler", true, true},
    {"scheduler -D", false, true},
    {"scheduler --help", false, false},
    {"celery worker -q x", true, true},
    {"celery status", false, true},
    {"version", false, false},
    {"dags list", false, true},
    {"db migrate", false, false},
    {"", false, false},
};

/* A child is this program for a moment. */
static bool has_command_line(pid_t child, const char *word)
{
    auto_free char *path = xasprintf("/proc/%d/cmdline", child);
    auto_strbuf struct strbuf line = STRBUF_INIT;

    ck_assert_int_eq(file_read(path, &line, &err), 0);
    return strstr(strbuf_text(&line), word) != NULL;
}

static void plan_and_sweep(const char *word)
{
    auto_strlist struct strlist words = STRLIST_INIT;
    auto_service_set struct service_set set = {0};

    strlist_add(&words, word);
    ck_assert_msg(!services_plan(airflow, &words, &set, &err), "%s", err.message);
    services_remove_stale_pid(airflow, &set);
}

START_TEST(the_file_of_a_webserver_that_was_killed_is_removed)
{
    static const char file[] = ".meltano/airflow/airflow-webserver.pid";
    auto_free char *ours = xasprintf("%d\n", getpid()), *living = NULL;
    pid_t child;

    install("2.11.2");
    prepare("    config: {core: {executor: SequentialExecutor}}\n");
    tempdir_write(file, ours);
    plan_and_sweep("scheduler");
    ck_assert(file_exists(tempdir_join(file)));
    plan_and_sweep("webserver");
    ck_assert(!file_exists(tempdir_join(file)));

    child = fork();
    if (!child) {
        execl("/bin/sleep", "gunicorn: master [airflow-webserver]", "60", NULL);
        _exit(127);
    }
    living = xasprintf("%d\n", child);
    tempdir_write(file, living);
    while (!has_command_line(child, "gunicorn"))
        usleep(1000);
    plan_and_sweep("webserver");
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    ck_assert(file_exists(tempdir_join(file)));
}
END_TEST

START_TEST(command_lines_are_told_apart)
{
    auto_strlist struct strlist words = STRLIST_INIT;

    if (*lines[_i].words)
        strlist_split(&words, lines[_i].words, ' ');
    ck_assert_int_eq(services_are_meant(&words), lines[_i].goes_on);
    ck_assert_int_eq(services_need_database(&words), lines[_i].needs_database);
}
END_TEST

Suite *airflow_airflow_suite(void)
{
    Suite *suite = suite_create("airflow/airflow");
    TCase *tcase = tcase_create("airflow");

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, the_file_of_a_webserver_that_was_killed_is_removed);
    tcase_add_test(tcase, the_version_is_read_without_starting_anything);
    tcase_add_test(tcase, an_extension_without_airflow_has_it_elsewhere);
    tcase_add_test(tcase, airflow_is_started_once_and_then_only_after_a_change);
    tcase_add_test(tcase, an_old_version_is_migrated_by_its_old_command);
    tcase_add_loop_test(tcase, a_version_that_was_not_tested_is_said_and_tried, 0,
                        ARRAY_LEN(versions));
    tcase_add_test(tcase, a_failed_migration_is_tried_again);
    tcase_add_test(tcase, a_database_of_a_newer_version_is_named_when_it_cannot_be_migrated);
    tcase_add_test(tcase, a_revision_that_airflow_does_not_know_comes_from_a_newer_one);
    tcase_add_test(tcase, a_database_whose_address_a_command_says_is_a_server);
    tcase_add_test(tcase, a_folder_that_cannot_be_written_is_refused_with_a_remedy);
    tcase_add_test(tcase, the_folder_of_an_sqlite_file_is_made);
    tcase_add_test(tcase, secrets_are_made_once_and_kept_private);
    tcase_add_test(tcase, a_secret_that_is_given_is_not_made);
    tcase_add_test(tcase, settings_go_by_the_names_of_the_version);
    tcase_add_test(tcase, a_relative_dag_folder_is_in_the_project);
    tcase_add_test(tcase, a_variable_wins_over_a_setting_under_any_of_its_names);
    tcase_add_test(tcase, a_variable_makes_no_hand_of_what_we_wrote);
    tcase_add_test(tcase, what_is_written_by_hand_stays);
    tcase_add_test(tcase, a_setting_that_is_removed_leaves_the_file);
    tcase_add_loop_test(tcase, what_airflow_would_refuse_is_said_before_it_starts, 0,
                        ARRAY_LEN(refusals));
    tcase_add_test(tcase, airflow_3_needs_an_asynchronous_driver_too);
    tcase_add_test(tcase, a_uri_without_a_driver_gets_the_one_that_is_installed);
    tcase_add_loop_test(tcase, a_scheduler_has_the_companions_that_it_needs, 0, ARRAY_LEN(plans));
    tcase_add_loop_test(tcase, bad_extras_are_refused, 0, ARRAY_LEN(bad_extras));
    tcase_add_loop_test(tcase, command_lines_are_told_apart, 0, ARRAY_LEN(lines));
    tcase_add_test(tcase, extras_come_from_the_entry_or_from_a_variable);
    suite_add_tcase(suite, tcase);
    return suite;
}
