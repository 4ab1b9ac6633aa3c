/* dag_generator/dag_render.h - a DAG as the Python file that Airflow reads.
 *
 * The file holds imports and literals, nothing that is looked up or computed when Airflow parses it
 * (which it does every 30 seconds and at the start of every task), and works on Airflow 2.7 to 3.x.
 * The same DAG gives the same bytes. Its shape is templates/dag.py. */
#ifndef DAG_GENERATOR_DAG_RENDER_H
#define DAG_GENERATOR_DAG_RENDER_H

#include "base/strbuf.h"
#include "dag_generator/dag_model.h"

#include <stdbool.h>

void dag_render(const struct dag *dag, struct strbuf *out);
/* The value of an argument as it stands in the file, in one line. */
void dag_render_value(const struct dag_argument *argument, struct strbuf *out);
void dag_render_variable(const struct dag *dag, const struct dag_variable *variable,
                         struct strbuf *out);
/* Whether a text begins as dag_render() begins its files. */
bool dag_render_is_ours(const struct strbuf *text);

#endif
