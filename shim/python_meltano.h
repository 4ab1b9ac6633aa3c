/* shim/python_meltano.h - the Python Meltano, which runs the commands that we leave to it. */
#ifndef SHIM_PYTHON_MELTANO_H
#define SHIM_PYTHON_MELTANO_H

#include "base/error.h"
#include "base/strlist.h"
#include "base/strmap.h"

/* The first `meltano` on the PATH of environment that is not this very program; NULL when there is
 * none. The caller frees it. */
char *python_meltano_find(const struct strmap *environment);

/* Becomes the Python Meltano with the words of argv (argv[0] aside). Returns only with an error:
 * ERR_USAGE when there is no Python Meltano. */
int python_meltano_exec(const struct strlist *argv, const struct strmap *environment,
                        struct error *err);

#endif
