/* The SQLite driver. */
#include "store/db.h"
#include "store/file_lock.h"

#include "base/clock.h"
#include "base/deadline.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/path.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

SQL_DECLARE(sqlite_schema);
SQL_DECLARE(sqlite_state_table);
SQL_DECLARE(sqlite_own_tables);
SQL_DECLARE(sqlite_tables);
SQL_DECLARE(sqlite_revision_d135f52a6f49);

/* Another program, Meltano's migrations for one, may hold the write lock for a while. */
#define BUSY_TIMEOUT_S 20

struct connection {
    sqlite3 *handle;
    char *path;     /* without symlinks, so that everybody agrees on it */
    char *lock_dir; /* one per database, beside it */
    bool syncs;     /* every commit waits for the disk; so it is at first */
    int64_t busy_since_ms;
};

struct db_lock {
    struct file_lock *file;
};

static int refuse_unwritable(const char *path, const char *what, const char *reason,
                             struct error *err)
{
    error_set(err, ERR_DATABASE, "cannot write the system database '%s': %s%s%s", path, what,
              reason ? ": " : "", reason ? reason : "");
    return error_hint(err, "The user that runs meltshim must be able to write the file and its "
                           "directory.");
}

static int fail(struct db *db, struct error *err)
{
    struct connection *connection = db->connection;
    sqlite3 *handle = connection->handle;
    const char *path = connection->path;
    int system_errno = sqlite3_system_errno(handle);

    db->failure = DB_FAILURE_FINAL;
    switch (sqlite3_errcode(handle) & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL: /* many others at once, and a slow machine */
        db->failure = DB_FAILURE_BUSY;
        error_set(err, ERR_DATABASE,
                  "the system database '%s' was locked by another program for %lld seconds", path,
                  (long long)(clock_monotonic_ms() - connection->busy_since_ms + 500) / 1000);
        return error_hint(err, "Find the program with 'fuser %s' and let it finish.", path);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        error_set(err, ERR_DATABASE, "the system database '%s' is damaged: %s", path,
                  sqlite3_errmsg(handle));
        return error_hint(err, "Restore it from a backup, or move it away to begin with an empty "
                               "one; the state of all pipelines is in it.");
    case SQLITE_FULL:
        error_set(err, ERR_DATABASE, "the disk of the system database '%s' is full", path);
        return error_hint(err, "Free some space; nothing that was committed is lost.");
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
        return refuse_unwritable(path, sqlite3_errmsg(handle),
                                 system_errno ? strerror(system_errno) : NULL, err);
    case SQLITE_IOERR:
        error_set(err, ERR_DATABASE, "cannot read or write the system database '%s': %s%s%s", path,
                  sqlite3_errmsg(handle), system_errno ? ": " : "",
                  system_errno ? strerror(system_errno) : "");
        return error_hint(err, "Look at the disk and its file system; nothing that was committed "
                               "is lost.");
    default:
        return error_set(err, ERR_DATABASE, "the system database '%s': %s", path,
                         sqlite3_errmsg(handle));
    }
}

static int sqlite_script(struct db *db, const char *sql, struct error *err)
{
    struct connection *connection = db->connection;

    if (sqlite3_exec(connection->handle, sql, NULL, NULL, NULL) != SQLITE_OK)
        return fail(db, err);
    return 0;
}

static void bind_value(sqlite3_stmt *statement, size_t position, const struct db_value *value)
{
    char name[24];
    int at;

    snprintf(name, sizeof name, "$%zu", position + 1);
    at = sqlite3_bind_parameter_index(statement, name);
    switch (value->type) {
    case DB_INT:
        sqlite3_bind_int64(statement, at, value->number);
        break;
    case DB_TEXT:
        sqlite3_bind_text64(statement, at, value->bytes, value->size, SQLITE_STATIC, SQLITE_UTF8);
        break;
    case DB_BYTES:
        sqlite3_bind_blob64(statement, at, value->bytes, value->size, SQLITE_STATIC);
        break;
    default:
        sqlite3_bind_null(statement, at);
    }
}

static void add_row(struct db_rows *rows, sqlite3_stmt *statement)
{
    int columns = sqlite3_column_count(statement);
    struct db_cell *cells = db_rows_add(rows, (size_t)columns);

    for (int i = 0; i < columns; i++) {
        bool is_blob = sqlite3_column_type(statement, i) == SQLITE_BLOB;
        const char *bytes;

        if (sqlite3_column_type(statement, i) == SQLITE_NULL)
            continue;
        bytes = is_blob ? sqlite3_column_blob(statement, i)
                        : (const char *)sqlite3_column_text(statement, i);
        cells[i].size = (size_t)sqlite3_column_bytes(statement, i);
        cells[i].bytes = xmalloc(cells[i].size + 1);
        if (cells[i].size)
            memcpy(cells[i].bytes, bytes, cells[i].size);
        cells[i].bytes[cells[i].size] = '\0';
    }
}

static int sqlite_query(struct db *db, const char *sql, const struct db_value *values, size_t count,
                        struct db_rows *rows, struct error *err)
{
    struct connection *connection = db->connection;
    sqlite3_stmt *statement;
    int result;

    if (sqlite3_prepare_v2(connection->handle, sql, -1, &statement, NULL) != SQLITE_OK)
        return fail(db, err);
    for (size_t i = 0; i < count; i++)
        bind_value(statement, i, &values[i]);
    while ((result = sqlite3_step(statement)) == SQLITE_ROW)
        if (rows)
            add_row(rows, statement);
    if (result != SQLITE_DONE)
        fail(db, err);
    if (rows)
        rows->changed = sqlite3_changes64(connection->handle);
    sqlite3_finalize(statement);
    return result == SQLITE_DONE ? 0 : -1;
}

/* Without a sync a commit survives the death of this process, and of every one that has seen it;
 * whoever may outlive the machine does not see this database. */
static int set_durability(struct db *db, enum db_durability durability, struct error *err)
{
    struct connection *connection = db->connection;
    bool syncs = durability == DB_DURABLE;

    if (syncs == connection->syncs)
        return 0;
    if (sqlite_script(db, syncs ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL",
                      err) < 0)
        return -1;
    connection->syncs = syncs;
    return 0;
}

static int sqlite_begin(struct db *db, enum db_durability durability, struct error *err)
{
    if (set_durability(db, durability, err) < 0)
        return -1;
    /* Immediate: a transaction that reads first and writes later could not wait for its turn. */
    return sqlite_script(db, "BEGIN IMMEDIATE", err);
}

static int sqlite_commit(struct db *db, struct error *err)
{
    return sqlite_script(db, "COMMIT", err);
}

static void sqlite_rollback(struct db *db)
{
    struct connection *connection = db->connection;

    /* Some errors have rolled back already. */
    if (!sqlite3_get_autocommit(connection->handle))
        sqlite3_exec(connection->handle, "ROLLBACK", NULL, NULL, NULL);
}

static void sqlite_close(struct db *db)
{
    struct connection *connection = db->connection;

    if (!connection)
        return;
    sqlite3_close(connection->handle);
    free(connection->path);
    free(connection->lock_dir);
    free(connection);
    db->connection = NULL;
}

/* The database's path: absolute, without symlinks. Its directory is created when only the last part
 * of it is missing; a longer path that is not there is more likely misspelt or not mounted. */
static int find_path(const struct db_uri *uri, bool read_only, char **out, struct error *err)
{
    auto_free char *path = NULL, *parent = NULL, *real_parent = NULL;

    if (!uri->database || !strcmp(uri->database, ":memory:")) {
        error_set(err, ERR_CONFIG,
                  "database_uri names an SQLite database in memory, which would "
                  "be empty again in every command");
        return error_hint(err, "Name a file: sqlite:////path/to/meltano.db.");
    }
    if (!strncmp(uri->database, "file:", 5)) {
        error_set(err, ERR_CONFIG, "database_uri names its SQLite file by a 'file:' URI");
        return error_hint(err, "Name the file itself: sqlite:////path/to/meltano.db.");
    }
    path = path_absolute(uri->database);
    *out = path_resolve(path);
    if (*out)
        return 0;
    parent = path_parent(path);
    if (!read_only && mkdir(parent, 0777) < 0 && errno != EEXIST) {
        error_set_errno(err, ERR_DATABASE, "cannot make the directory of the system database '%s'",
                        path);
        return error_hint(err, "Check the setting database_uri.");
    }
    real_parent = path_resolve(parent);
    *out = real_parent ? path_join(real_parent, path_name(path)) : take(path);
    return 0;
}

/* Readers and the writer do not wait for each other in this mode; Meltano sets it as well. On file
 * systems that cannot have it the database works without. */
static int use_wal(struct db *db, struct error *err)
{
    int64_t give_up_ms = clock_monotonic_ms() + BUSY_TIMEOUT_S * 1000;
    auto_db_rows struct db_rows rows = DB_ROWS_INIT;
    const char *mode;

    if (sqlite_query(db, "PRAGMA journal_mode", DB_NO_VALUES, &rows, err) < 0)
        return -1;
    mode = rows.count ? db_rows_text(&rows, 0, 0) : NULL;
    if (mode && !strcmp(mode, "wal"))
        return 0;
    /* Of two that change it at the same time one is refused without being made to wait. */
    while (sqlite_script(db, "PRAGMA journal_mode = WAL", err) < 0) {
        if (db->failure != DB_FAILURE_BUSY || clock_monotonic_ms() >= give_up_ms ||
            deadline_has_passed())
            return -1;
        deadline_sleep_ms(5);
    }
    *err = (struct error){0};
    return 0;
}

/* SQLite opens a file that it may not write for reading, and says so only at the first write. */
static int prepare_to_write(struct db *db, struct error *err)
{
    struct connection *connection = db->connection;

    if (use_wal(db, err) < 0)
        return -1;
    if (sqlite3_db_readonly(connection->handle, "main") == 1)
        return refuse_unwritable(connection->path, "the file is read-only", NULL, err);
    return 0;
}

/* Called while somebody else has the database locked; 0 gives up. */
static int wait_for_lock(void *context, int count)
{
    struct connection *connection = context;
    int64_t now_ms = clock_monotonic_ms();

    if (!count)
        connection->busy_since_ms = now_ms;
    if (now_ms - connection->busy_since_ms >= BUSY_TIMEOUT_S * 1000 || deadline_has_passed())
        return 0;
    deadline_sleep_ms(count < 25 ? count + 1 : 25);
    return 1;
}

static int sqlite_connect(struct db *db, struct error *err)
{
    struct connection *connection = xcalloc(1, sizeof *connection);
    int flags = db->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    auto_free char *parent = NULL;
    const char *file;

    db->failure = DB_FAILURE_FINAL;
    db->connection = connection;
    connection->syncs = true;
    if (find_path(db->uri, db->read_only, &connection->path, err) < 0) {
        sqlite_close(db);
        return -1;
    }
    file = connection->path;
    parent = path_parent(file);
    connection->lock_dir = path_joinf(parent, "meltshim-locks/%s", path_name(file));
    /* To a reader, a database that is not there is an empty one. */
    if (db->read_only && access(file, F_OK) < 0 && (errno == ENOENT || errno == ENOTDIR))
        file = ":memory:";
    if (sqlite3_open_v2(file, &connection->handle, flags, NULL) != SQLITE_OK) {
        fail(db, err);
        sqlite_close(db);
        return -1;
    }
    sqlite3_extended_result_codes(connection->handle, 1);
    sqlite3_busy_handler(connection->handle, wait_for_lock, connection);
    /* The log's file stays, emptied into the database: to sync into blocks that are there already
     * is several times cheaper than into a new file. */
    sqlite3_file_control(connection->handle, "main", SQLITE_FCNTL_PERSIST_WAL, &(int){1});
    if (!db->read_only && prepare_to_write(db, err) < 0) {
        sqlite_close(db);
        return -1;
    }
    db->failure = DB_FAILURE_NONE;
    return 0;
}

static int sqlite_lock_try(struct db *db, const char *state_id, struct db_lock **out,
                           struct error *err)
{
    struct connection *connection = db->connection;
    struct file_lock *file;

    if (file_lock_try(connection->lock_dir, state_id, &file, err) < 0)
        return -1;
    *out = NULL;
    if (file) {
        *out = xcalloc(1, sizeof **out);
        (*out)->file = file;
    }
    return 0;
}

static void sqlite_lock_release(struct db *db, struct db_lock *lock)
{
    (void)db;
    file_lock_release(lock->file);
    free(lock);
}

static void sqlite_lock_write_owner(struct db *db, struct db_lock *lock,
                                    const struct lock_owner *owner)
{
    (void)db;
    file_lock_write_owner(lock->file, owner);
}

static bool sqlite_lock_read_owner(struct db *db, const char *state_id, struct lock_owner *owner)
{
    struct connection *connection = db->connection;

    return file_lock_read_owner(connection->lock_dir, state_id, owner);
}

const struct db_driver db_sqlite_driver = {
    .schema_sql = SQL(sqlite_schema),
    .state_table_sql = SQL(sqlite_state_table),
    .own_tables_sql = SQL(sqlite_own_tables),
    .tables_sql = SQL(sqlite_tables),
    .revision_d135f52a6f49_sql = SQL(sqlite_revision_d135f52a6f49),
    .connect = sqlite_connect,
    .close = sqlite_close,
    .query = sqlite_query,
    .script = sqlite_script,
    .begin = sqlite_begin,
    .commit = sqlite_commit,
    .rollback = sqlite_rollback,
    .lock_try = sqlite_lock_try,
    .lock_release = sqlite_lock_release,
    .lock_write_owner = sqlite_lock_write_owner,
    .lock_read_owner = sqlite_lock_read_owner,
    .lock_poll_ms = 20,
};
