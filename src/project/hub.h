/* project/hub.h - definitions of plugins from the hub: an index per type, then the definition.
 *
 * What the hub answers is kept for an hour where Meltano keeps it, below
 * ${XDG_CACHE_HOME:-~/.cache}/meltano/hub, and used from there unless refresh asks for the newest.
 * While the hub cannot be reached, an older answer does as well, with a warning. */
#ifndef PROJECT_HUB_H
#define PROJECT_HUB_H

#include "base/error.h"
#include "base/value.h"
#include "project/project.h"

#include <stdbool.h>

struct hub_options {
    const char *api_root;      /* the setting hub_api_root, else <hub_url>/meltano/api/v1 */
    const char *authorization; /* value of the header (setting hub_url_auth); NULL: none */
    const char *user_agent;
    const char *command;    /* "meltano lock", for X-Meltano-Command; NULL: none */
    const char *project_id; /* for X-Project-ID; NULL when usage statistics are off */
    long timeout_ms;        /* per attempt; 0: 10 s, as Meltano */
    bool refresh;           /* ask the hub even when there is a fresh answer in the cache */
};

struct hub;

/* Copies the options. */
struct hub *hub_new(const struct hub_options *options);
void hub_free(struct hub *hub);
DEFINE_AUTO_FREE(struct hub, hub, hub_free)
#define auto_hub ATTR_CLEANUP(hub_auto)

/* {name: {default_variant, logo_url, variants: {variant: {ref}}}}. Borrowed from the hub. */
int hub_index(struct hub *hub, enum plugin_type type, const struct value **out, struct error *err);

/* The definition as the hub has it. variant NULL, "default" or "original": the default one. The
 * caller frees *out. Unknown names and variants are errors with a suggestion. */
int hub_find_definition(struct hub *hub, enum plugin_type type, const char *name,
                        const char *variant, struct value **out, struct error *err);

/* Finds the definition and writes the lock file. *lock is what was written, *path where; either
 * may be NULL; the caller frees them. */
int hub_lock_plugin(struct hub *hub, const struct project *project, enum plugin_type type,
                    const char *name, const char *variant, struct value **lock, char **path,
                    struct error *err);

/* For project_set_definition_source(project, hub_definition_source, hub). A lock file that cannot
 * be written is a warning here. */
int hub_definition_source(void *hub, const struct plugin *plugin, const char *name,
                          const char *variant, struct value **out, struct error *err);

#endif
