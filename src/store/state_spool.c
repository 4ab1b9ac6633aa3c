#include "store/state_spool.h"

#include "store/state_backend_impl.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/path.h"
#include "base/value.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SCHEMA "meltshim.spool/1"
#define SUFFIX ".json"

static const char *const kind_names[] = {
    [STATE_COMPLETE] = "complete",
    [STATE_PARTIAL] = "partial",
};

void state_spool_clear(struct state_spool *spool)
{
    free(spool->state_id);
    free(spool->state);
    free(spool->error_text);
    free(spool->record);
    *spool = (struct state_spool){0};
}

char *state_spool_path(const char *dir, const char *state_id, const char *run_id)
{
    auto_free char *name = path_name_for(state_id);

    return path_joinf(dir, "%s/%s" SUFFIX, name, run_id);
}

/* --- writing ---------------------------------------------------------------------------------- */

static void add_text(struct strbuf *out, const char *key, const char *text)
{
    strbuf_addf(out, "\"%s\": ", key);
    if (text)
        strbuf_add_json_string(out, text, strlen(text), true);
    else
        strbuf_add(out, "null");
    strbuf_add(out, ", ");
}

static void add_time(struct strbuf *out, const char *key, int64_t time_us)
{
    auto_strbuf struct strbuf time = STRBUF_INIT;

    strbuf_add_iso_time(&time, time_us);
    add_text(out, key, strbuf_text(&time));
}

static void add_end(struct strbuf *out, const struct state_spool *spool)
{
    strbuf_add(out, "\"end\": ");
    if (!spool->has_end) {
        strbuf_add(out, "null, ");
        return;
    }
    strbuf_add_char(out, '{');
    add_text(out, "state", run_state_name(spool->end));
    add_time(out, "ended_at", spool->ended_at_us);
    add_text(out, "error", spool->error_text);
    strbuf_addf(out, "\"record\": %s}, ", spool->record ? spool->record : "null");
}

/* The state may have megabytes and is put in as it is. */
static void render(struct strbuf *out, const struct state_spool *spool)
{
    strbuf_add_char(out, '{');
    add_text(out, "schema", SCHEMA);
    add_text(out, "state_id", spool->state_id);
    add_text(out, "run_id", spool->run_id);
    strbuf_addf(out, "\"row_id\": %" PRId64 ", ", spool->row_id);
    add_time(out, "written_at", spool->written_at_us);
    add_text(out, "kind", kind_names[spool->kind]);
    strbuf_addf(out, "\"base_version\": %" PRId64 ", \"base_stamp\": %" PRId64 ", ",
                spool->base.version, spool->base.stamp_us);
    add_end(out, spool);
    strbuf_addf(out, "\"state\": ");
    strbuf_add(out, spool->state ? spool->state : "null");
    strbuf_add(out, "}\n");
}

int state_spool_write(const char *path, const struct state_spool *spool, struct error *err)
{
    auto_free char *dir = path_parent(path);
    auto_strbuf struct strbuf text = STRBUF_INIT;

    if (dir_make_all(dir, 0700, err) < 0)
        return -1;
    render(&text, spool);
    return file_replace(path, &text, 0600, NULL, err);
}

/* --- reading ---------------------------------------------------------------------------------- */

static int refuse_file(const char *path, const char *what, struct error *err)
{
    error_set(err, ERR_STATE, "'%s' is no spooled state: %s", path, what);
    return error_hint(err, "Look into it, and remove it when nothing of it is needed.");
}

static int64_t read_int(const struct value *map, const char *key)
{
    const char *text = value_get_text(map, key);

    return text ? strtoll(text, NULL, 10) : 0;
}

static int64_t read_time(const struct value *map, const char *key)
{
    const char *text = value_get_text(map, key);
    int64_t time_us;

    return text && !clock_parse(text, &time_us) ? time_us : 0;
}

static char *copy_json(const struct value *value, const struct json_style *style)
{
    return value_is_map(value) ? json_to_text(value, style) : NULL;
}

static void read_end(const struct value *end, struct state_spool *out)
{
    const char *state = value_get_text(end, "state");

    if (!value_is_map(end) || !state)
        return;
    out->has_end = true;
    out->end = run_state_parse(state);
    out->ended_at_us = read_time(end, "ended_at");
    out->error_text = xstrdup_or_null(value_get_text(end, "error"));
    out->record = copy_json(value_get(end, "record"), &json_compact);
}

int state_spool_read(const char *path, struct state_spool *out, struct error *err)
{
    auto_strbuf struct strbuf text = STRBUF_INIT;
    auto_value struct value *document = NULL;
    const char *schema, *state_id, *run_id, *kind;
    char uuid[UUID_TEXT_SIZE];

    if (file_read(path, &text, err) < 0)
        return -1;
    if (json_parse(strbuf_text(&text), text.length, path, &document, err) < 0) {
        err->code = ERR_STATE;
        return -1;
    }
    schema = value_get_text(document, "schema");
    if (!schema || strcmp(schema, SCHEMA) != 0)
        return refuse_file(path, "its schema is not " SCHEMA, err);
    state_id = value_get_text(document, "state_id");
    run_id = value_get_text(document, "run_id");
    kind = value_get_text(document, "kind");
    if (!state_id || !run_id || !kind)
        return refuse_file(path, "state_id, run_id or kind is missing", err);
    if (!uuid_parse(run_id, uuid))
        return refuse_file(path, "its run_id is no UUID", err);
    *out = (struct state_spool){
        .state_id = xstrdup(state_id),
        .row_id = read_int(document, "row_id"),
        .written_at_us = read_time(document, "written_at"),
        .state = copy_json(value_get(document, "state"), &json_python),
        .kind = strcmp(kind, kind_names[STATE_PARTIAL]) ? STATE_COMPLETE : STATE_PARTIAL,
        .base = {.version = read_int(document, "base_version"),
                 .stamp_us = read_int(document, "base_stamp")},
    };
    memcpy(out->run_id, uuid, sizeof uuid);
    read_end(value_get(document, "end"), out);
    return 0;
}

static bool has_suffix(const char *name)
{
    size_t length = strlen(name);

    return name[0] != '.' && length > strlen(SUFFIX) &&
           !strcmp(name + length - strlen(SUFFIX), SUFFIX);
}

static int list_files(const char *dir, const char *name, struct strlist *out, struct error *err)
{
    auto_strlist struct strlist files = STRLIST_INIT;
    auto_free char *path = path_join(dir, name);

    if (dir_list(path, &files, err) < 0)
        return -1;
    for (size_t i = 0; i < files.count; i++)
        if (has_suffix(files.items[i]))
            strlist_add_take(out, path_join(path, files.items[i]));
    return 0;
}

int state_spool_list(const char *dir, const char *state_id, struct strlist *out, struct error *err)
{
    auto_strlist struct strlist names = STRLIST_INIT;

    if (state_id)
        strlist_add_take(&names, path_name_for(state_id));
    else if (dir_list(dir, &names, err) < 0)
        return -1;
    for (size_t i = 0; i < names.count; i++)
        if (names.items[i][0] != '.' && list_files(dir, names.items[i], out, err) < 0)
            return -1;
    return 0;
}

int state_spool_remove(const char *path, struct error *err)
{
    auto_free char *dir = path_parent(path);

    if (unlink(path) < 0 && errno != ENOENT)
        return error_set_errno(err, ERR_IO, "cannot remove '%s'", path);
    rmdir(dir); /* unless other runs have files there */
    return 0;
}

/* --- committing ------------------------------------------------------------------------------- */

static int commit_state(struct state_backend *backend, const struct store_lock *lock,
                        const struct state_spool *spool, bool force, enum base_fate *fate,
                        struct error *err)
{
    struct state_change change = {
        .state_id = spool->state_id,
        .lock = lock,
        .run_id = spool->run_id,
        .source = "run, spooled",
        .value = spool->state,
        .kind = spool->kind,
        .base = force ? NULL : &spool->base,
        .base_at_us = spool->written_at_us,
        .fate = fate,
        .row_id = spool->row_id,
    };

    *fate = BASE_IS_THERE;
    return state_change_make(backend->store, &backend->medium, &change, NULL, err);
}

int state_spool_commit(struct state_backend *backend, const struct store_lock *lock,
                       const struct state_spool *spool, bool force, enum spool_outcome *out,
                       struct error *err)
{
    enum base_fate fate = BASE_IS_THERE;

    if (spool->state && commit_state(backend, lock, spool, force, &fate, err) < 0) {
        if (fate == BASE_IS_THERE)
            return -1;
        *err = (struct error){0};
    }
    if (spool->has_end &&
        store_run_finish_late(backend->store, spool->row_id, spool->run_id, spool->end,
                              spool->ended_at_us, spool->error_text, spool->record, err) < 0)
        return -1;
    *out = fate == BASE_IS_THERE     ? SPOOL_COMMITTED
           : fate == BASE_WAS_PASSED ? SPOOL_WAS_COMMITTED
                                     : SPOOL_IS_OUTDATED;
    return 0;
}
