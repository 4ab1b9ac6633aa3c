/* shim/failures.h - which failures the recorded runs have in common. */
#ifndef SHIM_FAILURES_H
#define SHIM_FAILURES_H

#include "base/error.h"
#include "base/strlist.h"
#include "store/store.h"

#include <stddef.h>

/* Runs that failed of the same cause. Times are those of the records, UTC. */
struct failure {
    char *fingerprint, *signature;
    char *message; /* of the newest of the runs */
    char *first_at, *last_at;
    struct strlist state_ids; /* each once, the newest first */
    struct strlist run_ids;   /* the newest first */
};

struct failure_list {
    struct failure *items; /* the one that was seen last first */
    size_t count, capacity;
};
void failure_list_clear(struct failure_list *list);
#define auto_failure_list ATTR_CLEANUP(failure_list_clear)

/* Looks at so many of the newest records (0: all) of a state id (NULL: of all). */
int failures_collect(struct store *store, const char *state_id, size_t limit,
                     struct failure_list *out, struct error *err);
/* Borrowed; NULL when there is none. */
const struct failure *failures_find(const struct failure_list *list, const char *fingerprint);

#endif
