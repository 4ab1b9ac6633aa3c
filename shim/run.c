/* run, el and elt: from their options to pipeline_run(). */
#include "pipeline/run_command.h"
#include "shim/app.h"
#include "shim/auto_install.h"
#include "shim/commands.h"
#include "shim/state_access.h"

#include <stdlib.h>
#include <string.h>

struct run_args {
    struct strlist blocks;
    const char *extractor, *loader; /* el and elt */
    bool dry_run, full_refresh, refresh_catalog, no_state_update, force, merge_state;
    const char *state_id_suffix, *state_id, *run_id, *on_running;
    int state_strategy; /* one more than enum state_strategy; 0: not given */
    long timeout_s, idle_timeout_s, stop_grace_s;
    int flight_recorder; /* enum recorder_choice */
    const char *xcom_file;
    int install; /* enum auto_install */
    struct strlist select, exclude;
    const char *catalog_file, *state_file;
    int dump, transform;
};

static const char *const state_strategies[] = {
    [STRATEGY_AUTO] = "auto",
    [STRATEGY_MERGE] = "merge",
    [STRATEGY_OVERWRITE] = "overwrite",
    NULL,
};

static const char *const dump_choices[] = {"catalog", "state", "extractor-config", "loader-config",
                                           NULL};
static const char *const recorder_choices[] = {"on", "off", NULL};
_Static_assert(RECORDER_ON == 1 && RECORDER_OFF == 2, "the choices are numbered from 1");

static const char *const transform_choices[] = {"skip", "only", "run", NULL};

static struct store *open_store(void *context, struct error *err)
{
    return app_store(context, STORE_WRITE, err);
}

/* fail, skip, wait or wait=SECONDS */
static int parse_on_running(const char *word, struct run_options *options, struct error *err)
{
    static const char wait_for[] = "wait=";
    char *end;

    if (!strcmp(word, "fail")) {
        options->lock_policy = LOCK_POLICY_FAIL;
    } else if (!strcmp(word, "skip")) {
        options->lock_policy = LOCK_POLICY_SKIP;
    } else if (!strcmp(word, "wait")) {
        options->lock_policy = LOCK_POLICY_WAIT;
        options->lock_wait_s = 24L * 60 * 60;
    } else if (!strncmp(word, wait_for, strlen(wait_for))) {
        options->lock_policy = LOCK_POLICY_WAIT;
        options->lock_wait_s = strtol(word + strlen(wait_for), &end, 10);
        if (*end || end == word + strlen(wait_for) || options->lock_wait_s < 0)
            return error_set(err, ERR_USAGE,
                             "Invalid value for '--on-running': '%s' has no number of seconds",
                             word);
    } else {
        return error_set(err, ERR_USAGE,
                         "Invalid value for '--on-running': '%s' is not one of 'fail', 'skip', "
                         "'wait', 'wait=SECONDS'",
                         word);
    }
    return 0;
}

static int set_strategy(const struct run_args *args, struct run_options *options, struct error *err)
{
    options->state_strategy =
        args->state_strategy ? (enum state_strategy)(args->state_strategy - 1) : STRATEGY_AUTO;
    if (!args->merge_state)
        return 0;
    if (options->state_strategy != STRATEGY_AUTO)
        return error_set(err, ERR_USAGE,
                         "Cannot use both --merge-state and --state-strategy: use the latter");
    options->state_strategy = STRATEGY_MERGE;
    return 0;
}

static int run_pipeline(struct app *app, struct run_args *args, const char *name,
                        const struct strlist *blocks, struct error *err)
{
    struct config *config = app_config(app, err);
    struct store_source store = {open_store, app};
    struct run_options options = {
        .command_name = name,
        .argv = &app->argv,
        .blocks = blocks,
        .dry_run = args->dry_run,
        .full_refresh = args->full_refresh,
        .refresh_catalog = args->refresh_catalog,
        .no_state_update = args->no_state_update,
        .force = args->force,
        .state_id_suffix = args->state_id_suffix,
        .run_id = args->run_id,
        .timeout_s = args->timeout_s,
        .idle_timeout_s = args->idle_timeout_s,
        .stop_grace_s = args->stop_grace_s,
        .xcom_file = args->xcom_file,
        .flight_recorder = (enum recorder_choice)args->flight_recorder,
        .no_install = args->install == AUTO_INSTALL_NO,
        .only_install = args->install == AUTO_INSTALL_ONLY,
        .state_id = args->state_id,
        .select = &args->select,
        .exclude = &args->exclude,
        .catalog_file = args->catalog_file,
        .state_file = args->state_file,
        .dump = args->dump ? dump_choices[args->dump - 1] : NULL,
        .transform = args->transform ? transform_choices[args->transform - 1] : NULL,
    };

    if (!config || set_strategy(args, &options, err) < 0 ||
        (args->on_running && parse_on_running(args->on_running, &options, err) < 0))
        return -1;
    /* What Meltano cannot do needs no state, or is refused with it. */
    if (!args->no_state_update && !args->dry_run && state_leave_to_python(app, err) < 0)
        return -1;
    return pipeline_run(config, &store, &options, err);
}

static int run_run(struct app *app, void *data, struct error *err)
{
    struct run_args *args = data;

    return run_pipeline(app, args, "run", &args->blocks, err);
}

static int run_pair(struct app *app, struct run_args *args, const char *name, struct error *err)
{
    auto_strlist struct strlist pair = STRLIST_INIT;

    strlist_add(&pair, args->extractor);
    strlist_add(&pair, args->loader);
    return run_pipeline(app, args, name, &pair, err);
}

static int run_el(struct app *app, void *data, struct error *err)
{
    return run_pair(app, data, "el", err);
}

static int run_elt(struct app *app, void *data, struct error *err)
{
    return run_pair(app, data, "elt", err);
}

/* Rows that the three commands share. A macro, because a variable may give an option to run only:
 * variable(NAME) is either NAME or NULL. */
#define SHARED_ROWS(variable)                                                                      \
    OPTION_FLAG(struct run_args, full_refresh, "full-refresh",                                     \
                "Load everything again: state is not read, and merged when it is saved.",          \
                .env = "MELTANO_RUN_FULL_REFRESH"),                                                \
        OPTION_FLAG(struct run_args, refresh_catalog, "refresh-catalog",                           \
                    "Discover the catalog again.",                                                 \
                    .env = variable("MELTANO_RUN_REFRESH_CATALOG")),                               \
        OPTION_FLAG(struct run_args, force, "force",                                               \
                    "Start although a run of the same state ID is marked as running.",             \
                    .letter = 'f', .env = variable("MELTANO_RUN_FORCE")),                          \
        OPTION_CHOICE(struct run_args, state_strategy, "state-strategy",                           \
                      "Merge new state into the old or put it in its place; auto merges after a "  \
                      "full refresh.",                                                             \
                      .choices = state_strategies, .env = variable("MELTANO_RUN_STATE_STRATEGY")), \
        OPTION_FLAG(struct run_args, merge_state, "merge-state", "--state-strategy=merge.",        \
                    .is_hidden = true),                                                            \
        OPTION_UUID(struct run_args, run_id, "run-id",                                             \
                    "The ID of this run; a new one if not given.",                                 \
                    .env = variable("MELTANO_RUN_ID")),                                            \
        OPTION_STRING(struct run_args, on_running, "on-running",                                   \
                      "When the same state ID runs already: fail, skip (exit 99), wait or "        \
                      "wait=SECONDS. Under Airflow it waits 15 seconds if not given.",             \
                      .env = "MELTSHIM_ON_RUNNING", .metavar = "POLICY"),                          \
        OPTION_NUMBER(struct run_args, idle_timeout_s, "idle-timeout",                             \
                      "End an extract-load when for so many seconds no byte has moved between "    \
                      "its plugins; 0 for no limit.",                                              \
                      .metavar = "SECONDS", .env = "MELTSHIM_IDLE_TIMEOUT", .value = -1,           \
                      .has_minimum = true, .minimum = 0),                                          \
        OPTION_NUMBER(struct run_args, stop_grace_s, "stop-grace",                                 \
                      "When told to end, have everything ended after so many seconds; 5 if not "   \
                      "given.",                                                                    \
                      .metavar = "SECONDS", .env = "MELTSHIM_STOP_GRACE", .value = -1,             \
                      .has_minimum = true, .minimum = 1),                                          \
        OPTION_STRING(struct run_args, xcom_file, "xcom-file",                                     \
                      "Also write the run record there, as a JSON string: where the sidecar of "   \
                      "Airflow's KubernetesPodOperator looks.",                                    \
                      .metavar = "FILE", .env = "MELTSHIM_XCOM_FILE", .word = WORD_FILE),          \
        OPTION_CHOICE(struct run_args, flight_recorder, "flight-recorder",                         \
                      "Whether a run that fails keeps its last messages beside its log; on if "    \
                      "not given.",                                                                \
                      .choices = recorder_choices, .env = "MELTSHIM_FLIGHT_RECORDER"),             \
        AUTO_INSTALL_OPTIONS(struct run_args)
#define WITH_VARIABLE(name)    name
#define WITHOUT_VARIABLE(name) NULL

static const struct option_def run_options[] = {
    OPTION_FLAG(struct run_args, dry_run, "dry-run", "Show the plan and start nothing."),
    SHARED_ROWS(WITH_VARIABLE),
    OPTION_FLAG(struct run_args, no_state_update, "no-state-update",
                "Run without state: none is read, none is saved.",
                .env = "MELTANO_RUN_NO_STATE_UPDATE"),
    OPTION_STRING(struct run_args, state_id_suffix, "state-id-suffix",
                  "Append this to the state ID.", .env = "MELTANO_RUN_STATE_ID_SUFFIX"),
    OPTION_NUMBER(struct run_args, timeout_s, "timeout", "End the run after so many seconds.",
                  .metavar = "SECONDS", .env = "MELTANO_RUN_TIMEOUT", .has_minimum = true,
                  .minimum = 1),
    {0},
};

#define PAIR_ROWS                                                                                  \
    SHARED_ROWS(WITHOUT_VARIABLE),                                                                 \
        OPTION_STRING(struct run_args, state_id, "state-id",                                       \
                      "The state ID; without one the run's state is its own.",                     \
                      .env = "MELTANO_STATE_ID", .word = WORD_STATE_ID),                           \
        OPTION_LIST(struct run_args, select, "select", "Only streams that match this pattern.",    \
                    .letter = 's', .metavar = "PATTERN"),                                          \
        OPTION_LIST(struct run_args, exclude, "exclude", "Not the streams that match this.",       \
                    .letter = 'e', .metavar = "PATTERN"),                                          \
        OPTION_STRING(struct run_args, catalog_file, "catalog", "Use this catalog.",               \
                      .metavar = "FILE", .word = WORD_FILE),                                       \
        OPTION_STRING(struct run_args, state_file, "state", "Begin with this state.",              \
                      .metavar = "FILE", .word = WORD_FILE),                                       \
        OPTION_CHOICE(struct run_args, dump, "dump",                                               \
                      "Print what a plugin would be given and start nothing.",                     \
                      .choices = dump_choices),                                                    \
        OPTION_FLAG(struct run_args, dry_run, "dry", "Show the plan and start nothing.")

static const struct option_def el_options[] = {PAIR_ROWS, {0}};

static const struct option_def elt_options[] = {
    PAIR_ROWS,
    OPTION_CHOICE(struct run_args, transform, "transform",
                  "Only 'skip' is supported: run transformations as plugin commands.",
                  .choices = transform_choices),
    {0},
};

static const struct argument_def run_arguments[] = {
    ARGUMENT_MANY(struct run_args, blocks, "BLOCKS", .word = WORD_BLOCK),
    {0},
};

static const struct argument_def pair_arguments[] = {
    ARGUMENT_ONE(struct run_args, extractor, "EXTRACTOR", .word = WORD_EXTRACTOR),
    ARGUMENT_ONE(struct run_args, loader, "LOADER", .word = WORD_LOADER),
    {0},
};

const struct command run_command = {
    .name = "run",
    .summary = "Run pipelines, plugin commands and jobs.",
    .details = "BLOCKS are sets of an extractor, any mappings and a loader, plugin commands "
               "(dbt:run) and jobs, which run one after the other. The last line of standard "
               "output is the run record (docs/run-record.schema.json).",
    .options = run_options,
    .arguments = run_arguments,
    .args_size = sizeof(struct run_args),
    .run = run_run,
    .environment = ENVIRONMENT_REQUIRED,
};

const struct command el_command = {
    .name = "el",
    .summary = "Run one extractor and one loader.",
    .options = el_options,
    .arguments = pair_arguments,
    .args_size = sizeof(struct run_args),
    .run = run_el,
    .environment = ENVIRONMENT_DEFAULT,
};

const struct command elt_command = {
    .name = "elt",
    .summary = "The older form of 'el'.",
    .options = elt_options,
    .arguments = pair_arguments,
    .args_size = sizeof(struct run_args),
    .run = run_elt,
    .environment = ENVIRONMENT_DEFAULT,
};
