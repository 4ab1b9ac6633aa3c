/* plugin/catalog_cache.h - the catalog that an earlier run of a tap has left in <sys>/run/<tap>.
 *
 * It is kept with a key made of everything that discovery can depend on. File names, key and
 * content are Meltano's. */
#ifndef PLUGIN_CATALOG_CACHE_H
#define PLUGIN_CATALOG_CACHE_H

#include "base/error.h"
#include "config/config.h"
#include "plugin/run_dir.h"

/* SHA-1 over the settings and the rules that change metadata and schema, in hexadecimal; NULL when
 * the catalog cannot be kept: the tap is not installed by pip, or as editable, or the user gave a
 * catalog. The caller frees it. */
char *catalog_cache_key(const struct plugin_config *resolved);

/* Copies the catalog to dir: one that the user put into the plugin's own directory, else the one in
 * cache->shared (cache may be NULL). *key is the key it was kept with, NULL when it has none; the
 * caller frees it. No catalog at all is no error. */
int catalog_cache_load(const struct run_dir *cache, const char *plugin_dir, const char *dir,
                       char **key, struct error *err);
/* The next run discovers. */
void catalog_cache_forget(const struct run_dir *cache);
/* Replaces what is kept by the catalog of dir. key may be NULL. */
int catalog_cache_save(const struct run_dir *cache, const char *dir, const char *key,
                       struct error *err);

#endif
