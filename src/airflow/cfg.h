/* airflow/cfg.h - airflow.cfg as a text in which single options are read and changed; comments,
 * order and everything else stay as they are. */
#ifndef AIRFLOW_CFG_H
#define AIRFLOW_CFG_H

#include "base/strbuf.h"

#include <stdbool.h>

/* The value of an option; NULL when the text does not have it. The caller frees it. */
char *cfg_get(const char *text, const char *section, const char *key);

/* Gives an option a value: in the line where it stands, else as the last line of its section, else
 * in a new section at the end. */
void cfg_set(struct strbuf *text, const char *section, const char *key, const char *value);

/* Removes an option; nothing happens when there is none. */
void cfg_remove(struct strbuf *text, const char *section, const char *key);

#endif
