#include "process/line_reader.h"

#include "base/memory.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define USUAL_CAPACITY ((size_t)64 * 1024)
/* Reads of one step, so that a chatty process does not keep the loop from the others. */
#define FAIR_READS 16

struct line_reader {
    int fd;
    size_t limit;
    void (*receive)(void *context, const struct line *line);
    void *context;
    char *buffer; /* one byte larger than capacity, for the NUL */
    size_t capacity;
    size_t length;  /* bytes of the unfinished line */
    size_t scanned; /* of them, how many are known to hold no line feed */
    bool continues; /* pieces of this line were delivered */
};

struct line_reader *line_reader_new(int fd, size_t limit,
                                    void (*receive)(void *context, const struct line *line),
                                    void *context)
{
    struct line_reader *reader = xcalloc(1, sizeof *reader);

    reader->fd = fd;
    reader->limit = limit;
    reader->receive = receive;
    reader->context = context;
    reader->capacity = USUAL_CAPACITY;
    reader->buffer = xmalloc(reader->capacity + 1);
    return reader;
}

void line_reader_free(struct line_reader *reader)
{
    if (!reader)
        return;
    free(reader->buffer);
    free(reader);
}

static void deliver(struct line_reader *reader, char *text, size_t length, bool is_continued)
{
    struct line line = {
        .text = text,
        .length = length,
        .is_continued = is_continued,
        .continues = reader->continues,
    };
    char after;

    if (!is_continued && length && text[length - 1] == '\r')
        line.length--;
    after = text[line.length];
    text[line.length] = '\0';
    reader->receive(reader->context, &line);
    text[line.length] = after;
    reader->continues = is_continued;
}

/* Delivers what is more than the longest line; returns where the rest begins. */
static char *deliver_excess(struct line_reader *reader, char *start, const char *end)
{
    for (; (size_t)(end - start) > reader->limit; start += reader->limit)
        deliver(reader, start, reader->limit, true);
    return start;
}

/* Delivers the lines that are complete and moves the rest to the front. */
static void deliver_lines(struct line_reader *reader)
{
    char *start = reader->buffer;
    char *end = reader->buffer + reader->length;
    char *feed = memchr(start + reader->scanned, '\n', reader->length - reader->scanned);

    for (; feed; feed = memchr(start, '\n', (size_t)(end - start))) {
        start = deliver_excess(reader, start, feed);
        deliver(reader, start, (size_t)(feed - start), false);
        start = feed + 1;
    }
    start = deliver_excess(reader, start, end);
    reader->length = reader->scanned = (size_t)(end - start);
    if (start != reader->buffer)
        memmove(reader->buffer, start, reader->length);
}

/* Makes room for a line that grows, and gives it back after a long one. */
static void fit_buffer(struct line_reader *reader)
{
    size_t capacity = reader->capacity;

    if (reader->length == capacity)
        capacity *= 2;
    else if (reader->length < USUAL_CAPACITY)
        capacity = USUAL_CAPACITY;
    if (capacity == reader->capacity)
        return;
    reader->capacity = capacity;
    reader->buffer = xrealloc(reader->buffer, capacity + 1);
}

enum line_reader_status line_reader_step(struct line_reader *reader)
{
    for (int i = 0; i < FAIR_READS; i++) {
        ssize_t got;

        fit_buffer(reader);
        got = read(reader->fd, reader->buffer + reader->length, reader->capacity - reader->length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return errno == EAGAIN ? LINE_READER_WANTS_INPUT : LINE_READER_ERROR;
        if (got == 0) {
            if (reader->length || reader->continues)
                deliver(reader, reader->buffer, reader->length, false);
            reader->length = reader->scanned = 0;
            return LINE_READER_END;
        }
        reader->length += (size_t)got;
        deliver_lines(reader);
    }
    return LINE_READER_WANTS_INPUT;
}
