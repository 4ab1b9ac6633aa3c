#include "process/process.h"

#include "base/attrs.h"
#include "base/file.h"
#include "process/guard.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* A signalfd needs the signals blocked, so that no handler exists that could interrupt anything.
 * What is started in the meantime gets them unblocked (signals_restore_for_exec()). */

static const int watched[] = {SIGTERM, SIGINT, SIGHUP, SIGNAL_PARENT_DIED};
static int signal_fd = -1;
static unsigned watcher_count;
static enum news { NEWS_NONE, NEWS_PARENT_DIED, NEWS_ORDER } heard;
static sigset_t blocked_by_us;

int signals_watch(void)
{
    if (watcher_count++)
        return signal_fd;
    sigemptyset(&blocked_by_us);
    for (size_t i = 0; i < ARRAY_LEN(watched); i++) {
        struct sigaction action;

        sigaction(watched[i], NULL, &action);
        if (action.sa_handler != SIG_IGN || watched[i] == SIGTERM)
            sigaddset(&blocked_by_us, watched[i]);
    }
    sigprocmask(SIG_BLOCK, &blocked_by_us, NULL);
    signal_fd = signalfd(-1, &blocked_by_us, SFD_NONBLOCK | SFD_CLOEXEC);
    return signal_fd;
}

/* What says no more than was heard before: that our parent died, when we were told to end, and the
 * first order to end, when our parent had died. The two can be pending together, in either order.
 */
static bool is_old_news(int number)
{
    enum news before = heard;

    if (number == SIGNAL_PARENT_DIED) {
        heard = before == NEWS_NONE ? NEWS_PARENT_DIED : before;
        return before != NEWS_NONE;
    }
    heard = NEWS_ORDER;
    return before == NEWS_PARENT_DIED;
}

int signals_next(void)
{
    struct signalfd_siginfo info;

    do {
        if (signal_fd < 0 || read(signal_fd, &info, sizeof info) != sizeof info)
            return 0;
    } while (is_old_news((int)info.ssi_signo));
    return info.ssi_signo == SIGNAL_PARENT_DIED ? SIGTERM : (int)info.ssi_signo;
}

bool signals_are_pending(void)
{
    struct pollfd signals = {.fd = signal_fd, .events = POLLIN};

    return poll(&signals, 1, 0) > 0;
}

int signals_check(const char *meanwhile, struct error *err)
{
    switch (signals_next()) {
    case 0:
        return 0;
    case SIGINT:
        return error_set(err, ERR_INTERRUPTED, "interrupted %s", meanwhile);
    default:
        return error_set(err, ERR_TERMINATED, "terminated %s", meanwhile);
    }
}

void signals_unwatch(void)
{
    if (!watcher_count || --watcher_count)
        return;
    fd_close(&signal_fd);
    sigprocmask(SIG_UNBLOCK, &blocked_by_us, NULL);
}
