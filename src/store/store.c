#include "store/store_impl.h"

#include "base/deadline.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/module.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

const struct db_driver *store_find_driver(const struct db_uri *uri, struct error *err)
{
    if (!strcmp(uri->dialect, "sqlite"))
        return &db_sqlite_driver;
    if (!strcmp(uri->dialect, "postgresql") || !strcmp(uri->dialect, "postgres"))
        return module_symbol("postgres", "db_postgres_driver", err);
    error_set(err, ERR_CONFIG, "database_uri names a database of the kind '%s'", uri->dialect);
    error_hint(err, "This program works with sqlite and postgresql.");
    return NULL;
}

static int connect_with_retries(struct db *db, const struct store_options *options,
                                struct error *err)
{
    for (int attempt = 0;; attempt++) {
        if (!db->driver->connect(db, err))
            return 0;
        if (db->failure != DB_FAILURE_CONNECTION || attempt >= options->max_retries ||
            deadline_has_passed())
            return -1;
        log_info("DB connection failed. Will retry after %ds. Attempt %d/%d",
                 options->retry_timeout_s, attempt + 1, options->max_retries);
        deadline_sleep_ms((int64_t)options->retry_timeout_s * 1000);
    }
}

static int retake_locks(void *context, struct error *err)
{
    return store_locks_retake(context, err);
}

int store_open(const char *uri, const struct store_options *options, struct store **out,
               struct error *err)
{
    static const struct store_options defaults = {.max_retries = 3, .retry_timeout_s = 5};
    auto_store struct store *store = xcalloc(1, sizeof *store);
    int prepared;

    if (!options)
        options = &defaults;
    store->uri = db_uri_parse(uri, err);
    if (!store->uri)
        return -1;
    store->db = (struct db){
        .uri = store->uri,
        .name = "the system database",
        .setting = "database_uri",
        .read_only = options->read_only,
        .reconnected = retake_locks,
        .context = store,
    };
    store->db.driver = store_find_driver(store->uri, err);
    if (!store->db.driver || connect_with_retries(&store->db, options, err) < 0)
        return -1;
    store->tables = SCHEMA_ALL_TABLES;
    prepared = options->read_only ? schema_check(&store->db, &store->tables, err)
                                  : schema_prepare(&store->db, err);
    if (prepared < 0)
        return -1;
    *out = take(store);
    return 0;
}

void store_close(struct store *store)
{
    if (!store)
        return;
    while (store->lock_count)
        store_lock_release(store->locks[0]);
    free(store->locks);
    known_state_clear(&store->known);
    if (store->db.driver)
        store->db.driver->close(&store->db);
    db_uri_free(store->uri);
    free(store);
}

bool store_may_recover(const struct store *store)
{
    return store->db.failure == DB_FAILURE_BUSY || store->db.failure == DB_FAILURE_CONFLICT ||
           store->db.failure == DB_FAILURE_CONNECTION;
}

bool store_has_refused(const struct store *store)
{
    return store->db.failure == DB_FAILURE_FINAL;
}

int store_select(struct store *store, enum schema_tables needed, const char *sql,
                 const struct db_value *values, size_t count, struct db_rows *rows,
                 struct error *err)
{
    if (store->tables < needed)
        return 0;
    return db_query(&store->db, sql, values, count, rows, err);
}

int store_transaction(struct store *store, enum db_durability durability, db_work *work,
                      void *context, struct error *err)
{
    assert(!store->db.read_only);
    return db_transaction(&store->db, durability, work, context, err);
}

char *store_run_id_prefix(const char *text)
{
    char *digits = xmalloc(strlen(text) + 1), *end = digits;

    for (; *text; text++) {
        if (isxdigit((unsigned char)*text))
            *end++ = (char)tolower((unsigned char)*text);
        else if (*text != '-')
            break;
    }
    *end = '\0';
    if (!*text && *digits)
        return digits;
    free(digits);
    return NULL;
}

const char *store_default_trigger(void)
{
    const char *trigger = getenv("MELTANO_JOB_TRIGGER");

    return trigger ? trigger : "cli";
}
