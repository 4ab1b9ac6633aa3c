#include "plugin/plugin_executable.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/path.h"
#include "plugin/plugin_run.h"

#include <ctype.h>
#include <string.h>

/* What a shell uses when PATH is not set. */
#define DEFAULT_PATH "/bin:/usr/bin"

static const struct plugin *owner_of(const struct plugin *plugin)
{
    return plugin->mapper ? plugin->mapper : plugin;
}

char *plugin_directory(const struct plugin *plugin)
{
    const struct plugin *owner = owner_of(plugin);

    return path_joinf(owner->project->sys_dir, "%s/%s", plugin_type_info(owner->type)->plural,
                      owner->dir_name);
}

char *plugin_venv_path(const struct plugin *plugin)
{
    auto_free char *directory = plugin_directory(plugin);

    return path_join(directory, "venv");
}

static bool is_in_path(const struct strmap *env, const char *name)
{
    auto_strlist struct strlist directories = STRLIST_INIT;
    const char *path = strmap_get(env, "PATH");

    strlist_split(&directories, path ? path : DEFAULT_PATH, ':');
    for (size_t i = 0; i < directories.count; i++) {
        auto_free char *file = path_join(*directories.items[i] ? directories.items[i] : ".", name);

        if (file_is_executable(file))
            return true;
    }
    return false;
}

static int refuse_missing(const struct plugin *plugin, const char *executable, struct error *err)
{
    const struct plugin *owner = owner_of(plugin);
    const struct plugin_type_info *type = plugin_type_info(owner->type);

    error_set(err, ERR_START, "executable '%s' could not be found", executable);
    if (!owner->pip_url)
        return error_hint(
            err,
            "%c%s '%s' has no 'pip_url', so nothing is installed for it: give it one, "
            "or correct its 'executable'.",
            toupper((unsigned char)*type->label), type->label + 1, owner->name);
    return error_hint(err,
                      "Install it with 'meltshim install %s'; if that has been done, correct the "
                      "'executable' of %s '%s'.",
                      owner->name, type->label, owner->name);
}

/* "./bin/x" below the root is <root>/bin/x; ".." stays, for it may follow a symlink. */
static char *join_without_dots(const char *directory, const char *name)
{
    auto_strlist struct strlist parts = STRLIST_INIT;
    struct strbuf path = STRBUF_INIT;

    if (*name == '/')
        return xstrdup(name);
    strbuf_add(&path, directory);
    strlist_split(&parts, name, '/');
    for (size_t i = 0; i < parts.count; i++)
        if (*parts.items[i] && strcmp(parts.items[i], ".") != 0)
            strbuf_addf(&path, "/%s", parts.items[i]);
    return strbuf_take(&path);
}

int plugin_find_executable(const struct strmap *env, const struct plugin *plugin,
                           const char *executable, char **out, struct error *err)
{
    auto_free char *path = NULL;

    if (!plugin->pip_url && !strchr(executable, '/')) {
        if (!is_in_path(env, executable))
            return refuse_missing(plugin, executable, err);
        *out = xstrdup(executable);
        return 0;
    }
    if (plugin->pip_url) {
        auto_free char *venv = plugin_venv_path(plugin);
        auto_free char *resolved = path_resolve(venv);
        auto_free char *bin = path_join(resolved ? resolved : venv, "bin");

        path = join_without_dots(bin, executable);
    } else {
        path = join_without_dots(plugin->project->root, executable);
    }
    if (!file_exists(path))
        return refuse_missing(plugin, executable, err);
    if (!file_is_executable(path)) {
        error_set(err, ERR_START, "'%s' is not an executable file", path);
        return error_hint(err, "Run 'chmod +x %s', or correct the 'executable' of '%s'.", path,
                          owner_of(plugin)->name);
    }
    *out = take(path);
    return 0;
}
