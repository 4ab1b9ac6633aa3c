/* plugin/plugin_log.h - lines of a plugin's standard error as log events. */
#ifndef PLUGIN_PLUGIN_LOG_H
#define PLUGIN_PLUGIN_LOG_H

#include "project/project.h"

#include <stddef.h>

/* Logs one line (without its line feed) in the name of the plugin: at its own level with its
 * fields when the plugin has the capability structured-logging and the line is such a JSON object,
 * else as it is, at info. */
void plugin_log_line(const struct plugin *plugin, const char *line, size_t length);

#endif
