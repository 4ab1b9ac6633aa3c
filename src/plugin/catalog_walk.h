/* plugin/catalog_walk.h - visits the streams, properties and metadata entries of a Singer catalog.
 *
 * The order and what counts as which follow Meltano, because selection depends on both: depth
 * first in the order of the keys, and a node is what the text of its path says it is. So a property
 * below "items" is none, nor is one whose name holds anything but letters, digits and '_'. */
#ifndef PLUGIN_CATALOG_WALK_H
#define PLUGIN_CATALOG_WALK_H

#include "base/error.h"
#include "base/strbuf.h"
#include "base/value.h"

#include <stdbool.h>

struct catalog_walk;

/* Called before the node's own members are visited; each may change the node. */
struct catalog_visitor {
    int (*on_stream)(struct catalog_walk *walk, struct value *stream, struct error *err);
    int (*on_property)(struct catalog_walk *walk, struct value *property, struct error *err);
    int (*on_metadata)(struct catalog_walk *walk, struct value *entry, struct error *err);
};

struct catalog_walk {
    const struct catalog_visitor *visitor; /* functions may be NULL */
    void *context;
    struct value *stream;         /* the last one visited, NULL before the first */
    bool is_past_stream_metadata; /* the stream's own list of metadata has been visited */
    struct strbuf path;           /* ".streams[0].schema.properties.id" */
    unsigned depth;
};

int catalog_walk(struct value *catalog, const struct catalog_visitor *visitor, void *context,
                 struct error *err);

/* The breadcrumb of a property that is being visited: "properties.a.properties.b". Borrowed. */
const char *catalog_walk_breadcrumb(const struct catalog_walk *walk);
/* Sets an error (ERR_TAP) that says where in the catalog it is. Returns -1. */
int catalog_walk_error(const struct catalog_walk *walk, struct error *err, const char *format, ...)
    ATTR_PRINTF(3, 4);

/* The stream's id; *id is NULL when it has none. An id that is no text is an error. */
int catalog_stream_id(const struct catalog_walk *walk, const struct value *stream, const char **id,
                      struct error *err);
/* Joins a metadata entry's breadcrumb with dots. */
int catalog_breadcrumb_text(const struct catalog_walk *walk, const struct value *breadcrumb,
                            struct strbuf *out, struct error *err);

#endif
