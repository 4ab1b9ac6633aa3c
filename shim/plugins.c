#include "shim/plugins.h"

#include <ctype.h>

struct plugin *plugins_find(const struct project *project, const char *name, int type_choice,
                            struct error *err)
{
    const char *label;
    struct plugin *plugin;

    if (!type_choice)
        return project_require_plugin(project, name, err);
    plugin = project_find_plugin_of_type(project, app_plugin_type(type_choice), name);
    label = plugin_type_info(app_plugin_type(type_choice))->label;
    if (!plugin)
        error_set(err, ERR_CONFIG, "%s '%s' is not known to Meltano", label, name);
    return plugin;
}

void plugins_add_subject(struct strbuf *out, const struct plugin *plugin)
{
    const char *label = plugin_type_info(plugin->type)->label;

    strbuf_addf(out, "%c%s '%s'", toupper((unsigned char)label[0]), label + 1, plugin->name);
}
