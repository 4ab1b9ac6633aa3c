#include "dag_generator/dag_builder.h"

#include "base/memory.h"
#include "base/position.h"
#include "dag_generator/dag_text.h"

#include <string.h>

void dag_variable_set(struct dag_variable_list *list, const char *name, const char *text,
                      bool is_template, struct dag_origin origin)
{
    struct dag_variable *variable = NULL;

    for (size_t i = 0; i < list->count && !variable; i++)
        if (!strcmp(list->items[i].name, name))
            variable = &list->items[i];
    if (variable) {
        free(variable->text);
    } else {
        GROW(list->items, list->count, list->capacity);
        variable = &list->items[list->count++];
        variable->name = xstrdup(name);
    }
    variable->text = xstrdup(text);
    variable->is_template = is_template;
    variable->origin = origin;
}

void dag_variables_clear(struct dag_variable_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].name);
        free(list->items[i].text);
    }
    free(list->items);
}

/* bash starts the task and keeps these for itself: it would not hand them on as they are. */
static bool is_variable_of_bash(const char *name)
{
    static const char *const names[] = {
        "BASH",          "BASHOPTS",
        "BASHPID",       "BASH_ARGV0",
        "BASH_COMMAND",  "BASH_SUBSHELL",
        "BASH_VERSINFO", "BASH_EXECUTION_STRING",
        "BASH_VERSION",  "COMP_WORDBREAKS",
        "EPOCHREALTIME", "EPOCHSECONDS",
        "HISTCMD",       "IFS",
        "LINENO",        "OLDPWD",
        "OPTERR",        "OPTIND",
        "PPID",          "PS1",
        "PS2",           "PS4",
        "PWD",           "RANDOM",
        "SHELLOPTS",     "SRANDOM",
    };

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (!strcmp(names[i], name))
            return true;
    return false;
}

static int check_variable(const struct value_member *member, const struct value *map,
                          struct error *err)
{
    const char *name = member->key;
    const struct value *value = member->value;

    if (!*name || strchr(name, '='))
        return error_set_at_key(err, ERR_CONFIG, map, name,
                                "'%s' cannot be the name of an environment variable", name);
    if (is_variable_of_bash(name))
        return error_set_at_key(err, ERR_CONFIG, map, name,
                                "bash, which starts the task, sets the variable '%s' itself", name);
    if (value_is_map(value) || value_is_list(value) || value_is_null(value))
        return error_set_at_key(err, ERR_CONFIG, map, name,
                                "the variable '%s' must have a text, not %s", name,
                                value_kind_name(value_kind(value)));
    if (value_is_string(value) && memchr(value->text.bytes, '\0', value->text.length))
        return error_set_at_key(err, ERR_CONFIG, map, name,
                                "the variable '%s' holds a NUL, which no process can be given",
                                name);
    return 0;
}

int dag_variables_add(struct dag_variable_list *list, const struct value *map, bool are_templates,
                      enum dag_source source, struct error *err)
{
    for (size_t i = 0; i < value_count(map); i++) {
        const struct value_member *member = value_member_at(map, i);
        auto_strbuf struct strbuf text = STRBUF_INIT;
        bool is_template;

        if (check_variable(member, map, err) < 0)
            return -1;
        if (value_text(member->value))
            strbuf_add(&text, value_text(member->value));
        else
            strbuf_add_py_repr(&text, member->value); /* True or False */
        if (strlen(member->key) + 1 + text.length + 1 > DAG_LONGEST_WORD)
            return error_set_at_key(err, ERR_CONFIG, map, member->key,
                                    "the variable '%s' has %zu bytes, more than Linux hands to a "
                                    "process",
                                    member->key, text.length);
        is_template =
            are_templates && (strstr(strbuf_text(&text), "{{") || strstr(strbuf_text(&text), "{%"));
        if (is_template && dag_text_find_open_tag(strbuf_text(&text))) {
            error_set_at_key(err, ERR_CONFIG, map, member->key,
                             "the template in the variable '%s' is not closed: %s", member->key,
                             dag_text_find_open_tag(strbuf_text(&text)));
            return error_hint(err, "Airflow reads it by Jinja, such as '{{ ds }}'.");
        }
        dag_variable_set(list, member->key, strbuf_text(&text), is_template,
                         (struct dag_origin){source, member->value->file, member->line});
    }
    return 0;
}
