#include "dag_generator/dag_builder.h"

#include "base/memory.h"

#include <string.h>

struct dag_argument *dag_argument_add(struct dag_argument_list *list, const char *name,
                                      enum dag_argument_kind kind, struct dag_origin origin)
{
    struct dag_argument *argument;

    GROW(list->items, list->count, list->capacity);
    argument = &list->items[list->count++];
    *argument = (struct dag_argument){.name = name, .kind = kind, .origin = origin};
    return argument;
}

void dag_argument_add_number(struct dag_argument_list *list, const char *name,
                             enum dag_argument_kind kind, long long number,
                             struct dag_origin origin)
{
    dag_argument_add(list, name, kind, origin)->number = number;
}

void dag_argument_add_text(struct dag_argument_list *list, const char *name, const char *text,
                           struct dag_origin origin)
{
    dag_argument_add(list, name, DAG_TEXT, origin)->text = xstrdup(text);
}

static void add_part(struct dag_argument *argument, const char *name, struct dag_origin origin)
{
    GROW(argument->parts, argument->part_count, argument->part_capacity);
    argument->parts[argument->part_count++] = (struct dag_part){.name = name, .origin = origin};
}

void dag_argument_add_part(struct dag_argument *argument, const struct dag_choices *choices,
                           enum dag_option option)
{
    enum dag_source source;
    const struct value *value = dag_choice(choices, option, &source);

    if (value)
        add_part(argument, dag_options[option].key, dag_origin_of(source, value));
}

void dag_argument_add_place(struct dag_argument *argument, enum dag_source source,
                            const struct value *value)
{
    add_part(argument, NULL, dag_origin_of(source, value));
}

void dag_arguments_clear(struct dag_argument_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].text);
        strlist_clear(&list->items[i].texts);
        value_free(list->items[i].tree);
        free(list->items[i].parts);
    }
    free(list->items);
}

const struct dag_argument *dag_argument_find(const struct dag_argument_list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (!strcmp(list->items[i].name, name))
            return &list->items[i];
    return NULL;
}

void dag_texts_add(struct strlist *texts, const struct value *value)
{
    if (!value_is_list(value))
        strlist_add(texts, value_text(value));
    for (size_t i = 0; i < value_count(value); i++)
        strlist_add(texts, value_text(value_at(value, i)));
}

/* A run of the DAG and a task have callbacks of the same name. */
static const char *argument_name(enum dag_option option)
{
    if (option == DAG_OPTION_ON_DAG_FAILURE_CALLBACK)
        return "on_failure_callback";
    if (option == DAG_OPTION_ON_DAG_SUCCESS_CALLBACK)
        return "on_success_callback";
    return dag_options[option].key;
}

static void add_choice(struct dag_argument_list *list, enum dag_option option,
                       const struct value *value, struct dag_origin origin)
{
    const char *name = argument_name(option);

    switch (dag_options[option].type) {
    case DAG_TYPE_BOOL:
        dag_argument_add_number(list, name, DAG_BOOL, value->boolean, origin);
        break;
    case DAG_TYPE_INT:
        dag_argument_add_number(list, name, DAG_INT, value_to_int(value, 0), origin);
        break;
    case DAG_TYPE_DURATION:
        dag_argument_add_number(list, name, DAG_DURATION, dag_duration_seconds(value), origin);
        break;
    case DAG_TYPE_NAMES:
        dag_texts_add(&dag_argument_add(list, name, DAG_NAMES, origin)->texts, value);
        break;
    case DAG_TYPE_ASSETS:
        dag_texts_add(&dag_argument_add(list, name, DAG_ASSETS, origin)->texts, value);
        break;
    default:
        dag_argument_add_text(list, name, value_text(value), origin);
    }
}

void dag_arguments_add(struct dag_argument_list *list, const struct dag_choices *choices,
                       enum dag_option first, enum dag_option last)
{
    for (int i = first; i <= (int)last; i++) {
        enum dag_option option = (enum dag_option)i;
        enum dag_source source;
        const struct value *value = dag_choice(choices, option, &source);

        if (value)
            add_choice(list, option, value, dag_origin_of(source, value));
    }
}
