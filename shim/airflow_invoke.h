/* shim/airflow_invoke.h - `invoke airflow ...` without the Python Meltano, and the same from it: it
 * starts us by the name meltshim-airflow where the plugin's entry says so. */
#ifndef SHIM_AIRFLOW_INVOKE_H
#define SHIM_AIRFLOW_INVOKE_H

#include "base/strlist.h"
#include "shim/app.h"

#include <stdbool.h>

/* The name under which the Python Meltano starts us as the plugin's program. */
#define AIRFLOW_PROGRAM_NAME "meltshim-airflow"

struct airflow_call {
    const char *command;             /* of the plugin, NULL: none */
    const struct strlist *words;     /* for airflow */
    const struct strlist *variables; /* printed first */
    bool dumps_config;               /* print airflow.cfg and start nothing */
};

/* Makes of "meltshim-airflow WORDS..." the command line "invoke PLUGIN WORDS...", for the plugin in
 * whose name we were started. */
void airflow_rewrite_command_line(struct app *app, int argc, char **argv, struct strlist *out);

/* Whether the call is ours: Airflow's own program, and not a script or a container that the project
 * has put in its place. The plugin is resolved. */
bool airflow_takes_call(const struct plugin *plugin, const char *command);

/* Prepares Airflow and becomes it, or supervises its processes. */
int airflow_call(struct app *app, struct plugin *plugin, const struct airflow_call *call,
                 struct error *err);

#endif
