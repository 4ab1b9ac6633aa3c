#include "store/schema.h"

#include "store/legacy_state.h"

#include "base/clock.h"
#include "base/memory.h"

#include <stddef.h>
#include <string.h>
#include <time.h>

SQL_DECLARE(schema_revision);
SQL_DECLARE(schema_versions);
SQL_DECLARE(schema_set_revision);
SQL_DECLARE(revision_367228df6a43);
SQL_DECLARE(revision_5b43800443d1);
SQL_DECLARE(revision_c0efb3c314eb);

/* The version of the meltshim_ tables. */
#define OWN_SCHEMA_VERSION 1

#define HEAD_REVISION "c0efb3c314eb"

/* A migration of somebody else is over when nothing has changed for so long. */
#define SETTLE_MS      3000
#define SETTLE_POLL_MS 25

#define WRONG_DATABASE_HINT                                                                        \
    "Does database_uri name the right database? Programs that migrate with Alembic need a "        \
    "database or a schema each."

/* Meltano's revisions, oldest first, and what each does when it is applied. What the first ones did
 * for a web application is not done again: the last one drops it. */
static const struct revision {
    const char *name;
    const char *sql;   /* the same for every database */
    size_t driver_sql; /* where struct db_driver has it; 0: not there */
    int (*work)(struct db *db, struct error *err);
    bool is_left_to_meltano; /* too old to be brought forward from here */
    bool is_readable;        /* runs and state are as in HEAD_REVISION */
} revisions[] = {
    {.name = "b4c05e463b53", .is_left_to_meltano = true},
    {.name = "6ef30ab7b8e5", .is_left_to_meltano = true},
    {.name = "53e97221d99f"},
    {.name = "a3e2b0a4937d"},
    {.name = "990c0665f3ce"},
    {.name = "ceb00d7ff3bd"},
    {.name = "23ea52e6d784"},
    {.name = "87d9638f6ac6"},
    {.name = "367228df6a43", .sql = SQL(revision_367228df6a43)},
    {.name = "e4fbabc3fed6"},
    {.name = "d135f52a6f49", .driver_sql = offsetof(struct db_driver, revision_d135f52a6f49_sql)},
    {.name = "13e8639c6d2b", .driver_sql = offsetof(struct db_driver, revision_13e8639c6d2b_sql)},
    {.name = "5b43800443d1", .sql = SQL(revision_5b43800443d1)},
    {.name = "f4c225a9492f"},
    {.name = "6828cc5b1a4f",
     .driver_sql = offsetof(struct db_driver, state_table_sql),
     .work = legacy_state_fill,
     .is_readable = true},
    {.name = HEAD_REVISION, .sql = SQL(revision_c0efb3c314eb), .is_readable = true},
};

static const struct revision *find_revision(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(revisions); i++)
        if (!strcmp(revisions[i].name, name))
            return &revisions[i];
    return NULL;
}

/* What is in the database. */
struct content {
    bool is_versioned;               /* there is a table alembic_version */
    const struct revision *revision; /* NULL: it is empty */
    int64_t own_version;             /* 0: no tables of ours */
};

static bool has_name(const struct db_rows *rows, const char *name)
{
    for (size_t i = 0; i < rows->count; i++)
        if (!strcmp(db_rows_text(rows, i, 0), name))
            return true;
    return false;
}

/* A table of a Meltano older than the migrations, or of a program that uses the same names. */
static int refuse_unversioned_table(const struct db_rows *tables, struct error *err)
{
    static const char *const names[] = {"runs", "state", "plugin_settings"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (!has_name(tables, names[i]))
            continue;
        error_set(err, ERR_DATABASE,
                  "the system database has a table '%s', but no table alembic_version", names[i]);
        return error_hint(err,
                          "It is not a database of Meltano 0.34 or newer; check database_uri.");
    }
    return 0;
}

/* rows hold one version_num each. */
static int read_revision(const struct db_rows *rows, const struct revision **out, struct error *err)
{
    const char *name;

    *out = NULL;
    if (!rows->count)
        return 0;
    if (rows->count > 1) {
        error_set(err, ERR_DATABASE,
                  "the table alembic_version of the system database has %zu rows instead of one",
                  rows->count);
        return error_hint(err, WRONG_DATABASE_HINT);
    }
    name = db_rows_text(rows, 0, 0);
    *out = find_revision(name ? name : "");
    if (*out)
        return 0;
    error_set(err, ERR_DATABASE, "the system database has the unknown revision '%s'",
              name ? name : "");
    return error_hint(err,
                      "It belongs to a Meltano newer than 4.4, which needs a newer meltshim, or "
                      "to another program; check database_uri.");
}

static int read_content(struct db *db, struct content *out, struct error *err)
{
    static const char names[] = "alembic_version,meltshim_schema,runs,state,plugin_settings";
    auto_db_rows struct db_rows tables = DB_ROWS_INIT, versions = DB_ROWS_INIT;
    bool has_own;

    *out = (struct content){0};
    if (db_query(db, db->driver->tables_sql, DB_VALUES(db_text(names)), &tables, err) < 0)
        return -1;
    out->is_versioned = has_name(&tables, "alembic_version");
    if (!out->is_versioned)
        return refuse_unversioned_table(&tables, err);
    has_own = has_name(&tables, "meltshim_schema");
    if (db_query(db, has_own ? SQL(schema_versions) : SQL(schema_revision), DB_NO_VALUES, &versions,
                 err) < 0 ||
        read_revision(&versions, &out->revision, err) < 0)
        return -1;
    if (has_own && versions.count)
        out->own_version = db_rows_int(&versions, 0, 1);
    if (out->own_version <= OWN_SCHEMA_VERSION)
        return 0;
    error_set(err, ERR_DATABASE, "the system database was used by a newer meltshim (tables %lld)",
              (long long)out->own_version);
    return error_hint(err, "Install that version here as well.");
}

/* A Meltano that migrates an SQLite database does it step by step, for everybody to see. */
static bool is_on_its_way(const struct content *content)
{
    return content->is_versioned && !(content->revision && content->revision->is_readable);
}

/* Waits for somebody else's migration to end; what does not change any more is what there is. */
static int read_settled_content(struct db *db, struct content *out, struct error *err)
{
    int64_t deadline = clock_monotonic_ms() + SETTLE_MS;

    if (read_content(db, out, err) < 0)
        return -1;
    while (is_on_its_way(out) && clock_monotonic_ms() < deadline) {
        const struct revision *before = out->revision;

        nanosleep(&(struct timespec){.tv_nsec = SETTLE_POLL_MS * 1000000}, NULL);
        if (read_content(db, out, err) < 0)
            return -1;
        if (out->revision != before)
            deadline = clock_monotonic_ms() + SETTLE_MS;
    }
    if (!out->is_versioned || out->revision)
        return 0;
    error_set(err, ERR_DATABASE, "the table alembic_version of the system database is empty");
    return error_hint(err, WRONG_DATABASE_HINT);
}

static int refuse_old_revision(const struct revision *revision, struct error *err)
{
    error_set(err, ERR_DATABASE, "the system database is of a Meltano of 2019 (revision '%s')",
              revision->name);
    return error_hint(err, "Run 'meltano state list' with a Python Meltano once: it brings the "
                           "database forward.");
}

static int refuse_to_read(const struct revision *revision, struct error *err)
{
    error_set(err, ERR_DATABASE,
              "the system database is of a Meltano older than 2.8 (revision '%s')", revision->name);
    return error_hint(err, "Commands that write bring it forward; 'run' is one.");
}

static bool is_current(const struct content *content)
{
    return content->revision && !strcmp(content->revision->name, HEAD_REVISION) &&
           content->own_version == OWN_SCHEMA_VERSION;
}

static int refuse_moving_target(struct db *db, struct error *err)
{
    db->failure = DB_FAILURE_CONFLICT;
    error_set(err, ERR_DATABASE, "another program is migrating the system database");
    return error_hint(err, "Try again in a moment.");
}

static int create_tables(struct db *db, struct error *err)
{
    if (db->driver->script(db, db->driver->schema_sql, err) < 0 ||
        db->driver->script(db, db->driver->state_table_sql, err) < 0)
        return error_wrap(err, "cannot create the tables");
    return 0;
}

static int apply_revision(struct db *db, const struct revision *revision, struct error *err)
{
    const char *driver_sql = NULL;

    if (revision->driver_sql)
        memcpy(&driver_sql, (const char *)db->driver + revision->driver_sql, sizeof driver_sql);
    if ((driver_sql && db->driver->script(db, driver_sql, err) < 0) ||
        (revision->sql && db->driver->script(db, revision->sql, err) < 0) ||
        (revision->work && revision->work(db, err) < 0))
        return error_wrap(err, "cannot bring the system database to revision '%s'", revision->name);
    return 0;
}

static int apply_revisions(struct db *db, const struct revision *from, struct error *err)
{
    const struct revision *head = find_revision(HEAD_REVISION);

    if (from == head)
        return 0;
    if (from->is_left_to_meltano)
        return refuse_old_revision(from, err);
    while (from++ < head)
        if (apply_revision(db, from, err) < 0)
            return -1;
    return db_query(db, SQL(schema_set_revision), DB_VALUES(db_text(HEAD_REVISION)), NULL, err);
}

/* context is the settled content. */
static int upgrade(struct db *db, void *context, struct error *err)
{
    const struct content *settled = context;
    struct content content;

    if (db->driver->upgrade_lock_sql &&
        db_query(db, db->driver->upgrade_lock_sql, DB_NO_VALUES, NULL, err) < 0)
        return -1;
    /* Read again: another process may have been faster. */
    if (read_content(db, &content, err) < 0)
        return -1;
    if (is_on_its_way(&content) && content.revision != settled->revision)
        return refuse_moving_target(db, err);
    if ((content.revision ? apply_revisions(db, content.revision, err) : create_tables(db, err)) <
        0)
        return -1;
    if (content.own_version < OWN_SCHEMA_VERSION &&
        db->driver->script(db, db->driver->own_tables_sql, err) < 0)
        return error_wrap(err, "cannot create the tables meltshim_*");
    return 0;
}

int schema_prepare(struct db *db, struct error *err)
{
    struct content content;

    if (read_settled_content(db, &content, err) < 0)
        return -1;
    if (is_current(&content))
        return 0;
    return db_transaction(db, DB_DURABLE, upgrade, &content, err);
}

int schema_check(struct db *db, enum schema_tables *out, struct error *err)
{
    struct content content;

    if (read_settled_content(db, &content, err) < 0)
        return -1;
    *out = SCHEMA_NO_TABLES;
    if (!content.revision)
        return 0;
    if (!content.revision->is_readable)
        return refuse_to_read(content.revision, err);
    *out = content.own_version ? SCHEMA_ALL_TABLES : SCHEMA_MELTANO_TABLES;
    return 0;
}
