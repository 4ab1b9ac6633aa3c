#include "shim/state_access.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "config/state_settings.h"
#include "shim/python_meltano.h"

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
#define auto_state_id_parts ATTR_CLEANUP(state_id_parts_clear)

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
    auto_state_id_parts struct state_id_parts parts = {0};
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

int state_leave_to_python(struct app *app, struct error *err)
{
    struct config *config = app_config(app, err);
    auto_free char *program = NULL;
    bool is_foreign;

    if (!config || config_state_backend_is_foreign(config, &is_foreign, err) < 0)
        return -1;
    if (!is_foreign)
        return 0;
    program = python_meltano_find(&app->environment);
    if (!program)
        return 0;
    log_info("The state backend of this project is one of the Python Meltano, which does this: %s",
             program);
    return python_meltano_exec(&app->argv, &app->environment, err);
}

int state_open(struct app *app, const char *state_id, enum store_access access,
               struct state_place *out, struct error *err)
{
    struct config *config = app_config(app, err);
    struct store *store;

    if (!config || (state_id && enter_environment_of(config, state_id, err) < 0) ||
        state_leave_to_python(app, err) < 0)
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

int state_declined(struct error *err)
{
    return error_set(err, ERR_FAILED, "aborted");
}
