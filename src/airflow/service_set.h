/* airflow/service_set.h - long-running processes of Airflow, started in order, watched, and ended
 * together.
 *
 * Each runs under a guard in a session of its own, so that a Ctrl-C in the terminal reaches none of
 * them but through us, and none outlives us. SIGTERM, SIGINT and SIGHUP end them in reverse order:
 * the program itself gets SIGTERM, for Airflow's processes end their workers themselves. The last
 * one, which has the tasks, is waited for up to a limit; a second signal (after two seconds: one
 * Ctrl-C may come to us by several ways) or the limit ends its tasks, too: SIGTERM to everything
 * below it, SIGKILL ten seconds later. */
#ifndef AIRFLOW_SERVICE_SET_H
#define AIRFLOW_SERVICE_SET_H

#include "base/error.h"
#include "base/strlist.h"

#include <stdbool.h>
#include <stdint.h>

struct service {
    char *name; /* "dag-processor" */
    struct strlist argv;
};

/* Before the one after it starts, or the set counts as started, it must answer here. */
struct service_gate {
    const char *service; /* NULL: none has to */
    char *host, *port;
    const char *path; /* NULL: a connection is enough */
};

struct service_set {
    struct service *items; /* in the order of their start */
    size_t count, capacity;
    const struct strlist *env;
    struct service_gate gate;
    bool has_tasks;          /* the last one */
    int64_t stop_timeout_ms; /* for the last one if it has tasks; negative: no limit */
    /* Of one that is alone: its standard error goes where our standard output goes, for the reader
     * of ours may end before it. With several, their lines go there in any case, each after its
     * name. */
    bool errors_to_output;
    bool follows_parent; /* the death of our parent is a SIGTERM */
    /* Of who has started us, if he wants to hear when all of them are started and when they are
     * stopped; borrowed. */
    const char *notify_socket;
};

struct service *service_set_add(struct service_set *set, const char *name);
void service_set_clear(struct service_set *set);
#define auto_service_set ATTR_CLEANUP(service_set_clear)

/* Runs them until one ends or a signal comes, and then ends all. 0: they ended because they were
 * told to, or the last one did by itself (then *status is its own, as 'invoke' has it). -1: one of
 * them failed, or could not be started. */
int service_set_run(const struct service_set *set, int *status, struct error *err);

#endif
