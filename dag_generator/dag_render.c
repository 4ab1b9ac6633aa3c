#include "dag_generator/dag_render.h"

#include "base/embed.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "dag_generator/dag_text.h"

#include <stdlib.h>
#include <string.h>

EMBED_DECLARE(templates_dag_py);

/* What Python's formatters agree on. */
#define LINE_LIMIT 88
#define INDENT     4

static void add_duration(struct strbuf *out, long long seconds)
{
    static const struct {
        const char *name;
        long long seconds;
    } units[] = {{"days", 86400}, {"hours", 3600}, {"minutes", 60}, {"seconds", 1}};
    const char *comma = "";

    strbuf_add(out, seconds ? "timedelta(" : "timedelta(0");
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        if (seconds < units[i].seconds)
            continue;
        strbuf_addf(out, "%s%s=%lld", comma, units[i].name, seconds / units[i].seconds);
        seconds %= units[i].seconds;
        comma = ", ";
    }
    strbuf_add_char(out, ')');
}

static void add_date(struct strbuf *out, const struct dag_date *date, const char *zone)
{
    strbuf_addf(out, "pendulum.datetime(%d, %d, %d, ", date->year, date->month, date->day);
    if (date->hour || date->minute || date->second)
        strbuf_addf(out, "%d, %d, ", date->hour, date->minute);
    if (date->second)
        strbuf_addf(out, "%d, ", date->second);
    strbuf_add(out, "tz=");
    strbuf_add_py_source_string(out, zone);
    strbuf_add_char(out, ')');
}

/* One element of a list. */
static void add_item(struct strbuf *out, enum dag_argument_kind kind, const char *text)
{
    if (kind == DAG_NAMES) {
        strbuf_add(out, text);
        return;
    }
    if (kind == DAG_ASSETS)
        strbuf_add(out, "Asset(");
    strbuf_add_py_source_string(out, text);
    if (kind == DAG_ASSETS)
        strbuf_add_char(out, ')');
}

static void add_list(struct strbuf *out, const struct dag_argument *argument)
{
    const char *comma = "";

    strbuf_add_char(out, '[');
    for (size_t i = 0; i < argument->texts.count; i++) {
        strbuf_add(out, comma);
        add_item(out, argument->kind, argument->texts.items[i]);
        comma = ", ";
    }
    strbuf_add_char(out, ']');
}

/* Before the first element, between its name and its value, behind the last; brackets too. */
static const char *open_tree(const struct value *tree)
{
    return value_is_list(tree) ? "[" : value_get(tree, DAG_CALL) ? "(" : "{";
}

static const char *close_tree(const struct value *tree)
{
    return value_is_list(tree) ? "]" : value_get(tree, DAG_CALL) ? ")" : "}";
}

/* The element's name as it stands before its value; NULL for the name of a call itself. */
static char *element_head(const struct value *tree, size_t position)
{
    const struct value_member *member = value_member_at(tree, position);
    struct strbuf head = STRBUF_INIT;

    if (member && !strcmp(member->key, DAG_CALL))
        return NULL;
    if (member && value_get(tree, DAG_CALL) && *member->key)
        strbuf_addf(&head, "%s=", member->key);
    if (member && !value_get(tree, DAG_CALL)) {
        strbuf_add_py_source_string(&head, member->key);
        strbuf_add(&head, ": ");
    }
    return strbuf_take(&head);
}

static const struct value *element(const struct value *tree, size_t position)
{
    const struct value_member *member = value_member_at(tree, position);

    return member ? member->value : value_at(tree, position);
}

/* In one line. */
static void add_tree(struct strbuf *out, const struct value *tree)
{
    const char *name = value_get_text(tree, DAG_CALL), *comma = "";

    if (value_is_string(tree)) {
        strbuf_add_py_source_string(out, value_text(tree));
        return;
    }
    strbuf_addf(out, "%s%s", name ? name : "", open_tree(tree));
    for (size_t i = 0; i < value_count(tree); i++) {
        auto_free char *head = element_head(tree, i);

        if (!head)
            continue;
        strbuf_addf(out, "%s%s", comma, head);
        add_tree(out, element(tree, i));
        comma = ", ";
    }
    strbuf_add(out, close_tree(tree));
}

static bool is_list(const struct dag_argument *argument)
{
    return argument->kind == DAG_TEXTS || argument->kind == DAG_ASSETS ||
           (argument->kind == DAG_NAMES && argument->texts.count != 1);
}

void dag_render_value(const struct dag_argument *argument, struct strbuf *out)
{
    switch (argument->kind) {
    case DAG_NONE:
        strbuf_add(out, "None");
        break;
    case DAG_BOOL:
        strbuf_add(out, argument->number ? "True" : "False");
        break;
    case DAG_INT:
        strbuf_addf(out, "%lld", argument->number);
        break;
    case DAG_DURATION:
        add_duration(out, argument->number);
        break;
    case DAG_TEXT:
        strbuf_add_py_source_string(out, argument->text);
        break;
    case DAG_DATE:
        add_date(out, &argument->date, argument->text);
        break;
    case DAG_TREE:
        add_tree(out, argument->tree);
        break;
    case DAG_NAMES:
    case DAG_TEXTS:
    case DAG_ASSETS:
        if (is_list(argument))
            add_list(out, argument);
        else
            add_item(out, argument->kind, argument->texts.items[0]);
        break;
    }
}

void dag_render_variable(const struct dag *dag, const struct dag_variable *variable,
                         struct strbuf *out)
{
    auto_strbuf struct strbuf text = STRBUF_INIT;

    if (variable->is_template)
        strbuf_add_jinja_template(&text, variable->text, dag->in_pods);
    else
        strbuf_add_jinja_text(&text, variable->text, dag->in_pods);
    strbuf_add_py_source_string(out, strbuf_text(&text));
}

static void indent(struct strbuf *out, int level)
{
    strbuf_add_repeat(out, ' ', (size_t)level * INDENT);
}

static bool fits(int level, const char *head, const struct strbuf *value)
{
    return (size_t)level * INDENT + utf8_count(head) + utf8_count(strbuf_text(value)) + 1 <=
           LINE_LIMIT;
}

/* `head` and a tree, with a comma behind; what does not fit in a line gets one per element. */
static void add_tree_lines(struct strbuf *out, int level, const char *head,
                           const struct value *tree)
{
    const char *name = value_get_text(tree, DAG_CALL);
    auto_strbuf struct strbuf line = STRBUF_INIT;

    indent(out, level);
    strbuf_add(out, head);
    add_tree(&line, tree);
    if (value_is_string(tree) || fits(level, head, &line)) {
        strbuf_addf(out, "%s,\n", strbuf_text(&line));
        return;
    }
    strbuf_addf(out, "%s%s\n", name ? name : "", open_tree(tree));
    for (size_t i = 0; i < value_count(tree); i++) {
        auto_free char *element_name = element_head(tree, i);

        if (element_name)
            add_tree_lines(out, level + 1, element_name, element(tree, i));
    }
    indent(out, level);
    strbuf_addf(out, "%s,\n", close_tree(tree));
}

/* `head` and a value, with a comma behind; a list that does not fit gets a line per element. */
static void add_line(struct strbuf *out, int level, const char *head,
                     const struct dag_argument *argument)
{
    auto_strbuf struct strbuf value = STRBUF_INIT;

    if (argument->kind == DAG_TREE) {
        add_tree_lines(out, level, head, argument->tree);
        return;
    }
    indent(out, level);
    strbuf_add(out, head);
    dag_render_value(argument, &value);
    if (!is_list(argument) || fits(level, head, &value)) {
        strbuf_addf(out, "%s,\n", strbuf_text(&value));
        return;
    }
    strbuf_add(out, "[\n");
    for (size_t i = 0; i < argument->texts.count; i++) {
        indent(out, level + 1);
        add_item(out, argument->kind, argument->texts.items[i]);
        strbuf_add(out, ",\n");
    }
    indent(out, level);
    strbuf_add(out, "],\n");
}

static void add_keyword(struct strbuf *out, int level, const struct dag_argument *argument)
{
    auto_strbuf struct strbuf head = STRBUF_INIT;

    strbuf_add(&head, argument->name);
    strbuf_add_char(&head, '=');
    add_line(out, level, strbuf_text(&head), argument);
}

static void add_env(const struct dag *dag, struct strbuf *out, int level, const char *head,
                    const struct dag_variable_list *env)
{
    indent(out, level);
    strbuf_addf(out, "%s{\n", head);
    for (size_t i = 0; i < env->count; i++) {
        indent(out, level + 1);
        strbuf_add_py_source_string(out, env->items[i].name);
        strbuf_add(out, ": ");
        dag_render_variable(dag, &env->items[i], out);
        strbuf_add(out, ",");
        if (!strcmp(env->items[i].name, "SHLVL") && env->items[i].origin.source == DAG_FROM_DEFAULT)
            strbuf_add(out, "  # without it bash reads ~/.bashrc");
        strbuf_add_char(out, '\n');
    }
    indent(out, level);
    strbuf_add(out, "},\n");
}

/* An empty list of assets needs no import. */
static bool is_of_kind(const struct dag_argument *argument, enum dag_argument_kind kind)
{
    return argument->kind == kind && (kind != DAG_ASSETS || argument->texts.count);
}

static bool uses(const struct dag *dag, enum dag_argument_kind kind)
{
    const struct dag_argument_list *lists[] = {&dag->arguments, &dag->defaults};

    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        for (size_t j = 0; j < lists[i]->count; j++)
            if (is_of_kind(&lists[i]->items[j], kind))
                return true;
    for (size_t i = 0; i < dag->task_count; i++)
        for (size_t j = 0; j < dag->tasks[i].arguments.count; j++)
            if (is_of_kind(&dag->tasks[i].arguments.items[j], kind))
                return true;
    return false;
}

static bool names_kubernetes(const struct value *tree)
{
    const char *name = value_get_text(tree, DAG_CALL);

    if (name && !strncmp(name, "k8s.", 4))
        return true;
    for (size_t i = 0; i < value_count(tree); i++)
        if (names_kubernetes(element(tree, i)))
            return true;
    return false;
}

static bool uses_kubernetes_in(const struct dag_argument_list *arguments)
{
    for (size_t i = 0; i < arguments->count; i++)
        if (arguments->items[i].kind == DAG_TREE && names_kubernetes(arguments->items[i].tree))
            return true;
    return false;
}

static bool uses_kubernetes(const struct dag *dag)
{
    for (size_t i = 0; i < dag->task_count; i++)
        if (uses_kubernetes_in(&dag->tasks[i].arguments))
            return true;
    return uses_kubernetes_in(&dag->defaults);
}

static bool uses_groups(const struct dag *dag)
{
    for (size_t i = 0; i < dag->task_count; i++)
        if (dag->tasks[i].group)
            return true;
    return false;
}

static void add_modules(struct strlist *modules, const struct dag_argument_list *arguments)
{
    for (size_t i = 0; i < arguments->count; i++) {
        const struct dag_argument *argument = &arguments->items[i];

        for (size_t j = 0; argument->kind == DAG_NAMES && j < argument->texts.count; j++) {
            const char *name = argument->texts.items[j];
            auto_free char *module = xstrndup(name, (size_t)(strrchr(name, '.') - name));

            strlist_add_unique(modules, module);
        }
    }
}

/* The modules of callbacks, and pendulum: what is imported whole. */
static void list_modules(const struct dag *dag, struct strlist *modules)
{
    strlist_add(modules, "pendulum");
    add_modules(modules, &dag->arguments);
    add_modules(modules, &dag->defaults);
    for (size_t i = 0; i < dag->task_count; i++)
        add_modules(modules, &dag->tasks[i].arguments);
    strlist_sort(modules);
}

static void render_imports(const struct dag *dag, struct strbuf *out)
{
    bool has_assets = dag->has_asset_or_time || uses(dag, DAG_ASSETS);
    bool has_groups = uses_groups(dag);
    auto_strlist struct strlist modules = STRLIST_INIT;

    if (uses(dag, DAG_DURATION))
        strbuf_add(out, "from datetime import timedelta\n\n");
    list_modules(dag, &modules);
    for (size_t i = 0; i < modules.count; i++)
        strbuf_addf(out, "import %s\n", modules.items[i]);
    if (dag->in_pods)
        strbuf_add(out, "from airflow.providers.cncf.kubernetes.operators.pod import "
                        "KubernetesPodOperator\n");
    if (uses_kubernetes(dag))
        strbuf_add(out, "from kubernetes.client import models as k8s\n");
    strbuf_add(out, "\ntry:\n");
    if (!dag->in_pods)
        strbuf_add(out, "    from airflow.providers.standard.operators.bash import "
                        "BashOperator\n");
    strbuf_add(out, "    from airflow.sdk import DAG");
    if (dag->has_asset_or_time)
        strbuf_add(out, ", Asset, AssetOrTimeSchedule, CronTriggerTimetable");
    else
        strbuf_add(out, has_assets ? ", Asset" : "");
    strbuf_add(out, has_groups ? ", TaskGroup" : "");
    strbuf_addf(out,
                "\nexcept ImportError:  # Airflow 2%s\n"
                "    from airflow import DAG\n",
                dag->has_asset_or_time ? ", 3.0 and 3.1" : "");
    if (has_assets)
        strbuf_add(out, "    from airflow.datasets import Dataset as Asset\n");
    if (!dag->in_pods)
        strbuf_add(out, "    from airflow.operators.bash import BashOperator\n");
    if (dag->has_asset_or_time)
        strbuf_add(out, "    from airflow.timetables.datasets import DatasetOrTimeSchedule\n"
                        "    from airflow.timetables.trigger import CronTriggerTimetable\n");
    if (has_groups)
        strbuf_add(out, "    from airflow.utils.task_group import TaskGroup\n");
    if (dag->has_asset_or_time)
        strbuf_add(out, "\n    def AssetOrTimeSchedule(timetable, assets):\n"
                        "        return DatasetOrTimeSchedule("
                        "timetable=timetable, datasets=assets)  # noqa: AIR311\n\n");
}

static void render_arguments(const struct dag *dag, struct strbuf *out)
{
    size_t i = 0;

    /* The tags come last, where a reader looks for what is chosen first. */
    for (; i + 1 < dag->arguments.count; i++)
        add_keyword(out, 1, &dag->arguments.items[i]);
    indent(out, 1);
    strbuf_add(out, "default_args={\n");
    for (size_t j = 0; j < dag->defaults.count; j++) {
        auto_strbuf struct strbuf head = STRBUF_INIT;

        strbuf_add_py_source_string(&head, dag->defaults.items[j].name);
        strbuf_add(&head, ": ");
        if (!strcmp(dag->defaults.items[j].name, dag->in_pods ? "do_xcom_push" : "append_env"))
            add_env(dag, out, 2, dag->in_pods ? "\"env_vars\": " : "\"env\": ", &dag->env);
        add_line(out, 2, strbuf_text(&head), &dag->defaults.items[j]);
    }
    indent(out, 1);
    strbuf_add(out, "},\n");
    add_keyword(out, 1, &dag->arguments.items[i]);
}

/* The first words of what is imported whole. */
static void reserve_modules(const struct dag *dag, struct strlist *names)
{
    auto_strlist struct strlist modules = STRLIST_INIT;

    list_modules(dag, &modules);
    for (size_t i = 0; i < modules.count; i++)
        strlist_add_take(names, xstrndup(modules.items[i], strcspn(modules.items[i], ".")));
}

/* A Python name for each task: its id, unless that is no name, or hides what the file imports. */
static void name_tasks(const struct dag *dag, struct strlist *names)
{
    auto_strlist struct strlist taken = STRLIST_INIT;

    reserve_modules(dag, &taken);
    for (size_t i = 0; i < dag->task_count; i++) {
        auto_strbuf struct strbuf name = STRBUF_INIT;
        size_t length;

        for (const char *at = dag->tasks[i].task_id; *at; at++)
            strbuf_add_char(&name, *at == '-' || *at == '.' ? '_' : *at);
        if (!dag_text_is_identifier(strbuf_text(&name), name.length)) {
            strbuf_reset(&name);
            strbuf_addf(&name, "task_%zu", i + 1);
        }
        length = name.length;
        for (size_t copy = 2; strlist_contains(&taken, strbuf_text(&name)) ||
                              dag_text_is_imported(strbuf_text(&name), name.length);
             copy++) {
            strbuf_truncate(&name, length);
            strbuf_addf(&name, "_%zu", copy);
        }
        strlist_add(&taken, strbuf_text(&name));
        strlist_add(names, strbuf_text(&name));
    }
}

static void render_command(const struct dag_task *task, int level, struct strbuf *out)
{
    auto_strbuf struct strbuf command = STRBUF_INIT;

    indent(out, level);
    strbuf_add(out, "bash_command=");
    strbuf_add_jinja_text(&command, task->command, false);
    strbuf_add_py_source_string(out, strbuf_text(&command));
    strbuf_add(out, ",\n");
}

static void render_words(const struct dag_task *task, int level, struct strbuf *out)
{
    auto_value struct value *words = value_new_list();

    for (size_t i = 0; i < task->words.count; i++) {
        auto_strbuf struct strbuf word = STRBUF_INIT;

        strbuf_add_jinja_text(&word, task->words.items[i], true);
        value_append_string(words, strbuf_text(&word));
    }
    add_tree_lines(out, level, "arguments=", words);
}

static void render_task(const struct dag *dag, const struct dag_task *task, const char *name,
                        int level, struct strbuf *out)
{
    indent(out, level);
    if (name)
        strbuf_addf(out, "%s = ", name);
    strbuf_add(out, dag->in_pods ? "KubernetesPodOperator(" : "BashOperator(");
    if (name && strcmp(name, task->task_id) != 0)
        strbuf_add(out, "  # noqa: AIR001");
    strbuf_add_char(out, '\n');
    indent(out, level + 1);
    strbuf_add(out, "task_id=");
    strbuf_add_py_source_string(out, task->task_id);
    strbuf_add(out, ",\n");
    if (dag->in_pods)
        render_words(task, level + 1, out);
    else
        render_command(task, level + 1, out);
    if (task->env.count)
        add_env(dag, out, level + 1, dag->in_pods ? "env_vars=" : "env=", &task->env);
    for (size_t i = 0; i < task->arguments.count; i++)
        add_keyword(out, level + 1, &task->arguments.items[i]);
    indent(out, level);
    strbuf_add(out, ")\n");
}

/* The tasks of one group stand together, where the first of them is. */
static void render_group(const struct dag *dag, size_t first, const struct strlist *names,
                         struct strbuf *out)
{
    const char *group = dag->tasks[first].group;

    for (size_t i = 0; i < first; i++)
        if (dag->tasks[i].group && !strcmp(dag->tasks[i].group, group))
            return;
    indent(out, 1);
    strbuf_add(out, "with TaskGroup(group_id=");
    strbuf_add_py_source_string(out, group);
    strbuf_add(out, "):\n");
    for (size_t i = first; i < dag->task_count; i++)
        if (dag->tasks[i].group && !strcmp(dag->tasks[i].group, group))
            render_task(dag, &dag->tasks[i], names ? names->items[i] : NULL, 2, out);
}

static bool is_chain(const struct dag *dag)
{
    for (size_t i = 0; i < dag->task_count; i++)
        if (dag->tasks[i].upstream_count != (i ? 1 : 0) ||
            (i && dag->tasks[i].upstream[0] != i - 1))
            return false;
    return true;
}

/* "a >> b >> c", in several lines when it does not fit in one. */
static void render_chain(const struct strlist *names, struct strbuf *out)
{
    auto_free char *line = strlist_join(names, " >> ");

    if (INDENT + strlen(line) <= LINE_LIMIT) {
        indent(out, 1);
        strbuf_addf(out, "%s\n", line);
        return;
    }
    indent(out, 1);
    strbuf_add(out, "(\n");
    for (size_t i = 0; i < names->count; i++) {
        indent(out, 2);
        strbuf_addf(out, "%s%s\n", i ? ">> " : "", names->items[i]);
    }
    indent(out, 1);
    strbuf_add(out, ")\n");
}

/* Tasks that one waits for, or that wait for one: "[a, b]" between what is before and behind. A
 * list that is too long for the line gets a line per element. */
static void render_fan(const char *before, const struct strlist *tasks, const char *behind,
                       struct strbuf *out)
{
    auto_free char *list = strlist_join(tasks, ", ");

    indent(out, 1);
    if (INDENT + strlen(before) + strlen(list) + strlen(behind) + 2 <= LINE_LIMIT) {
        strbuf_addf(out, "%s[%s]%s\n", before, list, behind);
        return;
    }
    strbuf_addf(out, "%s[\n", before);
    for (size_t i = 0; i < tasks->count; i++) {
        indent(out, 2);
        strbuf_addf(out, "%s,\n", tasks->items[i]);
    }
    indent(out, 1);
    strbuf_addf(out, "]%s\n", behind);
}

/* Formatters break a line elsewhere when the single name is this long. */
static bool is_too_long_for_fan(const char *name)
{
    return INDENT + strlen(name) + strlen(" >> [") > LINE_LIMIT;
}

static void render_edge(const char *from, const char *to, struct strbuf *out)
{
    auto_strlist struct strlist edge = STRLIST_INIT;

    strlist_add(&edge, from);
    strlist_add(&edge, to);
    render_chain(&edge, out);
}

static void render_upstream(const struct dag_task *task, const char *name,
                            const struct strlist *names, struct strbuf *out)
{
    auto_free char *behind = xasprintf(" >> %s", name);
    auto_strlist struct strlist upstream = STRLIST_INIT;

    for (size_t i = 0; i < task->upstream_count; i++)
        strlist_add(&upstream, names->items[task->upstream[i]]);
    if (!is_too_long_for_fan(name)) {
        render_fan("", &upstream, behind, out);
        return;
    }
    for (size_t i = 0; i < upstream.count; i++)
        render_edge(upstream.items[i], name, out);
}

static bool waits_only_for(const struct dag_task *task, size_t position)
{
    return task->upstream_count == 1 && task->upstream[0] == position;
}

/* The task and those behind it that wait for the same one alone; nothing when one before it does,
 * for that has told it. */
static void render_downstream(const struct dag *dag, size_t position, const struct strlist *names,
                              struct strbuf *out)
{
    size_t from = dag->tasks[position].upstream[0];
    auto_free char *before = xasprintf("%s >> ", names->items[from]);
    auto_strlist struct strlist downstream = STRLIST_INIT;

    for (size_t i = 0; i < dag->task_count; i++) {
        if (!waits_only_for(&dag->tasks[i], from))
            continue;
        if (i < position)
            return;
        strlist_add(&downstream, names->items[i]);
    }
    if (downstream.count > 1 && !is_too_long_for_fan(names->items[from])) {
        render_fan(before, &downstream, "", out);
        return;
    }
    for (size_t i = 0; i < downstream.count; i++)
        render_edge(names->items[from], downstream.items[i], out);
}

static void render_order(const struct dag *dag, const struct strlist *names, struct strbuf *out)
{
    strbuf_add_char(out, '\n');
    if (is_chain(dag)) {
        render_chain(names, out);
        return;
    }
    for (size_t i = 0; i < dag->task_count; i++) {
        const struct dag_task *task = &dag->tasks[i];

        if (task->upstream_count > 1)
            render_upstream(task, names->items[i], names, out);
        else if (task->upstream_count)
            render_downstream(dag, i, names, out);
    }
}

static void render_tasks(const struct dag *dag, struct strbuf *out)
{
    auto_strlist struct strlist names = STRLIST_INIT;
    bool is_ordered = false;

    for (size_t i = 0; i < dag->task_count; i++)
        is_ordered |= dag->tasks[i].upstream_count > 0;
    if (is_ordered)
        name_tasks(dag, &names);
    for (size_t i = 0; i < dag->task_count; i++) {
        if (dag->tasks[i].group)
            render_group(dag, i, is_ordered ? &names : NULL, out);
        else
            render_task(dag, &dag->tasks[i], is_ordered ? names.items[i] : NULL, 1, out);
    }
    if (is_ordered)
        render_order(dag, &names, out);
}

static bool has_long_line(const char *text)
{
    for (size_t length; *text; text += length + (text[length] == '\n')) {
        length = strcspn(text, "\n");
        if (length > LINE_LIMIT && !memmem(text, length, "# noqa:", 7))
            return true;
    }
    return false;
}

/* Copies the template; a line @name@ is replaced by the lines of that part. */
static void render_template(const struct dag *dag, struct strbuf *out)
{
    static const struct {
        const char *line;
        void (*render)(const struct dag *dag, struct strbuf *out);
    } parts[] = {
        {"@imports@\n", render_imports},
        {"@arguments@\n", render_arguments},
        {"@tasks@\n", render_tasks},
    };
    const char *at = EMBED(templates_dag_py);

    while (*at) {
        size_t length = strcspn(at, "\n") + 1, part = 0;

        while (part < ARRAY_LEN(parts) && strncmp(at, parts[part].line, length) != 0)
            part++;
        if (part < ARRAY_LEN(parts))
            parts[part].render(dag, out);
        else
            strbuf_add_bytes(out, at, length);
        at += length;
    }
}

/* Texts cannot be broken, which linters should not complain about. */
void dag_render(const struct dag *dag, struct strbuf *out)
{
    auto_strbuf struct strbuf text = STRBUF_INIT;
    size_t first_line;

    render_template(dag, &text);
    first_line = strcspn(strbuf_text(&text), "\n") + 1;
    strbuf_add_bytes(out, text.text, first_line);
    if (has_long_line(text.text))
        strbuf_add(out, "# ruff: noqa: E501\n");
    strbuf_add_bytes(out, text.text + first_line, text.length - first_line);
}

bool dag_render_is_ours(const struct strbuf *text)
{
    const char *template = EMBED(templates_dag_py);
    size_t length = strcspn(template, "\n") + 1;

    return text->length >= length && !memcmp(text->text, template, length);
}
