/* store/state_service.h - what the command `state` does with a state backend.
 *
 * Every edit is one change with one version in the ledger, which says what made it. A lock that is
 * given fences the edit; NULL edits although a run may be active. */
#ifndef STORE_STATE_SERVICE_H
#define STORE_STATE_SERVICE_H

#include "base/value.h"
#include "store/state_backend.h"

/* A state as somebody wrote it: a JSON object. */
int state_service_parse(const char *text, struct value **out, struct error *err);
/* Whether a tap would find anything in it: it must have a member singer_state. */
int state_service_check(const struct value *state, struct error *err);

/* Partial merged onto completed, as the next run gets it; an empty map when there is none. */
int state_service_get(struct state_backend *backend, const char *state_id, struct value **out,
                      struct error *err);

/* Replaces the complete state, or merges into the partial one. */
int state_service_set(struct state_backend *backend, const char *state_id,
                      const struct store_lock *lock, const struct value *state, struct error *err);
int state_service_merge(struct state_backend *backend, const char *state_id,
                        const struct store_lock *lock, const struct value *state,
                        struct error *err);
/* The complete state of target_id becomes the merged one of source_id, which must be checked. */
int state_service_copy(struct state_backend *backend, const char *source_id, const char *target_id,
                       const struct store_lock *target_lock, struct error *err);
/* Copies, then clears the source. */
int state_service_move(struct state_backend *backend, const char *source_id,
                       const struct store_lock *source_lock, const char *target_id,
                       const struct store_lock *target_lock, struct error *err);

/* {"<id>": {"completed": {...}, "partial": {...}}, ...} */
int state_service_export(struct state_backend *backend, struct value **out, struct error *err);
/* Whether states has the form of an export; nothing should be imported of one that has not. */
int state_service_check_export(const struct value *states, struct error *err);
/* Replaces both parts of one id by those of its entry; leaves no row in runs. */
int state_service_import(struct state_backend *backend, const char *state_id,
                         const struct store_lock *lock, const struct value *entry,
                         struct error *err);

/* The merged state as it was after that version. ERR_STATE when there is no such version. */
int state_service_show(struct state_backend *backend, const char *state_id, int64_t version,
                       struct value **out, struct error *err);
/* Both parts become what they were after that version, which makes a new version. */
int state_service_rollback(struct state_backend *backend, const char *state_id,
                           const struct store_lock *lock, int64_t version, struct error *err);

#endif
