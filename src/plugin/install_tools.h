/* plugin/install_tools.h - the Python that environments are made with, and what installs into
 * them. Private to src/plugin. */
#ifndef PLUGIN_INSTALL_TOOLS_H
#define PLUGIN_INSTALL_TOOLS_H

#include "base/error.h"
#include "base/strlist.h"
#include "config/config.h"

struct install_tools {
    char *python; /* for plugins without one of their own; NULL when there is none */
    char *uv;     /* NULL: the Python's own venv and pip */
};

/* The Python is the one that a Meltano on the PATH runs with, for that is what Meltano itself
 * would take, else python3 on the PATH. uv is the one on the PATH, else the one beside Meltano,
 * unless venv.backend says virtualenv. */
int install_tools_find(struct config *config, struct install_tools *out, struct error *err);
void install_tools_clear(struct install_tools *tools);
#define auto_install_tools ATTR_CLEANUP(install_tools_clear)

/* What the user configured for the plugin: a path, the name of a program or a version. NULL when
 * nothing is. The caller frees it. */
int install_configured_python(struct config *config, const struct plugin *plugin, char **out,
                              struct error *err);

/* "3.11" for the interpreter in tools; NULL when it cannot be told. The caller frees it. */
char *install_tools_python_version(const struct install_tools *tools);

/* The command that makes an environment with the configured Python (NULL: that of tools). */
int install_venv_command(const struct install_tools *tools, const char *configured_python,
                         const char *venv, struct strlist *argv, struct error *err);
/* The command that installs into an environment, up to the packages. */
void install_pip_command(const struct install_tools *tools, const char *venv, struct strlist *argv);

#endif
