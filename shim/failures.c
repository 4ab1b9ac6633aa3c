#include "shim/failures.h"

#include "base/json.h"
#include "base/memory.h"

#include <string.h>

static void failure_clear(struct failure *failure)
{
    free(failure->fingerprint);
    free(failure->signature);
    free(failure->message);
    free(failure->first_at);
    free(failure->last_at);
    strlist_clear(&failure->state_ids);
    strlist_clear(&failure->run_ids);
}

void failure_list_clear(struct failure_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        failure_clear(&list->items[i]);
    free(list->items);
    *list = (struct failure_list){0};
}

const struct failure *failures_find(const struct failure_list *list, const char *fingerprint)
{
    for (size_t i = 0; i < list->count; i++)
        if (!strcmp(list->items[i].fingerprint, fingerprint))
            return &list->items[i];
    return NULL;
}

static struct failure *find_or_add(struct failure_list *list, const char *fingerprint)
{
    struct failure *found = (struct failure *)failures_find(list, fingerprint);

    if (found)
        return found;
    GROW(list->items, list->count, list->capacity);
    list->items[list->count] = (struct failure){.fingerprint = xstrdup(fingerprint)};
    return &list->items[list->count++];
}

static const char *text_or_empty(const struct value *map, const char *key)
{
    const char *text = value_get_text(map, key);

    return text ? text : "";
}

/* Records come the newest first. */
static void add_record(struct failure_list *list, const struct value *record)
{
    const struct value *error = value_get(record, "error");
    const char *fingerprint = value_get_text(error, "fingerprint");
    const char *state_id = value_get_text(record, "state_id");
    struct failure *failure;

    if (!fingerprint)
        return;
    failure = find_or_add(list, fingerprint);
    if (!failure->last_at) {
        failure->signature = xstrdup(text_or_empty(error, "signature"));
        failure->message = xstrdup(text_or_empty(error, "message"));
        failure->last_at = xstrdup(text_or_empty(record, "started_at"));
    }
    free(failure->first_at);
    failure->first_at = xstrdup(text_or_empty(record, "started_at"));
    if (state_id && !strlist_contains(&failure->state_ids, state_id))
        strlist_add(&failure->state_ids, state_id);
    strlist_add(&failure->run_ids, text_or_empty(record, "run_id"));
}

int failures_collect(struct store *store, const char *state_id, size_t limit,
                     struct failure_list *out, struct error *err)
{
    auto_strlist struct strlist records = STRLIST_INIT;

    if (store_list_records(store, state_id, limit, &records, err) < 0)
        return -1;
    for (size_t i = 0; i < records.count; i++) {
        auto_value struct value *record = NULL;

        if (json_parse(records.items[i], strlen(records.items[i]), "run record", &record, err) < 0)
            return -1;
        add_record(out, record);
    }
    return 0;
}
