/* plugin/plugin_executable.h - where a plugin's programs are. */
#ifndef PLUGIN_PLUGIN_EXECUTABLE_H
#define PLUGIN_PLUGIN_EXECUTABLE_H

#include "base/error.h"
#include "base/strmap.h"
#include "project/project.h"

/* <sys>/<plural>/<dir name>; the caller frees it. */
char *plugin_directory(const struct plugin *plugin);

/* Path of the program: in the plugin's environment, below the root, or a bare name that stands for
 * a program in the PATH of env. Fails when it does not exist (ERR_START). */
int plugin_find_executable(const struct strmap *env, const struct plugin *plugin,
                           const char *executable, char **out, struct error *err);

#endif
