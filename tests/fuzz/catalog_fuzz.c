/* What a tap prints as its catalog, and rules for it: [catalog, {"select": ..., ...}]. After the
 * second time nothing is left to add. */
#include "plugin/catalog.h"

#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size);

static size_t count_values(const struct value *value)
{
    size_t count = 1;

    for (size_t i = 0; i < value_count(value); i++)
        count += count_values(value_is_map(value) ? value_member_at(value, i)->value
                                                  : value_at(value, i));
    return count;
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size)
{
    struct error err = {0};
    auto_value struct value *input = NULL, *listing = NULL;
    struct value *catalog;
    struct catalog_rules rules;
    size_t before;

    log_set_level(LOG_DISABLED);
    if (json_parse((const char *)bytes, size, NULL, &input, &err) < 0 || !value_at(input, 0))
        return 0;
    catalog = value_at(input, 0);
    rules = (struct catalog_rules){
        .select = value_get(value_at(input, 1), "select"),
        .metadata = value_get(value_at(input, 1), "metadata"),
        .select_filter = value_get(value_at(input, 1), "select_filter"),
    };
    if (catalog_apply_rules(catalog, &rules, &err) < 0 ||
        catalog_apply_rules(catalog, &rules, &err) < 0)
        return 0;
    before = count_values(catalog);
    if (!catalog_apply_rules(catalog, &rules, &err) && count_values(catalog) != before)
        __builtin_trap();
    rules.schema = value_get(value_at(input, 1), "schema");
    if (catalog_apply_rules(catalog, &rules, &err) < 0)
        return 0;
    catalog_list_selection(catalog, &listing, &err);
    return 0;
}
