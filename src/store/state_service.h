/* store/state_service.h - what the command `state` does with a state backend.
 *
 * Values go in and out as JSON text. The texts of errors for wrong values are Meltano's. */
#ifndef STORE_STATE_SERVICE_H
#define STORE_STATE_SERVICE_H

#include "base/value.h"
#include "store/state_backend.h"

/* Partial merged onto completed, as the next run gets it; "{}" when there is none. One line in the
 * form of Python's json.dumps(). */
int state_service_get(struct state_backend *backend, const char *state_id, char **out,
                      struct error *err);

/* The complete state becomes text. validate: it must have a member singer_state. */
int state_service_set(struct state_backend *backend, const char *state_id, const char *text,
                      bool validate, struct error *err);
/* Merges text, or the state of another id, into the partial state. */
int state_service_merge(struct state_backend *backend, const char *state_id, const char *text,
                        struct error *err);
int state_service_merge_from(struct state_backend *backend, const char *state_id,
                             const char *source_id, struct error *err);
/* The complete state of target_id becomes the merged one of source_id, which move clears then. */
int state_service_copy(struct state_backend *backend, const char *source_id, const char *target_id,
                       struct error *err);
int state_service_move(struct state_backend *backend, const char *source_id, const char *target_id,
                       struct error *err);
int state_service_clear(struct state_backend *backend, const char *state_id, struct error *err);
int state_service_clear_all(struct state_backend *backend, size_t *count, struct error *err);

enum state_condition { STATE_VALID, STATE_EMPTY, STATE_INVALID };

struct state_summary {
    char *state_id;
    enum state_condition condition; /* invalid: without singer_state, or unreadable */
};

struct state_summary_list {
    struct state_summary *items;
    size_t count, capacity;
};
void state_summary_list_clear(struct state_summary_list *list);

/* Sorted bytewise. pattern (NULL: all) is a glob of *, ? and [...], where '/' is no exception. */
int state_service_list(struct state_backend *backend, const char *pattern,
                       struct state_summary_list *out, struct error *err);

/* {"<id>": {"completed": {...}, "partial": {...}}, ...}, compact. */
int state_service_export(struct state_backend *backend, char **out, struct error *err);
/* Replaces both parts of every id in text, without rows in runs. Nothing is written when one of the
 * entries is malformed. */
int state_service_import(struct state_backend *backend, const char *text, size_t *count,
                         struct error *err);

/* The merged state as it was after that version. ERR_USAGE when there is no such version. */
int state_service_show(struct state_backend *backend, const char *state_id, int64_t version,
                       char **out, struct error *err);
/* What changed from one version to another, a list of {"path": "singer_state.bookmarks.users",
 * "before": ..., "after": ...}, in the order of the values; before or after is missing where there
 * was nothing. Version 0 is the state before all versions, and STATE_VERSION_NOW the current one.
 */
#define STATE_VERSION_NOW (-1)
int state_service_diff(struct state_backend *backend, const char *state_id, int64_t from,
                       int64_t to, struct value **changes, struct error *err);
/* Both parts become what they were after that version, which makes a new version. */
int state_service_rollback(struct state_backend *backend, const char *state_id, int64_t version,
                           int64_t *new_version, struct error *err);

#endif
