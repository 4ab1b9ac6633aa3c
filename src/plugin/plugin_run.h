/* plugin/plugin_run.h - a plugin ready to be started: files, arguments, environment.
 *
 * Where the files of a Singer plugin go: every start has a directory of its own,
 * <sys>/run/<plugin>/<id>, gone at its end (plugin/run_dir.h). The configuration is a file in it,
 * mode 0600, named as Meltano names it. It is no memory file, although both the Singer SDK and
 * singer-python read one from /proc/self/fd/N: programs that the plugin starts in turn (wrappers,
 * containers; Python closes descriptors for its children) could not open it, and extractors that
 * write a renewed token back could not write it. Of what Meltano keeps in <sys>/run/<plugin> the
 * catalog and its cache key are read and written too, so that either program uses the other's. */
#ifndef PLUGIN_PLUGIN_RUN_H
#define PLUGIN_PLUGIN_RUN_H

#include "base/error.h"
#include "base/strlist.h"
#include "base/strmap.h"
#include "config/config.h"
#include "plugin/run_dir.h"
#include "project/project.h"

#include <stdbool.h>

/* What the caller decides about a start. */
struct invocation_options {
    /* For catalog, state and logging files, which stay in it; there is no catalog cache then. NULL:
     * the start's own directory. */
    const char *run_dir;
    const char *run_id;     /* names the start's own directory; may be NULL */
    const char *state_json; /* the merged state's {"singer_state": ...}, NULL: none */
    bool is_stateless;      /* nobody looked for state, and none is passed */
    bool files_only;        /* nothing will be started, so the program need not exist */
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
    char *catalog_path; /* NULL when there is none; taps without the capability do not get it */
    char *state_path;   /* likewise */
    /* private */
    struct run_dir own_dir;
    char *executable;
    char *catalog_key; /* of the catalog that is there, NULL when it has none */
};

/* Resolves the plugin's configuration and writes its files; does not start anything. Fails with
 * ERR_START when its executable does not exist. argv is what Meltano passes to a plugin that is
 * started with further arguments: catalog and state are those that lie ready. */
int invocation_prepare(struct config *config, struct plugin *plugin,
                       const struct invocation_options *options, struct invocation *out,
                       struct error *err);
/* The steps before a tap's sync: state file, discovery (or the cached catalog), catalog rules.
 * Starts the tap with --discover when needed. Does nothing for other plugins. */
int invocation_prepare_sync(struct config *config, struct invocation *invocation,
                            const struct invocation_options *options, struct error *err);
/* argv for running a plugin's command ("dbt:run"), with args (may be NULL) after it. */
int invocation_set_command(struct invocation *invocation, const char *name,
                           const struct strlist *args, struct error *err);
/* Adds the arguments of a command, with the variables in them expanded. */
int plugin_command_expand(const struct plugin_command *command, const struct strmap *env,
                          struct strlist *out, struct error *err);
/* The plugin's command of that name; NULL with an error that lists those it has. */
const struct plugin_command *plugin_require_command(struct plugin *plugin, const char *name,
                                                    struct error *err);
/* Removes what must not stay (config files) and frees the rest. */
void invocation_end(struct invocation *invocation);

/* <sys>/<plural>/<dir name>/venv; the caller frees it. */
char *plugin_venv_path(const struct plugin *plugin);

#endif
