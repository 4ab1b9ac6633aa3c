#include "shim/app.h"
#include "shim/commands.h"
#include "shim/help.h"

static int run_reference(struct app *app, void *args, struct error *err)
{
    (void)args;
    (void)err;
    help_add_reference(&app->out, &root_command);
    return 0;
}

const struct command reference_command = {
    .name = "reference",
    .summary = "Print docs/cli.md.",
    .run = run_reference,
    .stands_alone = true,
    .is_hidden = true,
};
