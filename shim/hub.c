#include "shim/app.h"
#include "shim/commands.h"

static int run_ping(struct app *app, void *data, struct error *err)
{
    struct hub *hub = app_hub(app, true, err);
    const struct value *index;

    (void)data;
    /* The shortest of the indexes. */
    if (!hub || hub_index(hub, PLUGIN_ORCHESTRATOR, &index, err) < 0)
        return -1;
    app_print(app, "Successfully connected to the Hub at '%s'\n", app->hub_api_root);
    return 0;
}

static const struct command ping_command = {
    .name = "ping",
    .summary = "Find out whether the plugin hub answers.",
    .run = run_ping,
};

static const struct command *const hub_commands[] = {
    &ping_command,
    PASSED_ON("list", "List what the hub offers."),
    NULL,
};

const struct command hub_command = {
    .name = "hub",
    .summary = "Ask the plugin hub.",
    .subcommands = hub_commands,
    .environment = ENVIRONMENT_DEFAULT,
    .status_when_bare = 2,
};
