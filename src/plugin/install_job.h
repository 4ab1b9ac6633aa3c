/* plugin/install_job.h - one plugin being installed: its commands, one after the other, in a loop.
 * Private to src/plugin. */
#ifndef PLUGIN_INSTALL_JOB_H
#define PLUGIN_INSTALL_JOB_H

#include "base/error.h"
#include "base/strlist.h"
#include "config/config.h"
#include "plugin/install.h"
#include "plugin/install_env.h"
#include "plugin/install_tools.h"
#include "process/line_reader.h"
#include "process/loop.h"
#include "process/process.h"

#include <stdbool.h>
#include <stdint.h>

#define INSTALL_TAIL_LINES 20

enum install_job_state {
    INSTALL_WAITING, /* not begun, or another program holds the lock */
    INSTALL_RUNNING,
    INSTALL_DONE,
    INSTALL_NOT_NEEDED, /* another program did it while we waited */
    INSTALL_FAILED,
};

struct install_command {
    struct strlist argv;
    bool makes_venv;
    bool may_fail;
};

struct install_job {
    struct plugin *plugin;
    struct install_env env;
    enum install_job_state state;
    struct error failure;
    int64_t started_ms;
    bool waits_for_lock;
    struct strlist tail; /* the last lines of the command that runs or failed */

    /* private */
    struct config *config;
    const struct install_options *options;
    const struct install_tools *tools;
    struct loop *loop;
    struct install_command commands[3];
    size_t command_count, command;
    struct process process;
    int output_fd, log_fd;
    struct line_reader *reader;
    struct loop_watch *output_watch, *end_watch, *lock_timer;
    void (*notify)(void *context, struct install_job *job);
    void *context;
};

/* Takes the lock and starts the first command. notify is called whenever the state changes and
 * when the job has to wait for the lock; the last state is one of the lower three. plugin and env
 * are set; the rest is zeroed. */
void install_job_begin(struct install_job *job, struct config *config,
                       const struct install_options *options, const struct install_tools *tools,
                       struct loop *loop, void (*notify)(void *context, struct install_job *job),
                       void *context);
/* Ends what runs and undoes what was made; notify is not called. */
void install_job_cancel(struct install_job *job);
void install_job_clear(struct install_job *job);

#endif
