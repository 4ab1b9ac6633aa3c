#include "project/project.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/path.h"
#include "base/position.h"
#include "base/strbuf.h"
#include "base/suggest.h"
#include "project/check.h"
#include "project/entries.h"
#include "project/include.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PROJECT_FILE "meltano.yml"

/* Finding the root ------------------------------------------------------------------------- */

static bool has_project_file(const char *dir)
{
    auto_free char *file = path_join(dir, PROJECT_FILE);

    return file_exists(file);
}

static int find_upwards(const char *start, char **root, struct error *err)
{
    auto_free char *first = path_resolve(start);
    auto_free char *dir = xstrdup_or_null(first);

    if (!dir)
        return error_set_errno(err, ERR_USAGE, "cannot enter the directory %s", start);
    while (!has_project_file(dir)) {
        char *parent = path_parent(dir);

        if (!strcmp(parent, dir)) {
            free(parent);
            error_set(err, ERR_USAGE, "there is no %s in %s or a directory above it", PROJECT_FILE,
                      first);
            return error_hint(err, "Run this inside a Meltano project, or create one with "
                                   "'meltshim init <project_directory>'.");
        }
        free(dir);
        dir = parent;
    }
    *root = take(dir);
    return 0;
}

int project_find_root(const char *start, char **root, struct error *err)
{
    const char *fixed = getenv("MELTANO_PROJECT_ROOT");
    auto_free char *resolved = NULL;

    if (!fixed || !*fixed)
        return find_upwards(start, root, err);
    resolved = path_resolve(fixed);
    if (!resolved || !has_project_file(resolved)) {
        error_set(err, ERR_USAGE, "there is no %s in %s, which MELTANO_PROJECT_ROOT names",
                  PROJECT_FILE, fixed);
        return error_hint(err, "Correct or unset MELTANO_PROJECT_ROOT.");
    }
    *root = take(resolved);
    return 0;
}

static char *find_sys_dir(const char *root)
{
    const char *fixed = getenv("MELTANO_SYS_DIR_ROOT");
    auto_free char *path = fixed && *fixed ? path_absolute(fixed) : path_join(root, ".meltano");
    char *resolved = path_resolve(path);

    return resolved ? resolved : take(path);
}

/* Plugins ---------------------------------------------------------------------------------- */

static void add_plugin(struct project *project, struct plugin *plugin, size_t *capacity)
{
    GROW(project->plugins, project->plugin_count, *capacity);
    plugin->project = project;
    project->plugins[project->plugin_count++] = plugin;
}

static int load_mappings(struct project *project, struct plugin *mapper, size_t *capacity,
                         struct error *err)
{
    auto_free char *what = xasprintf("mapper '%s'", mapper->name);
    const struct value *mappings = NULL;

    if (value_find(mapper->entry, "mappings") &&
        check_iterable(mapper->entry, what, "mappings", &mappings, err) < 0)
        return -1;
    for (size_t i = 0; i < value_count(mappings); i++) {
        struct plugin *mapping = NULL;

        if (plugin_from_mapping(mapper, value_at(mappings, i), &mapping, err) < 0)
            return -1;
        add_plugin(project, mapping, capacity);
    }
    return 0;
}

static int load_plugins_of_type(struct project *project, enum plugin_type type,
                                const struct value *plugins, size_t *capacity, struct error *err)
{
    const char *plural = plugin_type_info(type)->plural;
    const struct value *list;

    if (!value_find(plugins, plural))
        return 0;
    if (check_iterable(plugins, "'plugins'", plural, &list, err) < 0)
        return -1;
    for (size_t i = 0; i < value_count(list); i++) {
        struct plugin *plugin = NULL;

        if (plugin_from_entry(type, value_at(list, i), false, &plugin, err) < 0)
            return -1;
        add_plugin(project, plugin, capacity);
        if (type == PLUGIN_MAPPER && load_mappings(project, plugin, capacity, err) < 0)
            return -1;
    }
    return 0;
}

/* The last line that belongs to a value, as far as the tree tells. */
static unsigned find_last_line(const struct value *value)
{
    unsigned last = value->line;

    for (size_t i = 0; i < value_count(value); i++) {
        const struct value_member *member = value_member_at(value, i);
        unsigned line = find_last_line(member ? member->value : value_at(value, i));

        if (line > last)
            last = line;
    }
    return last;
}

static int refuse_plugin_type(const struct value *plugins, const struct value_member *member,
                              struct error *err)
{
    static const char *const removed[] = {"models", "dashboards"};
    auto_strlist struct strlist known = STRLIST_INIT;
    const char *nearest;

    error_set_at_key(err, ERR_CONFIG, plugins, member->key, "'%s' is not a type of plugin",
                     member->key);
    for (size_t i = 0; i < ARRAY_LEN(removed); i++)
        if (!strcmp(member->key, removed[i]))
            return error_hint(err,
                              "Meltano has given up this type: remove '%s:' and what is below it, "
                              "lines %u to %u of %s.",
                              member->key, member->line, find_last_line(member->value),
                              member->value->file);
    if (!strcmp(member->key, "mappings"))
        return error_hint(err, "Write 'mappings:' below its mapper, in the list 'mappers'.");
    for (int type = 0; type < PLUGIN_TYPE_COUNT; type++)
        strlist_add(&known, plugin_type_info((enum plugin_type)type)->plural);
    nearest = suggest_nearest(member->key, &known);
    if (nearest)
        return error_hint(err, "Did you mean '%s'?", nearest);
    return error_hint(err, "Use extractors, loaders, transforms, orchestrators, transformers, "
                           "files, utilities or mappers.");
}

static int load_plugins(struct project *project, struct error *err)
{
    struct value *plugins;
    size_t capacity = 0;

    if (check_map(project->document, PROJECT_FILE, "plugins", &plugins, err) < 0)
        return -1;
    for (size_t i = 0; i < value_count(plugins); i++) {
        const struct value_member *member = value_member_at(plugins, i);
        enum plugin_type type;

        if (plugin_type_parse(member->key, &type) &&
            !strcmp(member->key, plugin_type_info(type)->plural))
            continue;
        /* Meltano only looks at the word when there is an entry below it. */
        if (!value_is_list(member->value) || value_count(member->value))
            return refuse_plugin_type(plugins, member, err);
    }
    for (int type = 0; type < PLUGIN_TYPE_COUNT; type++)
        if (load_plugins_of_type(project, (enum plugin_type)type, plugins, &capacity, err) < 0)
            return -1;
    return 0;
}

/* Everything else -------------------------------------------------------------------------- */

static int load_environments(struct project *project, struct error *err)
{
    struct value *list;

    if (check_list(project->document, PROJECT_FILE, "environments", &list, err) < 0)
        return -1;
    project->environments = xcalloc(value_count(list) + 1, sizeof *project->environments);
    for (size_t i = 0; i < value_count(list); i++, project->environment_count++)
        if (environment_from_entry(value_at(list, i), &project->environments[i], err) < 0)
            return -1;
    return 0;
}

static int load_jobs(struct project *project, struct error *err)
{
    struct value *list;

    if (check_list(project->document, PROJECT_FILE, "jobs", &list, err) < 0)
        return -1;
    project->jobs = xcalloc(value_count(list) + 1, sizeof *project->jobs);
    for (size_t i = 0; i < value_count(list); i++, project->job_count++)
        if (job_from_entry(value_at(list, i), &project->jobs[i], err) < 0)
            return -1;
    return 0;
}

static int load_schedules(struct project *project, struct error *err)
{
    struct value *list;

    if (check_list(project->document, PROJECT_FILE, "schedules", &list, err) < 0)
        return -1;
    project->schedules = xcalloc(value_count(list) + 1, sizeof *project->schedules);
    for (size_t i = 0; i < value_count(list); i++, project->schedule_count++)
        if (schedule_from_entry(value_at(list, i), &project->schedules[i], err) < 0)
            return -1;
    return 0;
}

static int load_top_level(struct project *project, struct error *err)
{
    const struct value *annotations = value_get(project->document, "annotations");
    struct value *env;

    if (check_map(project->document, PROJECT_FILE, "env", &env, err) < 0 ||
        check_text(project->document, PROJECT_FILE, "requires_meltano", &project->requires_meltano,
                   err) < 0)
        return -1;
    project->env = env;
    project->annotations = value_is_map(annotations) ? annotations : NULL;
    return 0;
}

static int load_document(struct project *project, struct error *err)
{
    struct value *document = NULL;

    if (project_file_load(project->root, project->file, &project->document, err) < 0)
        return -1;
    document = project->document;
    if (value_is_null(document)) {
        error_set(err, ERR_CONFIG, "%s is empty", project->file);
        return error_hint(err, "Write the project's configuration into it; 'meltshim init' in "
                               "another directory shows how it begins.");
    }
    if (!value_is_map(document)) {
        error_set_at(err, ERR_CONFIG, document, "the file holds %s, not a mapping",
                     value_kind_name(document->kind));
        return error_hint(err, "Write keys such as 'plugins:' at the top level.");
    }
    return include_find(project->root, value_get(document, "include_paths"),
                        &project->included_files, err) < 0
               ? -1
               : include_merge(project->root, &project->included_files, document, err);
}

int project_load(const char *root, struct project **out, struct error *err)
{
    auto_project struct project *project = xcalloc(1, sizeof *project);

    project->root = path_resolve(root);
    if (!project->root)
        return error_set_errno(err, ERR_IO, "cannot enter the project root %s", root);
    project->file = path_join(project->root, PROJECT_FILE);
    project->sys_dir = find_sys_dir(project->root);
    project->definitions = value_new_map();
    if (load_document(project, err) < 0 || load_top_level(project, err) < 0 ||
        load_plugins(project, err) < 0 || load_schedules(project, err) < 0 ||
        load_environments(project, err) < 0 || load_jobs(project, err) < 0)
        return -1;
    *out = take(project);
    return 0;
}

void project_free(struct project *project)
{
    if (!project)
        return;
    for (size_t i = 0; i < project->plugin_count; i++)
        plugin_free(project->plugins[i]);
    for (size_t i = 0; i < project->environment_count; i++)
        environment_clear(&project->environments[i]);
    for (size_t i = 0; i < project->job_count; i++)
        job_clear(&project->jobs[i]);
    for (size_t i = 0; i < project->schedule_count; i++)
        schedule_clear(&project->schedules[i]);
    free(project->plugins);
    free(project->environments);
    free(project->jobs);
    free(project->schedules);
    free(project->requires_meltano);
    value_free(project->document);
    value_free(project->definitions);
    strlist_clear(&project->included_files);
    free(project->root);
    free(project->file);
    free(project->sys_dir);
    free(project);
}

void project_set_definition_source(struct project *project,
                                   int (*fetch)(void *context, const struct plugin *plugin,
                                                const char *name, const char *variant,
                                                struct value **out, struct error *err),
                                   void *context)
{
    project->fetch_definition = fetch;
    project->fetch_context = context;
}

/* Look-ups --------------------------------------------------------------------------------- */

struct plugin *project_find_plugin(const struct project *project, const char *name)
{
    /* Mappers come last, so one pass finds plugins before mappings. */
    for (size_t i = 0; i < project->plugin_count; i++)
        if (!strcmp(project->plugins[i]->name, name))
            return project->plugins[i];
    return NULL;
}

struct plugin *project_find_plugin_of_type(const struct project *project, enum plugin_type type,
                                           const char *name)
{
    for (size_t i = 0; i < project->plugin_count; i++)
        if (project->plugins[i]->type == type && !strcmp(project->plugins[i]->name, name))
            return project->plugins[i];
    return NULL;
}

static const struct plugin *find_other_mapping(const struct project *project,
                                               const struct plugin *mapping)
{
    for (size_t i = 0; i < project->plugin_count; i++)
        if (project->plugins[i] != mapping && project->plugins[i]->mapper &&
            !strcmp(project->plugins[i]->name, mapping->name))
            return project->plugins[i];
    return NULL;
}

static int refuse_unknown_plugin(const struct project *project, const char *name, struct error *err)
{
    auto_strlist struct strlist known = STRLIST_INIT;
    const char *nearest;

    for (size_t i = 0; i < project->plugin_count; i++)
        strlist_add(&known, project->plugins[i]->name);
    nearest = suggest_nearest(name, &known);
    error_set(err, ERR_CONFIG, "Plugin '%s' is not known to Meltano", name);
    if (nearest)
        return error_hint(err, "Did you mean '%s'?", nearest);
    return error_hint(
        err,
        "Describe it below 'plugins:' in meltano.yml, or let the Python Meltano do so: "
        "'meltano add %s'.",
        name);
}

struct plugin *project_require_plugin(const struct project *project, const char *name,
                                      struct error *err)
{
    struct plugin *plugin = project_find_plugin(project, name);
    const struct plugin *other =
        plugin && plugin->mapper ? find_other_mapping(project, plugin) : NULL;

    if (!plugin) {
        refuse_unknown_plugin(project, name, err);
        return NULL;
    }
    if (other) {
        error_set(err, ERR_CONFIG, "Ambiguous mapping name %s, found multiple matches", name);
        error_hint(err, "Rename the mapping of mapper '%s' or that of mapper '%s'.",
                   plugin->mapper->name, other->mapper->name);
        return NULL;
    }
    return plugin;
}

const struct environment *project_find_environment(const struct project *project, const char *name)
{
    for (size_t i = 0; i < project->environment_count; i++)
        if (!strcmp(project->environments[i].name, name))
            return &project->environments[i];
    return NULL;
}

const struct job *project_find_job(const struct project *project, const char *name)
{
    for (size_t i = 0; i < project->job_count; i++)
        if (!strcmp(project->jobs[i].name, name))
            return &project->jobs[i];
    return NULL;
}

const struct schedule *project_find_schedule(const struct project *project, const char *name)
{
    for (size_t i = 0; i < project->schedule_count; i++)
        if (!strcmp(project->schedules[i].name, name))
            return &project->schedules[i];
    return NULL;
}

const struct job *schedule_require_job(const struct project *project,
                                       const struct schedule *schedule, struct error *err)
{
    const struct job *job = project_find_job(project, schedule->job);
    auto_strlist struct strlist known = STRLIST_INIT;
    const char *nearest;

    if (job)
        return job;
    for (size_t i = 0; i < project->job_count; i++)
        strlist_add(&known, project->jobs[i].name);
    nearest = suggest_nearest(schedule->job, &known);
    error_set_at_key(err, ERR_CONFIG, schedule->entry, "job",
                     "Job '%s' was not found; schedule '%s' names it", schedule->job,
                     schedule->name);
    if (nearest)
        error_hint(err, "Did you mean '%s'?", nearest);
    else
        error_hint(err, "Add the job with 'meltano job add %s --tasks ...'.", schedule->job);
    return NULL;
}

const struct value *environment_plugin_entry(const struct environment *environment,
                                             const struct plugin *plugin)
{
    const struct value *config = value_get(environment->entry, "config");
    const struct value *plugins = value_get(config, "plugins");
    const struct value *list = value_get(plugins, plugin_type_info(plugin->type)->plural);
    const char *name = plugin->mapper ? plugin->mapper->name : plugin->name;

    for (size_t i = 0; i < value_count(list); i++)
        if (!strcmp(value_get_text(value_at(list, i), "name"), name))
            return value_at(list, i);
    return NULL;
}

const char *plugin_describe(const struct plugin *plugin, char *buffer, size_t size)
{
    snprintf(buffer, size, "%s '%s'",
             plugin->mapper ? "mapping" : plugin_type_info(plugin->type)->label, plugin->name);
    return buffer;
}
