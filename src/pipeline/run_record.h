/* pipeline/run_record.h - what a run did, as data and as the JSON object meltshim.run/1.
 *
 * docs/run-record.schema.json describes the JSON. Keys always come in the same order; texts from
 * plugins and secrets are masked and bounded, so that the object fits an Airflow XCom. */
#ifndef PIPELINE_RUN_RECORD_H
#define PIPELINE_RUN_RECORD_H

#include "base/error.h"
#include "base/strlist.h"
#include "base/strmap.h"
#include "base/uuid.h"
#include "base/value.h"
#include "pipeline/end_cause.h"
#include "process/process.h"
#include "process/relay.h"
#include "store/store.h"

#include <stdbool.h>
#include <stdint.h>

#define RUN_RECORD_SCHEMA "meltshim.run/1"

enum run_status { STATUS_SUCCESS, STATUS_FAILED, STATUS_SKIPPED, STATUS_COUNT };

enum process_role { ROLE_TAP, ROLE_MAPPER, ROLE_TARGET, ROLE_COMMAND, ROLE_COUNT };

struct process_record {
    char *plugin;
    enum process_role role;
    struct strlist argv;
    struct process_end end;
    enum end_cause cause;
    bool is_culprit;        /* it made the block fail; others only followed */
    char *last_words;       /* of a failed block: failure_words_of_lines(), or NULL */
    char *consequence_of;   /* the plugin whose end led to this one's, NULL: none */
    struct value *snapshot; /* what it waited for (process/snapshot.h), NULL: not asked */
    const char *snapshot_reason;
    int64_t snapshot_us;
    struct strlist stderr_tail; /* the last lines, oldest first; kept only for a failed block */
};

/* One block of the run. */
struct block_record {
    bool is_extract_load;
    char *words;
    enum run_status status;
    int64_t started_us, duration_ms;
    struct error error;
    char *signature; /* of the failure, the same whenever it has the same cause; NULL: none */

    struct process_record *processes;
    size_t process_count;

    /* Extract-load only. */
    char *state_id;                 /* NULL for a stateless block */
    struct relay_counts counts;     /* what the loader was given */
    struct relay_counts tap_counts; /* what the extractor sent, when there are mappers */
    bool has_mappers;
    int64_t version_before, version_after; /* of the state ledger; 0: none */
    bool state_is_partial;                 /* merged into what was there, not in its place */
    uint64_t checkpoints;                  /* state values of the loader that were committed */
    uint64_t states_received, states_refused;
    char *spool_path; /* what keeps the state, or the end of the run, for the database; or NULL */
    struct value *state_before, *state_after; /* {"singer_state": ...} or NULL */
    int64_t tap_wait_ms, target_wait_ms;      /* how long the relay waited for either side */
    char *log_path;
    char *flight_path; /* of a failed block's last messages, NULL: none were kept */
};

struct run_record {
    char run_id[UUID_TEXT_SIZE];
    struct strlist command;
    char *environment; /* NULL: none */
    struct value *trigger;
    char *host;
    int64_t started_us, duration_ms;
    enum run_status status;
    struct error error; /* ERR_NONE on success */
    struct block_record *blocks;
    size_t block_count, block_capacity;
};

void run_record_clear(struct run_record *record);

/* "tap", ... */
const char *process_role_name(enum process_role role);

/* Appends an empty block; borrowed until the next one is added. */
struct block_record *run_record_add_block(struct run_record *record);
void block_record_set_processes(struct block_record *block, size_t count);

/* Makes one process the culprit and what came of it in the others its consequence. */
void block_record_set_culprit(struct block_record *block, size_t culprit);

/* Sets the error and its signature, for which the culprit is known by now. */
void block_record_set_error(struct block_record *block, const struct error *error);

/* In ISO 8601; null for 0. The caller frees it. */
struct value *record_time_value(int64_t time_us);

/* What started the run: Airflow's ids from AIRFLOW_CTX_*, else MELTANO_JOB_TRIGGER. The caller
 * frees it. */
struct value *run_trigger_from_environ(const struct strmap *environ_map);

/* The record of a run whose process is killed from now on, before it can write one: what is known
 * at this moment, in bounds (record_line.h). The caller frees it. */
char *run_record_if_killed(const struct run_record *record);

/* The caller frees it. */
struct value *run_record_to_value(const struct run_record *record);
/* One line, without a line feed, without NUL; the caller frees it. */
char *run_record_to_json(const struct run_record *record);

#endif
