/* plugin/catalog.h - Singer catalogs: selection, metadata and schema rules.
 *
 * The result is what Meltano 4.4.1 writes, in the order of the keys too, with two exceptions.
 * Where a stream's metadata stands before its schema, Meltano adds entries for properties that
 * have none and then forgets the rules for them, so that "!users.email" does nothing on the first
 * run; here such an entry gets its "selected": false at once. And where a schema rule with nested
 * properties matches several properties, Meltano gives all of them the same object, so that a
 * further rule for one of them changes the others; here each has its own. */
#ifndef PLUGIN_CATALOG_H
#define PLUGIN_CATALOG_H

#include "base/error.h"
#include "base/value.h"

/* NULL means not given. Without select nothing is deselected first: a catalog that the user made
 * is only filtered. */
struct catalog_rules {
    const struct value *select;        /* list of patterns */
    const struct value *metadata;      /* nested or flat map */
    const struct value *schema;        /* map */
    const struct value *select_filter; /* list of patterns */
};

/* Applies the rules to the catalog in place, in Meltano's order, and warns about rules that name
 * a stream or property which is not there. ERR_CONFIG: a rule is wrong; ERR_TAP: the catalog is. */
int catalog_apply_rules(struct value *catalog, const struct catalog_rules *rules,
                        struct error *err);

enum selection {
    SELECTION_SELECTED,
    SELECTION_EXCLUDED,
    SELECTION_AUTOMATIC,
    SELECTION_UNSUPPORTED,
    SELECTION_COUNT,
};

/* "selected", ... */
const char *selection_name(enum selection selection);

/* The effective selection of every property, sorted by stream and property: a list of
 * {"stream", "property", "selection"} maps. The caller frees *out. */
int catalog_list_selection(const struct value *catalog, struct value **out, struct error *err);

#endif
