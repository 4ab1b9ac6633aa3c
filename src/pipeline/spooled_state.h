/* pipeline/spooled_state.h - what earlier runs could not write, on its way into the database. */
#ifndef PIPELINE_SPOOLED_STATE_H
#define PIPELINE_SPOOLED_STATE_H

#include "project/project.h"
#include "store/state_spool.h"

/* <sys>/run/spool; the caller frees it. */
char *spooled_state_directory(const struct project *project);

/* Commits what the file holds, says so, and removes it; one that is outdated stays, unless force is
 * given. The lock is that of its state id. */
int spooled_state_commit(const char *path, struct state_backend *backend,
                         const struct store_lock *lock, bool force, enum spool_outcome *out,
                         struct error *err);

/* All files of state_id, oldest first: what a run does before it reads its state. A file that
 * cannot be read is warned about and stays. */
int spooled_state_commit_all(const char *dir, struct state_backend *backend,
                             const struct store_lock *lock, const char *state_id,
                             struct error *err);

#endif
