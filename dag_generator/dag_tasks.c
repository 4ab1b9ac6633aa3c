#include "dag_generator/dag_builder.h"

#include "base/memory.h"
#include "base/position.h"
#include "base/suggest.h"
#include "dag_generator/dag_ids.h"
#include "dag_generator/dag_text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define EXTRACT_LOAD_TASK_ID "extract_load"
#define NOTHING              SIZE_MAX

/* What is known of each task while the DAG is built, beside what ends up in it. */
struct plan {
    struct dag_builder *build;
    struct strlist *words;       /* of each task */
    struct dag_choices *choices; /* of each task */
    struct strlist default_ids;  /* before task_id: has its say */
    struct dag_origin order_origin;
};

static void plan_clear(struct plan *plan)
{
    for (size_t i = 0; i < plan->build->dag->task_count; i++)
        strlist_clear(&plan->words[i]);
    free(plan->words);
    free(plan->choices);
    strlist_clear(&plan->default_ids);
}

/* A job's task is split at blanks, as Meltano splits it; lists may be nested. */
static int add_words(struct strlist *words, const struct value *task, struct error *err)
{
    auto_strlist struct strlist parts = STRLIST_INIT;

    for (size_t i = 0; i < value_count(task); i++)
        if (add_words(words, value_at(task, i), err) < 0)
            return -1;
    if (value_is_list(task))
        return 0;
    if (!value_is_string(task) || memchr(task->text.bytes, '\0', task->text.length))
        return error_set_at(err, ERR_CONFIG, task,
                            "a task of a job must be a text or a list of texts");
    strlist_split(&parts, value_text(task), ' ');
    for (size_t i = 0; i < parts.count; i++)
        if (*parts.items[i])
            strlist_add(words, parts.items[i]);
    return 0;
}

static void start_tasks(struct plan *plan, size_t count)
{
    struct dag *dag = plan->build->dag;

    dag->tasks = xcalloc(count, sizeof *dag->tasks);
    dag->task_count = count;
    plan->words = xcalloc(count, sizeof *plan->words);
    plan->choices = xcalloc(count, sizeof *plan->choices);
}

static int read_job(struct plan *plan, struct error *err)
{
    const struct dag_builder *build = plan->build;
    const struct value *tasks = build->job->tasks;
    size_t count = value_is_list(tasks) ? value_count(tasks) : 1;

    if (value_is_null(tasks) || !count)
        return error_set_at(err, ERR_CONFIG, build->job->entry,
                            "job '%s', which schedule '%s' runs, has no tasks", build->job->name,
                            build->schedule->name);
    start_tasks(plan, count);
    for (size_t i = 0; i < count; i++) {
        const struct value *task = value_is_list(tasks) ? value_at(tasks, i) : tasks;

        if (add_words(&plan->words[i], task, err) < 0)
            return -1;
        if (!plan->words[i].count)
            return error_set_at(err, ERR_CONFIG, task, "task %zu of job '%s' is empty", i + 1,
                                build->job->name);
        build->dag->tasks[i].label = strlist_join(&plan->words[i], " ");
        build->dag->tasks[i].origin = dag_origin_of(DAG_FROM_JOB, task);
    }
    return 0;
}

static int read_schedule(struct plan *plan)
{
    struct dag_builder *build = plan->build;

    start_tasks(plan, 1);
    build->dag->tasks[0].label = xstrdup(EXTRACT_LOAD_TASK_ID);
    build->dag->tasks[0].origin = dag_origin_of(DAG_FROM_SCHEDULE, build->schedule->entry);
    return 0;
}

/* From the blocks, so that the ids stay when tasks are added before or behind; only the second of
 * two equal ones needs a number. */
static void choose_default_ids(struct plan *plan)
{
    const struct dag *dag = plan->build->dag;

    for (size_t i = 0; i < dag->task_count; i++) {
        auto_free char *id = dag_task_id_from_text(dag->tasks[i].label, DAG_ID_LIMIT);

        if (plan->build->has_stock_ids && plan->build->job) {
            auto_free char *text = xasprintf("%s_task%zu", dag->dag_id, i);

            free(id);
            id = dag_id_from_text(text, DAG_ID_LIMIT);
        }
        for (size_t copy = 2; strlist_contains(&plan->default_ids, id); copy++) {
            auto_free char *base = dag_task_id_from_text(dag->tasks[i].label, DAG_ID_LIMIT - 8);

            free(id);
            id = xasprintf("%s_%zu", base, copy);
        }
        strlist_add(&plan->default_ids, id);
    }
}

static bool is_named(const struct plan *plan, size_t task, const char *name)
{
    return !strcmp(plan->default_ids.items[task], name) ||
           !strcmp(plan->build->dag->tasks[task].label, name);
}

static int refuse_task_name(const struct plan *plan, const struct value *where, const char *key,
                            const char *name, struct error *err)
{
    const struct dag *dag = plan->build->dag;
    auto_strlist struct strlist known = STRLIST_INIT;
    const char *nearest;

    for (size_t i = 0; i < dag->task_count; i++) {
        strlist_add(&known, dag->tasks[i].label);
        strlist_add(&known, plan->default_ids.items[i]);
    }
    nearest = suggest_nearest(name, &known);
    if (key)
        error_set_at_key(err, ERR_CONFIG, where, key, "schedule '%s' has no task '%s'",
                         plan->build->schedule->name, name);
    else
        error_set_at(err, ERR_CONFIG, where, "schedule '%s' has no task '%s'",
                     plan->build->schedule->name, name);
    return error_hint(err, nearest ? "Did you mean '%s'?" : "Its first task is '%s'.",
                      nearest ? nearest : dag->tasks[0].label);
}

/* What job and schedule say of single tasks. */
static int read_task_choices(struct plan *plan, enum dag_source source, struct error *err)
{
    const struct value *map = plan->build->choices.values[source][DAG_OPTION_TASKS];

    for (size_t i = 0; i < value_count(map); i++) {
        const struct value_member *member = value_member_at(map, i);
        bool found = false;

        for (size_t task = 0; task < plan->build->dag->task_count; task++) {
            if (!is_named(plan, task, member->key))
                continue;
            found = true;
            dag_choices_read_task(member->value, source, &plan->choices[task],
                                  plan->build->problems);
        }
        if (!found)
            return refuse_task_name(plan, map, member->key, member->key, err);
    }
    return 0;
}

static bool is_task_id(const char *text)
{
    auto_free char *id = dag_id_from_text(text, DAG_ID_LIMIT);

    return !strcmp(id, text);
}

static int choose_group(struct plan *plan, size_t position, struct error *err)
{
    enum dag_source source;
    const struct value *group = dag_choice(&plan->choices[position], DAG_OPTION_GROUP, &source);
    struct dag_task *task = &plan->build->dag->tasks[position];

    if (!group)
        return 0;
    if (!is_task_id(value_text(group)) || strchr(value_text(group), '.')) {
        error_set_at(err, ERR_CONFIG, group, "'%s' cannot be the name of a task group",
                     value_text(group));
        return error_hint(err, "Use letters, digits, '_' and '-'.");
    }
    task->group = xstrdup(value_text(group));
    task->group_origin = dag_origin_of(source, group);
    if (strlen(task->group) + 1 + strlen(task->task_id) > DAG_ID_LIMIT) {
        error_set_at(err, ERR_CONFIG, group,
                     "the task '%s.%s' would have an id of more than %d characters", task->group,
                     task->task_id, DAG_ID_LIMIT);
        return error_hint(err, "Give the task a shorter task_id.");
    }
    return 0;
}

static int choose_id(struct plan *plan, size_t position, struct error *err)
{
    enum dag_source source = DAG_FROM_DEFAULT;
    const struct value *id = dag_choice(&plan->choices[position], DAG_OPTION_TASK_ID, &source);
    struct dag *dag = plan->build->dag;

    dag->tasks[position].id_origin = dag_origin_of(source, id);
    dag->tasks[position].task_id = xstrdup(id ? value_text(id) : plan->default_ids.items[position]);
    if (id && !is_task_id(value_text(id))) {
        error_set_at(err, ERR_CONFIG, id, "'%s' cannot be the id of a task", value_text(id));
        return error_hint(err, "Use letters, digits, '_', '-' and '.', and a letter first.");
    }
    return choose_group(plan, position, err);
}

/* What was chosen for the id of a task; NULL when nothing was. */
static const struct value *id_choice(const struct plan *plan, size_t position)
{
    const struct value *id = dag_choice(&plan->choices[position], DAG_OPTION_TASK_ID, NULL);

    return id ? id : dag_choice(&plan->choices[position], DAG_OPTION_GROUP, NULL);
}

static int refuse_same_id(const struct plan *plan, size_t first, size_t second, const char *id,
                          struct error *err)
{
    const struct value *where = id_choice(plan, second);
    const struct dag_task *tasks = plan->build->dag->tasks;

    error_set_at(err, ERR_CONFIG, where ? where : id_choice(plan, first),
                 "schedule '%s': the tasks '%s' and '%s' both have the id '%s'",
                 plan->build->schedule->name, tasks[first].label, tasks[second].label, id);
    return error_hint(err, "Give one of them another task_id.");
}

/* Two tasks of one id, or a task that is called like a group. */
static int check_ids(const struct plan *plan, struct error *err)
{
    const struct dag *dag = plan->build->dag;
    auto_strmap struct strmap taken = STRMAP_INIT;

    for (size_t i = 0; i < dag->task_count; i++) {
        const struct dag_task *task = &dag->tasks[i];
        auto_free char *id =
            task->group ? xasprintf("%s.%s", task->group, task->task_id) : xstrdup(task->task_id);
        const char *first = strmap_get(&taken, id);

        if (first)
            return refuse_same_id(plan, strtoul(first, NULL, 10), i, id, err);
        strmap_setf(&taken, id, "%zu", i);
    }
    for (size_t i = 0; i < dag->task_count; i++) {
        if (!dag->tasks[i].group || !strmap_has(&taken, dag->tasks[i].group))
            continue;
        error_set_at(err, ERR_CONFIG, dag_choice(&plan->choices[i], DAG_OPTION_GROUP, NULL),
                     "schedule '%s': '%s' is the name of a task group and of a task",
                     plan->build->schedule->name, dag->tasks[i].group);
        return error_hint(err, "Give the group another name.");
    }
    return 0;
}

static void add_upstream(struct dag_task *task, size_t position)
{
    size_t at = 0;

    while (at < task->upstream_count && task->upstream[at] < position)
        at++;
    if (at < task->upstream_count && task->upstream[at] == position)
        return;
    task->upstream = xrealloc(task->upstream, (task->upstream_count + 1) * sizeof *task->upstream);
    memmove(task->upstream + at + 1, task->upstream + at,
            (task->upstream_count - at) * sizeof *task->upstream);
    task->upstream[at] = position;
    task->upstream_count++;
}

static int add_after(struct plan *plan, size_t position, const struct value *name,
                     struct error *err)
{
    struct dag *dag = plan->build->dag;
    bool found = false;

    for (size_t i = 0; i < dag->task_count; i++) {
        if (!is_named(plan, i, value_text(name)) &&
            strcmp(dag->tasks[i].task_id, value_text(name)) != 0)
            continue;
        if (i == position)
            return error_set_at(err, ERR_CONFIG, name, "the task '%s' cannot wait for itself",
                                value_text(name));
        found = true;
        add_upstream(&dag->tasks[position], i);
    }
    return found ? 0 : refuse_task_name(plan, name, NULL, value_text(name), err);
}

static int connect_task(struct plan *plan, size_t position, bool is_serial, struct error *err)
{
    struct dag_task *task = &plan->build->dag->tasks[position];
    enum dag_source source = DAG_FROM_DEFAULT;
    const struct value *after = dag_choice(&plan->choices[position], DAG_OPTION_AFTER, &source);

    if (after)
        task->order_origin = dag_origin_of(source, after);
    else
        task->order_origin = plan->order_origin;
    if (!after && is_serial && position)
        add_upstream(task, position - 1);
    if (after && !value_is_list(after))
        return add_after(plan, position, after, err);
    for (size_t i = 0; i < value_count(after); i++)
        if (add_after(plan, position, value_at(after, i), err) < 0)
            return -1;
    return 0;
}

/* A task that the one at a position still waits for, or NOTHING. */
typedef size_t find_waited_for(const struct dag *dag, size_t position, const bool *is_done);

static size_t first_waited_for(const struct dag *dag, size_t position, const bool *is_done)
{
    const struct dag_task *task = &dag->tasks[position];

    for (size_t i = 0; i < task->upstream_count; i++)
        if (!is_done[task->upstream[i]])
            return task->upstream[i];
    return NOTHING;
}

/* Names the tasks of a circle in the order in which they wait, beginning with one whose `after` is
 * written down: every circle has one, for all others wait for tasks before them. */
static int refuse_circle(const struct plan *plan, const bool *is_done, struct error *err)
{
    const struct dag *dag = plan->build->dag;
    const struct value *after = NULL;
    auto_strbuf struct strbuf circle = STRBUF_INIT;
    size_t start = 0, at;

    while (is_done[start])
        start++;
    /* After so many steps the way is in the circle. */
    for (size_t steps = 0; steps < dag->task_count || !after; steps++) {
        start = first_waited_for(dag, start, is_done);
        after = dag_choice(&plan->choices[start], DAG_OPTION_AFTER, NULL);
    }
    at = start;
    do {
        strbuf_addf(&circle, "'%s' waits for ", dag->tasks[at].label);
        at = first_waited_for(dag, at, is_done);
    } while (at != start);
    error_set_at(err, ERR_CONFIG, after, "schedule '%s': tasks wait in a circle: %s'%s'",
                 plan->build->schedule->name, strbuf_text(&circle), dag->tasks[start].label);
    return error_hint(err, "Take one 'after' out of the circle.");
}

/* Takes away tasks that wait for nothing any more. How many are left: they wait in a circle. */
static size_t take_away(const struct dag *dag, find_waited_for *find, bool *is_done)
{
    size_t left = dag->task_count, before;

    do {
        before = left;
        for (size_t i = 0; i < dag->task_count; i++)
            if (!is_done[i] && find(dag, i, is_done) == NOTHING) {
                is_done[i] = true;
                left--;
            }
    } while (left && left < before);
    return left;
}

static int check_order(const struct plan *plan, struct error *err)
{
    const struct dag *dag = plan->build->dag;
    auto_free bool *is_done = xcalloc(dag->task_count, sizeof *is_done);

    return take_away(dag, first_waited_for, is_done) ? refuse_circle(plan, is_done, err) : 0;
}

static bool are_in_one_group(const struct dag_task *a, const struct dag_task *b)
{
    return a->group && b->group && !strcmp(a->group, b->group);
}

/* What the task, or another one of its group, still waits for outside of the group; or NOTHING. */
static size_t waited_for_outside(const struct dag *dag, size_t position, const bool *is_done)
{
    const struct dag_task *task = &dag->tasks[position];

    for (size_t i = 0; i < dag->task_count; i++) {
        const struct dag_task *member = &dag->tasks[i];

        if (i != position && !are_in_one_group(member, task))
            continue;
        for (size_t j = 0; j < member->upstream_count; j++)
            if (!is_done[member->upstream[j]] &&
                !are_in_one_group(&dag->tasks[member->upstream[j]], task))
                return member->upstream[j];
    }
    return NOTHING;
}

/* Names a group of the circle: there is one, for the tasks alone wait in none. */
static int refuse_groups(const struct plan *plan, const bool *is_done, struct error *err)
{
    const struct dag *dag = plan->build->dag;
    size_t at = 0;

    while (is_done[at])
        at++;
    /* After so many steps the way is in the circle. */
    for (size_t steps = 0; steps < dag->task_count || !dag->tasks[at].group; steps++)
        at = waited_for_outside(dag, at, is_done);
    error_set_at(err, ERR_CONFIG, dag_choice(&plan->choices[at], DAG_OPTION_GROUP, NULL),
                 "schedule '%s': the task group '%s' would wait for itself, because '%s', outside "
                 "of it, stands between its tasks; Airflow cannot show such a DAG",
                 plan->build->schedule->name, dag->tasks[at].group,
                 dag->tasks[waited_for_outside(dag, at, is_done)].label);
    return error_hint(err, "Put that task into the group, too, or make it two groups.");
}

/* Airflow 3 shows a group as one node, and its pages of a DAG fail when those wait in a circle. */
static int check_groups(const struct plan *plan, struct error *err)
{
    const struct dag *dag = plan->build->dag;
    auto_free bool *is_done = xcalloc(dag->task_count, sizeof *is_done);

    return take_away(dag, waited_for_outside, is_done) ? refuse_groups(plan, is_done, err) : 0;
}

static int connect_tasks(struct plan *plan, struct error *err)
{
    enum dag_source source = DAG_FROM_DEFAULT;
    const struct value *choice =
        dag_choice(&plan->build->choices, DAG_OPTION_DEPENDENCIES, &source);
    bool is_serial = !choice || strcmp(value_text(choice), "none") != 0;

    plan->order_origin = dag_origin_of(source, choice);
    for (size_t i = 0; i < plan->build->dag->task_count; i++)
        if (connect_task(plan, i, is_serial, err) < 0)
            return -1;
    return check_order(plan, err) < 0 ? -1 : check_groups(plan, err);
}

static void add_word(struct strbuf *command, const char *word)
{
    size_t before = command->length + 1;

    strbuf_add_char(command, ' ');
    strbuf_add_shell_word(command, word);
    /* Airflow takes a command that ends so for a file; quotes are easier to read than a template.
     */
    if (strbuf_ends_with(command, ".sh") || strbuf_ends_with(command, ".bash")) {
        strbuf_truncate(command, before);
        strbuf_addf(command, "'%s'", word);
    }
}

/* What follows the program. */
static void choose_words(const struct plan *plan, size_t position, struct strlist *words)
{
    const struct dag_builder *build = plan->build;

    if (build->dag->in_pods && build->dag->cwd)
        strlist_addf(words, "--project-root=%s", build->dag->cwd);
    if (build->job) {
        strlist_add(words, "run");
        strlist_add_all(words, &plan->words[position]);
        return;
    }
    strlist_add(words, "schedule");
    strlist_add(words, "run");
    if (build->schedule->name[0] == '-')
        strlist_add(words, "--");
    strlist_add(words, build->schedule->name);
}

/* exec: Airflow's signals then reach meltshim and not a bash before it. */
static int write_command(struct plan *plan, size_t position, struct error *err)
{
    const struct dag_builder *build = plan->build;
    struct dag_task *task = &build->dag->tasks[position];
    auto_strbuf struct strbuf command = STRBUF_INIT;

    if (!build->dag->in_pods && build->dag->cwd) {
        strbuf_add(&command, "cd");
        add_word(&command, build->dag->cwd);
        strbuf_add(&command, " && ");
    }
    strbuf_add(&command, "exec");
    add_word(&command, build->dag->program);
    choose_words(plan, position, &task->words);
    for (size_t i = 0; i < task->words.count; i++)
        add_word(&command, task->words.items[i]);
    if (command.length >= DAG_LONGEST_WORD)
        return error_set(err, ERR_CONFIG,
                         "schedule '%s': the command of task '%.40s...' has %zu "
                         "bytes, more than Linux hands to a process",
                         build->schedule->name, task->label, command.length);
    task->command = strbuf_take(&command);
    return 0;
}

static int build_env(struct plan *plan, size_t position, struct error *err)
{
    const struct dag_variable_list *common = &plan->build->dag->env;
    struct dag_task *task = &plan->build->dag->tasks[position];
    const struct dag_choices *choices = &plan->choices[position];

    if (!dag_choice(choices, DAG_OPTION_ENV, NULL))
        return 0;
    for (size_t i = 0; i < common->count; i++)
        dag_variable_set(&task->env, common->items[i].name, common->items[i].text,
                         common->items[i].is_template, common->items[i].origin);
    for (int source = 0; source < DAG_SOURCE_COUNT; source++)
        if (dag_variables_add(&task->env, choices->values[source][DAG_OPTION_ENV], true,
                              (enum dag_source)source, err) < 0)
            return -1;
    return 0;
}

static bool is_last(const struct dag *dag, size_t position)
{
    for (size_t i = 0; i < dag->task_count; i++)
        for (size_t j = 0; j < dag->tasks[i].upstream_count; j++)
            if (dag->tasks[i].upstream[j] == position)
                return false;
    return true;
}

static int finish_task(struct plan *plan, size_t position, struct error *err)
{
    struct dag *dag = plan->build->dag;
    struct dag_task *task = &dag->tasks[position];
    const struct dag_choices *choices = &plan->choices[position];

    dag_arguments_add(&task->arguments, choices, DAG_OPTION_OWNER, DAG_OPTION_ON_SUCCESS_CALLBACK);
    if (dag_choice(choices, DAG_OPTION_OUTLETS, NULL))
        dag_arguments_add(&task->arguments, choices, DAG_OPTION_OUTLETS, DAG_OPTION_OUTLETS);
    else if (is_last(dag, position))
        dag_arguments_add(&task->arguments, &plan->build->choices, DAG_OPTION_OUTLETS,
                          DAG_OPTION_OUTLETS);
    dag_pod_add_arguments(plan->build, choices, &task->arguments);
    if (dag_pod_check(plan->build, choices, task, err) < 0 || build_env(plan, position, err) < 0)
        return -1;
    return write_command(plan, position, err);
}

static int fill_plan(struct plan *plan, struct error *err)
{
    const struct dag *dag = plan->build->dag;

    if ((plan->build->job ? read_job(plan, err) : read_schedule(plan)) < 0)
        return -1;
    choose_default_ids(plan);
    if (read_task_choices(plan, DAG_FROM_JOB, err) < 0 ||
        read_task_choices(plan, DAG_FROM_SCHEDULE, err) < 0)
        return -1;
    for (size_t i = 0; i < dag->task_count; i++)
        if (choose_id(plan, i, err) < 0)
            return -1;
    if (check_ids(plan, err) < 0 || connect_tasks(plan, err) < 0)
        return -1;
    for (size_t i = 0; i < dag->task_count; i++)
        if (finish_task(plan, i, err) < 0)
            return -1;
    return 0;
}

int dag_tasks_build(struct dag_builder *build, struct error *err)
{
    struct plan plan = {.build = build};
    int status = fill_plan(&plan, err);

    plan_clear(&plan);
    return status;
}
