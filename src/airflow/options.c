#include "airflow/options.h"

#include "base/memory.h"
#include "base/pep440.h"
#include "config/cast.h"
#include "config/env_name.h"

#include <ctype.h>
#include <string.h>

/* --- names -------------------------------------------------------------------------------- */

/* Options that have moved, and the version in which they did. The new names of Airflow 3 are given
 * to Airflow 2 by their old ones, too, so that a project can go back and forth. Chains (a name that
 * changed twice) are followed from top to bottom. */
static const struct renaming {
    const char *old_section, *old_key;
    const char *section, *key;
    const char *version;
} renamings[] = {
    {"core", "dag_concurrency", "core", "max_active_tasks_per_dag", "2.2"},
    {"core", "max_db_retries", "database", "max_db_retries", "2.3"},
    {"core", "load_default_connections", "database", "load_default_connections", "2.3"},
    {"core", "sql_alchemy_conn", "database", "sql_alchemy_conn", "2.3"},
    {"core", "sql_alchemy_connect_args", "database", "sql_alchemy_connect_args", "2.3"},
    {"core", "sql_alchemy_max_overflow", "database", "sql_alchemy_max_overflow", "2.3"},
    {"core", "sql_alchemy_pool_enabled", "database", "sql_alchemy_pool_enabled", "2.3"},
    {"core", "sql_alchemy_pool_pre_ping", "database", "sql_alchemy_pool_pre_ping", "2.3"},
    {"core", "sql_alchemy_pool_recycle", "database", "sql_alchemy_pool_recycle", "2.3"},
    {"core", "sql_alchemy_pool_size", "database", "sql_alchemy_pool_size", "2.3"},
    {"core", "sql_alchemy_schema", "database", "sql_alchemy_schema", "2.3"},
    {"core", "sql_engine_collation_for_ids", "database", "sql_engine_collation_for_ids", "2.3"},
    {"core", "sql_engine_encoding", "database", "sql_engine_encoding", "2.3"},
    {"core", "base_log_folder", "logging", "base_log_folder", "2.0"},
    {"core", "colored_console_log", "logging", "colored_console_log", "2.0"},
    {"core", "dag_processor_manager_log_location", "logging", "dag_processor_manager_log_location",
     "2.0"},
    {"core", "encrypt_s3_logs", "logging", "encrypt_s3_logs", "2.0"},
    {"core", "fab_logging_level", "logging", "fab_logging_level", "2.0"},
    {"core", "log_filename_template", "logging", "log_filename_template", "2.0"},
    {"core", "log_format", "logging", "log_format", "2.0"},
    {"core", "logging_config_class", "logging", "logging_config_class", "2.0"},
    {"core", "logging_level", "logging", "logging_level", "2.0"},
    {"core", "remote_base_log_folder", "logging", "remote_base_log_folder", "2.0"},
    {"core", "remote_log_conn_id", "logging", "remote_log_conn_id", "2.0"},
    {"core", "remote_logging", "logging", "remote_logging", "2.0"},
    {"core", "simple_log_format", "logging", "simple_log_format", "2.0"},
    {"core", "task_log_reader", "logging", "task_log_reader", "2.0"},
    {"celery", "worker_log_server_port", "logging", "worker_log_server_port", "2.2"},
    {"celery", "default_queue", "operators", "default_queue", "2.1"},
    {"scheduler", "max_threads", "scheduler", "parsing_processes", "1.10.14"},
    {"scheduler", "statsd_host", "metrics", "statsd_host", "2.0"},
    {"scheduler", "statsd_on", "metrics", "statsd_on", "2.0"},
    {"scheduler", "statsd_port", "metrics", "statsd_port", "2.0"},
    {"scheduler", "statsd_prefix", "metrics", "statsd_prefix", "2.0"},
    {"scheduler", "deactivate_stale_dags_interval", "scheduler", "parsing_cleanup_interval", "2.5"},
    {"api", "auth_backend", "api", "auth_backends", "2.3"},
    {"webserver", "update_fab_perms", "fab", "update_fab_perms", "2.9"},
    {"webserver", "auth_rate_limited", "fab", "auth_rate_limited", "2.9"},
    {"webserver", "auth_rate_limit", "fab", "auth_rate_limit", "2.9"},
    {"webserver", "access_logfile", "api", "access_logfile", "3.0"},
    {"webserver", "base_url", "api", "base_url", "3.0"},
    {"webserver", "web_server_host", "api", "host", "3.0"},
    {"webserver", "web_server_port", "api", "port", "3.0"},
    {"webserver", "web_server_ssl_cert", "api", "ssl_cert", "3.0"},
    {"webserver", "web_server_ssl_key", "api", "ssl_key", "3.0"},
    {"webserver", "web_server_worker_timeout", "api", "worker_timeout", "3.0"},
    {"webserver", "workers", "api", "workers", "3.0"},
    {"webserver", "expose_config", "api", "expose_config", "3.0.1"},
    {"webserver", "secret_key", "api", "secret_key", "3.0.2"},
    {"webserver", "enable_swagger_ui", "api", "enable_swagger_ui", "3.0.2"},
    {"webserver", "auto_refresh_interval", "api", "auto_refresh_interval", "3.1"},
    {"webserver", "default_wrap", "api", "default_wrap", "3.1"},
    {"webserver", "grid_view_sorting_order", "api", "grid_view_sorting_order", "3.1"},
    {"webserver", "hide_paused_dags_by_default", "api", "hide_paused_dags_by_default", "3.1"},
    {"webserver", "instance_name", "api", "instance_name", "3.1"},
    {"webserver", "log_fetch_timeout_sec", "api", "log_fetch_timeout_sec", "3.1"},
    {"webserver", "page_size", "api", "page_size", "3.1"},
    {"api", "page_size", "api", "fallback_page_limit", "3.2"},
    {"webserver", "require_confirmation_dag_change", "api", "require_confirmation_dag_change",
     "3.1"},
    {"webserver", "access_denied_message", "fab", "access_denied_message", "3.0.2"},
    {"webserver", "expose_hostname", "fab", "expose_hostname", "3.0.2"},
    {"webserver", "navbar_color", "fab", "navbar_color", "3.0.2"},
    {"webserver", "navbar_hover_color", "fab", "navbar_hover_color", "3.0.2"},
    {"webserver", "navbar_text_color", "fab", "navbar_text_color", "3.0.2"},
    {"webserver", "navbar_text_hover_color", "fab", "navbar_text_hover_color", "3.0.2"},
    {"workers", "execution_api_server_url", "core", "execution_api_server_url", "3.0"},
    {"core", "dag_file_processor_timeout", "dag_processor", "dag_file_processor_timeout", "3.0"},
    {"scheduler", "dag_dir_list_interval", "dag_processor", "refresh_interval", "3.0"},
    {"scheduler", "parsing_pre_import_modules", "dag_processor", "parsing_pre_import_modules",
     "3.0.4"},
    {"core", "max_num_rendered_ti_fields_per_task", "core",
     "num_dag_runs_to_retain_rendered_fields", "3.2"},
    {"scheduler", "running_metrics_interval", "scheduler", "ti_metrics_interval", "3.2"},
    {"triggerer", "default_capacity", "triggerer", "capacity", "3.0"},
};

static void set_name(const char *section, const char *key, char **old_section, char **old_key)
{
    free(*old_section);
    free(*old_key);
    *old_section = xstrdup(section);
    *old_key = xstrdup(key);
}

static bool rename_option(const char *version, char **section, char **key)
{
    bool renamed = false;

    for (size_t i = 0; i < ARRAY_LEN(renamings); i++) {
        const struct renaming *row = &renamings[i];
        bool is_old = !strcmp(*section, row->old_section) && !strcmp(*key, row->old_key);
        bool is_new = !strcmp(*section, row->section) && !strcmp(*key, row->key);
        bool has_new = pep440_compare(version, row->version) >= 0;

        if (is_old && has_new)
            set_name(row->section, row->key, section, key);
        else if (is_new && !has_new)
            set_name(row->old_section, row->old_key, section, key);
        else
            continue;
        renamed = true;
    }
    return renamed;
}

bool airflow_option_rename(const char *version, char **section, char **key)
{
    static const char *const suffixes[] = {"_cmd", "_secret"};

    for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
        size_t length = strlen(*key), suffix = strlen(suffixes[i]);

        if (length > suffix && !strcmp(*key + length - suffix, suffixes[i])) {
            auto_free char *stem = xstrndup(*key, length - suffix);

            if (!rename_option(version, section, &stem))
                return false;
            free(*key);
            *key = xasprintf("%s%s", stem, suffixes[i]);
            return true;
        }
    }
    return rename_option(version, section, key);
}

static char *lower(const char *text, size_t length)
{
    char *copy = xstrndup(text, length);

    for (char *c = copy; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    return copy;
}

bool airflow_variable_parse(const char *variable, char **section, char **key)
{
    static const char prefix[] = "AIRFLOW__";
    const char *rest, *separator;

    if (strncmp(variable, prefix, strlen(prefix)) != 0)
        return false;
    rest = variable + strlen(prefix);
    separator = strstr(rest, "__");
    if (!separator || separator == rest || !separator[2])
        return false;
    *section = lower(rest, (size_t)(separator - rest));
    *key = lower(separator + 2, strlen(separator + 2));
    return true;
}

char *airflow_variable_name(const char *section, const char *key)
{
    auto_strbuf struct strbuf name = STRBUF_INIT;

    strbuf_add(&name, "AIRFLOW__");
    strbuf_add_env_name(&name, section);
    strbuf_add(&name, "__");
    strbuf_add_env_name(&name, key);
    return strbuf_take(&name);
}

/* "core.executor" by its name, anything else by its variable; a section may have dots. */
static bool parse_setting(const struct setting_def *def, char **section, char **key)
{
    const char *dot = strrchr(def->name, '.');

    if (dot && dot != def->name && dot[1]) {
        *section = lower(def->name, (size_t)(dot - def->name));
        *key = lower(dot + 1, strlen(dot + 1));
        if (def->env && !strncmp(def->env, "AIRFLOW__", 9)) {
            auto_free char *variable = airflow_variable_name(*section, *key);

            if (strcmp(variable, def->env) != 0) {
                free(take(*section));
                free(take(*key));
                return airflow_variable_parse(def->env, section, key);
            }
        } else if (def->env && *def->env) {
            /* AIRFLOW_HOME and such: not among the options. */
            free(take(*section));
            free(take(*key));
            return false;
        }
        return true;
    }
    return def->env && airflow_variable_parse(def->env, section, key);
}

/* --- the list ----------------------------------------------------------------------------- */

static void clear_option(struct airflow_option *option)
{
    free(option->section);
    free(option->key);
    free(option->value);
    free(option->source);
}

void airflow_options_clear(struct airflow_options *options)
{
    for (size_t i = 0; i < options->count; i++)
        clear_option(&options->items[i]);
    free(options->items);
    *options = (struct airflow_options){0};
}

static int compare(const struct airflow_option *option, const char *section, const char *key)
{
    int order = strcmp(option->section, section);

    return order ? order : strcmp(option->key, key);
}

static size_t find_position(const struct airflow_options *options, const char *section,
                            const char *key, bool *found)
{
    size_t i = 0;

    while (i < options->count && compare(&options->items[i], section, key) < 0)
        i++;
    *found = i < options->count && !compare(&options->items[i], section, key);
    return i;
}

/* Takes the option, or frees it when another one wins. */
static void add_option(struct airflow_options *options, struct airflow_option *option)
{
    bool found;
    size_t at = find_position(options, option->section, option->key, &found);
    struct airflow_option *there = &options->items[at];

    if (found) {
        bool wins = option->origin != there->origin ? option->origin > there->origin
                                                    : there->is_renamed && !option->is_renamed;

        clear_option(wins ? there : option);
        if (wins)
            *there = *option;
        return;
    }
    GROW(options->items, options->count, options->capacity);
    memmove(&options->items[at + 1], &options->items[at],
            (options->count - at) * sizeof *options->items);
    options->items[at] = *option;
    options->count++;
}

const struct airflow_option *airflow_options_find(const struct airflow_options *options,
                                                  const char *section, const char *key)
{
    bool found;
    size_t at = find_position(options, section, key, &found);

    return found ? &options->items[at] : NULL;
}

const char *airflow_options_get(const struct airflow_options *options, const char *section,
                                const char *key)
{
    const struct airflow_option *option = airflow_options_find(options, section, key);

    return option ? option->value : NULL;
}

void airflow_options_add_default(struct airflow_options *options, const char *section,
                                 const char *key, const char *value)
{
    struct airflow_option option = {
        .section = xstrdup(section),
        .key = xstrdup(key),
        .value = xstrdup(value),
        .source = xasprintf("%s.%s", section, key),
        .is_renamed = true, /* it never wins */
    };

    add_option(options, &option);
}

/* --- collecting --------------------------------------------------------------------------- */

static enum airflow_origin origin_of(const struct plugin *plugin, const struct setting *setting)
{
    /* What a definition in meltano.yml itself says was written by somebody here. */
    return setting->source == SOURCE_DEFAULT && !plugin->is_custom ? AIRFLOW_DEFAULT
                                                                   : AIRFLOW_SETTING;
}

static void add_settings(const struct plugin_config *resolved, const char *version,
                         struct airflow_options *out)
{
    for (size_t i = 0; i < resolved->settings.count; i++) {
        const struct setting *setting = &resolved->settings.items[i];
        struct airflow_option option = {.origin = origin_of(resolved->plugin, setting)};

        if (value_is_null(setting->value) ||
            !parse_setting(setting->def, &option.section, &option.key))
            continue;
        option.value = setting_value_to_text(setting->value, setting->def->kind);
        option.source = xstrdup(setting->def->name);
        option.is_renamed = airflow_option_rename(version, &option.section, &option.key);
        add_option(out, &option);
    }
}

/* The value that the plugin's settings write to the variable; NULL: they write none. */
static char *written_value(const struct plugin_config *resolved, const char *variable)
{
    for (size_t i = 0; i < resolved->settings.count; i++) {
        const struct setting *setting = &resolved->settings.items[i];

        if (setting->def->env && !strcmp(setting->def->env, variable) &&
            !value_is_null(setting->value))
            return setting_value_to_text(setting->value, setting->def->kind);
    }
    return NULL;
}

/* A variable with the value that the settings give to it says nothing new: it may come from a
 * Meltano that has started us. */
static void add_variable(const struct plugin_config *resolved, const char *variable,
                         const char *value, const char *version, struct airflow_options *out)
{
    struct airflow_option option = {.origin = AIRFLOW_VARIABLE};
    auto_free char *written = NULL;

    if (!airflow_variable_parse(variable, &option.section, &option.key))
        return;
    written = written_value(resolved, variable);
    if (written && !strcmp(written, value)) {
        clear_option(&option);
        return;
    }
    option.value = xstrdup(value);
    option.source = xstrdup(variable);
    option.is_renamed = airflow_option_rename(version, &option.section, &option.key);
    add_option(out, &option);
}

static void add_variables(const struct plugin_config *resolved, const struct strmap *variables,
                          const char *version, struct airflow_options *out)
{
    for (size_t i = 0; i < variables->count; i++)
        add_variable(resolved, variables->entries[i].key, variables->entries[i].value, version,
                     out);
}

/* A value that comes from a command or a secrets backend would never be asked for beside a plain
 * one, and so a plain default has to go. */
static void remove_defaults_of_commands(struct airflow_options *options)
{
    for (size_t i = 0; i < options->count;) {
        struct airflow_option *option = &options->items[i];
        auto_free char *command = xasprintf("%s_cmd", option->key);
        auto_free char *secret = xasprintf("%s_secret", option->key);

        if (option->origin != AIRFLOW_DEFAULT ||
            (!airflow_options_find(options, option->section, command) &&
             !airflow_options_find(options, option->section, secret))) {
            i++;
            continue;
        }
        clear_option(option);
        memmove(option, option + 1, (options->count - i - 1) * sizeof *option);
        options->count--;
    }
}

void airflow_options_collect(const struct plugin_config *resolved, const struct strmap *env,
                             const char *version, struct airflow_options *out)
{
    /* The first variable of a name counts: env: blocks before what they were made from. */
    add_variables(resolved, env, version, out);
    add_variables(resolved, config_environ(resolved->config), version, out);
    add_variables(resolved, config_dotenv(resolved->config), version, out);
    add_settings(resolved, version, out);
    remove_defaults_of_commands(out);
}

void airflow_options_export(const struct airflow_options *options, const char *version,
                            struct strmap *env)
{
    auto_strlist struct strlist old = STRLIST_INIT;

    for (size_t i = 0; i < env->count; i++) {
        auto_free char *section = NULL, *key = NULL;

        if (airflow_variable_parse(env->entries[i].key, &section, &key) &&
            (airflow_option_rename(version, &section, &key) ||
             !airflow_options_find(options, section, key)))
            strlist_add(&old, env->entries[i].key);
    }
    for (size_t i = 0; i < old.count; i++)
        strmap_remove(env, old.items[i]);
    for (size_t i = 0; i < options->count; i++) {
        const struct airflow_option *option = &options->items[i];
        auto_free char *name = airflow_variable_name(option->section, option->key);

        strmap_set(env, name, option->value);
    }
}
