#include "shim/project_change.h"

int project_change_begin(struct app *app, struct project_edit **out, struct error *err)
{
    struct config *config = app_config(app, err);
    bool is_readonly;

    if (!config || config_project_bool(config, "project_readonly", &is_readonly, err) < 0)
        return -1;
    if (is_readonly)
        return error_set(err, ERR_CONFIG,
                         "the requested action could not be completed: this Meltano project is "
                         "deployed as read-only");
    return project_edit_begin(config_project(config), out, err);
}
