/* config/setting_write.h - changing settings: in .env, meltano.yml or the system database.
 *
 * The open config stays as it was: open the project anew to see the change. */
#ifndef CONFIG_SETTING_WRITE_H
#define CONFIG_SETTING_WRITE_H

#include "base/error.h"
#include "base/strlist.h"
#include "base/value.h"
#include "config/config.h"

#include <stdbool.h>

struct store;

/* Where a change goes: SOURCE_DOTENV, SOURCE_MELTANO_ENVIRONMENT, SOURCE_MELTANO_YML, SOURCE_DB, or
 * wherever Meltano would put it. */
#define SETTING_ANYWHERE SOURCE_COUNT

/* Whose settings are changed. */
struct setting_subject {
    struct config *config;
    struct plugin *plugin; /* NULL: the project */
    /* The system database, for reading or for writing; asked for only when it is needed. */
    struct store *(*open_store)(void *context, bool for_writing, struct error *err);
    void *context;
};

/* Gives the setting that path names the value of text, cast to its kind. Several words are a path
 * of keys; a single one is split at its dots. Other spellings of the setting (aliases, dotted keys)
 * are removed from the file. An unknown setting is taken as it is, with a warning, but not into
 * .env. *where is where it was written, *value what; the caller frees *value. */
int setting_set(const struct setting_subject *subject, const struct strlist *path, const char *text,
                enum setting_source where_to, enum setting_source *where, struct value **value,
                struct error *err);

/* Removes the setting; SETTING_ANYWHERE: from everywhere. What is not there is no error. *where is
 * the last place it was removed from. */
int setting_unset(const struct setting_subject *subject, const struct strlist *path,
                  enum setting_source from, enum setting_source *where, struct error *err);

/* Removes all settings and extras of the subject. Of .env only the variables of its settings, and
 * the file when that leaves it empty. */
int settings_reset(const struct setting_subject *subject, enum setting_source from,
                   struct error *err);

#endif
