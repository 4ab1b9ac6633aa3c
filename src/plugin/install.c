#include "plugin/install.h"

#include "base/log.h"
#include "base/memory.h"
#include "base/strlist.h"
#include "plugin/install_env.h"
#include "plugin/install_job.h"
#include "plugin/install_progress.h"
#include "plugin/install_tools.h"
#include "process/loop.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REDRAW_MS 100

struct installer {
    struct config *config;
    const struct install_options *options;
    struct install_result *result;
    struct install_tools tools;
    struct loop *loop;
    struct install_job *jobs; /* the plugins that need it */
    size_t job_count, next_job, running, limit;
    struct install_progress progress;
    struct strlist failed; /* names */
    int interrupted_by;    /* a signal, 0: none */
};

/* --- which plugins need it -------------------------------------------------------------------- */

static const char *describe(const struct plugin *plugin)
{
    static char what[256];

    return plugin_describe(plugin, what, sizeof what);
}

static void note_skipped(const struct installer *installer, const struct plugin *plugin,
                         const char *reason, size_t *count)
{
    enum log_level level = installer->options->automatic ? LOG_DEBUG : LOG_INFO;

    (*count)++;
    log_event(level, NULL, NULL, "Skipped installing %s. %s.", describe(plugin), reason);
}

static void note_up_to_date(struct installer *installer, const struct plugin *plugin)
{
    note_skipped(installer, plugin, "Requirements have not changed",
                 &installer->result->up_to_date);
}

static void note_failed(struct installer *installer, const struct plugin *plugin,
                        const struct error *err)
{
    installer->result->failed++;
    strlist_add(&installer->failed, plugin->name);
    log_error("Installation failed. %s.", err->message);
}

/* A pip_url with an unset variable cannot be installed before a run: then the environment that is
 * there, or the executable that is not, decides. */
static int check_variables(struct installer *installer, struct plugin *plugin, bool *are_set,
                           struct error *err)
{
    auto_free char *missing = NULL;

    *are_set = true;
    if (!installer->options->automatic)
        return 0;
    if (install_env_find_missing(installer->config, plugin, &installer->tools, &missing, err) < 0)
        return -1;
    if (!missing)
        return 0;
    *are_set = false;
    log_warning("Environment variable '%s' not set for '%s' `pip_url`, will not attempt install",
                missing, plugin->name);
    note_skipped(installer, plugin, "Missing environment variable", &installer->result->skipped);
    return 0;
}

static int init_env(struct config *config, struct plugin *plugin, struct install_tools *tools,
                    struct install_env *env, struct error *err)
{
    bool is_strict = false;

    if (config_project_bool(config, "ff.strict_env_var_mode", &is_strict, err) < 0)
        return -1;
    return install_env_init(
        config, plugin, is_strict ? EXPAND_MISSING_REFUSE : EXPAND_MISSING_EMPTY, tools, env, err);
}

/* Whether a plugin before this one has the same environment. */
static bool shares_environment(struct plugin *const *plugins, size_t position)
{
    const struct plugin *plugin = plugins[position];

    for (size_t i = 0; i < position; i++) {
        if (plugins[i]->is_resolved && plugins[i]->pip_url && plugins[i]->type == plugin->type &&
            strcmp(plugins[i]->dir_name, plugin->dir_name) == 0)
            return true;
    }
    return false;
}

/* Adds a job for the plugin if it needs one. */
static int consider(struct installer *installer, struct plugin *const *plugins, size_t position,
                    struct error *err)
{
    const struct install_options *options = installer->options;
    struct install_job *job = &installer->jobs[installer->job_count];
    struct plugin *plugin = plugins[position];
    bool are_set;

    if (plugin_resolve(plugin, err) < 0)
        return -1;
    if (!plugin->pip_url) {
        note_skipped(installer, plugin, "Plugin is not installable", &installer->result->skipped);
        return 0;
    }
    if (shares_environment(plugins, position)) {
        auto_free char *reason = xasprintf("Plugin '%s' does not require installation: reusing "
                                           "parent virtualenv",
                                           plugin->name);

        note_skipped(installer, plugin, reason, &installer->result->skipped);
        return 0;
    }
    if (check_variables(installer, plugin, &are_set, err) < 0)
        return -1;
    if (!are_set)
        return 0;
    if (init_env(installer->config, plugin, &installer->tools, &job->env, err) < 0) {
        install_env_clear(&job->env);
        return -1;
    }
    job->plugin = plugin;
    if (!options->clean && !options->force && install_env_is_current(&job->env)) {
        install_env_clear(&job->env);
        note_up_to_date(installer, plugin);
        return 0;
    }
    installer->job_count++;
    return 0;
}

/* A mapping is installed with its mapper. */
static size_t list_plugins(struct plugin *const *plugins, size_t count, struct plugin **out)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        struct plugin *plugin = plugins[i]->mapper ? plugins[i]->mapper : plugins[i];
        bool is_new = true;

        for (size_t k = 0; k < kept; k++)
            is_new = is_new && out[k] != plugin;
        if (is_new)
            out[kept++] = plugin;
    }
    return kept;
}

/* --- running the jobs ------------------------------------------------------------------------- */

static void explain_failure(const struct install_job *job)
{
    for (size_t i = 0; i < job->tail.count; i++)
        log_event(LOG_ERROR, job->plugin->name, NULL, "%s", job->tail.items[i]);
    if (*job->failure.hint)
        log_info("%s", job->failure.hint);
    if (job->plugin->docs)
        log_info("Documentation: %s", job->plugin->docs);
}

static void start_jobs(struct installer *installer);

static void note_state(void *context, struct install_job *job)
{
    struct installer *installer = context;

    install_progress_erase(&installer->progress);
    switch (job->state) {
    case INSTALL_WAITING:
        log_info("Waiting for another installation of %s", describe(job->plugin));
        return;
    case INSTALL_RUNNING:
        if (!installer->progress.is_live)
            log_info("Installing %s", describe(job->plugin));
        return;
    case INSTALL_DONE:
        installer->result->installed++;
        log_info("Installed %s", describe(job->plugin));
        break;
    case INSTALL_NOT_NEEDED:
        note_up_to_date(installer, job->plugin);
        break;
    case INSTALL_FAILED:
        note_failed(installer, job->plugin, &job->failure);
        explain_failure(job);
        break;
    }
    installer->running--;
    start_jobs(installer);
}

static void start_jobs(struct installer *installer)
{
    while (installer->running < installer->limit && installer->next_job < installer->job_count &&
           !installer->interrupted_by) {
        struct install_job *job = &installer->jobs[installer->next_job++];

        installer->running++;
        install_job_begin(job, installer->config, installer->options, &installer->tools,
                          installer->loop, note_state, installer);
    }
    if (!installer->running)
        loop_stop(installer->loop);
}

static void interrupt(void *context, int signal_number)
{
    struct installer *installer = context;

    installer->interrupted_by = signal_number;
    loop_stop(installer->loop);
}

static void redraw(void *context)
{
    struct installer *installer = context;

    install_progress_draw(&installer->progress, installer->jobs, installer->next_job);
}

static void cancel_jobs(struct installer *installer)
{
    /* All are asked first, so that they end side by side. */
    for (size_t i = 0; i < installer->next_job; i++) {
        if (installer->jobs[i].state == INSTALL_RUNNING)
            process_signal(&installer->jobs[i].process, SIGTERM);
    }
    for (size_t i = 0; i < installer->next_job; i++)
        install_job_cancel(&installer->jobs[i]);
}

static size_t parallel_limit(int parallelism)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);

    if (parallelism < 0)
        return SIZE_MAX;
    if (parallelism > 0)
        return (size_t)parallelism;
    return processors > 0 ? (size_t)processors : 1;
}

static int run_jobs(struct installer *installer, struct error *err)
{
    if (!installer->job_count)
        return 0;
    if (!installer->tools.python &&
        install_tools_find(installer->config, &installer->tools, err) < 0)
        return -1;
    installer->loop = loop_new();
    installer->limit = parallel_limit(installer->options->parallelism);
    install_progress_init(&installer->progress);
    loop_watch_signals(installer->loop, interrupt, installer);
    if (installer->progress.is_live)
        loop_watch_timer(installer->loop, 0, REDRAW_MS, redraw, installer);
    start_jobs(installer);
    if (installer->running)
        loop_run(installer->loop);
    install_progress_erase(&installer->progress);
    if (installer->interrupted_by)
        cancel_jobs(installer);
    loop_free(installer->loop);
    if (installer->interrupted_by)
        return error_set(err,
                         installer->interrupted_by == SIGINT ? ERR_INTERRUPTED : ERR_TERMINATED,
                         "interrupted while installing plugins");
    return 0;
}

/* --- all of them ------------------------------------------------------------------------------ */

static void print_summary(const struct installer *installer, size_t count)
{
    const struct install_result *result = installer->result;
    size_t skipped = result->skipped + result->up_to_date;
    enum log_level level = LOG_INFO;

    if (result->failed)
        level = result->failed == count ? LOG_ERROR : LOG_WARNING;
    else if (installer->options->automatic && skipped == count)
        level = LOG_DEBUG;
    if (count > 1)
        log_event(level, NULL, NULL, "Installed %zu/%zu plugins", result->installed, count);
    if (skipped)
        log_event(level, NULL, NULL, "Skipped installing %zu/%zu plugins", skipped, count);
}

static int tell_failures(const struct installer *installer, size_t count, struct error *err)
{
    auto_free char *names = strlist_join(&installer->failed, ", ");

    if (!installer->result->failed)
        return 0;
    error_set(err, ERR_INSTALL, "%zu of %zu plugins could not be installed: %s",
              installer->result->failed, count, names);
    return -1;
}

int plugins_install(struct config *config, struct plugin *const *plugins, size_t count,
                    const struct install_options *options, struct install_result *result,
                    struct error *err)
{
    auto_free struct plugin **chosen = xcalloc(count + 1, sizeof(struct plugin *));
    struct installer installer = {
        .config = config,
        .options = options,
        .result = result,
        .jobs = xcalloc(count + 1, sizeof(struct install_job)),
        .failed = STRLIST_INIT,
    };
    int status;

    *result = (struct install_result){0};
    count = list_plugins(plugins, count, chosen);
    for (size_t i = 0; i < count; i++) {
        struct error failure = {0};

        if (consider(&installer, chosen, i, &failure) < 0) {
            note_failed(&installer, chosen[i], &failure);
            if (*failure.hint)
                log_info("%s", failure.hint);
        }
    }
    status = run_jobs(&installer, err);
    if (status == 0) {
        print_summary(&installer, count);
        status = tell_failures(&installer, count, err);
    }
    for (size_t i = 0; i < installer.job_count; i++)
        install_job_clear(&installer.jobs[i]);
    free(installer.jobs);
    strlist_clear(&installer.failed);
    install_tools_clear(&installer.tools);
    return status;
}

int plugin_is_installed(struct config *config, struct plugin *plugin, bool *out, struct error *err)
{
    struct plugin *installed = plugin->mapper ? plugin->mapper : plugin;
    auto_install_tools struct install_tools tools = {0};
    struct install_env env = {.lock_fd = -1};
    int status;

    if (plugin_resolve(installed, err) < 0)
        return -1;
    *out = true;
    if (!installed->pip_url)
        return 0;
    status = init_env(config, installed, &tools, &env, err);
    if (status == 0)
        *out = install_env_is_current(&env);
    install_env_clear(&env);
    return status;
}
