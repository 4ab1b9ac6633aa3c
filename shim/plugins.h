/* shim/plugins.h - from the words of a command line to plugins. */
#ifndef SHIM_PLUGINS_H
#define SHIM_PLUGINS_H

#include "shim/app.h"

/* The plugin of that name, and of the type behind --plugin-type (0: of any). Borrowed; NULL with
 * Meltano's words when there is none. */
struct plugin *plugins_find(const struct project *project, const char *name, int type_choice,
                            struct error *err);
/* "Extractor 'tap-x'", as it begins a sentence. */
void plugins_add_subject(struct strbuf *out, const struct plugin *plugin);

#endif
