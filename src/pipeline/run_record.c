#include "pipeline/run_record.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/redact.h"
#include "base/strbuf.h"
#include "base/utf8.h"
#include "pipeline/failure_words.h"
#include "pipeline/record_line.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Bounds of texts that come from outside. */
#define MAX_BOOKMARK_BYTES   512
#define MAX_WORD_BYTES       512
#define MAX_ERROR_LINE_BYTES 500

#define FINGERPRINT_DIGITS 16

static const char *const status_names[] = {
    [STATUS_SUCCESS] = "success",
    [STATUS_FAILED] = "failed",
    [STATUS_SKIPPED] = "skipped",
};
_Static_assert(ARRAY_LEN(status_names) == STATUS_COUNT, "a run status has no name");

static const char *const role_names[] = {
    [ROLE_TAP] = "tap",
    [ROLE_MAPPER] = "mapper",
    [ROLE_TARGET] = "target",
    [ROLE_COMMAND] = "command",
};
_Static_assert(ARRAY_LEN(role_names) == ROLE_COUNT, "a process role has no name");

const char *process_role_name(enum process_role role)
{
    return role_names[role];
}

static void block_record_clear(struct block_record *block)
{
    for (size_t i = 0; i < block->process_count; i++) {
        free(block->processes[i].plugin);
        strlist_clear(&block->processes[i].argv);
        strlist_clear(&block->processes[i].stderr_tail);
        free(block->processes[i].last_words);
        free(block->processes[i].consequence_of);
        value_free(block->processes[i].snapshot);
    }
    free(block->processes);
    free(block->words);
    free(block->signature);
    free(block->state_id);
    free(block->spool_path);
    relay_counts_clear(&block->counts);
    relay_counts_clear(&block->tap_counts);
    value_free(block->state_before);
    value_free(block->state_after);
    free(block->log_path);
    free(block->flight_path);
}

void run_record_clear(struct run_record *record)
{
    for (size_t i = 0; i < record->block_count; i++)
        block_record_clear(&record->blocks[i]);
    free(record->blocks);
    strlist_clear(&record->command);
    free(record->environment);
    value_free(record->trigger);
    free(record->host);
    *record = (struct run_record){0};
}

struct block_record *run_record_add_block(struct run_record *record)
{
    GROW(record->blocks, record->block_count, record->block_capacity);
    record->blocks[record->block_count] = (struct block_record){0};
    return &record->blocks[record->block_count++];
}

void block_record_set_processes(struct block_record *block, size_t count)
{
    assert(!block->processes);
    block->processes = xcalloc(count, sizeof(*block->processes));
    block->process_count = count;
}

void block_record_set_culprit(struct block_record *block, size_t culprit)
{
    for (size_t i = 0; i < block->process_count; i++) {
        struct process_record *process = &block->processes[i];

        process->is_culprit = i == culprit;
        if (!process->is_culprit && process->cause != CAUSE_FINISHED)
            process->consequence_of = xstrdup(block->processes[culprit].plugin);
    }
}

static const struct process_record *find_culprit(const struct block_record *block)
{
    for (size_t i = 0; i < block->process_count; i++)
        if (block->processes[i].is_culprit)
            return &block->processes[i];
    return NULL;
}

/* Whether a process failed by itself, so that its own words say why; else the error does. */
static bool speaks_for_itself(const struct process_record *process)
{
    return process && (process->cause == CAUSE_FAILED || process->cause == CAUSE_CRASHED ||
                       process->cause == CAUSE_KILLED || process->cause == CAUSE_EARLY_END);
}

void block_record_set_error(struct block_record *block, const struct error *error)
{
    const struct process_record *culprit = find_culprit(block);
    auto_free char *words = failure_words_of(error->message);
    char ended[128];

    block->error = *error;
    free(block->signature);
    if (error->code == ERR_LOCKED && block->state_id) {
        /* Whoever the owner is, and wherever. */
        block->signature =
            xasprintf("%s: another run of '%s'", error_class(error->code), block->state_id);
        return;
    }
    if (!speaks_for_itself(culprit)) {
        block->signature = xasprintf("%s: %s", error_class(error->code), words);
        return;
    }
    process_end_describe(&culprit->end, ended, sizeof ended);
    block->signature =
        xasprintf("%s %s, %s%s%s", error_class(error->code), culprit->plugin, ended,
                  culprit->last_words ? ": " : "", culprit->last_words ? culprit->last_words : "");
}

struct value *run_trigger_from_environ(const struct strmap *environ_map)
{
    static const struct {
        const char *variable, *key;
    } airflow_keys[] = {
        {"AIRFLOW_CTX_DAG_ID", "dag_id"},
        {"AIRFLOW_CTX_TASK_ID", "task_id"},
        {"AIRFLOW_CTX_DAG_RUN_ID", "dag_run_id"},
        {"AIRFLOW_CTX_TRY_NUMBER", "try_number"},
        {"AIRFLOW_CTX_LOGICAL_DATE", "logical_date"},
        {"AIRFLOW_CTX_EXECUTION_DATE", "logical_date"}, /* its name in Airflow 2 */
    };
    const char *trigger = strmap_get(environ_map, "MELTANO_JOB_TRIGGER");
    struct value *value = value_new_map();

    if (!strmap_has(environ_map, "AIRFLOW_CTX_DAG_ID")) {
        value_set_string(value, "kind", trigger && *trigger ? trigger : "cli");
        return value;
    }
    value_set_string(value, "kind", "airflow");
    for (size_t i = 0; i < ARRAY_LEN(airflow_keys); i++) {
        const char *text = strmap_get(environ_map, airflow_keys[i].variable);

        if (text)
            value_set_string(value, airflow_keys[i].key, text);
    }
    return value;
}

struct value *record_time_value(int64_t time_us)
{
    auto_strbuf struct strbuf text = STRBUF_INIT;

    if (!time_us)
        return value_new_null();
    strbuf_add_iso_time(&text, time_us);
    return value_new_string(strbuf_text(&text));
}

/* A text from outside: secrets masked, cut between characters, bytes that are no UTF-8 replaced
 * when the JSON is written, NUL impossible. */
static struct value *bounded_text(const char *text, size_t limit)
{
    auto_free char *masked = redact_text(text);
    size_t length = strlen(masked);

    if (length > limit) {
        length = limit;
        while (length && ((unsigned char)masked[length] & 0xc0) == 0x80)
            length--;
        masked[length] = '\0';
    }
    return value_new_string_take(take(masked));
}

static struct value *bounded_list(const struct strlist *list, size_t limit)
{
    struct value *value = value_new_list();

    for (size_t i = 0; i < list->count; i++)
        value_append_take(value, bounded_text(list->items[i], limit));
    return value;
}

/* Short, to be compared, searched for and typed. */
static struct value *fingerprint_value(const char *signature)
{
    char digest[DIGEST_HEX_SIZE];

    if (!signature)
        return value_new_null();
    digest_sha256_hex(signature, strlen(signature), digest);
    digest[FINGERPRINT_DIGITS] = '\0';
    return value_new_string(digest);
}

static struct value *error_value(const struct error *error, const char *signature)
{
    struct value *value;

    if (error->code == ERR_NONE)
        return value_new_null();
    value = value_new_map();
    value_set_string(value, "class", error_class(error->code));
    value_set_take(value, "message", bounded_text(error->message, sizeof error->message));
    value_set_take(value, "hint", bounded_text(error->hint, sizeof error->hint));
    value_set_take(value, "fingerprint", fingerprint_value(signature));
    value_set_string_or_null(value, "signature", signature);
    return value;
}

static void set_end(struct value *value, const struct process_end *end)
{
    char text[128];

    value_set_string(value, "ended", process_end_describe(end, text, sizeof text));
    value_set_take(value, "exit_code",
                   end->kind == EXIT_STATUS ? value_new_int(end->code) : value_new_null());
    value_set_take(value, "signal",
                   end->kind == EXIT_SIGNAL ? value_new_int(end->code) : value_new_null());
    value_set_bool(value, "out_of_memory", end->out_of_memory);
    value_set_int(value, "oom_kills", (long long)end->oom_kills);
    value_set_int(value, "duration_ms", end->wall_ms);
    value_set_int(value, "cpu_ms", end->usage.cpu_ms);
    value_set_int(value, "peak_memory_kib", end->usage.peak_kib);
    value_set_int(value, "voluntary_switches", end->usage.voluntary_switches);
    value_set_int(value, "involuntary_switches", end->usage.involuntary_switches);
    value_set_int(value, "major_faults", end->usage.major_faults);
}

static struct value *snapshot_value(const struct process_record *process)
{
    struct value *value = value_new_map();

    value_set_string(value, "reason", process->snapshot_reason);
    value_set_take(value, "taken_at", record_time_value(process->snapshot_us));
    value_set_take(value, "processes", value_copy(process->snapshot));
    return value;
}

static struct value *process_value(const struct process_record *process, size_t block)
{
    struct value *value = value_new_map();

    value_set_int(value, "block", (long long)block);
    value_set_string(value, "plugin", process->plugin);
    value_set_string(value, "role", process_role_name(process->role));
    value_set_take(value, "argv", bounded_list(&process->argv, MAX_WORD_BYTES));
    set_end(value, &process->end);
    value_set_string(value, "cause", end_cause_name(process->cause));
    value_set_bool(value, "culprit", process->is_culprit);
    value_set_string_or_null(value, "consequence_of", process->consequence_of);
    if (process->snapshot)
        value_set_take(value, "snapshot", snapshot_value(process));
    if (process->stderr_tail.count)
        value_set_take(value, "stderr_tail",
                       bounded_list(&process->stderr_tail, MAX_ERROR_LINE_BYTES));
    return value;
}

/* The bookmark of a stream in {"singer_state": {"bookmarks": {...}}}; null when there is none, when
 * it is too long for a record, or when it holds a secret, or a NUL, which is no character of
 * PostgreSQL's JSON nor of an environment variable that a template makes of it. */
static struct value *bookmark_value(const struct value *state, const char *stream)
{
    const struct value *bookmark =
        value_get(value_get(value_get(state, "singer_state"), "bookmarks"), stream);
    auto_free char *text = NULL, *masked = NULL;

    if (!bookmark)
        return value_new_null();
    text = json_to_text(bookmark, &json_compact);
    if (strlen(text) > MAX_BOOKMARK_BYTES || strstr(text, "\\u0000"))
        return value_new_null();
    masked = redact_text(text);
    return strcmp(masked, text) ? value_new_null() : value_copy(bookmark);
}

static const struct stream_count *find_stream(const struct relay_counts *counts, const char *name)
{
    for (size_t i = 0; i < counts->stream_count; i++)
        if (!strcmp(counts->streams[i].name, name))
            return &counts->streams[i];
    return NULL;
}

static struct value *stream_value(const struct block_record *block,
                                  const struct stream_count *stream, size_t number)
{
    struct value *value = value_new_map();

    value_set_int(value, "block", (long long)number);
    value_set_take(value, "name", bounded_text(stream->name, MAX_WORD_BYTES));
    value_set_int(value, "records", (long long)stream->records);
    value_set_int(value, "bytes", (long long)stream->record_bytes);
    if (block->has_mappers) {
        const struct stream_count *sent = find_stream(&block->tap_counts, stream->name);

        value_set_int(value, "records_from_tap", sent ? (long long)sent->records : 0);
    }
    value_set_int(value, "batches", (long long)stream->batches);
    value_set_int(value, "schemas", (long long)stream->schemas);
    value_set_int(value, "schema_changes", (long long)stream->schema_changes);
    value_set_bool(value, "record_before_schema", stream->record_before_schema);
    value_set_take(value, "first_record_at", record_time_value(stream->first_us));
    value_set_take(value, "last_record_at", record_time_value(stream->last_us));
    value_set_take(value, "bookmark_before", bookmark_value(block->state_before, stream->name));
    value_set_take(value, "bookmark_after", bookmark_value(block->state_after, stream->name));
    return value;
}

static struct value *totals_value(const struct run_record *record)
{
    struct value *value = value_new_map();
    uint64_t records = 0, bytes = 0;
    size_t streams = 0;

    for (size_t i = 0; i < record->block_count; i++) {
        const struct relay_counts *counts = &record->blocks[i].counts;

        streams += counts->stream_count;
        for (size_t j = 0; j < counts->stream_count; j++) {
            records += counts->streams[j].records;
            bytes += counts->streams[j].record_bytes;
        }
    }
    value_set_int(value, "streams", (long long)streams);
    value_set_int(value, "records", (long long)records);
    value_set_int(value, "bytes", (long long)bytes);
    return value;
}

static struct value *messages_value(const struct block_record *block)
{
    const struct relay_counts *counts = &block->counts;
    const struct relay_counts *source = block->has_mappers ? &block->tap_counts : counts;
    struct value *value = value_new_map();

    value_set_int(value, "bytes", (long long)counts->bytes);
    value_set_int(value, "lines", (long long)counts->lines);
    value_set_int(value, "states", (long long)counts->states);
    value_set_int(value, "activate_versions", (long long)counts->activate_versions);
    value_set_int(value, "longest_line", (long long)counts->longest_line);
    value_set_int(value, "garbage_lines", (long long)source->garbage_lines);
    value_set_int(value, "invalid_utf8_lines", (long long)source->invalid_utf8_lines);
    value_set_int(value, "unknown_types", (long long)source->unknown_types);
    value_set_int(value, "cut_bytes", (long long)source->cut_bytes);
    if (source->first_garbage.length)
        value_set_take(value, "first_garbage",
                       bounded_text(strbuf_text(&source->first_garbage), 200));
    return value;
}

static struct value *version_value(int64_t version)
{
    return version ? value_new_int(version) : value_new_null();
}

static struct value *state_value(const struct block_record *block)
{
    struct value *value;

    if (!block->state_id)
        return value_new_null();
    value = value_new_map();
    value_set_string(value, "id", block->state_id);
    value_set_take(value, "version_before", version_value(block->version_before));
    value_set_take(value, "version_after", version_value(block->version_after));
    value_set_string(value, "kind", block->state_is_partial ? "merged" : "replaced");
    value_set_int(value, "received", (long long)block->states_received);
    value_set_int(value, "refused", (long long)block->states_refused);
    value_set_int(value, "checkpoints", (long long)block->checkpoints);
    value_set_string_or_null(value, "spool_path", block->spool_path);
    return value;
}

/* The side that the relay had to wait for longer. */
static struct value *slower_side_value(const struct block_record *block)
{
    if (block->tap_wait_ms == block->target_wait_ms)
        return value_new_null();
    return value_new_string(block->tap_wait_ms > block->target_wait_ms ? "tap" : "target");
}

static struct value *block_value(const struct block_record *block, size_t number)
{
    struct value *value = value_new_map();

    value_set_int(value, "block", (long long)number);
    value_set_string(value, "kind", block->is_extract_load ? "extract_load" : "command");
    value_set_take(value, "plugins", bounded_text(block->words, MAX_WORD_BYTES));
    value_set_string(value, "status", status_names[block->status]);
    value_set_take(value, "started_at", record_time_value(block->started_us));
    value_set_int(value, "duration_ms", block->duration_ms);
    if (block->is_extract_load) {
        value_set_take(value, "state", state_value(block));
        value_set_take(value, "messages", messages_value(block));
        value_set_take(value, "slower_side", slower_side_value(block));
        value_set_string_or_null(value, "flight_path", block->flight_path);
    }
    value_set_string_or_null(value, "log_path", block->log_path);
    value_set_take(value, "error", error_value(&block->error, block->signature));
    return value;
}

/* The state id and the log of the run are those of its first extract-load block; without one the
 * first block's. */
static const struct block_record *main_block(const struct run_record *record)
{
    for (size_t i = 0; i < record->block_count; i++)
        if (record->blocks[i].is_extract_load)
            return &record->blocks[i];
    return record->block_count ? record->blocks : NULL;
}

/* The block that failed is the last one. */
static const char *last_signature(const struct run_record *record)
{
    return record->block_count ? record->blocks[record->block_count - 1].signature : NULL;
}

struct value *run_record_to_value(const struct run_record *record)
{
    const struct block_record *main = main_block(record);
    struct value *value = value_new_map();
    struct value *blocks = value_new_list();
    struct value *processes = value_new_list();
    struct value *streams = value_new_list();

    for (size_t i = 0; i < record->block_count; i++) {
        const struct block_record *block = &record->blocks[i];

        value_append_take(blocks, block_value(block, i));
        for (size_t j = 0; j < block->process_count; j++)
            value_append_take(processes, process_value(&block->processes[j], i));
        for (size_t j = 0; j < block->counts.stream_count; j++)
            value_append_take(streams, stream_value(block, &block->counts.streams[j], i));
    }
    value_set_string(value, "schema", RUN_RECORD_SCHEMA);
    value_set_string(value, "run_id", record->run_id);
    value_set_string(value, "status", status_names[record->status]);
    value_set_int(value, "exit_code", error_exit_status(record->error.code));
    value_set_string_or_null(value, "state_id", main ? main->state_id : NULL);
    value_set_string_or_null(value, "environment", record->environment);
    value_set_take(value, "command", bounded_list(&record->command, MAX_WORD_BYTES));
    value_set_take(value, "trigger", value_copy(record->trigger));
    value_set_string_or_null(value, "host", record->host);
    value_set_string(value, "version", MELTSHIM_VERSION);
    value_set_take(value, "started_at", record_time_value(record->started_us));
    value_set_take(value, "ended_at",
                   record_time_value(record->started_us + record->duration_ms * 1000));
    value_set_int(value, "duration_ms", record->duration_ms);
    value_set_take(value, "error", error_value(&record->error, last_signature(record)));
    value_set_take(value, "totals", totals_value(record));
    value_set_take(value, "streams", streams);
    value_set_take(value, "blocks", blocks);
    value_set_take(value, "processes", processes);
    value_set_string_or_null(value, "log_path", main ? main->log_path : NULL);
    return value;
}

char *run_record_to_json(const struct run_record *record)
{
    auto_value struct value *value = run_record_to_value(record);

    return json_to_text(value, &json_compact);
}

char *run_record_if_killed(const struct run_record *record)
{
    struct run_record killed = *record;
    auto_free struct block_record *blocks =
        xmemdup(record->blocks, record->block_count * sizeof *blocks);
    struct block_record *last = &blocks[record->block_count - 1];
    auto_value struct value *value = NULL;

    error_set(&killed.error, ERR_FAILED, "the process %d on %s ended without closing its run",
              (int)getpid(), record->host);
    error_hint(&killed.error, "It was killed, or its machine went down, some time after its last "
                              "sign of life. The end and the counts that are given are of then.");
    killed.status = STATUS_FAILED;
    killed.blocks = blocks;
    last->status = STATUS_FAILED;
    last->process_count = 0; /* how they ended is not known */
    last->signature = NULL;  /* not ours */
    block_record_set_error(last, &killed.error);
    value = run_record_to_value(&killed);
    free(last->signature);
    return record_line(value, NULL);
}
