/* plugin/catalog.h - Singer catalogs: selection, metadata and schema rules (spec 6). */
#ifndef PLUGIN_CATALOG_H
#define PLUGIN_CATALOG_H

#include "base/error.h"
#include "base/value.h"

struct catalog_rules {
    const struct value *select;        /* list of patterns or NULL */
    const struct value *metadata;      /* nested or flat map or NULL */
    const struct value *schema;        /* map or NULL */
    const struct value *select_filter; /* list or NULL */
};

/* Applies the rules to the catalog in place, in Meltano's order. */
int catalog_apply_rules(struct value *catalog, const struct catalog_rules *rules,
                        struct error *err);

enum selection {
    SELECTION_SELECTED,
    SELECTION_EXCLUDED,
    SELECTION_AUTOMATIC,
    SELECTION_UNSUPPORTED
};

/* The effective selection of every property, sorted by stream and property: a list of
 * {"stream", "property", "selection"} maps. The caller frees *out. */
int catalog_list_selection(const struct value *catalog, struct value **out, struct error *err);

#endif
