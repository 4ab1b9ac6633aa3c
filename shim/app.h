/* shim/app.h - what every command works with, and what happens before and after it. */
#ifndef SHIM_APP_H
#define SHIM_APP_H

#include "base/error.h"
#include "base/strbuf.h"
#include "base/strlist.h"
#include "base/strmap.h"
#include "base/value.h"
#include "shim/parse.h"

/* The Meltano whose behaviour, files and tables are ours. */
#define MELTANO_VERSION "4.4.1"

struct app {
    const char *program; /* what we were called: "meltshim" or "meltano" */
    bool is_meltano;
    struct strlist argv;
    struct parsed parsed;
    struct strmap environment; /* of the process, when it was started */
    struct strmap overrides;   /* project settings given as options */
    struct strbuf out;         /* results that are not written yet */
    int exit_status;           /* of a command that succeeded: a child's, mostly */
};

/* Runs the command that argv names and returns the exit status. */
int app_main(int argc, char **argv);

/* Results, for standard output. */
void app_print(struct app *app, const char *format, ...) ATTR_PRINTF(2, 3);
/* A value in indented JSON, as Meltano prints it. */
void app_print_json(struct app *app, const struct value *value);
/* Writes what is pending. A reader that went away is no error, the command does its work all the
 * same; anything else is. */
int app_flush(struct app *app, struct error *err);

#endif
