#include "project/entries.h"

#include "base/memory.h"
#include "base/position.h"
#include "project/check.h"

#include <string.h>

/* Environments ----------------------------------------------------------------------------- */

static int check_environment_plugin(const struct value *entry, const char *where, struct error *err)
{
    auto_free char *what = xasprintf("a plugin in %s", where);
    auto_free char *name = NULL;
    struct value *map;

    return check_name(entry, what, &name, err) < 0 ||
                   check_map(entry, what, "config", &map, err) < 0 ||
                   check_map(entry, what, "env", &map, err) < 0
               ? -1
               : 0;
}

static int check_environment_plugins(const struct value *config, const char *what,
                                     struct error *err)
{
    struct value *plugins;

    if (check_map(config, what, "plugins", &plugins, err) < 0)
        return -1;
    for (size_t i = 0; i < value_count(plugins); i++) {
        const char *plural = value_member_at(plugins, i)->key;
        const struct value *list;
        enum plugin_type type;

        if (!plugin_type_parse(plural, &type) ||
            strcmp(plural, plugin_type_info(type)->plural) != 0) {
            error_set_at_key(err, ERR_CONFIG, plugins, plural,
                             "'%s' is not a type of plugin (config of %s)", plural, what);
            return error_hint(err, "Use extractors, loaders, transforms, orchestrators, "
                                   "transformers, files, utilities or mappers.");
        }
        if (check_iterable(plugins, what, plural, &list, err) < 0)
            return -1;
        for (size_t k = 0; k < value_count(list); k++)
            if (check_environment_plugin(value_at(list, k), what, err) < 0)
                return -1;
    }
    return 0;
}

int environment_from_entry(const struct value *entry, struct environment *out, struct error *err)
{
    static const char *const keys[] = {"name",        "config", "env", "state_id_suffix",
                                       "annotations", NULL};
    auto_free char *name = NULL;
    auto_free char *what = NULL;
    auto_free char *suffix = NULL;
    struct value *env, *config;

    if (check_name(entry, "an environment", &name, err) < 0)
        return -1;
    what = xasprintf("environment '%s'", name);
    if (check_keys(entry, what, keys, err) < 0 || check_map(entry, what, "env", &env, err) < 0 ||
        check_map(entry, what, "config", &config, err) < 0 ||
        check_text(entry, what, "state_id_suffix", &suffix, err) < 0 ||
        check_environment_plugins(config, what, err) < 0)
        return -1;
    *out = (struct environment){
        .name = take(name), .entry = entry, .env = env, .state_id_suffix = take(suffix)};
    return 0;
}

void environment_clear(struct environment *environment)
{
    free(environment->name);
    free(environment->state_id_suffix);
}

/* Jobs ------------------------------------------------------------------------------------- */

static int check_tasks(const struct value *tasks, const char *what, int depth, struct error *err)
{
    if (value_is_string(tasks))
        return 0;
    if (!value_is_list(tasks) || depth > 2) {
        error_set_at(err, ERR_CONFIG, tasks, "a task of %s must be a text or a list of texts",
                     what);
        return error_hint(err,
                          "Write tasks as '- tap-x target-y' or '- [tap-x target-y, dbt:run]'.");
    }
    for (size_t i = 0; i < value_count(tasks); i++)
        if (check_tasks(value_at(tasks, i), what, depth + 1, err) < 0)
            return -1;
    return 0;
}

int job_from_entry(struct value *entry, struct job *out, struct error *err)
{
    static const char *const keys[] = {"name", "tasks", "annotations", NULL};
    auto_free char *name = NULL;
    auto_free char *what = NULL;
    const struct value *tasks = value_get(entry, "tasks");

    if (check_entry(entry, "a job", err) < 0 ||
        check_required_text(entry, "a job", "name", &name, err) < 0)
        return -1;
    what = xasprintf("job '%s'", name);
    if (check_keys(entry, what, keys, err) < 0)
        return -1;
    if (!tasks) {
        error_set_at(err, ERR_CONFIG, entry, "%s has no 'tasks'", what);
        return error_hint(err, "Add 'tasks:' with a list such as '- tap-x target-y'.");
    }
    /* All of them may be commented out; the project does everything but run that job. */
    if (!value_is_null(tasks) && check_tasks(tasks, what, 0, err) < 0)
        return -1;
    if (value_is_string(tasks)) {
        struct value *list = value_new_list();

        value_append_take(list, value_copy(tasks));
        list->file = tasks->file;
        list->line = tasks->line;
        list->column = tasks->column;
        value_set_take(entry, "tasks", list);
        tasks = list;
    }
    *out = (struct job){.name = take(name), .entry = entry, .tasks = tasks};
    return 0;
}

void job_clear(struct job *job)
{
    free(job->name);
}

/* Schedules -------------------------------------------------------------------------------- */

static int read_extract_load(const struct value *entry, const char *what, struct schedule *out,
                             struct error *err)
{
    const struct {
        const char *key;
        char **text;
    } required[] = {
        {"extractor", &out->extractor},
        {"loader", &out->loader},
        {"transform", &out->transform},
    };

    for (size_t i = 0; i < ARRAY_LEN(required); i++) {
        if (check_text(entry, what, required[i].key, required[i].text, err) < 0)
            return -1;
        /* An empty "transform:" is none. */
        if (!*required[i].text && required[i].text == &out->transform &&
            value_find(entry, "transform"))
            *required[i].text = xstrdup("skip");
        if (*required[i].text)
            continue;
        error_set_at(err, ERR_CONFIG, entry, "%s has no '%s'", what, required[i].key);
        return error_hint(err, "Give it a 'job:', or 'extractor:', 'loader:' and 'transform: "
                               "skip'.");
    }
    return 0;
}

static void schedule_auto(struct schedule *schedule)
{
    schedule_clear(schedule);
}

int schedule_from_entry(const struct value *entry, struct schedule *out, struct error *err)
{
    ATTR_CLEANUP(schedule_auto) struct schedule schedule = {.entry = entry};
    auto_free char *what = NULL;
    const struct value *annotations = value_get(entry, "annotations");
    struct value *env;

    if (check_entry(entry, "a schedule", err) < 0 ||
        check_required_text(entry, "a schedule", "name", &schedule.name, err) < 0)
        return -1;
    what = xasprintf("schedule '%s'", schedule.name);
    if (!value_find(entry, "interval")) {
        error_set_at(err, ERR_CONFIG, entry, "%s has no 'interval'", what);
        return error_hint(err, "Add \"interval: '@daily'\" or another alias or cron expression; "
                               "'@once' runs only by hand.");
    }
    if (check_text(entry, what, "interval", &schedule.interval, err) < 0 ||
        check_map(entry, what, "env", &env, err) < 0)
        return -1;
    schedule.env = env;
    schedule.annotations = value_is_map(annotations) ? annotations : NULL;
    if (value_is_truthy(value_get(entry, "job"))) {
        if (check_text(entry, what, "job", &schedule.job, err) < 0)
            return -1;
    } else if (read_extract_load(entry, what, &schedule, err) < 0) {
        return -1;
    }
    *out = schedule;
    schedule = (struct schedule){0};
    return 0;
}

void schedule_clear(struct schedule *schedule)
{
    free(schedule->name);
    free(schedule->interval);
    free(schedule->job);
    free(schedule->extractor);
    free(schedule->loader);
    free(schedule->transform);
}
