#include "dag_generator/dag_report.h"

#include "base/memory.h"
#include "base/utf8.h"
#include "dag_generator/dag_render.h"

#include <string.h>

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

/* Lines of cells; every cell but the last of a line is padded to the width of its column. */
struct table {
    struct strlist cells;
    size_t columns;
};

static void print_table(const struct table *table, const char *margin, struct strbuf *out)
{
    auto_free size_t *widths = xcalloc(table->columns, sizeof *widths);

    for (size_t i = 0; i < table->cells.count; i++)
        if (utf8_count(table->cells.items[i]) > widths[i % table->columns])
            widths[i % table->columns] = utf8_count(table->cells.items[i]);
    for (size_t i = 0; i < table->cells.count; i++) {
        size_t column = i % table->columns;

        strbuf_add(out, column ? "  " : margin);
        strbuf_add(out, table->cells.items[i]);
        if (column + 1 < table->columns)
            strbuf_add_repeat(out, ' ', widths[column] - utf8_count(table->cells.items[i]));
        else
            strbuf_add_char(out, '\n');
    }
}

/* The value of an argument without quotes when it is a plain text. */
static char *describe_schedule(const struct dag *dag)
{
    const struct dag_argument *schedule = dag_argument_find(&dag->arguments, "schedule");
    struct strbuf text = STRBUF_INIT;

    if (schedule->kind == DAG_TEXT)
        return xstrdup(schedule->text);
    if (schedule->kind == DAG_NONE)
        return xstrdup("by hand");
    dag_render_value(schedule, &text);
    return strbuf_take(&text);
}

static const struct dag_file *find_file(const struct dag_plan *plan, const struct dag *dag)
{
    for (size_t i = 0; i < plan->count; i++)
        if (plan->files[i].dag == dag)
            return &plan->files[i];
    return NULL;
}

void dag_report_list(const struct dag_list *list, const struct dag_plan *plan, struct strbuf *out)
{
    struct table table = {.columns = 5};

    for (size_t i = 0; i < list->count; i++) {
        const struct dag *dag = list->items[i];
        const struct dag_file *file = find_file(plan, dag);

        strlist_add(&table.cells, dag->dag_id);
        strlist_add_take(&table.cells, describe_schedule(dag));
        strlist_addf(&table.cells, "%zu %s", dag->task_count,
                     dag->task_count == 1 ? "task" : "tasks");
        strlist_addf(&table.cells, "%s/%s", plan->folder, dag->file_name);
        strlist_add(&table.cells, change_names[file ? file->change : DAG_ADDED]);
    }
    print_table(&table, "", out);
    strlist_clear(&table.cells);
    for (size_t i = 0; i < plan->count; i++)
        if (plan->files[i].change == DAG_REMOVED)
            strbuf_addf(out, "%s/%s: left over from a schedule that is gone\n", plan->folder,
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
    auto_free char *path = xasprintf("%s/%s", plan->folder, dag->file_name);

    value_set_string(value, "schedule", dag->schedule->name);
    value_set_string(value, "dag_id", dag->dag_id);
    value_set_string_or_null(value, "cron", schedule->kind == DAG_TEXT ? schedule->text : NULL);
    value_set_string(value, "file", path);
    value_set_string(value, "status", change_names[file ? file->change : DAG_ADDED]);
    for (size_t i = 0; i < dag->task_count; i++)
        value_append_take(tasks, task_value(dag, &dag->tasks[i]));
    value_set_take(value, "tasks", tasks);
    return value;
}

struct value *dag_report_list_value(const struct dag_list *list, const struct dag_plan *plan)
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

static void add_origin(struct strlist *cells, const struct dag_origin *origin)
{
    if (origin->file && origin->line)
        strlist_addf(cells, "%s, %s:%u", source_names[origin->source], origin->file, origin->line);
    else
        strlist_add(cells, source_names[origin->source]);
}

static void add_arguments(struct table *table, const struct dag_argument_list *arguments)
{
    for (size_t i = 0; i < arguments->count; i++) {
        struct strbuf value = STRBUF_INIT;

        dag_render_value(&arguments->items[i], &value);
        strlist_add(&table->cells, arguments->items[i].name);
        strlist_add_take(&table->cells, strbuf_take(&value));
        add_origin(&table->cells, &arguments->items[i].origin);
    }
}

static void add_variables(struct table *table, const struct dag_variable_list *variables)
{
    for (size_t i = 0; i < variables->count; i++) {
        struct strbuf value = STRBUF_INIT;

        dag_render_variable(&variables->items[i], &value);
        strlist_addf(&table->cells, "env %s", variables->items[i].name);
        strlist_add_take(&table->cells, strbuf_take(&value));
        add_origin(&table->cells, &variables->items[i].origin);
    }
}

static void add_task(struct table *table, const struct dag *dag, const struct dag_task *task)
{
    strlist_add(&table->cells, "bash_command");
    strlist_add(&table->cells, task->command);
    add_origin(&table->cells, &task->origin);
    if (task->group) {
        strlist_add(&table->cells, "group");
        strlist_add(&table->cells, task->group);
        add_origin(&table->cells, &task->group_origin);
    }
    for (size_t i = 0; i < task->upstream_count; i++) {
        strlist_add(&table->cells, "after");
        strlist_add(&table->cells, dag->tasks[task->upstream[i]].task_id);
        add_origin(&table->cells, &task->order_origin);
    }
    add_arguments(table, &task->arguments);
    add_variables(table, &task->env);
}

void dag_report_explain(const struct dag *dag, struct strbuf *out)
{
    struct table table = {.columns = 3};

    strbuf_addf(out, "DAG %s of schedule '%s', in %s\n", dag->dag_id, dag->schedule->name,
                dag->file_name);
    add_arguments(&table, &dag->arguments);
    print_table(&table, "  ", out);
    strlist_clear(&table.cells);
    strbuf_add(out, "all tasks\n");
    add_arguments(&table, &dag->defaults);
    add_variables(&table, &dag->env);
    print_table(&table, "  ", out);
    strlist_clear(&table.cells);
    for (size_t i = 0; i < dag->task_count; i++) {
        strbuf_addf(out, "task %s\n", dag->tasks[i].task_id);
        add_task(&table, dag, &dag->tasks[i]);
        print_table(&table, "  ", out);
        strlist_clear(&table.cells);
    }
}
