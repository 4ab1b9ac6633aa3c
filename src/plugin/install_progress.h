/* plugin/install_progress.h - what is going on, at the bottom of a terminal: a line for each
 * installation that runs. Elsewhere it shows nothing. Private to src/plugin. */
#ifndef PLUGIN_INSTALL_PROGRESS_H
#define PLUGIN_INSTALL_PROGRESS_H

#include "plugin/install_job.h"

#include <stdbool.h>
#include <stddef.h>

struct install_progress {
    bool is_live;
    size_t lines; /* on the screen now */
};

/* Live when standard error is a terminal and the log goes there in a form for people. */
void install_progress_init(struct install_progress *progress);
void install_progress_draw(struct install_progress *progress, const struct install_job *jobs,
                           size_t count);
/* Before anything else is written, and at the end. */
void install_progress_erase(struct install_progress *progress);

#endif
