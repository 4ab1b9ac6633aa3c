/* `airflow adopt`: makes us the program of the project's Airflow plugin, for the Python Meltano. */
#include "airflow/airflow.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/path.h"
#include "process/find_program.h"
#include "shim/airflow_invoke.h"
#include "shim/commands.h"
#include "shim/project_change.h"

#include <string.h>

/* Where the program is remembered that was there before: annotations are for others to ignore. */
#define REMEMBERED_KEY "replaced_executable"

struct adopt_args {
    const char *program;
    bool undo, yes, diff;
};

static struct strlist remembered_path(void)
{
    struct strlist path = STRLIST_INIT;

    strlist_add(&path, "annotations");
    strlist_add(&path, "meltshim");
    strlist_add(&path, REMEMBERED_KEY);
    return path;
}

/* Beside this program, else on the PATH. The caller frees it; NULL when there is none. */
static char *find_installed_name(const struct app *app)
{
    auto_strlist struct strlist environment = STRLIST_INIT;
    auto_free char *self = path_resolve("/proc/self/exe");
    auto_free char *folder = path_parent(self ? self : "");
    auto_free char *beside = path_join(folder, AIRFLOW_PROGRAM_NAME);
    struct error ignored = {0};
    char *found = NULL;

    strmap_to_environ(&app->environment, &environment);
    if (find_program(AIRFLOW_PROGRAM_NAME, (const char *const *)environment.items, "/", &found,
                     &ignored) == 0)
        return found;
    return file_is_executable(beside) ? take(beside) : NULL;
}

/* A plugin with an environment of its own looks for a plain name in there, so it gets a path. */
static int choose_program(const struct app *app, const struct adopt_args *args, char **out,
                          struct error *err)
{
    *out = args->program ? path_absolute(args->program) : find_installed_name(app);
    if (*out && file_is_executable(*out))
        return 0;
    if (*out)
        error_set(err, ERR_CONFIG, "'%s' is not an executable file", *out);
    else
        error_set(err, ERR_CONFIG, "there is no program " AIRFLOW_PROGRAM_NAME);
    free(take(*out));
    return error_hint(err, "'make install' puts it beside meltshim, as a link to it; --program "
                           "names it where it is elsewhere.");
}

static void adopt(struct value *entry, const char *program)
{
    auto_strlist struct strlist path = remembered_path();
    const char *there = value_get_text(entry, "executable");

    if (there && strcmp(path_name(there), AIRFLOW_PROGRAM_NAME) != 0)
        edit_set_path_take(entry, &path, value_new_string(there));
    value_set_string(entry, "executable", program);
}

static void undo(struct value *entry)
{
    auto_strlist struct strlist path = remembered_path();
    const char *there = value_get_text(entry, "executable");
    const struct value *before =
        value_get(value_get(value_get(entry, path.items[0]), path.items[1]), path.items[2]);
    auto_free char *text = xstrdup_or_null(value_text(before));

    if (!there || strcmp(path_name(there), AIRFLOW_PROGRAM_NAME) != 0)
        return;
    if (text)
        value_set_string(entry, "executable", text);
    else
        value_remove(entry, "executable");
    edit_unset_path(entry, &path);
}

static int change(const struct app *app, struct value *entry, const struct adopt_args *args,
                  struct error *err)
{
    auto_free char *program = NULL;

    if (args->undo) {
        undo(entry);
        return 0;
    }
    if (choose_program(app, args, &program, err) < 0)
        return -1;
    adopt(entry, program);
    return 0;
}

static int run_adopt(struct app *app, void *data, struct error *err)
{
    const struct adopt_args *args = data;
    auto_project_edit struct project_edit *edit = NULL;
    auto_strbuf struct strbuf diff = STRBUF_INIT;
    struct project *project = app_project(app, err);
    struct plugin *plugin;
    struct value *entry;

    if (!project)
        return -1;
    plugin = airflow_find_plugin(project);
    if (!plugin) {
        error_set(err, ERR_CONFIG, "the project has no plugin 'airflow'");
        return error_hint(err, "Add the orchestrator or the utility of that name first.");
    }
    if (project_change_begin(app, &edit, err) < 0)
        return -1;
    entry = project_edit_plugin(edit, plugin, NULL, err);
    if (!entry || change(app, entry, args, err) < 0 || project_edit_diff(edit, &diff, err) < 0)
        return -1;
    if (!diff.length) {
        app_print(app, "nothing to change\n");
        return 0;
    }
    app_print(app, "%s", strbuf_text(&diff));
    if (app_flush(app, err) < 0 || args->diff || (!args->yes && !app_confirm("Make this change?")))
        return args->diff ? 0 : error_set(err, ERR_FAILED, "aborted");
    return project_edit_commit(edit, err);
}

static const struct option_def adopt_options[] = {
    OPTION_FLAG(struct adopt_args, undo, "undo", "Take the change back."),
    OPTION_FLAG(struct adopt_args, diff, "diff", "Only show the change."),
    OPTION_FLAG(struct adopt_args, yes, "yes", "Do not ask.", .letter = 'y'),
    OPTION_STRING(struct adopt_args, program, "program",
                  "Where " AIRFLOW_PROGRAM_NAME " is on the machines that run the project; without "
                  "it, the one on the PATH, else the one beside this program.",
                  .metavar = "PATH", .word = WORD_FILE),
    {0},
};

const struct command airflow_adopt_command = {
    .name = "adopt",
    .summary = "Let the Python Meltano start Airflow through this program.",
    .details = "Makes " AIRFLOW_PROGRAM_NAME " the executable of the project's Airflow plugin in "
               "meltano.yml, so that 'meltano invoke airflow scheduler' starts all that Airflow 3 "
               "needs. Shows the change and asks first.",
    .options = adopt_options,
    .args_size = sizeof(struct adopt_args),
    .run = run_adopt,
};
