/* store/db.h - one connection to the system database, behind what SQLite and PostgreSQL share.
 *
 * The statements are the same for both: parameters $1, $2, ..., upserts and RETURNING. What differs
 * (connecting, the tables' DDL, locks) is in a driver. Only the store room and the driver modules
 * include this header. One thread at a time may use a connection. */
#ifndef STORE_DB_H
#define STORE_DB_H

#include "base/embed.h"
#include "base/error.h"
#include "base/strbuf.h"
#include "base/uuid.h"
#include "store/db_uri.h"

#include <stdbool.h>
#include <stdint.h>

/* SQL(run_begin) is the text of src/store/sql/run_begin.sql, once declared. */
#define SQL_DECLARE(name) EMBED_DECLARE(src_store_sql_##name##_sql)
#define SQL(name)         EMBED(src_store_sql_##name##_sql)

struct db;
struct db_lock;
struct lock_owner;

/* --- parameters and rows ------------------------------------------------------------------- */

enum db_type {
    DB_NULL,
    DB_INT,
    DB_TEXT,
    DB_BYTES,
    DB_TIME, /* microseconds UTC; 0 is NULL */
    DB_UUID, /* text in any form of a UUID; empty or NULL is NULL */
};

struct db_value {
    enum db_type type;
    int64_t number;
    const char *bytes;
    size_t size;
};

struct db_value db_null(void);
struct db_value db_int(int64_t number);
/* NULL when text is NULL. */
struct db_value db_text(const char *text);
struct db_value db_slice(const char *text, size_t length);
struct db_value db_bytes(const void *bytes, size_t size);
struct db_value db_time(int64_t time_us);
struct db_value db_uuid(const char *uuid);

/* No statement has more parameters. */
#define DB_MAX_VALUES 16

/* Values as the two arguments (array, count) of db_query(). */
#define DB_VALUES(...)                                                                             \
    (const struct db_value[]){__VA_ARGS__},                                                        \
        sizeof((const struct db_value[]){__VA_ARGS__}) / sizeof(struct db_value)
#define DB_NO_VALUES NULL, 0

struct db_cell {
    char *bytes; /* NULL for an SQL NULL; ends in a NUL that size does not count */
    size_t size;
};

/* A result, read as a whole. changed counts the rows an INSERT, UPDATE or DELETE touched. */
struct db_rows {
    struct db_cell *cells;
    size_t count, columns, capacity;
    int64_t changed;
};

#define DB_ROWS_INIT                                                                               \
    {                                                                                              \
        NULL, 0, 0, 0, 0                                                                           \
    }

void db_rows_clear(struct db_rows *rows);
#define auto_db_rows ATTR_CLEANUP(db_rows_clear)
/* For drivers: appends a row of NULLs and returns its cells, valid until the next row. */
struct db_cell *db_rows_add(struct db_rows *rows, size_t columns);

/* Borrowed; NULL for an SQL NULL. */
const char *db_rows_text(const struct db_rows *rows, size_t row, size_t column);
/* The text is the caller's from now on; the cell becomes an SQL NULL. */
char *db_rows_take_text(struct db_rows *rows, size_t row, size_t column);
const struct db_cell *db_rows_cell(const struct db_rows *rows, size_t row, size_t column);
int64_t db_rows_int(const struct db_rows *rows, size_t row, size_t column);
/* 0 for an SQL NULL and for what is no time. */
int64_t db_rows_time(const struct db_rows *rows, size_t row, size_t column);
/* Writes the 8-4-4-4-12 form, empty for an SQL NULL and for what is no UUID. */
void db_rows_uuid(const struct db_rows *rows, size_t row, size_t column, char out[UUID_TEXT_SIZE]);

/* --- connections --------------------------------------------------------------------------- */

/* What the last failed call met, for the decision whether to try again. */
enum db_failure {
    DB_FAILURE_NONE,
    DB_FAILURE_FINAL,      /* the statement, the data or the rights are wrong */
    DB_FAILURE_BUSY,       /* somebody else kept the database locked for the whole time limit */
    DB_FAILURE_CONFLICT,   /* a concurrent transaction won (serialization failure, deadlock) */
    DB_FAILURE_CONNECTION, /* the connection could not be made or was lost */
};

/* What a commit has to survive. What it need not survive may be rolled back by it, but never in
 * part and never out of order. */
enum db_durability {
    DB_DURABLE, /* the failure of a machine */
    DB_SHARED,  /* the same, unless everybody who has seen the commit fails with it */
    DB_RELAXED, /* the death of a process */
};

struct db_driver {
    const char *schema_sql;      /* Meltano's tables but state, in an empty database */
    const char *state_table_sql; /* the table state, in place of one that is there */
    const char *own_tables_sql;  /* the meltshim_ tables, where they are missing */
    const char *tables_sql;      /* those of the names in $1, with commas between, that exist */
    /* Revisions of Meltano's schema that differ between the databases; NULL: nothing to do. */
    const char *revision_d135f52a6f49_sql;
    const char *revision_13e8639c6d2b_sql;
    /* These two keep other writers off; NULL where begin() does. */
    const char *upgrade_lock_sql; /* while the tables are created or changed */
    const char *state_lock_sql;   /* off one row of state */
    const char *values_lock_sql;  /* off the values of the ledger */

    /* Makes a connection, or sets db->failure. */
    int (*connect)(struct db *db, struct error *err);
    /* Lets go of a connection that is lost; connect() may follow. NULL when none can be lost. */
    void (*disconnect)(struct db *db);
    void (*close)(struct db *db);
    /* values hold DB_NULL, DB_INT, DB_TEXT and DB_BYTES only. */
    int (*query)(struct db *db, const char *sql, const struct db_value *values, size_t count,
                 struct db_rows *rows, struct error *err);
    /* Several statements without parameters. */
    int (*script)(struct db *db, const char *sql, struct error *err);
    int (*begin)(struct db *db, enum db_durability durability, struct error *err);
    int (*commit)(struct db *db, struct error *err);
    void (*rollback)(struct db *db);
    /* After a commit that failed with DB_FAILURE_CONNECTION, on the new connection: whether it had
     * happened. NULL when a commit cannot fail that way. */
    bool (*was_committed)(struct db *db);

    /* One lock per state id, which dies with the process or the connection. *out stays NULL when
     * somebody else has it. */
    int (*lock_try)(struct db *db, const char *state_id, struct db_lock **out, struct error *err);
    void (*lock_release)(struct db *db, struct db_lock *lock);
    /* Takes a lock again that went down with the connection. NULL when locks outlive it. */
    int (*lock_retake)(struct db *db, struct db_lock *lock, bool *taken, struct error *err);
    /* Leaves word of the owner where lock_read_owner() finds it without the database; both may be
     * NULL, then meltshim_locks has to do. */
    void (*lock_write_owner)(struct db *db, struct db_lock *lock, const struct lock_owner *owner);
    bool (*lock_read_owner)(struct db *db, const char *state_id, struct lock_owner *owner);
    /* Milliseconds between two tries while waiting for a lock. */
    int64_t lock_poll_ms;
};

extern const struct db_driver db_sqlite_driver;
extern const struct db_driver db_postgres_driver; /* in meltshim-postgres.so */

struct db {
    const struct db_driver *driver;
    const struct db_uri *uri;
    const char *name;    /* in messages, "the system database" */
    const char *setting; /* that holds the URI */
    bool read_only;
    void *connection; /* the driver's */
    enum db_failure failure;
    bool in_transaction, is_reconnecting;
    /* Called on a new connection that takes the place of a lost one. */
    int (*reconnected)(void *context, struct error *err);
    void *context;
};

/* Runs one statement; rows may be NULL. In a transaction, one without rows need not have an answer
 * yet when this returns: its failure is that of the next call with rows, or of the commit. Outside
 * of a transaction a lost connection is made anew and the statement run again. */
int db_query(struct db *db, const char *sql, const struct db_value *values, size_t count,
             struct db_rows *rows, struct error *err);

typedef int db_work(struct db *db, void *context, struct error *err);

/* Runs work in a transaction, which is committed when it returns 0. After a conflict or a lost
 * connection the whole is run again: work has no effects but on the database and its outputs. */
int db_transaction(struct db *db, enum db_durability durability, db_work *work, void *context,
                   struct error *err);

#endif
