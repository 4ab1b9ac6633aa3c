/* config/config_write.h - 'config set', 'config unset' and 'config reset': where a setting is kept,
 * and changing it there.
 *
 * The project and the config that are passed in stay as they were loaded. What is reported about
 * the value that counts now comes from the files as they are after the change. */
#ifndef CONFIG_CONFIG_WRITE_H
#define CONFIG_CONFIG_WRITE_H

#include "base/error.h"
#include "base/strbuf.h"
#include "base/strlist.h"
#include "config/config.h"
#include "store/store.h"

#include <stdbool.h>

enum config_store {
    CONFIG_STORE_AUTO,
    CONFIG_STORE_DOTENV,
    CONFIG_STORE_MELTANO_ENVIRONMENT,
    CONFIG_STORE_MELTANO_YML, /* the active environment's part of it, if one was asked for */
    CONFIG_STORE_DB,
    CONFIG_STORE_COUNT,
};

/* "auto", "dotenv", "meltano_environment", "meltano_yml", "db"; '-' stands for '_'. */
bool config_store_parse(const char *word, enum config_store *out);

struct config_write_options {
    enum config_store store;
    bool unsafe; /* show secrets in what is reported */
    /* The system database, opened for writing when it is needed. The store stays the callee's. */
    struct store *(*open_store)(void *context, struct error *err);
    void *store_context;
};

/* Sets the setting of plugin (NULL: of the project) that the words of name lead to: several words
 * are a path, one word is taken apart at its dots. value is cast by the kind of a known setting.
 * What was done is appended to out, as lines. */
int config_set(struct config *config, struct plugin *plugin, const struct strlist *name,
               const char *value, const struct config_write_options *options, struct strbuf *out,
               struct error *err);
/* Removes it; CONFIG_STORE_AUTO: wherever it is. */
int config_unset(struct config *config, struct plugin *plugin, const struct strlist *name,
                 const struct config_write_options *options, struct strbuf *out, struct error *err);
/* Removes all settings and extras; CONFIG_STORE_AUTO: everywhere. In .env they cannot be told from
 * those of others, so that file is deleted. Of the project only its settings are removed, no other
 * keys of meltano.yml. */
int config_reset(struct config *config, struct plugin *plugin,
                 const struct config_write_options *options, struct strbuf *out, struct error *err);

#endif
