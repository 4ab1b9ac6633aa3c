#include "shim/airflow_dags.h"
#include "shim/airflow_report.h"
#include "shim/commands.h"

/* --- generate ----------------------------------------------------------------------------- */

struct generate_args {
    struct dag_args dags;
    bool check, diff, prune;
};

static int check_generate_args(const struct generate_args *args, struct error *err)
{
    if (args->check + args->diff + args->prune > 1)
        return error_set(err, ERR_USAGE, "Only one of --check, --diff and --prune can be given.");
    return 0;
}

static void print_left_out(struct app *app, const struct dag_list *list)
{
    for (size_t i = 0; i < list->left_out.count; i++)
        app_print(app, "no DAG for schedule '%s': %s\n", list->left_out.entries[i].key,
                  list->left_out.entries[i].value);
}

static void print_changes(struct app *app, const struct dag_plan *plan)
{
    static const char *const verbs[] = {
        [DAG_ADDED] = "added", [DAG_CHANGED] = "changed", [DAG_REMOVED] = "removed"};

    for (size_t i = 0; i < plan->count; i++)
        if (plan->files[i].change != DAG_UNCHANGED)
            app_print(app, "%-9s %s/%s\n", verbs[plan->files[i].change], plan->shown_folder,
                      plan->files[i].name);
    app_print(app, "%s: %zu added, %zu changed, %zu removed, %zu unchanged\n", plan->shown_folder,
              dag_plan_count(plan, DAG_ADDED), dag_plan_count(plan, DAG_CHANGED),
              dag_plan_count(plan, DAG_REMOVED), dag_plan_count(plan, DAG_UNCHANGED));
}

static void print_diff(struct app *app, const struct dag_plan *plan)
{
    auto_strbuf struct strbuf diff = STRBUF_INIT;

    dag_plan_diff(plan, &diff);
    app_print(app, "%s", strbuf_text(&diff));
}

static int run_generate(struct app *app, void *data, struct error *err)
{
    const struct generate_args *args = data;
    enum dag_plan_mode mode = args->prune ? DAG_PLAN_PRUNE : DAG_PLAN_WRITE;
    auto_dag_list struct dag_list *list = NULL;
    auto_dag_plan struct dag_plan *plan = NULL;

    if (check_generate_args(args, err) < 0)
        return -1;
    if (args->check || args->diff)
        mode = DAG_PLAN_LOOK;
    if (airflow_dags_plan(app, &args->dags, mode, &list, &plan, err) < 0)
        return -1;
    if (mode == DAG_PLAN_LOOK) {
        print_diff(app, plan);
        app->exit_status = args->check && dag_plan_is_stale(plan);
        return 0;
    }
    if (dag_plan_apply(plan, err) < 0)
        return -1;
    if (!list->count && !list->left_out.count)
        app_print(app, "the project has no schedules\n");
    print_changes(app, plan);
    print_left_out(app, list);
    return 0;
}

static const struct option_def generate_options[] = {
    DAG_OUTPUT_OPTION(struct generate_args),
    DAG_PROGRAM_OPTION(struct generate_args),
    DAG_ENVIRONMENT_OPTION(struct generate_args),
    OPTION_FLAG(struct generate_args, check, "check",
                "Write nothing; show what would change and exit with 1 if anything would."),
    OPTION_FLAG(struct generate_args, diff, "diff", "Write nothing; show what would change."),
    OPTION_FLAG(struct generate_args, prune, "prune",
                "Only remove the files of schedules that are gone, also those that the folder's "
                "manifest does not know."),
    {0},
};

static const struct command generate_command = {
    .name = "generate",
    .summary = "Write a DAG file for every schedule.",
    .details = "Files that need no change keep their time stamp; files of schedules that are gone "
               "are removed; files that it did not write are never touched. What a DAG looks like "
               "is chosen under annotations in meltano.yml: see docs/airflow.md.\n"
               "\n"
               "With --environment the DAGs run in that environment, and schedules that belong to "
               "another one are left out.",
    .options = generate_options,
    .args_size = sizeof(struct generate_args),
    .run = run_generate,
};

/* --- list --------------------------------------------------------------------------------- */

struct list_args {
    struct dag_args dags;
    int format;
};

static int run_list(struct app *app, void *data, struct error *err)
{
    const struct list_args *args = data;
    auto_dag_list struct dag_list *list = NULL;
    auto_dag_plan struct dag_plan *plan = NULL;

    if (airflow_dags_plan(app, &args->dags, DAG_PLAN_LOOK, &list, &plan, err) < 0)
        return -1;
    if (args->format == OUTPUT_JSON) {
        auto_value struct value *value = airflow_report_list_value(list, plan);

        app_print_json(app, value);
    } else {
        auto_strbuf struct strbuf text = STRBUF_INIT;

        airflow_report_list(list, plan, &text);
        app_print(app, "%s", strbuf_text(&text));
    }
    return 0;
}

static const struct option_def list_options[] = {
    DAG_OUTPUT_OPTION(struct list_args),
    DAG_PROGRAM_OPTION(struct list_args),
    DAG_ENVIRONMENT_OPTION(struct list_args),
    FORMAT_OPTION(struct list_args),
    {0},
};

static const struct command list_command = {
    .name = "list",
    .summary = "Show the DAGs of the project's schedules and whether their files are up to date.",
    .options = list_options,
    .args_size = sizeof(struct list_args),
    .run = run_list,
};

/* --- explain ------------------------------------------------------------------------------ */

struct explain_args {
    struct dag_args dags;
    const char *schedule;
};

static int run_explain(struct app *app, void *data, struct error *err)
{
    const struct explain_args *args = data;
    auto_dag_list struct dag_list *list = NULL;
    auto_strbuf struct strbuf text = STRBUF_INIT;
    const struct dag *dag;

    if (airflow_dags_build(app, &args->dags, &list, err) < 0)
        return -1;
    dag = dag_list_find(list, args->schedule);
    if (!dag && strmap_has(&list->left_out, args->schedule))
        return error_set(err, ERR_CONFIG, "schedule '%s' has no DAG here: %s", args->schedule,
                         strmap_get(&list->left_out, args->schedule));
    if (!dag) {
        error_set(err, ERR_CONFIG, "schedule '%s' was not found", args->schedule);
        return error_hint(err, "'%s airflow list' shows the DAGs of all schedules.", app->program);
    }
    airflow_report_explain(dag, &text);
    app_print(app, "%s", strbuf_text(&text));
    return 0;
}

static const struct option_def explain_options[] = {
    DAG_PROGRAM_OPTION(struct explain_args),
    DAG_ENVIRONMENT_OPTION(struct explain_args),
    {0},
};

static const struct argument_def explain_arguments[] = {
    ARGUMENT_ONE(struct explain_args, schedule, "SCHEDULE", .word = WORD_SCHEDULE),
    {0},
};

static const struct command explain_command = {
    .name = "explain",
    .summary = "Say for every value of a schedule's DAG where it comes from.",
    .options = explain_options,
    .arguments = explain_arguments,
    .args_size = sizeof(struct explain_args),
    .run = run_explain,
};

static const struct command *const airflow_commands[] = {
    &generate_command,       &list_command,          &explain_command,
    &airflow_doctor_command, &airflow_adopt_command, NULL,
};

const struct command airflow_command = {
    .name = "airflow",
    .summary = "Make DAG files from the project's schedules, and look after their Airflow.",
    .subcommands = airflow_commands,
    .environment = ENVIRONMENT_DEFAULT,
    .status_when_bare = 2,
};
