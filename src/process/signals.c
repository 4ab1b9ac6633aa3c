#include "process/process.h"

#include "base/attrs.h"
#include "base/file.h"
#include "process/guard.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* A signalfd needs the signals blocked, so that no handler exists that could interrupt anything.
 * What is started in the meantime gets them unblocked (signals_restore_for_exec()). */

static const int watched[] = {SIGTERM, SIGINT, SIGHUP, SIGNAL_PARENT_DIED};
static int signal_fd = -1;
static unsigned watcher_count;
static bool was_told; /* by any of them */
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

int signals_next(void)
{
    struct signalfd_siginfo info;
    int number;

    do {
        if (signal_fd < 0 || read(signal_fd, &info, sizeof info) != sizeof info)
            return 0;
        number = (int)info.ssi_signo;
    } while (number == SIGNAL_PARENT_DIED && was_told);
    was_told = true;
    return number == SIGNAL_PARENT_DIED ? SIGTERM : number;
}

void signals_unwatch(void)
{
    if (!watcher_count || --watcher_count)
        return;
    fd_close(&signal_fd);
    sigprocmask(SIG_UNBLOCK, &blocked_by_us, NULL);
}
