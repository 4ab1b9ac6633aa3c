/* store/state_change.h - one change of the state of an id, wherever that state is kept.
 *
 * The state lives in a medium: the table state, a directory, an object store. A change checks the
 * fence, reads what is there, keeps what another program wrote since in the ledger, writes the new
 * parts, and records them with the run's row, all in one transaction of the system database. */
#ifndef STORE_STATE_CHANGE_H
#define STORE_STATE_CHANGE_H

#include "store/db.h"
#include "store/store.h"

struct state_medium {
    void *context;
    /* *found is false and parts are empty when there is none. *stamp_us changes whenever somebody
     * writes; 0 when the medium cannot tell, then the contents are compared. */
    int (*read)(void *context, const char *state_id, struct state_parts *parts, bool *found,
                int64_t *stamp_us, struct error *err);
    /* parts NULL: removes the state. stamp_us is what read() is to give from now on. */
    int (*write)(void *context, const char *state_id, const struct state_parts *parts,
                 int64_t stamp_us, struct error *err);
    /* Keep other programs off the state for the length of a change; NULL where the transaction of
     * the system database does. */
    int (*lock)(void *context, const char *state_id, struct error *err);
    void (*unlock)(void *context, const char *state_id);
    /* Whether write() may take seconds. The change then makes it before its transaction: a database
     * that everybody else waits for must not wait for a network. */
    bool is_slow;
};

/* What became of the state that a change is based on. */
enum base_fate {
    BASE_IS_THERE,
    BASE_WAS_PASSED,  /* the change's own run has written later than the change was made */
    BASE_WAS_REPLACED /* somebody else has written */
};

struct state_change {
    const char *state_id;
    const struct store_lock *lock; /* NULL: not fenced */
    const char *run_id;            /* NULL: a STATE_EDIT row gets a new one */
    const char *source;            /* what the ledger says: "run", "state set", ... */

    /* Either a value by Meltano's merge rules, or both parts as they are, or neither: clear. */
    const char *value; /* a JSON object as text */
    enum state_write kind;
    const struct state_parts *parts;

    /* Not NULL: the change is made only while the state is what the run run_id left at base_at_us;
     * else it fails, and *fate says why. */
    const struct state_base *base;
    int64_t base_at_us;
    enum base_fate *fate;

    int64_t row_id;         /* the run's row, which gets the value; 0: none */
    bool adds_edit_row;     /* a STATE_EDIT row is inserted */
    const char *edit_value; /* what it holds when there is no value */
};

/* *version (may be NULL) is that of the ledger. */
int state_change_make(struct store *store, const struct state_medium *medium,
                      const struct state_change *change, int64_t *version, struct error *err);

/* Removes a state; what is not there leaves no version. */
int state_change_clear(struct store *store, const struct state_medium *medium, const char *state_id,
                       const struct store_lock *lock, struct error *err);

/* The table state. */
struct state_medium state_medium_systemdb(struct store *store);

/* "{}" merged with partial onto completed, in the form that Meltano stores. what names the state
 * for messages. */
int state_merge_texts(const char *into, const char *from, const char *what, char **out,
                      struct error *err);

#endif
