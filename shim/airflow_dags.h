/* shim/airflow_dags.h - from the project to its DAGs and their files; what `airflow` commands
 * share. */
#ifndef SHIM_AIRFLOW_DAGS_H
#define SHIM_AIRFLOW_DAGS_H

#include "dag_generator/dag_writer.h"
#include "shim/app.h"

/* The options that all commands here share. */
struct dag_args {
    const char *output;
    const char *program;
    const char *environment;
};

#define DAG_ENVIRONMENT_OPTION(args)                                                               \
    OPTION_STRING(args, dags.environment, "environment",                                           \
                  "The same as the global option, which stands before 'airflow'.",                 \
                  .word = WORD_ENVIRONMENT)
#define DAG_PROGRAM_OPTION(args)                                                                   \
    OPTION_STRING(args, dags.program, "program",                                                   \
                  "What the tasks start; without it, the program of the annotations, else "        \
                  "'meltshim' when the PATH has one, else this very program.",                     \
                  .metavar = "PROGRAM", .word = WORD_FILE)
#define DAG_OUTPUT_OPTION(args)                                                                    \
    OPTION_STRING(args, dags.output, "output",                                                     \
                  "The DAG folder; without it, core.dags_folder of the project's Airflow plugin, " \
                  "else orchestrate/dags.",                                                        \
                  .letter = 'o', .metavar = "DIR", .word = WORD_DIRECTORY)

/* The DAGs of all schedules. The caller frees *list. */
int airflow_dags_build(struct app *app, const struct dag_args *args, struct dag_list **list,
                       struct error *err);
/* The same, and what their folder holds. */
int airflow_dags_plan(struct app *app, const struct dag_args *args, enum dag_plan_mode mode,
                      struct dag_list **list, struct dag_plan **plan, struct error *err);

#endif
