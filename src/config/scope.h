/* config/scope.h - private to src/config: the settings of one plugin, or of the project, and the
 * layers they are looked for in. A setting is resolved on demand, and once. */
#ifndef CONFIG_SCOPE_H
#define CONFIG_SCOPE_H

#include "base/error.h"
#include "base/strlist.h"
#include "base/strmap.h"
#include "base/value.h"
#include "config/config.h"
#include "config/expand.h"

#include <stdbool.h>
#include <stddef.h>

struct config {
    struct project *project;
    struct strmap environ_map;
    struct strmap dotenv;
    char *dotenv_path;
    const struct environment *environment;
    bool environment_is_default;
    struct value *overrides; /* of project settings, by name */
    int (*read_db_settings)(void *context, const char *setting_namespace, struct value **out,
                            struct error *err);
    void *db_context;
    char parent_context[40];

    /* What follows depends on the active environment and is made on first use. */
    struct strmap project_env; /* the process environment, MELTANO_PROJECT_ROOT..., env: on top */
    struct strmap base_env;    /* project_env and all project settings */
    struct scope *project_scope;
    struct setting_list project_settings;
    enum { STRICT_UNKNOWN, STRICT_OFF, STRICT_ON } strict;
};

struct scope_entry {
    const struct setting_def *def;
    struct setting setting;
    enum { ENTRY_UNRESOLVED, ENTRY_RESOLVING, ENTRY_RESOLVED } state;
    bool is_expandable; /* still: it was not expanded, for others inherit from this scope */
    bool is_redacted;   /* a parent gave the word for a secret instead of it */
};

struct scope {
    struct config *config;
    struct plugin *plugin; /* NULL: the project. Of a mapping, its mapper */
    struct scope *parent;  /* of the plugin it inherits from */
    bool is_parent;        /* others inherit from it: nothing is expanded */
    bool reads_db;
    const char *redacted; /* what stands for secrets, NULL: they are shown */
    struct strlist read_prefixes, write_prefixes;
    struct strmap env;         /* what settings are read from and expanded with, but for .env */
    struct value *environment; /* flat maps: the active environment's entry, meltano.yml's, */
    struct value *yml;
    struct value *overrides;
    struct value *db; /* the system database's, once it was read */

    struct setting_def_list own_defs; /* custom settings and extras */
    struct scope_entry *entries;
    size_t count, capacity;
    size_t inheritable; /* the first so many are there for plugins that inherit from this one */
    size_t *slots;      /* open addressing by name: position + 1, 0 is free */
    size_t slot_count;

    struct strmap written; /* variables of the ordinary settings, for the expansion of extras */
    bool has_written;
};

struct scope_options {
    struct plugin *plugin; /* resolved; NULL: the project */
    const struct strmap *upstream;
    const struct value *overrides; /* map by setting name */
    const char *redacted;
    bool reads_db;
};

int scope_new(struct config *config, const struct scope_options *options, struct scope **out,
              struct error *err);
void scope_free(struct scope *scope);
DEFINE_AUTO_FREE(struct scope, scope, scope_free)
#define auto_scope ATTR_CLEANUP(scope_auto)

/* By canonical name; NULL when there is none. */
struct scope_entry *scope_find(const struct scope *scope, const char *name);
/* By canonical name or alias, as 'config set' looks settings up. */
const struct setting_def *scope_find_def(const struct scope *scope, const char *name);
int scope_resolve(struct scope *scope, struct scope_entry *entry, struct error *err);
/* The value, or the word that stands for it; the caller frees it. */
struct value *scope_shown_value(const struct scope_entry *entry, const char *redacted);

/* The variables a setting is read from; a leading '!' negates. */
void scope_read_names(const struct scope *scope, const struct setting_def *def,
                      struct strlist *out);
/* The variables a setting is written to. */
void scope_written_names(const struct scope *scope, const struct setting_def *def,
                         struct strlist *out);
enum scope_part { SCOPE_ORDINARY = 1, SCOPE_EXTRAS = 2, SCOPE_ALL = 3 };
bool scope_has(enum scope_part part, const struct setting_def *def);
/* Sets the written variables of every setting that has a value. */
int scope_written_variables(struct scope *scope, enum scope_part part, const char *redacted,
                            struct strmap *out, struct error *err);
/* "extractor 'tap-x'", "Meltano"; buffer is used as needed. */
const char *scope_describe(const struct scope *scope, char *buffer, size_t size);
/* The namespace of the rows in the system database. The caller frees it. */
char *scope_db_namespace(const struct scope *scope);

/* The settings of the project, without those in the system database. */
int config_project_scope(struct config *config, struct scope **out, struct error *err);

/* --- environments (plugin_env.c) ------------------------------------------------------------ */

/* What project settings are read from, and what all plugins' environments begin with. */
const struct strmap *config_project_env(struct config *config);
int config_base_env(struct config *config, const struct strmap **out, struct error *err);
/* What the settings of a plugin are read from and expanded with. */
int config_settings_env(struct config *config, const struct plugin *plugin,
                        const struct scope *parent, const struct strmap *upstream,
                        struct strmap *out, struct error *err);
/* EXPAND_MISSING_REFUSE under ff.strict_env_var_mode. */
int config_expand_missing(struct config *config, enum expand_missing *out, struct error *err);
/* The values of an env: block as text; null counts as absent. */
void config_add_env_block(struct strmap *out, const struct value *block);
/* A mapping's settings are those of its mapper. */
const struct plugin *plugin_identity(const struct plugin *plugin);
/* MELTANO_EXTRACTOR_NAME, _NAMESPACE and _VARIANT. */
void plugin_info_variables(const struct plugin *plugin, struct strmap *out);

#endif
