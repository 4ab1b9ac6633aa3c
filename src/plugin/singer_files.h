/* plugin/singer_files.h - the files that a Singer plugin is started with, under Meltano's names. */
#ifndef PLUGIN_SINGER_FILES_H
#define PLUGIN_SINGER_FILES_H

#include "base/error.h"
#include "config/config.h"
#include "project/project.h"

#define CATALOG_FILE     "tap.properties.json"
#define CATALOG_KEY_FILE "tap.properties.cache_key"
#define STATE_FILE       "state.json"

/* Writes the configuration to dir, mode 0600. The caller frees *path. */
int singer_files_write_config(const struct plugin_config *resolved, const char *dir, char **path,
                              struct error *err);

/* Writes what tells the Singer SDK and pipelinewise's singer library how to log, at the level in
 * force, and names the files in env unless the user has done so. */
int singer_files_write_logging(const struct plugin_config *resolved, const char *dir,
                               struct strmap *env, struct error *err);

/* Copies a file of that name into dir: one that the user put into the plugin's own directory, else
 * one in shared (may be NULL). That there is none is no error. */
int singer_files_copy(const char *name, const char *plugin_dir, const char *shared, const char *dir,
                      struct error *err);

#endif
