/* dag_generator/dag_text.h - text that Airflow hands to a task byte by byte.
 *
 * Airflow runs bash_command, the values of env and, in newer versions, cwd through Jinja, and takes
 * a text that ends in .sh or .bash for the name of a template file. */
#ifndef DAG_GENERATOR_DAG_TEXT_H
#define DAG_GENERATOR_DAG_TEXT_H

#include "base/strbuf.h"

#include <stdbool.h>

/* Whether Airflow would change the text, or fail on it. For a pod it takes further ends for the
 * names of files. */
bool dag_text_is_template(const char *text, bool for_pod);

/* The template that Airflow renders to exactly this text: the text itself where that is possible,
 * else one Jinja string literal. */
void strbuf_add_jinja_text(struct strbuf *out, const char *text, bool for_pod);

/* A template of the user's own, made safe at its end, where Jinja eats a newline and Airflow looks
 * for .sh and .bash. */
void strbuf_add_jinja_template(struct strbuf *out, const char *template, bool for_pod);

/* Where a template's first tag begins that nothing closes; NULL when all are closed. Airflow would
 * find out when the task runs. */
const char *dag_text_find_open_tag(const char *template);

/* Whether a word of length letters could name something in Python, and is not taken by it. */
bool dag_text_is_identifier(const char *word, size_t length);
/* Whether a DAG file gives this name to something that it imports by name. */
bool dag_text_is_imported(const char *word, size_t length);

#endif
