/* store/ledger.h - every accepted version of a state id, each value stored once.
 *
 * Values are addressed by their SHA-256. A long value that differs from its predecessor in the
 * middle only is stored as that middle, so that a state of megabytes that is committed every second
 * costs what changes in it. All functions run inside the caller's transaction. */
#ifndef STORE_LEDGER_H
#define STORE_LEDGER_H

#include "store/db.h"
#include "store/store.h"

#define LEDGER_HASH_SIZE 65

void ledger_hash(const char *value, char out[LEDGER_HASH_SIZE]);

struct ledger_entry {
    const char *state_id;
    int64_t version;
    int64_t written_at_us;
    int64_t state_stamp_us; /* what state.updated_at was set to, 0 when there is no such row */
    const char *kind;
    const char *source;
    const char *run_id;
    const char *completed, *partial;
};

/* The values that are there already, and their hashes: what is new is stored as its difference from
 * them. */
struct ledger_base {
    const char *completed, *partial;
    char completed_hash[LEDGER_HASH_SIZE], partial_hash[LEDGER_HASH_SIZE];
};

/* base may be NULL. */
int ledger_add(struct db *db, const struct ledger_entry *entry, const struct ledger_base *base,
               struct error *err);

/* What the last version before `version` left behind. */
struct ledger_last {
    bool exists;
    int64_t version, written_at_us;
    char run_id[UUID_TEXT_SIZE];
    char completed_hash[LEDGER_HASH_SIZE], partial_hash[LEDGER_HASH_SIZE];
    int64_t state_stamp_us;
};
int ledger_read_last(struct db *db, const char *state_id, int64_t version, struct ledger_last *out,
                     struct error *err);

/* The text behind a hash; ERR_DATABASE when it is not there or damaged. The caller frees it. */
int ledger_read_value(struct db *db, const char *hash, char **out, struct error *err);

#endif
