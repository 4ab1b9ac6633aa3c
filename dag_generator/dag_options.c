#include "dag_generator/dag_options.h"

#include "base/attrs.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/position.h"
#include "base/strlist.h"
#include "base/suggest.h"
#include "base/utf8.h"
#include "dag_generator/dag_text.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define ANYWHERE            (DAG_IN_PROJECT | DAG_IN_JOB | DAG_IN_SCHEDULE)
#define ANYWHERE_OR_TASK    (ANYWHERE | DAG_IN_TASK)
#define PROJECT_OR_SCHEDULE (DAG_IN_PROJECT | DAG_IN_SCHEDULE)
#define JOB_OR_SCHEDULE     (DAG_IN_JOB | DAG_IN_SCHEDULE)
#define LONGEST_DURATION    (10LL * 365 * 24 * 60 * 60)
#define PLACE               "annotations.meltshim.airflow"
#define LABEL_LENGTH        63 /* of one name in Kubernetes without dots */

const struct dag_option_def dag_options[DAG_OPTION_COUNT] = {
    [DAG_OPTION_IDS] =
        {"ids", DAG_TYPE_WORD, PROJECT_OR_SCHEDULE, 0, 0, "schedule stock",
         "how DAGs and tasks are named: 'schedule' after the schedule and the task's blocks, "
         "'stock' as the two generators for Meltano do, so that Airflow's history goes on"},
    [DAG_OPTION_DAG_ID] =
        {"dag_id", DAG_TYPE_TEXT, PROJECT_OR_SCHEDULE, 0, 250, NULL,
         "a pattern for the DAG's id, with {schedule}, {job}, {environment} and {project}"},
    [DAG_OPTION_DESCRIPTION] = {"description", DAG_TYPE_TEXT, JOB_OR_SCHEDULE, 0, 5000, NULL,
                                "the text beside the DAG's id in the list of DAGs"},
    [DAG_OPTION_TAGS] = {"tags", DAG_TYPE_TEXTS, ANYWHERE, 0, 100, NULL,
                         "more tags; those of all places are collected"},
    [DAG_OPTION_START_DATE] = {"start_date", DAG_TYPE_DATE, ANYWHERE, 0, 0, NULL,
                               "nothing is scheduled before; without it a start_date in the "
                               "schedule itself counts, else 2024-01-01"},
    [DAG_OPTION_TIMEZONE] = {"timezone", DAG_TYPE_ZONE, ANYWHERE, 0, 0, NULL,
                             "the time zone in which the cron expression is read, such as "
                             "Europe/Berlin; UTC without it"},
    [DAG_OPTION_ASSETS] = {"assets", DAG_TYPE_ASSETS, DAG_IN_SCHEDULE, 1, 0, NULL,
                           "asset URIs (datasets in Airflow 2): the DAG runs when all of them were "
                           "updated, and at its interval, unless that is @manual"},
    [DAG_OPTION_MAX_ACTIVE_TASKS] = {"max_active_tasks", DAG_TYPE_INT, ANYWHERE, 1, INT_MAX, NULL,
                                     "how many of its tasks may run at once"},
    [DAG_OPTION_DAGRUN_TIMEOUT] = {"dagrun_timeout", DAG_TYPE_DURATION, ANYWHERE, 1,
                                   LONGEST_DURATION, NULL,
                                   "a run that lasts longer is marked as failed"},
    [DAG_OPTION_IS_PAUSED_UPON_CREATION] = {"is_paused_upon_creation", DAG_TYPE_BOOL, ANYWHERE, 0,
                                            0, NULL,
                                            "whether Airflow pauses the DAG when it first sees it; "
                                            "without it Airflow's own setting decides"},
    [DAG_OPTION_ON_DAG_FAILURE_CALLBACK] = {"on_dag_failure_callback", DAG_TYPE_NAMES, ANYWHERE, 0,
                                            0, NULL, "called when a run of the DAG has failed"},
    [DAG_OPTION_ON_DAG_SUCCESS_CALLBACK] = {"on_dag_success_callback", DAG_TYPE_NAMES, ANYWHERE, 0,
                                            0, NULL, "called when a run of the DAG has succeeded"},
    [DAG_OPTION_MODE] = {"mode", DAG_TYPE_WORD, ANYWHERE, 0, 0, "bash kubernetes_pod",
                         "what a task is: 'bash' a process of the worker, 'kubernetes_pod' a pod "
                         "of its own, made from the project's image"},
    [DAG_OPTION_ENVIRONMENT] = {"environment", DAG_TYPE_TEXTS, JOB_OR_SCHEDULE, 1, 250, NULL,
                                "the Meltano environment it runs in, or a list of those it belongs "
                                "to; left out when another one is generated"},
    [DAG_OPTION_PROGRAM] = {"program", DAG_TYPE_TEXT, DAG_IN_PROJECT, 0, PATH_MAX, NULL,
                            "the program that tasks start, a name on the workers' PATH or a path"},
    [DAG_OPTION_CWD] = {"cwd", DAG_TYPE_TEXT, ANYWHERE, 0, PATH_MAX, NULL,
                        "where the project is on the workers, when not where it is here"},
    [DAG_OPTION_OWNER] = {"owner", DAG_TYPE_TEXT, ANYWHERE_OR_TASK, 0, 500, NULL,
                          "shown and filtered by in Airflow's list of DAGs"},
    [DAG_OPTION_RETRIES] = {"retries", DAG_TYPE_INT, ANYWHERE_OR_TASK, 0, 1000, NULL,
                            "how often a failed task is tried again"},
    [DAG_OPTION_RETRY_DELAY] = {"retry_delay", DAG_TYPE_DURATION, ANYWHERE_OR_TASK, 0,
                                LONGEST_DURATION, NULL, "how long it waits before that"},
    [DAG_OPTION_RETRY_EXPONENTIAL_BACKOFF] = {"retry_exponential_backoff", DAG_TYPE_BOOL,
                                              ANYWHERE_OR_TASK, 0, 0, NULL,
                                              "waits longer after each failed try"},
    [DAG_OPTION_MAX_RETRY_DELAY] = {"max_retry_delay", DAG_TYPE_DURATION, ANYWHERE_OR_TASK, 1,
                                    LONGEST_DURATION, NULL, "but never longer than this"},
    [DAG_OPTION_EXECUTION_TIMEOUT] = {"execution_timeout", DAG_TYPE_DURATION, ANYWHERE_OR_TASK, 1,
                                      LONGEST_DURATION, NULL,
                                      "a task that lasts longer is ended and has failed"},
    [DAG_OPTION_DEPENDS_ON_PAST] = {"depends_on_past", DAG_TYPE_BOOL, ANYWHERE_OR_TASK, 0, 0, NULL,
                                    "a task runs only if it succeeded in the run before"},
    [DAG_OPTION_POOL] =
        {"pool", DAG_TYPE_TEXT, ANYWHERE_OR_TASK, 0, 256, NULL,
         "the pool that limits how many such tasks run at once; it must exist in Airflow"},
    [DAG_OPTION_POOL_SLOTS] = {"pool_slots", DAG_TYPE_INT, ANYWHERE_OR_TASK, 1, INT_MAX, NULL,
                               "how many slots of the pool the task takes"},
    [DAG_OPTION_QUEUE] = {"queue", DAG_TYPE_TEXT, ANYWHERE_OR_TASK, 0, 256, NULL,
                          "the queue of the workers that run it (CeleryExecutor)"},
    [DAG_OPTION_PRIORITY_WEIGHT] = {"priority_weight", DAG_TYPE_INT, ANYWHERE_OR_TASK, INT_MIN,
                                    INT_MAX, NULL, "higher ones start first when slots are short"},
    [DAG_OPTION_WEIGHT_RULE] = {"weight_rule", DAG_TYPE_WORD, ANYWHERE_OR_TASK, 0, 0,
                                "downstream upstream absolute",
                                "whose priority weights are added up"},
    [DAG_OPTION_ON_FAILURE_CALLBACK] =
        {"on_failure_callback", DAG_TYPE_NAMES, ANYWHERE_OR_TASK, 0, 0, NULL,
         "called when a task has failed for good: a dotted Python name, or a list of them"},
    [DAG_OPTION_ON_RETRY_CALLBACK] = {"on_retry_callback", DAG_TYPE_NAMES, ANYWHERE_OR_TASK, 0, 0,
                                      NULL, "called when a task will be tried again"},
    [DAG_OPTION_ON_SUCCESS_CALLBACK] = {"on_success_callback", DAG_TYPE_NAMES, ANYWHERE_OR_TASK, 0,
                                        0, NULL, "called when a task has succeeded"},
    [DAG_OPTION_OUTLETS] = {"outlets", DAG_TYPE_ASSETS, JOB_OR_SCHEDULE | DAG_IN_TASK, 0, 0, NULL,
                            "asset URIs that count as updated when it has succeeded: the last "
                            "tasks, or the one task it is given for"},
    [DAG_OPTION_ENV] = {"env", DAG_TYPE_ENV, ANYWHERE_OR_TASK, 0, 0, NULL,
                        "more environment variables; unlike the schedule's own env these may hold "
                        "Airflow's templates, such as '{{ ds }}'"},
    [DAG_OPTION_IMAGE] = {"image", DAG_TYPE_IMAGE, ANYWHERE_OR_TASK, 0, 1000, NULL,
                          "the image of the task's pod; with mode 'bash' that of the worker's pod "
                          "(KubernetesExecutor)"},
    [DAG_OPTION_NAMESPACE] = {"namespace", DAG_TYPE_OBJECT, ANYWHERE_OR_TASK, 0, 63, NULL,
                              "the Kubernetes namespace of the pod"},
    [DAG_OPTION_SERVICE_ACCOUNT_NAME] = {"service_account_name", DAG_TYPE_OBJECT, ANYWHERE_OR_TASK,
                                         0, 253, NULL, "the Kubernetes service account of the pod"},
    [DAG_OPTION_RESOURCES] = {"resources", DAG_TYPE_RESOURCES, ANYWHERE_OR_TASK, 0, 0, NULL,
                              "what the pod asks for and may use, such as {requests: {cpu: 500m, "
                              "memory: 1Gi}, limits: {memory: 2Gi}}"},
    [DAG_OPTION_SECRETS] = {"secrets", DAG_TYPE_OBJECTS, ANYWHERE_OR_TASK, 0, 253, NULL,
                            "Kubernetes secrets whose keys become environment variables of the "
                            "pod"},
    [DAG_OPTION_IMAGE_PULL_SECRETS] = {"image_pull_secrets", DAG_TYPE_OBJECTS, ANYWHERE_OR_TASK, 0,
                                       253, NULL,
                                       "Kubernetes secrets with which the image is "
                                       "pulled"},
    [DAG_OPTION_DEPENDENCIES] = {"dependencies", DAG_TYPE_WORD, ANYWHERE, 0, 0, "serial none",
                                 "'serial': each task waits for the one before it in the job; "
                                 "'none': a task waits only for what its after says"},
    [DAG_OPTION_TASKS] = {"tasks", DAG_TYPE_TASKS, JOB_OR_SCHEDULE, 0, 0, NULL,
                          "options of single tasks, by the text of the job's task or by task id"},
    [DAG_OPTION_TASK_ID] = {"task_id", DAG_TYPE_TEXT, DAG_IN_TASK, 0, 250, NULL,
                            "the task's id, instead of one made from its blocks"},
    [DAG_OPTION_AFTER] = {"after", DAG_TYPE_TEXTS, DAG_IN_TASK, 0, 100000, NULL,
                          "the tasks it waits for, instead of the one before it; [] for none"},
    [DAG_OPTION_GROUP] = {"group", DAG_TYPE_TEXT, DAG_IN_TASK, 0, 200, NULL,
                          "the task group it is shown in"},
};

void dag_problems_clear(struct dag_problems *problems)
{
    strlist_clear(&problems->more);
}

static void add_problem_text(struct strbuf *out, const struct error *err)
{
    strbuf_add(out, err->message);
    if (err->hint[0])
        strbuf_addf(out, ". %s", err->hint);
}

void dag_problems_add(struct dag_problems *problems, struct error *err)
{
    auto_strbuf struct strbuf first = STRBUF_INIT, text = STRBUF_INIT;

    if (problems->first.code == ERR_NONE) {
        problems->first = *err;
    } else {
        add_problem_text(&first, &problems->first);
        add_problem_text(&text, err);
        if (strcmp(strbuf_text(&first), strbuf_text(&text)) != 0)
            strlist_add_unique(&problems->more, strbuf_text(&text));
    }
    *err = (struct error){0};
}

size_t dag_problems_count(const struct dag_problems *problems)
{
    return problems->first.code == ERR_NONE ? 0 : 1 + problems->more.count;
}

static const char *const place_names[DAG_SOURCE_COUNT] = {
    [DAG_FROM_PROJECT] = "the project",
    [DAG_FROM_JOB] = "a job",
    [DAG_FROM_SCHEDULE] = "a schedule",
};

struct dag_origin dag_origin_of(enum dag_source source, const struct value *value)
{
    struct dag_origin origin = {.source = source};

    if (value) {
        origin.file = value->file;
        origin.line = value->line;
    }
    return origin;
}

static int refuse(const struct dag_option_def *def, const struct value *value, struct error *err,
                  const char *format, ...) ATTR_PRINTF(4, 5);

/* "meltano.yml:7:16: 'retries' must be ..., not 'many'" */
static int refuse(const struct dag_option_def *def, const struct value *value, struct error *err,
                  const char *format, ...)
{
    const char *text = value_text(value);
    auto_free char *must = NULL;
    va_list args;

    va_start(args, format);
    must = xvasprintf(format, args);
    va_end(args);
    if (text) {
        error_set_at(err, ERR_CONFIG, value, "'%s' must be %s, not '%s'", def->key, must, text);
        if (value_is_string(value) && *text && text[strspn(text, "0123456789")] == '\0')
            error_hint(err, "Without the quotes it is a number.");
        return -1;
    }
    return error_set_at(err, ERR_CONFIG, value, "'%s' must be %s, not %s", def->key, must,
                        value_kind_name(value_kind(value)));
}

static bool has_nul(const struct value *value)
{
    return value_is_string(value) && memchr(value->text.bytes, '\0', value->text.length);
}

/* A text that is not empty; numbers are taken as they are written. */
static int check_text(const struct dag_option_def *def, const struct value *value,
                      struct error *err)
{
    const char *text = value_text(value);

    if (!text || !*text || has_nul(value))
        return refuse(def, value, err, "a text");
    if (def->high && utf8_count(text) > (size_t)def->high)
        return error_set_at(err, ERR_CONFIG, value,
                            "'%s' has %zu characters, at most %lld are possible", def->key,
                            utf8_count(text), def->high);
    return 0;
}

static int check_bool(const struct dag_option_def *def, const struct value *value,
                      struct error *err)
{
    return value_kind(value) == VALUE_BOOL ? 0 : refuse(def, value, err, "true or false");
}

static int check_int(const struct dag_option_def *def, const struct value *value, struct error *err)
{
    long long number = value_to_int(value, LLONG_MIN);

    if (value_kind(value) != VALUE_INT || number < def->low || number > def->high)
        return refuse(def, value, err, "an integer from %lld to %lld", def->low, def->high);
    return 0;
}

/* -1 when the text is no duration. */
static long long parse_duration(const char *text)
{
    long long seconds = 0;

    if (!*text)
        return -1;
    while (*text) {
        static const struct {
            char letter;
            long long seconds;
        } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
        size_t digits = strspn(text, "0123456789"), unit = 0;

        if (!digits || digits > 9)
            return -1;
        while (unit < ARRAY_LEN(units) && units[unit].letter != text[digits])
            unit++;
        if (unit == ARRAY_LEN(units))
            return -1;
        seconds += strtoll(text, NULL, 10) * units[unit].seconds;
        if (seconds > LONGEST_DURATION)
            return -1;
        text += digits + 1;
    }
    return seconds;
}

long long dag_duration_seconds(const struct value *value)
{
    if (value_kind(value) == VALUE_INT)
        return value_to_int(value, -1);
    return value_is_string(value) ? parse_duration(value_text(value)) : -1;
}

static int check_duration(const struct dag_option_def *def, const struct value *value,
                          struct error *err)
{
    long long seconds = dag_duration_seconds(value);

    if (seconds < def->low || seconds > def->high)
        return refuse(def, value, err,
                      "a duration such as 90s, 5m, 1h30m or 2d, or a number of seconds");
    return 0;
}

static int check_word(const struct dag_option_def *def, const struct value *value,
                      struct error *err)
{
    const char *text = value_is_string(value) ? value_text(value) : "";
    auto_strlist struct strlist words = STRLIST_INIT;
    auto_free char *choices = NULL;

    strlist_split(&words, def->words, ' ');
    if (strlist_contains(&words, text))
        return 0;
    choices = strlist_join(&words, ", ");
    return refuse(def, value, err, "one of %s", choices);
}

/* "package.module.function" */
static int check_name(const struct dag_option_def *def, const struct value *value,
                      struct error *err)
{
    const char *text = value_is_string(value) && !has_nul(value) ? value_text(value) : "";
    bool is_name = strchr(text, '.') != NULL;

    if (dag_text_is_imported(text, strcspn(text, ".")))
        return error_set_at(err, ERR_CONFIG, value,
                            "'%s': the DAG file uses the name '%.*s' for something else than the "
                            "module of '%s'",
                            def->key, (int)strcspn(text, "."), text, text);
    for (size_t length; is_name && *text; text += length + (text[length] == '.')) {
        length = strcspn(text, ".");
        is_name = dag_text_is_identifier(text, length) && strcmp(text + length, ".") != 0;
    }
    return is_name ? 0 : refuse(def, value, err, "a dotted Python name such as alerts.on_failure");
}

static int check_asset(const struct dag_option_def *def, const struct value *value,
                       struct error *err)
{
    const char *text = value_is_string(value) && !has_nul(value) ? value_text(value) : "";
    bool is_uri = *text && strlen(text) <= 1500 && strncmp(text, "airflow:", 8) != 0;

    for (; *text; text++)
        is_uri = is_uri && *text > ' ' && *text < 0x7f;
    return is_uri ? 0 : refuse(def, value, err, "a URI such as x-warehouse://sales/orders");
}

/* Exactly so many digits, after the separator if there is one to expect; moves *at behind them. */
static bool read_digits(const char **at, const char *separators, int count, int *number)
{
    const char *text = *at;

    if (*separators && (!*text || !strchr(separators, *text++)))
        return false;
    *number = 0;
    for (; count > 0; count--, text++) {
        if (*text < '0' || *text > '9')
            return false;
        *number = *number * 10 + (*text - '0');
    }
    *at = text;
    return true;
}

static bool is_day(const struct dag_date *date)
{
    static const int days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = date->year % 4 == 0 && (date->year % 100 != 0 || date->year % 400 == 0);

    if (date->year < 1970 || date->month < 1 || date->month > 12 || date->day < 1)
        return false;
    return date->day <= days[date->month - 1] - (date->month == 2 && !is_leap);
}

bool dag_date_parse(const char *text, struct dag_date *out)
{
    struct dag_date date = {0};

    if (!read_digits(&text, "", 4, &date.year) || !read_digits(&text, "-", 2, &date.month) ||
        !read_digits(&text, "-", 2, &date.day))
        return false;
    if (*text &&
        (!read_digits(&text, "T ", 2, &date.hour) || !read_digits(&text, ":", 2, &date.minute)))
        return false;
    if (*text == ':') {
        if (!read_digits(&text, ":", 2, &date.second))
            return false;
        if (*text == '.') /* a fraction of a second, which says nothing here */
            text += 1 + strspn(text + 1, "0123456789");
    }
    if (*text || !is_day(&date) || date.hour > 23 || date.minute > 59 || date.second > 59)
        return false;
    *out = date;
    return true;
}

static int check_date(const struct dag_option_def *def, const struct value *value,
                      struct error *err)
{
    const char *text = value_text(value);
    struct dag_date date;

    if (!text || has_nul(value) || !dag_date_parse(text, &date))
        return refuse(def, value, err,
                      "a date from 1970 on, such as 2024-01-31 or "
                      "2024-01-31T06:00:00, without a zone");
    return 0;
}

/* Old names of zones may come without a file, but the source of the data has them all. */
static bool is_known_zone(const char *name)
{
    auto_free char *path = xasprintf("/usr/share/zoneinfo/%s", name);
    auto_free char *link = xasprintf(" %s\n", name);
    auto_strbuf struct strbuf source = STRBUF_INIT;
    struct error ignored;

    if ((file_exists(path) && !file_is_directory(path)) || !file_exists("/usr/share/zoneinfo/UTC"))
        return true;
    return file_read("/usr/share/zoneinfo/tzdata.zi", &source, &ignored) == 0 &&
           strstr(strbuf_text(&source), link);
}

static int check_zone(const struct dag_option_def *def, const struct value *value,
                      struct error *err)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "0123456789_+-/";
    const char *text = value_is_string(value) && !has_nul(value) ? value_text(value) : "";

    if (!*text || *text == '/' || text[strspn(text, letters)] || !is_known_zone(text))
        return refuse(def, value, err, "a time zone such as UTC or Europe/Berlin");
    return 0;
}

static int check_env(const struct dag_option_def *def, const struct value *value, struct error *err)
{
    return value_is_map(value) ? 0 : refuse(def, value, err, "a map of variables");
}

static int check_tasks(const struct dag_option_def *def, const struct value *value,
                       struct error *err)
{
    return value_is_map(value) ? 0 : refuse(def, value, err, "a map of tasks to their options");
}

static int check_image(const struct dag_option_def *def, const struct value *value,
                       struct error *err)
{
    if (check_text(def, value, err) < 0)
        return -1;
    if (value_text(value)[strcspn(value_text(value), " \t\r\n")])
        return refuse(def, value, err, "the name of an image, without blanks");
    return 0;
}

/* As RFC 1123 has them, in lower case: subdomains, or labels where they are shorter. */
static int check_object(const struct dag_option_def *def, const struct value *value,
                        struct error *err)
{
    static const char ends[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    bool is_label = def->high <= LABEL_LENGTH;
    const char *letters = is_label ? "abcdefghijklmnopqrstuvwxyz0123456789-"
                                   : "abcdefghijklmnopqrstuvwxyz0123456789-.";
    const char *text = value_text(value) && !has_nul(value) ? value_text(value) : "";
    size_t length = strlen(text);

    if (!length || length > (size_t)def->high || strspn(text, letters) < length ||
        !strchr(ends, text[0]) || !strchr(ends, text[length - 1]))
        return refuse(def, value, err, "a name of Kubernetes: a-z, 0-9%s",
                      is_label ? " and '-'" : ", '-' and '.'");
    return 0;
}

/* "memory", "ephemeral-storage", "nvidia.com/gpu" */
static bool is_resource_name(const char *name)
{
    static const char ends[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    static const char between[] = "-_./";
    const char *rest = name + strspn(name, ends);

    while (rest != name && *rest && strchr(between, *rest)) {
        name = rest + strspn(rest, between);
        rest = name + strspn(name, ends);
    }
    return rest != name && !*rest;
}

static int check_quantities(const struct dag_option_def *def, const struct value *map,
                            struct error *err)
{
    static const char *const units[] = {"", "m", "k", "M", "G", "T", "Ki", "Mi", "Gi", "Ti"};

    if (!value_is_map(map))
        return refuse(def, map, err, "a map of requests and limits, each a map of quantities");
    for (size_t i = 0; i < value_count(map); i++) {
        const char *name = value_member_at(map, i)->key;
        const struct value *value = value_member_at(map, i)->value;
        const char *text = value_text(value) ? value_text(value) : "";
        size_t digits = strspn(text, "0123456789"), unit = 0;

        if (!is_resource_name(name))
            return error_set_at_key(err, ERR_CONFIG, map, name,
                                    "'%s' holds resources such as cpu and memory, not '%s'",
                                    def->key, name);
        if (digits && text[digits] == '.')
            digits += 1 + strspn(text + digits + 1, "0123456789");
        while (digits && unit < ARRAY_LEN(units) && strcmp(text + digits, units[unit]) != 0)
            unit++;
        if (!digits || unit == ARRAY_LEN(units))
            return refuse(def, value, err, "made of quantities such as 500m, 2 or 1.5Gi");
    }
    return 0;
}

static int check_resources(const struct dag_option_def *def, const struct value *value,
                           struct error *err)
{
    if (!value_is_map(value))
        return check_quantities(def, value, err);
    for (size_t i = 0; i < value_count(value); i++) {
        const struct value_member *member = value_member_at(value, i);

        if (strcmp(member->key, "requests") != 0 && strcmp(member->key, "limits") != 0)
            return error_set_at_key(err, ERR_CONFIG, value, member->key,
                                    "'resources' holds requests and limits, not '%s'", member->key);
        if (check_quantities(def, member->value, err) < 0)
            return -1;
    }
    return 0;
}

static int check_list(const struct dag_option_def *def, const struct value *value,
                      int (*check)(const struct dag_option_def *, const struct value *,
                                   struct error *),
                      struct error *err)
{
    if (!value_is_list(value))
        return check(def, value, err);
    if (def->low && !value_count(value))
        return error_set_at(err, ERR_CONFIG, value, "'%s' is an empty list", def->key);
    for (size_t i = 0; i < value_count(value); i++)
        if (check(def, value_at(value, i), err) < 0)
            return -1;
    return 0;
}

static int check_value(const struct dag_option_def *def, const struct value *value,
                       struct error *err)
{
    switch (def->type) {
    case DAG_TYPE_BOOL:
        return check_bool(def, value, err);
    case DAG_TYPE_INT:
        return check_int(def, value, err);
    case DAG_TYPE_DURATION:
        return check_duration(def, value, err);
    case DAG_TYPE_TEXT:
        return check_text(def, value, err);
    case DAG_TYPE_WORD:
        return check_word(def, value, err);
    case DAG_TYPE_TEXTS:
        return check_list(def, value, check_text, err);
    case DAG_TYPE_NAMES:
        return check_list(def, value, check_name, err);
    case DAG_TYPE_ASSETS:
        return check_list(def, value, check_asset, err);
    case DAG_TYPE_DATE:
        return check_date(def, value, err);
    case DAG_TYPE_ZONE:
        return check_zone(def, value, err);
    case DAG_TYPE_ENV:
        return check_env(def, value, err);
    case DAG_TYPE_TASKS:
        return check_tasks(def, value, err);
    case DAG_TYPE_IMAGE:
        return check_image(def, value, err);
    case DAG_TYPE_OBJECT:
        return check_object(def, value, err);
    case DAG_TYPE_OBJECTS:
        return check_list(def, value, check_object, err);
    case DAG_TYPE_RESOURCES:
        return check_resources(def, value, err);
    }
    return -1;
}

static int refuse_key(const struct value *map, const char *key, unsigned place,
                      const char *place_name, struct error *err)
{
    auto_strlist struct strlist known = STRLIST_INIT;
    const char *nearest;

    if (!strcmp(key, "catchup") || !strcmp(key, "max_active_runs")) {
        error_set_at_key(err, ERR_CONFIG, map, key, "'%s' cannot be chosen", key);
        return error_hint(err, "The state says where the next load goes on, not the date of the "
                               "run: one run at a time, and no catching up.");
    }
    for (size_t i = 0; i < DAG_OPTION_COUNT; i++) {
        if (dag_options[i].places & place)
            strlist_add(&known, dag_options[i].key);
        if (!strcmp(dag_options[i].key, key)) {
            error_set_at_key(err, ERR_CONFIG, map, key, "'%s' has no meaning for %s", key,
                             place_name);
            return error_hint(err, "docs/airflow.md says where each key of " PLACE " may stand.");
        }
    }
    nearest = suggest_nearest(key, &known);
    error_set_at_key(err, ERR_CONFIG, map, key, "unknown key '%s' in " PLACE, key);
    if (nearest)
        return error_hint(err, "Did you mean '%s'?", nearest);
    return error_hint(err, "docs/airflow.md lists the keys.");
}

/* Those of tasks that no schedule runs are checked all the same. */
static void check_task_options(const struct value *tasks, struct dag_problems *problems)
{
    for (size_t i = 0; i < value_count(tasks); i++) {
        struct dag_choices ignored = {0};

        dag_choices_read_task(value_member_at(tasks, i)->value, DAG_FROM_SCHEDULE, &ignored,
                              problems);
    }
}

static int read_option(const struct value *options, const struct value_member *member,
                       unsigned place, const char *place_name, const struct value **choices,
                       struct error *err)
{
    size_t option = 0;

    while (option < DAG_OPTION_COUNT && strcmp(dag_options[option].key, member->key) != 0)
        option++;
    if (option == DAG_OPTION_COUNT || !(dag_options[option].places & place))
        return refuse_key(options, member->key, place, place_name, err);
    if (value_is_null(member->value))
        return 0;
    if (check_value(&dag_options[option], member->value, err) < 0)
        return -1;
    choices[option] = member->value;
    return 0;
}

static void read_options(const struct value *options, unsigned place, const char *place_name,
                         enum dag_source source, struct dag_choices *choices,
                         struct dag_problems *problems)
{
    struct error err = {0};

    if (!value_is_null(options) && !value_is_map(options)) {
        error_set_at(&err, ERR_CONFIG, options, "%s must be a map, not %s",
                     place == DAG_IN_TASK ? "the options of a task" : PLACE,
                     value_kind_name(value_kind(options)));
        dag_problems_add(problems, &err);
    }
    for (size_t i = 0; i < value_count(options) && value_is_map(options); i++)
        if (read_option(options, value_member_at(options, i), place, place_name,
                        choices->values[source], &err) < 0)
            dag_problems_add(problems, &err);
    check_task_options(choices->values[source][DAG_OPTION_TASKS], problems);
}

static int check_annotations(const struct value *ours, enum dag_source source, struct error *err)
{
    if (!value_is_null(ours) && !value_is_map(ours))
        return error_set_at(err, ERR_CONFIG, ours, "annotations.meltshim must be a map, not %s",
                            value_kind_name(value_kind(ours)));
    for (size_t i = 0; i < value_count(ours); i++) {
        const char *key = value_member_at(ours, i)->key;

        /* What stands under 'run' is read by the run itself. */
        if (!strcmp(key, "airflow") || (source == DAG_FROM_PROJECT && !strcmp(key, "run")))
            continue;
        error_set_at_key(err, ERR_CONFIG, ours, key, "unknown key '%s' in annotations.meltshim",
                         key);
        return error_hint(err, "Known are 'airflow' and, for the whole project, 'run'.");
    }
    return 0;
}

void dag_choices_read(const struct value *annotations, enum dag_source source,
                      struct dag_choices *choices, struct dag_problems *problems)
{
    static const unsigned places[DAG_SOURCE_COUNT] = {
        [DAG_FROM_PROJECT] = DAG_IN_PROJECT,
        [DAG_FROM_JOB] = DAG_IN_JOB,
        [DAG_FROM_SCHEDULE] = DAG_IN_SCHEDULE,
    };
    const struct value *ours = value_get(annotations, "meltshim");
    struct error err = {0};

    if (check_annotations(ours, source, &err) < 0)
        dag_problems_add(problems, &err);
    read_options(value_get(ours, "airflow"), places[source], place_names[source], source, choices,
                 problems);
}

void dag_choices_refuse(const struct value *annotations, const char *kind, const char *name,
                        struct dag_problems *problems)
{
    const struct value *ours = value_get(annotations, "meltshim");
    struct error err = {0};

    if (!value_get(ours, "airflow"))
        return;
    error_set_at_key(&err, ERR_CONFIG, ours, "airflow", PLACE " has no meaning for %s '%s'", kind,
                     name);
    error_hint(&err, "It may stand at the top of meltano.yml, in a job and in a schedule.");
    dag_problems_add(problems, &err);
}

void dag_choices_read_task(const struct value *options, enum dag_source source,
                           struct dag_choices *choices, struct dag_problems *problems)
{
    read_options(options, DAG_IN_TASK, "a task", source, choices, problems);
}

const struct value *dag_choice(const struct dag_choices *choices, enum dag_option option,
                               enum dag_source *source)
{
    for (int at = DAG_SOURCE_COUNT - 1; at >= 0; at--) {
        if (!choices->values[at][option])
            continue;
        if (source)
            *source = (enum dag_source)at;
        return choices->values[at][option];
    }
    return NULL;
}
