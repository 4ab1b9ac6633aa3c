#include "pipeline/state_writer.h"

#include "base/clock.h"
#include "base/deadline.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "base/strlist.h"
#include "pipeline/run_settings.h"
#include "store/state_spool.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define COMMIT_INTERVAL_MS 1000
/* Pauses between tries while the database is away, and when the run has ended. */
#define FIRST_PAUSE_MS 1000
#define MAX_PAUSE_MS   15000
#define LAST_PAUSE_MS  250
/* So much, but at least one line, is left for the thread to read; what is beyond that is read where
 * it arrives. */
#define MAX_QUEUED_BYTES ((size_t)8 * 1024 * 1024)
/* How many complaints are kept until somebody logs them. */
#define MAX_COMPLAINTS 100

#define NEVER INT64_MAX

/* A value to be committed. */
struct candidate {
    char *text;         /* {"singer_state": ...} as it is stored; partial: NULL until then */
    struct value *tree; /* partial only */
};

struct queue {
    struct strbuf *lines;
    size_t count, capacity;
    size_t bytes;
};

/* What the thread has to say, until the loop's thread logs it. */
struct news {
    struct strlist complaints;
    uint64_t refused, commits;
    int64_t version;
    int64_t committed_at_us; /* 0: nothing new */
    bool went_away, came_back;
    bool is_spooled;
    struct error failure; /* with went_away, and when the lock was lost */
};

struct state_writer {
    struct state_writer_options options;
    bool has_state;
    struct state_counts counts;
    bool has_thread, is_closed;
    pthread_t thread;
    int news_fd;

    /* Guards everything down to patience_until_ms. Held for moments. */
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    struct queue queue;
    struct news news;
    bool has_candidate; /* of the newest below */
    bool wants_beat;
    char *record_if_killed; /* goes with it */
    bool is_ending, has_ended;
    bool is_hurried;     /* to be tried at once */
    bool is_spool_stale; /* the file lacks the newest candidate */
    bool is_lost;        /* another run has the lock */
    int64_t patience_until_ms;

    /* Taken before the mutex, and held while lines are read: by the thread, or by the loop's when
     * the thread has been busy with the database for so long that too much is queued. */
    pthread_mutex_t reading;
    struct candidate newest;

    /* The thread's, and the loop's before it starts and after it has ended. */
    int64_t last_commit_ms;
    bool has_committed;
    struct state_base base;
    char *committed; /* text of the last commit */
    bool is_away;
    bool is_spooled; /* there is a file */
    int64_t last_spool_ms, retry_ms, pause_ms;
    struct error failure, spool_failure;
};

/* --- values ----------------------------------------------------------------------------------- */

static void candidate_clear(struct candidate *candidate)
{
    free(candidate->text);
    value_free(candidate->tree);
    *candidate = (struct candidate){0};
}

static bool candidate_exists(const struct candidate *candidate)
{
    return candidate->text || candidate->tree;
}

static const char *candidate_text(struct candidate *candidate)
{
    if (!candidate->text)
        candidate->text = json_to_text(candidate->tree, &json_python);
    return candidate->text;
}

/* newer follows older, which is freed. */
static void candidate_add(struct candidate *older, struct candidate *newer)
{
    if (!candidate_exists(newer))
        return;
    if (older->tree && newer->tree) {
        value_merge(older->tree, newer->tree);
        free(take(older->text));
        candidate_clear(newer);
    } else {
        candidate_clear(older);
        *older = *newer;
        *newer = (struct candidate){0};
    }
}

static char *complain(const char *line, size_t length, const char *why)
{
    return xasprintf("Received state is invalid, incremental state has not been updated: %s: "
                     "%.*s%s",
                     why, (int)(length < 200 ? length : 200), line, length > 200 ? "..." : "");
}

/* Why a document that is no object with members is no state. */
static char *complain_about_kind(const char *line, size_t length)
{
    auto_value struct value *state = NULL;
    struct error err = {0};

    if (json_parse(line, length, NULL, &state, &err) < 0)
        return complain(line, length, err.message);
    return value_is_truthy(state)
               ? complain(line, length, "the loader's state is not a JSON object")
               : NULL;
}

static const char empty_complaint[] =
    "Received empty state, incremental state has not been updated";

/* The candidate of a line, without building the tree of a value that is only carried. *complaint
 * says why there is none, and *is_refused that the line was no state at all. */
static bool read_line(const struct state_writer *writer, const struct strbuf *line,
                      struct candidate *out, char **complaint, bool *is_refused)
{
    static const char prefix[] = "{\"singer_state\": ";
    const char *bytes = strbuf_text(line);
    auto_strbuf struct strbuf text = STRBUF_INIT;
    struct error err = {0};
    const char *state;

    *complaint = NULL;
    if (json_copy_as_member("singer_state", bytes, line->length, &json_python, &text, &err) < 0) {
        *complaint = complain(bytes, line->length, err.message);
    } else {
        state = text.text + strlen(prefix);
        if (state[0] != '{' || state[1] == '}')
            *complaint = complain_about_kind(bytes, line->length);
        else
            out->text = strbuf_take(&text);
    }
    *is_refused = *complaint != NULL;
    if (!out->text && !*complaint)
        *complaint = xstrdup(empty_complaint);
    if (out->text && writer->options.kind == STATE_PARTIAL &&
        json_parse(out->text, strlen(out->text), NULL, &out->tree, &err) < 0) {
        free(take(out->text));
        *complaint = complain(bytes, line->length, err.message);
        *is_refused = true;
    }
    return out->text != NULL;
}

/* --- the queue -------------------------------------------------------------------------------- */

static void queue_clear(struct queue *queue)
{
    for (size_t i = 0; i < queue->count; i++)
        strbuf_clear(&queue->lines[i]);
    free(queue->lines);
    *queue = (struct queue){0};
}

static void queue_add(struct queue *queue, const char *line, size_t length)
{
    GROW(queue->lines, queue->count, queue->capacity);
    queue->lines[queue->count] = (struct strbuf)STRBUF_INIT;
    strbuf_add_bytes(&queue->lines[queue->count++], line, length);
    queue->bytes += length;
}

static void notify(struct state_writer *writer)
{
    uint64_t one = 1;
    ssize_t written = write(writer->news_fd, &one, sizeof one);

    (void)written; /* it can only be full, and then it is readable */
}

static void add_complaint(struct state_writer *writer, char *complaint, bool is_refused)
{
    writer->news.refused += is_refused;
    if (writer->news.complaints.count < MAX_COMPLAINTS)
        strlist_add_take(&writer->news.complaints, complaint);
    else
        free(complaint);
    notify(writer);
}

/* Reads what is queued; either thread, without the mutex. */
static void read_queue(struct state_writer *writer)
{
    struct queue queue;

    pthread_mutex_lock(&writer->reading);
    pthread_mutex_lock(&writer->mutex);
    queue = writer->queue;
    writer->queue = (struct queue){0};
    pthread_mutex_unlock(&writer->mutex);
    for (size_t i = 0; i < queue.count; i++) {
        struct candidate candidate = {0};
        char *complaint;
        bool is_refused;

        if (read_line(writer, &queue.lines[i], &candidate, &complaint, &is_refused)) {
            candidate_add(&writer->newest, &candidate);
        } else {
            pthread_mutex_lock(&writer->mutex);
            add_complaint(writer, complaint, is_refused);
            pthread_mutex_unlock(&writer->mutex);
        }
    }
    pthread_mutex_lock(&writer->mutex);
    writer->has_candidate = candidate_exists(&writer->newest);
    writer->is_spool_stale |= queue.count > 0;
    pthread_mutex_unlock(&writer->mutex);
    pthread_mutex_unlock(&writer->reading);
    queue_clear(&queue);
}

static struct candidate take_newest(struct state_writer *writer)
{
    struct candidate candidate;

    pthread_mutex_lock(&writer->reading);
    candidate = writer->newest;
    writer->newest = (struct candidate){0};
    pthread_mutex_lock(&writer->mutex);
    writer->has_candidate = false;
    pthread_mutex_unlock(&writer->mutex);
    pthread_mutex_unlock(&writer->reading);
    return candidate;
}

/* Puts a candidate that could not be committed before what has come since. */
static void put_back(struct state_writer *writer, struct candidate *candidate)
{
    pthread_mutex_lock(&writer->reading);
    candidate_add(candidate, &writer->newest);
    writer->newest = *candidate;
    pthread_mutex_lock(&writer->mutex);
    writer->has_candidate = true;
    pthread_mutex_unlock(&writer->mutex);
    pthread_mutex_unlock(&writer->reading);
}

/* --- the spool file --------------------------------------------------------------------------- */

static void fill_spool(const struct state_writer *writer, struct state_spool *out)
{
    *out = (struct state_spool){
        .state_id = xstrdup(writer->options.state_id),
        .row_id = writer->options.row_id,
        .written_at_us = clock_now_us(),
        .kind = writer->options.kind,
        .base = writer->base,
    };
    snprintf(out->run_id, sizeof out->run_id, "%s", writer->options.run_id);
}

static void set_spool_stale(struct state_writer *writer, bool is_stale)
{
    pthread_mutex_lock(&writer->mutex);
    writer->is_spool_stale = is_stale;
    pthread_mutex_unlock(&writer->mutex);
}

/* Whether the file is there and has the newest candidate. */
static bool is_newest_spooled(struct state_writer *writer)
{
    bool is_stale;

    pthread_mutex_lock(&writer->mutex);
    is_stale = writer->is_spool_stale;
    pthread_mutex_unlock(&writer->mutex);
    return writer->is_spooled && !is_stale;
}

/* Puts the newest candidate into the file. */
static void keep_newest(struct state_writer *writer)
{
    auto_state_spool struct state_spool spool = {0};

    fill_spool(writer, &spool);
    pthread_mutex_lock(&writer->reading);
    spool.state = xstrdup(candidate_text(&writer->newest));
    set_spool_stale(writer, false);
    pthread_mutex_unlock(&writer->reading);
    writer->last_spool_ms = clock_monotonic_ms();
    writer->spool_failure = (struct error){0};
    if (state_spool_write(writer->options.spool_path, &spool, &writer->spool_failure) < 0)
        set_spool_stale(writer, true);
    else
        writer->is_spooled = true;
}

static void remove_spool(struct state_writer *writer)
{
    struct error ignored = {0};

    /* A file that stays is recognised as committed by its time. */
    if (writer->is_spooled)
        state_spool_remove(writer->options.spool_path, &ignored);
    writer->is_spooled = false;
}

/* --- the thread ------------------------------------------------------------------------------- */

static void note_success(struct state_writer *writer)
{
    if (!writer->is_away)
        return;
    writer->is_away = false;
    pthread_mutex_lock(&writer->mutex);
    writer->news.came_back = true;
    pthread_mutex_unlock(&writer->mutex);
    notify(writer);
}

static void note_failure(struct state_writer *writer)
{
    bool is_lost = writer->failure.code == ERR_LOST_LOCK;

    pthread_mutex_lock(&writer->mutex);
    if (writer->is_ending)
        writer->pause_ms = LAST_PAUSE_MS;
    else if (!writer->is_away)
        writer->pause_ms = FIRST_PAUSE_MS;
    else if (writer->pause_ms < MAX_PAUSE_MS)
        writer->pause_ms *= 2;
    writer->retry_ms = clock_monotonic_ms() + writer->pause_ms;
    writer->news.went_away |= !writer->is_away;
    writer->news.came_back = false;
    writer->news.is_spooled = writer->is_spooled;
    writer->news.failure = writer->failure;
    writer->is_lost |= is_lost;
    pthread_mutex_unlock(&writer->mutex);
    writer->is_away = true;
    notify(writer);
}

/* Another run has the state id: what this one knows is of no use any more. */
static void give_up_state(struct state_writer *writer)
{
    struct candidate candidate = take_newest(writer);

    candidate_clear(&candidate);
    remove_spool(writer);
}

static void note_commit(struct state_writer *writer, struct candidate *candidate, int64_t version)
{
    free(writer->committed);
    writer->committed = take(candidate->text);
    candidate_clear(candidate);
    writer->base = (struct state_base){.version = version};
    writer->has_committed = true;
    writer->last_commit_ms = clock_monotonic_ms();
    pthread_mutex_lock(&writer->mutex);
    writer->news.commits++;
    writer->news.version = version;
    writer->news.committed_at_us = clock_now_us();
    pthread_mutex_unlock(&writer->mutex);
    notify(writer);
}

static void commit(struct state_writer *writer)
{
    const struct state_writer_options *options = &writer->options;
    struct candidate candidate = take_newest(writer);
    int64_t version = 0;

    writer->failure = (struct error){0};
    if (!state_backend_write(options->backend, options->state_id, options->lock, options->row_id,
                             options->run_id, options->kind, candidate_text(&candidate), &version,
                             &writer->failure)) {
        note_commit(writer, &candidate, version);
        remove_spool(writer);
        note_success(writer);
        return;
    }
    put_back(writer, &candidate);
    if (writer->failure.code == ERR_LOST_LOCK)
        give_up_state(writer);
    else if (!is_newest_spooled(writer))
        keep_newest(writer);
    note_failure(writer);
}

static void beat(struct state_writer *writer)
{
    auto_free char *record = NULL;

    pthread_mutex_lock(&writer->mutex);
    writer->wants_beat = false;
    record = take(writer->record_if_killed);
    pthread_mutex_unlock(&writer->mutex);
    writer->failure = (struct error){0};
    if (!store_run_heartbeat(writer->options.store, writer->options.row_id, record,
                             &writer->failure)) {
        note_success(writer);
        return;
    }
    if (writer->failure.code == ERR_LOST_LOCK)
        give_up_state(writer);
    note_failure(writer);
}

enum task { TASK_WAIT, TASK_READ, TASK_COMMIT, TASK_BEAT, TASK_SPOOL, TASK_END };

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* When the newest candidate may be tried. */
static int64_t commit_due_ms(const struct state_writer *writer)
{
    if (writer->is_away)
        return writer->retry_ms;
    if (writer->is_ending || !writer->has_committed)
        return 0;
    return writer->last_commit_ms + COMMIT_INTERVAL_MS;
}

/* Whether to go on trying although the run has ended and the last try failed. */
static bool has_patience(const struct state_writer *writer, int64_t now_ms)
{
    return !writer->is_away || writer->is_hurried ||
           (now_ms < writer->patience_until_ms && !deadline_has_passed() &&
            !store_has_refused(writer->options.store));
}

/* What is to be done now, else *until_ms. Under the mutex. */
static enum task next_task(struct state_writer *writer, int64_t *until_ms)
{
    int64_t now_ms = clock_monotonic_ms();

    *until_ms = NEVER;
    if (writer->is_lost && writer->is_ending)
        return TASK_END;
    if (writer->queue.count)
        return TASK_READ;
    if (writer->is_lost)
        return TASK_WAIT;
    if (writer->is_ending && (!writer->has_candidate || !has_patience(writer, now_ms)))
        return TASK_END;
    if (writer->is_hurried)
        writer->retry_ms = now_ms;
    writer->is_hurried = false;
    if (writer->has_candidate) {
        int64_t due_ms = commit_due_ms(writer);

        if (due_ms <= now_ms)
            return TASK_COMMIT;
        *until_ms = due_ms;
    }
    if (writer->wants_beat && !writer->is_ending) {
        int64_t due_ms = writer->is_away ? writer->retry_ms : now_ms;

        if (due_ms <= now_ms)
            return TASK_BEAT;
        *until_ms = earlier(*until_ms, due_ms);
    }
    if (writer->has_candidate && writer->is_away && writer->is_spool_stale) {
        int64_t due_ms = writer->last_spool_ms + COMMIT_INTERVAL_MS;

        if (due_ms <= now_ms)
            return TASK_SPOOL;
        *until_ms = earlier(*until_ms, due_ms);
    }
    return TASK_WAIT;
}

static enum task wait_for_task(struct state_writer *writer)
{
    enum task task;
    int64_t until_ms;

    pthread_mutex_lock(&writer->mutex);
    while ((task = next_task(writer, &until_ms)) == TASK_WAIT) {
        struct timespec until = {.tv_sec = until_ms / 1000, .tv_nsec = until_ms % 1000 * 1000000};

        if (until_ms == NEVER)
            pthread_cond_wait(&writer->wake, &writer->mutex);
        else
            pthread_cond_timedwait(&writer->wake, &writer->mutex, &until);
    }
    pthread_mutex_unlock(&writer->mutex);
    return task;
}

/* No line comes any more, so that the loop's thread changes nothing of what is looked at here. */
static void end_writing(struct state_writer *writer)
{
    if (writer->is_lost)
        give_up_state(writer);
    else if (writer->has_candidate && !is_newest_spooled(writer))
        keep_newest(writer);
    pthread_mutex_lock(&writer->mutex);
    writer->has_ended = true;
    pthread_mutex_unlock(&writer->mutex);
    notify(writer);
}

static void *write_states(void *context)
{
    struct state_writer *writer = context;

    for (;;) {
        switch (wait_for_task(writer)) {
        case TASK_READ:
            read_queue(writer);
            break;
        case TASK_COMMIT:
            commit(writer);
            break;
        case TASK_BEAT:
            beat(writer);
            break;
        case TASK_SPOOL:
            keep_newest(writer);
            break;
        case TASK_WAIT:
        case TASK_END:
            end_writing(writer);
            return NULL;
        }
    }
}

/* Signals are for the loop's thread. */
static void start_thread(struct state_writer *writer)
{
    sigset_t all, before;
    int failed;

    if (writer->has_thread)
        return;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    failed = pthread_create(&writer->thread, NULL, write_states, writer);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed) {
        /* As when memory runs out: there is nobody who could do better. */
        fprintf(stderr, "meltshim: cannot start a thread: %s\n", strerror(failed));
        abort();
    }
    writer->has_thread = true;
}

/* --- for the loop's thread -------------------------------------------------------------------- */

struct state_writer *state_writer_new(const struct state_writer_options *options, struct error *err)
{
    struct state_writer *writer = xcalloc(1, sizeof *writer);
    pthread_condattr_t attributes;

    writer->news_fd = -1;
    pthread_mutex_init(&writer->mutex, NULL);
    pthread_mutex_init(&writer->reading, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&writer->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    if (!options)
        return writer;
    writer->options = *options;
    writer->base = options->base;
    writer->has_state = true;
    writer->news_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (writer->news_fd >= 0)
        return writer;
    error_set_errno(err, ERR_IO, "cannot watch over the state of '%s'", options->state_id);
    state_writer_free(writer);
    return NULL;
}

static bool is_blank(const char *line, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (!strchr(" \t\r", line[i]))
            return false;
    return true;
}

void state_writer_accept(struct state_writer *writer, const char *line, size_t length)
{
    bool is_too_much;

    assert(!writer->is_closed);
    if (is_blank(line, length))
        return;
    writer->counts.received++;
    if (!writer->has_state)
        return;
    pthread_mutex_lock(&writer->mutex);
    queue_add(&writer->queue, line, length);
    is_too_much = writer->queue.count > 1 && writer->queue.bytes > MAX_QUEUED_BYTES;
    pthread_cond_signal(&writer->wake);
    pthread_mutex_unlock(&writer->mutex);
    start_thread(writer);
    if (is_too_much)
        read_queue(writer);
}

void state_writer_refuse_long_line(struct state_writer *writer)
{
    writer->counts.received++;
    writer->counts.refused++;
    log_warning("Received state is invalid, incremental state has not been updated: the line is "
                "too long to be state");
}

void state_writer_beat_take(struct state_writer *writer, char *record_if_killed)
{
    if (!writer->has_state) {
        free(record_if_killed);
        return;
    }
    pthread_mutex_lock(&writer->mutex);
    writer->wants_beat = true;
    free(writer->record_if_killed);
    writer->record_if_killed = record_if_killed;
    pthread_cond_signal(&writer->wake);
    pthread_mutex_unlock(&writer->mutex);
    start_thread(writer);
}

int state_writer_fd(const struct state_writer *writer)
{
    return writer->news_fd;
}

static void log_news(struct state_writer *writer, const struct news *news)
{
    for (size_t i = 0; i < news->complaints.count; i++)
        log_chatter(LOG_WARNING, NULL, NULL, "%s", news->complaints.items[i]);
    if (news->went_away && news->failure.code != ERR_LOST_LOCK)
        log_warning("Nothing can be written now: %s. The run goes on; what there is to write is "
                    "kept%s%s%s until it can be "
                    "written.",
                    news->failure.message, news->is_spooled ? " in '" : "",
                    news->is_spooled ? writer->options.spool_path : "",
                    news->is_spooled ? "'" : "");
    if (news->came_back)
        log_info("The system database can be written again");
    if (news->committed_at_us) {
        auto_strbuf struct strbuf when = STRBUF_INIT;

        strbuf_add_py_time(&when, news->committed_at_us, ' ');
        log_chatter(LOG_INFO, NULL, NULL, "Incremental state has been updated at %s.",
                    strbuf_text(&when));
    }
}

int state_writer_tell(struct state_writer *writer, struct error *err)
{
    uint64_t ignored;
    struct news news;
    bool is_lost;

    if (!writer->has_state)
        return 0;
    /* Empties the counter of the eventfd. */
    if (read(writer->news_fd, &ignored, sizeof ignored) < 0)
        return 0;
    pthread_mutex_lock(&writer->mutex);
    news = writer->news;
    writer->news = (struct news){0};
    is_lost = writer->is_lost;
    pthread_mutex_unlock(&writer->mutex);
    writer->counts.refused += news.refused;
    writer->counts.checkpoints += news.commits;
    if (news.version)
        writer->counts.version = news.version;
    log_news(writer, &news);
    strlist_clear(&news.complaints);
    if (!is_lost)
        return 0;
    *err = news.failure.code == ERR_LOST_LOCK ? news.failure : writer->failure;
    return -1;
}

void state_writer_end(struct state_writer *writer, int64_t patience_until_ms, int64_t limit_ms)
{
    deadline_set(limit_ms);
    pthread_mutex_lock(&writer->mutex);
    writer->is_hurried = !writer->is_ending;
    writer->is_ending = true;
    writer->patience_until_ms = patience_until_ms;
    pthread_cond_signal(&writer->wake);
    pthread_mutex_unlock(&writer->mutex);
}

bool state_writer_has_ended(const struct state_writer *writer)
{
    struct state_writer *mutable = (struct state_writer *)writer;
    bool has_ended;

    if (!writer->has_thread)
        return true;
    pthread_mutex_lock(&mutable->mutex);
    has_ended = writer->has_ended;
    pthread_mutex_unlock(&mutable->mutex);
    return has_ended;
}

static int hint_at_spool(const struct state_writer *writer, struct error *err)
{
    auto_strbuf struct strbuf word = STRBUF_INIT;

    strbuf_add_shell_word(&word, writer->options.spool_path);
    return error_hint(err,
                      "It is kept in a file. The next run of this state id commits it first; "
                      "'meltshim state commit %s' does so now.",
                      strbuf_text(&word));
}

static int tell_result(struct state_writer *writer, struct error *err)
{
    const char *state_id = writer->options.state_id;

    if (writer->is_lost) {
        *err = writer->failure;
        return -1;
    }
    if (!writer->has_candidate)
        return 0;
    if (!is_newest_spooled(writer)) {
        error_set(err, ERR_STATE, "the state of '%s' is not saved: %s; nor kept in a file: %s",
                  state_id, writer->failure.message, writer->spool_failure.message);
        return error_hint(err, "The next run loads again what was loaded since the last state that "
                               "was saved.");
    }
    error_set(err, ERR_SPOOLED, "the last state of '%s' is not saved yet: %s", state_id,
              writer->failure.message);
    return hint_at_spool(writer, err);
}

int state_writer_close(struct state_writer *writer, struct error *err)
{
    struct error ignored = {0};

    if (!writer->is_closed && writer->has_thread) {
        state_writer_end(writer, 0, clock_monotonic_ms() + DATABASE_ANSWER_MS);
        pthread_join(writer->thread, NULL);
        state_writer_tell(writer, &ignored);
    }
    if (!writer->is_closed)
        deadline_set(0);
    writer->is_closed = true;
    return tell_result(writer, err);
}

void state_writer_free(struct state_writer *writer)
{
    struct error ignored = {0};

    if (!writer)
        return;
    state_writer_close(writer, &ignored);
    fd_close(&writer->news_fd);
    queue_clear(&writer->queue);
    strlist_clear(&writer->news.complaints);
    candidate_clear(&writer->newest);
    free(writer->committed);
    free(writer->record_if_killed);
    pthread_cond_destroy(&writer->wake);
    pthread_mutex_destroy(&writer->reading);
    pthread_mutex_destroy(&writer->mutex);
    free(writer);
}

bool state_writer_is_away(const struct state_writer *writer)
{
    return writer->is_away;
}

const char *state_writer_spool_path(const struct state_writer *writer)
{
    assert(writer->is_closed);
    return writer->is_spooled ? writer->options.spool_path : NULL;
}

int state_writer_spool_end(struct state_writer *writer, enum run_state end, const char *error_text,
                           const char *record, const struct error *cause, struct error *err)
{
    auto_state_spool struct state_spool spool = {0};
    struct error failure = {0};

    assert(writer->is_closed);
    fill_spool(writer, &spool);
    if (writer->has_candidate)
        spool.state = xstrdup(candidate_text(&writer->newest));
    spool.has_end = true;
    spool.end = end;
    spool.ended_at_us = spool.written_at_us;
    spool.error_text = xstrdup_or_null(error_text);
    spool.record = xstrdup_or_null(record);
    if (state_spool_write(writer->options.spool_path, &spool, &failure) < 0)
        return error_set(err, ERR_DATABASE,
                         "the end of the run is not recorded: %s; nor kept in a file: %s",
                         cause->message, failure.message);
    writer->is_spooled = true;
    error_set(err, ERR_SPOOLED, "%s of '%s' %s not saved yet: %s",
              writer->has_candidate ? "the last state and the end of the run"
                                    : "the end of the run",
              writer->options.state_id, writer->has_candidate ? "are" : "is", cause->message);
    return hint_at_spool(writer, err);
}

const struct state_counts *state_writer_counts(const struct state_writer *writer)
{
    return &writer->counts;
}

struct value *state_writer_last_state(const struct state_writer *writer)
{
    struct value *state = NULL;
    struct error ignored = {0};

    if (writer->committed)
        json_parse(writer->committed, strlen(writer->committed), NULL, &state, &ignored);
    return state;
}
