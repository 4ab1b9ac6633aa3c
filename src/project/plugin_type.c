#include "project/plugin_type.h"

#include "base/attrs.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

static const struct plugin_type_info infos[] = {
    [PLUGIN_EXTRACTOR] = {"extractors", "extractor", "EXTRACT", "extractor"},
    [PLUGIN_LOADER] = {"loaders", "loader", "LOAD", "loader"},
    [PLUGIN_TRANSFORM] = {"transforms", "transform", "TRANSFORM", "transform"},
    [PLUGIN_ORCHESTRATOR] = {"orchestrators", "orchestrator", "ORCHESTRAT", "orchestrator"},
    [PLUGIN_TRANSFORMER] = {"transformers", "transformer", "TRANSFORM", "transformer"},
    [PLUGIN_FILE] = {"files", "file", "FI", "file bundle"},
    [PLUGIN_UTILITY] = {"utilities", "utility", "UTILIZE", "utility"},
    [PLUGIN_MAPPER] = {"mappers", "mapper", "MAP", "mapper"},
};
_Static_assert(ARRAY_LEN(infos) == PLUGIN_TYPE_COUNT, "a plugin type has no names");

const struct plugin_type_info *plugin_type_info(enum plugin_type type)
{
    assert(type < PLUGIN_TYPE_COUNT);
    return &infos[type];
}

bool plugin_type_parse(const char *word, enum plugin_type *out)
{
    for (size_t i = 0; i < ARRAY_LEN(infos); i++)
        if (!strcmp(word, infos[i].plural) || !strcmp(word, infos[i].singular)) {
            *out = (enum plugin_type)i;
            return true;
        }
    return false;
}

bool plugin_type_is_singer(enum plugin_type type)
{
    return type == PLUGIN_EXTRACTOR || type == PLUGIN_LOADER || type == PLUGIN_MAPPER;
}
