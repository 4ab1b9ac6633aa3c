/* store/store_impl.h - what the files that implement store.h share. */
#ifndef STORE_STORE_IMPL_H
#define STORE_STORE_IMPL_H

#include "store/db.h"
#include "store/schema.h"
#include "store/store.h"

struct store {
    struct db db;
    struct db_uri *uri;
    enum schema_tables tables; /* what a read-only store finds; all of them otherwise */
    struct store_lock **locks; /* held through this store */
    size_t lock_count, lock_capacity;
    /* What this store has last written into the table state, if it is large. */
    struct known_state {
        char *state_id;
        int64_t stamp_us;
        struct state_parts parts;
    } known;
    int64_t late_payload_row; /* whose payload the end of the run writes; 0: none */
};

void known_state_clear(struct known_state *known);

struct store_lock {
    struct store *store;
    char *state_id;
    int64_t generation;
    struct db_lock *held; /* NULL once it was lost */
    struct lock_owner self;
};

const struct db_driver *store_find_driver(const struct db_uri *uri, struct error *err);

/* A query that finds nothing where its tables are missing. */
int store_select(struct store *store, enum schema_tables needed, const char *sql,
                 const struct db_value *values, size_t count, struct db_rows *rows,
                 struct error *err);
int store_transaction(struct store *store, enum db_durability durability, db_work *work,
                      void *context, struct error *err);

/* The lock of state_id held through this store, or NULL. */
const struct store_lock *store_find_lock(const struct store *store, const char *state_id);
/* Takes the locks again after the connection was lost; those that somebody else got are marked. */
int store_locks_retake(struct store *store, struct error *err);
/* Sets ERR_LOST_LOCK. */
int store_lost_lock(const char *state_id, struct error *err);

/* The hexadecimal digits of a run id or of the start of one, NULL when text is neither. */
char *store_run_id_prefix(const char *text);

/* The trigger of rows that no caller names one for. */
const char *store_default_trigger(void);

#endif
