/* pipeline/run_command.h - `run`, `el` and `elt` from their options to their exit status. */
#ifndef PIPELINE_RUN_COMMAND_H
#define PIPELINE_RUN_COMMAND_H

#include "base/error.h"
#include "base/strlist.h"
#include "config/config.h"

#include <stdbool.h>

struct store;

enum state_strategy { STRATEGY_AUTO, STRATEGY_MERGE, STRATEGY_OVERWRITE };

/* What a second starter of a state id does. */
enum lock_policy {
    LOCK_POLICY_DEFAULT, /* fail; under Airflow wait 15 s first */
    LOCK_POLICY_FAIL,
    LOCK_POLICY_SKIP, /* exit status 99 */
    LOCK_POLICY_WAIT,
};

/* Whether the last messages of a failed run are kept. */
enum recorder_choice { RECORDER_BY_PROJECT, RECORDER_ON, RECORDER_OFF };

struct run_options {
    const char *command_name;     /* "run", "el" or "elt": for messages and the record */
    const struct strlist *argv;   /* the whole command line, for the record */
    const struct strlist *blocks; /* run: the words; el and elt: extractor and loader */
    bool dry_run;
    bool full_refresh;
    bool refresh_catalog;
    bool no_state_update;
    bool force;
    const char *state_id_suffix; /* NULL: the environment's */
    enum state_strategy state_strategy;
    const char *run_id;                /* a UUID in any form, NULL: a new one */
    long timeout_s;                    /* 0: none */
    long idle_timeout_s, stop_grace_s; /* negative: as the project says */
    enum recorder_choice flight_recorder;
    const char *xcom_file; /* NULL: the record is printed only */
    bool no_install, only_install;
    enum lock_policy lock_policy;
    long lock_wait_s; /* LOCK_POLICY_WAIT: how long */

    /* el and elt only */
    const char *state_id;          /* NULL: one of its own for this run */
    const struct strlist *select;  /* may be NULL */
    const struct strlist *exclude; /* may be NULL */
    const char *catalog_file, *state_file;
    const char *dump;      /* catalog, state, extractor-config, loader-config; NULL: run */
    const char *transform; /* elt: skip, only, run; NULL: skip */
};

/* Opens the system database on first use; whoever provides it closes it. */
struct store_source {
    struct store *(*open)(void *context, struct error *err);
    void *context;
};

/* Runs everything and prints the run record as the last line of standard output. Returns 0 or -1
 * with err; the exit status is error_exit_status(err->code). */
int pipeline_run(struct config *config, const struct store_source *store,
                 const struct run_options *options, struct error *err);

/* 'dev:tap-a-to-target-b:suffix' as a directory name; the caller frees it. */
char *state_id_to_dir_name(const char *state_id);
/* <sys>/logs/elt/<state id>/<run id>, the directory of a run's log and record. */
char *run_log_directory(const struct project *project, const char *state_id, const char *run_id);

#endif
