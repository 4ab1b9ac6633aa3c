#include "base/memory.h"
#include "base/path.h"
#include "base/version.h"
#include "config/cast.h"
#include "config/env_name.h"
#include "config/expand.h"
#include "config/scope.h"

#include <string.h>

const struct plugin *plugin_identity(const struct plugin *plugin)
{
    return plugin->mapper ? plugin->mapper : plugin;
}

void config_add_env_block(struct strmap *out, const struct value *block)
{
    for (size_t i = 0; i < value_count(block); i++) {
        const struct value_member *member = value_member_at(block, i);
        auto_strbuf struct strbuf text = STRBUF_INIT;

        if (value_is_null(member->value))
            continue;
        strbuf_add_py_str(&text, member->value);
        strmap_set(out, member->key, strbuf_text(&text));
    }
}

void plugin_info_variables(const struct plugin *plugin, struct strmap *out)
{
    const struct plugin *named = plugin_identity(plugin);
    auto_strbuf struct strbuf type = STRBUF_INIT;
    auto_free char *name = NULL, *namespace = NULL, *variant = NULL;

    strbuf_add_env_name(&type, plugin_type_info(plugin->type)->singular);
    name = xasprintf("MELTANO_%s_NAME", strbuf_text(&type));
    namespace = xasprintf("MELTANO_%s_NAMESPACE", strbuf_text(&type));
    variant = xasprintf("MELTANO_%s_VARIANT", strbuf_text(&type));
    strmap_set(out, name, named->name);
    strmap_set(out, namespace, named->namespace);
    strmap_set(out, variant, named->variant);
}

int config_expand_missing(struct config *config, enum expand_missing *out, struct error *err)
{
    bool is_strict;

    /* The setting itself is read without expansion, or it would depend on itself. */
    if (config->strict == STRICT_UNKNOWN) {
        config->strict = STRICT_OFF;
        if (config_project_bool(config, "ff.strict_env_var_mode", &is_strict, err) < 0) {
            config->strict = STRICT_UNKNOWN;
            return -1;
        }
        config->strict = is_strict ? STRICT_ON : STRICT_OFF;
    }
    *out = config->strict == STRICT_ON ? EXPAND_MISSING_REFUSE : EXPAND_MISSING_EMPTY;
    return 0;
}

/* Expands the values of an env: block against the layers and puts them into out. */
static int add_expanded_block(struct config *config, const struct value *block, const char *what,
                              const struct strmap *const *layers, struct strmap *out,
                              struct error *err)
{
    auto_strmap struct strmap raw = STRMAP_INIT;
    enum expand_missing missing;

    if (config_expand_missing(config, &missing, err) < 0)
        return -1;
    config_add_env_block(&raw, block);
    for (size_t i = 0; i < raw.count; i++) {
        auto_free char *text = NULL;

        if (expand_text_in(raw.entries[i].value, layers, missing, &text, err) < 0)
            return error_wrap(err, "variable '%s' under env: of %s", raw.entries[i].key, what);
        strmap_set(out, raw.entries[i].key, text ? text : "");
    }
    return 0;
}

const struct strmap *config_project_env(struct config *config)
{
    struct strmap *env = &config->project_env;

    if (!env->count) {
        strmap_merge(env, &config->environ_map);
        strmap_set(env, "MELTANO_PROJECT_ROOT", config->project->root);
        strmap_set(env, "MELTANO_ENVIRONMENT",
                   config->environment ? config->environment->name : "");
        strmap_set(env, "MELTANO_SYS_DIR_ROOT", config->project->sys_dir);
        strmap_set(env, "MELTANO_USER_AGENT", "Meltano/" MELTANO_VERSION);
        config_add_env_block(env, config->project->env);
    }
    return env;
}

int config_base_env(struct config *config, const struct strmap **out, struct error *err)
{
    struct strmap *env = &config->base_env;
    auto_strmap struct strmap written = STRMAP_INIT;
    struct scope *scope;

    if (!env->count) {
        if (config_project_scope(config, &scope, err) < 0 ||
            scope_written_variables(scope, SCOPE_ALL, NULL, &written, err) < 0)
            return -1;
        strmap_merge(env, config_project_env(config));
        strmap_merge(env, &written);
    }
    *out = env;
    return 0;
}

/* The env: block of a plugin in the active environment. */
static const struct value *environment_block(const struct config *config,
                                             const struct plugin *plugin)
{
    if (!config->environment)
        return NULL;
    return value_get(environment_plugin_entry(config->environment, plugin_identity(plugin)), "env");
}

int config_settings_env(struct config *config, const struct plugin *plugin,
                        const struct scope *parent, const struct strmap *upstream,
                        struct strmap *out, struct error *err)
{
    auto_strmap struct strmap active = STRMAP_INIT;
    const struct strmap *base;

    if (config_base_env(config, &base, err) < 0)
        return -1;
    if (parent)
        strmap_merge(out, &parent->env);
    strmap_merge(out, base);
    if (upstream)
        strmap_merge(out, upstream);
    plugin_info_variables(plugin, out);
    config_add_env_block(out, plugin->env);
    if (config->environment &&
        add_expanded_block(config, config->environment->env, "the active environment",
                           (const struct strmap *const[]){out, NULL}, &active, err) < 0)
        return -1;
    strmap_merge(out, &active);
    config_add_env_block(out, environment_block(config, plugin));
    return 0;
}

/* What the env: block of an environment sees: project_env and .env, both expanded against the
 * process environment. Variables that came from there as they are cannot be at fault. */
static int make_visible_env(struct config *config, struct strmap *out, struct error *err)
{
    const struct strmap *const layers[] = {&config->environ_map, NULL};
    const struct strmap *project_env = config_project_env(config);
    enum expand_missing missing;

    if (config_expand_missing(config, &missing, err) < 0)
        return -1;
    for (size_t i = 0; i < project_env->count; i++) {
        const struct strmap_entry *entry = &project_env->entries[i];
        const char *given = strmap_get(&config->environ_map, entry->key);
        bool is_ours = !given || strcmp(given, entry->value) != 0;
        auto_free char *text = NULL;

        if (expand_text_in(entry->value, layers, is_ours ? missing : EXPAND_MISSING_EMPTY, &text,
                           err) < 0)
            return -1;
        strmap_set(out, entry->key, text ? text : "");
    }
    for (size_t i = 0; i < config->dotenv.count; i++) {
        const struct strmap_entry *entry = &config->dotenv.entries[i];
        auto_free char *text = NULL;

        if (expand_text_in(entry->value, layers, missing, &text, err) < 0)
            return -1;
        strmap_set(out, entry->key, text ? text : "");
    }
    return 0;
}

/* The env: blocks of the environment, the plugin, and the plugin in the environment. Each sees the
 * one before it and nothing else. */
static int add_env_blocks(struct config *config, const struct plugin *plugin, struct strmap *out,
                          struct error *err)
{
    auto_strmap struct strmap visible = STRMAP_INIT, active = STRMAP_INIT, own = STRMAP_INIT,
                              own_active = STRMAP_INIT;
    char what[256];

    plugin_describe(plugin_identity(plugin), what, sizeof what);
    if (make_visible_env(config, &visible, err) < 0)
        return -1;
    if (config->environment &&
        add_expanded_block(config, config->environment->env, "the active environment",
                           (const struct strmap *const[]){&visible, NULL}, &active, err) < 0)
        return -1;
    if (add_expanded_block(config, plugin->env, what, (const struct strmap *const[]){&active, NULL},
                           &own, err) < 0 ||
        add_expanded_block(config, environment_block(config, plugin), what,
                           (const struct strmap *const[]){&own, NULL}, &own_active, err) < 0)
        return -1;
    strmap_merge(out, &own);
    strmap_merge(out, &active);
    strmap_merge(out, &own_active);
    return 0;
}

static bool is_airflow(const struct plugin *plugin)
{
    return !strcmp(plugin->definition_name, "airflow") ||
           !strcmp(plugin->definition_namespace, "airflow");
}

/* What Airflow sets for its own processes would reach a plugin that has Airflow among its
 * libraries. What the project sets itself is meant and stays. */
static void remove_airflow_variables(const struct config *config, struct strmap *env)
{
    static const char *const prefixes[] = {"AIRFLOW__", "_AIRFLOW_", "__AIRFLOW_"};

    for (size_t i = 0; i < config->environ_map.count; i++) {
        const struct strmap_entry *entry = &config->environ_map.entries[i];
        const char *value = strmap_get(env, entry->key);

        for (size_t k = 0; k < ARRAY_LEN(prefixes); k++)
            if (!strncmp(entry->key, prefixes[k], strlen(prefixes[k])) && value &&
                !strcmp(value, entry->value))
                strmap_remove(env, entry->key);
    }
}

/* The plugin's own virtual environment, and nothing of ours. */
static void set_virtual_environment(const struct plugin *plugin, struct strmap *env)
{
    const char *path = strmap_get(env, "PATH");
    auto_free char *venv = NULL;

    strmap_remove(env, "VIRTUAL_ENV");
    strmap_remove(env, "PYTHONPATH");
    if (!plugin->pip_url || !*plugin->pip_url)
        return;
    venv = path_joinf(plugin->project->sys_dir, "%s/%s/venv",
                      plugin_type_info(plugin->type)->plural, plugin->dir_name);
    strmap_set(env, "VIRTUAL_ENV", venv);
    if (path) {
        auto_free char *before = xstrdup(path);

        strmap_setf(env, "PATH", "%s/bin:%s", venv, before);
    } else {
        strmap_setf(env, "PATH", "%s/bin", venv);
    }
}

int config_plugin_environment(struct config *config, const struct plugin_config *resolved,
                              struct strmap *out, struct error *err)
{
    auto_strmap struct strmap env = STRMAP_INIT;

    strmap_merge(&env, &config->dotenv);
    strmap_merge(&env, &resolved->scope->env);
    if (scope_written_variables(resolved->scope, SCOPE_ALL, NULL, &env, err) < 0 ||
        add_env_blocks(config, resolved->plugin, &env, err) < 0)
        return -1;
    strmap_set(&env, "MELTANO_PARENT_CONTEXT_UUID", config->parent_context);
    if (!strmap_has(&env, "PYTHONWARNINGS"))
        strmap_set(&env, "PYTHONWARNINGS", "once");
    set_virtual_environment(resolved->plugin, &env);
    if (!is_airflow(resolved->plugin))
        remove_airflow_variables(config, &env);
    strmap_merge(out, &env);
    return 0;
}

int config_pip_environment(struct config *config, struct plugin *plugin, struct strmap *out,
                           struct error *err)
{
    auto_strmap struct strmap visible = STRMAP_INIT, project = STRMAP_INIT;
    char what[256];

    if (plugin_resolve(plugin, err) < 0 || make_visible_env(config, &visible, err) < 0)
        return -1;
    /* The plugin's env: block sees the project, but not .env. */
    for (size_t i = 0; i < config_project_env(config)->count; i++) {
        const struct strmap_entry *entry = &config_project_env(config)->entries[i];
        auto_free char *text = NULL;

        expand_text(entry->value, &config->environ_map, EXPAND_MISSING_EMPTY, &text, err);
        strmap_set(&project, entry->key, text ? text : "");
    }
    strmap_merge(out, &visible);
    plugin_info_variables(plugin, out);
    plugin_describe(plugin, what, sizeof what);
    return add_expanded_block(config, plugin->env, what,
                              (const struct strmap *const[]){&project, NULL}, out, err);
}
