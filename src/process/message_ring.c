#include "process/message_ring.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

struct message_ring *message_ring_new(void)
{
    return xcalloc(1, sizeof(struct message_ring));
}

void message_ring_free(struct message_ring *ring)
{
    for (size_t i = 0; ring && i < RING_KIND_COUNT; i++)
        for (size_t j = 0; j < MESSAGE_RING_KEPT; j++)
            free(ring->messages[i][j].text);
    free(ring);
}

static size_t at_most(size_t length, size_t room)
{
    return length < room ? length : room;
}

void message_ring_add(struct message_ring *ring, enum ring_kind kind,
                      const struct kept_message *message, const char *head, size_t head_length,
                      const char *piece, size_t piece_length)
{
    struct kept_message *slot = &ring->messages[kind][ring->counts[kind]++ % MESSAGE_RING_KEPT];
    char *text = slot->text ? slot->text : xmalloc(MESSAGE_RING_BYTES);

    *slot = *message;
    slot->text = text;
    head_length = at_most(head_length, MESSAGE_RING_BYTES);
    piece_length = at_most(piece_length, MESSAGE_RING_BYTES - head_length);
    memcpy(text, head, head_length);
    memcpy(text + head_length, piece, piece_length);
    slot->length = head_length + piece_length;
}

const struct kept_message *message_ring_at(const struct message_ring *ring, enum ring_kind kind,
                                           size_t position)
{
    uint64_t count = ring->counts[kind];
    uint64_t kept = count < MESSAGE_RING_KEPT ? count : MESSAGE_RING_KEPT;

    if (position >= kept)
        return NULL;
    return &ring->messages[kind][(count - kept + position) % MESSAGE_RING_KEPT];
}
