/* shim/airflow_report.h - what `airflow list` and `airflow explain` print. */
#ifndef SHIM_AIRFLOW_REPORT_H
#define SHIM_AIRFLOW_REPORT_H

#include "base/strbuf.h"
#include "base/value.h"
#include "dag_generator/dag_writer.h"

/* One line per DAG: id, schedule, number of tasks, file, and whether the file is up to date; then
 * the schedules that have none, and why. */
void airflow_report_list(const struct dag_list *list, const struct dag_plan *plan,
                         struct strbuf *out);
/* The same as data, with the commands. The caller frees it. */
struct value *airflow_report_list_value(const struct dag_list *list, const struct dag_plan *plan);

/* Every value of a DAG with the place it came from. */
void airflow_report_explain(const struct dag *dag, struct strbuf *out);

#endif
