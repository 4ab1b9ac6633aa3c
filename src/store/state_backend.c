#include "store/state_backend_impl.h"

#include "base/json.h"
#include "base/memory.h"
#include "base/value.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Meltano's default. */
#define LOCK_TIMEOUT_S 10

static int systemdb_list(void *context, struct strlist *out, struct error *err)
{
    return store_state_list(context, out, err);
}

static const struct scheme {
    const char *name;
    int (*init)(const struct state_backend_options *options, struct state_backend *out,
                struct error *err);
} schemes[] = {
    {"file", file_backend_init},
    {"s3", s3_backend_init},
};

static const struct scheme *find_scheme(const char *uri)
{
    size_t length = strcspn(uri, ":");

    for (size_t i = 0; uri[length] && i < ARRAY_LEN(schemes); i++)
        if (strlen(schemes[i].name) == length && !strncmp(uri, schemes[i].name, length))
            return &schemes[i];
    return NULL;
}

bool state_backend_is_built_in(const char *uri)
{
    return !uri || !strcmp(uri, "systemdb") || find_scheme(uri);
}

static int refuse_scheme(const char *scheme, struct error *err)
{
    if (!strcmp(scheme, "azure") || !strcmp(scheme, "gs"))
        error_set(err, ERR_CONFIG,
                  "the state backend '%s' is one of the Python Meltano and not of this program",
                  scheme);
    else
        error_set(err, ERR_CONFIG, "No state backend found for scheme '%s'", scheme);
    return error_hint(err, "Set state_backend.uri to systemdb, file:///directory or "
                           "s3://bucket/prefix, or install the Python Meltano: commands of such "
                           "a project are handed to it.");
}

static int init_backend(const struct state_backend_options *options, struct state_backend *backend,
                        struct error *err)
{
    const char *uri = options->uri ? options->uri : "systemdb";
    const struct scheme *scheme = find_scheme(uri);
    auto_free char *name = xstrndup(uri, strchr(uri, ':') ? strcspn(uri, ":") : 0);

    if (scheme)
        return scheme->init(options, backend, err);
    if (strcmp(uri, "systemdb") != 0)
        return refuse_scheme(name, err);
    backend->medium = state_medium_systemdb(backend->store);
    backend->list = systemdb_list;
    return 0;
}

int state_backend_open(const struct state_backend_options *options, struct store *store,
                       struct state_backend **out, struct error *err)
{
    static const struct state_backend_options defaults;
    struct state_backend *backend = xcalloc(1, sizeof *backend);

    backend->store = store;
    if (init_backend(options ? options : &defaults, backend, err) < 0) {
        free(backend);
        return -1;
    }
    *out = backend;
    return 0;
}

void state_backend_close(struct state_backend *backend)
{
    if (!backend)
        return;
    if (backend->close)
        backend->close(backend->medium.context);
    free(backend);
}

int state_backend_read(struct state_backend *backend, const char *state_id, struct state_parts *out,
                       bool *found, struct error *err)
{
    int64_t stamp_us;

    return backend->medium.read(backend->medium.context, state_id, out, found, &stamp_us, err);
}

int state_backend_look(struct state_backend *backend, const char *state_id, struct state_parts *out,
                       bool *found, struct state_base *base, struct error *err)
{
    struct state_version_list history = {0};
    struct state_base seen = {0};

    if (backend->medium.read(backend->medium.context, state_id, out, found, &seen.stamp_us, err) <
        0)
        return -1;
    if (store_state_history(backend->store, state_id, 1, &history, err) < 0) {
        state_parts_clear(out);
        return -1;
    }
    seen.version = history.count ? history.items[0].version : 0;
    state_version_list_clear(&history);
    *base = seen;
    return 0;
}

int state_backend_write(struct state_backend *backend, const char *state_id,
                        const struct store_lock *lock, int64_t row_id, const char *run_id,
                        enum state_write kind, const char *value, int64_t *version,
                        struct error *err)
{
    struct state_change change = {
        .state_id = state_id,
        .lock = lock,
        .run_id = run_id,
        .source = "run",
        .value = value,
        .kind = kind,
        .row_id = row_id,
    };

    return state_change_make(backend->store, &backend->medium, &change, version, err);
}

int state_backend_clear(struct state_backend *backend, const char *state_id,
                        const struct store_lock *lock, struct error *err)
{
    return state_change_clear(backend->store, &backend->medium, state_id, lock, err);
}

int state_backend_list(struct state_backend *backend, struct strlist *out, struct error *err)
{
    if (backend->list(backend->medium.context, out, err) < 0)
        return -1;
    strlist_sort(out);
    return 0;
}

/* --- files and objects ------------------------------------------------------------------------ */

static int hint_at_history(struct error *err)
{
    return error_hint(err, "Take an older version with 'state history' and 'state rollback'.");
}

static int read_member(const struct value *document, const char *key, const char *place, char **out,
                       struct error *err)
{
    const struct value *part = value_get(document, key);

    if (!value_is_null(part) && !value_is_map(part)) {
        error_set(err, ERR_STATE, "'%s' in %s: a JSON object was expected, not %s", key, place,
                  value_kind_name(value_kind(part)));
        return hint_at_history(err);
    }
    *out = value_is_map(part) ? json_to_text(part, &json_python) : xstrdup("{}");
    return 0;
}

int state_document_parse(const char *text, size_t length, const char *place,
                         struct state_parts *out, struct error *err)
{
    auto_value struct value *document = NULL;
    struct state_parts parts = {0};

    if (json_parse(text, length, NULL, &document, err) < 0) {
        err->code = ERR_STATE;
        error_wrap(err, "%s is damaged", place);
        return hint_at_history(err);
    }
    if (!value_is_map(document)) {
        error_set(err, ERR_STATE, "%s: a JSON object was expected, not %s", place,
                  value_kind_name(value_kind(document)));
        return hint_at_history(err);
    }
    if (read_member(document, "completed", place, &parts.completed, err) < 0 ||
        read_member(document, "partial", place, &parts.partial, err) < 0) {
        state_parts_clear(&parts);
        return -1;
    }
    *out = parts;
    return 0;
}

void state_document_render(struct strbuf *out, const struct state_parts *parts)
{
    strbuf_addf(out, "{\"completed\": %s, \"partial\": %s}", parts->completed, parts->partial);
}

int state_id_check_path(const char *state_id, struct error *err)
{
    const char *part = state_id;

    while (*part) {
        size_t length = strcspn(part, "/");

        if (length == 0 || (length == 1 && part[0] == '.') ||
            (length == 2 && !strncmp(part, "..", 2)))
            break;
        part += length;
        if (*part == '/' && part[1])
            part++;
    }
    if (*state_id && !*part)
        return 0;
    error_set(err, ERR_STATE, "the state id '%s' cannot be part of a path", state_id);
    return error_hint(err, "Choose one without '..', and without '/' at its ends.");
}

int64_t state_lock_timeout_us(const struct state_backend_options *options)
{
    return (int64_t)(options->lock_timeout_s ? options->lock_timeout_s : LOCK_TIMEOUT_S) * 1000000;
}

void state_lock_render(struct strbuf *out, int64_t now_us)
{
    strbuf_addf(out, "%" PRId64 ".%06d", now_us / 1000000, (int)(now_us % 1000000));
}

int state_lock_parse(const char *text, size_t length, int64_t *time_us)
{
    auto_free char *copy = xstrndup(text, length);
    char *end;
    double seconds = strtod(copy, &end);

    while (*end == '\n' || *end == ' ')
        end++;
    if (end == copy || *end || !isfinite(seconds) || fabs(seconds) > 1e12)
        return -1;
    *time_us = (int64_t)(seconds * 1e6);
    return 0;
}
