/* A target that costs next to nothing: it forgets every record and confirms every state. With
 * BENCH_TARGET_STATE_BYTES it prints a state of that size every second as well. */
#include "plugins.h"

#include <stdbool.h>
#include <string.h>
#include <time.h>

static const char state_head[] = "{\"type\": \"STATE\", \"value\": ";

enum {
    STATE_HEAD_SIZE = sizeof(state_head) - 1,
    LINE_KEPT = 4096,
};

/* The start of the line that is being read: all of it, if it is a state. */
static char line[LINE_KEPT];
static size_t kept;

static void end_line(void)
{
    bool is_state = kept > STATE_HEAD_SIZE && !memcmp(line, state_head, STATE_HEAD_SIZE);

    if (is_state) {
        line[kept - 1] = '\n'; /* the message's closing brace */
        write_all(STDOUT_FILENO, line + STATE_HEAD_SIZE, kept - STATE_HEAD_SIZE);
    }
    kept = 0;
}

static void keep(const char *data, size_t size)
{
    size_t room = sizeof(line) - kept;

    if (size > room)
        size = room;
    memcpy(line + kept, data, size);
    kept += size;
}

/* Bookmarks of many streams, of which the one in the middle moves on. */
static char *large_state;
static size_t large_size, moving_at;

static void make_large_state(size_t size)
{
    static const char head[] = "{\"bookmarks\": {\"first\": {\"id\": 0}";
    static const char tail[] = "}}\n";

    if (!size)
        return;
    large_state = malloc(size + 200);
    if (!large_state)
        exit(EXIT_FAILURE);
    large_size = (size_t)sprintf(large_state, "%s", head);
    for (int number = 0; large_size < size; number++) {
        if (!moving_at && large_size > size / 2)
            moving_at = large_size + strlen(", \"stream-0000000\": {\"id\": \"");
        large_size += (size_t)sprintf(
            large_state + large_size,
            ", \"stream-%07d\": {\"id\": \"0000000000\", \"at\": \"2026-11-22T12:19:01.981268Z\"}",
            number);
    }
    large_size += (size_t)sprintf(large_state + large_size, "%s", tail);
}

static void print_large_state(void)
{
    static time_t printed_s;
    static int count;
    struct timespec now;
    char digits[24];

    clock_gettime(CLOCK_MONOTONIC, &now);
    if (now.tv_sec == printed_s)
        return;
    printed_s = now.tv_sec;
    sprintf(digits, "%010d", ++count);
    memcpy(large_state + moving_at, digits, 10);
    write_all(STDOUT_FILENO, large_state, large_size);
}

int main(void)
{
    static char buffer[PLUGIN_BUFFER_SIZE];
    size_t size;

    make_large_state((size_t)setting("BENCH_TARGET_STATE_BYTES", 0));
    while ((size = read_some(STDIN_FILENO, buffer, sizeof(buffer))) > 0) {
        const char *data = buffer, *end = buffer + size, *newline;

        if (large_state)
            print_large_state();
        while ((newline = memchr(data, '\n', (size_t)(end - data)))) {
            keep(data, (size_t)(newline - data));
            end_line();
            data = newline + 1;
        }
        keep(data, (size_t)(end - data));
    }
    return EXIT_SUCCESS;
}
