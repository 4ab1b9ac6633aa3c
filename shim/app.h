/* shim/app.h - what every command works with: project, configuration, database, output.
 *
 * All of it is opened on first use, so that a command pays only for what it needs. */
#ifndef SHIM_APP_H
#define SHIM_APP_H

#include "base/error.h"
#include "base/strbuf.h"
#include "base/strlist.h"
#include "base/strmap.h"
#include "base/value.h"
#include "config/config.h"
#include "project/hub.h"
#include "project/project.h"
#include "shim/parse.h"
#include "store/store.h"

/* The Meltano whose behaviour, files and tables are ours. */
#define MELTANO_VERSION "4.4.1"

struct app {
    const char *program;         /* what we were called: "meltshim" or "meltano" */
    bool is_meltano, is_airflow; /* called by Meltano's name, as its Airflow plugin's program */
    struct strlist argv;
    struct parsed parsed;
    struct strmap environment; /* of the process, when it was started */
    struct strmap overrides;   /* project settings given as options */
    struct strbuf out;         /* results that are not written yet */
    int exit_status;           /* of a command that succeeded: a child's, mostly */

    /* Private: see the functions below. */
    bool is_in_directory;
    bool is_known; /* the environment was announced: no need to do it again */
    struct project *project;
    struct config *config;
    struct hub *hub;
    char *hub_api_root;
    struct store *store;
    enum store_access { STORE_READ, STORE_WRITE } store_access;
};

/* Runs the command that argv names and returns the exit status. */
int app_main(int argc, char **argv);

/* Goes where --project-root says, once. */
int app_enter_directory(struct app *app, struct error *err);
/* The project around the current directory (or MELTANO_PROJECT_ROOT), activated: its system
 * directory has what Meltano puts there. Borrowed. */
struct project *app_project(struct app *app, struct error *err);
/* Its configuration, in the environment that the command's policy chooses. Borrowed. */
struct config *app_config(struct app *app, struct error *err);
/* The system database. One that does not exist is made for writing and reads as empty. Borrowed
 * until the next call with more access. */
struct store *app_store(struct app *app, enum store_access access, struct error *err);
/* The plugin hub of the project's settings; with refresh it is asked even for what the cache
 * knows. Borrowed. */
struct hub *app_hub(struct app *app, bool refresh, struct error *err);
/* Closes what was opened. */
void app_close(struct app *app);

/* Results, for standard output. */
void app_print(struct app *app, const char *format, ...) ATTR_PRINTF(2, 3);
/* A value in indented JSON, as Meltano prints it. */
void app_print_json(struct app *app, const struct value *value);
/* Writes what is pending. A reader that went away is no error, the command does its work all the
 * same; anything else is. */
int app_flush(struct app *app, struct error *err);

/* The type behind the value of --plugin-type. */
enum plugin_type app_plugin_type(int choice);

/* Whether people read the results in a terminal that shows colours. */
bool app_wants_color(const struct app *app);

/* Asks on standard error; false when the answer is no or there is none. */
bool app_confirm(const char *question);

#endif
