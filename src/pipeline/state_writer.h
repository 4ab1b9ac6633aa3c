/* pipeline/state_writer.h - from the loader's STATE lines to committed state.
 *
 * Only what the loader prints is state, in the order it prints it. Lines are accepted as they come
 * and committed at most once a second, the newest (or, when merging, all of them as one); what is
 * pending at the end is committed by state_writer_flush(). An older value never follows a newer. */
#ifndef PIPELINE_STATE_WRITER_H
#define PIPELINE_STATE_WRITER_H

#include "base/error.h"
#include "base/value.h"
#include "store/state_backend.h"

#include <stdbool.h>
#include <stdint.h>

struct state_writer {
    struct state_backend *backend; /* NULL: a stateless run; lines are counted and dropped */
    const struct store_lock *lock;
    const char *state_id;
    const char *run_id;
    int64_t row_id;
    enum state_write kind;

    uint64_t received, refused, checkpoints;
    int64_t version;        /* of the last commit, 0 before */
    struct value *pending;  /* {"singer_state": ...}, NULL when nothing waits */
    struct value *accepted; /* the same of the last commit, for the record */
    int64_t last_commit_ms; /* clock_monotonic_ms() */
};

/* One line of the loader's standard output, without its line feed. Commits when a second has gone
 * by since the last commit. -1 (ERR_STATE, ERR_DATABASE, ERR_LOST_LOCK): it could not be saved. */
int state_writer_accept(struct state_writer *writer, const char *line, size_t length,
                        struct error *err);
/* For a line that is too long to be kept whole. */
void state_writer_refuse_long_line(struct state_writer *writer);
/* Milliseconds until what is pending is due; -1 when nothing waits. */
int64_t state_writer_due_in_ms(const struct state_writer *writer);
/* Commits what is pending. */
int state_writer_flush(struct state_writer *writer, struct error *err);
void state_writer_clear(struct state_writer *writer);

#endif
