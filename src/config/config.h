/* config/config.h - resolved settings: of the project and of its plugins, with Meltano's layers.
 *
 * A struct config is made once per command: project, active environment, .env, process
 * environment, command line overrides. Everything it hands out lives as long as it does unless a
 * comment says otherwise. */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "base/error.h"
#include "base/strbuf.h"
#include "base/strmap.h"
#include "base/value.h"
#include "config/cast.h"
#include "project/project.h"

#include <stdbool.h>

/* Where a value came from, highest first. */
enum setting_source {
    SOURCE_OVERRIDE,            /* a command line flag */
    SOURCE_ENV,                 /* the environment, env: blocks included */
    SOURCE_DOTENV,              /* .env */
    SOURCE_MELTANO_ENVIRONMENT, /* the active environment in meltano.yml */
    SOURCE_MELTANO_YML,
    SOURCE_DB,
    SOURCE_INHERITED,
    SOURCE_DEFAULT,
    SOURCE_COUNT,
};

/* One resolved setting. */
struct setting {
    const struct setting_def *def;
    struct value *value;      /* expanded and cast; VALUE_NULL when unset */
    struct value *unexpanded; /* before variables were expanded in it; NULL when there are none */
    bool is_decimal;          /* Python's Decimal, which prints itself as such */
    enum setting_source source;
    char *source_variable;      /* the variable that was read, for env and .env; else NULL */
    const char *inherited_from; /* name of the parent for SOURCE_INHERITED */
};

struct setting_list {
    struct setting *items;
    size_t count, capacity;
};

void setting_list_add(struct setting_list *list, const struct setting *setting);
const struct setting *setting_list_find(const struct setting_list *list, const char *name);

struct config_options {
    const char *env_file; /* --env-file, NULL: <root>/.env */
    /* The environment to activate at once. NULL: none, or config_activate_environment() follows. */
    const char *environment;
    bool environment_is_default;
    /* Project settings given on the command line (database_uri, cli.log_level, ...). */
    const struct strmap *overrides;
    /* Rows of plugin_settings by namespace; NULL when no database is at hand. */
    int (*read_db_settings)(void *context, const char *setting_namespace, struct value **out,
                            struct error *err);
    void *db_context;
};

struct config;

/* environ_map is the process environment, copied. */
int config_open(struct project *project, const struct strmap *environ_map,
                const struct config_options *options, struct config **out, struct error *err);
void config_free(struct config *config);
DEFINE_AUTO_FREE(struct config, config, config_free)
#define auto_config ATTR_CLEANUP(config_auto)

struct project *config_project(const struct config *config);
/* The process environment it was opened with. */
const struct strmap *config_environ(const struct config *config);
/* The active environment, NULL when none. */
const struct environment *config_environment(const struct config *config);
/* The values of .env, in file order. */
const struct strmap *config_dotenv(const struct config *config);
/* Environment selection as Meltano does it: --environment, MELTANO_ENVIRONMENT in the process, then
 * in .env, then (if use_default) the setting default_environment; the word "null" means none. It
 * selects only: activate what was chosen with config_activate_environment(). *name is NULL when
 * none is chosen; the caller frees it. */
int config_choose_environment(struct config *config, const char *option, bool no_environment,
                              bool use_default, char **name, bool *is_default, struct error *err);
/* Makes the environment the active one (NULL: none) before any plugin is resolved. An unknown name
 * is an error. */
int config_activate_environment(struct config *config, const char *name, bool is_default,
                                struct error *err);
/* Whether the active environment is there by default_environment only. */
bool config_environment_is_default(const struct config *config);

/* Settings of the project itself, resolved on first use. */
const struct setting *config_project_setting(struct config *config, const char *name,
                                             struct error *err);
/* Text of a project setting; NULL when unset. The caller frees *out. */
int config_project_text(struct config *config, const char *name, char **out, struct error *err);
int config_project_bool(struct config *config, const char *name, bool *out, struct error *err);
int config_project_int(struct config *config, const char *name, int *out, struct error *err);
/* The suffix of state ids: override if it is not NULL, else the active environment's
 * state_id_suffix, expanded. NULL or empty: none. The caller frees *out. */
int config_state_id_suffix(struct config *config, const char *override, char **out,
                           struct error *err);
/* All of them, in the order Meltano lists them. */
int config_project_settings(struct config *config, const struct setting_list **out,
                            struct error *err);

struct scope;

/* A plugin with everything known about its configuration in one place. */
struct plugin_config {
    struct config *config;
    struct plugin *plugin;
    struct setting_list settings; /* ordinary settings, definition order */
    struct setting_list extras;   /* names with a leading '_' */
    /* What settings are read from and expanded with: the process environment, the env: blocks, and
     * variables for the project's settings, for the plugin and for those before it in a pipeline.
     * Below it is .env. */
    const struct strmap *settings_env;
    struct scope *scope; /* private */
};

/* upstream: variables that plugins before this one in a pipeline give to it, which
 * plugin_config_downstream() collected;
 * extra_overrides: values for extras given on the command line (_select_filter, _catalog, _state).
 * Both may be NULL. The caller frees *out with plugin_config_free(). */
int config_resolve_plugin(struct config *config, struct plugin *plugin,
                          const struct strmap *upstream, const struct value *extra_overrides,
                          struct plugin_config **out, struct error *err);
void plugin_config_free(struct plugin_config *resolved);
DEFINE_AUTO_FREE(struct plugin_config, plugin_config, plugin_config_free)
#define auto_plugin_config ATTR_CLEANUP(plugin_config_auto)

/* The configuration as the plugin gets it in its config file: for Singer plugins a tree without
 * nulls, for others a flat map by dotted name. The caller frees it. */
int plugin_config_document(const struct plugin_config *resolved, struct value **out,
                           struct error *err);
/* The value of an extra such as "_load_schema"; NULL when there is no such extra or it is unset.
 * Borrowed from resolved. */
const struct value *plugin_config_extra(const struct plugin_config *resolved, const char *name);

/* The environment of the plugin's process, but for the variables that name files of a run
 * (SINGER_SDK_LOG_CONFIG, LOGGING_CONF_FILE). What Airflow set for its own processes (AIRFLOW__*,
 * _AIRFLOW_*, __AIRFLOW_*) is left out, except for Airflow itself. */
int config_plugin_environment(struct config *config, const struct plugin_config *resolved,
                              struct strmap *out, struct error *err);
/* What this plugin adds for the plugins after it in a pipeline: its written variables. */
void plugin_config_downstream(const struct plugin_config *resolved, struct strmap *out);
/* MELTANO_EXTRACTOR_NAME and so on, and a variable for every setting that has a value, under each
 * name that Meltano writes it to. */
void plugin_config_written_variables(const struct plugin_config *resolved, bool with_extras,
                                     struct strmap *out);
/* The environment that pip_url is expanded against. MELTANO__PYTHON_VERSION, which yields to all
 * of it, is the installer's to add: it knows the Python. */
int config_pip_environment(struct config *config, struct plugin *plugin, struct strmap *out,
                           struct error *err);

/* Registers every sensitive value of resolved with base/redact.h. */
void plugin_config_register_secrets(const struct plugin_config *resolved);

#endif
