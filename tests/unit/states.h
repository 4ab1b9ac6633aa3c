/* tests/unit/states.h - the state in the system database of a store, without an open backend. */
#ifndef TESTS_UNIT_STATES_H
#define TESTS_UNIT_STATES_H

#include "store/state_backend.h"

/* As state_backend_read(), state_backend_write() and state_backend_clear(). */
int states_read(struct store *store, const char *state_id, struct state_parts *out, bool *found,
                struct error *err);
int states_write(struct store *store, const char *state_id, const struct store_lock *lock,
                 int64_t row_id, const char *run_id, enum state_write kind, const char *value,
                 int64_t *version, struct error *err);
int states_clear(struct store *store, const char *state_id, struct error *err);
/* As state_service_set(): the row of the edit is part of the change. */
int states_set(struct store *store, const char *state_id, const struct store_lock *lock,
               const char *text, struct error *err);

#endif
