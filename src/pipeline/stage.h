/* pipeline/stage.h - one process of a block: how it is started, its standard error, how it ended.
 */
#ifndef PIPELINE_STAGE_H
#define PIPELINE_STAGE_H

#include "base/error.h"
#include "base/strlist.h"
#include "pipeline/run_record.h"
#include "plugin/plugin_run.h"
#include "process/line_reader.h"
#include "process/loop.h"
#include "process/process.h"

#include <stdbool.h>
#include <stdint.h>

/* How many of the last lines of standard error are kept, and how many of them the record of a
 * failed block has. */
#define STAGE_TAIL_LINES  100
#define RECORD_TAIL_LINES 20

struct stage {
    struct plugin *plugin;
    enum process_role role;
    struct invocation invocation; /* zeroed until it is prepared */
    bool is_prepared;
    struct process process;
    bool has_ended;
    bool was_stopped;   /* by us: how it ended then is no failure of its own */
    bool has_lingered;  /* ended by us because it stayed with nothing left to do */
    unsigned end_order; /* 1 for the first process of the block that ended, 0 while it runs */

    int error_fd; /* our end of its standard error, -1 when closed */
    struct line_reader *error_reader;
    struct loop_watch *error_watch;
    uint64_t error_lines;
    struct strlist tail;

    struct value *snapshot; /* see struct process_record; NULL: none was needed */
    const char *snapshot_reason;
    int64_t snapshot_us;
};

void stage_init(struct stage *stage, struct plugin *plugin, enum process_role role);

/* Starts the process with these descriptors (or SPAWN_...) as standard input and output; its
 * standard error goes to the log, and with output_to_log its standard output too. The descriptors
 * stay the caller's. */
int stage_start(struct stage *stage, struct loop *loop, int input_fd, int output_fd,
                bool output_to_log, void (*ended)(void *context, struct process *process),
                void *context, struct error *err);

/* Notes and logs what it and its descendants wait for, unless that was done already or it has
 * ended. reason: a word that the schema of the record has. */
void stage_take_snapshot(struct stage *stage, const char *reason);
/* "sleeps", for a message: of the snapshot if there is one. */
const char *stage_waits_for(const struct stage *stage);

/* Reads what is left of its standard error without waiting. */
void stage_drain_errors(struct stage *stage);
/* Ends whatever the process left behind, fills its record in and frees the stage's resources. */
void stage_finish(struct stage *stage, bool block_failed, struct process_record *record);

/* Sets "loader 'target-x' failed: exit status 3" with a hint that fits. */
int stage_set_failure(const struct stage *stage, const char *log_path, struct error *err);
/* Logs the last lines again, at the end, where one looks for them. */
void stage_log_tail(const struct stage *stage);

#endif
