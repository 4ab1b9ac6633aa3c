#include "plugin/run_dir.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/path.h"
#include "base/uuid.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_NAME ".lock"
/* An owner makes its directory first and its lock then. */
#define YOUNG_SECONDS 60
/* How long a Meltano may still need a configuration that no process names any more. */
#define ABANDONED_SECONDS (24 * 60 * 60)
#define MAX_ATTEMPTS      8

DEFINE_AUTO_FREE(DIR, directory, closedir)
#define auto_directory ATTR_CLEANUP(directory_auto)

static bool is_younger_than(const char *path, int seconds)
{
    struct stat info;

    return stat(path, &info) < 0 || info.st_mtime > clock_now_us() / 1000000 - seconds;
}

static bool is_uuid(const char *name)
{
    char text[UUID_TEXT_SIZE];

    return strlen(name) == UUID_TEXT_SIZE - 1 && uuid_parse(name, text);
}

/* --- what the dead left --------------------------------------------------------------------- */

static void remove_if_dead(const char *path)
{
    auto_free char *lock = path_join(path, LOCK_NAME);
    auto_fd int fd = open(lock, O_RDWR | O_CLOEXEC);
    struct error err = {0};

    if (fd < 0 && (errno != ENOENT || is_younger_than(path, YOUNG_SECONDS)))
        return;
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0)
        return;
    if (path_remove_all(path, &err) < 0)
        log_warning("What an earlier run left in %s stays: %s", path, err.message);
}

/* Whether the name stands on the command line of a process of this machine. */
static bool is_in_use(const char *name)
{
    auto_directory DIR *proc = opendir("/proc");

    for (struct dirent *entry; proc && (entry = readdir(proc));) {
        auto_free char *path = xasprintf("/proc/%s/cmdline", entry->d_name);
        auto_strbuf struct strbuf arguments = STRBUF_INIT;
        struct error ignored = {0};

        if (*entry->d_name >= '1' && *entry->d_name <= '9' &&
            !file_read(path, &arguments, &ignored) &&
            memmem(strbuf_text(&arguments), arguments.length, name, strlen(name)))
            return true;
    }
    return false;
}

/* A Python Meltano that was killed leaves its configurations for ever, and holds no lock by which
 * one could tell that it is dead. */
static void remove_if_abandoned(const char *path)
{
    if (is_younger_than(path, ABANDONED_SECONDS) || is_in_use(path_name(path)))
        return;
    if (unlink(path) == 0)
        log_debug("Removed %s, which a Meltano that was killed has left", path);
}

static bool is_config_name(const char *name)
{
    static const char ending[] = ".config.json";
    size_t length = strlen(name);

    return length > strlen(ending) && !strcmp(name + length - strlen(ending), ending);
}

static void sweep(const char *shared)
{
    auto_directory DIR *directory = opendir(shared);

    for (struct dirent *entry; directory && (entry = readdir(directory));) {
        auto_free char *path = path_join(shared, entry->d_name);

        if (is_uuid(entry->d_name))
            remove_if_dead(path);
        else if (is_config_name(entry->d_name))
            remove_if_abandoned(path);
    }
}

/* --- a new one ------------------------------------------------------------------------------ */

static bool is_same_file(int fd, const char *path)
{
    struct stat opened, there;

    return fstat(fd, &opened) == 0 && stat(path, &there) == 0 && opened.st_ino == there.st_ino &&
           opened.st_dev == there.st_dev;
}

enum lock_result { LOCK_TAKEN, LOCK_LOST, LOCK_FAILED };

/* Between mkdir() and flock() somebody who sweeps may have taken the directory for a dead one's. */
static enum lock_result lock_new(const char *path, int *fd_out)
{
    auto_free char *lock = path_join(path, LOCK_NAME);
    auto_fd int fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0)
        return errno == ENOENT ? LOCK_LOST : LOCK_FAILED;
    if (flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK)
        return LOCK_LOST;
    if (!is_same_file(fd, lock))
        return LOCK_LOST;
    *fd_out = fd;
    fd = -1;
    return LOCK_TAKEN;
}

int run_dir_open(const char *shared, const char *id, struct run_dir *out, struct error *err)
{
    if (dir_make_all(shared, 0755, err) < 0)
        return -1;
    sweep(shared);
    for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
        auto_free char *path = NULL;
        char name[UUID_TEXT_SIZE];
        int fd;

        uuid_new_v7(name);
        path = path_join(shared, id && !attempt ? id : name);
        if (mkdir(path, 0700) < 0) {
            if (errno == EEXIST)
                continue;
            return error_set_errno(err, ERR_IO, "cannot create the directory %s", path);
        }
        switch (lock_new(path, &fd)) {
        case LOCK_TAKEN:
            *out = (struct run_dir){take(path), xstrdup(shared), fd};
            return 0;
        case LOCK_FAILED:
            return error_set_errno(err, ERR_IO, "cannot create a file in %s", path);
        case LOCK_LOST:
            break;
        }
    }
    return error_set(err, ERR_IO, "cannot create a directory in %s: it is removed at once", shared);
}

void run_dir_close(struct run_dir *dir)
{
    struct error err = {0};

    if (dir->path && path_remove_all(dir->path, &err) < 0)
        log_warning("The files of this run stay in %s: %s", dir->path, err.message);
    fd_close(&dir->lock_fd);
    free(dir->path);
    free(dir->shared);
    *dir = (struct run_dir)RUN_DIR_INIT;
}

int run_dir_lock_shared(const struct run_dir *dir)
{
    auto_free char *path = path_join(dir->shared, LOCK_NAME);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);

    while (fd >= 0 && flock(fd, LOCK_EX) < 0)
        if (errno != EINTR)
            fd_close(&fd);
    return fd;
}
