/* process/find_program.h - which file a program's name means. */
#ifndef PROCESS_FIND_PROGRAM_H
#define PROCESS_FIND_PROGRAM_H

#include "base/error.h"

/* A name with a slash is a path already, by cwd; else it is looked up in PATH of env. The caller
 * frees *path. ERR_START. */
int find_program(const char *name, const char *const *env, const char *cwd, char **path,
                 struct error *err);

/* The first program of that name in search (as in PATH; NULL: the usual directories) that is not
 * this very program under another name; NULL when there is none. The caller frees it. */
char *find_other_program(const char *name, const char *search);

/* The interpreter that a script's first line names; NULL when it names none. The caller frees it.
 */
char *find_interpreter(const char *path);

/* Why path could not be executed. Returns -1. */
int describe_exec_failure(const char *path, const char *const *env, int error_number,
                          struct error *err);

#endif
