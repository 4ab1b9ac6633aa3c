#include "plugin/install.h"

#include "base/log.h"
#include "base/memory.h"
#include "pipeline/plan.h"
#include "shim/app.h"
#include "shim/commands.h"

#include <limits.h>

struct install_args {
    struct strlist names;
    int plugin_type;
    const char *schedule;
    bool clean, force;
    long parallelism;
};

static bool is_wanted(const struct plugin *plugin, const struct install_args *args)
{
    if (plugin->mapper)
        return false;
    if (args->plugin_type && plugin->type != app_plugin_type(args->plugin_type))
        return false;
    return !args->names.count || strlist_contains(&args->names, plugin->name);
}

/* The plugins that a schedule starts. */
static int add_scheduled(struct project *project, const char *name, struct strlist *out,
                         struct error *err)
{
    const struct schedule *schedule = project_find_schedule(project, name);
    auto_strlist struct strlist words = STRLIST_INIT;
    auto_plan struct plan plan = PLAN_INIT;

    if (!schedule)
        return error_set(err, ERR_CONFIG, "schedule '%s' was not found", name);
    if (!schedule->job) {
        strlist_add(out, schedule->extractor);
        strlist_add(out, schedule->loader);
        return 0;
    }
    strlist_add(&words, schedule->job);
    if (plan_from_words(project, &words, &plan, err) < 0)
        return -1;
    for (size_t i = 0; i < plan.count; i++)
        for (size_t j = 0; j < plan.blocks[i].plugin_count; j++) {
            const struct plugin *plugin = plan.blocks[i].plugins[j];

            strlist_add_unique(out, plugin->mapper ? plugin->mapper->name : plugin->name);
        }
    return 0;
}

static void warn_unknown_names(const struct project *project, const struct strlist *names)
{
    for (size_t i = 0; i < names->count; i++)
        if (!project_find_plugin(project, names->items[i]))
            log_warning("There is no plugin '%s' in the project.", names->items[i]);
}

static int run_install(struct app *app, void *data, struct error *err)
{
    const struct install_args *args = data;
    struct project *project = app_project(app, err);
    struct config *config = project ? app_config(app, err) : NULL;
    auto_strlist struct strlist scheduled = STRLIST_INIT;
    auto_free struct plugin **plugins = NULL;
    struct install_options options = {
        .clean = args->clean,
        .force = args->force,
        .parallelism = args->parallelism == LONG_MAX ? 0
                       : args->parallelism < 1       ? -1
                                                     : (int)args->parallelism,
    };
    struct install_result result = {0};
    size_t count = 0;

    if (!config || (args->schedule && add_scheduled(project, args->schedule, &scheduled, err) < 0))
        return -1;
    plugins = xcalloc(project->plugin_count, sizeof(struct plugin *));
    for (size_t i = 0; i < project->plugin_count; i++)
        if (is_wanted(project->plugins[i], args) &&
            (!args->schedule || strlist_contains(&scheduled, project->plugins[i]->name)))
            plugins[count++] = project->plugins[i];
    warn_unknown_names(project, &args->names);
    log_info("Installing %zu plugins", count);
    return plugins_install(config, plugins, count, &options, &result, err);
}

static const struct option_def install_options[] = {
    PLUGIN_TYPE_OPTION(struct install_args),
    OPTION_FLAG(struct install_args, clean, "clean", "Make the virtual environments anew."),
    OPTION_FLAG(struct install_args, force, "force",
                "Install also what is up to date, whatever Python it asks for.", .letter = 'f'),
    OPTION_NUMBER(struct install_args, parallelism, "parallelism",
                  "How many at the same time; as many as there are processors if not given, "
                  "without limit if less than 1.",
                  .letter = 'p', .value = LONG_MAX),
    OPTION_STRING(struct install_args, schedule, "schedule",
                  "Only the plugins that this schedule starts.", .letter = 's',
                  .word = WORD_SCHEDULE),
    {0},
};

static const struct argument_def install_arguments[] = {
    ARGUMENT_MANY(struct install_args, names, "PLUGIN", .word = WORD_PLUGIN),
    {0},
};

const struct command install_command = {
    .name = "install",
    .summary = "Install plugins.",
    .details = "Every plugin gets a virtual environment of its own, where Meltano has it. What is "
               "there and up to date is left alone.",
    .options = install_options,
    .arguments = install_arguments,
    .args_size = sizeof(struct install_args),
    .run = run_install,
};
