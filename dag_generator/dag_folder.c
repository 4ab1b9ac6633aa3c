#include "dag_generator/dag_folder.h"

#include "base/memory.h"
#include "base/path.h"

#define PLUGIN_NAME    "airflow"
#define SETTING_NAME   "core.dags_folder"
#define DEFAULT_FOLDER "orchestrate/dags"

/* NULL when the project has no Airflow plugin, or none that knows of a DAG folder. */
static int read_setting(struct config *config, char **folder, struct error *err)
{
    static const enum plugin_type types[] = {PLUGIN_ORCHESTRATOR, PLUGIN_UTILITY};
    auto_plugin_config struct plugin_config *resolved = NULL;
    const struct project *project = config_project(config);
    struct plugin *plugin = NULL;
    const struct setting *setting;

    for (size_t i = 0; i < ARRAY_LEN(types) && !plugin; i++)
        plugin = project_find_plugin_of_type(project, types[i], PLUGIN_NAME);
    if (!plugin)
        return 0;
    if (config_resolve_plugin(config, plugin, NULL, NULL, &resolved, err) < 0) {
        error_wrap(err, "cannot find out the DAG folder");
        return -1;
    }
    setting = setting_list_find(&resolved->settings, SETTING_NAME);
    if (setting && value_text(setting->value) && *value_text(setting->value))
        *folder = path_join(project->root, value_text(setting->value));
    return 0;
}

int dag_folder_find(struct config *config, const char *output, char **folder, struct error *err)
{
    auto_free char *found = output ? path_absolute(output) : NULL;

    if (!found && read_setting(config, &found, err) < 0)
        return -1;
    if (!found)
        found = path_join(config_project(config)->root, DEFAULT_FOLDER);
    *folder = take(found);
    return 0;
}
