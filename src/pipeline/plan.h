/* pipeline/plan.h - the words of a `run` as blocks that can be executed: pure data. */
#ifndef PIPELINE_PLAN_H
#define PIPELINE_PLAN_H

#include "base/error.h"
#include "base/strbuf.h"
#include "base/strlist.h"
#include "project/project.h"

#include <stddef.h>

enum block_kind {
    BLOCK_EXTRACT_LOAD, /* an extractor, any number of mappers, a loader */
    BLOCK_COMMAND,      /* a command of any other plugin */
};

struct block {
    enum block_kind kind;
    /* Extract-load: extractor, mappings in their order, loader. Command: the one plugin.
     * Borrowed from the project. */
    struct plugin **plugins;
    size_t plugin_count;
    char *command; /* of a command block; NULL: the plugin's executable without arguments */
    char *words;   /* as the user wrote them, for messages and the record */
};

struct plan {
    struct block *blocks;
    size_t count, capacity;
};

#define PLAN_INIT                                                                                  \
    {                                                                                              \
        NULL, 0, 0                                                                                 \
    }

/* Replaces job names by their tasks and forms blocks, left to right, as Meltano does. Nothing is
 * resolved, and the whole list is checked before anything can run. *out is empty when words are. */
int plan_from_words(const struct project *project, const struct strlist *words, struct plan *out,
                    struct error *err);
/* The block of `el EXTRACTOR LOADER`. */
int plan_from_pair(const struct project *project, const char *extractor, const char *loader,
                   struct plan *out, struct error *err);
/* Finds the definition of every plugin of the plan, in its order: one that cannot be found is known
 * before the first block starts. */
int plan_resolve(const struct plan *plan, struct error *err);
void plan_clear(struct plan *plan);
static inline void plan_auto(struct plan *plan)
{
    plan_clear(plan);
}
#define auto_plan ATTR_CLEANUP(plan_auto)

static inline struct plugin *block_extractor(const struct block *block)
{
    return block->plugins[0];
}
static inline struct plugin *block_loader(const struct block *block)
{
    return block->plugins[block->plugin_count - 1];
}

/* '<environment>:<extractor>-to-<loader>[:<suffix>]'; suffix may be NULL or empty. The caller frees
 * *out. */
int plan_make_state_id(const char *environment, const struct block *block, const char *suffix,
                       char **out, struct error *err);

#endif
