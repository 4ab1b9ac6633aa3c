/* process/line_reader.h - the lines that come out of a pipe, with bounded memory. */
#ifndef PROCESS_LINE_READER_H
#define PROCESS_LINE_READER_H

#include <stdbool.h>
#include <stddef.h>

struct line_reader;

/* A line, or a piece of one that is longer than the limit. The text is borrowed for the call, has
 * no line feed and no carriage return before it, ends in a NUL and may hold others. */
struct line {
    char *text; /* the receiver may change it in place */
    size_t length;
    bool is_continued; /* more of the same line follows */
    bool continues;    /* it is not the first piece */
};

/* Reads fd, a non-blocking descriptor that stays the caller's. limit: bytes of the longest line
 * that is delivered whole; memory grows with the line and shrinks again after it. */
struct line_reader *line_reader_new(int fd, size_t limit,
                                    void (*receive)(void *context, const struct line *line),
                                    void *context);
void line_reader_free(struct line_reader *reader);

enum line_reader_status {
    LINE_READER_WANTS_INPUT, /* wait until fd is readable */
    LINE_READER_END,         /* end of file; an unfinished last line was delivered */
    LINE_READER_ERROR,       /* errno */
};

/* Reads what can be read without blocking, up to a fair share, and delivers the lines in it. */
enum line_reader_status line_reader_step(struct line_reader *reader);

#endif
