/* store/legacy_state.h - fills the table state of a Meltano older than 2.8 from the history of its
 * runs, where state was kept then. */
#ifndef STORE_LEGACY_STATE_H
#define STORE_LEGACY_STATE_H

#include "store/db.h"

/* In the caller's transaction. state must be empty. */
int legacy_state_fill(struct db *db, struct error *err);

#endif
