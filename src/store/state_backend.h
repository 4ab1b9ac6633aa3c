/* store/state_backend.h - where state is kept: the system database, a directory or S3.
 *
 * The setting state_backend.uri chooses. Layout, content and locks are Meltano's, so that either
 * program continues the other's state. Rows of runs and the ledger of versions are in the system
 * database whatever the backend. */
#ifndef STORE_STATE_BACKEND_H
#define STORE_STATE_BACKEND_H

#include "base/error.h"
#include "base/strlist.h"
#include "store/store.h"

#include <stdbool.h>

/* The settings state_backend.*; zeroed: Meltano's defaults. Strings may be NULL. */
struct state_backend_options {
    const char *uri;    /* systemdb, file:///dir, s3://bucket/prefix */
    int lock_timeout_s; /* after which Meltano's lock of another program is broken; 0: 10 */
    const char *s3_access_key_id; /* the two keys are given or left out together */
    const char *s3_secret_access_key;
    const char *s3_endpoint_url;
};

struct state_backend;

/* Whether uri (NULL: the default) has the form of a backend that is built in. Others are those of
 * the Python Meltano and its add-ons. */
bool state_backend_is_built_in(const char *uri);

/* ERR_CONFIG for a backend that is not built in, with what to do. store must outlive the backend.
 */
int state_backend_open(const struct state_backend_options *options, struct store *store,
                       struct state_backend **out, struct error *err);
void state_backend_close(struct state_backend *backend);

/* Both parts, "{}" where there is none; state_parts_clear() them. */
int state_backend_read(struct state_backend *backend, const char *state_id, struct state_parts *out,
                       bool *found, struct error *err);
/* Reads and tells what was read, for a change that is to be based on it. */
int state_backend_look(struct state_backend *backend, const char *state_id, struct state_parts *out,
                       bool *found, struct state_base *base, struct error *err);
/* One accepted state of a run, by Meltano's merge rules, with the run's payload and the version in
 * the ledger in one transaction. value is the whole JSON object, {"singer_state": ...}, in the form
 * that Meltano stores: json_python. *version (may be NULL) counts the versions of the id from 1.
 * lock NULL: not fenced; row_id 0: the run has no row. */
int state_backend_write(struct state_backend *backend, const char *state_id,
                        const struct store_lock *lock, int64_t row_id, const char *run_id,
                        enum state_write kind, const char *value, int64_t *version,
                        struct error *err);
/* Removes a state; what is not there leaves no version. */
int state_backend_clear(struct state_backend *backend, const char *state_id,
                        const struct store_lock *lock, struct error *err);
/* Sorted bytewise. */
int state_backend_list(struct state_backend *backend, struct strlist *out, struct error *err);

#endif
