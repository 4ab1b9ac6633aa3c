#include "process/loop.h"

#include "base/clock.h"
#include "base/memory.h"

#include <assert.h>
#include <poll.h>
#include <string.h>

/* poll() and not epoll: a run watches a dozen descriptors, poll() takes regular files, and there
 * is no second list in the kernel to keep in step. */

enum watch_kind { WATCH_FD, WATCH_TIMER, WATCH_PROCESS, WATCH_SIGNALS };

struct loop_watch {
    enum watch_kind kind;
    bool is_removed; /* freed once nobody walks over the list */
    void *context;
    int fd;
    unsigned events;
    int64_t due_ms; /* < 0: not running */
    int64_t period_ms;
    struct process *process;
    union {
        void (*fd)(void *context, unsigned events);
        void (*timer)(void *context);
        void (*process)(void *context, struct process *process);
        void (*signals)(void *context, int signal_number);
    } notify;
};

struct loop {
    struct loop_watch **watches;
    size_t count, capacity;
    struct pollfd *polled;
    size_t polled_capacity;
    bool is_stopped;
};

struct loop *loop_new(void)
{
    return xcalloc(1, sizeof(struct loop));
}

static void sweep(struct loop *loop)
{
    size_t kept = 0;

    for (size_t i = 0; i < loop->count; i++) {
        if (loop->watches[i]->is_removed)
            free(loop->watches[i]);
        else
            loop->watches[kept++] = loop->watches[i];
    }
    loop->count = kept;
}

void loop_free(struct loop *loop)
{
    if (!loop)
        return;
    for (size_t i = 0; i < loop->count; i++)
        loop_unwatch(loop->watches[i]);
    sweep(loop);
    free(loop->watches);
    free(loop->polled);
    free(loop);
}

static struct loop_watch *add_watch(struct loop *loop, enum watch_kind kind, void *context)
{
    struct loop_watch *watch = xcalloc(1, sizeof *watch);

    watch->kind = kind;
    watch->context = context;
    watch->fd = -1;
    GROW(loop->watches, loop->count, loop->capacity);
    loop->watches[loop->count++] = watch;
    return watch;
}

struct loop_watch *loop_watch_fd(struct loop *loop, int fd, unsigned events,
                                 void (*notify)(void *context, unsigned events), void *context)
{
    struct loop_watch *watch = add_watch(loop, WATCH_FD, context);

    watch->fd = fd;
    watch->events = events;
    watch->notify.fd = notify;
    return watch;
}

void loop_watch_set_events(struct loop_watch *watch, unsigned events)
{
    assert(watch->kind == WATCH_FD);
    watch->events = events;
}

struct loop_watch *loop_watch_timer(struct loop *loop, int64_t delay_ms, int64_t period_ms,
                                    void (*notify)(void *context), void *context)
{
    struct loop_watch *watch = add_watch(loop, WATCH_TIMER, context);

    watch->period_ms = period_ms;
    watch->notify.timer = notify;
    loop_timer_set(watch, delay_ms);
    return watch;
}

void loop_timer_set(struct loop_watch *watch, int64_t delay_ms)
{
    assert(watch->kind == WATCH_TIMER);
    watch->due_ms = delay_ms < 0 ? -1 : clock_monotonic_ms() + delay_ms;
}

struct loop_watch *loop_watch_process(struct loop *loop, struct process *process,
                                      void (*notify)(void *context, struct process *process),
                                      void *context)
{
    struct loop_watch *watch = add_watch(loop, WATCH_PROCESS, context);

    watch->fd = process->end_fd;
    watch->events = LOOP_READ;
    watch->process = process;
    watch->notify.process = notify;
    return watch;
}

struct loop_watch *loop_watch_signals(struct loop *loop,
                                      void (*notify)(void *context, int signal_number),
                                      void *context)
{
    struct loop_watch *watch = add_watch(loop, WATCH_SIGNALS, context);

    watch->fd = signals_watch();
    watch->events = LOOP_READ;
    watch->notify.signals = notify;
    return watch;
}

void loop_unwatch(struct loop_watch *watch)
{
    if (!watch)
        return;
    if (watch->kind == WATCH_SIGNALS && !watch->is_removed)
        signals_unwatch();
    watch->is_removed = true;
}

/* --- waiting ---------------------------------------------------------------------------------- */

/* A process whose end was collected before it was watched must not be waited for. */
static bool is_due(const struct loop_watch *watch, int64_t now_ms)
{
    if (watch->is_removed)
        return false;
    if (watch->kind == WATCH_PROCESS)
        return watch->process->end.kind != EXIT_RUNNING;
    return watch->kind == WATCH_TIMER && watch->due_ms >= 0 && watch->due_ms <= now_ms;
}

static int wait_limit(const struct loop *loop, int64_t timeout_ms)
{
    int64_t now_ms = clock_monotonic_ms();
    int64_t limit_ms = timeout_ms;

    for (size_t i = 0; i < loop->count; i++) {
        const struct loop_watch *watch = loop->watches[i];
        int64_t left_ms;

        if (is_due(watch, now_ms))
            return 0;
        if (watch->is_removed || watch->kind != WATCH_TIMER || watch->due_ms < 0)
            continue;
        left_ms = watch->due_ms - now_ms;
        if (limit_ms < 0 || left_ms < limit_ms)
            limit_ms = left_ms;
    }
    return limit_ms > INT32_MAX ? INT32_MAX : (int)limit_ms;
}

static struct pollfd poll_entry(const struct loop_watch *watch)
{
    /* poll() reports hang-ups always, so that a paused watch must not be in its list at all. */
    struct pollfd entry = {.fd = watch->is_removed || !watch->events ? -1 : watch->fd};

    if (watch->events & LOOP_READ)
        entry.events |= POLLIN;
    if (watch->events & LOOP_WRITE)
        entry.events |= POLLOUT;
    return entry;
}

static unsigned poll_result(const struct loop_watch *watch, short polled)
{
    unsigned events = 0;

    if (polled & (POLLIN | POLLHUP | POLLERR | POLLNVAL))
        events |= LOOP_READ;
    if (polled & (POLLOUT | POLLHUP | POLLERR | POLLNVAL))
        events |= LOOP_WRITE;
    if (polled & (POLLHUP | POLLERR | POLLNVAL))
        events |= LOOP_HANGUP;
    return events & watch->events;
}

static bool tell_signals(struct loop_watch *watch)
{
    int number;
    bool told = false;

    while (!watch->is_removed && (number = signals_next())) {
        watch->notify.signals(watch->context, number);
        told = true;
    }
    return told;
}

static bool tell_process(struct loop_watch *watch)
{
    if (!process_poll(watch->process))
        return false;
    loop_unwatch(watch);
    watch->notify.process(watch->context, watch->process);
    return true;
}

static bool tell_timer(struct loop_watch *watch, int64_t now_ms)
{
    if (!is_due(watch, now_ms))
        return false;
    watch->due_ms = watch->period_ms > 0 ? now_ms + watch->period_ms : -1;
    watch->notify.timer(watch->context);
    return true;
}

static bool tell_fd(struct loop_watch *watch, short polled)
{
    unsigned events = poll_result(watch, polled);

    if (!events)
        return false;
    watch->notify.fd(watch->context, events);
    return true;
}

bool loop_run_once(struct loop *loop, int64_t timeout_ms)
{
    size_t count = loop->count; /* what callbacks add waits for the next round */
    int64_t now_ms;
    bool told = false;

    if (loop->polled_capacity < count) {
        loop->polled_capacity = loop->capacity;
        loop->polled = xrealloc(loop->polled, loop->polled_capacity * sizeof *loop->polled);
    }
    for (size_t i = 0; i < count; i++)
        loop->polled[i] = poll_entry(loop->watches[i]);
    if (poll(loop->polled, count, wait_limit(loop, timeout_ms)) < 0)
        memset(loop->polled, 0, count * sizeof *loop->polled);
    now_ms = clock_monotonic_ms();
    for (size_t i = 0; i < count; i++) {
        struct loop_watch *watch = loop->watches[i];
        short polled = loop->polled[i].revents;

        if (watch->is_removed)
            continue;
        switch (watch->kind) {
        case WATCH_FD:
            told |= polled && tell_fd(watch, polled);
            break;
        case WATCH_TIMER:
            told |= tell_timer(watch, now_ms);
            break;
        case WATCH_PROCESS:
            told |= (polled || is_due(watch, now_ms)) && tell_process(watch);
            break;
        case WATCH_SIGNALS:
            told |= polled && tell_signals(watch);
            break;
        }
    }
    sweep(loop);
    return told;
}

void loop_run(struct loop *loop)
{
    loop->is_stopped = false;
    while (!loop->is_stopped && loop->count)
        loop_run_once(loop, -1);
}

void loop_stop(struct loop *loop)
{
    loop->is_stopped = true;
}
