#include "shim/commands.h"

#include "base/log.h"
#include "project/plugin_type.h"

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

const char *const output_formats[] = {"text", "json", NULL};

const char *const plugin_type_choices[] = {
    [2 * PLUGIN_EXTRACTOR] = "extractor",
    "extractors",
    [2 * PLUGIN_LOADER] = "loader",
    "loaders",
    [2 * PLUGIN_TRANSFORM] = "transform",
    "transforms",
    [2 * PLUGIN_ORCHESTRATOR] = "orchestrator",
    "orchestrators",
    [2 * PLUGIN_TRANSFORMER] = "transformer",
    "transformers",
    [2 * PLUGIN_FILE] = "file",
    "files",
    [2 * PLUGIN_UTILITY] = "utility",
    "utilities",
    [2 * PLUGIN_MAPPER] = "mapper",
    "mappers",
    NULL,
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

static const struct command *const root_commands[] = {
    PASSED_ON("add", "Add plugins to the project."),
    &airflow_command,
    PASSED_ON("cloud", "Interact with Meltano Cloud."),
    PASSED_ON("compile", "Write the project's manifest files."),
    &config_command,
    PASSED_ON("docs", "Open Meltano's documentation."),
    PASSED_ON("dragon", "Summon a dragon."),
    &el_command,
    &elt_command,
    &environment_command,
    &hub_command,
    &init_command,
    &install_command,
    &invoke_command,
    &job_command,
    &lock_command,
    &logs_command,
    &plugin_command,
    PASSED_ON("remove", "Remove plugins from the project."),
    &run_command,
    &runs_command,
    &schedule_command,
    PASSED_ON("schema", "Manage the database's schema."),
    &select_command,
    &state_command,
    &test_command,
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
