/* base/path.h - path texts; nothing here touches the file system but path_resolve(). */
#ifndef BASE_PATH_H
#define BASE_PATH_H

#include "base/attrs.h"

#include <stdbool.h>

/* Joins with one slash between; an absolute name replaces dir. The caller frees it. */
char *path_join(const char *dir, const char *name);
char *path_joinf(const char *dir, const char *format, ...) ATTR_PRINTF(2, 3);
/* The directory part, "." when there is none. The caller frees it. */
char *path_parent(const char *path);
/* What comes after the last slash. Borrowed from path. */
const char *path_name(const char *path);
/* Any text as the name of a file, of at most 230 bytes, another for every text. The caller frees
 * it. */
char *path_name_for(const char *text);
/* Absolute and without symlinks; NULL with errno when it does not exist. The caller frees it. */
char *path_resolve(const char *path);
/* Absolute, by the current directory, symlinks kept. The caller frees it. */
char *path_absolute(const char *path);
/* Whether path is dir itself or below it; both resolved. */
bool path_is_inside(const char *path, const char *dir);

#endif
