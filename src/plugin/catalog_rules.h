/* plugin/catalog_rules.h - what select, metadata, schema and select_filter say, as flat rules.
 *
 * A rule names streams and one or more places in them by shell patterns, and what to set there. A
 * place is a breadcrumb joined by dots: "" is the stream itself, "properties.a.properties.b" a
 * property. Of several rules that match the same place and key, the last one wins. */
#ifndef PLUGIN_CATALOG_RULES_H
#define PLUGIN_CATALOG_RULES_H

#include "base/error.h"
#include "base/strlist.h"
#include "base/value.h"

#include <stdbool.h>

struct catalog_rule {
    struct strlist streams; /* patterns */
    bool negated;           /* matches the streams that none of the patterns match */
    bool is_filter;         /* from select_filter: what it names need not exist */
    char *breadcrumb;       /* a pattern */
    char *key;              /* the metadata key to set; NULL for a schema rule */
    struct value *value; /* what to set it to; the whole schema of the property for a schema rule */
};

struct catalog_rule_list {
    struct catalog_rule *items;
    size_t count, capacity;
};

#define CATALOG_RULE_LIST_INIT                                                                     \
    {                                                                                              \
        NULL, 0, 0                                                                                 \
    }

void catalog_rule_list_clear(struct catalog_rule_list *list);
#define auto_catalog_rule_list ATTR_CLEANUP(catalog_rule_list_clear)

/* Each appends to out; NULL and null add nothing. Errors (ERR_CONFIG) name the entry. */

/* Patterns "[!]STREAM[.PROPERTY[.PART...]]": all positive ones first, then all negative ones. */
int catalog_rules_add_select(const struct value *patterns, struct catalog_rule_list *out,
                             struct error *err);
/* STREAM[.PROPERTY...].KEY: VALUE, nested or with dots. */
int catalog_rules_add_metadata(const struct value *metadata, struct catalog_rule_list *out,
                               struct error *err);
/* STREAM: {PROPERTY: SCHEMA}. */
int catalog_rules_add_schema(const struct value *schema, struct catalog_rule_list *out,
                             struct error *err);
/* Patterns of which only the stream counts: the streams that no positive one matches and those
 * that a negative one matches are deselected. */
int catalog_rules_add_select_filter(const struct value *patterns, struct catalog_rule_list *out,
                                    struct error *err);

bool catalog_rule_matches_stream(const struct catalog_rule *rule, const char *stream_id);
bool catalog_rule_matches_place(const struct catalog_rule *rule, const char *breadcrumb);

#endif
