#include "shim/airflow_invoke.h"

#include "airflow/airflow.h"
#include "airflow/service_manager.h"
#include "airflow/services.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/path.h"
#include "base/redact.h"
#include "plugin/plugin_run.h"
#include "process/process.h"
#include "shim/airflow_refresh.h"

#include <string.h>
#include <unistd.h>

#define EXTENSION_PROGRAM "airflow_extension"
#define EXTENSION_PREPARE "initialize"

/* --- what the call is --------------------------------------------------------------------- */

void airflow_rewrite_command_line(struct app *app, int argc, char **argv, struct strlist *out)
{
    static const char *const variables[] = {"MELTANO_ORCHESTRATOR_NAME", "MELTANO_UTILITY_NAME"};
    static const char *const types[] = {"--plugin-type=orchestrators", "--plugin-type=utilities"};
    const char *environment = strmap_get(&app->environment, "MELTANO_ENVIRONMENT");
    const char *name = NULL;
    size_t i = 0;

    while (i < ARRAY_LEN(variables) && !name)
        name = strmap_get(&app->environment, variables[i++]);
    /* Meltano without an environment says so by an empty name. */
    if (environment && !*environment)
        strlist_add(out, "--no-environment");
    strlist_add(out, "invoke");
    if (name)
        strlist_add(out, types[i - 1]);
    strlist_add(out, name ? name : "airflow");
    for (int k = 1; k < argc; k++)
        strlist_add(out, argv[k]);
}

/* "airflow:initialize" of the extension: our preparation does what it would do. */
static bool is_extension_prepare(const struct plugin_command *command)
{
    return command->executable && !strcmp(path_name(command->executable), EXTENSION_PROGRAM) &&
           command->args && !strcmp(command->args, EXTENSION_PREPARE);
}

bool airflow_takes_call(const struct plugin *plugin, const char *command)
{
    const struct plugin_command *found = command ? plugin_find_command(plugin, command) : NULL;

    if (!airflow_is_plugin(plugin) || !airflow_is_native(plugin))
        return false;
    return !found || !found->executable || is_extension_prepare(found);
}

/* The words for airflow: those of the command, then those of the caller. */
static int collect_words(const struct airflow *airflow, const struct plugin_command *command,
                         const struct airflow_call *call, struct strlist *words, struct error *err)
{
    if (command && plugin_command_expand(command, &airflow->env, words, err) < 0)
        return -1;
    strlist_add_all(words, call->words);
    return 0;
}

static bool words_are(const struct strlist *words, const char *const *expected)
{
    size_t i = 0;

    while (i < words->count && expected[i] && !strcmp(words->items[i], expected[i]))
        i++;
    return i == words->count && !expected[i];
}

/* --- what Meltano asks before each command ------------------------------------------------ */

/* It lays the plugin's settings over the sections that it is given here, and writes the result to a
 * file that we do not use. */
static void print_sections(struct app *app, const struct airflow *airflow)
{
    const struct setting_list *settings = &airflow->config->settings;
    auto_strlist struct strlist sections = STRLIST_INIT;

    for (size_t i = 0; i < settings->count; i++) {
        const char *name = settings->items[i].def->name, *dot = strchr(name, '.');
        auto_free char *section = dot ? xstrndup(name, (size_t)(dot - name)) : NULL;

        if (section && strlist_add_unique(&sections, section))
            app_print(app, "[%s]\n", section);
    }
}

/* True when the call was answered. Meltano's questions come with our output in a pipe; a person who
 * asks the same in a terminal gets Airflow's own answer. */
static bool answer_meltano(struct app *app, struct airflow *airflow, const struct strlist *words,
                           int *result, struct error *err)
{
    static const char *const defaults[] = {"config", "list", "--defaults", NULL};
    static const char *const version[] = {"version", NULL};
    static const char *const init[] = {"db", "init", NULL};

    *result = 0;
    if (!app->is_airflow)
        return false;
    if (words_are(words, defaults) && airflow->plugin->type == PLUGIN_ORCHESTRATOR &&
        !isatty(STDOUT_FILENO))
        print_sections(app, airflow);
    else if (words_are(words, version))
        app_print(app, "%s\n", airflow->installed.version);
    else if (words_are(words, init))
        *result = airflow_prepare(airflow, true, err);
    else
        return false;
    return true;
}

/* --- running ------------------------------------------------------------------------------ */

/* What Meltano's documentation tells newcomers to call first, and Airflow 3 answers with a page of
 * usage. */
static int check_command(const struct airflow *airflow, const struct strlist *words,
                         struct error *err)
{
    if (!words->count || strcmp(words->items[0], "users") != 0 || airflow->installed.major < 3 ||
        airflow_installed_has_module(&airflow->installed, "airflow/providers/fab"))
        return 0;
    error_set(err, ERR_CONFIG,
              "Airflow %s has no command 'users': it makes up a password for the user 'admin' "
              "itself",
              airflow->installed.version);
    return error_hint(err,
                      "See %s/simple_auth_manager_passwords.json.generated once the api-server has "
                      "run, or add apache-airflow-providers-fab to the plugin's pip_url.",
                      airflow->home);
}

static int supervise(struct app *app, struct airflow *airflow, const struct strlist *words,
                     struct error *err)
{
    auto_service_set struct service_set set = {0};
    auto_strlist struct strlist env = STRLIST_INIT;
    const char *notify = strmap_get(&airflow->env, SERVICE_MANAGER_VARIABLE);
    auto_free char *notify_socket = notify ? xstrdup(notify) : NULL;

    if (services_plan(airflow, words, &set, err) < 0)
        return -1;
    services_remove_stale_pid(airflow, &set);
    /* It is for us alone: Airflow's web servers would report themselves, and tasks inherit it. */
    strmap_remove(&airflow->env, SERVICE_MANAGER_VARIABLE);
    strmap_to_environ(&airflow->env, &env);
    set.env = &env;
    set.notify_socket = notify_socket;
    set.errors_to_output = set.follows_parent = app->is_airflow;
    /* It may go on for months, and holds neither the database nor the project meanwhile. */
    app_close(app);
    return service_set_run(&set, &app->exit_status, err);
}

static int become(struct airflow *airflow, const struct strlist *words, struct error *err)
{
    auto_strlist struct strlist argv = STRLIST_INIT, env = STRLIST_INIT;

    strlist_add(&argv, airflow->installed.program);
    strlist_add_all(&argv, words);
    strmap_to_environ(&airflow->env, &env);
    return process_replace((const char *const *)argv.items, (const char *const *)env.items, err);
}

static int run_words(struct app *app, struct airflow *airflow, struct strlist *words,
                     struct error *err)
{
    services_rename(airflow, words);
    if (check_command(airflow, words, err) < 0 ||
        airflow_prepare(airflow, services_need_database(words), err) < 0 || app_flush(app, err) < 0)
        return -1;
    if (!services_are_meant(words))
        return become(airflow, words, err);
    if (services_read_dags(words))
        airflow_refresh_dags(app, airflow);
    return supervise(app, airflow, words, err);
}

static void print_variables(struct app *app, const struct airflow *airflow,
                            const struct strlist *names)
{
    for (size_t i = 0; i < names->count; i++) {
        const char *value = strmap_get(&airflow->env, names->items[i]);

        app_print(app, "%s=%s\n", names->items[i], value ? value : "None");
    }
}

static int dump_config(struct app *app, struct airflow *airflow, struct error *err)
{
    auto_free char *text = NULL;

    if (airflow_prepare(airflow, false, err) < 0)
        return -1;
    text = redact_text(strbuf_text(&airflow->config_text));
    app_print(app, "%s", text);
    return 0;
}

int airflow_call(struct app *app, struct plugin *plugin, const struct airflow_call *call,
                 struct error *err)
{
    const struct plugin_command *command = NULL;
    auto_airflow struct airflow *airflow = NULL;
    auto_strlist struct strlist words = STRLIST_INIT;
    struct config *config = app_config(app, err);
    int result;

    if (!config)
        return -1;
    if (call->command) {
        command = plugin_require_command(plugin, call->command, err);
        if (!command)
            return -1;
    }
    if (airflow_open(config, plugin, &airflow, err) < 0)
        return -1;
    print_variables(app, airflow, call->variables);
    if (call->dumps_config)
        return dump_config(app, airflow, err);
    if (command && is_extension_prepare(command))
        return airflow_prepare(airflow, true, err);
    if (collect_words(airflow, command, call, &words, err) < 0)
        return -1;
    if (answer_meltano(app, airflow, &words, &result, err))
        return result;
    return run_words(app, airflow, &words, err);
}
