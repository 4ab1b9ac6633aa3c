#include "config/config.h"

#include "base/memory.h"
#include "base/path.h"
#include "base/uuid.h"
#include "config/dotenv.h"
#include "config/scope.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static char *dotenv_path(const struct project *project, const char *env_file)
{
    return path_join(project->root, env_file ? env_file : ".env");
}

/* What depends on the active environment is made anew when it changes. */
static void forget_resolved(struct config *config)
{
    strmap_clear(&config->project_env);
    strmap_clear(&config->base_env);
    scope_free(take(config->project_scope));
    free(config->project_settings.items);
    config->project_settings = (struct setting_list){0};
    config->strict = STRICT_UNKNOWN;
}

static struct value *copy_overrides(const struct strmap *overrides)
{
    struct value *map = value_new_map();

    for (size_t i = 0; overrides && i < overrides->count; i++)
        value_set_string(map, overrides->entries[i].key, overrides->entries[i].value);
    return map;
}

int config_open(struct project *project, const struct strmap *environ_map,
                const struct config_options *options, struct config **out, struct error *err)
{
    auto_config struct config *config = xcalloc(1, sizeof *config);

    config->project = project;
    strmap_merge(&config->environ_map, environ_map);
    /* Runs are recorded with what started them, and so plugins see it. */
    if (!strmap_has(&config->environ_map, "MELTANO_JOB_TRIGGER"))
        strmap_set(&config->environ_map, "MELTANO_JOB_TRIGGER", "cli");
    config->overrides = copy_overrides(options->overrides);
    config->read_db_settings = options->read_db_settings;
    config->db_context = options->db_context;
    uuid_new_v4(config->parent_context);
    config->dotenv_path = dotenv_path(project, options->env_file);
    if (dotenv_load(config->dotenv_path, &config->environ_map, &config->dotenv, err) < 0 ||
        config_activate_environment(config, options->environment, options->environment_is_default,
                                    err) < 0)
        return -1;
    *out = take(config);
    return 0;
}

void config_free(struct config *config)
{
    if (!config)
        return;
    forget_resolved(config);
    strmap_clear(&config->environ_map);
    strmap_clear(&config->dotenv);
    free(config->dotenv_path);
    value_free(config->overrides);
    free(config);
}

struct project *config_project(const struct config *config)
{
    return config->project;
}

const struct strmap *config_environ(const struct config *config)
{
    return &config->environ_map;
}

const struct strmap *config_dotenv(const struct config *config)
{
    return &config->dotenv;
}

const struct environment *config_environment(const struct config *config)
{
    return config->environment;
}

bool config_environment_is_default(const struct config *config)
{
    return config->environment_is_default;
}

static bool is_given(const char *text)
{
    return text && *text;
}

int config_choose_environment(struct config *config, const char *option, bool no_environment,
                              bool use_default, char **name, bool *is_default, struct error *err)
{
    const char *chosen = option;
    auto_free char *fallback = NULL;

    *name = NULL;
    *is_default = false;
    /* A variable that is set but empty hides the one in .env. */
    if (!is_given(chosen))
        chosen = strmap_get(&config->environ_map, "MELTANO_ENVIRONMENT");
    if (!chosen)
        chosen = strmap_get(&config->dotenv, "MELTANO_ENVIRONMENT");
    if (no_environment || (is_given(chosen) && !strcasecmp(chosen, "null")))
        return 0;
    if (is_given(chosen)) {
        *name = xstrdup(chosen);
        return 0;
    }
    if (!use_default)
        return 0;
    if (config_project_text(config, "default_environment", &fallback, err) < 0)
        return -1;
    if (is_given(fallback)) {
        *name = take(fallback);
        *is_default = true;
    }
    return 0;
}

static int refuse_environment(const struct project *project, const char *name, bool is_default,
                              struct error *err)
{
    auto_strbuf struct strbuf names = STRBUF_INIT;

    for (size_t i = 0; i < project->environment_count; i++)
        strbuf_addf(&names, "%s%s", i ? ", " : "", project->environments[i].name);
    error_set(err, ERR_CONFIG, "Environment '%s' was not found", name);
    if (names.length)
        return error_hint(err, "%sThe project has: %s.",
                          is_default ? "It is the project's default_environment. " : "",
                          strbuf_text(&names));
    return error_hint(err, "Add it with 'meltano environment add %s'.", name);
}

int config_activate_environment(struct config *config, const char *name, bool is_default,
                                struct error *err)
{
    const struct environment *environment = NULL;

    if (name) {
        environment = project_find_environment(config->project, name);
        if (!environment)
            return refuse_environment(config->project, name, is_default, err);
    }
    forget_resolved(config);
    config->environment = environment;
    config->environment_is_default = environment && is_default;
    return 0;
}

int config_project_scope(struct config *config, struct scope **out, struct error *err)
{
    struct scope_options options = {.overrides = config->overrides};

    if (!config->project_scope && scope_new(config, &options, &config->project_scope, err) < 0)
        return -1;
    *out = config->project_scope;
    return 0;
}

const struct setting *config_project_setting(struct config *config, const char *name,
                                             struct error *err)
{
    struct scope *scope;
    struct scope_entry *entry;

    if (config_project_scope(config, &scope, err) < 0)
        return NULL;
    entry = scope_find(scope, name);
    assert(entry || !"a project setting that does not exist");
    return scope_resolve(scope, entry, err) < 0 ? NULL : &entry->setting;
}

int config_project_text(struct config *config, const char *name, char **out, struct error *err)
{
    const struct setting *setting = config_project_setting(config, name, err);

    if (!setting)
        return -1;
    *out = value_is_null(setting->value)
               ? NULL
               : setting_value_to_text(setting->value, setting->def->kind);
    return 0;
}

int config_project_bool(struct config *config, const char *name, bool *out, struct error *err)
{
    const struct setting *setting = config_project_setting(config, name, err);

    if (!setting)
        return -1;
    *out = value_is_truthy(setting->value);
    return 0;
}

int config_project_int(struct config *config, const char *name, int *out, struct error *err)
{
    const struct setting *setting = config_project_setting(config, name, err);
    const char *text;
    long long number;
    char *end;

    if (!setting)
        return -1;
    text = value_text(setting->value);
    if (!text || (number = strtoll(text, &end, 10), *end) || number < INT_MIN || number > INT_MAX) {
        error_set(err, ERR_CONFIG, "setting '%s' of Meltano is no integer of at most 32 bits",
                  name);
        return error_hint(err, "Give it with 'meltano config set meltano %s NUMBER'.", name);
    }
    *out = (int)number;
    return 0;
}

void setting_list_add(struct setting_list *list, const struct setting *setting)
{
    GROW(list->items, list->count, list->capacity);
    list->items[list->count++] = *setting;
}

const struct setting *setting_list_find(const struct setting_list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (!strcmp(list->items[i].def->name, name))
            return &list->items[i];
    return NULL;
}

int config_project_settings(struct config *config, const struct setting_list **out,
                            struct error *err)
{
    struct scope *scope;

    if (config_project_scope(config, &scope, err) < 0)
        return -1;
    for (size_t i = config->project_settings.count; i < scope->count; i++) {
        if (scope_resolve(scope, &scope->entries[i], err) < 0)
            return -1;
        setting_list_add(&config->project_settings, &scope->entries[i].setting);
    }
    *out = &config->project_settings;
    return 0;
}

int config_state_id_suffix(struct config *config, const char *override, char **out,
                           struct error *err)
{
    const struct strmap *base;
    enum expand_missing missing;

    if (override || !config->environment || !config->environment->state_id_suffix) {
        *out = xstrdup_or_null(override);
        return 0;
    }
    if (config_base_env(config, &base, err) < 0 || config_expand_missing(config, &missing, err) < 0)
        return -1;
    if (expand_text_in(config->environment->state_id_suffix,
                       (const struct strmap *const[]){base, &config->dotenv, NULL}, missing, out,
                       err) < 0)
        return error_wrap(err, "state_id_suffix of environment '%s'", config->environment->name);
    return 0;
}
