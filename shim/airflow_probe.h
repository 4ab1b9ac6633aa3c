/* shim/airflow_probe.h - the Airflow that belongs to a project, and what it says of itself. */
#ifndef SHIM_AIRFLOW_PROBE_H
#define SHIM_AIRFLOW_PROBE_H

#include "shim/app.h"

struct airflow_place {
    char *program;            /* of `airflow`; NULL when there is none */
    char *config_file;        /* airflow.cfg, which need not exist */
    struct strmap variables;  /* that it is started with */
    struct plugin *plugin;    /* borrowed; NULL when it is none of the project's */
    bool plugin_is_installed; /* else program is another one */
};

#define AIRFLOW_PLACE_INIT                                                                         \
    {                                                                                              \
        .variables = STRMAP_INIT                                                                   \
    }

/* The one that program names; else that of the project's Airflow plugin, an orchestrator or a
 * utility; else the one on the PATH. Nothing is started. */
int airflow_place_find(struct app *app, const char *program, struct airflow_place *out,
                       struct error *err);
void airflow_place_clear(struct airflow_place *place);
#define auto_airflow_place ATTR_CLEANUP(airflow_place_clear)

/* Starts its Python once. *facts is what templates/airflow_probe.py prints; the caller frees it. */
int airflow_probe(const struct airflow_place *place, struct value **facts, struct error *err);

#endif
