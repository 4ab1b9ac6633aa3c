/* plugin/attend.h - runs one program of a plugin to its end: its standard error goes to the log,
 * signals sent to us are passed on to it, and nothing that it started is left behind. */
#ifndef PLUGIN_ATTEND_H
#define PLUGIN_ATTEND_H

#include "base/error.h"
#include "base/strlist.h"
#include "base/value.h"
#include "process/process.h"
#include "project/project.h"

#include <stdbool.h>
#include <stdint.h>

/* How many of its last lines are kept. */
#define ATTEND_TAIL_LINES 20

struct attend_spec {
    const struct plugin *plugin; /* in whose name its lines are logged */
    const struct strlist *argv, *env;
    const char *cwd;         /* NULL: ours */
    int input_fd, output_fd; /* as in struct spawn_spec */
    /* If set, its standard output comes here line by line and output_fd does not count. False:
     * enough was seen; the program is then ended. Lines that are longer come in pieces. */
    bool (*take_line)(void *context, const char *line, size_t length);
    size_t max_line_bytes; /* 0: 64 KiB */
    /* Told of each line of its standard error; may be NULL. */
    void (*see_error_line)(void *context, const char *line, size_t length);
    void *context;
    const struct value *log_fields; /* added to each line of its standard error; may be NULL */
    /* It stays in our process group, so that it can use the terminal, and Ctrl-C there is its
     * affair alone. */
    bool uses_terminal;
    /* From the first signal to SIGKILL, milliseconds; negative: no limit. A second signal kills in
     * any case. */
    int64_t grace_ms;
};

struct attend_result {
    struct process_end end;
    int signal_number;   /* the first one that we were sent, 0: none */
    bool was_enough;     /* take_line said so */
    struct strlist tail; /* the last lines of its standard error */
};
void attend_result_clear(struct attend_result *result);
#define auto_attend_result ATTR_CLEANUP(attend_result_clear)

/* result must be zeroed. -1 only when the program could not be started (ERR_START). */
int attend(const struct attend_spec *spec, struct attend_result *result, struct error *err);

/* The error for a signal that ended it: ERR_INTERRUPTED or ERR_TERMINATED, "WHAT was ...". */
int attend_signal_error(const struct attend_result *result, const char *what, struct error *err);

#endif
