/* plugin/plugin_executable.h - where a plugin's programs are. */
#ifndef PLUGIN_PLUGIN_EXECUTABLE_H
#define PLUGIN_PLUGIN_EXECUTABLE_H

#include "base/error.h"
#include "base/strmap.h"
#include "project/project.h"

/* <sys>/<plural>/<dir name>; the caller frees it. */
char *plugin_directory(const struct plugin *plugin);

/* As plugin_find_executable(), with the environment whose PATH counts. */
int plugin_find_executable_in(const struct strmap *env, const struct plugin *plugin,
                              const char *executable, char **out, struct error *err);

#endif
