#include "dag_generator/dag_model.h"

#include "base/memory.h"
#include "base/path.h"
#include "base/position.h"
#include "base/utf8.h"
#include "dag_generator/dag_builder.h"
#include "dag_generator/dag_cron.h"
#include "dag_generator/dag_ids.h"
#include "dag_generator/dag_text.h"

#include <string.h>

#define LONGEST_TAG         100
#define DEFAULT_RETRIES     1
#define DEFAULT_RETRY_DELAY (5 * 60)

static const struct dag_date default_start_date = {.year = 2024, .month = 1, .day = 1};

static const struct dag_origin from_default = {.source = DAG_FROM_DEFAULT};

static void dag_free(struct dag *dag)
{
    for (size_t i = 0; i < dag->task_count; i++) {
        struct dag_task *task = &dag->tasks[i];

        free(task->task_id);
        free(task->group);
        free(task->label);
        free(task->command);
        strlist_clear(&task->words);
        free(task->upstream);
        dag_arguments_clear(&task->arguments);
        dag_variables_clear(&task->env);
    }
    free(dag->tasks);
    free(dag->dag_id);
    free(dag->file_name);
    free(dag->program);
    dag_arguments_clear(&dag->arguments);
    dag_arguments_clear(&dag->defaults);
    dag_variables_clear(&dag->env);
    free(dag);
}

void dag_list_free(struct dag_list *list)
{
    if (!list)
        return;
    for (size_t i = 0; i < list->count; i++)
        dag_free(list->items[i]);
    free(list->items);
    strmap_clear(&list->left_out);
    free(list);
}

const struct dag *dag_list_find(const struct dag_list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (!strcmp(list->items[i]->schedule->name, name))
            return list->items[i];
    for (size_t i = 0; i < list->count; i++)
        if (!strcmp(list->items[i]->dag_id, name))
            return list->items[i];
    return NULL;
}

static int build_env(struct dag_builder *build, struct error *err)
{
    struct dag_variable_list *env = &build->dag->env;
    const struct dag_choices *choices = &build->choices;

    /* Without it bash takes a socket on its standard input for a remote login and reads ~/.bashrc.
     */
    if (build->dag->in_pods)
        dag_pod_add_variables(env);
    else
        dag_variable_set(env, "SHLVL", "1", false, from_default);
    if (build->environment)
        dag_variable_set(env, "MELTANO_ENVIRONMENT", build->environment, false,
                         build->environment_origin);
    if (dag_variables_add(env, choices->values[DAG_FROM_PROJECT][DAG_OPTION_ENV], true,
                          DAG_FROM_PROJECT, err) < 0 ||
        dag_variables_add(env, choices->values[DAG_FROM_JOB][DAG_OPTION_ENV], true, DAG_FROM_JOB,
                          err) < 0 ||
        dag_variables_add(env, build->schedule->env, false, DAG_FROM_SCHEDULE, err) < 0)
        return -1;
    return dag_variables_add(env, choices->values[DAG_FROM_SCHEDULE][DAG_OPTION_ENV], true,
                             DAG_FROM_SCHEDULE, err);
}

/* A number that is there even when nobody chose one. */
static void add_number_or(struct dag_argument_list *list, const struct dag_choices *choices,
                          enum dag_option option, enum dag_argument_kind kind, long long fallback)
{
    if (dag_choice(choices, option, NULL))
        dag_arguments_add(list, choices, option, option);
    else
        dag_argument_add_number(list, dag_options[option].key, kind, fallback, from_default);
}

static void build_defaults(struct dag_builder *build)
{
    struct dag_argument_list *defaults = &build->dag->defaults;
    const struct dag_choices *choices = &build->choices;

    dag_arguments_add(defaults, choices, DAG_OPTION_OWNER, DAG_OPTION_OWNER);
    add_number_or(defaults, choices, DAG_OPTION_RETRIES, DAG_INT, DEFAULT_RETRIES);
    add_number_or(defaults, choices, DAG_OPTION_RETRY_DELAY, DAG_DURATION, DEFAULT_RETRY_DELAY);
    dag_arguments_add(defaults, choices, DAG_OPTION_RETRY_EXPONENTIAL_BACKOFF,
                      DAG_OPTION_ON_SUCCESS_CALLBACK);
    dag_pod_add_arguments(build, NULL, defaults);
    if (build->dag->in_pods) {
        strlist_add(
            &dag_argument_add(defaults, "cmds", DAG_TEXTS, build->dag->program_origin)->texts,
            build->dag->program);
        dag_argument_add_number(defaults, "do_xcom_push", DAG_BOOL, true, from_default);
        return;
    }
    dag_argument_add_number(defaults, "append_env", DAG_BOOL, true, from_default);
    if (!build->dag->cwd)
        dag_argument_add_text(defaults, "cwd", build->cwd, build->dag->cwd_origin);
}

static struct dag_origin origin_of_schedule(const struct dag_builder *build, const char *key)
{
    const struct value *value = value_get(build->schedule->entry, key);

    return dag_origin_of(DAG_FROM_SCHEDULE, value ? value : build->schedule->entry);
}

/* Meltano knows its aliases only in lower case, Airflow's stock generators let any case through. */
static const char *cron_of(const struct schedule *schedule)
{
    auto_free char *interval = xstrdup_or_null(schedule->interval);
    struct schedule lower = {.interval = interval};
    const char *cron;

    if (!interval || interval[0] != '@')
        return schedule_cron(schedule);
    for (char *at = interval; *at; at++)
        if (*at >= 'A' && *at <= 'Z')
            *at += 'a' - 'A';
    cron = schedule_cron(&lower);
    return cron == interval ? schedule->interval : cron;
}

/* The reason is in err. */
static int refuse_interval(const struct schedule *schedule, struct error *err)
{
    auto_free char *reason = xstrdup(err->message);

    error_set_at_key(err, ERR_CONFIG, schedule->entry, "interval",
                     "schedule '%s': the interval '%s' is nothing that Airflow can follow: %s",
                     schedule->name, schedule->interval, reason);
    return error_hint(err, "Write five cron fields, such as '30 6 * * mon-fri', or one of @hourly, "
                           "@daily, @weekly, @monthly, @yearly, @manual.");
}

/* AssetOrTimeSchedule(timetable=CronTriggerTimetable(...), assets=[...]) */
static struct value *asset_or_time(const struct dag_builder *build, const char *cron,
                                   const struct value *assets)
{
    const struct value *zone = dag_choice(&build->choices, DAG_OPTION_TIMEZONE, NULL);
    struct value *tree = value_new_map(), *timetable = value_new_map(), *list = value_new_list();
    auto_strlist struct strlist uris = STRLIST_INIT;

    value_set_string(timetable, DAG_CALL, "CronTriggerTimetable");
    value_set_string(timetable, "", cron);
    value_set_string(timetable, "timezone", zone ? value_text(zone) : "UTC");
    dag_texts_add(&uris, assets);
    for (size_t i = 0; i < uris.count; i++) {
        struct value *asset = value_new_map();

        value_set_string(asset, DAG_CALL, "Asset");
        value_set_string(asset, "", uris.items[i]);
        value_append_take(list, asset);
    }
    value_set_string(tree, DAG_CALL, "AssetOrTimeSchedule");
    value_set_take(tree, "timetable", timetable);
    value_set_take(tree, "assets", list);
    return tree;
}

static int build_schedule(struct dag_builder *build, struct error *err)
{
    struct dag_argument_list *arguments = &build->dag->arguments;
    const struct dag_origin origin = origin_of_schedule(build, "interval");
    const char *cron = cron_of(build->schedule);
    const struct value *assets = dag_choice(&build->choices, DAG_OPTION_ASSETS, NULL);
    auto_strbuf struct strbuf checked = STRBUF_INIT;
    struct dag_argument *argument;

    if (assets && !cron) {
        struct dag_origin here = dag_origin_of(DAG_FROM_SCHEDULE, assets);

        dag_texts_add(&dag_argument_add(arguments, "schedule", DAG_ASSETS, here)->texts, assets);
        return 0;
    }
    if (!cron) {
        dag_argument_add(arguments, "schedule", DAG_NONE, origin);
        return 0;
    }
    if (dag_cron_check(cron, &checked, err) < 0)
        return refuse_interval(build->schedule, err);
    if (assets) {
        build->dag->has_asset_or_time = true;
        argument = dag_argument_add(arguments, "schedule", DAG_TREE, origin);
        argument->tree = asset_or_time(build, strbuf_text(&checked), assets);
        dag_argument_add_part(argument, &build->choices, DAG_OPTION_ASSETS);
        dag_argument_add_part(argument, &build->choices, DAG_OPTION_TIMEZONE);
        return 0;
    }
    dag_argument_add_text(arguments, "schedule", strbuf_text(&checked), origin);
    return 0;
}

/* The annotation's, else the one that schedules had before Meltano 4 (it means nothing there, so
 * one that is no date is passed over), else a constant. */
static void build_start_date(struct dag_builder *build)
{
    enum dag_source source = DAG_FROM_DEFAULT;
    const struct value *value = dag_choice(&build->choices, DAG_OPTION_START_DATE, &source);
    const struct value *zone = dag_choice(&build->choices, DAG_OPTION_TIMEZONE, NULL);
    struct dag_date date = default_start_date;
    struct dag_argument *argument;

    if (!value) {
        value = value_get(build->schedule->entry, "start_date");
        source = DAG_FROM_SCHEDULE;
    }
    if (!value_text(value) || !dag_date_parse(value_text(value), &date)) {
        value = NULL;
        source = DAG_FROM_DEFAULT;
    }
    argument = dag_argument_add(&build->dag->arguments, "start_date", DAG_DATE,
                                dag_origin_of(source, value));
    argument->date = date;
    argument->text = xstrdup(zone ? value_text(zone) : "UTC");
    dag_argument_add_part(argument, &build->choices, DAG_OPTION_TIMEZONE);
}

/* Tags of ours are cut to what Airflow takes; those of the project were checked. */
static void add_tag(struct strlist *tags, const char *prefix, const char *name)
{
    auto_free char *tag = xasprintf("%s%s", prefix, name);
    size_t length = strlen(tag);

    while (utf8_count(tag) > LONGEST_TAG)
        tag[--length] = '\0';
    strlist_add_unique(tags, tag);
}

static void build_tags(struct dag_builder *build)
{
    const struct schedule *schedule = build->schedule;
    struct dag_origin origin = origin_of_schedule(build, "name");
    struct dag_argument *argument =
        dag_argument_add(&build->dag->arguments, "tags", DAG_TEXTS, origin);
    struct strlist *tags = &argument->texts;

    add_tag(tags, "", "meltano");
    add_tag(tags, "schedule:", schedule->name);
    if (build->job) {
        add_tag(tags, "job:", schedule->job);
    } else {
        add_tag(tags, "", schedule->extractor);
        add_tag(tags, "", schedule->loader);
        if (!strcmp(schedule->transform, "run"))
            add_tag(tags, "", "transform");
        if (!strcmp(schedule->transform, "only"))
            add_tag(tags, "", "transform-only");
    }
    for (int source = 0; source < DAG_SOURCE_COUNT; source++) {
        const struct value *more = build->choices.values[source][DAG_OPTION_TAGS];
        auto_strlist struct strlist texts = STRLIST_INIT;

        if (!more)
            continue;
        dag_argument_add_place(argument, (enum dag_source)source, more);
        dag_texts_add(&texts, more);
        for (size_t i = 0; i < texts.count; i++)
            add_tag(tags, "", texts.items[i]);
    }
}

static int build_dag_id(struct dag_builder *build, const char *default_environment,
                        struct error *err)
{
    const struct schedule *schedule = build->schedule;
    enum dag_source source = DAG_FROM_DEFAULT;
    const struct value *choice = dag_choice(&build->choices, DAG_OPTION_DAG_ID, &source);
    auto_strmap struct strmap values = STRMAP_INIT;
    const char *pattern = "{schedule}";
    auto_free char *text = NULL;

    strmap_set(&values, "schedule", schedule->name);
    strmap_set(&values, "project", path_name(build->project->root));
    strmap_set(&values, "environment",
               build->environment    ? build->environment
               : default_environment ? default_environment
                                     : "");
    if (build->job)
        strmap_set(&values, "job", schedule->job);
    else
        strmap_setf(&values, "job", "%s-to-%s", schedule->extractor, schedule->loader);
    if (build->has_stock_ids)
        pattern = build->job ? "meltano_{schedule}_{job}" : "meltano_{schedule}";
    if (choice)
        pattern = value_text(choice);
    if (dag_id_fill_pattern(pattern, &values, &text, err) < 0) {
        auto_free char *reason = xstrdup(err->message);

        error_set_at(err, ERR_CONFIG, choice, "schedule '%s': no DAG id: %s", schedule->name,
                     reason);
        return error_hint(err, "A dag_id may use {schedule}, {job}, {project}, and {environment} "
                               "when one is chosen.");
    }
    build->dag->dag_id = dag_id_from_text(text, DAG_ID_LIMIT);
    dag_argument_add_text(&build->dag->arguments, "dag_id", build->dag->dag_id,
                          choice ? dag_origin_of(source, choice)
                                 : origin_of_schedule(build, "name"));
    if (!choice)
        dag_argument_add_part(&build->dag->arguments.items[0], &build->choices, DAG_OPTION_IDS);
    return 0;
}

/* Python finds a file in the DAG folder before the module that the file itself imports, when it is
 * run by hand. */
static char *file_name_of(const char *dag_id)
{
    static const char *const modules[] = {"__init__", "airflow", "datetime", "pendulum"};

    for (size_t i = 0; i < ARRAY_LEN(modules); i++)
        if (!strcmp(dag_id, modules[i]))
            return xasprintf("%s_dag.py", dag_id);
    return xasprintf("%s.py", dag_id);
}

static void build_description(struct dag_builder *build)
{
    const struct schedule *schedule = build->schedule;
    enum dag_source source;
    const struct value *value = dag_choice(&build->choices, DAG_OPTION_DESCRIPTION, &source);
    auto_strbuf struct strbuf text = STRBUF_INIT;

    if (value) {
        dag_argument_add_text(&build->dag->arguments, "description", value_text(value),
                              dag_origin_of(source, value));
        return;
    }
    if (build->job)
        strbuf_addf(&text, "Meltano schedule %s: job %s", schedule->name, schedule->job);
    else
        strbuf_addf(&text, "Meltano schedule %s: %s to %s", schedule->name, schedule->extractor,
                    schedule->loader);
    dag_argument_add_text(&build->dag->arguments, "description", strbuf_text(&text), from_default);
}

static void build_arguments(struct dag_builder *build, const char *default_environment)
{
    struct dag_argument_list *arguments = &build->dag->arguments;
    struct error err = {0};

    if (build_dag_id(build, default_environment, &err) < 0)
        dag_problems_add(build->problems, &err);
    else
        build->dag->file_name = file_name_of(build->dag->dag_id);
    build_description(build);
    if (build_schedule(build, &err) < 0)
        dag_problems_add(build->problems, &err);
    build_start_date(build);
    /* Singer state says where a load goes on; there is nothing to catch up with, and two runs of
     * one state would collide. */
    dag_argument_add_number(arguments, "catchup", DAG_BOOL, false, from_default);
    dag_argument_add_number(arguments, "max_active_runs", DAG_INT, 1, from_default);
    dag_arguments_add(arguments, &build->choices, DAG_OPTION_MAX_ACTIVE_TASKS,
                      DAG_OPTION_ON_DAG_SUCCESS_CALLBACK);
    build_tags(build);
}

/* Which environment the schedule runs in: the one that was asked for, or the only one it belongs
 * to, or the default one if it belongs to that. *reason says why it has no DAG otherwise; the
 * caller frees it. */
static int choose_environment(struct dag_builder *build, const struct dag_request *request,
                              char **reason, struct error *err)
{
    const char *asked = request->environment_is_default ? NULL : request->environment;
    enum dag_source source = DAG_FROM_COMMAND_LINE;
    const struct value *choice = dag_choice(&build->choices, DAG_OPTION_ENVIRONMENT, &source);
    auto_strlist struct strlist names = STRLIST_INIT;
    auto_free char *list = NULL;

    if (choice)
        dag_texts_add(&names, choice);
    for (size_t i = 0; i < names.count; i++)
        if (!project_find_environment(build->project, names.items[i])) {
            error_set_at(err, ERR_CONFIG, choice, "schedule '%s': environment '%s' was not found",
                         build->schedule->name, names.items[i]);
            return error_hint(err, "Add it with 'meltano environment add %s'.", names.items[i]);
        }
    if (!choice || (request->environment && strlist_contains(&names, request->environment)))
        build->environment = choice ? request->environment : asked;
    else if (names.count == 1 && !asked)
        build->environment = project_find_environment(build->project, names.items[0])->name;
    else
        list = strlist_join(&names, ", ");
    build->environment_origin = dag_origin_of(source, choice);
    if (list)
        *reason = xasprintf("it belongs to %s", list);
    return 0;
}

static int read_choices(struct dag_builder *build, struct error *err)
{
    const struct value *job = build->job ? value_get(build->job->entry, "annotations") : NULL;
    enum dag_source source = DAG_FROM_DEFAULT;
    const struct value *choice;

    dag_choices_read(build->project->annotations, DAG_FROM_PROJECT, &build->choices,
                     build->problems);
    dag_choices_read(job, DAG_FROM_JOB, &build->choices, build->problems);
    dag_choices_read(build->schedule->annotations, DAG_FROM_SCHEDULE, &build->choices,
                     build->problems);
    choice = dag_choice(&build->choices, DAG_OPTION_IDS, NULL);
    build->has_stock_ids = choice && !strcmp(value_text(choice), "stock");
    choice = dag_choice(&build->choices, DAG_OPTION_CWD, &source);
    build->has_cwd = choice != NULL;
    build->cwd = choice ? value_text(choice) : build->project->root;
    build->cwd_origin = dag_origin_of(source, choice);
    if (build->cwd[0] != '/')
        return error_set_at(err, ERR_CONFIG, choice, "'cwd' must be an absolute path, not '%s'",
                            build->cwd);
    return 0;
}

static int find_job(struct dag_builder *build, struct error *err)
{
    const struct schedule *schedule = build->schedule;

    if (!schedule->job)
        return 0;
    build->job = project_find_job(build->project, schedule->job);
    if (build->job)
        return 0;
    error_set_at_key(err, ERR_CONFIG, schedule->entry, "job",
                     "schedule '%s': job '%s' was not found", schedule->name, schedule->job);
    return error_hint(err, "Add it under jobs:, or name another one.");
}

/* Whether the status is good; else what is wrong is noted. */
static bool is_fine(struct dag_builder *build, int status, struct error *err)
{
    if (status < 0)
        dag_problems_add(build->problems, err);
    return status == 0;
}

/* What the commands are made from, beside the words of the tasks. */
static void choose_program(struct dag_builder *build, const struct dag_request *request)
{
    struct dag *dag = build->dag;
    enum dag_source source = DAG_FROM_DEFAULT;
    const struct value *mode = dag_choice(&build->choices, DAG_OPTION_MODE, &source), *choice;
    const char *program;

    dag->mode_origin = dag_origin_of(source, mode);
    dag->in_pods = mode && !strcmp(value_text(mode), "kubernetes_pod");
    source = DAG_FROM_DEFAULT;
    choice = dag_choice(&build->choices, DAG_OPTION_PROGRAM, &source);
    /* The path of our own means nothing in an image. */
    program = dag->in_pods ? "meltshim" : request->default_program;
    if (choice)
        program = value_text(choice);
    dag->program_origin = dag_origin_of(source, choice);
    if (request->program) {
        program = request->program;
        dag->program_origin = (struct dag_origin){.source = DAG_FROM_COMMAND_LINE};
    }
    dag->program = xstrdup(program);
    /* Later versions than Airflow 2.7 render the argument cwd, so that no text of it would do for
     * all. */
    if (dag->in_pods ? build->has_cwd : dag_text_is_template(build->cwd, false))
        dag->cwd = build->cwd;
    dag->cwd_origin = build->cwd_origin;
}

/* What is wrong does not keep the rest from being checked, as far as it makes sense. */
static void build_dag(struct dag_builder *build, const struct dag_request *request,
                      struct dag_list *list)
{
    auto_free char *reason = NULL;
    struct error err = {0};
    bool can_go_on = is_fine(build, find_job(build, &err), &err);

    can_go_on &= is_fine(build, read_choices(build, &err), &err);
    if (!can_go_on || !is_fine(build, choose_environment(build, request, &reason, &err), &err))
        return;
    if (reason) {
        strmap_set(&list->left_out, build->schedule->name, reason);
        return;
    }
    GROW(list->items, list->count, list->capacity);
    build->dag = list->items[list->count++] = xcalloc(1, sizeof *build->dag);
    build->dag->schedule = build->schedule;
    choose_program(build, request);
    build_arguments(build, request->environment);
    is_fine(build, build_env(build, &err), &err);
    build_defaults(build);
    if (build->dag->dag_id)
        is_fine(build, dag_tasks_build(build, &err), &err);
}

static void refuse_id(const struct dag *dag, const struct schedule *other, struct error *err)
{
    error_set_at_key(err, ERR_CONFIG, dag->schedule->entry, "name",
                     "schedule '%s' would become the DAG '%s', as would schedule '%s' (%s:%u)",
                     dag->schedule->name, dag->dag_id, other->name,
                     other->entry->file ? other->entry->file : "?", other->entry->line);
    error_hint(err, "Rename one of them, or give it a dag_id of its own under "
                    "annotations: {meltshim: {airflow: {dag_id: ...}}}.");
}

/* Two DAGs of one id would take turns in Airflow. */
static void check_ids(const struct dag_list *list, struct dag_problems *problems)
{
    auto_strmap struct strmap seen = STRMAP_INIT;
    struct error err = {0};

    for (size_t i = 0; i < list->count; i++) {
        const struct dag *dag = list->items[i];
        const char *before = dag->file_name ? strmap_get(&seen, dag->file_name) : NULL;

        if (before) {
            refuse_id(dag, list->items[strtoul(before, NULL, 10)]->schedule, &err);
            dag_problems_add(problems, &err);
        } else if (dag->file_name) {
            strmap_setf(&seen, dag->file_name, "%zu", i);
        }
    }
}

/* Choices of jobs that no schedule runs, and those that stand where nobody would read them. */
static void check_other_places(const struct project *project, struct dag_problems *problems)
{
    for (size_t i = 0; i < project->job_count; i++) {
        struct dag_choices ignored = {0};

        dag_choices_read(value_get(project->jobs[i].entry, "annotations"), DAG_FROM_JOB, &ignored,
                         problems);
    }
    for (size_t i = 0; i < project->plugin_count; i++)
        dag_choices_refuse(value_get(project->plugins[i]->entry, "annotations"), "plugin",
                           project->plugins[i]->name, problems);
    for (size_t i = 0; i < project->environment_count; i++)
        dag_choices_refuse(value_get(project->environments[i].entry, "annotations"), "environment",
                           project->environments[i].name, problems);
}

int dag_list_build(const struct project *project, const struct dag_request *request,
                   struct dag_list **out, struct strlist *more, struct error *err)
{
    auto_dag_list struct dag_list *list = xcalloc(1, sizeof *list);
    auto_dag_problems struct dag_problems problems = {0};

    for (size_t i = 0; i < project->schedule_count; i++) {
        struct dag_builder build = {
            .project = project, .schedule = &project->schedules[i], .problems = &problems};

        build_dag(&build, request, list);
    }
    check_ids(list, &problems);
    check_other_places(project, &problems);
    if (dag_problems_count(&problems)) {
        *err = problems.first;
        if (more)
            strlist_add_all(more, &problems.more);
        return -1;
    }
    *out = take(list);
    return 0;
}
