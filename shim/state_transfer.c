#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "shim/commands.h"
#include "shim/state_access.h"

#include <string.h>
#include <unistd.h>

/* --- export and import -------------------------------------------------------------------- */

static int run_export(struct app *app, void *data, struct error *err)
{
    auto_state_place struct state_place place = {0};
    auto_value struct value *out = NULL;

    (void)data;
    if (state_open(app, NULL, STORE_READ, &place, err) < 0 ||
        state_service_export(place.backend, &out, err) < 0)
        return -1;
    json_write(&app->out, out, &state_json_style);
    app_print(app, "\n");
    return 0;
}

const struct command state_export_command = {
    .name = "export",
    .summary = "Print all states as one JSON object.",
    .run = run_export,
};

struct import_args {
    const char *input_file;
};

static int run_import(struct app *app, void *data, struct error *err)
{
    const struct import_args *args = data;
    bool from_stdin = !args->input_file || !strcmp(args->input_file, "-");
    auto_strbuf struct strbuf text = STRBUF_INIT;
    auto_value struct value *states = NULL;
    auto_state_place struct state_place place = {0};

    if (from_stdin && fd_read_all(STDIN_FILENO, &text) < 0)
        return error_set_errno(err, ERR_IO, "cannot read standard input");
    if (!from_stdin && file_read(args->input_file, &text, err) < 0)
        return -1;
    if (json_parse(strbuf_text(&text), text.length, from_stdin ? NULL : args->input_file, &states,
                   err) < 0 ||
        state_service_check_export(states, err) < 0)
        return -1;
    if (state_open(app, NULL, STORE_WRITE, &place, err) < 0)
        return -1;
    for (size_t i = 0; i < value_count(states); i++) {
        const struct value_member *member = value_member_at(states, i);
        auto_edit_lock struct edit_lock held = {0};

        if (edit_lock_acquire(&place, member->key, false, &held, err) < 0 ||
            state_service_import(place.backend, member->key, held.lock, member->value, err) < 0)
            return error_wrap(err, "%zu of %zu states were imported; %s", i, value_count(states),
                              member->key);
    }
    log_info("Successfully imported %zu state(s).", value_count(states));
    return 0;
}

static const struct argument_def import_arguments[] = {
    ARGUMENT_OPTIONAL(struct import_args, input_file, "INPUT_FILE", .word = WORD_FILE),
    {0},
};

const struct command state_import_command = {
    .name = "import",
    .summary = "Read what 'export' printed, from a file or standard input.",
    .arguments = import_arguments,
    .args_size = sizeof(struct import_args),
    .run = run_import,
};
