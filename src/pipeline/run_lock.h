/* pipeline/run_lock.h - the right to run one state id, and what happens when somebody has it. */
#ifndef PIPELINE_RUN_LOCK_H
#define PIPELINE_RUN_LOCK_H

#include "base/error.h"
#include "base/value.h"
#include "pipeline/run_command.h"
#include "store/store.h"

/* Takes the lock of state_id by the policy of options. trigger is the record's: an older attempt of
 * the same Airflow task on this host is told to end. ERR_LOCKED names the owner; ERR_SKIPPED with
 * LOCK_POLICY_SKIP; ERR_TERMINATED and ERR_INTERRUPTED when a signal ends the wait. The caller
 * releases *out. */
int run_lock_acquire(struct store *store, const char *state_id, const char *run_id,
                     const struct run_options *options, const struct value *trigger,
                     struct store_lock **out, struct error *err);

/* Closes the rows that dead runs of state_id have left, and honours a RUNNING row of a live Meltano
 * (unless --force): ERR_LOCKED, ERR_SKIPPED. */
int run_lock_check_rows(struct store *store, const char *state_id, const struct store_lock *lock,
                        const struct run_options *options, struct error *err);

#endif
