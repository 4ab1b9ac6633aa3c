#include "pipeline/state_writer.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/strbuf.h"

#include <string.h>

#define COMMIT_INTERVAL_MS 1000

static void refuse(struct state_writer *writer, const char *line, size_t length, const char *why)
{
    writer->refused++;
    log_chatter(LOG_WARNING, NULL, NULL,
                "Received state is invalid, incremental state has not been updated: %s: %.*s%s",
                why, (int)(length < 200 ? length : 200), line, length > 200 ? "..." : "");
}

static bool is_blank(const char *line, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (!strchr(" \t\r", line[i]))
            return false;
    return true;
}

int state_writer_accept(struct state_writer *writer, const char *line, size_t length,
                        struct error *err)
{
    struct error parse_error = {0};
    struct value *state = NULL;

    if (is_blank(line, length))
        return 0;
    writer->received++;
    if (!writer->backend)
        return 0;
    if (json_parse(line, length, NULL, &state, &parse_error) < 0) {
        refuse(writer, line, length, parse_error.message);
        return 0;
    }
    if (!value_is_truthy(state)) {
        value_free(state);
        log_chatter(LOG_WARNING, NULL, NULL,
                    "Received empty state, incremental state has not been updated");
        return 0;
    }
    if (!value_is_map(state)) {
        value_free(state);
        refuse(writer, line, length, "the loader's state is not a JSON object");
        return 0;
    }
    if (writer->pending && writer->kind == STATE_PARTIAL) {
        value_merge(value_get(writer->pending, "singer_state"), state);
        value_free(state);
    } else {
        value_free(writer->pending);
        writer->pending = value_new_map();
        value_set_take(writer->pending, "singer_state", state);
    }
    return state_writer_due_in_ms(writer) > 0 ? 0 : state_writer_flush(writer, err);
}

void state_writer_refuse_long_line(struct state_writer *writer)
{
    writer->received++;
    refuse(writer, "", 0, "the line is too long to be state");
}

int64_t state_writer_due_in_ms(const struct state_writer *writer)
{
    int64_t due;

    if (!writer->pending)
        return -1;
    if (!writer->checkpoints)
        return 0;
    due = writer->last_commit_ms + COMMIT_INTERVAL_MS - clock_monotonic_ms();
    return due > 0 ? due : 0;
}

int state_writer_flush(struct state_writer *writer, struct error *err)
{
    auto_free char *text = NULL;
    auto_strbuf struct strbuf when = STRBUF_INIT;

    if (!writer->pending)
        return 0;
    text = json_to_text(writer->pending, &json_python);
    if (state_backend_write(writer->backend, writer->state_id, writer->lock, writer->row_id,
                            writer->run_id, writer->kind, text, &writer->version, err) < 0)
        return error_wrap(err, "cannot save the state of '%s'", writer->state_id);
    value_free(writer->accepted);
    writer->accepted = take(writer->pending);
    writer->last_commit_ms = clock_monotonic_ms();
    writer->checkpoints++;
    strbuf_add_py_time(&when, clock_now_us(), ' ');
    log_chatter(LOG_INFO, NULL, NULL, "Incremental state has been updated at %s.",
                strbuf_text(&when));
    return 0;
}

void state_writer_clear(struct state_writer *writer)
{
    value_free(writer->pending);
    value_free(writer->accepted);
    writer->pending = writer->accepted = NULL;
}
