#include "shim/state_access.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "config/state_settings.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const struct json_style state_json_style = {.ascii = true};

/* Where the parts of "ENV:TAP-to-TARGET[:SUFFIX]" begin and end; the id of another form has
 * none. */
struct state_id_parts {
    char *environment, *tap, *target;
};

static void state_id_parts_clear(struct state_id_parts *parts)
{
    free(parts->environment);
    free(parts->tap);
    free(parts->target);
}

/* The environment reaches as far as it can, as in Meltano, where names may hold any sign. */
static bool split_state_id(const char *state_id, struct state_id_parts *out)
{
    for (size_t at = strlen(state_id); at > 0; at--) {
        const char *tap = state_id + at, *separator, *end;

        if (tap[-1] != ':' || at == 1)
            continue;
        separator = strstr(tap + (*tap != '\0'), "-to-");
        if (!separator || !separator[4] || tap[strlen(tap) - 1] == ':')
            continue;
        end = strchr(separator + 4, ':');
        out->environment = xstrndup(state_id, at - 1);
        out->tap = xstrndup(tap, (size_t)(separator - tap));
        out->target =
            end ? xstrndup(separator + 4, (size_t)(end - separator - 4)) : xstrdup(separator + 4);
        return true;
    }
    return false;
}

/* The state of "dev:tap-a-to-target-b" is where the environment dev keeps it. */
static int enter_environment_of(struct config *config, const char *state_id, struct error *err)
{
    __attribute__((cleanup(state_id_parts_clear))) struct state_id_parts parts = {0};
    const struct environment *active = config_environment(config);
    const struct project *project = config_project(config);

    if (!split_state_id(state_id, &parts))
        return 0;
    if (!active)
        log_warning("Running state operation for environment '%s' outside of an environment",
                    parts.environment);
    else if (strcmp(active->name, parts.environment) != 0)
        log_warning("Environment '%s' used in state operation does not match current environment "
                    "'%s'.",
                    parts.environment, active->name);
    if (!project_find_environment(project, parts.environment) ||
        !project_find_plugin(project, parts.tap) || !project_find_plugin(project, parts.target)) {
        log_warning("No plugins found for provided state_id.");
        return 0;
    }
    return config_activate_environment(config, parts.environment, false, err);
}

int state_open(struct app *app, const char *state_id, enum store_access access,
               struct state_place *out, struct error *err)
{
    struct config *config = app_config(app, err);
    struct store *store;

    if (!config || (state_id && enter_environment_of(config, state_id, err) < 0))
        return -1;
    store = app_store(app, access, err);
    if (!store || config_open_state_backend(config, store, &out->backend, err) < 0)
        return -1;
    out->store = store;
    return 0;
}

void state_close(struct state_place *place)
{
    state_backend_close(place->backend);
}

int state_parts_parse(const struct state_parts *parts, struct value **completed,
                      struct value **partial, struct error *err)
{
    auto_value struct value *first = NULL;

    if (json_parse(parts->completed, strlen(parts->completed), NULL, &first, err) < 0 ||
        json_parse(parts->partial, strlen(parts->partial), NULL, partial, err) < 0)
        return error_wrap(err, "the stored state cannot be read");
    *completed = take(first);
    return 0;
}

int state_parts_merge(const struct state_parts *parts, struct value **out, struct error *err)
{
    auto_value struct value *partial = NULL;

    if (state_parts_parse(parts, out, &partial, err) < 0)
        return -1;
    value_merge(*out, partial);
    return 0;
}

/* What a tap would be given: {} when there is none. */
int state_read(const struct state_place *place, const char *state_id, struct value **out,
               struct error *err)
{
    struct state_parts parts = {0};
    bool found;
    int result;

    if (state_backend_read(place->backend, state_id, &parts, &found, err) < 0)
        return -1;
    if (!found) {
        *out = value_new_map();
        return 0;
    }
    result = state_parts_merge(&parts, out, err);
    state_parts_clear(&parts);
    return result;
}

int state_check(const struct value *state, struct error *err)
{
    if (value_get(state, "singer_state"))
        return 0;
    return error_set(err, ERR_STATE,
                     "invalid state format: singer_state not found in top level of provided "
                     "state. State must be valid JSON with a top-level 'singer_state' key. Use "
                     "--no-validate to bypass this check");
}

int state_parse(const char *text, bool validate, struct value **out, struct error *err)
{
    auto_value struct value *state = NULL;

    if (json_parse(text, strlen(text), NULL, &state, err) < 0) {
        error_wrap(err, "invalid JSON provided");
        err->code = ERR_STATE;
        return -1;
    }
    if (!value_is_map(state))
        return error_set(err, ERR_STATE, "a state is a JSON object, not %s",
                         value_kind_name(value_kind(state)));
    if (validate && state_check(state, err) < 0)
        return -1;
    *out = take(state);
    return 0;
}

const char *state_now(struct strbuf *out)
{
    strbuf_add_py_time(out, clock_now_us() / 1000000 * 1000000, ' ');
    /* strftime's %z has no colon. */
    strbuf_truncate(out, out->length - strlen("+00:00"));
    strbuf_add(out, "+0000");
    return strbuf_text(out);
}

void edit_lock_release(struct edit_lock *held)
{
    if (held->lock)
        store_lock_release(held->lock);
}

int edit_lock_acquire(const struct state_place *place, const char *state_id, bool force,
                      struct edit_lock *out, struct error *err)
{
    struct lock_owner self = {.pid = (int)getpid(), .since_us = clock_now_us()};

    gethostname(self.host, sizeof self.host - 1);
    if (!store_lock_acquire(place->store, state_id, 0, &self, &out->lock, NULL, err))
        return 0;
    if (err->code != ERR_LOCKED)
        return -1;
    if (!force)
        return error_hint(err, "Wait for the run to end; --force edits the state nevertheless.");
    log_warning("The state is edited although a run may overwrite it: %s", err->message);
    *err = (struct error){0};
    return 0;
}

int state_write(const struct state_place *place, const struct edit_lock *held, const char *state_id,
                enum state_write kind, const struct value *state, struct error *err)
{
    auto_free char *text = json_to_text(state, &json_python);

    return state_backend_write(place->backend, state_id, held->lock, 0, NULL, kind, text, NULL,
                               err);
}

/* Never empty in between, unless that is what it was. */
int state_write_parts(const struct state_place *place, const struct edit_lock *held,
                      const char *state_id, const struct value *completed,
                      const struct value *partial, struct error *err)
{
    int result = value_count(completed)
                     ? state_write(place, held, state_id, STATE_COMPLETE, completed, err)
                     : state_backend_clear(place->backend, state_id, err);

    if (result < 0 || !value_count(partial))
        return result;
    return state_write(place, held, state_id, STATE_PARTIAL, partial, err);
}

int state_declined(struct error *err)
{
    return error_set(err, ERR_FAILED, "aborted");
}
