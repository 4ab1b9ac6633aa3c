/* project/project.h - what a project's meltano.yml, included files and plugin definitions say.
 *
 * project_load() reads and checks the project files, each once. Definitions of plugins (lock
 * files, the hub) are read only for the plugins that are asked for: plugin_resolve(). Values are
 * raw here: nothing is expanded or cast, and environments are not applied; that is config's work.
 */
#ifndef PROJECT_PROJECT_H
#define PROJECT_PROJECT_H

#include "base/error.h"
#include "base/strlist.h"
#include "base/value.h"
#include "project/plugin_def.h"
#include "project/plugin_type.h"

#include <stdbool.h>

struct project;

/* A plugin of the project, or a mapping of a mapper. */
struct plugin {
    struct project *project;
    enum plugin_type type;
    char *name;
    const struct value *entry; /* its mapping in meltano.yml; positions for messages. Borrowed */

    /* As written in the entry; NULL or empty when absent. */
    char *inherit_from;
    bool is_custom;       /* the entry is its own definition: a namespace, no inherit_from */
    struct value *config; /* map, may be NULL */
    struct value *extras; /* map of the keys that are no plugin attributes, without '_'; or NULL */
    struct value *env;    /* map or NULL */

    /* A mapping: its mapper and its config; the mapping's own name is in name. */
    struct plugin *mapper;
    const struct value *mapping_config;

    /* Below: only after plugin_resolve(). A mapping has all of its mapper's. */
    bool is_resolved, is_resolving;
    struct plugin *parent; /* the project plugin it inherits from, NULL when none */
    char *dir_name;        /* of its directory below .meltano/<plural>/ */
    /* Of the definition where the chain of parents ends: a custom plugin, a lock file, the hub. */
    char *definition_name, *definition_namespace;
    char *namespace;
    char *variant; /* "default" when none is known */
    char *label;
    char *pip_url; /* unexpanded; NULL: not installable */
    char *python;
    char *executable;
    char *docs, *repo, *description, *logo_url;
    char *requires_meltano;
    struct strlist capabilities;
    struct value *settings_group_validation;
    /* Parent's or locked ones first, then its own. Keys of config: that have no definition are not
     * among them (config adds those as custom settings). */
    struct setting_def_list settings;
    struct plugin_command *commands;
    size_t command_count;
    struct value *default_extras; /* extras of the definition: defaults of the extra settings */
    struct value *requires;
    struct strlist supported_python_versions;
};

struct environment {
    char *name;
    const struct value *entry; /* borrowed */
    const struct value *env;   /* map or NULL, borrowed */
    char *state_id_suffix;     /* unexpanded, NULL when absent */
};

struct job {
    char *name;
    const struct value *entry; /* borrowed */
    const struct value *tasks; /* list of strings and lists of strings, or null; borrowed */
};

struct schedule {
    char *name;
    const struct value *entry; /* borrowed */
    char *interval;            /* as written; NULL when null */
    char *job;                 /* NULL for an extract-load schedule */
    char *extractor, *loader, *transform;
    const struct value *env;         /* map or NULL, borrowed */
    const struct value *annotations; /* map or NULL, borrowed */
};

struct project {
    char *root;                    /* absolute, resolved */
    char *file;                    /* <root>/meltano.yml */
    char *sys_dir;                 /* MELTANO_SYS_DIR_ROOT or <root>/.meltano */
    struct strlist included_files; /* absolute, in the order they were merged */
    struct value *document;        /* meltano.yml with included files merged */
    const struct value *env;       /* top-level env:, map or NULL */
    const struct value *annotations;
    char *requires_meltano;
    struct plugin **plugins; /* by type in Meltano's order, file order within; mappings after
                                their mapper */
    size_t plugin_count;
    struct environment *environments;
    size_t environment_count;
    struct job *jobs;
    size_t job_count;
    struct schedule *schedules;
    size_t schedule_count;
    /* private */
    struct value *definitions; /* lock files by path: each is read once */
    int (*fetch_definition)(void *context, const struct plugin *plugin, const char *name,
                            const char *variant, struct value **out, struct error *err);
    void *fetch_context;
};

/* Finds the root: MELTANO_PROJECT_ROOT if not empty (then no walking), else the first directory
 * with a meltano.yml from start upwards. The caller frees *root. Without one: ERR_USAGE. */
int project_find_root(const char *start, char **root, struct error *err);

/* Loads and checks meltano.yml and what it includes. The caller owns *out. */
int project_load(const char *root, struct project **out, struct error *err);
void project_free(struct project *project);
DEFINE_AUTO_FREE(struct project, project, project_free)
#define auto_project ATTR_CLEANUP(project_auto)

/* How a definition without a lock file is found: the hub. Without one, plugin_resolve() says which
 * lock file is missing. The context must outlive the project. */
void project_set_definition_source(struct project *project,
                                   int (*fetch)(void *context, const struct plugin *plugin,
                                                const char *name, const char *variant,
                                                struct value **out, struct error *err),
                                   void *context);

/* Look-ups by name; NULL when there is none. A plugin is found in the order of the types, by its
 * own name first, then (mappers) by mapping name. Borrowed. */
struct plugin *project_find_plugin(const struct project *project, const char *name);
struct plugin *project_find_plugin_of_type(const struct project *project, enum plugin_type type,
                                           const char *name);
/* As project_find_plugin(), with Meltano's messages for an unknown name and for a mapping name
 * that two mappers use. */
struct plugin *project_require_plugin(const struct project *project, const char *name,
                                      struct error *err);
const struct environment *project_find_environment(const struct project *project, const char *name);
const struct job *project_find_job(const struct project *project, const char *name);
const struct schedule *project_find_schedule(const struct project *project, const char *name);
/* The job of a job schedule; an error names the schedule's line when there is no such job. */
const struct job *schedule_require_job(const struct project *project,
                                       const struct schedule *schedule, struct error *err);

/* The entry of a plugin in an environment (environments[].config.plugins.<plural>[]), first match
 * by type and name; NULL when there is none. A map {name, config, env, extras...}, borrowed. */
const struct value *environment_plugin_entry(const struct environment *environment,
                                             const struct plugin *plugin);

/* Fills in what the definition says: own entry, parent, lock file, hub. Idempotent. */
int plugin_resolve(struct plugin *plugin, struct error *err);
bool plugin_has_capability(const struct plugin *plugin, const char *capability);
const struct plugin_command *plugin_find_command(const struct plugin *plugin, const char *name);
/* "extractor 'tap-x'" */
const char *plugin_describe(const struct plugin *plugin, char *buffer, size_t size);

/* Where a plugin's lock file is: <root>/plugins/<plural>/<name>--<variant>.lock. The caller frees
 * it. */
char *project_lock_path(const struct project *project, enum plugin_type type, const char *name,
                        const char *variant);

/* Five cron fields for an interval ("@daily" and such are expanded); NULL for @once, @manual,
 * @none and null. Borrowed from the schedule or a constant. */
const char *schedule_cron(const struct schedule *schedule);
/* The check of 'schedule add': an alias or five valid cron fields. */
bool interval_is_valid(const char *interval);

#endif
