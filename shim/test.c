#include "plugin/test_plugin.h"

#include "base/memory.h"
#include "shim/app.h"
#include "shim/auto_install.h"
#include "shim/commands.h"

#include <stdlib.h>

struct test_args {
    struct strlist names;
    bool all;
    int install;
};

static int install_tested(struct app *app, const struct plugin_test_list *tests, int mode,
                          struct error *err)
{
    auto_free struct plugin **plugins = xcalloc(tests->count + 1, sizeof *plugins);

    for (size_t i = 0; i < tests->count; i++)
        plugins[i] = tests->items[i].plugin;
    return auto_install(app, plugins, tests->count, (enum auto_install)mode, err);
}

static int run_test(struct app *app, void *data, struct error *err)
{
    const struct test_args *args = data;
    struct config *config = app_config(app, err);
    auto_plugin_test_list struct plugin_test_list tests = PLUGIN_TEST_LIST_INIT;

    if (!config ||
        plugin_tests_collect(config_project(config), args->all, &args->names, &tests, err) < 0 ||
        install_tested(app, &tests, args->install, err) < 0)
        return -1;
    if (args->install == AUTO_INSTALL_ONLY)
        return 0;
    return plugin_tests_run(config, &tests, err);
}

static const struct option_def test_options[] = {
    OPTION_FLAG(struct test_args, all, "all", "Run the tests of all plugins."),
    AUTO_INSTALL_OPTIONS(struct test_args),
    {0},
};

static const struct argument_def test_arguments[] = {
    ARGUMENT_MANY(struct test_args, names, "PLUGIN_TESTS", .word = WORD_PLUGIN_COMMAND),
    {0},
};

const struct command test_command = {
    .name = "test",
    .summary = "Run the commands of plugins whose names begin with 'test'.",
    .details = "PLUGIN_TESTS are PLUGIN, or PLUGIN:COMMAND for any command.",
    .options = test_options,
    .arguments = test_arguments,
    .args_size = sizeof(struct test_args),
    .run = run_test,
    .environment = ENVIRONMENT_DEFAULT,
};
