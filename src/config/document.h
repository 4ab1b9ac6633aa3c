/* config/document.h - private to src/config: from resolved settings to what a plugin is given. */
#ifndef CONFIG_DOCUMENT_H
#define CONFIG_DOCUMENT_H

#include "base/error.h"
#include "base/value.h"
#include "config/scope.h"

/* The ordinary settings by name, through their post-processors, secrets as scope has them. The
 * caller frees *out. */
int document_collect(struct scope *scope, const char *redacted, struct value **out,
                     struct error *err);
/* Gives the settings the form that plugins of this type expect; plugin NULL: the project. The
 * caller frees *out. */
int document_shape(const struct plugin *plugin, const struct value *settings, struct value **out,
                   struct error *err);

#endif
