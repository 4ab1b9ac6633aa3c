/*
 * A tap that costs next to nothing: records of BENCH_TAP_LINE_BYTES bytes each, BENCH_TAP_RECORDS
 * of them, and a state after every BENCH_TAP_STATE_EVERY and at the end.
 */
#include "plugins.h"

#include <string.h>

static const char catalog[] =
    "{\"streams\": [{\"tap_stream_id\": \"bench\", \"stream\": \"bench\", \"schema\": {\"type\": "
    "\"object\", \"properties\": {\"id\": {\"type\": \"string\"}, \"filler\": {\"type\": "
    "\"string\"}}}, \"metadata\": []}]}\n";
static const char schema[] =
    "{\"type\": \"SCHEMA\", \"stream\": \"bench\", \"schema\": {\"type\": \"object\", "
    "\"properties\": {\"id\": {\"type\": \"string\"}, \"filler\": {\"type\": \"string\"}}}, "
    "\"key_properties\": [\"id\"]}\n";
static const char record_head[] =
    "{\"type\": \"RECORD\", \"stream\": \"bench\", \"record\": {\"id\": \"";
static const char record_middle[] = "\", \"filler\": \"";
static const char record_tail[] = "\"}}\n";

enum {
    ID_DIGITS = 10,
};

static char buffer[PLUGIN_BUFFER_SIZE];
static size_t used;

static void flush(void)
{
    write_all(STDOUT_FILENO, buffer, used);
    used = 0;
}

static void emit(const char *data, size_t size)
{
    while (size > 0) {
        size_t room = sizeof(buffer) - used;
        size_t part = size < room ? size : room;

        memcpy(buffer + used, data, part);
        used += part;
        data += part;
        size -= part;
        if (used == sizeof(buffer))
            flush();
    }
}

static void emit_id(long number)
{
    char digits[ID_DIGITS];

    for (int i = ID_DIGITS - 1; i >= 0; i--) {
        digits[i] = (char)('0' + number % 10);
        number /= 10;
    }
    emit(digits, sizeof(digits));
}

static void emit_record(long number, long filler_bytes)
{
    static char filler[PLUGIN_BUFFER_SIZE];

    if (!filler[0])
        memset(filler, 'x', sizeof(filler));
    emit(record_head, sizeof(record_head) - 1);
    emit_id(number);
    emit(record_middle, sizeof(record_middle) - 1);
    while (filler_bytes > 0) {
        long part = filler_bytes < PLUGIN_BUFFER_SIZE ? filler_bytes : PLUGIN_BUFFER_SIZE;

        emit(filler, (size_t)part);
        filler_bytes -= part;
    }
    emit(record_tail, sizeof(record_tail) - 1);
}

static void emit_state(long number)
{
    static const char head[] =
        "{\"type\": \"STATE\", \"value\": {\"bookmarks\": {\"bench\": {\"id\": \"";
    static const char tail[] = "\"}}}}\n";

    emit(head, sizeof(head) - 1);
    emit_id(number);
    emit(tail, sizeof(tail) - 1);
}

int main(int argc, char **argv)
{
    const long overhead =
        sizeof(record_head) + sizeof(record_middle) + sizeof(record_tail) - 3 + ID_DIGITS;
    long records = setting("BENCH_TAP_RECORDS", 1);
    long line_bytes = setting("BENCH_TAP_LINE_BYTES", 268);
    long state_every = setting("BENCH_TAP_STATE_EVERY", 10000);

    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--discover")) {
            write_all(STDOUT_FILENO, catalog, sizeof(catalog) - 1);
            return EXIT_SUCCESS;
        }
    }
    emit(schema, sizeof(schema) - 1);
    for (long number = 1; number <= records; number++) {
        emit_record(number, line_bytes - overhead);
        if (number == records || number % state_every == 0)
            emit_state(number);
    }
    flush();
    return EXIT_SUCCESS;
}
