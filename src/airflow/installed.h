/* airflow/installed.h - the Airflow that a plugin has: its program, its version, its libraries, all
 * found without starting it, which takes a second or more. */
#ifndef AIRFLOW_INSTALLED_H
#define AIRFLOW_INSTALLED_H

#include "base/error.h"
#include "base/strlist.h"

#include <stdbool.h>

/* Older ones are tried with a warning. */
#define AIRFLOW_OLDEST_TESTED "2.7"
/* The first one that is not tested. */
#define AIRFLOW_FIRST_UNTESTED "3.4"

struct airflow_installed {
    char *program; /* absolute */
    char *version;
    char *packages; /* its site-packages folder; NULL when it could not be found */
    int major;
};

/* program: its path, or a name that is looked up in the PATH of env. Where the version cannot be
 * read from the installed distribution the program is started once to tell it. out must be
 * zeroed. */
int airflow_installed_find(const char *program, const struct strlist *env,
                           struct airflow_installed *out, struct error *err);
void airflow_installed_clear(struct airflow_installed *installed);

/* Whether the virtual environment holds the distribution. */
bool airflow_is_installed_in(const char *venv);

/* Whether the module can be imported; true when nobody can tell. */
bool airflow_installed_has_module(const struct airflow_installed *installed, const char *module);

#endif
