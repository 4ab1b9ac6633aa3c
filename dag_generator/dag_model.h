/* dag_generator/dag_model.h - what every schedule of a project becomes in Airflow: one DAG.
 *
 * Pure data: no files are read or written here, and nothing in it is Python yet. Everything that
 * Airflow, Python, Jinja or bash would refuse is refused here, with file and line. */
#ifndef DAG_GENERATOR_DAG_MODEL_H
#define DAG_GENERATOR_DAG_MODEL_H

#include "base/error.h"
#include "base/strlist.h"
#include "base/strmap.h"
#include "dag_generator/dag_options.h"
#include "project/project.h"

#include <stdbool.h>
#include <stddef.h>

#define DAG_CALL "()"

enum dag_argument_kind {
    DAG_NONE,
    DAG_BOOL,     /* number */
    DAG_INT,      /* number */
    DAG_DURATION, /* number, in seconds */
    DAG_TEXT,     /* text */
    DAG_DATE,     /* date, and text: its time zone */
    DAG_TEXTS,    /* texts */
    DAG_NAMES,    /* texts: dotted names of Python functions */
    DAG_ASSETS,   /* texts: URIs */
    DAG_TREE,     /* tree */
};

/* One more choice that a value was made from. */
struct dag_part {
    const char *name; /* its key, static; NULL: the argument's own option in one more place */
    struct dag_origin origin;
};

/* A keyword argument of DAG() or of an operator. */
struct dag_argument {
    const char *name; /* static */
    enum dag_argument_kind kind;
    long long number;
    char *text;
    struct dag_date date;
    struct strlist texts;
    /* Lists, dicts and texts as such; a map with the key DAG_CALL is a call of what that names, its
     * other members are the arguments, the one without a name comes without. */
    struct value *tree;
    struct dag_origin origin;
    struct dag_part *parts;
    size_t part_count, part_capacity;
};

struct dag_argument_list {
    struct dag_argument *items;
    size_t count, capacity;
};

/* An environment variable of the tasks. */
struct dag_variable {
    char *name;
    char *text;
    bool is_template; /* text is for Airflow to render; otherwise it arrives as it is */
    struct dag_origin origin;
};

struct dag_variable_list {
    struct dag_variable *items;
    size_t count, capacity;
};

struct dag_task {
    char *task_id;
    char *group;          /* of the task group, NULL when in none */
    char *label;          /* the words of the job's task */
    char *command;        /* for bash; arrives as it is */
    struct strlist words; /* the same for a pod: without the program */
    size_t *upstream;     /* positions of the tasks it waits for, ascending */
    size_t upstream_count;
    struct dag_argument_list arguments; /* where it differs from the DAG's defaults */
    struct dag_variable_list env;       /* all variables, when it has some of its own; else empty */
    struct dag_origin origin, id_origin, group_origin, order_origin;
};

struct dag {
    const struct schedule *schedule; /* borrowed from the project */
    char *dag_id;
    char *file_name;                    /* in the DAG folder */
    struct dag_argument_list arguments; /* of DAG(), without default_args */
    struct dag_argument_list defaults;  /* default_args, without env */
    struct dag_variable_list env;
    struct dag_task *tasks;
    size_t task_count;
    char *program;
    const char *cwd; /* borrowed; when the commands name it, else NULL */
    struct dag_origin program_origin, cwd_origin, mode_origin;
    bool in_pods;           /* the tasks are pods, not processes of the worker */
    bool has_asset_or_time; /* the argument schedule is such a call */
};

struct dag_list {
    struct dag **items;
    size_t count, capacity;
    struct strmap left_out; /* schedules without a DAG in this environment: name to reason */
};

struct dag_request {
    const char *program; /* --program, NULL: the annotation's, else default_program */
    const char *default_program;
    const char *environment;     /* NULL: none */
    bool environment_is_default; /* it is the project's default, nobody asked for it */
};

/* The project must outlive the list. When more than one thing is wrong, err is the first, and the
 * others are added to more (may be NULL), each a message with its hint. */
int dag_list_build(const struct project *project, const struct dag_request *request,
                   struct dag_list **out, struct strlist *more, struct error *err);
void dag_list_free(struct dag_list *list);
DEFINE_AUTO_FREE(struct dag_list, dag_list, dag_list_free)
#define auto_dag_list ATTR_CLEANUP(dag_list_auto)

/* By the name of its schedule or by its id; NULL when there is none. */
const struct dag *dag_list_find(const struct dag_list *list, const char *name);
/* NULL when there is none. */
const struct dag_argument *dag_argument_find(const struct dag_argument_list *list,
                                             const char *name);

#endif
