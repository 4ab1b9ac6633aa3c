#include "project/hub.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/http.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/path.h"
#include "base/strbuf.h"
#include "base/suggest.h"
#include "project/lock_file.h"

#include <ctype.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define TIMEOUT_MS      10000
#define CACHE_SECONDS   3600
#define RETRIES         3
#define RETRY_AFTER_MS  200 /* doubles each time */
#define DEFAULT_WEBSITE "https://hub.meltano.com/"

struct hub {
    char *api_root, *authorization, *user_agent, *command, *project_id;
    long timeout_ms;
    bool refresh;
    struct value *indexes[PLUGIN_TYPE_COUNT];
};

struct hub *hub_new(const struct hub_options *options)
{
    struct hub *hub = xcalloc(1, sizeof *hub);

    hub->api_root = xstrdup(options->api_root);
    hub->authorization = xstrdup_or_null(options->authorization);
    hub->user_agent = xstrdup(options->user_agent);
    hub->command = xstrdup_or_null(options->command);
    hub->project_id = xstrdup_or_null(options->project_id);
    hub->timeout_ms = options->timeout_ms ? options->timeout_ms : TIMEOUT_MS;
    hub->refresh = options->refresh;
    return hub;
}

void hub_free(struct hub *hub)
{
    if (!hub)
        return;
    free(hub->api_root);
    free(hub->authorization);
    free(hub->user_agent);
    free(hub->command);
    free(hub->project_id);
    for (size_t i = 0; i < ARRAY_LEN(hub->indexes); i++)
        value_free(hub->indexes[i]);
    free(hub);
}

/* The cache, in Meltano's place and form ---------------------------------------------------- */

static char *cache_path(const char *url)
{
    const char *base = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    char digest[DIGEST_HEX_SIZE];

    digest_sha256_hex(url, strlen(url), digest);
    if (base && *base)
        return path_joinf(base, "meltano/hub/%s.json", digest);
    return home ? path_joinf(home, ".cache/meltano/hub/%s.json", digest) : NULL;
}

static bool is_fresh(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0 &&
           clock_now_us() / 1000000 - (int64_t)info.st_mtim.tv_sec < CACHE_SECONDS;
}

/* NULL when there is no answer to be had from the cache. */
static struct value *read_cache(const char *url, bool may_be_old)
{
    auto_free char *path = cache_path(url);
    auto_strbuf struct strbuf text = STRBUF_INIT;
    struct value *value = NULL;
    struct error err = {0};

    if (!path || (!may_be_old && !is_fresh(path)) || file_read(path, &text, &err) < 0 ||
        json_parse(strbuf_text(&text), text.length, path, &value, &err) < 0)
        return NULL;
    return value;
}

/* A cache that cannot be written costs a request the next time, nothing else. */
static void write_cache(const char *url, const struct value *value)
{
    auto_free char *path = cache_path(url);
    auto_free char *dir = path ? path_parent(path) : NULL;
    auto_strbuf struct strbuf text = STRBUF_INIT;
    struct error err = {0};
    bool changed;

    if (!path)
        return;
    json_write(&text, value, &json_python);
    if (dir_make_all(dir, 0777, &err) < 0 || file_replace(path, &text, 0644, &changed, &err) < 0)
        log_debug("the answer of the hub cannot be kept: %s", err.message);
    else if (!changed)
        utimensat(AT_FDCWD, path, NULL, 0);
}

/* Asking ----------------------------------------------------------------------------------- */

static bool is_worth_a_retry(long status)
{
    return status == 429 || status == 500 || status == 502 || status == 503 || status == 504;
}

static void wait_before_retry(int attempt)
{
    long ms = RETRY_AFTER_MS << attempt;
    struct timespec pause = {ms / 1000, ms % 1000 * 1000000};

    nanosleep(&pause, NULL);
}

static void add_headers(const struct hub *hub, struct strlist *headers)
{
    strlist_add(headers, "Accept: application/json");
    strlist_addf(headers, "User-Agent: %s", hub->user_agent);
    if (hub->command)
        strlist_addf(headers, "X-Meltano-Command: %s", hub->command);
    if (hub->project_id)
        strlist_addf(headers, "X-Project-ID: %s", hub->project_id);
    if (hub->authorization)
        strlist_addf(headers, "Authorization: %s", hub->authorization);
}

static int get(const struct hub *hub, const char *url, struct http_response *response,
               struct error *err)
{
    auto_strlist struct strlist headers = STRLIST_INIT;
    struct http_request request = {
        .url = url, .timeout_ms = hub->timeout_ms, .connect_timeout_ms = hub->timeout_ms};

    add_headers(hub, &headers);
    request.headers = headers;
    for (int attempt = 0;; attempt++) {
        if (http_perform(&request, response, err) < 0) {
            error_wrap(err, "Could not connect to Meltano Hub at %s", url);
            return error_hint(err, "Check the network and the setting hub_url. A plugin whose lock "
                                   "file is below plugins/ needs no hub.");
        }
        if (attempt == RETRIES || !is_worth_a_retry(response->status))
            return 0;
        log_debug("the hub answered %ld for %s; trying again", response->status, url);
        http_response_clear(response);
        wait_before_retry(attempt);
    }
}

static int refuse_status(const struct hub *hub, const char *url, long status, struct error *err)
{
    error_set(err, ERR_HUB, "Meltano Hub answered with HTTP status %ld for %s", status, url);
    if (status == 401 || status == 403)
        return error_hint(err, "The hub wants to know who asks: %s the setting hub_url_auth.",
                          hub->authorization ? "correct" : "set");
    return error_hint(err, "Try again later, or check the setting hub_url.");
}

/* What is at url, from the cache or the hub. status is 0 when it came from the cache. */
static int fetch(const struct hub *hub, const char *url, struct value **out, long *status,
                 struct error *err)
{
    auto_http_response struct http_response response = {0};

    *status = 0;
    *out = hub->refresh ? NULL : read_cache(url, false);
    if (*out)
        return 0;
    log_debug("asking Meltano Hub for %s", url);
    if (get(hub, url, &response, err) < 0) {
        *out = hub->refresh ? NULL : read_cache(url, true);
        if (!*out)
            return -1;
        log_warning("%s; an older answer is used", err->message);
        *err = (struct error){0};
        return 0;
    }
    *status = response.status;
    if (response.status >= 400)
        return refuse_status(hub, url, response.status, err);
    if (json_parse(strbuf_text(&response.body), response.body.length, NULL, out, err) < 0) {
        error_wrap(err, "the answer of Meltano Hub for %s", url);
        err->code = ERR_HUB;
        return error_hint(err, "Check the setting hub_url: this does not look like a hub.");
    }
    write_cache(url, *out);
    return 0;
}

/* Finding ---------------------------------------------------------------------------------- */

static void capitalize(char *text)
{
    *text = (char)toupper((unsigned char)*text);
}

static int refuse_type(enum plugin_type type, const char *url, struct error *err)
{
    auto_free char *label = xstrdup(plugin_type_info(type)->label);

    capitalize(label);
    error_set(err, ERR_HUB, "%s is not supported in Meltano Hub (there is no %s)", label, url);
    return error_hint(err, "Check the setting hub_url, or define the plugin in meltano.yml with a "
                           "'namespace:'.");
}

int hub_index(struct hub *hub, enum plugin_type type, const struct value **out, struct error *err)
{
    const char *plural = plugin_type_info(type)->plural;
    auto_free char *url = xasprintf("%s/plugins/%s/index", hub->api_root, plural);
    long status;

    if (!hub->indexes[type] && fetch(hub, url, &hub->indexes[type], &status, err) < 0)
        return status == 404 ? refuse_type(type, url, err) : -1;
    if (!value_is_map(hub->indexes[type])) {
        error_set(err, ERR_HUB, "the answer of Meltano Hub for %s is %s, not an object", url,
                  value_kind_name(value_kind(hub->indexes[type])));
        return error_hint(err, "Check the setting hub_url: this does not look like a hub.");
    }
    *out = hub->indexes[type];
    return 0;
}

static void list_keys(const struct value *map, struct strlist *out)
{
    for (size_t i = 0; i < value_count(map); i++)
        strlist_add(out, value_member_at(map, i)->key);
}

static int refuse_name(enum plugin_type type, const char *name, const struct value *index,
                       struct error *err)
{
    auto_free char *label = xstrdup(plugin_type_info(type)->label);
    auto_strlist struct strlist known = STRLIST_INIT;
    const char *nearest;

    list_keys(index, &known);
    nearest = suggest_nearest(name, &known);
    capitalize(label);
    error_set(err, ERR_HUB, "%s '%s' is not known to Meltano", label, name);
    if (nearest)
        return error_hint(err, "Did you mean '%s'? All plugins are at %s.", nearest,
                          DEFAULT_WEBSITE);
    return error_hint(err, "Look for it at %s, or define it in meltano.yml with a 'namespace:'.",
                      DEFAULT_WEBSITE);
}

static void describe_variants(const struct value *plugin, struct strbuf *out)
{
    const struct value *variants = value_get(plugin, "variants");
    const char *preset = value_get_text(plugin, "default_variant");

    strbuf_addf(out, "'%s (default)'", preset);
    for (size_t i = 0; i < value_count(variants); i++)
        if (strcmp(value_member_at(variants, i)->key, preset) != 0)
            strbuf_addf(out, ", '%s'", value_member_at(variants, i)->key);
}

static int refuse_variant(enum plugin_type type, const char *name, const char *variant,
                          const struct value *plugin, struct error *err)
{
    auto_free char *label = xstrdup(plugin_type_info(type)->label);
    auto_strlist struct strlist known = STRLIST_INIT;
    auto_strbuf struct strbuf variants = STRBUF_INIT;
    const char *nearest;

    list_keys(value_get(plugin, "variants"), &known);
    nearest = suggest_nearest(variant, &known);
    describe_variants(plugin, &variants);
    capitalize(label);
    error_set(err, ERR_HUB, "%s '%s' variant '%s' is not known to Meltano. Variants: [%s]", label,
              name, variant, strbuf_text(&variants));
    if (nearest)
        return error_hint(err, "Did you mean '%s'?", nearest);
    return error_hint(err, "Choose one of them as 'variant:' of the plugin.");
}

static bool means_default(const char *variant)
{
    return !variant || !strcmp(variant, "default") || !strcmp(variant, "original");
}

int hub_find_definition(struct hub *hub, enum plugin_type type, const char *name,
                        const char *variant, struct value **out, struct error *err)
{
    const struct value *index, *plugin;
    const char *ref;
    long status;

    if (hub_index(hub, type, &index, err) < 0)
        return -1;
    plugin = value_get(index, name);
    if (!plugin || !value_get_text(plugin, "default_variant"))
        return refuse_name(type, name, index, err);
    if (means_default(variant))
        variant = value_get_text(plugin, "default_variant");
    ref = value_get_text(value_get(value_get(plugin, "variants"), variant), "ref");
    if (!ref)
        return refuse_variant(type, name, variant, plugin, err);
    return fetch(hub, ref, out, &status, err);
}

static int find_lock(struct hub *hub, enum plugin_type type, const char *name, const char *variant,
                     struct value **out, struct error *err)
{
    auto_value struct value *definition = NULL;
    auto_free char *where =
        xasprintf("the hub's definition of %s '%s'", plugin_type_info(type)->label, name);

    if (hub_find_definition(hub, type, name, variant, &definition, err) < 0)
        return -1;
    return lock_file_from_definition(type, definition, where, out, err);
}

int hub_lock_plugin(struct hub *hub, const struct project *project, enum plugin_type type,
                    const char *name, const char *variant, struct value **lock, char **path,
                    struct error *err)
{
    auto_value struct value *found = NULL;

    if (find_lock(hub, type, name, variant, &found, err) < 0 ||
        lock_file_save(project, found, path, err) < 0)
        return -1;
    if (lock)
        *lock = take(found);
    return 0;
}

int hub_definition_source(void *hub, const struct plugin *plugin, const char *name,
                          const char *variant, struct value **out, struct error *err)
{
    struct error save_error = {0};

    if (find_lock(hub, plugin->type, name, variant, out, err) < 0)
        return -1;
    /* A project on a read-only file system can run all the same. */
    if (lock_file_save(plugin->project, *out, NULL, &save_error) < 0)
        log_warning("the definition of '%s' cannot be kept: %s", name, save_error.message);
    return 0;
}
