/* pipeline_run(): from the words of the command line to the run record on standard output. */
#include "base/clock.h"
#include "base/deadline.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/path.h"
#include "config/state_settings.h"
#include "pipeline/command_block.h"
#include "pipeline/extract_load.h"
#include "pipeline/plan.h"
#include "pipeline/record_line.h"
#include "pipeline/run_command.h"
#include "pipeline/run_lock.h"
#include "pipeline/run_log.h"
#include "pipeline/run_record.h"
#include "pipeline/spooled_state.h"
#include "pipeline/state_writer.h"
#include "plugin/install.h"
#include "process/process.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* How long the end of a run is tried to be recorded after a signal, and when the database was away
 * a moment ago. */
#define SHORT_PATIENCE_MS 400
/* What a new connection may take when a run that was told to end leaves its record. */
#define RECORD_PATIENCE_MS 1000
#define END_PAUSE_MS       250

/* How many streams are named at the end of a block; the record has all. */
#define MAX_SHOWN_STREAMS 20

/* One command while it runs. */
struct runner {
    struct config *config;
    struct project *project;
    const struct store_source *store_source;
    const struct run_options *options;
    struct run_settings settings;
    struct plan plan;
    struct run_record record;
    int64_t started_ms, block_started_ms, deadline_ms;
    struct state_writer *states; /* of the block that runs; NULL: it has none, or not yet */
    bool record_is_stored;
    bool has_no_store; /* the system database could not be opened */
};

static bool is_el(const struct run_options *options)
{
    return strcmp(options->command_name, "run") != 0;
}

static struct store *open_store(struct runner *runner, struct error *err)
{
    struct store *store = runner->store_source->open(runner->store_source->context, err);

    runner->has_no_store = !store;
    return store;
}

/* --- the plan ------------------------------------------------------------------------------ */

static int make_plan(struct runner *runner, struct error *err)
{
    const struct run_options *options = runner->options;

    if (is_el(options))
        return plan_from_pair(runner->project, options->blocks->items[0], options->blocks->items[1],
                              &runner->plan, err);
    if (!config_environment(runner->config)) {
        error_set(err, ERR_CONFIG, "a Meltano environment must be specified");
        return error_hint(err, "Set the `default_environment` option in `meltano.yml`, or the "
                               "`--environment` CLI option.");
    }
    return plan_from_words(runner->project, options->blocks, &runner->plan, err);
}

static int check_transform(const struct run_options *options, struct error *err)
{
    if (!options->transform || !strcmp(options->transform, "skip"))
        return 0;
    error_set(err, ERR_USAGE, "--transform=%s is not supported", options->transform);
    return error_hint(err, "Run the transformer after the load: 'meltshim run %s %s dbt:run'.",
                      options->blocks->items[0], options->blocks->items[1]);
}

static int make_state_id(struct runner *runner, const struct block *block, char **out,
                         struct error *err)
{
    const struct run_options *options = runner->options;
    const struct environment *environment = config_environment(runner->config);
    auto_strbuf struct strbuf when = STRBUF_INIT;

    if (!is_el(options)) {
        auto_free char *suffix = NULL;

        if (config_state_id_suffix(runner->config, options->state_id_suffix, &suffix, err) < 0)
            return -1;
        return plan_make_state_id(environment->name, block, suffix, out, err);
    }
    if (options->state_id) {
        *out = xstrdup(options->state_id);
        return 0;
    }
    strbuf_add_iso_time(&when, runner->record.started_us);
    *out = xasprintf("%.10sT%.2s%.2s%.2s--%s--%s", strbuf_text(&when), strbuf_text(&when) + 11,
                     strbuf_text(&when) + 14, strbuf_text(&when) + 17, block_extractor(block)->name,
                     block_loader(block)->name);
    log_warning("No state ID provided. Using an ephemeral state ID '%s'. Incremental state will "
                "not be continued by a later run: give one with --state-id.",
                *out);
    return 0;
}

static int print_plan(struct runner *runner, struct error *err)
{
    for (size_t i = 0; i < runner->plan.count; i++) {
        const struct block *block = &runner->plan.blocks[i];
        auto_free char *state_id = NULL;

        log_info("Dry run, but would have run block %zu/%zu.", i + 1, runner->plan.count);
        if (block->kind == BLOCK_COMMAND) {
            printf("%zu. command: %s\n", i + 1, block->words);
            continue;
        }
        if (make_state_id(runner, block, &state_id, err) < 0)
            return -1;
        printf("%zu. extract and load: ", i + 1);
        for (size_t j = 0; j < block->plugin_count; j++)
            printf("%s%s", j ? " | " : "", block->plugins[j]->name);
        printf("\n   state id: %s%s\n", runner->options->no_state_update ? "none" : state_id,
               runner->options->full_refresh ? " (full refresh: its state is not read)" : "");
    }
    return 0;
}

static int check_values(struct config *config, const struct block *block, struct error *err)
{
    auto_strmap struct strmap upstream = STRMAP_INIT;

    for (size_t i = 0; i < block->plugin_count; i++) {
        struct plugin_config *resolved = NULL;

        if (config_resolve_plugin(config, block->plugins[i], &upstream, NULL, &resolved, err) < 0)
            return -1;
        plugin_config_downstream(resolved, &upstream);
        plugin_config_free(resolved);
    }
    return 0;
}

/* A value that its setting cannot take is found before anything is started. The block that starts
 * first finds its own by itself, and then there is a record of it. */
static int check_plan(struct runner *runner, struct error *err)
{
    for (size_t i = runner->options->dry_run ? 0 : 1; i < runner->plan.count; i++)
        if (runner->plan.blocks[i].kind == BLOCK_EXTRACT_LOAD &&
            check_values(runner->config, &runner->plan.blocks[i], err) < 0)
            return -1;
    return 0;
}

/* --- installation -------------------------------------------------------------------------- */

static int install_plugins(struct runner *runner, struct error *err)
{
    struct install_options options = {.automatic = true};
    struct install_result result = {0};
    auto_free struct plugin **plugins = NULL;
    size_t count = 0;
    bool automatic = true;

    if (runner->options->no_install)
        return 0;
    if (config_project_bool(runner->config, "auto_install", &automatic, err) < 0)
        return -1;
    if (!automatic && !runner->options->only_install)
        return 0;
    for (size_t i = 0; i < runner->plan.count; i++)
        count += runner->plan.blocks[i].plugin_count;
    plugins = xcalloc(count, sizeof(struct plugin *));
    count = 0;
    for (size_t i = 0; i < runner->plan.count; i++)
        for (size_t j = 0; j < runner->plan.blocks[i].plugin_count; j++)
            plugins[count++] = runner->plan.blocks[i].plugins[j];
    return plugins_install(runner->config, plugins, count, &options, &result, err);
}

/* --- extract-load blocks ------------------------------------------------------------------- */

/* What a block with state holds while it runs. */
struct state_session {
    struct store *store;
    struct store_lock *lock;
    struct state_backend *backend;
    int64_t row_id;
    struct state_base base;
    char *spool_path;
    struct state_writer *writer;
    char *state_json; /* {"singer_state": ...} as the tap gets it, NULL: none */
};

static enum state_write write_kind(const struct run_options *options)
{
    if (options->state_strategy == STRATEGY_AUTO)
        return options->full_refresh ? STATE_PARTIAL : STATE_COMPLETE;
    return options->state_strategy == STRATEGY_MERGE ? STATE_PARTIAL : STATE_COMPLETE;
}

/* Both parts of the stored state as one: NULL when there is none. */
static int read_merged_state(struct state_session *session, const char *state_id,
                             struct value **out, struct error *err)
{
    struct state_parts parts = {0};
    bool found;
    int result = 0;

    if (state_backend_look(session->backend, state_id, &parts, &found, &session->base, err) < 0)
        return error_wrap(err, "cannot read the state of '%s'", state_id);
    if (found)
        result = state_parts_merge(&parts, state_id, out, err);
    state_parts_clear(&parts);
    return result;
}

/* The state the tap continues from. */
static int read_state(struct runner *runner, struct state_session *session,
                      struct block_record *record, struct error *err)
{
    auto_value struct value *merged = NULL;

    if (read_merged_state(session, record->state_id, &merged, err) < 0)
        return -1;
    record->version_before = merged ? session->base.version : 0;
    if (merged && !runner->options->full_refresh &&
        value_is_truthy(value_get(merged, "singer_state")))
        session->state_json = json_to_text(merged, &json_python);
    record->state_before = take(merged);
    return 0;
}

/* Removes old versions, a tenth of the limit at least, because that looks at the whole ledger; that
 * it fails is no reason not to run. */
static void prune_history(const struct runner *runner, const struct state_session *session,
                          const char *state_id)
{
    int64_t keep = runner->settings.state_versions, newest = session->base.version;
    int64_t oldest = 0, removed = 0;
    struct error err = {0};

    if (!keep || newest <= keep + keep / 10)
        return;
    if (!store_history_oldest(session->store, state_id, &oldest, &err) &&
        newest - oldest < keep + keep / 10)
        return;
    if (err.code != ERR_NONE ||
        store_history_prune(session->store, state_id, keep, &removed, &err) < 0)
        log_warning("old versions of the state of '%s' are not removed: %s", state_id, err.message);
    else
        log_debug("Removed %lld old versions of the state of '%s'", (long long)removed, state_id);
}

static struct state_writer *make_writer(const struct runner *runner,
                                        const struct block_record *record,
                                        const struct state_session *session, struct error *err)
{
    struct state_writer_options options = {
        .store = session->store,
        .backend = session->backend,
        .lock = session->lock,
        .state_id = record->state_id,
        .run_id = runner->record.run_id,
        .row_id = session->row_id,
        .kind = write_kind(runner->options),
        .base = session->base,
        .spool_path = session->spool_path,
    };

    return state_writer_new(&options, err);
}

static void record_durations(struct runner *runner, struct block_record *record)
{
    int64_t now_ms = clock_monotonic_ms();

    record->duration_ms = now_ms - runner->block_started_ms;
    runner->record.duration_ms = now_ms - runner->started_ms;
}

static void record_states(const struct runner *runner, struct block_record *record)
{
    const struct state_counts *counts = state_writer_counts(runner->states);

    record->states_received = counts->received;
    record->states_refused = counts->refused;
    record->checkpoints = counts->checkpoints;
    record->state_is_partial = write_kind(runner->options) == STATE_PARTIAL;
    record->version_after = counts->version ? counts->version : record->version_before;
}

/* For when the block that runs is not able to record its end any more. */
static char *record_if_killed(void *context)
{
    struct runner *runner = context;
    struct block_record *record = &runner->record.blocks[runner->record.block_count - 1];

    record_durations(runner, record);
    if (runner->states)
        record_states(runner, record);
    return run_record_if_killed(&runner->record);
}

static int open_session(struct runner *runner, struct block_record *record,
                        struct state_session *session, struct error *err)
{
    auto_free char *spool_dir = spooled_state_directory(runner->project);
    const char *trigger = strmap_get(config_environ(runner->config), "MELTANO_JOB_TRIGGER");
    auto_free char *if_killed = NULL;

    session->store = open_store(runner, err);
    if (!session->store)
        return -1;
    if (run_lock_acquire(session->store, record->state_id, runner->record.run_id, runner->options,
                         runner->record.trigger, &session->lock, err) < 0)
        return -1;
    if (config_open_state_backend(runner->config, session->store, &session->backend, err) < 0 ||
        spooled_state_commit_all(spool_dir, session->backend, session->lock, record->state_id,
                                 err) < 0 ||
        run_lock_check_rows(session->store, record->state_id, session->lock, runner->options, err) <
            0)
        return -1;
    session->spool_path = state_spool_path(spool_dir, record->state_id, runner->record.run_id);
    if_killed = record_if_killed(runner);
    if (store_run_begin(session->store, record->state_id, runner->record.run_id,
                        trigger && *trigger ? trigger : "cli", if_killed, &session->row_id,
                        err) < 0)
        return -1;
    if (read_state(runner, session, record, err) < 0)
        return -1;
    prune_history(runner, session, record->state_id);
    session->writer = make_writer(runner, record, session, err);
    return session->writer ? 0 : -1;
}

/* A server that is away or silent would hold up a signal, which the loop of the transfer is not
 * there for yet. */
static int begin_session(struct runner *runner, struct block_record *record,
                         struct state_session *session, struct error *err)
{
    struct error signal = {0};
    int result;

    deadline_set_interruption(signals_are_pending);
    result = open_session(runner, record, session, err);
    deadline_set_interruption(NULL);
    if (result && signals_check("before a plugin was started", &signal) < 0)
        error_set(err, signal.code, "%s: %s", signal.message, err->message);
    return result;
}

/* What is to be written about the end of a run. */
struct run_end {
    enum run_state state;
    const char *error_text;
    const char *record;
};

/* A signal that comes while the end is written leaves a healthy server the time to take it. */
static bool notice_signal(void)
{
    if (signals_next())
        deadline_set(clock_monotonic_ms() + SHORT_PATIENCE_MS);
    return false;
}

static bool was_told_to_end(const struct error *err)
{
    return err->code == ERR_TERMINATED || err->code == ERR_INTERRUPTED;
}

/* Tries again for a while when the database is away. */
static int write_end(const struct state_session *session, const struct run_end *end,
                     int64_t patience_ms, struct error *err)
{
    int64_t until_ms = clock_monotonic_ms() + patience_ms;

    while (store_run_finish(session->store, session->row_id, end->state, end->error_text,
                            end->record, err) < 0) {
        if (!store_may_recover(session->store) || err->code == ERR_LOST_LOCK ||
            clock_monotonic_ms() + END_PAUSE_MS > until_ms || deadline_has_passed())
            return -1;
        deadline_sleep_ms(END_PAUSE_MS);
    }
    return 0;
}

/* The writer has been closed: its thread is not there any more. */
static int write_or_spool_end(const struct runner *runner, const struct state_session *session,
                              const struct run_end *end, const struct error *run_error,
                              struct error *err)
{
    bool is_short =
        was_told_to_end(run_error) || (session->writer && state_writer_is_away(session->writer));
    int64_t patience_ms = is_short ? SHORT_PATIENCE_MS : runner->settings.database_patience_ms;
    struct error cause = {0};
    int result;

    deadline_set(clock_monotonic_ms() +
                 (is_short || patience_ms > DATABASE_ANSWER_MS ? patience_ms : DATABASE_ANSWER_MS));
    deadline_set_interruption(notice_signal);
    result = write_end(session, end, patience_ms, &cause);
    deadline_set_interruption(NULL);
    deadline_set(0);
    if (!result)
        return 0;
    if (session->writer && cause.code != ERR_LOST_LOCK)
        return state_writer_spool_end(session->writer, end->state, end->error_text, end->record,
                                      &cause, err);
    *err = cause;
    return -1;
}

/* The row's end and, with the last block, the record of the whole run: one transaction. */
static int end_session(struct runner *runner, struct state_session *session,
                       const struct block_record *record, bool is_last, struct error *err)
{
    auto_free char *json = is_last ? run_record_to_json(&runner->record) : NULL;
    struct run_end end = {
        .state = record->status == STATUS_SUCCESS ? RUN_SUCCESS : RUN_FAIL,
        .error_text = record->status == STATUS_SUCCESS ? NULL : record->error.message,
        .record = json,
    };
    int result = write_or_spool_end(runner, session, &end, &record->error, err);

    if (is_last)
        runner->record_is_stored = !result || err->code == ERR_SPOOLED;
    /* A database that is away is waited for once. */
    if (result && err->code != ERR_SPOOLED && store_may_recover(session->store))
        runner->has_no_store = true;
    return result;
}

static void clear_session(struct state_session *session)
{
    state_writer_free(session->writer);
    state_backend_close(session->backend);
    if (session->lock)
        store_lock_release(session->lock);
    free(session->spool_path);
    free(session->state_json);
}
#define auto_state_session ATTR_CLEANUP(clear_session)

/* --select, --exclude, --catalog and --state of el, as the extras they set. */
static struct value *make_extra_overrides(const struct run_options *options)
{
    struct value *overrides = value_new_map();
    struct value *filter = value_new_list();

    for (size_t i = 0; options->select && i < options->select->count; i++)
        value_append_string(filter, options->select->items[i]);
    for (size_t i = 0; options->exclude && i < options->exclude->count; i++) {
        auto_free char *pattern = xasprintf("!%s", options->exclude->items[i]);

        value_append_string(filter, pattern);
    }
    if (value_count(filter))
        value_set_take(overrides, "_select_filter", filter);
    else
        value_free(filter);
    if (options->catalog_file)
        value_set_string(overrides, "_catalog", options->catalog_file);
    if (options->state_file)
        value_set_string(overrides, "_state", options->state_file);
    return overrides;
}

/* <sys>/run/elt/<state id>/<run id> for el; NULL lets the plugin room choose for run. */
static char *make_run_dir(const struct runner *runner, const char *state_id)
{
    auto_free char *name = NULL;

    if (!is_el(runner->options))
        return NULL;
    name = state_id_to_dir_name(state_id);
    return xasprintf("%s/run/elt/%s/%s", runner->project->sys_dir, *name ? name : "_",
                     runner->record.run_id);
}

static int transfer(struct runner *runner, const struct block *block, struct state_session *session,
                    struct block_record *record, struct error *err)
{
    const struct run_options *options = runner->options;
    auto_value struct value *overrides = make_extra_overrides(options);
    auto_free char *run_dir = make_run_dir(runner, record->state_id ? record->state_id : "");
    struct extract_load run = {
        .config = runner->config,
        .block = block,
        .invocation =
            {
                .run_dir = run_dir,
                .run_id = runner->record.run_id,
                .state_json = session->state_json,
                .is_stateless = options->no_state_update,
                .full_refresh = options->full_refresh,
                .refresh_catalog = options->refresh_catalog,
                .extra_overrides = overrides,
            },
        .states = session->writer,
        .settings = &runner->settings,
        .deadline_ms = runner->deadline_ms,
        .record_if_killed = record_if_killed,
        .context = runner,
    };
    int result;

    runner->states = session->writer;
    result = extract_load_run(&run, record, err);
    record_states(runner, record);
    record->state_after = state_writer_last_state(session->writer);
    record->spool_path = xstrdup_or_null(state_writer_spool_path(session->writer));
    runner->states = NULL;
    return result;
}

static void finish_block(struct runner *runner, struct block_record *record, int result,
                         const struct error *err)
{
    record_durations(runner, record);
    record->status = !result                    ? STATUS_SUCCESS
                     : err->code == ERR_SKIPPED ? STATUS_SKIPPED
                                                : STATUS_FAILED;
    if (result)
        block_record_set_error(record, err);
    /* Every block so far has ended well, and a block that did not is the last. */
    runner->record.status = record->status;
    runner->record.error = record->error;
}

static int open_log(struct runner *runner, const char *name, struct block_record *record,
                    struct error *err)
{
    return run_log_open(runner->project, config_environ(runner->config), name,
                        runner->record.run_id, &record->log_path, err);
}

/* Airflow's logs do not hold all that plugins say, so every block has a log there; one that cannot
 * be had is not missed. */
static void open_log_for_airflow(struct runner *runner, const char *name,
                                 struct block_record *record)
{
    struct error err = {0};

    if (log_is_for_airflow() && open_log(runner, name, record, &err) < 0)
        log_warning("%s", err.message);
}

static int run_extract_load(struct runner *runner, size_t number, struct error *err)
{
    const struct block *block = &runner->plan.blocks[number];
    struct block_record *record = &runner->record.blocks[number];
    auto_state_session struct state_session session = {0};
    auto_free char *state_id = NULL;
    int result;

    record->is_extract_load = true;
    if (make_state_id(runner, block, &state_id, err) < 0)
        return -1;
    if (runner->options->no_state_update) {
        open_log_for_airflow(runner, state_id, record);
        log_warning("Running without state: none is read, none is saved.");
        session.writer = state_writer_new(NULL, err);
        result = transfer(runner, block, &session, record, err);
        finish_block(runner, record, result, err);
        return result;
    }
    record->state_id = take(state_id);
    if (open_log(runner, record->state_id, record, err) < 0)
        return -1;
    log_info("Running job with name '%s' and run ID '%s'", record->state_id, runner->record.run_id);
    result = begin_session(runner, record, &session, err);
    if (!result)
        result = transfer(runner, block, &session, record, err);
    finish_block(runner, record, result, err);
    if (session.row_id) {
        struct error finish_error = {0};

        if (end_session(runner, &session, record, result || number + 1 == runner->plan.count,
                        &finish_error) < 0) {
            /* The run's own failure says more than that it could not be noted down. */
            if (finish_error.code == ERR_SPOOLED && !record->spool_path)
                record->spool_path = xstrdup(session.spool_path);
            if (result)
                log_error("The end of the run could not be recorded: %s", finish_error.message);
            else
                *err = finish_error;
            result = -1;
            finish_block(runner, record, result, err);
        }
    }
    return result;
}

/* --- el --dump ----------------------------------------------------------------------------- */

static int print_file(const char *path, const char *what, struct error *err)
{
    auto_strbuf struct strbuf text = STRBUF_INIT;

    if (!path) {
        error_set(err, ERR_CONFIG, "there is no %s for this pipeline", what);
        return error_hint(err, "The extractor takes none, or nothing was stored yet.");
    }
    if (file_read(path, &text, err) < 0)
        return -1;
    printf("%s\n", strbuf_text(&text));
    return 0;
}

/* Prepares one plugin as for a run and prints the file that was asked for; nothing is synced. */
static int dump_file(struct runner *runner, const char *run_dir, const char *state_json,
                     struct error *err)
{
    const struct block *block = &runner->plan.blocks[0];
    const char *what = runner->options->dump;
    bool is_loader = !strcmp(what, "loader-config");
    auto_value struct value *overrides = make_extra_overrides(runner->options);
    struct invocation_options options = {
        .run_dir = run_dir,
        .run_id = runner->record.run_id,
        .state_json = state_json,
        .full_refresh = runner->options->full_refresh,
        .refresh_catalog = runner->options->refresh_catalog,
        .extra_overrides = is_loader ? NULL : overrides,
    };
    struct invocation invocation;
    int result;

    if (invocation_prepare(runner->config, is_loader ? block_loader(block) : block_extractor(block),
                           &options, &invocation, err) < 0)
        return -1;
    if (!strcmp(what, "catalog") || !strcmp(what, "state"))
        result = invocation_prepare_sync(runner->config, &invocation, &options, err);
    else
        result = 0;
    if (!result)
        result = print_file(!strcmp(what, "catalog") ? invocation.catalog_path
                            : !strcmp(what, "state") ? invocation.state_path
                                                     : invocation.config_path,
                            what, err);
    invocation_end(&invocation);
    return result;
}

static int dump_block(struct runner *runner, struct error *err)
{
    auto_state_session struct state_session session = {0};
    struct block_record *record = run_record_add_block(&runner->record);
    auto_free char *run_dir = NULL;

    if (make_state_id(runner, &runner->plan.blocks[0], &record->state_id, err) < 0)
        return -1;
    session.store = open_store(runner, err);
    if (!session.store ||
        config_open_state_backend(runner->config, session.store, &session.backend, err) < 0 ||
        read_state(runner, &session, record, err) < 0)
        return -1;
    run_dir = make_run_dir(runner, record->state_id);
    return dump_file(runner, run_dir, session.state_json, err);
}

/* --- the whole ----------------------------------------------------------------------------- */

/* Seconds with three decimals at most, as Python prints the number. */
static struct value *seconds_value(int64_t duration_ms)
{
    char text[40];
    size_t length = (size_t)snprintf(text, sizeof text, "%lld.%03d",
                                     (long long)(duration_ms / 1000), (int)(duration_ms % 1000));

    while (text[length - 1] == '0' && text[length - 2] != '.')
        text[--length] = '\0';
    return value_new_number(VALUE_REAL, text);
}

/* What a person wants to know without reading the record. */
static void log_loaded(const struct block_record *record)
{
    const struct relay_counts *counts = &record->counts;
    uint64_t records = 0;

    for (size_t i = 0; i < counts->stream_count; i++) {
        records += counts->streams[i].records;
        if (i < MAX_SHOWN_STREAMS)
            log_info("%s: %llu records", counts->streams[i].name,
                     (unsigned long long)counts->streams[i].records);
    }
    log_info("%s %llu records of %zu streams, %.1f MB, in %.1f s; state saved %llu times",
             record->status == STATUS_SUCCESS ? "Loaded" : "Passed on", (unsigned long long)records,
             counts->stream_count, (double)counts->bytes / 1e6, (double)record->duration_ms / 1e3,
             (unsigned long long)record->checkpoints);
}

static void log_block_end(const struct block *block, const struct block_record *record,
                          size_t number)
{
    auto_value struct value *fields = value_new_map();
    bool success = record->status == STATUS_SUCCESS;

    value_set_int(fields, "set_number", (long long)number);
    value_set_string(fields, "block_type",
                     block->kind == BLOCK_COMMAND ? "InvokerCommand" : "ExtractLoadBlocks");
    value_set_bool(fields, "success", success);
    value_set_string_or_null(fields, "err", success ? NULL : record->error.message);
    value_set_take(fields, "duration_seconds", seconds_value(record->duration_ms));
    if (success)
        log_event(LOG_INFO, "meltano", fields, "Block run completed");
    else
        log_event(LOG_ERROR, "meltano", fields, "Block run failed: %s", record->error.message);
}

static int run_block(struct runner *runner, size_t number, struct error *err)
{
    const struct block *block = &runner->plan.blocks[number];
    struct block_record *record = run_record_add_block(&runner->record);
    int result;

    runner->block_started_ms = clock_monotonic_ms();
    record->words = xstrdup(block->words);
    record->started_us = clock_now_us();
    if (block->kind == BLOCK_EXTRACT_LOAD) {
        result = run_extract_load(runner, number, err);
    } else {
        open_log_for_airflow(runner, block->words, record);
        result = command_block_run(runner->config, block, &runner->settings, runner->deadline_ms,
                                   record, err);
        finish_block(runner, record, result, err);
    }
    if (result && record->status == STATUS_SUCCESS)
        finish_block(runner, record, result, err);
    /* A failure comes first: what follows is only how far it came. */
    if (result)
        log_block_end(block, record, number);
    if (record->is_extract_load)
        log_loaded(record);
    if (!result)
        log_block_end(block, record, number);
    if (record->log_path)
        run_log_close(record->log_path);
    return result;
}

static int run_blocks(struct runner *runner, struct error *err)
{
    for (size_t i = 0; i < runner->plan.count; i++)
        if (run_block(runner, i, err) < 0)
            return -1;
    return 0;
}

static int init_record(struct runner *runner, struct error *err)
{
    const struct run_options *options = runner->options;
    const struct environment *environment = config_environment(runner->config);
    struct run_record *record = &runner->record;
    char host[256] = "";

    if (!options->run_id)
        uuid_new_v7(record->run_id);
    else if (!uuid_parse(options->run_id, record->run_id))
        return error_set(err, ERR_USAGE, "%s is not a valid UUID", options->run_id);
    if (options->argv)
        strlist_add_all(&record->command, options->argv);
    record->environment = xstrdup_or_null(environment ? environment->name : NULL);
    record->trigger = run_trigger_from_environ(config_environ(runner->config));
    gethostname(host, sizeof host - 1);
    record->host = xstrdup(host);
    record->started_us = clock_now_us();
    runner->started_ms = clock_monotonic_ms();
    if (options->timeout_s > 0)
        runner->deadline_ms = runner->started_ms + run_seconds_to_ms(options->timeout_s);
    return 0;
}

/* Runs without a row of their own (plugin commands, stateless loads) keep their record too; that a
 * database cannot be reached does not make such a run fail. */
static void store_record(struct runner *runner, const char *json)
{
    struct error err = {0};
    struct store *store;

    /* What kept the run from its state would be waited for once more. */
    if (runner->record_is_stored || runner->has_no_store)
        return;
    if (was_told_to_end(&runner->record.error))
        deadline_set(clock_monotonic_ms() + RECORD_PATIENCE_MS);
    deadline_set_interruption(notice_signal);
    store = open_store(runner, &err);
    if (!store || store_record_add(store, runner->record.run_id, json, &err) < 0)
        log_warning("the run record is not kept in the system database: %s", err.message);
    deadline_set_interruption(NULL);
    deadline_set(0);
}

/* As a JSON string, so that the XCom of a pod is what that of a process is. */
static void write_xcom(const char *path, const char *line)
{
    auto_value struct value *text = value_new_string(line);
    auto_strbuf struct strbuf bytes = STRBUF_INIT;
    struct error err = {0};

    json_write(&bytes, text, &json_compact);
    if (file_write(path, &bytes, 0644, &err) < 0)
        log_warning("the run record does not become an XCom: %s", err.message);
}

/* The record is the last line of standard output: Airflow's XCom is made of it. A reader that went
 * away does not make a finished run fail. */
static void publish_record(struct runner *runner)
{
    auto_value struct value *record = run_record_to_value(&runner->record);
    auto_free char *json = json_to_text(record, &json_compact);
    const char *log_path = value_get_text(record, "log_path");
    auto_free char *whole_path = log_path ? run_log_record_path(log_path) : NULL;
    auto_free char *line = record_line(record, whole_path);

    store_record(runner, json);
    for (size_t i = 0; i < runner->record.block_count; i++)
        if (runner->record.blocks[i].log_path)
            run_log_write_record(runner->record.blocks[i].log_path, json);
    if (runner->options->xcom_file && *runner->options->xcom_file)
        write_xcom(runner->options->xcom_file, line);
    if (printf("%s\n", line) >= 0 && fflush(stdout) != EOF)
        return;
    if (errno == EPIPE)
        log_debug("Nobody read the run record");
    else
        log_warning("The run record could not be printed: %s; 'meltshim runs show %s' shows it",
                    strerror(errno), runner->record.run_id);
}

static void log_run_end(const struct runner *runner)
{
    auto_value struct value *fields = value_new_map();

    value_set_take(fields, "duration_seconds", seconds_value(runner->record.duration_ms));
    value_set_string(fields, "status",
                     runner->record.status == STATUS_SUCCESS ? "success" : "failure");
    log_event(LOG_INFO, "meltano", fields, "Run completed");
}

static int run_plan(struct runner *runner, struct error *err)
{
    int result;

    log_bind("run_id", runner->record.run_id);
    signals_watch();
    result = run_blocks(runner, err);
    /* One that is stored already, with its last block, stays the same everywhere. */
    if (!runner->record_is_stored)
        runner->record.duration_ms = clock_monotonic_ms() - runner->started_ms;
    log_run_end(runner);
    publish_record(runner);
    signals_unwatch();
    log_bind("run_id", NULL);
    return result;
}

int pipeline_run(struct config *config, const struct store_source *store,
                 const struct run_options *options, struct error *err)
{
    struct runner runner = {
        .config = config,
        .project = config_project(config),
        .store_source = store,
        .options = options,
    };
    int result = -1;

    if (check_transform(options, err) < 0 ||
        run_settings_read(runner.project, options, &runner.settings, err) < 0 ||
        init_record(&runner, err) < 0 || make_plan(&runner, err) < 0 ||
        plan_resolve(&runner.plan, err) < 0 || check_plan(&runner, err) < 0)
        goto done;
    if (options->dry_run)
        result = print_plan(&runner, err);
    else if (options->dump)
        result = dump_block(&runner, err);
    else if (!runner.plan.count)
        result = (log_info("No valid blocks found."), 0);
    else if (install_plugins(&runner, err) < 0 || options->only_install)
        result = err->code == ERR_NONE ? 0 : -1;
    else
        result = run_plan(&runner, err);
done:
    run_record_clear(&runner.record);
    plan_clear(&runner.plan);
    return result;
}
