/* dag_generator/dag_folder.h - where Airflow looks for the project's DAGs. */
#ifndef DAG_GENERATOR_DAG_FOLDER_H
#define DAG_GENERATOR_DAG_FOLDER_H

#include "base/error.h"
#include "config/config.h"

/* The DAG folder, absolute: output (--output) if it is not NULL, else the setting core.dags_folder
 * of the project's Airflow plugin, an orchestrator or a utility, else orchestrate/dags. The caller
 * frees *folder. */
int dag_folder_find(struct config *config, const char *output, char **folder, struct error *err);

#endif
