/* airflow/probe.h - asks an HTTP server again and again until it answers, from an event loop. */
#ifndef AIRFLOW_PROBE_H
#define AIRFLOW_PROBE_H

#include "base/error.h"
#include "process/loop.h"

#include <stdbool.h>

struct probe;

/* Whether somebody takes connections there now. */
bool probe_port_is_taken(const char *host, const char *port);

/* Connects every 200 ms, sends GET path, and is done when the answer's status is below 500; with
 * path NULL (TLS, which it does not speak) when the connection is made. */
struct probe *probe_new(struct loop *loop, const char *host, const char *port, const char *path);
/* NULL is fine. */
void probe_free(struct probe *probe);
bool probe_is_answered(const struct probe *probe);

#endif
