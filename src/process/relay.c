#include "process/relay.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "process/message_scan.h"
#include "process/process.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Only whole lines are handed on. A tap that dies, or that we end, often does so in the middle of a
 * write; half a message at the end of its input makes a target fail instead of finishing what it
 * was given.
 *
 * tee() copies references to the pages of the source pipe into a pipe of our own; reading that one
 * gives the bytes to count and tells where lines end, while the source still holds them. splice()
 * then moves the whole lines from the source to the sink without a copy, and only the beginning of
 * an unfinished line is read from the source and held until the rest of it comes. So the bytes are
 * copied once, to be looked at (read() and write() copy twice: measured, 12 % of the time of
 * tap | relay | target). */

#define BUFFER_SIZE ((size_t)64 * 1024)
/* What one tee() looks at, and how often one step does so, so that a fast pair does not keep the
 * loop from the others. */
#define PEEK_SIZE  ((size_t)1024 * 1024)
#define FAIR_PEEKS 8
/* The part of a line that is held. A longer line is handed on as it comes. */
#define MAX_HELD ((size_t)256 * 1024)

struct relay {
    int source_fd, sink_fd;
    int peek_fds[2];           /* empty between two steps */
    struct message_scan *scan; /* NULL: nothing is counted */
    struct relay_counts *counts;
    char *buffer;

    /* What was peeked at lies in the source in this order: the end of the held line, whole lines
     * for the sink, the beginning of the next line. */
    struct strbuf held;
    size_t sent;        /* bytes of held that the sink has */
    size_t held_rest;   /* bytes of the source that belong to held */
    bool held_is_whole; /* once held_rest was read */
    size_t lines_size;
    size_t next_size;
    bool is_passing; /* in a line longer than MAX_HELD */

    uint64_t moved;
    enum relay_status waits_for;
    int64_t waiting_since_us;
    int64_t input_wait_us, output_wait_us;
};

void relay_counts_clear(struct relay_counts *counts)
{
    for (size_t i = 0; i < counts->stream_count; i++)
        free(counts->streams[i].name);
    free(counts->streams);
    strbuf_clear(&counts->first_garbage);
    memset(counts, 0, sizeof *counts);
}

struct relay *relay_new(int source_fd, int sink_fd, struct relay_counts *counts, struct error *err)
{
    struct relay *relay;
    int peek_fds[2];

    if (process_pipe(peek_fds, err) < 0)
        return NULL;
    relay = xcalloc(1, sizeof *relay);
    relay->source_fd = source_fd;
    relay->sink_fd = sink_fd;
    relay->peek_fds[0] = peek_fds[0];
    relay->peek_fds[1] = peek_fds[1];
    relay->counts = counts;
    relay->scan = counts ? message_scan_new(counts) : NULL;
    relay->buffer = xmalloc(BUFFER_SIZE);
    relay->waits_for = RELAY_WANTS_INPUT;
    relay->waiting_since_us = clock_monotonic_us();
    return relay;
}

void relay_keep(struct relay *relay, struct message_ring *ring)
{
    assert(relay->scan);
    message_scan_keep(relay->scan, ring);
}

void relay_keep_unfinished(struct relay *relay)
{
    message_scan_keep_unfinished(relay->scan);
}

void relay_free(struct relay *relay)
{
    if (!relay)
        return;
    fd_close(&relay->peek_fds[0]);
    fd_close(&relay->peek_fds[1]);
    message_scan_free(relay->scan);
    strbuf_clear(&relay->held);
    free(relay->buffer);
    free(relay);
}

/* --- what the source holds -------------------------------------------------------------------- */

/* Where lines end in the bytes that were peeked at. */
struct line_ends {
    size_t size;
    size_t first; /* bytes up to and with the first line feed; 0: there is none */
    size_t last;  /* up to and with the last one */
};

static void find_line_ends(struct line_ends *ends, const char *bytes, size_t size)
{
    const char *first = ends->first ? NULL : memchr(bytes, '\n', size);
    const char *last = memrchr(bytes, '\n', size);

    if (first)
        ends->first = ends->size + (size_t)(first - bytes) + 1;
    if (last)
        ends->last = ends->size + (size_t)(last - bytes) + 1;
    ends->size += size;
}

/* Reads what tee() has put into our own pipe: counts it and finds the ends of lines. */
static int look_at(struct relay *relay, size_t size, struct line_ends *ends)
{
    int64_t now_us = clock_now_us();

    while (size) {
        ssize_t got =
            read(relay->peek_fds[0], relay->buffer, size < BUFFER_SIZE ? size : BUFFER_SIZE);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return -1;
        if (relay->scan)
            message_scan_bytes(relay->scan, relay->buffer, (size_t)got, now_us);
        find_line_ends(ends, relay->buffer, (size_t)got);
        size -= (size_t)got;
    }
    return 0;
}

/* Decides what becomes of the bytes that were peeked at. */
static void divide(struct relay *relay, const struct line_ends *ends)
{
    size_t begin = 0; /* of what neither belongs to held nor was sent */

    if (!ends->first && !relay->is_passing && relay->held.length + ends->size <= MAX_HELD) {
        relay->held_rest = ends->size;
        return;
    }
    if (!ends->first) {
        relay->held_is_whole = relay->held.length > 0;
        relay->is_passing = true;
        relay->lines_size = ends->size;
        return;
    }
    if (relay->held.length) {
        relay->held_rest = begin = ends->first;
        relay->held_is_whole = true;
    }
    relay->lines_size = ends->last - begin;
    relay->next_size = ends->size - ends->last;
    relay->is_passing = false;
}

/* 1 when there is something to do, 0 when the source has ended, -1 with errno. */
static int peek(struct relay *relay)
{
    struct line_ends ends = {0};
    ssize_t size = tee(relay->source_fd, relay->peek_fds[1], PEEK_SIZE, SPLICE_F_NONBLOCK);

    if (size <= 0)
        return (int)size;
    if (look_at(relay, (size_t)size, &ends) < 0)
        return -1;
    divide(relay, &ends);
    return 1;
}

/* --- handing on ------------------------------------------------------------------------------- */

static bool hold(struct relay *relay, size_t *size)
{
    while (*size) {
        ssize_t got;

        strbuf_reserve(&relay->held, *size);
        got = read(relay->source_fd, relay->held.text + relay->held.length, *size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        relay->held.length += (size_t)got;
        relay->held.text[relay->held.length] = '\0';
        relay->moved += (uint64_t)got;
        *size -= (size_t)got;
    }
    return true;
}

static bool send_held(struct relay *relay)
{
    while (relay->sent < relay->held.length) {
        ssize_t sent =
            write(relay->sink_fd, relay->held.text + relay->sent, relay->held.length - relay->sent);

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return false;
        relay->moved += (uint64_t)sent;
        relay->sent += (size_t)sent;
    }
    strbuf_reset(&relay->held);
    relay->sent = 0;
    relay->held_is_whole = false;
    return true;
}

static bool send_lines(struct relay *relay)
{
    while (relay->lines_size) {
        ssize_t sent = splice(relay->source_fd, NULL, relay->sink_fd, NULL, relay->lines_size,
                              SPLICE_F_NONBLOCK | SPLICE_F_MOVE);

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return false;
        relay->moved += (uint64_t)sent;
        relay->lines_size -= (size_t)sent;
    }
    return true;
}

/* Hands on everything that was peeked at; false with errno. */
static bool pass_on(struct relay *relay)
{
    return hold(relay, &relay->held_rest) && (!relay->held_is_whole || send_held(relay)) &&
           send_lines(relay) && hold(relay, &relay->next_size);
}

static enum relay_status status_of_failure(void)
{
    switch (errno) {
    case EAGAIN:
        return RELAY_WANTS_OUTPUT;
    case EPIPE:
        return RELAY_BROKEN;
    default:
        return RELAY_ERROR;
    }
}

/* Whether the held bytes, after which the source has ended, are a message that was cut off. */
static bool is_cut(const struct strbuf *held)
{
    size_t blanks = strspn(strbuf_text(held), " \t\r");
    auto_value struct value *message = NULL;
    struct error err = {0};

    return strbuf_text(held)[blanks] == '{' &&
           json_parse(strbuf_text(held), held->length, NULL, &message, &err) < 0;
}

static enum relay_status end_source(struct relay *relay)
{
    if (relay->held.length && !relay->held_is_whole && is_cut(&relay->held)) {
        if (relay->counts)
            relay->counts->cut_bytes = relay->held.length;
        strbuf_reset(&relay->held);
        return RELAY_END;
    }
    if (relay->scan && !relay->held_is_whole)
        message_scan_end(relay->scan, clock_now_us());
    relay->held_is_whole = true;
    return send_held(relay) ? RELAY_END : status_of_failure();
}

static enum relay_status move_bytes(struct relay *relay)
{
    for (int i = 0; i < FAIR_PEEKS; i++) {
        int peeked;

        if (!pass_on(relay))
            return status_of_failure();
        peeked = peek(relay);
        if (peeked == 0)
            return end_source(relay);
        if (peeked < 0)
            return errno == EAGAIN || errno == EINTR ? RELAY_WANTS_INPUT : RELAY_ERROR;
    }
    return pass_on(relay) ? RELAY_WANTS_INPUT : status_of_failure();
}

enum relay_status relay_step(struct relay *relay)
{
    int64_t waited_us = clock_monotonic_us() - relay->waiting_since_us;

    if (relay->waits_for == RELAY_WANTS_INPUT)
        relay->input_wait_us += waited_us;
    else if (relay->waits_for == RELAY_WANTS_OUTPUT)
        relay->output_wait_us += waited_us;
    relay->waits_for = move_bytes(relay);
    relay->waiting_since_us = clock_monotonic_us();
    return relay->waits_for;
}

uint64_t relay_moved(const struct relay *relay)
{
    return relay->moved;
}

bool relay_waits_for_reader(const struct relay *relay)
{
    return relay->waits_for == RELAY_WANTS_OUTPUT;
}

void relay_wait_times(const struct relay *relay, int64_t *input_ms, int64_t *output_ms)
{
    *input_ms = relay->input_wait_us / 1000;
    *output_ms = relay->output_wait_us / 1000;
}
