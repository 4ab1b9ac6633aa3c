/* pipeline/end_cause.h - why a process ended, told apart from how it ended: what it did itself,
 * what was done to it, and what followed from somebody else's end. */
#ifndef PIPELINE_END_CAUSE_H
#define PIPELINE_END_CAUSE_H

#include "process/process.h"

#include <stdbool.h>

enum end_cause {
    CAUSE_FINISHED,      /* exit status 0, everything done */
    CAUSE_FAILED,        /* another exit status */
    CAUSE_CRASHED,       /* a signal of its own making: SIGSEGV, SIGABRT, ... */
    CAUSE_KILLED,        /* a signal from outside that was not ours */
    CAUSE_OUT_OF_MEMORY, /* the kernel's OOM killer */
    CAUSE_NOT_STARTED,   /* it could not be executed */
    CAUSE_SKIPPED,       /* nobody tried to start it */
    CAUSE_BROKEN_PIPE,   /* whoever read its output went away first */
    CAUSE_EARLY_END,     /* exit status 0 before everything was handed to it */
    CAUSE_LINGERED,      /* had nothing left to do, stayed, and was ended by us */
    CAUSE_STOPPED,       /* ended by us: the run was told to end, or another process had failed */
    CAUSE_TIMEOUT,       /* ended by us: --timeout ran out */
    CAUSE_IDLE,          /* ended by us: no byte moved for --idle-timeout */
    CAUSE_COUNT,
};

/* What is known when a process has ended. */
struct end_facts {
    const struct process_end *end;
    bool was_started;
    bool was_stopped;          /* we have sent it a signal, because of stop_cause */
    enum end_cause stop_cause; /* CAUSE_STOPPED, CAUSE_TIMEOUT or CAUSE_IDLE */
    bool has_lingered;
    bool reader_left; /* before it had ended */
    bool left_early;  /* it went away before it had read everything */
};

enum end_cause end_cause_find(const struct end_facts *facts);
/* "finished", "broken_pipe", ...: stable words. */
const char *end_cause_name(enum end_cause cause);

#endif
