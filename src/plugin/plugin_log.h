/* plugin/plugin_log.h - lines of a plugin's standard error as log events.
 *
 * A plugin with the capability structured-logging is asked (by the files that plugin_run.h tells
 * of) to write each event as one JSON object with at least the keys level, pid, logger_name, ts,
 * thread_name, app_name and message, the form of the Singer SDK. */
#ifndef PLUGIN_PLUGIN_LOG_H
#define PLUGIN_PLUGIN_LOG_H

#include "base/log.h"
#include "base/value.h"
#include "project/project.h"

#include <stdbool.h>
#include <stddef.h>

/* Logs one line (without its line feed) in the name of the plugin: at its own level with its
 * fields when the plugin has the capability structured-logging and the line is such a JSON object,
 * else as it is, at info. Blank lines are dropped. */
void plugin_log_line(const struct plugin *plugin, const char *line, size_t length);
/* The same with further fields, a map or NULL: where the line comes from. */
void plugin_log_line_with(const struct plugin *plugin, const struct value *context,
                          const char *line, size_t length);

struct plugin_log_record {
    enum log_level level;
    char *message;
    struct value *fields; /* a map without nulls; the plugin's logger is in plugin_logger, an
                             exception in plugin_exception, and what was in extra in it */
};
void plugin_log_record_clear(struct plugin_log_record *record);

/* False when the line is no structured event; out is untouched then. */
bool plugin_log_parse(const char *line, size_t length, struct plugin_log_record *out);

#endif
