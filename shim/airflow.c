#include "base/log.h"
#include "base/memory.h"
#include "base/path.h"
#include "dag_generator/dag_folder.h"
#include "dag_generator/dag_writer.h"
#include "process/find_program.h"
#include "shim/airflow_report.h"
#include "shim/app.h"
#include "shim/commands.h"

#define PROGRAM_NAME "meltshim"

/* --- from the project to the plan --------------------------------------------------------- */

/* The options that all commands here share. */
struct dag_args {
    const char *output;
    const char *program;
    const char *environment;
};

#define ENVIRONMENT_OPTION(args)                                                                   \
    OPTION_STRING(args, dags.environment, "environment",                                           \
                  "The same as the global option, which stands before 'airflow'.",                 \
                  .word = WORD_ENVIRONMENT)
#define PROGRAM_OPTION(args)                                                                       \
    OPTION_STRING(args, dags.program, "program",                                                   \
                  "What the tasks start; without it, the program of the annotations, else "        \
                  "'meltshim' when the PATH has one, else this very program.",                     \
                  .metavar = "PROGRAM", .word = WORD_FILE)
#define OUTPUT_OPTION(args)                                                                        \
    OPTION_STRING(args, dags.output, "output",                                                     \
                  "The DAG folder; without it, core.dags_folder of the project's Airflow plugin, " \
                  "else orchestrate/dags.",                                                        \
                  .letter = 'o', .metavar = "DIR", .word = WORD_DIRECTORY)

/* The configuration in the environment that either option names. */
static struct config *open_config(struct app *app, const struct dag_args *args, struct error *err)
{
    if (args->environment)
        app->parsed.globals.environment = args->environment;
    return app_config(app, err);
}

/* A name when the workers can be expected to find it, so that the files do not depend on where they
 * were made. */
static char *default_program(const struct app *app)
{
    auto_strlist struct strlist environment = STRLIST_INIT;
    auto_free char *path = NULL;
    struct error ignored = {0};
    char *self;

    strmap_to_environ(&app->environment, &environment);
    if (find_program(PROGRAM_NAME, (const char *const *)environment.items, "/", &path, &ignored) ==
        0)
        return xstrdup(PROGRAM_NAME);
    self = path_resolve("/proc/self/exe");
    return self ? self : xstrdup(PROGRAM_NAME);
}

static int build_dags(struct app *app, const struct dag_args *args, struct dag_list **list,
                      struct error *err)
{
    auto_free char *program = default_program(app);
    struct config *config = open_config(app, args, err);
    const struct environment *environment;
    struct dag_request request = {.program = args->program, .default_program = program};

    if (!config)
        return -1;
    environment = config_environment(config);
    if (environment) {
        request.environment = environment->name;
        request.environment_is_default = config_environment_is_default(config);
    }
    return dag_list_build(config_project(config), &request, list, err);
}

static int make_plan(struct app *app, const struct dag_args *args, enum dag_plan_mode mode,
                     struct dag_list **list, struct dag_plan **plan, struct error *err)
{
    struct config *config = open_config(app, args, err);
    auto_free char *folder = NULL;

    if (!config || build_dags(app, args, list, err) < 0)
        return -1;
    if (dag_folder_find(config, args->output, &folder, err) < 0)
        return -1;
    return dag_plan_make(*list, config_project(config), folder, mode, plan, err);
}

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
    if (make_plan(app, &args->dags, mode, &list, &plan, err) < 0)
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
    OUTPUT_OPTION(struct generate_args),
    PROGRAM_OPTION(struct generate_args),
    ENVIRONMENT_OPTION(struct generate_args),
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

    if (make_plan(app, &args->dags, DAG_PLAN_LOOK, &list, &plan, err) < 0)
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
    OUTPUT_OPTION(struct list_args),
    PROGRAM_OPTION(struct list_args),
    ENVIRONMENT_OPTION(struct list_args),
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

    if (build_dags(app, &args->dags, &list, err) < 0)
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
    PROGRAM_OPTION(struct explain_args),
    ENVIRONMENT_OPTION(struct explain_args),
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
    &generate_command,
    &list_command,
    &explain_command,
    NULL,
};

const struct command airflow_command = {
    .name = "airflow",
    .summary = "Make DAG files from the project's schedules.",
    .subcommands = airflow_commands,
    .environment = ENVIRONMENT_DEFAULT,
    .status_when_bare = 2,
};
