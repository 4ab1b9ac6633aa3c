#include "pipeline/run_lock.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/path.h"
#include "pipeline/run_settings.h"
#include "process/process.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Airflow can start the next attempt of a task seconds before the last one has ended. */
#define AIRFLOW_WAIT_MS 15000
/* An attempt that was told to end has ended long before; then it is killed. */
#define TAKE_OVER_MS 10000
/* How long the lock of an owner that is dead is waited for. */
#define DEAD_OWNER_MS 5000
/* How long one wait lasts before signals are looked at. */
#define WAIT_SLICE_MS 200

static bool is_airflow(const struct value *trigger)
{
    const char *kind = value_get_text(trigger, "kind");

    return kind && !strcmp(kind, "airflow");
}

/* What the lock says of its owner beside pid and host: the Airflow task and its try. */
static void describe_trigger(const struct value *trigger, char *buffer, size_t size)
{
    const char *dag = value_get_text(trigger, "dag_id");
    const char *task = value_get_text(trigger, "task_id");
    const char *run = value_get_text(trigger, "dag_run_id");
    const char *try_number = value_get_text(trigger, "try_number");

    buffer[0] = '\0';
    if (is_airflow(trigger))
        snprintf(buffer, size, "Airflow DAG %s, task %s, run %s, try %s", dag ? dag : "?",
                 task ? task : "?", run ? run : "?", try_number ? try_number : "?");
}

/* Whether the owner is an older try of the task that we are. */
static bool is_older_attempt(const struct lock_owner *owner, const struct lock_owner *self)
{
    static const char mark[] = ", try ";
    const char *theirs = strstr(owner->detail, mark);
    const char *ours = strstr(self->detail, mark);

    return theirs && ours && !strcmp(owner->host, self->host) &&
           theirs - owner->detail == ours - self->detail &&
           !strncmp(owner->detail, self->detail, (size_t)(ours - self->detail)) &&
           strtol(theirs + strlen(mark), NULL, 10) < strtol(ours + strlen(mark), NULL, 10);
}

static int64_t wait_limit_ms(const struct run_options *options, const struct value *trigger)
{
    switch (options->lock_policy) {
    case LOCK_POLICY_WAIT:
        return run_seconds_to_ms(options->lock_wait_s);
    case LOCK_POLICY_DEFAULT:
        return is_airflow(trigger) ? AIRFLOW_WAIT_MS : 0;
    case LOCK_POLICY_FAIL:
    case LOCK_POLICY_SKIP:
        break;
    }
    return 0;
}

static int refuse_owner(const char *state_id, const struct lock_owner *owner, struct error *err)
{
    auto_strbuf struct strbuf since = STRBUF_INIT;

    if (owner->since_us)
        strbuf_add_py_time(&since, owner->since_us, ' ');
    error_set(err, ERR_LOCKED,
              "another '%s' pipeline is already running which started at %s (process %d on %s%s%s)",
              state_id, since.length ? strbuf_text(&since) : "an unknown time", owner->pid,
              *owner->host ? owner->host : "an unknown host", *owner->detail ? ", " : "",
              owner->detail);
    return error_hint(err, "Wait for it to end, or use --on-running=wait or --on-running=skip.");
}

/* The last part of a process's program, NULL when that cannot be seen. The caller frees it. */
static char *read_program(const char *link)
{
    static const char deleted[] = " (deleted)"; /* replaced by a newer one since */
    char path[PATH_MAX];
    ssize_t length = readlink(link, path, sizeof path - 1);
    char *end;

    if (length < 0)
        return NULL;
    path[length] = '\0';
    end = length >= (ssize_t)strlen(deleted) ? path + length - strlen(deleted) : NULL;
    if (end && !strcmp(end, deleted))
        *end = '\0';
    return xstrdup(path_name(path));
}

/* The number may be that of another process by now, or in a container whose host has the same
 * name. Without /proc nobody can tell. */
static bool is_our_program(pid_t pid)
{
    auto_free char *link = xasprintf("/proc/%d/exe", pid);
    auto_free char *ours = read_program("/proc/self/exe"), *theirs = read_program(link);

    return !ours || (theirs && !strcmp(ours, theirs));
}

/* What was done about the owner of the lock so far. */
struct pressure {
    bool was_told, was_killed;
    int64_t told_ms;
};

static void press_owner(const char *state_id, const struct lock_owner *owner,
                        const struct lock_owner *self, struct pressure *pressure)
{
    bool is_ours = owner->pid > 0 && is_older_attempt(owner, self) && is_our_program(owner->pid);

    if (!pressure->was_told) {
        pressure->was_told = true;
        pressure->told_ms = clock_monotonic_ms();
        if (!is_ours) {
            log_info("Waiting for another run of '%s' to end (process %d on %s)", state_id,
                     owner->pid, owner->host);
            return;
        }
        log_warning("An older attempt of this task still runs as process %d: telling it to end",
                    owner->pid);
        kill(owner->pid, SIGTERM);
        /* One that is stopped could not act on it. */
        kill(owner->pid, SIGCONT);
    } else if (is_ours && !pressure->was_killed &&
               clock_monotonic_ms() - pressure->told_ms >= TAKE_OVER_MS) {
        pressure->was_killed = true;
        log_warning("The older attempt did not end: killing process %d", owner->pid);
        kill(owner->pid, SIGKILL);
    }
}

/* The lock of an owner that was killed is free in a moment: a child that it had forked closes its
 * files before it executes anything, and a server has to notice that the connection is gone. */
static bool is_dead(const struct lock_owner *owner, const struct lock_owner *self)
{
    return owner->pid > 0 && !strcmp(owner->host, self->host) && kill(owner->pid, 0) < 0 &&
           errno == ESRCH;
}

static int acquire_in_slices(struct store *store, const char *state_id, int64_t limit_ms,
                             const struct lock_owner *self, struct store_lock **out,
                             struct lock_owner *owner, struct error *err)
{
    int64_t started = clock_monotonic_ms(), wait_ms = 0;
    struct pressure pressure = {0};

    for (;;) {
        int64_t passed;
        bool is_over;

        if (!store_lock_acquire(store, state_id, wait_ms, self, out, owner, err)) {
            *err = (struct error){0};
            return 0;
        }
        /* A signal makes the try itself fail, too. */
        if (signals_check("while waiting for another run to end", err) < 0 ||
            err->code != ERR_LOCKED)
            return -1;
        passed = clock_monotonic_ms() - started;
        is_over = passed >= limit_ms;
        if (is_over && (passed >= DEAD_OWNER_MS || !is_dead(owner, self)))
            return -1;
        if (!is_over)
            press_owner(state_id, owner, self, &pressure);
        wait_ms = is_over || limit_ms - passed > WAIT_SLICE_MS ? WAIT_SLICE_MS : limit_ms - passed;
    }
}

/* Meltano itself takes no lock: its row says that it runs. */
static int refuse_running_row(struct store *store, const char *state_id, struct error *err)
{
    struct run_row row = {0};
    bool found;
    auto_strbuf struct strbuf started = STRBUF_INIT, stale = STRBUF_INIT;

    if (store_find_running(store, state_id, &row, &found, err) < 0)
        return -1;
    if (!found)
        return 0;
    strbuf_add_py_time(&started, row.started_at_us, ' ');
    if (row.last_heartbeat_us) {
        strbuf_add(&stale, "Wait until ");
        strbuf_add_py_time(&stale, row.last_heartbeat_us + 5 * 60 * INT64_C(1000000), ' ');
        strbuf_add(&stale, " when it counts as dead");
    } else {
        strbuf_add(&stale, "Wait for it to end");
    }
    run_row_clear(&row);
    error_set(err, ERR_LOCKED, "another '%s' pipeline is already running which started at %s",
              state_id, strbuf_text(&started));
    return error_hint(err, "%s, or ignore this check with --force.", strbuf_text(&stale));
}

static int take_lock(struct store *store, const char *state_id, const char *run_id,
                     const struct run_options *options, const struct value *trigger,
                     struct store_lock **out, struct error *err)
{
    struct lock_owner self = {.pid = getpid(), .since_us = clock_now_us()};
    struct lock_owner owner = {0};

    gethostname(self.host, sizeof self.host - 1);
    snprintf(self.run_id, sizeof self.run_id, "%s", run_id);
    describe_trigger(trigger, self.detail, sizeof self.detail);
    if (acquire_in_slices(store, state_id, wait_limit_ms(options, trigger), &self, out, &owner,
                          err) < 0)
        return err->code == ERR_LOCKED ? refuse_owner(state_id, &owner, err) : -1;
    return 0;
}

static int close_dead_rows(struct store *store, const char *state_id, const struct store_lock *lock,
                           struct error *err)
{
    struct run_row_list stale = {0};
    size_t closed;

    if (store_close_abandoned_runs(store, lock, &closed, err) < 0 ||
        store_fail_stale_runs(store, state_id, &stale, err) < 0)
        return -1;
    if (closed)
        log_info("Closed %zu run%s of '%s' whose process had died", closed, closed == 1 ? "" : "s",
                 state_id);
    for (size_t i = 0; i < stale.count; i++) {
        auto_strbuf struct strbuf started = STRBUF_INIT;

        strbuf_add_py_time(&started, stale.items[i].started_at_us, ' ');
        log_info("Marked stale run that started at %s as failed", strbuf_text(&started));
    }
    run_row_list_clear(&stale);
    return 0;
}

static int check_rows(struct store *store, const char *state_id, const struct store_lock *lock,
                      const struct run_options *options, struct error *err)
{
    bool has_rows;

    if (store_find_running(store, state_id, NULL, &has_rows, err) < 0 ||
        (has_rows && close_dead_rows(store, state_id, lock, err) < 0))
        return -1;
    if (options->force)
        log_warning("Force option is enabled, ignoring stale job check.");
    else if (has_rows)
        return refuse_running_row(store, state_id, err);
    return 0;
}

static int apply_policy(const struct run_options *options, struct error *err)
{
    if (err->code == ERR_LOCKED && options->lock_policy == LOCK_POLICY_SKIP)
        err->code = ERR_SKIPPED;
    return -1;
}

int run_lock_acquire(struct store *store, const char *state_id, const char *run_id,
                     const struct run_options *options, const struct value *trigger,
                     struct store_lock **out, struct error *err)
{
    if (take_lock(store, state_id, run_id, options, trigger, out, err) < 0)
        return apply_policy(options, err);
    return 0;
}

int run_lock_check_rows(struct store *store, const char *state_id, const struct store_lock *lock,
                        const struct run_options *options, struct error *err)
{
    if (check_rows(store, state_id, lock, options, err) < 0)
        return apply_policy(options, err);
    return 0;
}
