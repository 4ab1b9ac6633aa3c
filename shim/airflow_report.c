#include "shim/airflow_report.h"

#include "base/memory.h"
#include "base/path.h"
#include "dag_generator/dag_render.h"
#include "shim/table.h"

#include <assert.h>

static const char *const change_names[] = {
    [DAG_UNCHANGED] = "up to date",
    [DAG_ADDED] = "missing",
    [DAG_CHANGED] = "stale",
    [DAG_REMOVED] = "left over",
};

static const char *const source_names[DAG_SOURCE_COUNT] = {
    [DAG_FROM_DEFAULT] = "default",   [DAG_FROM_COMMAND_LINE] = "chosen for this call",
    [DAG_FROM_PROJECT] = "project",   [DAG_FROM_JOB] = "job",
    [DAG_FROM_SCHEDULE] = "schedule",
};

/* A cron expression is easier to read without its quotes. */
static void add_schedule(struct table *table, const struct dag *dag)
{
    const struct dag_argument *schedule = dag_argument_find(&dag->arguments, "schedule");
    auto_strbuf struct strbuf text = STRBUF_INIT;

    if (schedule->kind == DAG_TEXT)
        strbuf_add(&text, schedule->text);
    else if (schedule->kind == DAG_NONE)
        strbuf_add(&text, "by hand");
    else
        dag_render_value(schedule, &text);
    table_add(table, strbuf_text(&text));
}

static const struct dag_file *find_file(const struct dag_plan *plan, const struct dag *dag)
{
    for (size_t i = 0; i < plan->count; i++)
        if (plan->files[i].dag == dag)
            return &plan->files[i];
    assert(!"every DAG has a file in its plan");
    return NULL;
}

void airflow_report_list(const struct dag_list *list, const struct dag_plan *plan,
                         struct strbuf *out)
{
    static const char *const titles[] = {"DAG", "SCHEDULE", "TASKS", "FILE", "STATUS"};
    auto_table struct table table = {0};

    TABLE_INIT(&table, titles);
    for (size_t i = 0; i < list->count; i++) {
        const struct dag *dag = list->items[i];
        const struct dag_file *file = find_file(plan, dag);

        table_add(&table, dag->dag_id);
        add_schedule(&table, dag);
        table_addf(&table, "%zu", dag->task_count);
        table_addf(&table, "%s/%s", plan->shown_folder, dag->file_name);
        table_add(&table, change_names[file->change]);
    }
    if (list->count)
        table_print(&table, out);
    for (size_t i = 0; i < plan->count; i++)
        if (plan->files[i].change == DAG_REMOVED)
            strbuf_addf(out, "%s/%s: left over from a schedule that is gone\n", plan->shown_folder,
                        plan->files[i].name);
    for (size_t i = 0; i < list->left_out.count; i++)
        strbuf_addf(out, "no DAG for schedule '%s': %s\n", list->left_out.entries[i].key,
                    list->left_out.entries[i].value);
}

static struct value *task_value(const struct dag *dag, const struct dag_task *task)
{
    struct value *value = value_new_map();
    struct value *upstream = value_new_list();

    value_set_string(value, "task_id", task->task_id);
    value_set_string_or_null(value, "group", task->group);
    value_set_string(value, "command", task->command);
    for (size_t i = 0; i < task->upstream_count; i++)
        value_append_string(upstream, dag->tasks[task->upstream[i]].task_id);
    value_set_take(value, "after", upstream);
    return value;
}

static struct value *dag_value(const struct dag *dag, const struct dag_plan *plan)
{
    const struct dag_argument *schedule = dag_argument_find(&dag->arguments, "schedule");
    const struct dag_file *file = find_file(plan, dag);
    struct value *value = value_new_map();
    struct value *tasks = value_new_list();
    auto_free char *path = path_join(plan->folder, dag->file_name);

    value_set_string(value, "schedule", dag->schedule->name);
    value_set_string(value, "dag_id", dag->dag_id);
    value_set_string_or_null(value, "cron", schedule->kind == DAG_TEXT ? schedule->text : NULL);
    value_set_string(value, "file", path);
    value_set_string(value, "status", change_names[file->change]);
    for (size_t i = 0; i < dag->task_count; i++)
        value_append_take(tasks, task_value(dag, &dag->tasks[i]));
    value_set_take(value, "tasks", tasks);
    return value;
}

struct value *airflow_report_list_value(const struct dag_list *list, const struct dag_plan *plan)
{
    struct value *value = value_new_map();
    struct value *dags = value_new_list(), *left_out = value_new_map();
    struct value *left_over = value_new_list();

    for (size_t i = 0; i < list->count; i++)
        value_append_take(dags, dag_value(list->items[i], plan));
    for (size_t i = 0; i < list->left_out.count; i++)
        value_set_string(left_out, list->left_out.entries[i].key, list->left_out.entries[i].value);
    for (size_t i = 0; i < plan->count; i++)
        if (plan->files[i].change == DAG_REMOVED)
            value_append_string(left_over, plan->files[i].name);
    value_set_string(value, "folder", plan->folder);
    value_set_take(value, "dags", dags);
    value_set_take(value, "left_out", left_out);
    value_set_take(value, "left_over", left_over);
    return value;
}

static void add_origin(struct strbuf *out, const struct dag_origin *origin)
{
    strbuf_add(out, source_names[origin->source]);
    if (origin->file && origin->line)
        strbuf_addf(out, ", %s:%u", origin->file, origin->line);
}

static void add_row(struct table *table, const char *name, const char *value,
                    const struct dag_origin *origin)
{
    auto_strbuf struct strbuf from = STRBUF_INIT;

    add_origin(&from, origin);
    table_add(table, name);
    table_add(table, value);
    table_add(table, strbuf_text(&from));
}

/* "schedule, meltano.yml:9; timezone: project, meltano.yml:4" */
static void add_argument(struct table *table, const struct dag_argument *argument)
{
    auto_strbuf struct strbuf value = STRBUF_INIT, from = STRBUF_INIT;

    dag_render_value(argument, &value);
    add_origin(&from, &argument->origin);
    for (size_t i = 0; i < argument->part_count; i++) {
        strbuf_add(&from, "; ");
        if (argument->parts[i].name)
            strbuf_addf(&from, "%s: ", argument->parts[i].name);
        add_origin(&from, &argument->parts[i].origin);
    }
    table_add(table, argument->name);
    table_add(table, strbuf_text(&value));
    table_add(table, strbuf_text(&from));
}

static void add_arguments(struct table *table, const struct dag_argument_list *arguments)
{
    for (size_t i = 0; i < arguments->count; i++)
        add_argument(table, &arguments->items[i]);
}

static void add_variables(struct table *table, const struct dag *dag,
                          const struct dag_variable_list *variables)
{
    for (size_t i = 0; i < variables->count; i++) {
        auto_strbuf struct strbuf value = STRBUF_INIT;
        auto_free char *name = xasprintf("env %s", variables->items[i].name);

        dag_render_variable(dag, &variables->items[i], &value);
        add_row(table, name, strbuf_text(&value), &variables->items[i].origin);
    }
}

/* What stands in the commands of all tasks, and not by itself in the file. */
static void add_commands(struct table *table, const struct dag *dag)
{
    if (dag->in_pods)
        add_row(table, "mode", "kubernetes_pod", &dag->mode_origin);
    else
        add_row(table, "program", dag->program, &dag->program_origin);
    if (dag->cwd)
        add_row(table, "cwd", dag->cwd, &dag->cwd_origin);
}

static void add_task(struct table *table, const struct dag *dag, const struct dag_task *task)
{
    if (task->id_origin.source != DAG_FROM_DEFAULT)
        add_row(table, "task_id", task->task_id, &task->id_origin);
    add_row(table, dag->in_pods ? "command" : "bash_command", task->command, &task->origin);
    if (task->group)
        add_row(table, "group", task->group, &task->group_origin);
    for (size_t i = 0; i < task->upstream_count; i++)
        add_row(table, "after", dag->tasks[task->upstream[i]].task_id, &task->order_origin);
    add_arguments(table, &task->arguments);
    add_variables(table, dag, &task->env);
}

void airflow_report_explain(const struct dag *dag, struct strbuf *out)
{
    static const char *const dag_titles[] = {"DAG", "VALUE", "FROM"};
    static const char *const all_titles[] = {"ALL TASKS", "VALUE", "FROM"};
    auto_table struct table dag_table, all_table;

    TABLE_INIT(&dag_table, dag_titles);
    add_arguments(&dag_table, &dag->arguments);
    table_print(&dag_table, out);
    strbuf_add_char(out, '\n');
    TABLE_INIT(&all_table, all_titles);
    add_commands(&all_table, dag);
    add_arguments(&all_table, &dag->defaults);
    add_variables(&all_table, dag, &dag->env);
    table_print(&all_table, out);
    for (size_t i = 0; i < dag->task_count; i++) {
        auto_free char *title = xasprintf("TASK %s", dag->tasks[i].task_id);
        const char *const titles[] = {title, "VALUE", "FROM"};
        auto_table struct table table = {0};

        strbuf_add_char(out, '\n');
        TABLE_INIT(&table, titles);
        add_task(&table, dag, &dag->tasks[i]);
        table_print(&table, out);
    }
}
