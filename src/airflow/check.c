#include "airflow/airflow.h"

#include "base/memory.h"
#include "base/strlist.h"

#include <ctype.h>
#include <string.h>

/* The Python modules behind SQLAlchemy's URLs, and what to install for them. Without a driver in
 * the URL the first one of the dialect is meant; Airflow 3 opens the database a second time with an
 * asynchronous one. */
static const struct driver {
    const char *dialect, *name, *module, *package;
    bool is_async;
} drivers[] = {
    {"postgresql", "psycopg2", "psycopg2", "psycopg2-binary", false},
    {"postgresql", "psycopg", "psycopg", "psycopg[binary]", false},
    {"postgresql", "asyncpg", "asyncpg", "asyncpg", true},
    {"mysql", "mysqldb", "MySQLdb", "mysqlclient", false},
    {"mysql", "pymysql", "pymysql", "pymysql", false},
    {"mysql", "mysqlconnector", "mysql", "mysql-connector-python", false},
    {"mysql", "aiomysql", "aiomysql", "aiomysql", true},
    {"sqlite", "aiosqlite", "aiosqlite", "aiosqlite", true},
};

/* "postgresql+psycopg2://..." */
static const struct driver *find_driver(const char *uri, bool is_async, bool by_dialect_only)
{
    size_t dialect = strcspn(uri, "+:");
    const char *name = uri[dialect] == '+' && !by_dialect_only ? uri + dialect + 1 : NULL;
    size_t length = name ? strcspn(name, ":") : 0;

    for (size_t i = 0; i < ARRAY_LEN(drivers); i++) {
        const struct driver *driver = &drivers[i];

        if (strlen(driver->dialect) != dialect || strncmp(driver->dialect, uri, dialect) != 0)
            continue;
        if (name ? strlen(driver->name) == length && !strncmp(driver->name, name, length)
                 : driver->is_async == is_async)
            return driver;
    }
    return NULL;
}

/* "postgres://" is an older name that other programs accept. */
void airflow_name_driver(struct airflow *airflow)
{
    static const char *const schemes[] = {"postgresql://", "postgres://"};
    struct airflow_option *option = NULL;

    for (size_t i = 0; i < airflow->options.count; i++)
        if (!strcmp(airflow->options.items[i].key, "sql_alchemy_conn"))
            option = &airflow->options.items[i];
    if (!option || !airflow->installed.packages)
        return;
    for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
        const char *rest = option->value + strlen(schemes[i]);

        if (strncmp(option->value, schemes[i], strlen(schemes[i])) != 0)
            continue;
        for (size_t k = 0; k < ARRAY_LEN(drivers); k++) {
            const struct driver *driver = &drivers[k];
            auto_free char *old = NULL;

            if (driver->is_async || strcmp(driver->dialect, "postgresql") != 0 ||
                !airflow_installed_has_module(&airflow->installed, driver->module))
                continue;
            old = option->value;
            option->value = xasprintf("postgresql+%s://%s", driver->name, rest);
            return;
        }
    }
}

static int check_driver(const struct airflow *airflow, const struct driver *driver,
                        struct error *err)
{
    const struct plugin *plugin = airflow->plugin;
    char name[256];

    if (!driver || airflow_installed_has_module(&airflow->installed, driver->module))
        return 0;
    plugin_describe(plugin, name, sizeof name);
    error_set(err, ERR_CONFIG,
              "Airflow %s needs the Python module '%s' for its metadata database, and the "
              "environment of %s does not have it",
              airflow->installed.version, driver->module, name);
    if (plugin->pip_url && *plugin->pip_url)
        return error_hint(err, "Add %s to its pip_url and run 'meltshim install --clean'.",
                          driver->package);
    return error_hint(err, "Install %s where %s is.", driver->package, airflow->installed.program);
}

static int check_drivers(const struct airflow *airflow, const char *uri, struct error *err)
{
    auto_free char *async_uri = NULL;

    if (check_driver(airflow, find_driver(uri, false, false), err) < 0)
        return -1;
    if (airflow->installed.major < 3)
        return 0;
    async_uri = airflow_get(airflow, "database", "sql_alchemy_conn_async");
    return check_driver(
        airflow, async_uri ? find_driver(async_uri, true, false) : find_driver(uri, true, true),
        err);
}

/* "LocalExecutor" of "team:airflow.executors.local_executor.LocalExecutor" */
static const char *executor_name(const char *text)
{
    const char *dot = strrchr(text, '.'), *colon = strrchr(text, ':');

    if (dot && (!colon || dot > colon))
        return dot + 1;
    return colon ? colon + 1 : text;
}

static int refuse_executor(const struct airflow *airflow, const char *reason, const char *hint,
                           struct error *err)
{
    error_set(err, ERR_CONFIG, "Airflow %s %s", airflow->installed.version, reason);
    return error_hint(err, "%s", hint);
}

/* A custom executor has a module, and knows itself what it can do. */
static int check_executor(const struct airflow *airflow, const char *executor, bool is_sqlite,
                          struct error *err)
{
    const char *name = executor_name(executor);
    bool is_sequential = !strcmp(name, "SequentialExecutor");
    auto_free char *reason = NULL;

    if (airflow->installed.major >= 3 && is_sequential)
        return refuse_executor(airflow, "has no SequentialExecutor any more",
                               "Set core.executor to LocalExecutor, which works with SQLite, too.",
                               err);
    if (airflow->installed.major >= 3 || !is_sqlite || is_sequential ||
        !strcmp(name, "DebugExecutor") || strchr(executor, '.'))
        return 0;
    reason = xasprintf("refuses the %s with an SQLite database", name);
    return refuse_executor(airflow, reason,
                           "Set core.executor to SequentialExecutor, or better "
                           "database.sql_alchemy_conn to "
                           "postgresql+psycopg2://USER:PASSWORD@HOST/DATABASE.",
                           err);
}

static int check_executors(const struct airflow *airflow, bool is_sqlite, struct error *err)
{
    auto_free char *text = airflow_get(airflow, "core", "executor");
    auto_strlist struct strlist executors = STRLIST_INIT;

    if (!text)
        return 0;
    strlist_split(&executors, text, ',');
    for (size_t i = 0; i < executors.count; i++) {
        const char *executor = executors.items[i];

        while (isspace((unsigned char)*executor))
            executor++;
        if (check_executor(airflow, executor, is_sqlite, err) < 0)
            return -1;
    }
    return 0;
}

/* The address itself is not told: it may hold a password. */
static int check_address(const char *uri, struct error *err)
{
    if (!strncmp(uri, "sqlite", 6) && strstr(uri, "://") && !strstr(uri, ":////")) {
        error_set(err, ERR_CONFIG, "Airflow takes no relative path to an SQLite database: %s", uri);
        return error_hint(err, "Set database.sql_alchemy_conn to sqlite:/// and an absolute path.");
    }
    if (strstr(uri, "://"))
        return 0;
    error_set(err, ERR_CONFIG, "database.sql_alchemy_conn is no address of a database");
    return error_hint(err, "Set it to postgresql+psycopg2://USER:PASSWORD@HOST/DATABASE.");
}

int airflow_check(const struct airflow *airflow, const char *uri, struct error *err)
{
    /* Airflow 3 gives its tasks this address in place of the real one. */
    if (uri && !strncmp(uri, "airflow-db-not-allowed", 22)) {
        error_set(err, ERR_CONFIG,
                  "this is a task of Airflow %s, which keeps tasks from its "
                  "metadata database",
                  airflow->installed.version);
        return error_hint(err, "Use Airflow's REST API, or call airflow outside of tasks.");
    }
    if (uri && check_address(uri, err) < 0)
        return -1;
    if (check_executors(airflow, uri && !strncmp(uri, "sqlite", 6), err) < 0)
        return -1;
    return uri ? check_drivers(airflow, uri, err) : 0;
}
