#include "plugin/catalog_cache.h"

#include "base/digest.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/path.h"
#include "base/strbuf.h"
#include "plugin/singer_files.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

static void set_copy(struct value *map, const char *key, const struct value *value)
{
    value_set_take(map, key, value_copy(value));
}

/* The key is made of JSON text as Python writes it, which has its own form of floats. */
static void write_floats_as_python(struct value *value)
{
    if (value_kind(value) == VALUE_REAL && isfinite(strtod(value->text.bytes, NULL))) {
        struct strbuf text = STRBUF_INIT;

        strbuf_add_py_float(&text, strtod(value->text.bytes, NULL));
        free(value->text.bytes);
        value->text.length = text.length;
        value->text.bytes = strbuf_take(&text);
    }
    for (size_t i = 0; i < value_count(value); i++)
        write_floats_as_python(value_is_map(value) ? value_member_at(value, i)->value
                                                   : value_at(value, i));
}

char *catalog_cache_key(const struct plugin_config *resolved)
{
    const char *pip_url = resolved->plugin->pip_url;
    auto_value struct value *inputs = NULL;
    auto_free char *text = NULL;
    char digest[DIGEST_SHA1_HEX_SIZE];

    if (!pip_url || !strncmp(pip_url, "-e", 2) ||
        value_is_truthy(plugin_config_extra(resolved, "_catalog")))
        return NULL;
    inputs = value_new_map();
    for (size_t i = 0; i < resolved->settings.count; i++)
        set_copy(inputs, resolved->settings.items[i].def->name, resolved->settings.items[i].value);
    set_copy(inputs, "_schema", plugin_config_extra(resolved, "_schema"));
    set_copy(inputs, "_metadata", plugin_config_extra(resolved, "_metadata"));
    write_floats_as_python(inputs);
    text = json_to_text(inputs, &json_python);
    digest_sha1_hex(text, strlen(text), digest);
    return xstrdup(digest);
}

int catalog_cache_load(const struct run_dir *cache, const char *plugin_dir, const char *dir,
                       char **key, struct error *err)
{
    auto_fd int lock ATTR_UNUSED = cache ? run_dir_lock_shared(cache) : -1;
    const char *shared = cache ? cache->shared : NULL;
    auto_strbuf struct strbuf text = STRBUF_INIT;
    auto_free char *path = path_join(dir, CATALOG_KEY_FILE);
    bool found;

    if (singer_files_copy(CATALOG_FILE, plugin_dir, shared, dir, err) < 0 ||
        singer_files_copy(CATALOG_KEY_FILE, plugin_dir, shared, dir, err) < 0 ||
        file_read_if_exists(path, &text, &found, err) < 0)
        return -1;
    *key = found ? strbuf_take(&text) : NULL;
    return 0;
}

void catalog_cache_forget(const struct run_dir *cache)
{
    auto_fd int lock ATTR_UNUSED = run_dir_lock_shared(cache);
    auto_free char *path = path_join(cache->shared, CATALOG_KEY_FILE);

    if (unlink(path) < 0 && errno != ENOENT)
        log_warning("The cached catalog cannot be dropped: %s: %s", path, strerror(errno));
}

/* The old key goes first and the new one comes last: a catalog never stands beside the key of
 * another one, wherever we are killed. */
int catalog_cache_save(const struct run_dir *cache, const char *dir, const char *key,
                       struct error *err)
{
    auto_fd int lock ATTR_UNUSED = run_dir_lock_shared(cache);
    auto_strbuf struct strbuf catalog = STRBUF_INIT;
    auto_strbuf struct strbuf key_text = STRBUF_INIT;
    auto_free char *from = path_join(dir, CATALOG_FILE);
    auto_free char *to = path_join(cache->shared, CATALOG_FILE);
    auto_free char *key_path = path_join(cache->shared, CATALOG_KEY_FILE);
    bool found;

    if (file_read(from, &catalog, err) < 0 ||
        file_read_if_exists(key_path, &key_text, &found, err) < 0)
        return -1;
    if (found && (!key || strcmp(strbuf_text(&key_text), key) != 0) && unlink(key_path) < 0)
        return error_set_errno(err, ERR_IO, "cannot remove %s", key_path);
    if (file_replace(to, &catalog, 0644, NULL, err) < 0)
        return -1;
    if (!key)
        return 0;
    strbuf_reset(&key_text);
    strbuf_add(&key_text, key);
    return file_replace(key_path, &key_text, 0644, NULL, err);
}
