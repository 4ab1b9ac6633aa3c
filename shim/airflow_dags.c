#include "shim/airflow_dags.h"

#include "base/log.h"
#include "base/memory.h"
#include "base/path.h"
#include "dag_generator/dag_folder.h"
#include "process/find_program.h"

#define PROGRAM_NAME "meltshim"

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

/* Each on a line of its own, so that all can be mended before the next try. */
static int report_all(const struct strlist *more, struct error *err)
{
    log_error("%s%s%s", err->message, err->hint[0] ? ". " : "", err->hint);
    for (size_t i = 0; i < more->count; i++)
        log_error("%s", more->items[i]);
    error_set(err, err->code, "no DAG was made: %zu things are wrong", more->count + 1);
    return error_hint(err, "They are listed above.");
}

/* What an unset variable leaves of --output="$DAGS" would be the current directory. */
static int check_args(const struct dag_args *args, struct error *err)
{
    if (args->output && !*args->output)
        return error_set(err, ERR_USAGE, "Option '--output' needs the name of a directory.");
    if (args->program && !*args->program)
        return error_set(err, ERR_USAGE, "Option '--program' needs the name of a program.");
    return 0;
}

int airflow_dags_build(struct app *app, const struct dag_args *args, struct dag_list **list,
                       struct error *err)
{
    auto_free char *program = default_program(app);
    struct config *config = open_config(app, args, err);
    const struct environment *environment;
    struct dag_request request = {.program = args->program, .default_program = program};
    auto_strlist struct strlist more = STRLIST_INIT;

    if (!config || check_args(args, err) < 0)
        return -1;
    environment = config_environment(config);
    if (environment) {
        request.environment = environment->name;
        request.environment_is_default = config_environment_is_default(config);
    }
    if (dag_list_build(config_project(config), &request, list, &more, err) == 0)
        return 0;
    return more.count ? report_all(&more, err) : -1;
}

int airflow_dags_plan(struct app *app, const struct dag_args *args, enum dag_plan_mode mode,
                      struct dag_list **list, struct dag_plan **plan, struct error *err)
{
    struct config *config = open_config(app, args, err);
    auto_free char *folder = NULL;

    if (!config || airflow_dags_build(app, args, list, err) < 0)
        return -1;
    if (dag_folder_find(config, args->output, &folder, err) < 0)
        return -1;
    return dag_plan_make(*list, config_project(config), folder, mode, plan, err);
}
