#include "shim/auto_install.h"

#include "plugin/install.h"

static int is_wanted(struct config *config, enum auto_install mode, bool *out, struct error *err)
{
    *out = mode != AUTO_INSTALL_NO;
    if (mode != AUTO_INSTALL_DEFAULT)
        return 0;
    return config_project_bool(config, "auto_install", out, err);
}

int auto_install(struct app *app, struct plugin *const *plugins, size_t count,
                 enum auto_install mode, struct error *err)
{
    struct install_options options = {.automatic = true};
    struct config *config = app_config(app, err);
    struct install_result result;
    bool wanted;

    if (!config || is_wanted(config, mode, &wanted, err) < 0)
        return -1;
    if (!wanted)
        return 0;
    if (plugins_install(config, plugins, count, &options, &result, err) == 0)
        return 0;
    if (!err->hint[0])
        error_hint(err, "With --no-install what is there is used as it is.");
    return -1;
}
