/* dag_generator/dag_ids.h - names that Airflow accepts, made from names that Meltano accepts. */
#ifndef DAG_GENERATOR_DAG_IDS_H
#define DAG_GENERATOR_DAG_IDS_H

#include "base/error.h"
#include "base/strmap.h"

/* Airflow's limit for the ids of DAGs and of tasks with their group. */
#define DAG_ID_LIMIT 250

/* An id of at most limit characters (at least 32): runs of characters that Airflow does not know
 * become one '_'. When letters were lost or the text was cut, a short hash of it makes sure that
 * different names stay different. The caller frees it. */
char *dag_id_from_text(const char *text, size_t limit);
/* The same without '-' and '.', so that a Python variable can have the name of its task. */
char *dag_task_id_from_text(const char *text, size_t limit);

/* Replaces every {name} by its value. The caller frees *out. An unknown name, or one whose value
 * is empty, is an error; its message ends in the pattern. */
int dag_id_fill_pattern(const char *pattern, const struct strmap *values, char **out,
                        struct error *err);

#endif
