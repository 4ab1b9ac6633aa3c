#include "base/file.h"

#include "base/memory.h"
#include "base/path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void fd_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

int fd_write_all(int fd, const void *bytes, size_t size)
{
    const char *at = bytes;

    while (size) {
        ssize_t written = write(fd, at, size);

        if (written < 0) {
            if (errno == EINTR)
                continue;
            return -1;
        }
        at += written;
        size -= (size_t)written;
    }
    return 0;
}

int fd_read_all(int fd, struct strbuf *out)
{
    for (;;) {
        ssize_t got;

        /* Most files are small; with room left, the end is noticed without growing again. */
        if (out->capacity < out->length + 4096)
            strbuf_reserve(out, out->length + 8192);
        got = read(fd, out->text + out->length, out->capacity - out->length - 1);
        if (got < 0) {
            if (errno == EINTR)
                continue;
            return -1;
        }
        out->length += (size_t)got;
        out->text[out->length] = '\0';
        if (!got)
            return 0;
    }
}

/* A pipe that a shell made, <(...), has a writer; one that has a name is waited for until somebody
 * comes, and then is read only once. */
static bool is_named_pipe(int fd, const char *path)
{
    struct stat info;
    auto_free char *real = NULL;

    if (fstat(fd, &info) < 0 || !S_ISFIFO(info.st_mode))
        return false;
    real = path_resolve(path);
    return real && stat(real, &info) == 0 && S_ISFIFO(info.st_mode);
}

/* Does not wait for a writer of a named pipe. */
static int open_to_read(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    int flags = fd < 0 ? -1 : fcntl(fd, F_GETFL);

    if (flags >= 0)
        fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
    return fd;
}

int file_read_if_exists(const char *path, struct strbuf *out, bool *found, struct error *err)
{
    auto_fd int fd = open_to_read(path);

    *found = fd >= 0;
    if (fd < 0 && errno == ENOENT)
        return 0;
    if (fd >= 0 && is_named_pipe(fd, path)) {
        error_set(err, ERR_IO, "cannot read %s: it is a named pipe", path);
        return error_hint(err, "Put a file in its place.");
    }
    if (fd < 0 || fd_read_all(fd, out) < 0)
        return error_set_errno(err, ERR_IO, "cannot read %s", path);
    return 0;
}

int file_read(const char *path, struct strbuf *out, struct error *err)
{
    bool found;

    if (file_read_if_exists(path, out, &found, err) < 0)
        return -1;
    if (!found) {
        errno = ENOENT;
        return error_set_errno(err, ERR_IO, "cannot read %s", path);
    }
    return 0;
}

/* Writes, syncs and closes; a full disk may only show at fsync() or close(). */
static int write_and_close(int fd, const struct strbuf *bytes, mode_t mode)
{
    int failed = fchmod(fd, mode) < 0 || fd_write_all(fd, strbuf_text(bytes), bytes->length) < 0 ||
                 fsync(fd) < 0;
    int saved = errno;

    if (close(fd) < 0 && !failed) {
        failed = 1;
        saved = errno;
    }
    errno = saved;
    return failed ? -1 : 0;
}

static bool has_content(const char *path, const struct strbuf *bytes)
{
    auto_strbuf struct strbuf there = STRBUF_INIT;
    auto_fd int fd = open_to_read(path);
    struct stat info;

    return fd >= 0 && !fstat(fd, &info) && S_ISREG(info.st_mode) &&
           (size_t)info.st_size == bytes->length && !fd_read_all(fd, &there) &&
           there.length == bytes->length &&
           !memcmp(strbuf_text(&there), strbuf_text(bytes), bytes->length);
}

static void sync_directory(const char *path)
{
    auto_free char *dir = path_parent(path);
    auto_fd int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    /* Some file systems refuse to sync a directory; the rename has happened all the same. */
    if (fd >= 0 && fsync(fd) < 0)
        return;
}

int file_replace(const char *path, const struct strbuf *bytes, mode_t mode, bool *changed,
                 struct error *err)
{
    auto_free char *real = path_resolve(path);
    const char *target = real ? real : path;
    auto_free char *temporary = xasprintf("%s.XXXXXX.tmp", target);
    struct stat info;
    int fd;

    if (changed)
        *changed = false;
    if (has_content(target, bytes))
        return 0;
    fd = mkostemps(temporary, 4, O_CLOEXEC);
    if (fd < 0)
        return error_set_errno(err, ERR_IO, "cannot write %s", path);
    if (stat(target, &info) == 0)
        mode = info.st_mode & 07777;
    if (write_and_close(fd, bytes, mode) < 0 || rename(temporary, target) < 0) {
        error_set_errno(err, ERR_IO, "cannot write %s", path);
        unlink(temporary);
        return -1;
    }
    sync_directory(target);
    if (changed)
        *changed = true;
    return 0;
}

int file_write(const char *path, const struct strbuf *bytes, mode_t mode, struct error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    int failed;

    if (fd < 0)
        return error_set_errno(err, ERR_IO, "cannot write %s", path);
    failed = fd_write_all(fd, strbuf_text(bytes), bytes->length) < 0;
    if (failed)
        error_set_errno(err, ERR_IO, "cannot write %s", path);
    if (close(fd) < 0 && !failed)
        return error_set_errno(err, ERR_IO, "cannot write %s", path);
    return failed ? -1 : 0;
}

bool file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

bool file_is_directory(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

bool file_is_executable(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0 && S_ISREG(info.st_mode) && access(path, X_OK) == 0;
}

/* One that exists will do. -1 with errno. */
static int make_directory(const char *path, mode_t mode)
{
    int saved;

    if (mkdir(path, mode) == 0)
        return 0;
    saved = errno;
    if (file_is_directory(path))
        return 0;
    errno = saved;
    return -1;
}

/* From errno, and from what is in the directory's place. */
static int refuse_directory(const char *path, struct error *err)
{
    char target[PATH_MAX];
    ssize_t length;

    if (errno != EEXIST)
        return error_set_errno(err, ERR_IO, "cannot create the directory %s", path);
    length = readlink(path, target, sizeof target);
    if (length < 0)
        return error_set(err, ERR_IO, "cannot create the directory %s: a file is in its place",
                         path);
    error_set(err, ERR_IO, "the directory %s is a link to %.*s, which is not there", path,
              (int)length, target);
    return error_hint(err, "Make the directory it should lead to, or remove the link.");
}

int dir_make_all(const char *path, mode_t mode, struct error *err)
{
    auto_free char *parent = NULL;

    if (make_directory(path, mode) == 0)
        return 0;
    if (errno != ENOENT)
        return refuse_directory(path, err);
    parent = path_parent(path);
    if (!strcmp(parent, path) || dir_make_all(parent, mode, err) < 0)
        return -1;
    return make_directory(path, mode) < 0 ? refuse_directory(path, err) : 0;
}

int dir_list(const char *path, struct strlist *names, struct error *err)
{
    auto_strlist struct strlist found = STRLIST_INIT;
    const struct dirent *entry;
    DIR *dir = opendir(path);
    int failure;

    if (!dir && errno == ENOENT)
        return 0;
    if (!dir)
        return error_set_errno(err, ERR_IO, "cannot read the directory '%s'", path);
    while (errno = 0, (entry = readdir(dir)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            strlist_add(&found, entry->d_name);
    failure = errno;
    closedir(dir);
    errno = failure;
    if (failure)
        return error_set_errno(err, ERR_IO, "cannot read the directory '%s'", path);
    strlist_sort(&found);
    strlist_add_all(names, &found);
    return 0;
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)info;
    (void)kind;
    (void)walk;
    return remove(path) < 0 && errno != ENOENT ? -1 : 0;
}

int path_remove_all(const char *path, struct error *err)
{
    if (nftw(path, remove_entry, 32, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) < 0 && errno != ENOENT)
        return error_set_errno(err, ERR_IO, "cannot remove %s", path);
    return 0;
}
