/* State in files: DIR/<state id>/state.json, and a file "lock" beside it while somebody writes. */
#include "store/state_backend_impl.h"

#include "base/clock.h"
#include "base/deadline.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define POLL_MS 50

struct file_backend {
    char *dir;
    int64_t lock_timeout_us;
    char *lock_text; /* what our lock file holds */
};

static int file_read_state(void *context, const char *state_id, struct state_parts *parts,
                           bool *found, int64_t *stamp_us, struct error *err)
{
    const struct file_backend *backend = context;
    auto_free char *path = path_joinf(backend->dir, "%s/state.json", state_id);
    auto_free char *place = xasprintf("the state file '%s'", path);
    auto_strbuf struct strbuf text = STRBUF_INIT;
    bool exists;

    *stamp_us = 0;
    if (state_id_check_path(state_id, err) < 0 ||
        file_read_if_exists(path, &text, &exists, err) < 0)
        return -1;
    if (exists && state_document_parse(strbuf_text(&text), text.length, place, parts, err) < 0)
        return -1;
    *found = exists;
    if (!exists)
        *parts = (struct state_parts){xstrdup("{}"), xstrdup("{}")};
    return 0;
}

static int file_write_state(void *context, const char *state_id, const struct state_parts *parts,
                            int64_t stamp_us, struct error *err)
{
    const struct file_backend *backend = context;
    auto_free char *dir = path_join(backend->dir, state_id);
    auto_free char *path = path_join(dir, "state.json");
    auto_strbuf struct strbuf text = STRBUF_INIT;

    (void)stamp_us;
    if (!parts)
        return path_remove_all(dir, err);
    state_document_render(&text, parts);
    return file_replace(path, &text, 0644, NULL, err);
}

/* Removes a lock that its owner left behind. Its content says when it was taken. */
static int break_old_lock(const struct file_backend *backend, const char *path, struct error *err)
{
    auto_strbuf struct strbuf text = STRBUF_INIT;
    int64_t taken_us;
    bool exists;

    if (file_read_if_exists(path, &text, &exists, err) < 0)
        return -1;
    /* Meltano creates the file first and writes it then. */
    if (!exists || !text.length)
        return 0;
    if (state_lock_parse(strbuf_text(&text), text.length, &taken_us) < 0) {
        error_set(err, ERR_STATE, "the lock file '%s' does not hold a time", path);
        return error_hint(err, "Remove it when no Meltano is writing this state.");
    }
    if (clock_now_us() - taken_us > backend->lock_timeout_us)
        unlink(path);
    return 0;
}

static int create_lock(struct file_backend *backend, const char *path, bool *taken,
                       struct error *err)
{
    struct strbuf text = STRBUF_INIT;
    auto_fd int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

    *taken = fd >= 0;
    if (fd < 0) {
        if (errno == EEXIST)
            return 0;
        return error_set_errno(err, ERR_STATE, "cannot create the lock file '%s'", path);
    }
    state_lock_render(&text, clock_now_us());
    free(backend->lock_text);
    backend->lock_text = strbuf_take(&text);
    if (fd_write_all(fd, backend->lock_text, strlen(backend->lock_text)) < 0) {
        error_set_errno(err, ERR_STATE, "cannot write the lock file '%s'", path);
        unlink(path);
        return -1;
    }
    return 0;
}

static int file_lock_state(void *context, const char *state_id, struct error *err)
{
    struct file_backend *backend = context;
    auto_free char *dir = path_join(backend->dir, state_id);
    auto_free char *path = path_join(dir, "lock");
    /* A lock that is younger than the timeout now is older than it then. */
    int64_t deadline = clock_monotonic_ms() + 2 * backend->lock_timeout_us / 1000 + 1000;

    if (state_id_check_path(state_id, err) < 0 || dir_make_all(dir, 0777, err) < 0)
        return -1;
    for (;;) {
        bool taken;

        if (create_lock(backend, path, &taken, err) < 0)
            return -1;
        if (taken)
            return 0;
        if (break_old_lock(backend, path, err) < 0)
            return -1;
        if (clock_monotonic_ms() > deadline || deadline_has_passed()) {
            error_set(err, ERR_STATE, "the state of '%s' stayed locked by another program",
                      state_id);
            return error_hint(err, "Its lock file is '%s'.", path);
        }
        deadline_sleep_ms(POLL_MS);
    }
}

/* Removes our lock; not one that somebody put in its place because ours had grown old. */
static void file_unlock_state(void *context, const char *state_id)
{
    const struct file_backend *backend = context;
    auto_free char *path = path_joinf(backend->dir, "%s/lock", state_id);
    auto_strbuf struct strbuf text = STRBUF_INIT;
    struct error ignored = {0};

    if (!file_read(path, &text, &ignored) && !strcmp(strbuf_text(&text), backend->lock_text))
        unlink(path);
}

static int file_list_states(void *context, struct strlist *out, struct error *err)
{
    const struct file_backend *backend = context;
    auto_strlist struct strlist names = STRLIST_INIT;

    if (dir_list(backend->dir, &names, err) < 0) {
        err->code = ERR_STATE;
        return -1;
    }
    for (size_t i = 0; i < names.count; i++) {
        auto_free char *path = path_joinf(backend->dir, "%s/state.json", names.items[i]);

        if (names.items[i][0] != '.' && file_exists(path))
            strlist_add(out, names.items[i]);
    }
    return 0;
}

static void file_close(void *context)
{
    struct file_backend *backend = context;

    free(backend->dir);
    free(backend->lock_text);
    free(backend);
}

/* The path of a file: URL, as it is written: no decoding, and the host does not count. */
static char *url_path(const char *uri)
{
    const char *path = uri + strlen("file:");

    if (!strncmp(path, "//", 2))
        path += 2 + strcspn(path + 2, "/?#");
    return xstrndup(path, strcspn(path, "?#"));
}

int file_backend_init(const struct state_backend_options *options, struct state_backend *out,
                      struct error *err)
{
    auto_free char *dir = url_path(options->uri);
    struct file_backend *backend;

    if (!*dir) {
        error_set(err, ERR_CONFIG, "the setting state_backend.uri '%s' names no directory",
                  options->uri);
        return error_hint(err, "Write file:///absolute/directory, with three slashes.");
    }
    if (dir_make_all(dir, 0777, err) < 0)
        return error_wrap(err, "cannot make the directory of state_backend.uri");
    backend = xcalloc(1, sizeof *backend);
    backend->dir = take(dir);
    backend->lock_timeout_us = state_lock_timeout_us(options);
    out->medium = (struct state_medium){
        .context = backend,
        .read = file_read_state,
        .write = file_write_state,
        .lock = file_lock_state,
        .unlock = file_unlock_state,
    };
    out->list = file_list_states;
    out->close = file_close;
    return 0;
}
