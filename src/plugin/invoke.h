/* plugin/invoke.h - `invoke`: one program of a plugin with the caller's arguments and terminal. */
#ifndef PLUGIN_INVOKE_H
#define PLUGIN_INVOKE_H

#include "base/error.h"
#include "base/strlist.h"
#include "base/value.h"
#include "config/config.h"

#include <stdbool.h>

struct invoke_options {
    const char *command;             /* of the plugin, NULL: none */
    const struct strlist *args;      /* passed on; may be NULL */
    const struct strlist *variables; /* printed as "NAME=value" first; may be NULL */
    const char *dump;                /* "config" or "catalog": print that file, start nothing */
    bool refresh_catalog;
};

/* Runs the program to its end. Standard input and output are ours; its standard error goes to the
 * log. A tap without args is prepared for a sync first. *status is what to end with: the program's
 * own exit status, or 256 - N when signal N ended it, as Meltano has it. -1: it was not started. */
int plugin_invoke(struct config *config, struct plugin *plugin,
                  const struct invoke_options *options, int *status, struct error *err);

/* The names and descriptions of the plugin's commands, as `--list-commands` prints them. */
int plugin_print_commands(struct plugin *plugin, struct error *err);

/* The tap's catalog after all rules, for `select --list`. The caller frees *out. */
int plugin_load_catalog(struct config *config, struct plugin *plugin, bool refresh,
                        struct value **out, struct error *err);

#endif
