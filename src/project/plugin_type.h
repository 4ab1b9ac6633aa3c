/* project/plugin_type.h - Meltano's plugin types and the names each goes by. */
#ifndef PROJECT_PLUGIN_TYPE_H
#define PROJECT_PLUGIN_TYPE_H

#include <stdbool.h>

/* In the order in which Meltano searches and writes them. */
enum plugin_type {
    PLUGIN_EXTRACTOR,
    PLUGIN_LOADER,
    PLUGIN_TRANSFORM,
    PLUGIN_ORCHESTRATOR,
    PLUGIN_TRANSFORMER,
    PLUGIN_FILE,
    PLUGIN_UTILITY,
    PLUGIN_MAPPER,
    PLUGIN_TYPE_COUNT,
};

struct plugin_type_info {
    const char *plural;   /* "extractors": in meltano.yml and in paths */
    const char *singular; /* "extractor": on the command line and, in upper case, in variables */
    const char *verb;     /* "EXTRACT": MELTANO_EXTRACT_... */
    const char *label;    /* "extractor", "file bundle": in messages */
};

const struct plugin_type_info *plugin_type_info(enum plugin_type type);
/* Accepts the singular and the plural. */
bool plugin_type_parse(const char *word, enum plugin_type *out);
/* Whether a plugin of this type speaks Singer: extractors, loaders, mappers. */
bool plugin_type_is_singer(enum plugin_type type);

#endif
