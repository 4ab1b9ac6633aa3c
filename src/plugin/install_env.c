#include "plugin/install_env.h"

#include "base/digest.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/path.h"
#include "base/redact.h"
#include "base/strbuf.h"
#include "plugin/plugin_run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FINGERPRINT_NAME "/.meltano_plugin_fingerprint"
#define VERSION_VARIABLE "MELTANO__PYTHON_VERSION"

/* --- what is asked for ------------------------------------------------------------------------ */

/* What pip_url is expanded with. Which Python it is costs a look around, so only those who use the
 * variable pay for it. */
static int collect_variables(struct config *config, struct plugin *plugin,
                             struct install_tools *tools, struct strmap *out, struct error *err)
{
    auto_free char *version = NULL;

    if (config_pip_environment(config, plugin, out, err) < 0)
        return -1;
    if (!strstr(plugin->pip_url, VERSION_VARIABLE) || strmap_has(out, VERSION_VARIABLE))
        return 0;
    if (!tools->python && install_tools_find(config, tools, err) < 0)
        return -1;
    version = install_tools_python_version(tools);
    if (version)
        strmap_set(out, VERSION_VARIABLE, version);
    return 0;
}

int install_env_find_missing(struct config *config, struct plugin *plugin,
                             struct install_tools *tools, char **out, struct error *err)
{
    auto_strmap struct strmap variables = STRMAP_INIT;

    if (collect_variables(config, plugin, tools, &variables, err) < 0)
        return -1;
    *out = expand_find_missing(plugin->pip_url, &variables);
    return 0;
}

/* In https://user:password@host/ both parts may be a token. */
static void hide_credentials(const char *argument)
{
    const char *scheme = strstr(argument, "://");
    const char *start = scheme ? scheme + 3 : argument;
    size_t length = strcspn(start, "/@");
    auto_free char *user = NULL;
    char *password;

    if (!scheme || start[length] != '@')
        return;
    user = xstrndup(start, length);
    password = strchr(user, ':');
    if (password)
        *password++ = '\0';
    redact_add_secret(password ? password : user);
}

static int split_pip_url(struct config *config, struct plugin *plugin, enum expand_missing missing,
                         struct install_tools *tools, struct strlist *args, struct error *err)
{
    auto_strmap struct strmap variables = STRMAP_INIT;
    auto_free char *expanded = NULL;
    char what[256];

    plugin_describe(plugin, what, sizeof what);
    if (collect_variables(config, plugin, tools, &variables, err) < 0 ||
        expand_text(plugin->pip_url, &variables, missing, &expanded, err) < 0)
        return -1;
    if (strlist_split_shell(args, expanded ? expanded : "") < 0) {
        error_set(err, ERR_CONFIG, "a quote in the pip_url of %s is not closed: %s", what,
                  plugin->pip_url);
        return error_hint(err, "pip_url is split into words as a shell does it.");
    }
    if (!args->count) {
        error_set(err, ERR_CONFIG, "the pip_url of %s is empty%s", what,
                  *plugin->pip_url ? " once its variables are expanded" : "");
        return error_hint(err, "Remove the key if the plugin needs no installation.");
    }
    for (size_t i = 0; i < args->count; i++)
        hide_credentials(args->items[i]);
    return 0;
}

/* SHA-256 of the distinct words, sorted, and of the Python if one is configured. */
static char *fingerprint_of(const struct strlist *args, const char *python)
{
    auto_strlist struct strlist words = STRLIST_INIT;
    auto_free char *text = NULL;
    char digest[DIGEST_HEX_SIZE];

    for (size_t i = 0; i < args->count; i++)
        strlist_add_unique(&words, args->items[i]);
    strlist_sort(&words);
    if (python)
        strlist_addf(&words, "python:%s", python);
    text = strlist_join(&words, " ");
    digest_sha256_hex(text, strlen(text), digest);
    return xstrdup(digest);
}

int install_env_init(struct config *config, struct plugin *plugin, enum expand_missing missing,
                     struct install_tools *tools, struct install_env *out, struct error *err)
{
    const char *plural = plugin_type_info(plugin->type)->plural;
    const char *sys_dir = plugin->project->sys_dir;
    auto_free char *venv = plugin_venv_path(plugin);
    auto_free char *dir = path_parent(venv);

    out->lock_fd = -1;
    if (split_pip_url(config, plugin, missing, tools, &out->args, err) < 0 ||
        install_configured_python(config, plugin, &out->python, err) < 0)
        return -1;
    out->venv = take(venv);
    out->previous = path_join(dir, "venv.previous");
    out->lock_path = path_join(dir, "install.lock");
    out->run_dir = path_joinf(sys_dir, "run/%s", plugin->dir_name);
    out->log_path = path_joinf(sys_dir, "logs/pip/%s/%s/install.log", plural, plugin->dir_name);
    out->fingerprint = fingerprint_of(&out->args, out->python);
    return 0;
}

void install_env_clear(struct install_env *env)
{
    fd_close(&env->lock_fd);
    free(take(env->venv));
    free(take(env->previous));
    free(take(env->lock_path));
    free(take(env->run_dir));
    free(take(env->log_path));
    free(take(env->python));
    free(take(env->fingerprint));
    strlist_clear(&env->args);
}

/* --- what is there ---------------------------------------------------------------------------- */

static bool read_fingerprint(const char *venv, struct strbuf *out)
{
    auto_free char *path = xasprintf("%s" FINGERPRINT_NAME, venv);
    struct error err = {0};
    bool found;

    return file_read_if_exists(path, out, &found, &err) == 0 && found;
}

bool install_env_is_current(const struct install_env *env)
{
    auto_free char *python = path_join(env->venv, "bin/python");
    auto_strbuf struct strbuf fingerprint = STRBUF_INIT;

    return file_exists(python) && read_fingerprint(env->venv, &fingerprint) &&
           strcmp(strbuf_text(&fingerprint), env->fingerprint) == 0;
}

/* --- replacing it ----------------------------------------------------------------------------- */

static int move(const char *from, const char *to, struct error *err)
{
    if (rename(from, to) < 0)
        return error_set_errno(err, ERR_IO, "cannot rename %s to %s", from, to);
    return 0;
}

/* An installer was killed in between: only a fingerprint says that the new one is complete. */
static int put_right(const struct install_env *env, struct error *err)
{
    auto_strbuf struct strbuf fingerprint = STRBUF_INIT;

    if (!file_exists(env->previous))
        return 0;
    if (read_fingerprint(env->venv, &fingerprint))
        return path_remove_all(env->previous, err);
    if (path_remove_all(env->venv, err) < 0)
        return -1;
    return move(env->previous, env->venv, err);
}

int install_env_lock(struct install_env *env, bool *locked, struct error *err)
{
    auto_free char *dir = path_parent(env->lock_path);
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    if (dir_make_all(dir, 0755, err) < 0)
        return -1;
    if (env->lock_fd < 0)
        env->lock_fd = open(env->lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (env->lock_fd < 0)
        return error_set_errno(err, ERR_IO, "cannot open %s", env->lock_path);
    /* The lock belongs to the open file, not to the process: it dies with the last of those who
     * have it open, and closing another descriptor of the file does not drop it. */
    *locked = fcntl(env->lock_fd, F_OFD_SETLK, &whole) == 0;
    if (*locked)
        return put_right(env, err);
    if (errno != EAGAIN && errno != EACCES)
        return error_set_errno(err, ERR_IO, "cannot lock %s", env->lock_path);
    return 0;
}

/* Also of plugins that share the environment: their files are named by its directory. */
static int remove_run_files(const struct install_env *env, struct error *err)
{
    auto_strlist struct strlist names = STRLIST_INIT;
    struct stat status;

    /* A plugin named "bin" must not lose the symlink that Meltano keeps there. */
    if (lstat(env->run_dir, &status) < 0 || !S_ISDIR(status.st_mode))
        return 0;
    if (dir_list(env->run_dir, &names, err) < 0)
        return -1;
    for (size_t i = 0; i < names.count; i++) {
        auto_free char *path = path_join(env->run_dir, names.items[i]);

        if (path_remove_all(path, err) < 0)
            return -1;
    }
    return 0;
}

int install_env_begin(struct install_env *env, bool anew, struct error *err)
{
    auto_free char *fingerprint_path = xasprintf("%s" FINGERPRINT_NAME, env->venv);
    auto_free char *log_dir = path_parent(env->log_path);

    if (remove_run_files(env, err) < 0 || dir_make_all(log_dir, 0755, err) < 0)
        return -1;
    env->is_new = anew || !file_exists(env->venv);
    if (!env->is_new)
        return path_remove_all(fingerprint_path, err);
    return file_exists(env->venv) ? move(env->venv, env->previous, err) : 0;
}

int install_env_commit(struct install_env *env, struct error *err)
{
    auto_free char *path = xasprintf("%s" FINGERPRINT_NAME, env->venv);
    auto_strbuf struct strbuf text = STRBUF_INIT;

    strbuf_add(&text, env->fingerprint);
    if (file_replace(path, &text, 0644, NULL, err) < 0)
        return -1;
    return path_remove_all(env->previous, err);
}

int install_env_abandon(struct install_env *env, struct error *err)
{
    if (!env->is_new)
        return 0;
    if (path_remove_all(env->venv, err) < 0)
        return -1;
    return file_exists(env->previous) ? move(env->previous, env->venv, err) : 0;
}
