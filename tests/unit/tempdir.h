/* tests/unit/tempdir.h - a directory for one test, and files in it. */
#ifndef TESTS_UNIT_TEMPDIR_H
#define TESTS_UNIT_TEMPDIR_H

/* Makes an empty directory (without symlinks in its path); a fixture's set-up. */
void tempdir_make(void);
/* Removes it with all it holds; a fixture's tear-down. */
void tempdir_remove(void);
/* Its path. */
const char *tempdir_path(void);

/* Writes a file below it, with the directories it needs. */
void tempdir_write(const char *name, const char *text);
/* The text of a file below it. The caller frees it. */
char *tempdir_read(const char *name);
/* The path of a name below it; good until the next call. */
const char *tempdir_join(const char *name);

/* Data that tests share and that is no part of the repository: the directory that
 * MELTSHIM_SHARED names, else ../shared. NULL, and a loud word on standard error, when name is not
 * there. Good until the next call. */
const char *shared_data(const char *name);

#endif
