/* airflow/services.h - what an airflow command line starts: a command that passes through, or
 * processes that go on until they are told to stop. */
#ifndef AIRFLOW_SERVICES_H
#define AIRFLOW_SERVICES_H

#include "airflow/airflow.h"
#include "airflow/service_set.h"
#include "base/strlist.h"

#include <stdbool.h>

/* Puts the name that the version has for a command in its place: 'webserver' of Airflow 2 is
 * 'api-server' of Airflow 3. */
void services_rename(const struct airflow *airflow, struct strlist *words);

/* Whether the words start a process that goes on, under our supervision: not one that is only asked
 * for help, or puts itself into the background. */
bool services_are_meant(const struct strlist *words);

/* Whether a process of the words reads the DAG folder. */
bool services_read_dags(const struct strlist *words);
/* Whether the words need the metadata database: nearly all do. */
bool services_need_database(const struct strlist *words);

/* The processes for the words: before a scheduler of Airflow 3 its companions, unless the project's
 * setting _meltshim_processes names others, or none because they run elsewhere. Fails when
 * somebody else sits on the API's port. out must be zeroed; its env is the caller's to set. */
int services_plan(const struct airflow *airflow, const struct strlist *words,
                  struct service_set *out, struct error *err);
/* Airflow 2's webserver waits for ever on the file of one that was killed when another process has
 * its number by now, as in a container that starts again. */
void services_remove_stale_pid(const struct airflow *airflow, const struct service_set *set);

#endif
