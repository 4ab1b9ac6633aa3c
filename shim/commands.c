#include "shim/commands.h"

#include "base/log.h"

static const char *const log_levels[] = {
    [LOG_DEBUG] = "debug",
    [LOG_INFO] = "info",
    [LOG_WARNING] = "warning",
    [LOG_ERROR] = "error",
    [LOG_CRITICAL] = "critical",
    [LOG_DISABLED] = "disabled",
    NULL,
};

static const char *const log_formats[] = {
    [LOG_COLORED] = "colored",     [LOG_UNCOLORED] = "uncolored", [LOG_JSON] = "json",
    [LOG_KEY_VALUE] = "key-value", [LOG_PLAIN] = "plain",         NULL,
};

static const struct option_def root_options[] = {
    OPTION_STRING(struct global_options, project_root, "project-root",
                  "Work as if started in this directory.", .alias = "cwd", .metavar = "DIR",
                  .word = WORD_DIRECTORY),
    OPTION_STRING(struct global_options, environment, "environment",
                  "Use this environment of the project; 'null' means none.",
                  .word = WORD_ENVIRONMENT),
    OPTION_FLAG(struct global_options, no_environment, "no-environment",
                "Use no environment, not even the default one."),
    OPTION_STRING(struct global_options, env_file, "env-file",
                  "Read this file in place of .env; a relative path begins at the project's root.",
                  .metavar = "FILE", .word = WORD_FILE),
    OPTION_CHOICE(struct global_options, log_level, "log-level",
                  "Say less or more on standard error.", .choices = log_levels),
    OPTION_CHOICE(struct global_options, log_format, "log-format", "Form of the log lines.",
                  .choices = log_formats),
    OPTION_STRING(struct global_options, log_config, "log-config",
                  "Accepted for Meltano's sake and ignored: formats and levels come from the two "
                  "options above.",
                  .metavar = "FILE", .word = WORD_FILE),
    OPTION_FLAG(struct global_options, version, "version", "Show the version and exit."),
    {0},
};

const struct option_def database_options[] = {
    OPTION_STRING(struct global_options, database_uri, "database-uri",
                  "The system database to use."),
    {0},
};

/* A command of Meltano that is not ours: the Python Meltano runs it. */
#define PASSED_ON(command_name, command_summary)                                                   \
    &(const struct command)                                                                        \
    {                                                                                              \
        .name = command_name, .summary = command_summary, .is_passed_on = true                     \
    }

static const struct command *const root_commands[] = {
    PASSED_ON("add", "Add plugins to the project."),
    PASSED_ON("cloud", "Interact with Meltano Cloud."),
    PASSED_ON("compile", "Write the project's manifest files."),
    PASSED_ON("config", "Show and change settings."),
    PASSED_ON("docs", "Open Meltano's documentation."),
    PASSED_ON("dragon", "Summon a dragon."),
    PASSED_ON("el", "Run one extractor and one loader."),
    PASSED_ON("elt", "The older form of 'el'."),
    PASSED_ON("environment", "Manage environments."),
    PASSED_ON("hub", "Ask the plugin hub."),
    PASSED_ON("init", "Make a new project."),
    PASSED_ON("install", "Install plugins."),
    PASSED_ON("invoke", "Start a plugin's program."),
    PASSED_ON("job", "Manage jobs."),
    PASSED_ON("lock", "Write lock files of plugins."),
    PASSED_ON("logs", "Show the logs of runs."),
    PASSED_ON("plugin", "List plugins."),
    PASSED_ON("remove", "Remove plugins from the project."),
    PASSED_ON("run", "Run pipelines, plugin commands and jobs."),
    PASSED_ON("schedule", "Manage schedules."),
    PASSED_ON("schema", "Manage the database's schema."),
    PASSED_ON("select", "Choose what an extractor extracts."),
    PASSED_ON("state", "Manage state."),
    PASSED_ON("test", "Run the tests of plugins."),
    PASSED_ON("upgrade", "Upgrade Meltano and the project."),
    &completion_command,
    &complete_command,
    &reference_command,
    NULL,
};

const struct command root_command = {
    .name = "meltshim",
    .summary = "Run Meltano projects in production.",
    .options = root_options,
    .subcommands = root_commands,
    .status_when_bare = 2,
};
