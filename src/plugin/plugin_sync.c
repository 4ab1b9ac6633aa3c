#include "plugin/plugin_run.h"

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/path.h"
#include "plugin/attend.h"
#include "plugin/catalog.h"
#include "plugin/catalog_cache.h"
#include "plugin/singer_args.h"
#include "plugin/singer_files.h"

#include <errno.h>
#include <fcntl.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <string.h>
#include <unistd.h>

/* From a signal to SIGKILL. Airflow 3 gives its task five seconds in all. */
#define STOP_GRACE_MS 3500
/* How much of the discovery's last lines a message holds. */
#define MAX_SHOWN_BYTES 600

/* What the steps work on. */
struct sync {
    struct invocation *invocation;
    const struct invocation_options *options;
    char *catalog_path, *state_path; /* whether they exist or not */
};

static void sync_clear(struct sync *sync)
{
    free(sync->catalog_path);
    free(sync->state_path);
}

static bool has_capability(const struct sync *sync, const char *capability)
{
    return plugin_has_capability(sync->invocation->plugin, capability);
}

static const char *extra_text(const struct sync *sync, const char *name)
{
    const char *text = value_text(plugin_config_extra(sync->invocation->config, name));

    return text && *text ? text : NULL;
}

static void remove_file(const char *path)
{
    if (unlink(path) < 0 && errno != ENOENT)
        log_debug("cannot remove %s: %s", path, strerror(errno));
}

static int copy_file(const char *from, const char *to, struct error *err)
{
    auto_strbuf struct strbuf bytes = STRBUF_INIT;

    return file_read(from, &bytes, err) < 0 ? -1 : file_write(to, &bytes, 0600, err);
}

/* --- state ---------------------------------------------------------------------------------- */

static int use_custom_state(const struct sync *sync, const char *file, struct error *err)
{
    auto_free char *path = path_join(sync->invocation->plugin->project->root, file);

    if (!file_exists(path)) {
        error_set(err, ERR_CONFIG, "could not find state file %s", path);
        return error_hint(err, "The extra 'state' of '%s' names it, relative to the project.",
                          sync->invocation->plugin->name);
    }
    if (copy_file(path, sync->state_path, err) < 0)
        return -1;
    log_info("Found state in %s", file);
    return 0;
}

static int use_stored_state(const struct sync *sync, struct error *err)
{
    const char *json = sync->options->state_json;
    auto_value struct value *payload = NULL;
    auto_strbuf struct strbuf text = STRBUF_INIT;

    if (json && json_parse(json, strlen(json), NULL, &payload, err) < 0) {
        err->code = ERR_STATE;
        return error_wrap(err, "the stored state of '%s' cannot be read",
                          sync->invocation->plugin->name);
    }
    if (!value_is_truthy(value_get(payload, "singer_state"))) {
        if (!sync->options->is_stateless)
            log_warning("No state was found, complete import.");
        return 0;
    }
    json_write(&text, value_get(payload, "singer_state"), &json_indented);
    return file_write(sync->state_path, &text, 0600, err);
}

static int prepare_state(const struct sync *sync, struct error *err)
{
    const char *custom = extra_text(sync, "_state");

    if (!has_capability(sync, "state"))
        return 0;
    remove_file(sync->state_path);
    if (sync->options->is_stateless)
        return 0;
    if (sync->options->full_refresh) {
        log_info("Performing full refresh, ignoring state left behind by any previous runs.");
        return 0;
    }
    return custom ? use_custom_state(sync, custom, err) : use_stored_state(sync, err);
}

/* --- discovery ------------------------------------------------------------------------------ */

static void make_discovery_argv(const struct sync *sync, struct strlist *argv)
{
    const struct invocation *invocation = sync->invocation;

    strlist_add(argv, invocation->executable);
    strlist_add(argv, "--config");
    strlist_add(argv, invocation->config_path);
    if (has_capability(sync, "state") && file_exists(sync->state_path)) {
        strlist_add(argv, "--state");
        strlist_add(argv, sync->state_path);
    }
    strlist_add(argv, "--discover");
}

/* The last lines that fit into a message; all of them are in the log. */
static char *last_lines(const struct strlist *tail)
{
    auto_strlist struct strlist shown = STRLIST_INIT;
    size_t size = 0;

    for (size_t i = tail->count; i-- > 0;) {
        size += strlen(tail->items[i]) + 1;
        if (size > MAX_SHOWN_BYTES && shown.count)
            break;
        strlist_insert(&shown, 0, tail->items[i]);
    }
    return strlist_join(&shown, "\n");
}

static int set_discovery_error(const struct sync *sync, const struct attend_result *result,
                               struct error *err)
{
    const char *name = sync->invocation->plugin->name;
    auto_free char *lines = last_lines(&result->tail);
    char how[128];

    if (result->signal_number)
        return attend_signal_error(result, "catalog discovery", err);
    error_set(err, ERR_TAP, "catalog discovery of '%s' failed: %s%s%s", name,
              process_end_describe(&result->end, how, sizeof how), *lines ? ":\n" : "", lines);
    return error_hint(err, "Run 'meltshim invoke %s --discover' to see it alone.", name);
}

static int run_discovery(const struct sync *sync, struct error *err)
{
    const struct invocation *invocation = sync->invocation;
    auto_fd int output = open(sync->catalog_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    auto_strlist struct strlist argv = STRLIST_INIT;
    auto_value struct value *fields = value_new_map();
    auto_attend_result struct attend_result result = {0};
    struct attend_spec spec = {
        .plugin = invocation->plugin,
        .argv = &argv,
        .env = &invocation->env,
        .cwd = invocation->cwd,
        .input_fd = SPAWN_INHERIT,
        .output_fd = output,
        .log_fields = fields,
        .grace_ms = STOP_GRACE_MS,
    };

    if (output < 0)
        return error_set_errno(err, ERR_IO, "cannot write %s", sync->catalog_path);
    log_info("Running catalog discovery");
    make_discovery_argv(sync, &argv);
    value_set_string(fields, "stdio", "stderr");
    value_set_string(fields, "type", "discovery");
    if (attend(&spec, &result, err) < 0)
        return -1;
    if (result.signal_number || process_end_to_status(&result.end) != 0)
        return set_discovery_error(sync, &result, err);
    return 0;
}

/* --- catalog -------------------------------------------------------------------------------- */

static int use_custom_catalog(const struct sync *sync, const char *file, struct error *err)
{
    auto_free char *path = path_join(sync->invocation->plugin->project->root, file);

    if (copy_file(path, sync->catalog_path, err) < 0) {
        err->code = ERR_CONFIG;
        error_wrap(err, "failed to copy the catalog file");
        return error_hint(err, "The extra 'catalog' of '%s' names it, relative to the project.",
                          sync->invocation->plugin->name);
    }
    log_info("Using custom catalog in %s", path);
    return 0;
}

static bool wants_new_catalog(const struct sync *sync)
{
    return sync->options->full_refresh || sync->options->refresh_catalog;
}

static bool can_use_cache(const struct sync *sync, const char *key)
{
    const struct plugin_config *config = sync->invocation->config;
    const char *kept_key = sync->invocation->catalog_key;

    return !wants_new_catalog(sync) &&
           value_is_truthy(plugin_config_extra(config, "_use_cached_catalog")) && key && kept_key &&
           !strcmp(key, kept_key) && file_exists(sync->catalog_path);
}

/* *is_checked: it comes from where it should, and has to be proper JSON. */
static int get_catalog(const struct sync *sync, const char *key, bool *is_checked,
                       struct error *err)
{
    const char *custom = extra_text(sync, "_catalog");

    *is_checked = true;
    if (custom)
        return use_custom_catalog(sync, custom, err);
    if (can_use_cache(sync, key)) {
        log_debug("Using cached catalog file");
        return 0;
    }
    if (has_capability(sync, "discover")) {
        /* Whoever asked for a new catalog does not want the old one when there is none. */
        if (wants_new_catalog(sync) && !sync->options->run_dir)
            catalog_cache_forget(&sync->invocation->own_dir);
        return run_discovery(sync, err);
    }
    *is_checked = false;
    return 0;
}

static int read_catalog(const struct sync *sync, struct value **out, struct error *err)
{
    const char *name = sync->invocation->plugin->name;
    auto_strbuf struct strbuf text = STRBUF_INIT;
    bool found;

    if (file_read_if_exists(sync->catalog_path, &text, &found, err) < 0)
        return -1;
    if (!found) {
        error_set(err, ERR_TAP, "applying catalog rules failed: '%s' has no catalog", name);
        return error_hint(err, "It does not advertise the `discover` capability: add that, or name "
                               "a file with the extra 'catalog'.");
    }
    if (json_parse(strbuf_text(&text), text.length, NULL, out, err) < 0) {
        err->code = ERR_TAP;
        error_wrap(err, "the catalog of '%s' is invalid", name);
        return error_hint(err,
                          "Run 'meltshim invoke %s --discover': it must print one JSON object "
                          "and nothing else on standard output.",
                          name);
    }
    return 0;
}

/* --- rules ---------------------------------------------------------------------------------- */

static int write_catalog(const struct sync *sync, const struct value *catalog, struct error *err)
{
    auto_strbuf struct strbuf text = STRBUF_INIT;

    json_write(&text, catalog, &json_indented);
    return file_write(sync->catalog_path, &text, 0600, err);
}

/* A catalog that the user gave is only filtered. */
static struct catalog_rules rules_of(const struct sync *sync)
{
    const struct plugin_config *config = sync->invocation->config;
    struct catalog_rules rules = {
        .select_filter = plugin_config_extra(config, "_select_filter"),
    };

    if (!extra_text(sync, "_catalog")) {
        rules.select = plugin_config_extra(config, "_select");
        rules.metadata = plugin_config_extra(config, "_metadata");
        rules.schema = plugin_config_extra(config, "_schema");
    }
    return rules;
}

static int apply_rules(const struct sync *sync, struct value *catalog, struct error *err)
{
    const struct catalog_rules rules = rules_of(sync);

    if (!rules.select && !extra_text(sync, "_catalog"))
        return error_set(err, ERR_CONFIG, "the extra 'select' of '%s' has no value",
                         sync->invocation->plugin->name);
    /* Without any rule a catalog keeps its bytes. */
    if (!rules.select && !value_count(rules.select_filter))
        return 0;
    if (catalog_apply_rules(catalog, &rules, err) < 0)
        return error_wrap(err, "applying catalog rules to '%s' failed",
                          sync->invocation->plugin->name);
    return write_catalog(sync, catalog, err);
}

/* A catalog of some megabytes takes ten times its size as a tree. The run that follows may last for
 * hours and needs none of it. */
static void give_memory_back(void)
{
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}

static int prepare_catalog(const struct sync *sync, struct error *err)
{
    struct invocation *invocation = sync->invocation;
    bool takes_catalog = has_capability(sync, "catalog") || has_capability(sync, "properties");
    auto_free char *key = catalog_cache_key(invocation->config);
    auto_value struct value *catalog = NULL;
    bool is_checked;

    if (get_catalog(sync, key, &is_checked, err) < 0 ||
        ((is_checked || takes_catalog) && read_catalog(sync, &catalog, err) < 0) ||
        (takes_catalog && apply_rules(sync, catalog, err) < 0))
        return -1;
    if (!catalog || sync->options->run_dir || extra_text(sync, "_catalog"))
        return 0;
    return catalog_cache_save(&invocation->own_dir, invocation->run_dir, takes_catalog ? key : NULL,
                              err);
}

int invocation_prepare_sync(struct config *config, struct invocation *invocation,
                            const struct invocation_options *options, struct error *err)
{
    struct sync sync ATTR_CLEANUP(sync_clear) = {invocation, options, NULL, NULL};

    (void)config;
    if (invocation->plugin->type != PLUGIN_EXTRACTOR)
        return 0;
    sync.catalog_path = path_join(invocation->run_dir, CATALOG_FILE);
    sync.state_path = path_join(invocation->run_dir, STATE_FILE);
    if (prepare_state(&sync, err) < 0 || prepare_catalog(&sync, err) < 0)
        return -1;
    give_memory_back();
    singer_args_set(invocation, true);
    return 0;
}
