/* base/file.h - whole files and directories: read, replace atomically, make, remove. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/error.h"
#include "base/strbuf.h"
#include "base/strlist.h"

#include <stdbool.h>
#include <sys/types.h>

/* Appends the file's bytes to out. */
int file_read(const char *path, struct strbuf *out, struct error *err);
/* As file_read(), but a file that does not exist is no error: *found says so. */
int file_read_if_exists(const char *path, struct strbuf *out, bool *found, struct error *err);

/* Puts the bytes in place of path by a temporary file in the same directory, fsync and rename:
 * readers see the old file or the new one. A symlink at path is followed. Nothing is written, and
 * the time stamp stays, when the file has these bytes already; *changed (may be NULL) says which.
 * mode applies to a new file; one that exists keeps its own. */
int file_replace(const char *path, const struct strbuf *bytes, mode_t mode, bool *changed,
                 struct error *err);
/* Writes without the detour; for files that nobody reads before we say so. */
int file_write(const char *path, const struct strbuf *bytes, mode_t mode, struct error *err);

bool file_exists(const char *path);
bool file_is_directory(const char *path);
bool file_is_executable(const char *path);

/* Creates path and its missing parents. */
int dir_make_all(const char *path, mode_t mode, struct error *err);
/* Adds the names in a directory, sorted bytewise, without "." and ".."; one that does not exist has
 * none. On failure names is as it was. */
int dir_list(const char *path, struct strlist *names, struct error *err);
/* Removes a file or a whole tree without following symlinks; what is not there is no error. */
int path_remove_all(const char *path, struct error *err);

/* Writes all bytes to a descriptor, through short writes and EINTR. -1 with errno. */
int fd_write_all(int fd, const void *bytes, size_t size);
/* Appends everything up to end of file. -1 with errno. */
int fd_read_all(int fd, struct strbuf *out);
/* Closes and forgets a descriptor that is not negative. */
void fd_close(int *fd);
#define auto_fd ATTR_CLEANUP(fd_close)

#endif
