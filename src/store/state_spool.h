/* store/state_spool.h - what a run has for the system database while that is away, in a file.
 *
 * One file per run and state id, DIR/<state id>/<run id>.json, mode 0600: the last state that the
 * loader confirmed and that is not committed, and how the run ended. Whoever holds the lock of the
 * state id later commits it, unless somebody else has written that state since. */
#ifndef STORE_STATE_SPOOL_H
#define STORE_STATE_SPOOL_H

#include "base/strlist.h"
#include "store/state_backend.h"

struct state_spool {
    char *state_id;
    char run_id[UUID_TEXT_SIZE];
    int64_t row_id;
    int64_t written_at_us;

    char *state; /* {"singer_state": ...}, as Meltano stores it; NULL: nothing is missing */
    enum state_write kind;
    struct state_base base; /* what it follows */

    bool has_end;
    enum run_state end;
    int64_t ended_at_us;
    char *error_text, *record; /* NULL: none */
};
void state_spool_clear(struct state_spool *spool);
#define auto_state_spool ATTR_CLEANUP(state_spool_clear)

char *state_spool_path(const char *dir, const char *state_id, const char *run_id);

/* Atomic; what is at path is replaced. */
int state_spool_write(const char *path, const struct state_spool *spool, struct error *err);
/* ERR_STATE when the file is none of ours or damaged. */
int state_spool_read(const char *path, struct state_spool *out, struct error *err);
/* The paths of the files of state_id (NULL: of all), oldest run first. */
int state_spool_list(const char *dir, const char *state_id, struct strlist *out, struct error *err);

enum spool_outcome {
    SPOOL_COMMITTED,
    SPOOL_WAS_COMMITTED, /* the run itself had written it, or something newer */
    SPOOL_IS_OUTDATED,   /* somebody else has written since: nothing was done */
};

/* Commits under the lock of the state id. force writes even if the state has changed since. */
int state_spool_commit(struct state_backend *backend, const struct store_lock *lock,
                       const struct state_spool *spool, bool force, enum spool_outcome *out,
                       struct error *err);
/* Removes the file; what is not there is no error. */
int state_spool_remove(const char *path, struct error *err);

#endif
