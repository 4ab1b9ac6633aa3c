/* dag_generator/dag_builder.h - what the parts that build one DAG share; nobody else needs it. */
#ifndef DAG_GENERATOR_DAG_BUILDER_H
#define DAG_GENERATOR_DAG_BUILDER_H

#include "dag_generator/dag_model.h"

/* Linux takes no longer argument or variable, its final NUL included. */
#define DAG_LONGEST_WORD 131072

/* Everything that is at hand while one DAG is built. */
struct dag_builder {
    const struct project *project;
    const struct schedule *schedule;
    const struct job *job; /* NULL for an extract-load schedule */
    struct dag_choices choices;
    const char *environment; /* that it runs in; NULL: nobody chose one */
    struct dag_origin environment_origin;
    const char *cwd;
    struct dag_origin cwd_origin;
    bool has_stock_ids;
    bool has_cwd;    /* somebody chose it */
    struct dag *dag; /* being built */
    struct dag_problems *problems;
};

/* dag_arguments.c: arguments, and what options become of them. */
struct dag_argument *dag_argument_add(struct dag_argument_list *list, const char *name,
                                      enum dag_argument_kind kind, struct dag_origin origin);
void dag_argument_add_number(struct dag_argument_list *list, const char *name,
                             enum dag_argument_kind kind, long long number,
                             struct dag_origin origin);
void dag_argument_add_text(struct dag_argument_list *list, const char *name, const char *text,
                           struct dag_origin origin);
/* Adds the options from first to last that were chosen in one of the places. */
void dag_arguments_add(struct dag_argument_list *list, const struct dag_choices *choices,
                       enum dag_option first, enum dag_option last);
/* Notes one more choice that the argument was made from: an option, if somebody chose it, or the
 * same option in one more place. */
void dag_argument_add_part(struct dag_argument *argument, const struct dag_choices *choices,
                           enum dag_option option);
void dag_argument_add_place(struct dag_argument *argument, enum dag_source source,
                            const struct value *value);
void dag_arguments_clear(struct dag_argument_list *list);
/* Adds one text, or a list of them. */
void dag_texts_add(struct strlist *texts, const struct value *value);

/* dag_pod.c: what is chosen for pods. */
/* A task without an image cannot be a pod. */
int dag_pod_check(const struct dag_builder *build, const struct dag_choices *task,
                  const struct dag_task *where, struct error *err);
/* The arguments of all tasks (task: NULL), or those that one has of its own. */
void dag_pod_add_arguments(const struct dag_builder *build, const struct dag_choices *task,
                           struct dag_argument_list *out);
/* What Airflow gives to the commands of its workers, but not to pods. */
void dag_pod_add_variables(struct dag_variable_list *env);

/* dag_env.c: environment variables, checked for what bash and Linux hand on. */
void dag_variable_set(struct dag_variable_list *list, const char *name, const char *text,
                      bool is_template, struct dag_origin origin);
/* Lays a map of variables (or NULL) over the list. */
int dag_variables_add(struct dag_variable_list *list, const struct value *map, bool are_templates,
                      enum dag_source source, struct error *err);
void dag_variables_clear(struct dag_variable_list *list);

/* dag_tasks.c: fills in dag->tasks: ids, commands, arguments and order. */
int dag_tasks_build(struct dag_builder *build, struct error *err);

#endif
