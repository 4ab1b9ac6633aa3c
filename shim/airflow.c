#include "base/memory.h"
#include "base/path.h"
#include "dag_generator/dag_report.h"
#include "shim/app.h"
#include "shim/commands.h"

/* All commands of the group have these. */
struct airflow_args {
    const char *output, *program, *schedule;
    int format;
    bool check, diff;
};

#define PLACE_OPTIONS                                                                              \
    OPTION_STRING(struct airflow_args, output, "output",                                           \
                  "The DAG folder, in place of the one of the project's Airflow plugin.",          \
                  .letter = 'o', .metavar = "DIR", .word = WORD_DIRECTORY),                        \
        OPTION_STRING(struct airflow_args, program, "program",                                     \
                      "What the DAGs call, in place of 'meltshim'.", .metavar = "PATH",            \
                      .word = WORD_FILE)

/* --- folder and plan ---------------------------------------------------------------------- */

static struct plugin *find_airflow(const struct project *project)
{
    struct plugin *plugin = project_find_plugin_of_type(project, PLUGIN_ORCHESTRATOR, "airflow");

    return plugin ? plugin : project_find_plugin_of_type(project, PLUGIN_UTILITY, "airflow");
}

/* What the Airflow plugin says; NULL when there is none, or when it does not say. */
static int read_dags_folder(struct config *config, char **out, struct error *err)
{
    struct plugin *plugin = find_airflow(config_project(config));
    auto_plugin_config struct plugin_config *resolved = NULL;
    const struct setting *setting;

    *out = NULL;
    if (!plugin)
        return 0;
    if (config_resolve_plugin(config, plugin, NULL, NULL, &resolved, err) < 0) {
        error_wrap(err, "the DAG folder is a setting of the plugin 'airflow'");
        return error_hint(err, "Lock the plugin with 'meltshim lock airflow', or name the folder "
                               "with --output.");
    }
    setting = setting_list_find(&resolved->settings, "core.dags_folder");
    *out = xstrdup_or_null(setting ? value_text(setting->value) : NULL);
    return 0;
}

static int find_folder(struct config *config, const char *output, char **out, struct error *err)
{
    const char *root = config_project(config)->root;
    auto_free char *folder = NULL;

    if (output) {
        *out = path_absolute(output);
        return 0;
    }
    if (read_dags_folder(config, &folder, err) < 0)
        return -1;
    *out = path_join(root, folder ? folder : "orchestrate/dags");
    return 0;
}

static int build_list(struct config *config, const struct airflow_args *args, struct dag_list **out,
                      struct error *err)
{
    const struct environment *environment = config_environment(config);
    struct dag_request request = {
        .program = args->program,
        .default_program = "meltshim",
        .environment = environment ? environment->name : NULL,
        .environment_is_default = config_environment_is_default(config),
    };

    return dag_list_build(config_project(config), &request, out, err);
}

static int make_plan(struct config *config, const struct airflow_args *args,
                     const struct dag_list *list, enum dag_plan_mode mode, struct dag_plan **out,
                     struct error *err)
{
    auto_free char *folder = NULL;

    if (find_folder(config, args->output, &folder, err) < 0)
        return -1;
    return dag_plan_make(list, config_project(config), folder, mode, out, err);
}

/* --- generate and prune ------------------------------------------------------------------- */

static const char *const change_names[] = {
    [DAG_UNCHANGED] = "unchanged",
    [DAG_ADDED] = "added",
    [DAG_CHANGED] = "changed",
    [DAG_REMOVED] = "removed",
};

static void print_changes(struct app *app, const struct dag_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++)
        app_print(app, "%-9s %s\n", change_names[plan->files[i].change], plan->files[i].name);
    app_print(app, "%s: %zu added, %zu changed, %zu removed, %zu unchanged\n", plan->folder,
              dag_plan_count(plan, DAG_ADDED), dag_plan_count(plan, DAG_CHANGED),
              dag_plan_count(plan, DAG_REMOVED), dag_plan_count(plan, DAG_UNCHANGED));
}

static int run_generate(struct app *app, void *data, struct error *err)
{
    const struct airflow_args *args = data;
    bool looks = args->check || args->diff;
    struct config *config = app_config(app, err);
    auto_dag_list struct dag_list *list = NULL;
    auto_dag_plan struct dag_plan *plan = NULL;

    if (!config || build_list(config, args, &list, err) < 0 ||
        make_plan(config, args, list, looks ? DAG_PLAN_LOOK : DAG_PLAN_WRITE, &plan, err) < 0)
        return -1;
    if (looks) {
        dag_plan_diff(plan, &app->out);
        app->exit_status = args->check && dag_plan_is_stale(plan);
        return 0;
    }
    if (dag_plan_apply(plan, err) < 0)
        return -1;
    print_changes(app, plan);
    return 0;
}

static const struct option_def generate_options[] = {
    PLACE_OPTIONS,
    OPTION_FLAG(struct airflow_args, check, "check",
                "Write nothing; show what would change, and exit with 1 when anything would."),
    OPTION_FLAG(struct airflow_args, diff, "diff", "Write nothing; show what would change."),
    {0},
};

static const struct command generate_command = {
    .name = "generate",
    .summary = "Write a DAG file for every schedule.",
    .details = "Files of schedules that are gone are removed, files of others never touched. "
               "'annotations: {meltshim: {airflow: ...}}' in meltano.yml shapes the DAGs.",
    .options = generate_options,
    .args_size = sizeof(struct airflow_args),
    .run = run_generate,
};

static int run_prune(struct app *app, void *data, struct error *err)
{
    struct config *config = app_config(app, err);
    auto_dag_list struct dag_list *list = NULL;
    auto_dag_plan struct dag_plan *plan = NULL;

    if (!config || build_list(config, data, &list, err) < 0 ||
        make_plan(config, data, list, DAG_PLAN_PRUNE, &plan, err) < 0 ||
        dag_plan_apply(plan, err) < 0)
        return -1;
    for (size_t i = 0; i < plan->count; i++)
        if (plan->files[i].change == DAG_REMOVED)
            app_print(app, "%-9s %s\n", change_names[DAG_REMOVED], plan->files[i].name);
    return 0;
}

static const struct option_def place_options[] = {
    PLACE_OPTIONS,
    {0},
};

static const struct command prune_command = {
    .name = "prune",
    .summary = "Remove the DAG files of schedules that are gone, and write none.",
    .details = "Finds the files by their first line, also those that no list of written files "
               "names any more.",
    .options = place_options,
    .args_size = sizeof(struct airflow_args),
    .run = run_prune,
};

/* --- list and explain --------------------------------------------------------------------- */

static int run_list(struct app *app, void *data, struct error *err)
{
    const struct airflow_args *args = data;
    struct config *config = app_config(app, err);
    auto_dag_list struct dag_list *list = NULL;
    auto_dag_plan struct dag_plan *plan = NULL;

    if (!config || build_list(config, args, &list, err) < 0 ||
        make_plan(config, args, list, DAG_PLAN_LOOK, &plan, err) < 0)
        return -1;
    if (args->format == OUTPUT_JSON) {
        auto_value struct value *out = dag_report_list_value(list, plan);

        app_print_json(app, out);
    } else {
        dag_report_list(list, plan, &app->out);
    }
    return 0;
}

static const struct option_def list_options[] = {
    FORMAT_OPTION(struct airflow_args),
    PLACE_OPTIONS,
    {0},
};

static const struct command list_command = {
    .name = "list",
    .summary = "List the DAGs of the schedules, and whether their files are up to date.",
    .options = list_options,
    .args_size = sizeof(struct airflow_args),
    .run = run_list,
};

static int run_explain(struct app *app, void *data, struct error *err)
{
    const struct airflow_args *args = data;
    struct config *config = app_config(app, err);
    auto_dag_list struct dag_list *list = NULL;
    const struct dag *dag;

    if (!config || build_list(config, args, &list, err) < 0)
        return -1;
    dag = dag_list_find(list, args->schedule);
    if (!dag) {
        error_set(err, ERR_CONFIG, "there is no DAG for a schedule named '%s'", args->schedule);
        return error_hint(err, "'airflow list' shows all of them.");
    }
    dag_report_explain(dag, &app->out);
    return 0;
}

static const struct option_def explain_options[] = {
    OPTION_STRING(struct airflow_args, program, "program",
                  "What the DAGs call, in place of 'meltshim'.", .metavar = "PATH",
                  .word = WORD_FILE),
    {0},
};

static const struct argument_def explain_arguments[] = {
    ARGUMENT_ONE(struct airflow_args, schedule, "SCHEDULE", .word = WORD_SCHEDULE),
    {0},
};

static const struct command explain_command = {
    .name = "explain",
    .summary = "Show every value of a schedule's DAG and where it comes from.",
    .options = explain_options,
    .arguments = explain_arguments,
    .args_size = sizeof(struct airflow_args),
    .run = run_explain,
};

/* --- the group ---------------------------------------------------------------------------- */

static const struct command *const airflow_commands[] = {
    &generate_command, &list_command, &explain_command, &prune_command, NULL,
};

const struct command airflow_command = {
    .name = "airflow",
    .summary = "Write static DAG files for Airflow.",
    .subcommands = airflow_commands,
    .environment = ENVIRONMENT_DEFAULT,
    .status_when_bare = 2,
};
