/* pipeline/state_writer.h - from the loader's STATE lines to committed state.
 *
 * Only what the loader prints is state, in the order it prints it. Lines are committed at most once
 * a second, the newest (or, when merging, all of them as one), and what is pending at the end. An
 * older value never follows a newer one.
 *
 * All work with the system database during a run, heartbeats included, is done by one thread, which
 * starts with the first of them, so that neither a large state nor a server that is away holds up
 * the relay. The store is the thread's from state_writer_accept() or state_writer_beat_take() on
 * until state_writer_close(); nothing may be forked in between that needs more than guard_start()
 * does.
 *
 * While the database is away the newest value is kept in memory and in a spool file
 * (store/state_spool.h), and committing is tried again with growing pauses. Only the loss of the
 * lock is final.
 *
 * The functions are called by one thread, that of the loop; the writer's own thread says nothing
 * to the log. */
#ifndef PIPELINE_STATE_WRITER_H
#define PIPELINE_STATE_WRITER_H

#include "base/error.h"
#include "base/value.h"
#include "store/state_backend.h"

#include <stdbool.h>
#include <stdint.h>

struct state_writer;

/* Everything is borrowed. */
struct state_writer_options {
    struct store *store;
    struct state_backend *backend;
    const struct store_lock *lock;
    const char *state_id;
    const char *run_id;
    int64_t row_id;
    enum state_write kind;
    struct state_base base; /* what the run has begun with */
    const char *spool_path;
};

/* options NULL: a run without state; lines are counted and dropped, and that cannot fail. */
struct state_writer *state_writer_new(const struct state_writer_options *options,
                                      struct error *err);
/* Closes first. NULL is fine. */
void state_writer_free(struct state_writer *writer);

/* One line of the loader's standard output, without its line feed. */
void state_writer_accept(struct state_writer *writer, const char *line, size_t length);
/* For a line that is too long to be kept whole. */
void state_writer_refuse_long_line(struct state_writer *writer);
/* Asks for a heartbeat; see store_run_heartbeat(). */
void state_writer_beat_take(struct state_writer *writer, char *record_if_killed);

/* Readable when state_writer_tell() has something to say. -1 in a run without state. */
int state_writer_fd(const struct state_writer *writer);
/* Logs what happened since the last call. -1 (ERR_LOST_LOCK): another run has the state id, and
 * nothing will be written any more. */
int state_writer_tell(struct state_writer *writer, struct error *err);

/* No more lines will come: what is pending is written. When that fails for a reason that may pass,
 * it is tried again until patience_until_ms; beyond limit_ms nothing is waited for.
 * Both are clock_monotonic_ms(). May be called again to hurry. */
void state_writer_end(struct state_writer *writer, int64_t patience_until_ms, int64_t limit_ms);
bool state_writer_has_ended(const struct state_writer *writer);
/* Ends the thread, which tries what is pending at most once more; the store is the caller's again,
 * and the deadline gone. Then why the state that the loader confirmed is not all committed:
 * ERR_LOST_LOCK, ERR_SPOOLED with where it is, ERR_STATE when it could not even be kept. */
int state_writer_close(struct state_writer *writer, struct error *err);

/* After state_writer_close(), for what is left to write: whether the database was away last. */
bool state_writer_is_away(const struct state_writer *writer);
/* After state_writer_close(): the file that has what the database lacks, NULL when there is none.
 */
const char *state_writer_spool_path(const struct state_writer *writer);
/* After state_writer_close(): keeps the end of the run in the spool file, too. ERR_SPOOLED with
 * where it is; cause says why it could not be written. */
int state_writer_spool_end(struct state_writer *writer, enum run_state end, const char *error_text,
                           const char *record, const struct error *cause, struct error *err);

struct state_counts {
    uint64_t received, refused, checkpoints; /* lines, lines, commits */
    int64_t version;                         /* of the last commit, 0 before */
};
/* As state_writer_tell() has last told them. */
const struct state_counts *state_writer_counts(const struct state_writer *writer);
/* After state_writer_close(): {"singer_state": ...} of the last commit; NULL when there was none.
 * The caller frees it. */
struct value *state_writer_last_state(const struct state_writer *writer);

#endif
