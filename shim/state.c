#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "plugin/glob.h"
#include "shim/commands.h"
#include "shim/editor.h"
#include "shim/state_access.h"

#include <string.h>

/* --- list --------------------------------------------------------------------------------- */

struct list_args {
    const char *pattern;
};

/* Green: a state; yellow: an empty one; red: something else. */
static const char *state_color(const struct value *state)
{
    if (!value_count(state))
        return "\033[33m";
    return value_get(state, "singer_state") ? "\033[32m" : "\033[31m";
}

static int print_state_id(struct app *app, const struct state_place *place, const char *state_id,
                          struct error *err)
{
    auto_value struct value *state = NULL;

    if (!app_wants_color(app)) {
        app_print(app, "%s\n", state_id);
        return 0;
    }
    if (state_service_get(place->backend, state_id, &state, err) < 0)
        return -1;
    app_print(app, "%s%s\033[0m\n", state_color(state), state_id);
    return 0;
}

static int run_list(struct app *app, void *data, struct error *err)
{
    const struct list_args *args = data;
    auto_state_place struct state_place place = {0};
    auto_strlist struct strlist ids = STRLIST_INIT;
    size_t shown = 0;

    if (state_open(app, NULL, STORE_READ, &place, err) < 0 ||
        state_backend_list(place.backend, &ids, err) < 0)
        return -1;
    for (size_t i = 0; i < ids.count; i++) {
        if (args->pattern && !glob_match(args->pattern, ids.items[i]))
            continue;
        if (print_state_id(app, &place, ids.items[i], err) < 0)
            return -1;
        shown++;
    }
    if (!shown)
        log_info("No state IDs found.");
    return 0;
}

static const struct option_def list_options[] = {
    OPTION_STRING(struct list_args, pattern, "pattern", "Show only ids that match this pattern.",
                  .metavar = "GLOB"),
    {0},
};

static const struct command list_command = {
    .name = "list",
    .summary = "List the ids of all states.",
    .options = list_options,
    .args_size = sizeof(struct list_args),
    .run = run_list,
};

/* --- get ---------------------------------------------------------------------------------- */

static const char *const get_formats[] = {"json", "pretty", NULL};
enum { GET_PRETTY = 2 };

struct get_args {
    int format;
    const char *state_id;
};

static int run_get(struct app *app, void *data, struct error *err)
{
    const struct get_args *args = data;
    auto_state_place struct state_place place = {0};
    auto_value struct value *state = NULL;

    if (state_open(app, args->state_id, STORE_READ, &place, err) < 0 ||
        state_service_get(place.backend, args->state_id, &state, err) < 0)
        return -1;
    json_write(&app->out, state, args->format == GET_PRETTY ? &json_indented : &state_json_style);
    app_print(app, "\n");
    return 0;
}

static const struct option_def get_options[] = {
    OPTION_CHOICE(struct get_args, format, "format", "One line, which 'state set' takes, or many.",
                  .choices = get_formats),
    {0},
};

static const struct argument_def get_arguments[] = {
    ARGUMENT_ONE(struct get_args, state_id, "STATE_ID", .word = WORD_STATE_ID),
    {0},
};

static const struct command get_command = {
    .name = "get",
    .summary = "Print a state.",
    .options = get_options,
    .arguments = get_arguments,
    .args_size = sizeof(struct get_args),
    .run = run_get,
};

/* --- set and merge ------------------------------------------------------------------------ */

struct set_args {
    const char *state_id, *state, *input_file, *from_state_id;
    bool no_validate, force;
};

static int check_sources(const struct set_args *args, const char *names, struct error *err)
{
    int count = (args->state != NULL) + (args->input_file != NULL) + (args->from_state_id != NULL);

    if (count == 1)
        return 0;
    return error_set(err, ERR_FAILED, "Must provide exactly one of: %s", names);
}

/* The given state, from wherever it comes. */
static int read_source(const struct state_place *place, const struct set_args *args,
                       struct value **out, struct error *err)
{
    auto_strbuf struct strbuf text = STRBUF_INIT;

    if (args->from_state_id) {
        if (state_service_get(place->backend, args->from_state_id, out, err) < 0)
            return -1;
    } else {
        if (args->input_file && file_read(args->input_file, &text, err) < 0)
            return -1;
        if (state_service_parse(args->input_file ? strbuf_text(&text) : args->state, out, err) < 0)
            return -1;
    }
    return args->no_validate ? 0 : state_service_check(*out, err);
}

static int run_set(struct app *app, void *data, struct error *err)
{
    const struct set_args *args = data;
    auto_edit_lock struct edit_lock held = {0};
    auto_value struct value *state = NULL;
    auto_strbuf struct strbuf now = STRBUF_INIT;
    auto_state_place struct state_place place = {0};

    if (check_sources(args, "--input-file,STATE", err) < 0)
        return -1;
    if (!args->force && !app_confirm("This will overwrite the state's current value. Continue?"))
        return state_declined(err);
    if (args->no_validate)
        log_warning("Skipping state validation. Invalid state may cause issues in future runs.");
    if (state_open(app, args->state_id, STORE_WRITE, &place, err) < 0 ||
        read_source(&place, args, &state, err) < 0 ||
        edit_lock_acquire(&place, args->state_id, args->force, &held, err) < 0 ||
        state_service_set(place.backend, args->state_id, held.lock, state, err) < 0)
        return -1;
    log_info("State for %s was successfully set at %s.", args->state_id, state_now(&now));
    return 0;
}

static const struct option_def set_options[] = {
    OPTION_STRING(struct set_args, input_file, "input-file", "Take the state from this JSON file.",
                  .metavar = "FILE", .word = WORD_FILE),
    OPTION_FLAG(struct set_args, no_validate, "no-validate",
                "Accept a state without singer_state."),
    STATE_FORCE_OPTION(struct set_args),
    {0},
};

static const struct argument_def set_arguments[] = {
    ARGUMENT_ONE(struct set_args, state_id, "STATE_ID", .word = WORD_STATE_ID),
    ARGUMENT_OPTIONAL(struct set_args, state, "STATE"),
    {0},
};

static const struct command set_command = {
    .name = "set",
    .summary = "Replace a state.",
    .options = set_options,
    .arguments = set_arguments,
    .args_size = sizeof(struct set_args),
    .run = run_set,
};

static int run_merge(struct app *app, void *data, struct error *err)
{
    const struct set_args *args = data;
    auto_edit_lock struct edit_lock held = {0};
    auto_value struct value *state = NULL;
    auto_strbuf struct strbuf now = STRBUF_INIT;
    auto_state_place struct state_place place = {0};

    if (check_sources(args, "--input-file,STATE,--from-state-id", err) < 0)
        return -1;
    if (state_open(app, args->state_id, STORE_WRITE, &place, err) < 0 ||
        read_source(&place, args, &state, err) < 0 ||
        edit_lock_acquire(&place, args->state_id, args->force, &held, err) < 0 ||
        state_service_merge(place.backend, args->state_id, held.lock, state, err) < 0)
        return -1;
    log_info("State for %s was successfully merged at %s.", args->state_id, state_now(&now));
    return 0;
}

static const struct option_def merge_options[] = {
    OPTION_STRING(struct set_args, input_file, "input-file", "Take the state from this JSON file.",
                  .metavar = "FILE", .word = WORD_FILE),
    OPTION_STRING(struct set_args, from_state_id, "from-state-id", "Take the state of this id.",
                  .word = WORD_STATE_ID),
    STATE_FORCE_OPTION(struct set_args),
    {0},
};

static const struct command merge_command = {
    .name = "merge",
    .summary = "Lay bookmarks over a state.",
    .options = merge_options,
    .arguments = set_arguments,
    .args_size = sizeof(struct set_args),
    .run = run_merge,
};

/* --- copy and move ------------------------------------------------------------------------ */

struct copy_args {
    const char *source, *destination;
    bool force;
};

static int copy_state(const struct state_place *place, const struct copy_args *args,
                      struct error *err)
{
    auto_edit_lock struct edit_lock held = {0};

    if (edit_lock_acquire(place, args->destination, args->force, &held, err) < 0)
        return -1;
    return state_service_copy(place->backend, args->source, args->destination, held.lock, err);
}

/* Both ids are locked before anything is written. */
static int move_state(const struct state_place *place, const struct copy_args *args,
                      struct error *err)
{
    auto_edit_lock struct edit_lock source = {0};
    auto_edit_lock struct edit_lock destination = {0};

    if (!strcmp(args->source, args->destination))
        return error_set(err, ERR_USAGE, "source and destination are the same state id");
    if (edit_lock_acquire(place, args->source, args->force, &source, err) < 0 ||
        edit_lock_acquire(place, args->destination, args->force, &destination, err) < 0)
        return -1;
    return state_service_move(place->backend, args->source, source.lock, args->destination,
                              destination.lock, err);
}

static int run_copy(struct app *app, void *data, struct error *err)
{
    const struct copy_args *args = data;
    auto_strbuf struct strbuf now = STRBUF_INIT;
    auto_state_place struct state_place place = {0};

    if (!args->force && !app_confirm("This will overwrite state for the destination. Continue?"))
        return state_declined(err);
    if (state_open(app, args->source, STORE_WRITE, &place, err) < 0 ||
        copy_state(&place, args, err) < 0)
        return -1;
    log_info("State for %s was successfully copied from %s at %s.", args->destination, args->source,
             state_now(&now));
    return 0;
}

static int run_move(struct app *app, void *data, struct error *err)
{
    const struct copy_args *args = data;
    auto_strbuf struct strbuf now = STRBUF_INIT;
    auto_state_place struct state_place place = {0};

    if (!args->force &&
        !app_confirm("This will clear the source state and overwrite destination state. Continue?"))
        return state_declined(err);
    if (state_open(app, args->destination, STORE_WRITE, &place, err) < 0 ||
        move_state(&place, args, err) < 0)
        return -1;
    log_info("State for %s was successfully moved to %s at %s.", args->source, args->destination,
             state_now(&now));
    return 0;
}

static const struct option_def copy_options[] = {
    STATE_FORCE_OPTION(struct copy_args),
    {0},
};

static const struct argument_def copy_arguments[] = {
    ARGUMENT_ONE(struct copy_args, source, "SRC_STATE_ID", .word = WORD_STATE_ID),
    ARGUMENT_ONE(struct copy_args, destination, "DST_STATE_ID", .word = WORD_STATE_ID),
    {0},
};

static const struct command copy_command = {
    .name = "copy",
    .summary = "Copy a state to another id.",
    .options = copy_options,
    .arguments = copy_arguments,
    .args_size = sizeof(struct copy_args),
    .run = run_copy,
};

static const struct command move_command = {
    .name = "move",
    .summary = "Move a state to another id.",
    .options = copy_options,
    .arguments = copy_arguments,
    .args_size = sizeof(struct copy_args),
    .run = run_move,
};

/* --- clear -------------------------------------------------------------------------------- */

struct clear_args {
    const char *state_id;
    bool all, force;
};

static int clear_state(const struct state_place *place, const char *state_id, bool force,
                       struct error *err)
{
    auto_edit_lock struct edit_lock held = {0};

    if (edit_lock_acquire(place, state_id, force, &held, err) < 0)
        return -1;
    return state_backend_clear(place->backend, state_id, held.lock, err);
}

static int run_clear(struct app *app, void *data, struct error *err)
{
    const struct clear_args *args = data;
    auto_strlist struct strlist ids = STRLIST_INIT;
    auto_state_place struct state_place place = {0};

    if (args->all == (args->state_id != NULL))
        return error_set(err, ERR_USAGE,
                         "A state ID or the --all flag must be provided, but not both");
    if (!args->force && !app_confirm("This will clear state for the job(s). Continue?"))
        return state_declined(err);
    if (state_open(app, args->state_id, STORE_WRITE, &place, err) < 0)
        return -1;
    if (args->state_id)
        strlist_add(&ids, args->state_id);
    else if (state_backend_list(place.backend, &ids, err) < 0)
        return -1;
    for (size_t i = 0; i < ids.count; i++)
        if (clear_state(&place, ids.items[i], args->force, err) < 0)
            return -1;
    if (args->all)
        log_info("%zu state(s) were successfully cleared", ids.count);
    return 0;
}

static const struct option_def clear_options[] = {
    OPTION_FLAG(struct clear_args, all, "all", "Clear the states of all ids."),
    STATE_FORCE_OPTION(struct clear_args),
    {0},
};

static const struct argument_def clear_arguments[] = {
    ARGUMENT_OPTIONAL(struct clear_args, state_id, "STATE_ID", .word = WORD_STATE_ID),
    {0},
};

static const struct command clear_command = {
    .name = "clear",
    .summary = "Forget a state.",
    .options = clear_options,
    .arguments = clear_arguments,
    .args_size = sizeof(struct clear_args),
    .run = run_clear,
};

/* --- edit --------------------------------------------------------------------------------- */

struct edit_args {
    const char *state_id;
    bool force;
};

static int run_edit(struct app *app, void *data, struct error *err)
{
    const struct edit_args *args = data;
    auto_edit_lock struct edit_lock held = {0};
    auto_value struct value *before = NULL;
    auto_value struct value *after = NULL;
    auto_strbuf struct strbuf text = STRBUF_INIT;
    auto_strbuf struct strbuf now = STRBUF_INIT;
    auto_state_place struct state_place place = {0};

    if (!args->force && !app_confirm("This will overwrite the state's current value. Continue?"))
        return state_declined(err);
    if (state_open(app, args->state_id, STORE_WRITE, &place, err) < 0 ||
        edit_lock_acquire(&place, args->state_id, args->force, &held, err) < 0 ||
        state_service_get(place.backend, args->state_id, &before, err) < 0)
        return -1;
    json_write(&text, before, &json_indented_utf8);
    if (edit_text(&app->environment, ".json", &text, err) < 0)
        return -1;
    if (!strbuf_text(&text)[strspn(strbuf_text(&text), " \t\r\n")]) {
        log_info("Edit cancelled - no changes made");
        return 0;
    }
    if (state_service_parse(strbuf_text(&text), &after, err) < 0 ||
        state_service_check(after, err) < 0)
        return -1;
    if (value_is_equal(before, after)) {
        log_info("No changes detected");
        return 0;
    }
    if (state_service_set(place.backend, args->state_id, held.lock, after, err) < 0)
        return -1;
    log_info("State for %s was successfully updated at %s", args->state_id, state_now(&now));
    return 0;
}

static const struct option_def edit_options[] = {
    STATE_FORCE_OPTION(struct edit_args),
    {0},
};

static const struct argument_def edit_arguments[] = {
    ARGUMENT_ONE(struct edit_args, state_id, "STATE_ID", .word = WORD_STATE_ID),
    {0},
};

static const struct command edit_command = {
    .name = "edit",
    .summary = "Edit a state in $VISUAL or $EDITOR.",
    .options = edit_options,
    .arguments = edit_arguments,
    .args_size = sizeof(struct edit_args),
    .run = run_edit,
};

/* --- the group ---------------------------------------------------------------------------- */

static const struct command *const state_commands[] = {
    &list_command,          &get_command,
    &set_command,           &merge_command,
    &copy_command,          &move_command,
    &clear_command,         &edit_command,
    &state_export_command,  &state_import_command,
    &state_history_command, &state_show_command,
    &state_diff_command,    &state_rollback_command,
    &state_prune_command,   &state_spooled_command,
    &state_commit_command,  NULL,
};

const struct command state_command = {
    .name = "state",
    .summary = "Show and change the state of pipelines.",
    .subcommands = state_commands,
    .environment = ENVIRONMENT_EXPLICIT,
    .status_when_bare = 2,
};
