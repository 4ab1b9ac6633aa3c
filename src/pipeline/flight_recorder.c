#include "pipeline/flight_recorder.h"

#include "base/attrs.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/path.h"
#include "base/redact.h"
#include "base/strbuf.h"

#define FLIGHT_SCHEMA "meltshim.flight/1"
#define FLIGHT_NAME   "flight.json"

static const char *const kind_names[] = {
    [RING_RECORD] = "RECORD", [RING_SCHEMA] = "SCHEMA",         [RING_STATE] = "STATE",
    [RING_OTHER] = "other",   [RING_UNFINISHED] = "unfinished",
};
_Static_assert(ARRAY_LEN(kind_names) == RING_KIND_COUNT, "a kind of message has no name");

static struct value *message_value(const struct kept_message *message)
{
    auto_strbuf struct strbuf text = STRBUF_INIT;
    struct value *value = value_new_map();

    strbuf_add_bytes(&text, message->text, message->length);
    if (message->length < message->bytes)
        redact_cut_strbuf(&text);
    else
        redact_strbuf(&text, 0);
    value_set_int(value, "line", (long long)message->number);
    value_set_take(value, "passed_at", record_time_value(message->passed_us));
    value_set_int(value, "bytes", (long long)message->bytes);
    value_set_bool(value, "is_cut", message->length < message->bytes);
    value_set_take(value, "text", value_new_bytes(strbuf_text(&text), text.length));
    return value;
}

static struct value *messages_value(const struct message_ring *ring)
{
    struct value *value = value_new_map();

    for (int kind = 0; kind < RING_KIND_COUNT; kind++) {
        struct value *list = value_new_list();
        const struct kept_message *message;

        for (size_t i = 0; (message = message_ring_at(ring, (enum ring_kind)kind, i)); i++)
            value_append_take(list, message_value(message));
        value_set_take(value, kind_names[kind], list);
    }
    return value;
}

static struct value *process_value(const struct flight_process *process)
{
    struct value *value = value_new_map();
    struct value *lines = value_new_list();

    for (size_t i = 0; i < process->error_lines->count; i++)
        value_append_take(lines,
                          value_new_string_take(redact_text(process->error_lines->items[i])));
    value_set_string(value, "plugin", process->plugin);
    value_set_string(value, "role", process_role_name(process->role));
    value_set_take(value, "messages",
                   process->messages ? messages_value(process->messages) : value_new_null());
    value_set_take(value, "stderr", lines);
    return value;
}

char *flight_recorder_write(const char *log_path, const char *run_id,
                            const struct flight_process *processes, size_t count)
{
    auto_free char *directory = path_parent(log_path);
    auto_free char *path = path_join(directory, FLIGHT_NAME);
    auto_value struct value *value = value_new_map();
    auto_free char *json = NULL;
    auto_strbuf struct strbuf text = STRBUF_INIT;
    struct value *list = value_new_list();
    struct error err = {0};

    value_set_string(value, "schema", FLIGHT_SCHEMA);
    value_set_string(value, "run_id", run_id);
    value_set_take(value, "written_at", record_time_value(clock_now_us()));
    value_set_take(value, "processes", list);
    for (size_t i = 0; i < count; i++)
        value_append_take(list, process_value(&processes[i]));
    json = json_to_text(value, &json_indented_utf8);
    strbuf_add(&text, json);
    strbuf_add_char(&text, '\n');
    if (file_replace(path, &text, 0600, NULL, &err) < 0) {
        log_warning("the last messages of the run are not kept: %s", err.message);
        return NULL;
    }
    return take(path);
}
