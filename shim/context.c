/* The parts of struct app that are opened on first use. */
#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/path.h"
#include "base/pep440.h"
#include "shim/app.h"
#include "shim/help.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int app_enter_directory(struct app *app, struct error *err)
{
    const char *path = app->parsed.globals.project_root;

    if (!path || app->is_in_directory)
        return 0;
    if (chdir(path) == 0) {
        app->is_in_directory = true;
        return 0;
    }
    if (errno == ENOENT)
        return error_set(err, ERR_USAGE,
                         "Invalid value for '--cwd': Directory '%s' does not exist.", path);
    return error_set_errno(err, ERR_USAGE, "Invalid value for '--cwd': Directory '%s'", path);
}

/* --- project ------------------------------------------------------------------------------ */

static int check_version(const struct project *project, struct error *err)
{
    const char *specifiers = project->requires_meltano;
    bool matches;

    if (!specifiers)
        return 0;
    if (pep440_matches(MELTANO_VERSION, specifiers, &matches, err) < 0)
        return error_wrap(err, "%s: requires_meltano", project->file);
    if (matches)
        return 0;
    error_set(err, ERR_VERSION,
              "this project requires Meltano %s, and meltshim %s behaves as Meltano %s", specifiers,
              MELTSHIM_VERSION, MELTANO_VERSION);
    return error_hint(err, "Change requires_meltano in %s, or use a Meltano of that version.",
                      project->file);
}

static int write_new_file(const char *directory, const char *name, const char *text,
                          struct error *err)
{
    auto_free char *path = path_join(directory, name);
    auto_strbuf struct strbuf bytes = STRBUF_INIT;

    if (file_exists(path))
        return 0;
    strbuf_add(&bytes, text);
    return file_write(path, &bytes, 0644, err);
}

/* What Meltano puts into the system directory of a project that it works in. The link is how it
 * and the DAG files of existing projects call Meltano: one that is there already, to whatever
 * program, stays. */
static int fill_sys_dir(const struct project *project, const char *link, struct error *err)
{
    auto_free char *run_dir = path_parent(link);
    auto_free char *self = path_resolve("/proc/self/exe");

    if (dir_make_all(run_dir, 0777, err) < 0 ||
        write_new_file(project->sys_dir, ".gitignore", "*\n", err) < 0 ||
        write_new_file(project->sys_dir, "CACHEDIR.TAG",
                       "Signature: 8a477f597d28d172789f06886806bc55\n"
                       "# This directory can be made anew; backups may leave it out.\n",
                       err) < 0)
        return -1;
    if (self && symlink(self, link) < 0 && errno != EEXIST)
        return error_set_errno(err, ERR_IO, "cannot make the link %s", link);
    return 0;
}

/* A project that we may not write to can still be read, so a failure is worth no more than a
 * word. */
static void activate(const struct project *project)
{
    auto_free char *link = path_join(project->sys_dir, "run/bin");
    struct error err = {0};
    char target[1];

    if (readlink(link, target, sizeof target) < 0 && fill_sys_dir(project, link, &err) < 0)
        log_debug("The system directory is incomplete: %s", err.message);
}

struct project *app_project(struct app *app, struct error *err)
{
    auto_free char *root = NULL;
    auto_project struct project *project = NULL;

    if (app->project)
        return app->project;
    if (app_enter_directory(app, err) < 0 || project_find_root(".", &root, err) < 0 ||
        project_load(root, &project, err) < 0 || check_version(project, err) < 0)
        return NULL;
    activate(project);
    app->project = take(project);
    return app->project;
}

/* --- hub ---------------------------------------------------------------------------------- */

static int read_api_root(struct config *config, char **out, struct error *err)
{
    auto_free char *hub_url = NULL;

    if (config_project_text(config, "hub_api_root", out, err) < 0)
        return -1;
    if (*out)
        return 0;
    if (config_project_text(config, "hub_url", &hub_url, err) < 0)
        return -1;
    *out = xasprintf("%s/meltano/api/v1", hub_url ? hub_url : "");
    return 0;
}

static int make_hub(struct app *app, struct config *config, bool refresh, struct error *err)
{
    auto_free char *api_root = NULL, *authorization = NULL;
    auto_strbuf struct strbuf command = STRBUF_INIT;
    struct hub_options options = {.user_agent = "Meltano/" MELTANO_VERSION, .refresh = refresh};

    if (read_api_root(config, &api_root, err) < 0 ||
        config_project_text(config, "hub_url_auth", &authorization, err) < 0)
        return -1;
    help_add_path(&command, "meltano", app->parsed.path, app->parsed.depth);
    options.api_root = api_root;
    options.authorization = authorization;
    options.command = strbuf_text(&command);
    hub_free(app->hub);
    free(app->hub_api_root);
    app->hub = hub_new(&options);
    app->hub_api_root = take(api_root);
    project_set_definition_source(config_project(config), hub_definition_source, app->hub);
    return 0;
}

/* --- configuration ------------------------------------------------------------------------ */

static int read_db_settings(void *context, const char *setting_namespace, struct value **out,
                            struct error *err)
{
    struct app *app = context;
    struct store *store = app_store(app, STORE_READ, err);

    return store ? store_settings_read(store, setting_namespace, out, err) : -1;
}

/* What the project says about logs, unless the command line did. */
static int apply_log_settings(const struct app *app, struct config *config, struct error *err)
{
    auto_free char *level_name = NULL, *format_name = NULL;
    enum log_level level;
    enum log_format format;

    if (config_project_text(config, "cli.log_level", &level_name, err) < 0 ||
        config_project_text(config, "cli.log_format", &format_name, err) < 0)
        return -1;
    if (!app->parsed.globals.log_level && level_name) {
        if (!log_level_parse(level_name, &level))
            return error_set(err, ERR_CONFIG, "cli.log_level: '%s' is no log level", level_name);
        log_set_level(level);
    }
    if (!app->parsed.globals.log_format && format_name) {
        if (!log_format_parse(format_name, &format))
            return error_set(err, ERR_CONFIG, "cli.log_format: '%s' is no log format", format_name);
        log_set_format(format);
    }
    return 0;
}

/* Says so when the default is not for this command. */
static bool ignores_default(const struct app *app, const char *name)
{
    if (parsed_environment_policy(&app->parsed) != ENVIRONMENT_EXPLICIT)
        return false;
    if (app->is_known)
        return true;
    log_info("The default environment '%s' will be ignored for `%s %s`. To configure a specific "
             "environment, please use the option `--environment=<environment name>`.",
             name, app->program, app->parsed.path[1]->name);
    return true;
}

/* logging.yaml of a project is a configuration of Python's logging module. */
static int note_ignored_log_config(const struct app *app, struct config *config, struct error *err)
{
    auto_free char *path = NULL;

    if (config_project_text(config, "cli.log_config", &path, err) < 0)
        return -1;
    if (!app->is_known && path && file_exists(path))
        log_info("%s is not read: the form and the level of log lines come from --log-format and "
                 "--log-level, or the settings cli.log_format and cli.log_level",
                 path);
    return 0;
}

static int activate_environment(const struct app *app, struct config *config, struct error *err)
{
    const struct global_options *globals = &app->parsed.globals;
    enum environment_policy policy = parsed_environment_policy(&app->parsed);
    auto_free char *name = NULL;
    bool is_default = false;

    if (policy == ENVIRONMENT_UNUSED)
        return 0;
    if (config_choose_environment(config, globals->environment, globals->no_environment, true,
                                  &name, &is_default, err) < 0)
        return -1;
    if (!name && policy == ENVIRONMENT_REQUIRED) {
        error_set(err, ERR_CONFIG, "a Meltano environment must be specified");
        return error_hint(err, "Set the `default_environment` option in `meltano.yml`, or the "
                               "`--environment` CLI option.");
    }
    if (!name || (is_default && ignores_default(app, name)))
        return 0;
    if (config_activate_environment(config, name, is_default, err) < 0)
        return -1;
    if (!app->is_known)
        log_info("Environment '%s' is active", name);
    return 0;
}

struct config *app_config(struct app *app, struct error *err)
{
    struct project *project = app_project(app, err);
    struct config_options options = {
        .env_file = app->parsed.globals.env_file,
        .overrides = &app->overrides,
        .read_db_settings = read_db_settings,
        .db_context = app,
    };

    if (!project)
        return NULL;
    if (app->config)
        return app->config;
    if (!strmap_has(&app->environment, "MELTANO_JOB_TRIGGER"))
        strmap_set(&app->environment, "MELTANO_JOB_TRIGGER", "cli");
    /* Kept at once: reading settings from the database comes back here. */
    if (config_open(project, &app->environment, &options, &app->config, err) < 0)
        return NULL;
    if (apply_log_settings(app, app->config, err) < 0 ||
        note_ignored_log_config(app, app->config, err) < 0 ||
        activate_environment(app, app->config, err) < 0 ||
        make_hub(app, app->config, false, err) < 0) {
        config_free(take(app->config));
        return NULL;
    }
    app->is_known = true;
    return app->config;
}

struct hub *app_hub(struct app *app, bool refresh, struct error *err)
{
    struct config *config = app_config(app, err);

    if (!config || (refresh && make_hub(app, config, true, err) < 0))
        return NULL;
    return app->hub;
}

/* --- database ----------------------------------------------------------------------------- */

static int read_store_options(struct config *config, struct store_options *out, struct error *err)
{
    if (config_project_int(config, "database_max_retries", &out->max_retries, err) < 0)
        return -1;
    return config_project_int(config, "database_retry_timeout", &out->retry_timeout_s, err);
}

struct store *app_store(struct app *app, enum store_access access, struct error *err)
{
    struct config *config = app->config ? app->config : app_config(app, err);
    struct store_options options = {.read_only = access == STORE_READ};
    auto_free char *uri = NULL;

    if (!config)
        return NULL;
    if (app->store && app->store_access >= access)
        return app->store;
    if (config_project_text(config, "database_uri", &uri, err) < 0 ||
        read_store_options(config, &options, err) < 0)
        return NULL;
    store_close(app->store);
    app->store = NULL;
    app->store_access = access;
    if (store_open(uri, &options, &app->store, err) < 0)
        return NULL;
    return app->store;
}

void app_close(struct app *app)
{
    store_close(app->store);
    config_free(app->config);
    hub_free(app->hub);
    free(app->hub_api_root);
    project_free(app->project);
    app->store = NULL;
    app->config = NULL;
    app->hub = NULL;
    app->hub_api_root = NULL;
    app->project = NULL;
}
