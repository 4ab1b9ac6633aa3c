/* dag_generator/dag_options.h - what a project may choose for its DAGs, in meltano.yml:
 *
 *     annotations:
 *       meltshim:
 *         airflow:
 *           retries: 3
 *
 * at the top (for all schedules), in a job, and in a schedule; the closest one wins. Meltano
 * ignores annotations. One table describes every key; the reference in docs/airflow.md is checked
 * against it. */
#ifndef DAG_GENERATOR_DAG_OPTIONS_H
#define DAG_GENERATOR_DAG_OPTIONS_H

#include "base/error.h"
#include "base/strlist.h"
#include "base/value.h"
#include "project/project.h"

#include <stdbool.h>

enum dag_option {
    /* of the DAG */
    DAG_OPTION_IDS,
    DAG_OPTION_DAG_ID,
    DAG_OPTION_DESCRIPTION,
    DAG_OPTION_TAGS,
    DAG_OPTION_START_DATE,
    DAG_OPTION_TIMEZONE,
    DAG_OPTION_ASSETS,
    DAG_OPTION_MAX_ACTIVE_TASKS,
    DAG_OPTION_DAGRUN_TIMEOUT,
    DAG_OPTION_IS_PAUSED_UPON_CREATION,
    DAG_OPTION_ON_DAG_FAILURE_CALLBACK,
    DAG_OPTION_ON_DAG_SUCCESS_CALLBACK,
    /* of how and where meltshim runs */
    DAG_OPTION_MODE,
    DAG_OPTION_ENVIRONMENT,
    DAG_OPTION_PROGRAM,
    DAG_OPTION_CWD,
    /* of all tasks, or of one */
    DAG_OPTION_OWNER,
    DAG_OPTION_RETRIES,
    DAG_OPTION_RETRY_DELAY,
    DAG_OPTION_RETRY_EXPONENTIAL_BACKOFF,
    DAG_OPTION_MAX_RETRY_DELAY,
    DAG_OPTION_EXECUTION_TIMEOUT,
    DAG_OPTION_DEPENDS_ON_PAST,
    DAG_OPTION_POOL,
    DAG_OPTION_POOL_SLOTS,
    DAG_OPTION_QUEUE,
    DAG_OPTION_PRIORITY_WEIGHT,
    DAG_OPTION_WEIGHT_RULE,
    DAG_OPTION_ON_FAILURE_CALLBACK,
    DAG_OPTION_ON_RETRY_CALLBACK,
    DAG_OPTION_ON_SUCCESS_CALLBACK,
    DAG_OPTION_OUTLETS,
    DAG_OPTION_ENV,
    /* of the pods that tasks run in */
    DAG_OPTION_IMAGE,
    DAG_OPTION_NAMESPACE,
    DAG_OPTION_SERVICE_ACCOUNT_NAME,
    DAG_OPTION_RESOURCES,
    DAG_OPTION_SECRETS,
    DAG_OPTION_IMAGE_PULL_SECRETS,
    /* of the graph */
    DAG_OPTION_DEPENDENCIES,
    DAG_OPTION_TASKS,
    /* of one task only, inside tasks: */
    DAG_OPTION_TASK_ID,
    DAG_OPTION_AFTER,
    DAG_OPTION_GROUP,
    DAG_OPTION_COUNT,
};

/* What a value must look like. */
enum dag_option_type {
    DAG_TYPE_BOOL,
    DAG_TYPE_INT,       /* within the option's limits */
    DAG_TYPE_DURATION,  /* seconds, or "90s", "5m", "1h30m", "2d" */
    DAG_TYPE_TEXT,      /* not empty, at most `high` characters */
    DAG_TYPE_WORD,      /* one of the option's words */
    DAG_TYPE_TEXTS,     /* a text or a list of texts */
    DAG_TYPE_NAMES,     /* a dotted Python name or a list of them */
    DAG_TYPE_ASSETS,    /* an asset URI or a list of them */
    DAG_TYPE_DATE,      /* a date, with or without a time of day */
    DAG_TYPE_ZONE,      /* a time zone of the IANA database */
    DAG_TYPE_ENV,       /* a map of variables */
    DAG_TYPE_TASKS,     /* a map of task to its own options */
    DAG_TYPE_IMAGE,     /* the name of a container's image */
    DAG_TYPE_OBJECT,    /* a name of something in Kubernetes */
    DAG_TYPE_OBJECTS,   /* such a name or a list of them */
    DAG_TYPE_RESOURCES, /* a map of requests and limits, each a map of quantities */
};

/* The places where an option may stand. */
enum {
    DAG_IN_PROJECT = 1,
    DAG_IN_JOB = 2,
    DAG_IN_SCHEDULE = 4,
    DAG_IN_TASK = 8,
};

struct dag_option_def {
    const char *key;
    enum dag_option_type type;
    unsigned places;
    long long low,
        high;          /* limits: of numbers, of the characters of texts; of lists: 1, not empty */
    const char *words; /* DAG_TYPE_WORD: separated by blanks */
    const char *help;  /* a sentence without a full stop */
};

extern const struct dag_option_def dag_options[DAG_OPTION_COUNT];

/* Where a value of a DAG came from. */
enum dag_source {
    DAG_FROM_DEFAULT,
    DAG_FROM_COMMAND_LINE,
    DAG_FROM_PROJECT, /* the project's annotations */
    DAG_FROM_JOB,
    DAG_FROM_SCHEDULE,
    DAG_SOURCE_COUNT,
};

struct dag_origin {
    enum dag_source source;
    const char *file; /* NULL when it stands in no file */
    unsigned line;
};

struct dag_origin dag_origin_of(enum dag_source source, const struct value *value);

/* What each place chose; NULL where it did not. All borrowed from the project. */
struct dag_choices {
    const struct value *values[DAG_SOURCE_COUNT][DAG_OPTION_COUNT];
};

/* All that is wrong, so that it can be put right in one go. */
struct dag_problems {
    struct error first;  /* ERR_NONE when nothing is */
    struct strlist more; /* the others: message and hint of each */
};

void dag_problems_clear(struct dag_problems *problems);
#define auto_dag_problems ATTR_CLEANUP(dag_problems_clear)
/* Notes err, once however often it is met, and empties it. */
void dag_problems_add(struct dag_problems *problems, struct error *err);
size_t dag_problems_count(const struct dag_problems *problems);

/* Checks the annotations of one place (a map or NULL) and notes its choices, and what is wrong with
 * the others. */
void dag_choices_read(const struct value *annotations, enum dag_source source,
                      struct dag_choices *choices, struct dag_problems *problems);
/* The same with the options of one task: a map as it stands under tasks:. */
void dag_choices_read_task(const struct value *options, enum dag_source source,
                           struct dag_choices *choices, struct dag_problems *problems);
/* Notes when the annotations of something that becomes no DAG have choices all the same. */
void dag_choices_refuse(const struct value *annotations, const char *kind, const char *name,
                        struct dag_problems *problems);

/* The choice of the closest place, NULL when there is none; *source (may be NULL) says which. */
const struct value *dag_choice(const struct dag_choices *choices, enum dag_option option,
                               enum dag_source *source);

/* Of values that dag_choices_read() has let through. */
long long dag_duration_seconds(const struct value *value);

struct dag_date {
    int year, month, day, hour, minute, second;
};
/* false when text is no date. */
bool dag_date_parse(const char *text, struct dag_date *out);

#endif
