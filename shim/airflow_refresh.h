/* shim/airflow_refresh.h - DAG files that are up to date when Airflow starts to read them. */
#ifndef SHIM_AIRFLOW_REFRESH_H
#define SHIM_AIRFLOW_REFRESH_H

#include "airflow/airflow.h"
#include "shim/app.h"

/* As `airflow generate`, into the DAG folder of this Airflow: unless the plugin's setting
 * _meltshim_generate says no, or the folder has a generator that makes DAGs of the same schedules
 * (Meltano's own two do): each schedule would run twice. Schedules that cannot be DAGs do not keep
 * Airflow from starting: what is wrong goes to the log, and the files stay as they are. */
void airflow_refresh_dags(struct app *app, const struct airflow *airflow);

#endif
