/* process/message_ring.h - the last messages of each kind that passed, as far as they fit: what a
 * failed run leaves for whoever looks into it. Bounded, whatever passes. */
#ifndef PROCESS_MESSAGE_RING_H
#define PROCESS_MESSAGE_RING_H

#include <stddef.h>
#include <stdint.h>

#define MESSAGE_RING_KEPT  5    /* of each kind */
#define MESSAGE_RING_BYTES 2048 /* of each message */

/* OTHER is all that is none of the first three, also lines that are no messages. UNFINISHED is the
 * beginning of a last line that was not ended yet. */
enum ring_kind {
    RING_RECORD,
    RING_SCHEMA,
    RING_STATE,
    RING_OTHER,
    RING_UNFINISHED,
    RING_KIND_COUNT,
};

struct kept_message {
    char *text; /* its first bytes, not ended by a NUL; NULL: none */
    size_t length;
    uint64_t bytes;  /* of the whole message */
    uint64_t number; /* of its line, from 1 */
    int64_t passed_us;
};

struct message_ring {
    struct kept_message messages[RING_KIND_COUNT][MESSAGE_RING_KEPT];
    uint64_t counts[RING_KIND_COUNT];
};

struct message_ring *message_ring_new(void);
/* NULL is fine. */
void message_ring_free(struct message_ring *ring);

/* Keeps a message in place of the oldest of its kind. Its text comes in two pieces, of which the
 * first may be empty; the caller fills in the rest. */
void message_ring_add(struct message_ring *ring, enum ring_kind kind,
                      const struct kept_message *message, const char *head, size_t head_length,
                      const char *piece, size_t piece_length);
/* The message that came in as the position-th of those that are still there, the oldest first; NULL
 * beyond the last one. */
const struct kept_message *message_ring_at(const struct message_ring *ring, enum ring_kind kind,
                                           size_t position);

#endif
