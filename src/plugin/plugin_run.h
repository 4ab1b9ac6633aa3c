/* plugin/plugin_run.h - a plugin ready to be started: files, arguments, environment. */
#ifndef PLUGIN_PLUGIN_RUN_H
#define PLUGIN_PLUGIN_RUN_H

#include "base/error.h"
#include "base/strlist.h"
#include "base/strmap.h"
#include "config/config.h"
#include "project/project.h"

#include <stdbool.h>

/* What the caller decides about a start. */
struct invocation_options {
    const char *run_dir;    /* NULL: <sys>/run/<plugin name> */
    const char *run_id;     /* keeps the files of concurrent runs apart; may be NULL */
    bool is_stateless;      /* no state is read: a state file that is there is left alone */
    const char *state_json; /* the merged state's {"singer_state": ...}, NULL: none */
    bool full_refresh;
    bool refresh_catalog;
    const struct strmap *upstream;       /* variables of the plugins before it, may be NULL */
    const struct value *extra_overrides; /* _select_filter, _catalog, _state; may be NULL */
};

/* Owns its strings and, until invocation_end(), the secret files. */
struct invocation {
    struct plugin *plugin;
    struct plugin_config *config;
    struct strlist argv;
    struct strlist env;
    char *cwd; /* NULL: ours */
    char *run_dir;
    char *config_path;  /* NULL when the plugin takes none */
    char *catalog_path; /* NULL when none is passed */
    char *state_path;
    int config_fd; /* of a sealed memfd, -1 when config_path is a file */
};

/* Resolves the plugin's configuration and writes its files (0600); does not start anything. Fails
 * with ERR_START when its executable does not exist. */
int invocation_prepare(struct config *config, struct plugin *plugin,
                       const struct invocation_options *options, struct invocation *out,
                       struct error *err);
/* The steps before a tap's sync: state file, discovery (or the cached catalog), catalog rules.
 * Starts the tap with --discover when needed. */
int invocation_prepare_sync(struct config *config, struct invocation *invocation,
                            const struct invocation_options *options, struct error *err);
/* argv for running a plugin's command ("dbt:run"), with args after it. */
int invocation_set_command(struct config *config, struct invocation *invocation,
                           const char *command, const struct strlist *args, struct error *err);
/* Removes what must not stay (config files) and frees the rest. */
void invocation_end(struct invocation *invocation);

/* Path of the program: in the plugin's environment, below the root, or in PATH (spec 4.7). */
int plugin_find_executable(struct config *config, struct plugin *plugin, const char *executable,
                           char **out, struct error *err);
/* <sys>/<plural>/<dir name>/venv; the caller frees it. */
char *plugin_venv_path(const struct plugin *plugin);

#endif
