/* plugin/install_env.h - the virtual environment of one plugin on disk: where it is, whether it is
 * what is asked for, and how it is replaced so that a failure leaves the old one. Private to
 * src/plugin. */
#ifndef PLUGIN_INSTALL_ENV_H
#define PLUGIN_INSTALL_ENV_H

#include "base/error.h"
#include "base/strlist.h"
#include "config/config.h"
#include "config/expand.h"
#include "plugin/install_tools.h"

#include <stdbool.h>

struct install_env {
    char *venv;          /* <sys>/<plural>/<dir name>/venv */
    char *previous;      /* where the old one waits until the new one is complete */
    char *lock_path;     /* one installer at a time */
    char *run_dir;       /* files of earlier runs, which an installation removes */
    char *log_path;      /* what the installer printed */
    char *python;        /* configured; NULL: the usual one */
    char *fingerprint;   /* of args and python, as Meltano writes it */
    struct strlist args; /* of pip install: pip_url expanded and split */
    bool is_new;         /* begun without an environment in place */
    int lock_fd;
};

/* The first variable that the plugin's pip_url refers to and that is not set; *out is NULL when all
 * are. The caller frees it. */
int install_env_find_missing(struct config *config, struct plugin *plugin,
                             struct install_tools *tools, char **out, struct error *err);

/* tools: for the variable MELTANO__PYTHON_VERSION; looked for when the pip_url uses it, and kept.
 * plugin is resolved and has a pip_url. out is zeroed. */
int install_env_init(struct config *config, struct plugin *plugin, enum expand_missing missing,
                     struct install_tools *tools, struct install_env *out, struct error *err);
void install_env_clear(struct install_env *env);

/* The environment has a Python and the right fingerprint. */
bool install_env_is_current(const struct install_env *env);

/* *locked: whether no other installer is at work on it; ours until install_env_clear(). What an
 * installer that was killed left half-made is put right. */
int install_env_lock(struct install_env *env, bool *locked, struct error *err);
/* Before the installer: removes files of earlier runs, and the fingerprint. anew: moves the
 * environment aside. */
int install_env_begin(struct install_env *env, bool anew, struct error *err);
/* The environment is complete. */
int install_env_commit(struct install_env *env, struct error *err);
/* It is not: removes what was made, and brings the old one back if there was one. */
int install_env_abandon(struct install_env *env, struct error *err);

#endif
