/* airflow/airflow.h - the project's Airflow plugin, ready to be started.
 *
 * What lasts is kept in <sys>/airflow, mode 0700: airflow.cfg, the record of what was prepared, and
 * all of AIRFLOW_HOME, unless the project names other places. Meltano has an orchestrator's
 * AIRFLOW_HOME in <sys>/run/airflow, where it writes an airflow.cfg at each call and deletes it
 * at the end, and which it empties whenever it installs the plugin: secrets, logs and all. */
#ifndef AIRFLOW_AIRFLOW_H
#define AIRFLOW_AIRFLOW_H

#include "airflow/installed.h"
#include "airflow/options.h"
#include "base/error.h"
#include "base/strbuf.h"
#include "base/strmap.h"
#include "config/config.h"
#include "project/project.h"

#include <stdbool.h>

struct airflow {
    struct plugin *plugin;
    struct plugin_config *config;
    struct airflow_installed installed;
    struct airflow_options options; /* all are exported */
    struct strmap env;              /* of its processes */
    char *home, *config_path;       /* AIRFLOW_HOME, AIRFLOW_CONFIG */
    char *state_dir;
    struct strbuf config_text; /* airflow.cfg as it is; may hold options that the project lacks */
    struct value *record;      /* what was prepared last */
};

/* Whether the plugin is Airflow. */
bool airflow_is_plugin(const struct plugin *plugin);
/* The project's Airflow plugin: an orchestrator, else a utility; NULL when it has none. */
struct plugin *airflow_find_plugin(const struct project *project);
/* Whether its program is Airflow's own, the extension's or ours, and not a script of the project.
 * The plugin is resolved. */
bool airflow_is_native(const struct plugin *plugin);
/* Whether it is the extension, in an environment without Airflow: it starts the one it finds. */
bool airflow_is_elsewhere(const struct plugin *plugin);

/* Resolves the plugin's settings and finds what is installed. Writes nothing. */
int airflow_open(struct config *config, struct plugin *plugin, struct airflow **out,
                 struct error *err);
void airflow_free(struct airflow *airflow);
DEFINE_AUTO_FREE(struct airflow, airflow, airflow_free)
#define auto_airflow ATTR_CLEANUP(airflow_auto)

/* The value in force, of the project or of airflow.cfg, "" counting as none; NULL: Airflow's own
 * default. The caller frees it. */
char *airflow_get(const struct airflow *airflow, const char *section, const char *key);
/* Whether it is given in any form, as a command or in a secrets backend, too. */
bool airflow_is_given(const struct airflow *airflow, const char *section, const char *key);

/* What the plugin's entry in meltano.yml says to us, as the extra setting "_meltshim_NAME", or else
 * the variable AIRFLOW__MELTSHIM_NAME; the items of a list with blanks between. NULL when there is
 * none; the caller frees it. */
char *airflow_extra(const struct airflow *airflow, const char *name);

/* Brings airflow.cfg in step with the project, with secrets for Airflow's processes to share, and
 * the metadata database in step with the version. One process at a time does that, the others wait
 * for it; Airflow is started (once) only when there is something to migrate. Without needs_database
 * the database is not looked at. */
int airflow_prepare(struct airflow *airflow, bool needs_database, struct error *err);

/* --- between the files of this room ------------------------------------------------------- */

/* What was prepared last (prepare.c): reads it, and lets what somebody wrote into airflow.cfg since
 * take the place of defaults. */
int airflow_recall(struct airflow *airflow, struct error *err);

/* Names the driver in a URI that leaves it open (check.c), when one of the usual ones is installed:
 * which one SQLAlchemy takes then depends on its version. */
void airflow_name_driver(struct airflow *airflow);

/* What can be known to fail before Airflow is started (check.c): an executor that the version does
 * not have or refuses on SQLite, a database driver that is not installed. uri may be NULL. */
int airflow_check(const struct airflow *airflow, const char *uri, struct error *err);

#endif
