#include "process/process.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/strbuf.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <unistd.h>

/* One captured stream. */
struct stream {
    struct strbuf *into;
    int fd;
    size_t left; /* bytes that may still be added */
};

static void read_stream(struct stream *stream)
{
    char bytes[16384];
    ssize_t got = read(stream->fd, bytes, sizeof bytes);

    if (got > 0) {
        size_t kept = (size_t)got < stream->left ? (size_t)got : stream->left;

        strbuf_add_bytes(stream->into, bytes, kept);
        stream->left -= kept;
    } else if (got == 0 || errno != EINTR) {
        fd_close(&stream->fd);
    }
}

/* Reads until the program has ended and what it wrote is read. A descendant that holds on to the
 * pipes does not make the call last: what is in them when the program ends is the output. */
static bool read_until_end(struct process *process, struct stream streams[2], int64_t deadline_ms)
{
    for (;;) {
        bool has_ended = process_poll(process);
        struct pollfd waits[3] = {
            {.fd = streams[0].fd, .events = POLLIN},
            {.fd = streams[1].fd, .events = POLLIN},
            {.fd = has_ended ? -1 : process->end_fd, .events = POLLIN},
        };
        int64_t left_ms = deadline_ms < 0 ? -1 : deadline_ms - clock_monotonic_ms();
        int ready;

        if (deadline_ms >= 0 && left_ms <= 0)
            return false;
        ready = poll(waits, 3, has_ended ? 0 : (int)left_ms);
        if (has_ended && ready == 0)
            return true;
        for (int i = 0; i < 2; i++) {
            if (ready > 0 && waits[i].revents)
                read_stream(&streams[i]);
        }
    }
}

static int open_stream(struct stream *stream, int *child_fd, struct error *err)
{
    int fds[2];

    if (process_pipe(fds, err) < 0)
        return -1;
    stream->fd = fds[0];
    *child_fd = fds[1];
    return 0;
}

int process_capture(const struct spawn_spec *spec, struct strbuf *out, struct strbuf *errors,
                    size_t limit, int64_t timeout_ms, struct process_end *end, struct error *err)
{
    struct process process = PROCESS_INIT;
    struct stream streams[2] = {{out, -1, limit ? limit : SIZE_MAX},
                                {errors == out ? NULL : errors, -1, limit ? limit : SIZE_MAX}};
    auto_fd int out_fd = -1, errors_fd = -1;
    struct spawn_spec piped = *spec;
    bool in_time;
    int result;

    if (out && open_stream(&streams[0], &out_fd, err) < 0)
        return -1;
    if (streams[1].into && open_stream(&streams[1], &errors_fd, err) < 0) {
        fd_close(&streams[0].fd);
        return -1;
    }
    piped.fds[1] = out ? out_fd : 2;
    piped.fds[2] = errors && errors == out ? out_fd : errors ? errors_fd : SPAWN_INHERIT;
    result = process_spawn(&piped, &process, err);
    fd_close(&out_fd);
    fd_close(&errors_fd);
    if (result == 0) {
        in_time =
            read_until_end(&process, streams, timeout_ms ? clock_monotonic_ms() + timeout_ms : -1);
        process_end_group(&process, in_time ? 0 : 500);
        if (!in_time)
            result = error_set(err, ERR_TIMEOUT, "'%s' was ended after %lld ms", spec->argv[0],
                               (long long)timeout_ms);
    }
    fd_close(&streams[0].fd);
    fd_close(&streams[1].fd);
    *end = process.end;
    return result;
}
