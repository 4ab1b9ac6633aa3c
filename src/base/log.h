/* base/log.h - everything the program says on its way: to standard error and to a run's log file.
 *
 * An event is a level, a name (the plugin, or "meltano"), a text and fields. The formats are
 * Meltano's: colored, uncolored, json, key_value, plain. Results never go through here: they are
 * printed to standard output. A reader of standard error that went away is no error. Known secrets
 * (base/redact.h) are masked in every sink.
 *
 * Airflow keeps what a task writes line by line in logs of its own. There (AIRFLOW_CTX_DAG_ID is
 * set) lines have no colors, each is short enough to be written at once, and of chatter no more
 * than base/line_budget.h allows is shown while a log file takes it all, unless the level is debug.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/error.h"
#include "base/value.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR, LOG_CRITICAL, LOG_DISABLED };
enum log_format { LOG_COLORED, LOG_UNCOLORED, LOG_JSON, LOG_KEY_VALUE, LOG_PLAIN };

/* Both accept '-' for '_'; false when the word is none of theirs. */
bool log_level_parse(const char *word, enum log_level *out);
bool log_format_parse(const char *word, enum log_format *out);
/* The words for them in settings: "key_value". */
const char *log_level_name(enum log_level level);
const char *log_format_name(enum log_format format);

void log_set_level(enum log_level level);
enum log_level log_get_level(void);
void log_set_format(enum log_format format);
enum log_format log_get_format(void);

/* fields is a map or NULL, borrowed. In the console formats colored and uncolored only the fields
 * that Meltano shows by default appear; json and key_value show all. */
void log_event(enum log_level level, const char *name, const struct value *fields,
               const char *format, ...) ATTR_PRINTF(4, 5);

/* The same for events of which there can be any number, such as what plugins say. name NULL: the
 * program itself. */
void log_chatter(enum log_level level, const char *name, const struct value *fields,
                 const char *format, ...) ATTR_PRINTF(4, 5);

/* Events of the program itself, named "meltano". */
void log_debug(const char *format, ...) ATTR_PRINTF(1, 2);
void log_info(const char *format, ...) ATTR_PRINTF(1, 2);
void log_warning(const char *format, ...) ATTR_PRINTF(1, 2);
void log_error(const char *format, ...) ATTR_PRINTF(1, 2);

/* From now on every event is also appended to the file (uncolored, at the level in force), until
 * log_close_file(). One file at a time. A disk that fills up is reported once on standard error
 * and stops the file, not the run. */
int log_open_file(const char *path, struct error *err);
void log_close_file(void);

/* Whether Airflow keeps what is written to standard error. */
bool log_is_for_airflow(void);
/* How many lines standard error was spared since the log file was opened. */
uint64_t log_left_out(void);

/* A field that every following event carries (run_id, ...); value NULL removes it. */
void log_bind(const char *key, const char *value);

#endif
