/* tests/bench/plugins.h - what the benchmark's plugins share: settings, and writing without loss.
 */
#ifndef TESTS_BENCH_PLUGINS_H
#define TESTS_BENCH_PLUGINS_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    PLUGIN_BUFFER_SIZE = 64 * 1024,
};

/* A plugin's settings come as variables too, so that a bare pipe needs no configuration file. */
static inline long setting(const char *name, long fallback)
{
    const char *text = getenv(name);

    return text && *text ? strtol(text, NULL, 10) : fallback;
}

static inline void write_all(int fd, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t written = write(fd, data, size);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0) {
            perror("write");
            exit(EXIT_FAILURE);
        }
        data += written;
        size -= (size_t)written;
    }
}

static inline size_t read_some(int fd, char *data, size_t size)
{
    ssize_t count;

    do {
        count = read(fd, data, size);
    } while (count < 0 && errno == EINTR);
    if (count < 0) {
        perror("read");
        exit(EXIT_FAILURE);
    }
    return (size_t)count;
}

#endif
