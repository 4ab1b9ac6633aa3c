#include "plugin/install_job.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/redact.h"
#include "base/strbuf.h"
#include "project/plugin_type.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOCK_RETRY_MS 200
#define LINE_LIMIT    ((size_t)16 * 1024)
#define CANCEL_MS     2000

static void set_state(struct install_job *job, enum install_job_state state)
{
    job->state = state;
    job->notify(job->context, job);
}

/* --- the environment of an installer ---------------------------------------------------------- */

/* What Airflow set for its own processes is nobody's business, and an active environment or a
 * module path is not the one that is installed into. */
static bool is_kept(const char *name)
{
    static const char *const airflow[] = {"AIRFLOW__", "_AIRFLOW_", "__AIRFLOW_"};

    for (size_t i = 0; i < ARRAY_LEN(airflow); i++) {
        if (strncmp(name, airflow[i], strlen(airflow[i])) == 0)
            return false;
    }
    return strcmp(name, "VIRTUAL_ENV") != 0 && strcmp(name, "PYTHONPATH") != 0 &&
           strcmp(name, "PYTHONHOME") != 0;
}

/* As Meltano has it: a new environment is made with the plain process environment, and installed
 * into with that, .env and the project's env: block, unexpanded. */
static void add_installer_env(const struct install_job *job, bool makes_venv, struct strlist *out)
{
    const struct strmap *environ_map = config_environ(job->config);
    auto_strmap struct strmap variables = STRMAP_INIT;

    for (size_t i = 0; i < environ_map->count; i++) {
        if (is_kept(environ_map->entries[i].key))
            strmap_set(&variables, environ_map->entries[i].key, environ_map->entries[i].value);
    }
    if (!makes_venv) {
        const struct value *block = config_project(job->config)->env;

        strmap_merge(&variables, config_dotenv(job->config));
        for (size_t i = 0; i < value_count(block); i++) {
            const struct value_member *member = value_member_at(block, i);
            const char *text = value_text(member->value);

            if (text)
                strmap_set(&variables, member->key, text);
        }
    }
    strmap_to_environ(&variables, out);
}

/* --- commands --------------------------------------------------------------------------------- */

static struct install_command *add_command(struct install_job *job)
{
    return &job->commands[job->command_count++];
}

static int plan_commands(struct install_job *job, struct error *err)
{
    struct install_command *command;
    bool uses_pip = !job->tools->uv;

    if (job->env.is_new) {
        command = add_command(job);
        command->makes_venv = true;
        if (install_venv_command(job->tools, job->env.python, job->env.venv, &command->argv, err) <
            0)
            return -1;
        if (uses_pip) {
            command = add_command(job);
            command->may_fail = true;
            install_pip_command(job->tools, job->env.venv, &command->argv);
            strlist_add(&command->argv, "--upgrade");
            strlist_add(&command->argv, "pip");
        }
    }
    command = add_command(job);
    install_pip_command(job->tools, job->env.venv, &command->argv);
    if (uses_pip && job->options->force)
        strlist_add(&command->argv, "--ignore-requires-python");
    strlist_add_all(&command->argv, &job->env.args);
    return 0;
}

static void receive_line(void *context, const struct line *line)
{
    struct install_job *job = context;
    auto_strbuf struct strbuf text = STRBUF_INIT;

    strbuf_add_bytes(&text, line->text, line->length);
    redact_strbuf(&text, 0);
    if (line->length) {
        if (job->tail.count == INSTALL_TAIL_LINES)
            strlist_remove(&job->tail, 0);
        strlist_add(&job->tail, strbuf_text(&text));
    }
    strbuf_add_char(&text, '\n');
    if (fd_write_all(job->log_fd, text.text, text.length) < 0)
        fd_close(&job->log_fd); /* the log is a convenience; a full disk fails the installer */
}

static void close_command(struct install_job *job)
{
    loop_unwatch(take(job->output_watch));
    loop_unwatch(take(job->end_watch));
    line_reader_free(take(job->reader));
    fd_close(&job->output_fd);
}

static void fail(struct install_job *job, const struct error *err)
{
    struct error later = {0};

    job->failure = *err;
    /* The first failure is the one to tell; what cannot be undone now is put right next time. */
    install_env_abandon(&job->env, &later);
    set_state(job, INSTALL_FAILED);
}

static void fail_command(struct install_job *job)
{
    const struct install_command *command = &job->commands[job->command];
    struct error err = {0};
    char end[100], what[256];

    process_end_describe(&job->process.end, end, sizeof end);
    plugin_describe(job->plugin, what, sizeof what);
    if (command->makes_venv)
        error_set(&err, ERR_INSTALL, "Could not create the virtualenv for '%s/%s' (%s)",
                  plugin_type_info(job->plugin->type)->plural, job->plugin->dir_name, end);
    else
        error_set(&err, ERR_INSTALL, "Could not install %s (%s)", what, end);
    error_hint(&err, "All it printed is in %s.", job->env.log_path);
    fail(job, &err);
}

/* Everyone who could write is gone: what is in the pipe now is all. */
static void read_rest(struct install_job *job)
{
    struct pollfd rest = {.fd = job->output_fd, .events = POLLIN};

    while (line_reader_step(job->reader) == LINE_READER_WANTS_INPUT && poll(&rest, 1, 0) > 0)
        ;
}

static void start_command(struct install_job *job);

static void end_command(void *context, struct process *process)
{
    struct install_job *job = context;
    const struct install_command *command = &job->commands[job->command];
    struct error err = {0};

    job->end_watch = NULL; /* told once, and gone */
    process_end_group(process, 0);
    read_rest(job);
    close_command(job);
    if (process_end_to_status(&process->end) != 0 && !command->may_fail) {
        fail_command(job);
    } else if (++job->command < job->command_count) {
        start_command(job);
    } else if (install_env_commit(&job->env, &err) < 0) {
        fail(job, &err);
    } else {
        set_state(job, INSTALL_DONE);
    }
}

static void read_output(void *context, unsigned events)
{
    struct install_job *job = context;

    (void)events;
    if (line_reader_step(job->reader) != LINE_READER_WANTS_INPUT)
        loop_watch_set_events(job->output_watch, 0);
}

static int spawn_command(struct install_job *job, struct error *err)
{
    const struct install_command *command = &job->commands[job->command];
    auto_strlist struct strlist env = STRLIST_INIT;
    auto_fd int child_fd = -1;
    struct spawn_spec spec;
    int fds[2];

    if (process_pipe(fds, err) < 0)
        return -1;
    job->output_fd = fds[0];
    child_fd = fds[1];
    process_set_nonblocking(job->output_fd, true);
    add_installer_env(job, command->makes_venv, &env);
    spec = (struct spawn_spec){
        .argv = (const char *const *)command->argv.items,
        .env = (const char *const *)env.items,
        .fds = {SPAWN_NULL, child_fd, child_fd},
        .new_group = true,
    };
    return process_spawn(&spec, &job->process, err);
}

static void start_command(struct install_job *job)
{
    struct error err = {0};

    strlist_clear(&job->tail);
    if (spawn_command(job, &err) < 0) {
        fd_close(&job->output_fd);
        fail(job, &err);
        return;
    }
    job->reader = line_reader_new(job->output_fd, LINE_LIMIT, receive_line, job);
    job->output_watch = loop_watch_fd(job->loop, job->output_fd, LOOP_READ, read_output, job);
    job->end_watch = loop_watch_process(job->loop, &job->process, end_command, job);
}

/* --- begin and end ---------------------------------------------------------------------------- */

static int prepare(struct install_job *job, struct error *err)
{
    bool anew = job->options->clean || !install_env_is_current(&job->env);

    if (install_env_begin(&job->env, anew, err) < 0 || plan_commands(job, err) < 0)
        return -1;
    job->log_fd = open(job->env.log_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (job->log_fd < 0)
        return error_set_errno(err, ERR_IO, "cannot write %s", job->env.log_path);
    return 0;
}

static void run_commands(struct install_job *job)
{
    struct error err = {0};

    if (!job->options->clean && !job->options->force && install_env_is_current(&job->env)) {
        set_state(job, INSTALL_NOT_NEEDED);
    } else if (prepare(job, &err) < 0) {
        fail(job, &err);
    } else {
        set_state(job, INSTALL_RUNNING);
        start_command(job);
    }
}

static void try_to_begin(void *context)
{
    struct install_job *job = context;
    struct error err = {0};
    bool locked;

    if (install_env_lock(&job->env, &locked, &err) == 0 && !locked) {
        if (job->lock_timer)
            return;
        job->lock_timer =
            loop_watch_timer(job->loop, LOCK_RETRY_MS, LOCK_RETRY_MS, try_to_begin, job);
        job->waits_for_lock = true;
        job->notify(job->context, job);
        return;
    }
    loop_unwatch(take(job->lock_timer));
    job->waits_for_lock = false;
    if (*err.message)
        fail(job, &err);
    else
        run_commands(job);
}

void install_job_begin(struct install_job *job, struct config *config,
                       const struct install_options *options, const struct install_tools *tools,
                       struct loop *loop, void (*notify)(void *context, struct install_job *job),
                       void *context)
{
    job->config = config;
    job->options = options;
    job->tools = tools;
    job->loop = loop;
    job->notify = notify;
    job->context = context;
    job->process = (struct process)PROCESS_INIT;
    job->output_fd = job->log_fd = -1;
    job->started_ms = clock_monotonic_ms();
    try_to_begin(job);
}

void install_job_cancel(struct install_job *job)
{
    struct error err = {0};

    loop_unwatch(take(job->lock_timer));
    if (job->state != INSTALL_RUNNING)
        return;
    process_end_group(&job->process, CANCEL_MS);
    close_command(job);
    install_env_abandon(&job->env, &err);
    job->state = INSTALL_FAILED;
}

void install_job_clear(struct install_job *job)
{
    for (size_t i = 0; i < job->command_count; i++)
        strlist_clear(&job->commands[i].argv);
    strlist_clear(&job->tail);
    if (job->loop)
        fd_close(&job->log_fd);
    install_env_clear(&job->env);
}
