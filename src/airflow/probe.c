#include "airflow/probe.h"

#include "base/file.h"
#include "base/memory.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PERIOD_MS 200
/* A server that takes the connection and then says nothing is asked anew. */
#define PERIODS_PER_TRY 25

struct probe {
    struct loop *loop;
    struct loop_watch *timer, *watch;
    struct addrinfo *addresses, *next; /* each is tried in turn: localhost has two */
    char *request;                     /* NULL: a connection is enough */
    int fd, periods;
    char answer[16]; /* "HTTP/1.1 200" */
    size_t received;
    bool is_sent, is_answered;
};

static struct addrinfo *find_addresses(const char *host, const char *port)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found = NULL;

    return getaddrinfo(host, port, &hints, &found) == 0 ? found : NULL;
}

bool probe_port_is_taken(const char *host, const char *port)
{
    struct addrinfo *addresses = find_addresses(host, port);
    bool is_taken = false;

    for (struct addrinfo *at = addresses; at && !is_taken; at = at->ai_next) {
        auto_fd int fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol);

        is_taken = fd >= 0 && connect(fd, at->ai_addr, at->ai_addrlen) == 0;
    }
    if (addresses)
        freeaddrinfo(addresses);
    return is_taken;
}

static void hang_up(struct probe *probe)
{
    loop_unwatch(probe->watch);
    probe->watch = NULL;
    fd_close(&probe->fd);
    probe->received = 0;
    probe->is_sent = false;
}

/* "HTTP/1.1 404" counts: it is there, behind a prefix that we do not know. */
static void judge(struct probe *probe)
{
    const char *status = memchr(probe->answer, ' ', probe->received);

    probe->is_answered = status && status[1] >= '1' && status[1] <= '4';
    hang_up(probe);
}

static void notify(void *context, unsigned events)
{
    struct probe *probe = context;
    int failure = 0;
    socklen_t size = sizeof failure;
    ssize_t got;

    (void)events;
    if (!probe->is_sent) {
        getsockopt(probe->fd, SOL_SOCKET, SO_ERROR, &failure, &size);
        if (failure) {
            hang_up(probe);
        } else if (!probe->request) {
            probe->is_answered = true;
            hang_up(probe);
        } else {
            probe->is_sent = true;
            if (send(probe->fd, probe->request, strlen(probe->request), MSG_NOSIGNAL) < 0)
                hang_up(probe);
            else
                loop_watch_set_events(probe->watch, LOOP_READ);
        }
        return;
    }
    got =
        recv(probe->fd, probe->answer + probe->received, sizeof probe->answer - probe->received, 0);
    if (got > 0)
        probe->received += (size_t)got;
    if (got == 0 || probe->received == sizeof probe->answer)
        judge(probe);
    else if (got < 0 && errno != EAGAIN && errno != EINTR)
        hang_up(probe);
}

static void call(struct probe *probe)
{
    const struct addrinfo *at = probe->next;

    probe->next = at->ai_next ? at->ai_next : probe->addresses;
    probe->periods = 0;
    probe->fd =
        socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, at->ai_protocol);
    if (probe->fd < 0)
        return;
    if (connect(probe->fd, at->ai_addr, at->ai_addrlen) < 0 && errno != EINPROGRESS) {
        fd_close(&probe->fd);
        return;
    }
    probe->watch = loop_watch_fd(probe->loop, probe->fd, LOOP_WRITE, notify, probe);
}

static void tick(void *context)
{
    struct probe *probe = context;

    if (probe->fd >= 0 && ++probe->periods == PERIODS_PER_TRY)
        hang_up(probe);
    if (probe->fd < 0 && probe->addresses && !probe->is_answered)
        call(probe);
}

struct probe *probe_new(struct loop *loop, const char *host, const char *port, const char *path)
{
    struct probe *probe = xcalloc(1, sizeof *probe);

    probe->loop = loop;
    probe->fd = -1;
    probe->addresses = probe->next = find_addresses(host, port);
    if (path)
        probe->request = xasprintf("GET %s HTTP/1.0\r\nHost: %s:%s\r\n\r\n", path, host, port);
    probe->timer = loop_watch_timer(loop, 0, PERIOD_MS, tick, probe);
    return probe;
}

void probe_free(struct probe *probe)
{
    if (!probe)
        return;
    hang_up(probe);
    loop_unwatch(probe->timer);
    if (probe->addresses)
        freeaddrinfo(probe->addresses);
    free(probe->request);
    free(probe);
}

bool probe_is_answered(const struct probe *probe)
{
    return probe->is_answered;
}
