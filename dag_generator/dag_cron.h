/* dag_generator/dag_cron.h - the cron expressions that every Airflow from 2.7 on understands alike.
 *
 * Meltano's own check lets much through that Airflow refuses (one good element makes a whole list
 * good), and versions of Airflow's cron library differ about ranges that wrap around, ranges of one
 * value and '?'. What is plain stays as it is written; the rest is rewritten into what all of them
 * read in the same way, or refused. */
#ifndef DAG_GENERATOR_DAG_CRON_H
#define DAG_GENERATOR_DAG_CRON_H

#include "base/error.h"
#include "base/strbuf.h"

/* Appends the expression for Airflow to out. The error says what is wrong with which part; where
 * the text stands is the caller's to say. */
int dag_cron_check(const char *text, struct strbuf *out, struct error *err);

#endif
