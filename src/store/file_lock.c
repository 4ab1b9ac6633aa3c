#include "store/file_lock.h"

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/path.h"
#include "base/value.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct file_lock {
    int fd;
    char *path;
};

char *file_lock_path(const char *dir, const char *name)
{
    auto_free char *file = path_name_for(name);

    return path_joinf(dir, "%s.lock", file);
}

/* Whether path still names the file behind fd. */
static bool is_current(int fd, const char *path)
{
    struct stat ours, named;

    return !fstat(fd, &ours) && !stat(path, &named) && ours.st_dev == named.st_dev &&
           ours.st_ino == named.st_ino;
}

int file_lock_try(const char *dir, const char *name, struct file_lock **out, struct error *err)
{
    auto_free char *path = file_lock_path(dir, name);
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    for (;;) {
        auto_fd int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);

        if (fd < 0 && errno == ENOENT) {
            if (dir_make_all(dir, 0777, err) < 0)
                return error_wrap(err, "cannot make the directory of the lock files");
            continue;
        }
        if (fd < 0) {
            error_set_errno(err, ERR_DATABASE, "cannot open the lock file '%s'", path);
            return error_hint(err, "The user that runs meltshim must be able to write there.");
        }
        if (fcntl(fd, F_OFD_SETLK, &whole) < 0) {
            if (errno == EAGAIN || errno == EACCES) {
                *out = NULL;
                return 0;
            }
            error_set_errno(err, ERR_DATABASE, "cannot lock the file '%s'", path);
            return error_hint(err, "The file system must support locks; a local one does.");
        }
        /* The last owner may have removed the file between our open() and our lock. */
        if (!is_current(fd, path))
            continue;
        *out = xcalloc(1, sizeof **out);
        (*out)->fd = fd;
        (*out)->path = take(path);
        fd = -1;
        return 0;
    }
}

void file_lock_release(struct file_lock *lock)
{
    if (!lock)
        return;
    if (is_current(lock->fd, lock->path))
        unlink(lock->path);
    close(lock->fd);
    free(lock->path);
    free(lock);
}

void file_lock_write_owner(struct file_lock *lock, const struct lock_owner *owner)
{
    auto_value struct value *map = value_new_map();
    auto_free char *text = NULL;

    value_set_int(map, "pid", owner->pid);
    value_set_string(map, "host", owner->host);
    value_set_int(map, "since_us", owner->since_us);
    value_set_string(map, "run_id", owner->run_id);
    value_set_string(map, "detail", owner->detail);
    text = json_to_text(map, &json_python);
    if (ftruncate(lock->fd, 0) < 0 || pwrite(lock->fd, text, strlen(text), 0) < 0)
        return;
}

static void copy_text(char *out, size_t size, const struct value *map, const char *key)
{
    const char *text = value_get_text(map, key);

    snprintf(out, size, "%s", text ? text : "");
}

bool file_lock_read_owner(const char *dir, const char *name, struct lock_owner *owner)
{
    auto_free char *path = file_lock_path(dir, name);
    auto_strbuf struct strbuf text = STRBUF_INIT;
    auto_value struct value *map = NULL;
    struct error ignored = {0};

    if (file_read(path, &text, &ignored) < 0 ||
        json_parse(strbuf_text(&text), text.length, NULL, &map, &ignored) < 0 || !value_is_map(map))
        return false;
    *owner = (struct lock_owner){0};
    owner->pid = (int)value_to_int(value_get(map, "pid"), 0);
    owner->since_us = value_to_int(value_get(map, "since_us"), 0);
    copy_text(owner->host, sizeof owner->host, map, "host");
    copy_text(owner->run_id, sizeof owner->run_id, map, "run_id");
    copy_text(owner->detail, sizeof owner->detail, map, "detail");
    return true;
}
