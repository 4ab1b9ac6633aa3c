#include "pipeline/plan.h"

#include "base/memory.h"
#include "base/position.h"
#include "base/suggest.h"

#include <string.h>

void plan_clear(struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        free(plan->blocks[i].plugins);
        free(plan->blocks[i].command);
        free(plan->blocks[i].words);
    }
    free(plan->blocks);
    *plan = (struct plan)PLAN_INIT;
}

/* A word of the command line with the plugin it names. */
struct step {
    const char *word;
    struct plugin *plugin;
    char *command;
};

struct step_list {
    struct step *items;
    size_t count, capacity;
};

static void step_list_clear(struct step_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i].command);
    free(list->items);
}
#define auto_step_list ATTR_CLEANUP(step_list_clear)

static void add_task_words(const struct value *task, struct strlist *words)
{
    if (value_is_list(task)) {
        for (size_t i = 0; i < value_count(task); i++)
            add_task_words(value_at(task, i), words);
    } else if (value_text(task)) {
        auto_strlist struct strlist parts = STRLIST_INIT;

        strlist_split(&parts, value_text(task), ' ');
        for (size_t i = 0; i < parts.count; i++)
            if (*parts.items[i])
                strlist_add(words, parts.items[i]);
    }
}

/* Jobs become the words of their tasks, one level deep. */
static int expand_jobs(const struct project *project, const struct strlist *words,
                       struct strlist *out, struct error *err)
{
    for (size_t i = 0; i < words->count; i++) {
        const struct job *job = project_find_job(project, words->items[i]);
        size_t first = out->count;

        if (!job) {
            strlist_add(out, words->items[i]);
            continue;
        }
        add_task_words(job->tasks, out);
        if (out->count == first) {
            error_set_at(err, ERR_CONFIG, job->entry, "job '%s' has no tasks", job->name);
            return error_hint(err, "Write some below its 'tasks:', each after '- '.");
        }
        for (size_t j = first; j < out->count; j++)
            if (project_find_job(project, out->items[j]) &&
                project_find_plugin(project, out->items[j])) {
                error_set(err, ERR_CONFIG,
                          "ambiguous reference to '%s' which matches a job name and a plugin name",
                          out->items[j]);
                return error_hint(err, "Rename the job or the plugin in meltano.yml.");
            }
    }
    return 0;
}

/* The one of the jobs among words that the word stands in. */
static const struct job *job_with_word(const struct project *project, const struct strlist *words,
                                       const char *word)
{
    for (size_t i = 0; i < words->count; i++) {
        const struct job *job = project_find_job(project, words->items[i]);
        auto_strlist struct strlist tasks = STRLIST_INIT;

        if (!job)
            continue;
        add_task_words(job->tasks, &tasks);
        if (strlist_contains(&tasks, word))
            return job;
    }
    return NULL;
}

/* Of the names that a block can have; NULL when none is near. The caller frees it. */
static char *nearest_block(const struct project *project, const char *name)
{
    auto_strlist struct strlist known = STRLIST_INIT;

    for (size_t i = 0; i < project->plugin_count; i++)
        strlist_add(&known, project->plugins[i]->name);
    for (size_t i = 0; i < project->job_count; i++)
        strlist_add(&known, project->jobs[i].name);
    return xstrdup_or_null(suggest_nearest(name, &known));
}

/* name is what word says before its colon. */
static int refuse_block(const struct project *project, const struct strlist *words,
                        const char *word, const char *name, struct error *err)
{
    const struct job *job = job_with_word(project, words, word);
    auto_free char *nearest = nearest_block(project, name);
    auto_strbuf struct strbuf hint = STRBUF_INIT;

    error_set(err, ERR_CONFIG, "block %s not found", word);
    if (job)
        strbuf_addf(&hint, "The job '%s' names it (%s:%u). ", job->name, job->entry->file,
                    job->entry->line);
    if (project_find_job(project, word))
        strbuf_add(&hint, "A job cannot be a task of another job: list its tasks.");
    else if (nearest && strcmp(nearest, name))
        strbuf_addf(&hint, "Did you mean '%s'?", nearest);
    else
        strbuf_add(&hint, "It is no job and no plugin of this project; 'meltshim plugin list' and "
                          "'meltshim job list' show them.");
    return error_hint(err, "%s", strbuf_text(&hint));
}

static int find_step(const struct project *project, const struct strlist *words, const char *word,
                     struct step *out, struct error *err)
{
    const char *colon = strchr(word, ':');
    auto_free char *name = colon ? xstrndup(word, (size_t)(colon - word)) : xstrdup(word);
    struct plugin *plugin = NULL;

    if (!colon || !strchr(colon + 1, ':'))
        plugin = project_find_plugin(project, name);
    if (!plugin)
        return refuse_block(project, words, word, name, err);
    /* Says so when two mappers have a mapping of this name. */
    plugin = project_require_plugin(project, name, err);
    if (!plugin)
        return -1;
    *out = (struct step){word, plugin, colon ? xstrdup(colon + 1) : NULL};
    return 0;
}

static bool is_mapping(const struct plugin *plugin)
{
    return plugin->type == PLUGIN_MAPPER && plugin->mapper;
}

static void add_block(struct plan *plan, enum block_kind kind, const struct step *steps,
                      size_t count)
{
    struct block block = {.kind = kind, .plugin_count = count};
    struct strbuf words = STRBUF_INIT;

    block.plugins = xcalloc(count, sizeof(*block.plugins));
    for (size_t i = 0; i < count; i++) {
        block.plugins[i] = steps[i].plugin;
        strbuf_addf(&words, "%s%s", i ? " " : "", steps[i].word);
    }
    block.words = strbuf_take(&words);
    if (kind == BLOCK_COMMAND)
        block.command = xstrdup_or_null(steps->command);
    GROW(plan->blocks, plan->count, plan->capacity);
    plan->blocks[plan->count++] = block;
}

static int refuse_sequence(const struct step_list *steps, size_t start, size_t at,
                           struct error *err)
{
    if (at == steps->count) {
        error_set(err, ERR_CONFIG, "block violates set requirements: Loader missing in block set!");
        return error_hint(err, "Write a loader after '%s'.", steps->items[at - 1].word);
    }
    error_set(err, ERR_CONFIG,
              "block violates set requirements: Unknown command type or bad block sequence at "
              "index %zu, starting block '%s'",
              start + 1, steps->items[start].plugin->name);
    return error_hint(err,
                      "'%s' cannot stand here: a set is an extractor, any mappings and a "
                      "loader; other plugins stand alone.",
                      steps->items[at].word);
}

/* Forms one extract-load set that starts at *at. */
static int form_set(const struct step_list *steps, size_t *at, struct plan *plan, struct error *err)
{
    size_t start = *at, end = start + 1;

    while (end < steps->count && is_mapping(steps->items[end].plugin))
        end++;
    if (end < steps->count && steps->items[end].plugin->type == PLUGIN_MAPPER) {
        error_set(err, ERR_CONFIG,
                  "block violates set requirements: Expected unique mappings name not the mapper "
                  "plugin name: %s.",
                  steps->items[end].plugin->name);
        return error_hint(err, "Name one of the entries under its 'mappings:'.");
    }
    if (end == steps->count || steps->items[end].plugin->type != PLUGIN_LOADER)
        return refuse_sequence(steps, start, end, err);
    add_block(plan, BLOCK_EXTRACT_LOAD, &steps->items[start], end - start + 1);
    *at = end + 1;
    return 0;
}

static int form_blocks(const struct step_list *steps, struct plan *plan, struct error *err)
{
    size_t at = 0;

    while (at < steps->count) {
        const struct step *step = &steps->items[at];

        if (step->plugin->type == PLUGIN_EXTRACTOR) {
            if (form_set(steps, &at, plan, err) < 0)
                return -1;
        } else if (plugin_type_is_singer(step->plugin->type)) {
            return refuse_sequence(steps, at, at, err);
        } else {
            add_block(plan, BLOCK_COMMAND, step, 1);
            at++;
        }
    }
    return 0;
}

int plan_from_words(const struct project *project, const struct strlist *words, struct plan *out,
                    struct error *err)
{
    auto_strlist struct strlist expanded = STRLIST_INIT;
    auto_step_list struct step_list steps = {0};
    auto_plan struct plan plan = PLAN_INIT;

    if (expand_jobs(project, words, &expanded, err) < 0)
        return -1;
    for (size_t i = 0; i < expanded.count; i++) {
        GROW(steps.items, steps.count, steps.capacity);
        if (find_step(project, words, expanded.items[i], &steps.items[steps.count], err) < 0)
            return -1;
        steps.count++;
    }
    if (form_blocks(&steps, &plan, err) < 0)
        return -1;
    *out = plan;
    plan = (struct plan)PLAN_INIT;
    return 0;
}

static struct plugin *require_plugin_of_type(const struct project *project, enum plugin_type type,
                                             const char *name, struct error *err)
{
    struct plugin *plugin = project_find_plugin_of_type(project, type, name);

    if (!plugin) {
        const struct plugin_type_info *info = plugin_type_info(type);

        error_set(err, ERR_CONFIG, "%s '%s' is not known to Meltano", info->label, name);
        error_hint(err,
                   "Add it with 'meltano add %s %s', or check the name with "
                   "'meltshim plugin list'.",
                   info->singular, name);
    }
    return plugin;
}

int plan_from_pair(const struct project *project, const char *extractor, const char *loader,
                   struct plan *out, struct error *err)
{
    struct step steps[2] = {{.word = extractor}, {.word = loader}};

    steps[0].plugin = require_plugin_of_type(project, PLUGIN_EXTRACTOR, extractor, err);
    if (!steps[0].plugin)
        return -1;
    steps[1].plugin = require_plugin_of_type(project, PLUGIN_LOADER, loader, err);
    if (!steps[1].plugin)
        return -1;
    add_block(out, BLOCK_EXTRACT_LOAD, steps, ARRAY_LEN(steps));
    return 0;
}

int plan_resolve(const struct plan *plan, struct error *err)
{
    for (size_t i = 0; i < plan->count; i++)
        for (size_t j = 0; j < plan->blocks[i].plugin_count; j++)
            if (plugin_resolve(plan->blocks[i].plugins[j], err) < 0)
                return -1;
    return 0;
}

int plan_make_state_id(const char *environment, const struct block *block, const char *suffix,
                       char **out, struct error *err)
{
    const char *parts[] = {environment, block_extractor(block)->name, block_loader(block)->name,
                           suffix};

    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        if (parts[i] && strchr(parts[i], ':')) {
            error_set(err, ERR_CONFIG,
                      "cannot generate a state ID from components containing the delimiter "
                      "string ':'");
            return error_hint(err, "Remove the colon from '%s'.", parts[i]);
        }
    *out = suffix && *suffix ? xasprintf("%s:%s-to-%s:%s", parts[0], parts[1], parts[2], suffix)
                             : xasprintf("%s:%s-to-%s", parts[0], parts[1], parts[2]);
    return 0;
}
