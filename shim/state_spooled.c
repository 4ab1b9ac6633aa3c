/* What runs could not write because the system database was away: to see it, and to commit it. */
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "pipeline/spooled_state.h"
#include "shim/commands.h"
#include "shim/state_access.h"
#include "shim/table.h"

#include <string.h>

struct spooled_args {
    int format;
};

static int list_files(struct app *app, struct strlist *out, struct error *err)
{
    const struct project *project = app_project(app, err);
    auto_free char *dir = project ? spooled_state_directory(project) : NULL;

    return dir ? state_spool_list(dir, NULL, out, err) : -1;
}

static struct value *spool_to_value(const char *path, const struct state_spool *spool)
{
    struct value *out = value_new_map();
    auto_strbuf struct strbuf time = STRBUF_INIT;

    strbuf_add_py_time(&time, spool->written_at_us, 'T');
    value_set_string(out, "file", path);
    value_set_string(out, "state_id", spool->state_id);
    value_set_string(out, "run_id", spool->run_id);
    value_set_string(out, "written_at", strbuf_text(&time));
    value_set_bool(out, "has_state", spool->state != NULL);
    value_set_bool(out, "has_end", spool->has_end);
    return out;
}

static void add_row(struct table *table, const char *path, const struct state_spool *spool)
{
    auto_strbuf struct strbuf time = STRBUF_INIT;

    strbuf_add_sql_time(&time, spool->written_at_us);
    table_add(table, spool->state_id);
    table_addf(table, "%.19s", strbuf_text(&time));
    table_add(table, spool->state && spool->has_end ? "state, end"
                     : spool->state                 ? "state"
                                                    : "end");
    table_add(table, path);
}

static int run_spooled(struct app *app, void *data, struct error *err)
{
    static const char *const titles[] = {"STATE ID", "WRITTEN", "HOLDS", "FILE"};
    const struct spooled_args *args = data;
    auto_strlist struct strlist paths = STRLIST_INIT;
    auto_value struct value *list = value_new_list();
    auto_table struct table table = {0};

    TABLE_INIT(&table, titles);
    if (list_files(app, &paths, err) < 0)
        return -1;
    for (size_t i = 0; i < paths.count; i++) {
        auto_state_spool struct state_spool spool = {0};

        if (state_spool_read(paths.items[i], &spool, err) < 0)
            return -1;
        value_append_take(list, spool_to_value(paths.items[i], &spool));
        add_row(&table, paths.items[i], &spool);
    }
    if (args->format == OUTPUT_JSON)
        app_print_json(app, list);
    else if (paths.count)
        table_print(&table, &app->out);
    else
        log_info("Nothing is spooled.");
    return 0;
}

static const struct option_def spooled_options[] = {
    FORMAT_OPTION(struct spooled_args),
    {0},
};

const struct command state_spooled_command = {
    .name = "spooled",
    .summary = "List what runs could not write to the system database.",
    .options = spooled_options,
    .args_size = sizeof(struct spooled_args),
    .run = run_spooled,
};

struct commit_args {
    struct strlist files;
    bool force;
};

static int commit_file(struct app *app, const char *path, bool force, struct error *err)
{
    auto_state_spool struct state_spool spool = {0};
    auto_state_place struct state_place place = {0};
    auto_edit_lock struct edit_lock held = {0};
    enum spool_outcome outcome;

    if (state_spool_read(path, &spool, err) < 0 ||
        state_open(app, spool.state_id, STORE_WRITE, &place, err) < 0 ||
        edit_lock_acquire(&place, spool.state_id, false, &held, err) < 0 ||
        spooled_state_commit(path, place.backend, held.lock, force, &outcome, err) < 0)
        return -1;
    if (outcome != SPOOL_IS_OUTDATED)
        return 0;
    error_set(err, ERR_STATE, "the state of '%s' was written after '%s' was spooled",
              spool.state_id, path);
    return error_hint(err, "Compare the file with 'state get %s'; --force commits it nevertheless.",
                      spool.state_id);
}

static int run_commit(struct app *app, void *data, struct error *err)
{
    const struct commit_args *args = data;
    auto_strlist struct strlist all = STRLIST_INIT;
    const struct strlist *paths = args->files.count ? &args->files : &all;

    if (!args->files.count && list_files(app, &all, err) < 0)
        return -1;
    for (size_t i = 0; i < paths->count; i++)
        if (commit_file(app, paths->items[i], args->force, err) < 0)
            return -1;
    if (!paths->count)
        log_info("Nothing is spooled.");
    return 0;
}

static const struct option_def commit_options[] = {
    OPTION_FLAG(struct commit_args, force, "force",
                "Commit also what somebody has written another state after."),
    {0},
};

static const struct argument_def commit_arguments[] = {
    ARGUMENT_MANY(struct commit_args, files, "FILE", .word = WORD_FILE),
    {0},
};

const struct command state_commit_command = {
    .name = "commit",
    .summary = "Commit what runs have spooled; all of it if no file is named.",
    .details = "A run whose system database was away until its end names the file it has left. The "
               "next run of the same state id commits it before it reads its state; this command "
               "does so at once. A file that was committed is removed.",
    .options = commit_options,
    .arguments = commit_arguments,
    .args_size = sizeof(struct commit_args),
    .run = run_commit,
};
