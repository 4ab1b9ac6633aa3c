#include "shim/word_names.h"

static void add_plugins_of_type(const struct project *project, enum plugin_type type,
                                struct strlist *out)
{
    for (size_t i = 0; i < project->plugin_count; i++)
        if (project->plugins[i]->type == type && !project->plugins[i]->mapper)
            strlist_add_unique(out, project->plugins[i]->name);
}

static void add_plugins(const struct project *project, bool with_mappings, struct strlist *out)
{
    for (size_t i = 0; i < project->plugin_count; i++)
        if (with_mappings || !project->plugins[i]->mapper)
            strlist_add_unique(out, project->plugins[i]->name);
}

/* Definitions come from meltano.yml and lock files; a plugin without one has no known commands. */
static void add_plugin_commands(const struct project *project, struct strlist *out)
{
    for (size_t i = 0; i < project->plugin_count; i++) {
        struct plugin *plugin = project->plugins[i];
        struct error ignored = {0};

        if (plugin->mapper || plugin_resolve(plugin, &ignored) < 0)
            continue;
        for (size_t j = 0; j < plugin->command_count; j++)
            strlist_addf(out, "%s:%s", plugin->name, plugin->commands[j].name);
    }
}

static void add_jobs(const struct project *project, struct strlist *out)
{
    for (size_t i = 0; i < project->job_count; i++)
        strlist_add(out, project->jobs[i].name);
}

static void add_state_ids(struct app *app, struct strlist *out)
{
    struct error ignored = {0};
    struct store *store = app_store(app, STORE_READ, &ignored);

    if (store)
        store_state_list(store, out, &ignored);
}

void word_names_add(struct app *app, enum word_kind kind, struct strlist *out)
{
    struct error ignored = {0};
    const struct project *project = app_project(app, &ignored);

    if (!project)
        return;
    switch (kind) {
    case WORD_TEXT:
    case WORD_FILE:
    case WORD_DIRECTORY:
        break;
    case WORD_EXTRACTOR:
        add_plugins_of_type(project, PLUGIN_EXTRACTOR, out);
        break;
    case WORD_LOADER:
        add_plugins_of_type(project, PLUGIN_LOADER, out);
        break;
    case WORD_PLUGIN:
        add_plugins(project, false, out);
        break;
    case WORD_CONFIGURABLE:
        add_plugins(project, true, out);
        strlist_add_unique(out, "meltano");
        break;
    case WORD_PLUGIN_COMMAND:
        add_plugins(project, true, out);
        add_plugin_commands(project, out);
        break;
    case WORD_BLOCK:
        add_jobs(project, out);
        add_plugins(project, true, out);
        add_plugin_commands(project, out);
        break;
    case WORD_JOB:
        add_jobs(project, out);
        break;
    case WORD_SCHEDULE:
        for (size_t i = 0; i < project->schedule_count; i++)
            strlist_add(out, project->schedules[i].name);
        break;
    case WORD_ENVIRONMENT:
        for (size_t i = 0; i < project->environment_count; i++)
            strlist_add(out, project->environments[i].name);
        break;
    case WORD_STATE_ID:
        add_state_ids(app, out);
        break;
    }
}
