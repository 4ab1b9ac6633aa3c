#include "tests/unit/states.h"

#include "store/state_service.h"

#include <check.h>

static struct state_backend *open_backend(struct store *store)
{
    struct state_backend *backend = NULL;
    struct error err = {0};

    ck_assert_msg(!state_backend_open(NULL, store, &backend, &err), "%s", err.message);
    return backend;
}

int states_read(struct store *store, const char *state_id, struct state_parts *out, bool *found,
                struct error *err)
{
    struct state_backend *backend = open_backend(store);
    int failed = state_backend_read(backend, state_id, out, found, err);

    state_backend_close(backend);
    return failed;
}

int states_write(struct store *store, const char *state_id, const struct store_lock *lock,
                 int64_t row_id, const char *run_id, enum state_write kind, const char *value,
                 int64_t *version, struct error *err)
{
    struct state_backend *backend = open_backend(store);
    int failed =
        state_backend_write(backend, state_id, lock, row_id, run_id, kind, value, version, err);

    state_backend_close(backend);
    return failed;
}

int states_clear(struct store *store, const char *state_id, struct error *err)
{
    struct state_backend *backend = open_backend(store);
    int failed = state_backend_clear(backend, state_id, NULL, err);

    state_backend_close(backend);
    return failed;
}

int states_set(struct store *store, const char *state_id, const struct store_lock *lock,
               const char *text, struct error *err)
{
    struct state_backend *backend = open_backend(store);
    auto_value struct value *state = NULL;
    int failed = state_service_parse(text, &state, err) < 0 ||
                 state_service_set(backend, state_id, lock, state, err) < 0;

    state_backend_close(backend);
    return failed ? -1 : 0;
}
