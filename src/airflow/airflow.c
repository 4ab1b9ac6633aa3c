#include "airflow/airflow.h"

#include "airflow/cfg.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/path.h"
#include "config/env_name.h"
#include "plugin/plugin_run.h"

#include <string.h>

#define PLUGIN_NAME     "airflow"
#define OUR_PROGRAM     "meltshim-airflow"
#define EXTENSION       "airflow_invoker"
#define CONFIG_NAME     "airflow.cfg"
#define STATE_DIR       "airflow"
#define DEFAULT_PORT    "8080"
#define EXTRA_PREFIX    "_meltshim_"
#define VARIABLE_PREFIX "AIRFLOW__MELTSHIM_"

/* --- the plugin --------------------------------------------------------------------------- */

bool airflow_is_plugin(const struct plugin *plugin)
{
    return !strcmp(plugin->name, PLUGIN_NAME) &&
           (plugin->type == PLUGIN_ORCHESTRATOR || plugin->type == PLUGIN_UTILITY);
}

struct plugin *airflow_find_plugin(const struct project *project)
{
    struct plugin *found = project_find_plugin_of_type(project, PLUGIN_ORCHESTRATOR, PLUGIN_NAME);

    return found ? found : project_find_plugin_of_type(project, PLUGIN_UTILITY, PLUGIN_NAME);
}

bool airflow_is_native(const struct plugin *plugin)
{
    const char *name = path_name(plugin->executable);

    return !strcmp(name, PLUGIN_NAME) || !strcmp(name, OUR_PROGRAM) || !strcmp(name, EXTENSION);
}

bool airflow_is_elsewhere(const struct plugin *plugin)
{
    auto_free char *venv = NULL;

    if (strcmp(path_name(plugin->executable), EXTENSION) != 0 || !plugin->pip_url ||
        !*plugin->pip_url)
        return false;
    venv = plugin_venv_path(plugin);
    return !airflow_is_installed_in(venv);
}

/* In the plugin's own environment; without one, the program that the entry names, or the one on the
 * PATH. */
static char *find_own_program(const struct plugin *plugin)
{
    auto_free char *venv = NULL;

    if (plugin->pip_url && *plugin->pip_url) {
        venv = plugin_venv_path(plugin);
        return path_join(venv, "bin/" PLUGIN_NAME);
    }
    if (strchr(plugin->executable, '/') && !strcmp(path_name(plugin->executable), PLUGIN_NAME))
        return path_join(plugin->project->root, plugin->executable);
    return xstrdup(PLUGIN_NAME);
}

static int find_installed(struct airflow *airflow, struct error *err)
{
    auto_free char *program = find_own_program(airflow->plugin);
    auto_strlist struct strlist env = STRLIST_INIT;
    char name[256];

    plugin_describe(airflow->plugin, name, sizeof name);
    if (strchr(program, '/') && !file_exists(program)) {
        error_set(err, ERR_START, "%s is not installed: there is no %s", name, program);
        return error_hint(err, "Run 'meltshim install'.");
    }
    strmap_to_environ(&airflow->env, &env);
    return airflow_installed_find(program, &env, &airflow->installed, err);
}

/* --- where its files are ------------------------------------------------------------------ */

/* The plugin's setting for a variable. */
static const struct setting *find_by_variable(const struct airflow *airflow, const char *variable)
{
    const struct setting_list *settings = &airflow->config->settings;

    for (size_t i = 0; i < settings->count; i++)
        if (settings->items[i].def->env && !strcmp(settings->items[i].def->env, variable) &&
            value_text(settings->items[i].value))
            return &settings->items[i];
    return NULL;
}

static bool is_given(const struct airflow *airflow, const struct setting *setting)
{
    return setting && (setting->source != SOURCE_DEFAULT || airflow->plugin->is_custom);
}

/* A path from the environment counts for utilities, as in Meltano, but not the two that Meltano
 * gives to an orchestrator when it starts us. */
static const char *path_variable(const struct airflow *airflow, const char *variable)
{
    const char *path = strmap_get(config_environ(airflow->config->config), variable);

    return airflow->plugin->type == PLUGIN_UTILITY && path && *path ? path : NULL;
}

/* Meltano empties its run directory at each installation. */
static bool is_lasting(const struct airflow *airflow, const char *path)
{
    auto_free char *run_dir = path_join(airflow->plugin->project->sys_dir, "run");

    return !path_is_inside(path, run_dir);
}

static void find_files(struct airflow *airflow)
{
    const char *root = airflow->plugin->project->root;
    const struct setting *home = find_by_variable(airflow, "AIRFLOW_HOME");
    const struct setting *file = find_by_variable(airflow, "AIRFLOW_CONFIG");
    const char *home_variable = home ? NULL : path_variable(airflow, "AIRFLOW_HOME");
    const char *file_variable = file ? NULL : path_variable(airflow, "AIRFLOW_CONFIG");

    airflow->state_dir = path_join(airflow->plugin->project->sys_dir, STATE_DIR);
    if (home)
        airflow->home = path_join(root, value_text(home->value));
    else if (home_variable)
        airflow->home = path_absolute(home_variable);
    else
        airflow->home = xstrdup(airflow->state_dir);

    if (is_given(airflow, file))
        airflow->config_path = path_join(root, value_text(file->value));
    else if (file_variable)
        airflow->config_path = path_absolute(file_variable);
    else if ((is_given(airflow, home) || home_variable) && is_lasting(airflow, airflow->home))
        airflow->config_path = path_join(airflow->home, CONFIG_NAME);
    else
        airflow->config_path = path_join(airflow->state_dir, CONFIG_NAME);
}

/* --- opening ------------------------------------------------------------------------------ */

/* What a project without any choice is best served with. */
static void add_defaults(struct airflow *airflow)
{
    struct airflow_options *options = &airflow->options;
    auto_free char *dags = path_join(airflow->plugin->project->root, "orchestrate/dags");
    auto_free char *database = NULL, *port = NULL;

    airflow_options_add_default(options, "core", "dags_folder", dags);
    airflow_options_add_default(options, "core", "load_examples", "False");
    database = airflow_get(airflow, "database", "sql_alchemy_conn");
    /* Who has a command or a secrets backend for the address has a server. */
    if (database ? strncmp(database, "sqlite", 6) != 0
                 : airflow_is_given(airflow, "database", "sql_alchemy_conn"))
        airflow_options_add_default(options, "core", "executor", "LocalExecutor");
    /* Tasks find the API by this address, which does not follow the port by itself. */
    port = airflow_get(airflow, "api", "port");
    if (airflow->installed.major >= 3 && port && strcmp(port, DEFAULT_PORT) != 0) {
        auto_free char *url = xasprintf("http://localhost:%s", port);

        airflow_options_add_default(options, "api", "base_url", url);
    }
}

/* Our DAG files go to that folder in the project, from wherever Airflow is started. */
static void root_dags_folder(struct airflow *airflow)
{
    for (size_t i = 0; i < airflow->options.count; i++) {
        struct airflow_option *option = &airflow->options.items[i];
        auto_free char *old = NULL;

        if (strcmp(option->section, "core") != 0 || strcmp(option->key, "dags_folder") != 0 ||
            !*option->value || strchr("/~$", *option->value))
            continue;
        old = option->value;
        option->value = path_join(airflow->plugin->project->root, old);
    }
}

/* Plugins get Python's warnings, each once. Airflow's are about its own insides, pages of them. */
static void drop_warnings(struct config *config, struct strmap *env)
{
    static const char variable[] = "PYTHONWARNINGS";
    const char *value = strmap_get(env, variable);

    if (value && !strcmp(value, "once") && !strmap_has(config_environ(config), variable) &&
        !strmap_has(config_dotenv(config), variable))
        strmap_remove(env, variable);
}

static int open_airflow(struct config *config, struct airflow *airflow, struct error *err)
{
    bool found;

    if (plugin_resolve(airflow->plugin, err) < 0 ||
        config_resolve_plugin(config, airflow->plugin, NULL, NULL, &airflow->config, err) < 0 ||
        config_plugin_environment(config, airflow->config, &airflow->env, err) < 0)
        return -1;
    drop_warnings(config, &airflow->env);
    plugin_config_register_secrets(airflow->config);
    if (find_installed(airflow, err) < 0)
        return -1;
    find_files(airflow);
    if (file_read_if_exists(airflow->config_path, &airflow->config_text, &found, err) < 0)
        return -1;
    airflow_options_collect(airflow->config, &airflow->env, airflow->installed.version,
                            &airflow->options);
    airflow_name_driver(airflow);
    root_dags_folder(airflow);
    add_defaults(airflow);
    return 0;
}

int airflow_open(struct config *config, struct plugin *plugin, struct airflow **out,
                 struct error *err)
{
    auto_airflow struct airflow *airflow = xcalloc(1, sizeof *airflow);

    airflow->plugin = plugin;
    if (open_airflow(config, airflow, err) < 0)
        return -1;
    if (airflow_recall(airflow, err) < 0)
        return -1;
    airflow_options_export(&airflow->options, airflow->installed.version, &airflow->env);
    strmap_set(&airflow->env, "AIRFLOW_HOME", airflow->home);
    strmap_set(&airflow->env, "AIRFLOW_CONFIG", airflow->config_path);
    *out = take(airflow);
    return 0;
}

void airflow_free(struct airflow *airflow)
{
    if (!airflow)
        return;
    plugin_config_free(airflow->config);
    airflow_installed_clear(&airflow->installed);
    airflow_options_clear(&airflow->options);
    strmap_clear(&airflow->env);
    strbuf_clear(&airflow->config_text);
    free(airflow->home);
    free(airflow->config_path);
    free(airflow->state_dir);
    value_free(airflow->record);
    free(airflow);
}

char *airflow_get(const struct airflow *airflow, const char *section, const char *key)
{
    auto_free char *current_section = xstrdup(section), *current_key = xstrdup(key);
    const char *value;
    char *written;

    airflow_option_rename(airflow->installed.version, &current_section, &current_key);
    value = airflow_options_get(&airflow->options, current_section, current_key);
    if (value)
        return *value ? xstrdup(value) : NULL;
    written = cfg_get(strbuf_text(&airflow->config_text), current_section, current_key);
    if (written && *written)
        return written;
    free(written);
    return NULL;
}

bool airflow_is_given(const struct airflow *airflow, const char *section, const char *key)
{
    static const char *const suffixes[] = {"", "_cmd", "_secret"};
    bool found = false;

    for (size_t i = 0; i < ARRAY_LEN(suffixes) && !found; i++) {
        auto_free char *name = xasprintf("%s%s", key, suffixes[i]);
        auto_free char *value = airflow_get(airflow, section, name);

        found = value != NULL;
    }
    return found;
}

char *airflow_extra(const struct airflow *airflow, const char *name)
{
    auto_free char *setting = xasprintf(EXTRA_PREFIX "%s", name);
    const struct value *value = plugin_config_extra(airflow->config, setting);
    auto_strbuf struct strbuf text = STRBUF_INIT;

    if (!value) {
        strbuf_add(&text, VARIABLE_PREFIX);
        strbuf_add_env_name(&text, name);
        return xstrdup_or_null(strmap_get(&airflow->env, strbuf_text(&text)));
    }
    for (size_t i = 0; i < value_count(value); i++) {
        if (i)
            strbuf_add_char(&text, ' ');
        strbuf_add_py_str(&text, value_at(value, i));
    }
    if (!value_is_list(value))
        strbuf_add_py_str(&text, value);
    return strbuf_take(&text);
}
