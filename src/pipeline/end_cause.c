#include "pipeline/end_cause.h"

#include "base/attrs.h"

#include <signal.h>

static const char *const cause_names[] = {
    [CAUSE_FINISHED] = "finished",
    [CAUSE_FAILED] = "failed",
    [CAUSE_CRASHED] = "crashed",
    [CAUSE_KILLED] = "killed",
    [CAUSE_OUT_OF_MEMORY] = "out_of_memory",
    [CAUSE_NOT_STARTED] = "not_started",
    [CAUSE_SKIPPED] = "skipped",
    [CAUSE_BROKEN_PIPE] = "broken_pipe",
    [CAUSE_EARLY_END] = "early_end",
    [CAUSE_LINGERED] = "lingered",
    [CAUSE_STOPPED] = "stopped",
    [CAUSE_TIMEOUT] = "timeout",
    [CAUSE_IDLE] = "idle",
};
_Static_assert(ARRAY_LEN(cause_names) == CAUSE_COUNT, "a cause has no name");

const char *end_cause_name(enum end_cause cause)
{
    return cause_names[cause];
}

static bool is_crash(int signal_number)
{
    static const int crashes[] = {SIGSEGV, SIGABRT, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS};

    for (size_t i = 0; i < ARRAY_LEN(crashes); i++)
        if (crashes[i] == signal_number)
            return true;
    return false;
}

/* A process that writes to nobody gets SIGPIPE or reports the error. If it died of the signal that
 * we sent on that occasion, it was stopped. */
static bool is_broken_pipe(const struct end_facts *facts)
{
    const struct process_end *end = facts->end;

    if (!facts->reader_left)
        return false;
    return end->kind == EXIT_STATUS ? end->code != 0 : end->code == SIGPIPE;
}

enum end_cause end_cause_find(const struct end_facts *facts)
{
    const struct process_end *end = facts->end;

    if (end->kind == EXIT_NOT_STARTED && end->code)
        return CAUSE_NOT_STARTED;
    if (!facts->was_started)
        return CAUSE_SKIPPED;
    if (end->out_of_memory)
        return CAUSE_OUT_OF_MEMORY;
    if (facts->has_lingered)
        return CAUSE_LINGERED;
    if (is_broken_pipe(facts))
        return CAUSE_BROKEN_PIPE;
    if (facts->was_stopped)
        return facts->stop_cause;
    if (end->kind == EXIT_RUNNING)
        return CAUSE_STOPPED; /* it is ended with the block */
    if (end->kind == EXIT_SIGNAL)
        return is_crash(end->code) ? CAUSE_CRASHED : CAUSE_KILLED;
    if (end->code)
        return CAUSE_FAILED;
    return facts->left_early ? CAUSE_EARLY_END : CAUSE_FINISHED;
}
