/* process/relay.h - forwards Singer messages between two pipes as bytes and counts them.
 *
 * No line limit and constant memory: the bytes are never collected into messages. A scanner looks
 * only at the top-level keys "type" and "stream" of each line, at the first of each, and at
 * whether the line ends in '}'. What is no Singer message is forwarded untouched and counted
 * apart. Stream names are cut after 1023 bytes, and what comes after 65,536 streams is counted as
 * "(further streams)".
 *
 * Lines are handed on whole, up to 256 KiB: a message that is cut off because its tap died or was
 * ended does not reach the reader. */
#ifndef PROCESS_RELAY_H
#define PROCESS_RELAY_H

#include "base/error.h"
#include "base/strbuf.h"
#include "process/message_ring.h"

#include <stdbool.h>
#include <stdint.h>

struct stream_count {
    char *name;
    uint64_t records;
    uint64_t record_bytes;     /* of RECORD lines, line feed included */
    uint64_t schemas;          /* SCHEMA messages */
    uint64_t schema_changes;   /* SCHEMA messages that differ from the one before */
    uint64_t batches;          /* BATCH messages */
    int64_t first_us, last_us; /* when the first and the last RECORD passed */
    bool record_before_schema;
    uint64_t schema_hash; /* private */
};

struct relay_counts {
    struct stream_count *streams; /* in the order they first appeared */
    size_t stream_count, stream_capacity;
    uint64_t bytes, lines, states, activate_versions;
    uint64_t garbage_lines;      /* no object with a string "type"; RECORD, SCHEMA or BATCH without
                                    a string "stream"; cut off; blank */
    uint64_t invalid_utf8_lines; /* whatever else they are */
    uint64_t unknown_types;
    uint64_t longest_line;       /* bytes, without the line feed */
    uint64_t cut_bytes;          /* of a last message that was cut off and not handed on */
    struct strbuf first_garbage; /* at most 200 bytes of the first such line */
};
void relay_counts_clear(struct relay_counts *counts);

struct relay;

/* Relays from source_fd to sink_fd: pipes, not owned; it never blocks on either. counts is filled
 * with what passes; NULL: only relay. NULL with ERR_START when no descriptors are left. */
struct relay *relay_new(int source_fd, int sink_fd, struct relay_counts *counts, struct error *err);
/* From now on the last messages are kept in the ring, which is the caller's; the relay must count.
 */
void relay_keep(struct relay *relay, struct message_ring *ring);
/* Keeps what has come of a line that has not ended. */
void relay_keep_unfinished(struct relay *relay);
void relay_free(struct relay *relay);

enum relay_status {
    RELAY_WANTS_INPUT,  /* wait until source_fd is readable */
    RELAY_WANTS_OUTPUT, /* wait until sink_fd is writable */
    RELAY_END,          /* the source has ended and everything was passed on */
    RELAY_BROKEN,       /* the reader went away */
    RELAY_ERROR,        /* errno */
};
/* Moves what can be moved without blocking. */
enum relay_status relay_step(struct relay *relay);
/* Bytes that were taken from the source or given to the sink so far: as long as the number stays,
 * nothing moves. */
uint64_t relay_moved(const struct relay *relay);
/* Whether it is the reader that has to do something next, and not the writer. */
bool relay_waits_for_reader(const struct relay *relay);
/* Time spent waiting for either side, milliseconds: tells which side was slower. */
void relay_wait_times(const struct relay *relay, int64_t *input_ms, int64_t *output_ms);

#endif
