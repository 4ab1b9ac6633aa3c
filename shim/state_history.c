/* The ledger of a state: every version that was accepted. */
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "shim/commands.h"
#include "shim/state_access.h"
#include "shim/table.h"
#include "shim/value_diff.h"

#include <stdlib.h>
#include <string.h>

struct history_args {
    const char *state_id;
    int format;
    long limit;
};

static struct value *version_to_value(const struct state_version *version)
{
    struct value *out = value_new_map();
    auto_strbuf struct strbuf time = STRBUF_INIT;

    strbuf_add_py_time(&time, version->written_at_us, 'T');
    value_set_int(out, "version", version->version);
    value_set_string(out, "written_at", strbuf_text(&time));
    value_set_string(out, "kind", version->kind);
    value_set_string(out, "source", version->source);
    value_set_string_or_null(out, "run_id", version->run_id[0] ? version->run_id : NULL);
    return out;
}

static void print_history(struct app *app, const struct state_version_list *versions)
{
    static const char *const titles[] = {"VERSION", "WRITTEN", "KIND", "SOURCE", "RUN ID"};
    auto_table struct table table = {0};

    TABLE_INIT(&table, titles);
    for (size_t i = 0; i < versions->count; i++) {
        const struct state_version *version = &versions->items[i];
        auto_strbuf struct strbuf time = STRBUF_INIT;

        strbuf_add_sql_time(&time, version->written_at_us);
        table_addf(&table, "%lld", (long long)version->version);
        table_addf(&table, "%.19s", strbuf_text(&time));
        table_add(&table, version->kind);
        table_add(&table, version->source);
        table_add(&table, version->run_id);
    }
    table_print(&table, &app->out);
}

static int run_history(struct app *app, void *data, struct error *err)
{
    const struct history_args *args = data;
    auto_state_place struct state_place place = {0};
    struct state_version_list versions = {0};

    if (state_open(app, args->state_id, STORE_READ, &place, err) < 0 ||
        store_state_history(place.store, args->state_id, (size_t)args->limit, &versions, err) < 0)
        return -1;
    if (args->format == OUTPUT_JSON) {
        auto_value struct value *out = value_new_list();

        for (size_t i = 0; i < versions.count; i++)
            value_append_take(out, version_to_value(&versions.items[i]));
        app_print_json(app, out);
    } else if (versions.count) {
        print_history(app, &versions);
    } else {
        log_info("No versions of the state of %s are known.", args->state_id);
    }
    state_version_list_clear(&versions);
    return 0;
}

static const struct option_def history_options[] = {
    FORMAT_OPTION(struct history_args),
    OPTION_NUMBER(struct history_args, limit, "limit", "How many versions at most.", .letter = 'l',
                  .value = 20, .minimum = 1, .has_minimum = true),
    {0},
};

static const struct argument_def history_arguments[] = {
    ARGUMENT_ONE(struct history_args, state_id, "STATE_ID", .word = WORD_STATE_ID),
    {0},
};

const struct command state_history_command = {
    .name = "history",
    .summary = "List the versions of a state, newest first.",
    .options = history_options,
    .arguments = history_arguments,
    .args_size = sizeof(struct history_args),
    .run = run_history,
};

struct version_args {
    const char *state_id, *version, *other;
    const char *named; /* the version by --version */
    bool force;
};

/* The version by either way, NULL when none is given. */
static int choose_version(const struct version_args *args, const char **out, struct error *err)
{
    if (args->version && args->named)
        return error_set(err, ERR_USAGE, "VERSION and --version mean the same: give one of them");
    *out = args->version ? args->version : args->named;
    return 0;
}

#define VERSION_OPTION                                                                             \
    OPTION_STRING(struct version_args, named, "version", "The version, instead of VERSION.",       \
                  .metavar = "VERSION")

/* version NULL: the newest; minus selects from the newest back. */
static int find_version(const struct state_place *place, const char *state_id, const char *version,
                        size_t minus, int64_t *out, struct error *err)
{
    struct state_version_list versions = {0};
    int result = 0;

    if (version) {
        char *end;

        *out = strtoll(version, &end, 10);
        if (end == version || *end || *out < 1)
            return error_set(err, ERR_USAGE, "'%s' is no version: 'state history' lists them",
                             version);
        return 0;
    }
    if (store_state_history(place->store, state_id, minus + 1, &versions, err) < 0)
        return -1;
    if (versions.count <= minus)
        result = error_set(err, ERR_STATE, "the state of '%s' has %zu version%s", state_id,
                           versions.count, versions.count == 1 ? "" : "s");
    else
        *out = versions.items[minus].version;
    state_version_list_clear(&versions);
    return result;
}

static int run_show(struct app *app, void *data, struct error *err)
{
    const struct version_args *args = data;
    auto_state_place struct state_place place = {0};
    auto_value struct value *state = NULL;
    const char *chosen = NULL;
    int64_t version;

    if (choose_version(args, &chosen, err) < 0 ||
        state_open(app, args->state_id, STORE_READ, &place, err) < 0 ||
        find_version(&place, args->state_id, chosen, 0, &version, err) < 0 ||
        state_service_show(place.backend, args->state_id, version, &state, err) < 0)
        return -1;
    app_print_json(app, state);
    return 0;
}

static const struct argument_def show_arguments[] = {
    ARGUMENT_ONE(struct version_args, state_id, "STATE_ID", .word = WORD_STATE_ID),
    ARGUMENT_OPTIONAL(struct version_args, version, "VERSION"),
    {0},
};

static const struct option_def show_options[] = {
    VERSION_OPTION,
    {0},
};

const struct command state_show_command = {
    .name = "show",
    .summary = "Print a version of a state; the newest one if none is given.",
    .options = show_options,
    .arguments = show_arguments,
    .args_size = sizeof(struct version_args),
    .run = run_show,
};

static int run_diff(struct app *app, void *data, struct error *err)
{
    const struct version_args *args = data;
    auto_state_place struct state_place place = {0};
    auto_value struct value *before = NULL;
    auto_value struct value *after = NULL;
    int64_t from, to;

    if (state_open(app, args->state_id, STORE_READ, &place, err) < 0 ||
        find_version(&place, args->state_id, args->version, 1, &from, err) < 0 ||
        find_version(&place, args->state_id, args->other, 0, &to, err) < 0 ||
        state_service_show(place.backend, args->state_id, from, &before, err) < 0 ||
        state_service_show(place.backend, args->state_id, to, &after, err) < 0)
        return -1;
    value_diff(before, after, &app->out);
    return 0;
}

static const struct argument_def diff_arguments[] = {
    ARGUMENT_ONE(struct version_args, state_id, "STATE_ID", .word = WORD_STATE_ID),
    ARGUMENT_OPTIONAL(struct version_args, version, "FROM"),
    ARGUMENT_OPTIONAL(struct version_args, other, "TO"),
    {0},
};

const struct command state_diff_command = {
    .name = "diff",
    .summary = "Show what changed between two versions of a state.",
    .details = "Without TO the newest version is meant, without FROM the one before the newest.",
    .arguments = diff_arguments,
    .args_size = sizeof(struct version_args),
    .run = run_diff,
};

static int restore_version(const struct state_place *place, const struct version_args *args,
                           int64_t version, struct error *err)
{
    auto_edit_lock struct edit_lock held = {0};

    if (edit_lock_acquire(place, args->state_id, args->force, &held, err) < 0)
        return -1;
    return state_service_rollback(place->backend, args->state_id, held.lock, version, err);
}

static int run_rollback(struct app *app, void *data, struct error *err)
{
    const struct version_args *args = data;
    auto_strbuf struct strbuf now = STRBUF_INIT;
    auto_state_place struct state_place place = {0};
    auto_free char *question = NULL;
    const char *chosen = NULL;
    int64_t version;

    if (choose_version(args, &chosen, err) < 0 ||
        state_open(app, args->state_id, STORE_WRITE, &place, err) < 0 ||
        find_version(&place, args->state_id, chosen, 1, &version, err) < 0)
        return -1;
    question = xasprintf("Version %lld will take the place of the state's current value. Continue?",
                         (long long)version);
    if (!args->force && !app_confirm(question))
        return state_declined(err);
    if (restore_version(&place, args, version, err) < 0)
        return -1;
    log_info("State for %s was rolled back to version %lld at %s.", args->state_id,
             (long long)version, state_now(&now));
    return 0;
}

static const struct option_def rollback_options[] = {
    VERSION_OPTION,
    STATE_FORCE_OPTION(struct version_args),
    {0},
};

const struct command state_rollback_command = {
    .name = "rollback",
    .summary = "Make a version of a state the current one.",
    .details =
        "Without VERSION the one before the newest is meant. The versions since then stay in "
        "the history, and the restored state becomes a new version.",
    .options = rollback_options,
    .arguments = show_arguments,
    .args_size = sizeof(struct version_args),
    .run = run_rollback,
};

struct prune_args {
    const char *state_id;
    long keep;
};

static int run_prune(struct app *app, void *data, struct error *err)
{
    const struct prune_args *args = data;
    auto_state_place struct state_place place = {0};
    int64_t removed;

    if (state_open(app, args->state_id, STORE_WRITE, &place, err) < 0 ||
        store_history_prune(place.store, args->state_id, args->keep, &removed, err) < 0)
        return -1;
    log_info("%lld old version%s removed.", (long long)removed, removed == 1 ? " was" : "s were");
    return 0;
}

static const struct option_def prune_options[] = {
    OPTION_NUMBER(struct prune_args, keep, "keep", "How many versions of each state stay.",
                  .value = 100, .minimum = 1, .has_minimum = true),
    {0},
};

static const struct argument_def prune_arguments[] = {
    ARGUMENT_OPTIONAL(struct prune_args, state_id, "STATE_ID", .word = WORD_STATE_ID),
    {0},
};

const struct command state_prune_command = {
    .name = "prune",
    .summary = "Forget old versions of a state; of all states if none is named.",
    .details = "The current state and its newest versions are kept. Runs do the same by themselves "
               "beyond 10,000 versions of a state; annotations.meltshim.run.state_versions in "
               "meltano.yml sets another number, 0 keeps all.",
    .options = prune_options,
    .arguments = prune_arguments,
    .args_size = sizeof(struct prune_args),
    .run = run_prune,
};
