#include "process/relay.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "process/message_scan.h"
#include "tests/unit/sanitizer.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

Suite *process_relay_suite(void);

/* --- helpers ---------------------------------------------------------------------------------- */

static void scan_in_pieces(const char *bytes, size_t size, size_t piece_size,
                           struct relay_counts *counts)
{
    struct message_scan *scan = message_scan_new(counts);

    for (size_t at = 0; at < size; at += piece_size)
        message_scan_bytes(scan, bytes + at, size - at < piece_size ? size - at : piece_size, 7);
    message_scan_end(scan, 7);
    message_scan_free(scan);
}

static void describe_counts(const struct relay_counts *counts, struct strbuf *out)
{
    strbuf_addf(out,
                "bytes=%ju lines=%ju states=%ju versions=%ju garbage=%ju bad_utf8=%ju unknown=%ju "
                "longest=%ju first_garbage=<",
                (uintmax_t)counts->bytes, (uintmax_t)counts->lines, (uintmax_t)counts->states,
                (uintmax_t)counts->activate_versions, (uintmax_t)counts->garbage_lines,
                (uintmax_t)counts->invalid_utf8_lines, (uintmax_t)counts->unknown_types,
                (uintmax_t)counts->longest_line);
    strbuf_add_bytes(out, strbuf_text(&counts->first_garbage), counts->first_garbage.length);
    strbuf_add(out, ">");
    for (size_t i = 0; i < counts->stream_count; i++) {
        const struct stream_count *stream = &counts->streams[i];

        strbuf_addf(out, "\n%s: records=%ju/%ju schemas=%ju/%ju batches=%ju%s", stream->name,
                    (uintmax_t)stream->records, (uintmax_t)stream->record_bytes,
                    (uintmax_t)stream->schemas, (uintmax_t)stream->schema_changes,
                    (uintmax_t)stream->batches, stream->record_before_schema ? " early" : "");
    }
}

/* --- what single lines count as --------------------------------------------------------------- */

enum expected { GARBAGE, UNKNOWN, STATE, VERSION, RECORD, SCHEMA, BATCH };

static const struct {
    const char *line;
    enum expected kind;
    const char *stream;
} lines[] = {
    {"{\"type\": \"RECORD\", \"stream\": \"a\", \"record\": {}}", RECORD, "a"},
    {"{\"type\":\"RECORD\",\"stream\":\"a\",\"record\":{}}", RECORD, "a"},
    {"{\"stream\":\"a\",\"type\":\"RECORD\",\"record\":{}}", RECORD, "a"},
    {"{\"record\":{\"type\":\"STATE\",\"stream\":\"b\"},\"stream\":\"a\",\"type\":\"RECORD\"}",
     RECORD, "a"},
    {" \t{ \"record\" : [ { } , \"}\" , [ 1 ] ] , \"type\" : \"RECORD\" , \"stream\" : \"a\" } \r",
     RECORD, "a"},
    {"{\"record\":\"x\\\\\",\"n\":-1.5e3,\"t\":true,\"type\":\"RECORD\",\"stream\":\"a\"}", RECORD,
     "a"},
    {"{\"record\":\"\\\"type\\\":{\",\"type\":\"RECORD\",\"stream\":\"a\"}", RECORD, "a"},
    {"{\"t\\u0079pe\":\"REC\\u004fRD\",\"stream\":\"\\u00e9\\ud83d\\ude00\\\"\"}", RECORD,
     "\xc3\xa9\xf0\x9f\x98\x80\""},
    {"{\"type\":\"RECORD\",\"stream\":\"\xc3\xa9\"}", RECORD, "\xc3\xa9"},
    {"{\"type\":\"RECORD\",\"stream\":\"\"}", RECORD, ""},
    {"{\"stream\":null,\"type\":\"STATE\",\"value\":{}}", STATE, NULL},
    {"{\"type\": \"STATE\", \"value\": {}}", STATE, NULL},
    {"{\"value\": {\"stream\": 1}, \"type\": \"STATE\"}", STATE, NULL},
    {"{\"type\":\"ACTIVATE_VERSION\",\"stream\":\"a\",\"version\":1}", VERSION, NULL},
    {"{\"type\":\"SCHEMA\",\"stream\":\"a\",\"schema\":{}}", SCHEMA, "a"},
    {"{\"type\":\"BATCH\",\"stream\":\"a\"}", BATCH, "a"},
    {"{\"type\":\"record\",\"stream\":\"a\"}", UNKNOWN, NULL},
    {"{\"type\":\"\"}", UNKNOWN, NULL},
    {"", GARBAGE, NULL},
    {"  ", GARBAGE, NULL},
    {"Traceback (most recent call last):", GARBAGE, NULL},
    {"{}", GARBAGE, NULL},
    {"{", GARBAGE, NULL},
    {"[]", GARBAGE, NULL},
    {"\"type\"", GARBAGE, NULL},
    {"{\"type\":5}", GARBAGE, NULL},
    {"{\"type\":\"RECORD\"}", GARBAGE, NULL},
    {"{\"type\":\"RECORD\",\"stream\":5}", GARBAGE, NULL},
    {"{\"type\":\"RECORD\",\"record\":{\"stream\":\"a\"}}", GARBAGE, NULL},
    {"{\"type\":\"RECORD\",\"stream\":\"a\",\"record\":{\"x\":\"y", GARBAGE, "a"},
    {"{\"record\":{\"type\":\"RECORD\",\"stream\":\"a\"}", GARBAGE, NULL},
    {"{\"type\" \"RECORD\",\"stream\":\"a\"}", GARBAGE, NULL},
    {"{\"type\":\"RECORD\" \"stream\":\"a\"}", GARBAGE, NULL},
    {"{type:\"RECORD\",\"stream\":\"a\"}", GARBAGE, NULL},
};

static void check_line(const struct relay_counts *counts, size_t line, bool has_feed)
{
    enum expected kind = lines[line].kind;
    size_t length = strlen(lines[line].line);

    ck_assert_uint_eq(counts->lines, 1);
    ck_assert_uint_eq(counts->longest_line, length);
    ck_assert_uint_eq(counts->garbage_lines, kind == GARBAGE);
    ck_assert_uint_eq(counts->unknown_types, kind == UNKNOWN);
    ck_assert_uint_eq(counts->states, kind == STATE);
    ck_assert_uint_eq(counts->activate_versions, kind == VERSION);
    ck_assert_uint_eq(counts->stream_count, lines[line].stream != NULL);
    if (!lines[line].stream)
        return;
    ck_assert_str_eq(counts->streams[0].name, lines[line].stream);
    ck_assert_uint_eq(counts->streams[0].records, kind == RECORD);
    ck_assert_uint_eq(counts->streams[0].record_bytes, kind == RECORD ? length + has_feed : 0);
    ck_assert_uint_eq(counts->streams[0].schemas, kind == SCHEMA);
    ck_assert_uint_eq(counts->streams[0].batches, kind == BATCH);
}

START_TEST(a_line_is_what_its_type_and_stream_say)
{
    auto_free char *with_feed = xasprintf("%s\n", lines[_i].line);
    size_t length = strlen(with_feed);

    for (size_t piece = 1; piece <= length; piece++) {
        struct relay_counts counts = {0};

        scan_in_pieces(with_feed, length, piece, &counts);
        check_line(&counts, (size_t)_i, true);
        relay_counts_clear(&counts);
        scan_in_pieces(with_feed, length - 1, piece, &counts);
        if (length > 1)
            check_line(&counts, (size_t)_i, false);
        relay_counts_clear(&counts);
    }
}
END_TEST

START_TEST(repeated_lines_count_the_same_as_the_first)
{
    auto_strbuf struct strbuf text = STRBUF_INIT;
    auto_strbuf struct strbuf found = STRBUF_INIT;
    struct relay_counts counts = {0};

    for (int i = 0; i < 5; i++) {
        strbuf_add(&text, "{\"type\": \"SCHEMA\", \"stream\": \"a\", \"schema\": {}}\n");
        strbuf_add(&text, "{\"type\": \"RECORD\", \"stream\": \"a\", \"record\": {}}\n");
        strbuf_add(&text, "{\"type\": \"RECORD\", \"stream\": \"ab\", \"record\": {}}\n");
        strbuf_add(&text, "{\"type\": \"RECORD\", \"stream\": \"a\"}\n");
        strbuf_add(&text, "{\"type\": \"RECORD\", \"stream\": \"a\", \"rec\n");
        strbuf_add(&text, "{\"type\": \"STATE\", \"value\": 1}\n{\"type\": \"STATE\"}\n");
    }
    scan_in_pieces(strbuf_text(&text), text.length, text.length, &counts);
    describe_counts(&counts, &found);
    ck_assert_str_eq(strbuf_text(&found),
                     "bytes=1330 lines=35 states=10 versions=0 garbage=5 bad_utf8=0 unknown=0 "
                     "longest=48 first_garbage=<{\"type\": \"RECORD\", \"stream\": \"a\", \"rec>\n"
                     "a: records=10/410 schemas=5/0 batches=0\n"
                     "ab: records=5/245 schemas=0/0 batches=0 early");
    relay_counts_clear(&counts);
}
END_TEST

START_TEST(a_schema_that_changes_is_noticed)
{
    static const char text[] = "{\"type\":\"SCHEMA\",\"stream\":\"a\",\"schema\":{}}\n"
                               "{\"schema\":{},\"stream\":\"b\",\"type\":\"SCHEMA\"}\n"
                               "{\"type\":\"SCHEMA\",\"stream\":\"a\",\"schema\":{}}\n"
                               "{\"type\":\"SCHEMA\",\"stream\":\"a\",\"schema\":{\"x\":1}}\n"
                               "{\"schema\":{},\"stream\":\"b\",\"type\":\"SCHEMA\"}\n"
                               "{\"schema\":[],\"stream\":\"b\",\"type\":\"SCHEMA\"}\n"
                               "{\"type\":\"SCHEMA\",\"stream\":\"a\",\"schema\":{\"x\":1}}\n";

    for (size_t piece = 1; piece < sizeof text; piece++) {
        struct relay_counts counts = {0};

        scan_in_pieces(text, sizeof text - 1, piece, &counts);
        ck_assert_uint_eq(counts.streams[0].schemas, 4);
        ck_assert_uint_eq(counts.streams[0].schema_changes, 1);
        ck_assert_uint_eq(counts.streams[1].schemas, 3);
        ck_assert_uint_eq(counts.streams[1].schema_changes, 1);
        relay_counts_clear(&counts);
    }
}
END_TEST

static const struct {
    const char *bytes;
    unsigned invalid;
} utf8_lines[] = {
    {"plain\n", 0},
    {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xed\x9f\xbf\xef\xbf\xbf\xf4\x8f\xbf\xbf\n", 0},
    {"\xff\n\xc3\xa9\n\xfe\n", 2},
    {"\xc0\x80\n", 1},               /* overlong */
    {"\xe0\x9f\xbf\n", 1},           /* overlong */
    {"\xf0\x8f\xbf\xbf\n", 1},       /* overlong */
    {"\xed\xa0\x80\n", 1},           /* a surrogate */
    {"\xf4\x90\x80\x80\n", 1},       /* beyond U+10FFFF */
    {"\xe2\x82\n\xac\n", 2},         /* a line feed inside */
    {"a\x80\n", 1},                  /* a continuation alone */
    {"0123456789abcdef\xe2\x82", 1}, /* cut at the end */
};

START_TEST(lines_that_are_not_utf8_are_counted)
{
    size_t length = strlen(utf8_lines[_i].bytes);

    for (size_t piece = 1; piece <= length; piece++) {
        struct relay_counts counts = {0};

        scan_in_pieces(utf8_lines[_i].bytes, length, piece, &counts);
        ck_assert_uint_eq(counts.invalid_utf8_lines, utf8_lines[_i].invalid);
        relay_counts_clear(&counts);
    }
}
END_TEST

START_TEST(names_without_end_do_not_take_our_memory)
{
    struct relay_counts counts = {0};
    struct message_scan *scan = message_scan_new(&counts);
    auto_strbuf struct strbuf line = STRBUF_INIT;

    for (int i = 0; i < 70000; i++) {
        strbuf_reset(&line);
        strbuf_addf(&line, "{\"type\":\"RECORD\",\"stream\":\"%d\"}\n", i);
        message_scan_bytes(scan, line.text, line.length, 1);
    }
    strbuf_reset(&line);
    strbuf_add(&line, "{\"type\":\"RECORD\",\"stream\":\"");
    strbuf_add_repeat(&line, 'n', 100000);
    strbuf_add(&line, "\"}\n{\"");
    strbuf_add_repeat(&line, 'k', 100000);
    strbuf_add(&line, "\":1,\"type\":\"RECORD\",\"stream\":\"0\"}\n");
    message_scan_bytes(scan, line.text, line.length, 1);
    message_scan_free(scan);
    ck_assert_uint_eq(counts.stream_count, 65537);
    ck_assert_str_eq(counts.streams[65536].name, "(further streams)");
    ck_assert_uint_eq(counts.streams[65536].records, 70000 - 65536 + 1);
    ck_assert_uint_eq(counts.streams[0].records, 2);
    relay_counts_clear(&counts);
}
END_TEST

START_TEST(a_long_stream_name_is_cut)
{
    struct relay_counts counts = {0};
    auto_strbuf struct strbuf line = STRBUF_INIT;

    strbuf_add(&line, "{\"type\":\"RECORD\",\"stream\":\"");
    strbuf_add_repeat(&line, 'n', 5000);
    strbuf_add(&line, "\"}");
    scan_in_pieces(line.text, line.length, 77, &counts);
    ck_assert_uint_eq(strlen(counts.streams[0].name), 1023);
    relay_counts_clear(&counts);
}
END_TEST

START_TEST(the_time_of_the_first_and_last_record_is_kept)
{
    struct relay_counts counts = {0};
    struct message_scan *scan = message_scan_new(&counts);
    static const char line[] = "{\"type\":\"RECORD\",\"stream\":\"a\"}\n";

    for (int64_t now_us = 10; now_us <= 30; now_us += 10)
        message_scan_bytes(scan, line, sizeof line - 1, now_us);
    message_scan_free(scan);
    ck_assert_int_eq(counts.streams[0].first_us, 10);
    ck_assert_int_eq(counts.streams[0].last_us, 30);
    relay_counts_clear(&counts);
}
END_TEST

/* --- random messages against a plain reference ------------------------------------------------ */

static uint64_t random_state;

static unsigned pick(unsigned below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (unsigned)(random_state >> 33) % below;
}

static const char *const text_parts[] = {
    "type", "RECORD", "\\\"",   "\\\\", "\\u00e9",  "\\ud83d\\ude00", "{",
    "}",    "[",      "]",      ":",    ",",        "\xc3\xa9",       "\xf0\x9f\x98\x80",
    "\\n",  " ",      "stream", "\xff", "\xe2\x82", "plain text",
};

static const char *const stream_names[] = {
    "\"users\"",
    "\"orders\"",
    "\"public-a\"",
    "\"public-b\"",
    "\"\\u00e9t\\u00e9\"",
    "\"\xc3\xa9t\xc3\xa9\"",
    "\"with \\\"quotes\\\"\"",
    "\"\"",
};

static const char *const type_names[] = {
    "\"RECORD\"", "\"RECORD\"", "\"RECORD\"", "\"SCHEMA\"",       "\"STATE\"",
    "\"BATCH\"",  "\"OTHER\"",  "7",          "\"REC\\u004fRD\"", "\"ACTIVATE_VERSION\"",
};

static void add_blanks(struct strbuf *out)
{
    if (pick(3) == 0)
        strbuf_add_repeat(out, pick(2) ? ' ' : '\t', pick(3));
}

static void add_random_string(struct strbuf *out)
{
    strbuf_add(out, "\"");
    for (unsigned count = pick(4); count; count--)
        strbuf_add(out, text_parts[pick(ARRAY_LEN(text_parts))]);
    strbuf_add(out, "\"");
}

static void add_random_value(struct strbuf *out, int depth)
{
    static const char *const scalars[] = {"1", "-2.5e7", "true", "false", "null"};
    unsigned what = pick(depth ? 5 : 3);
    unsigned count = pick(4);

    if (what == 0) {
        strbuf_add(out, scalars[pick(ARRAY_LEN(scalars))]);
    } else if (what < 3) {
        add_random_string(out);
    } else {
        strbuf_add(out, what == 3 ? "[" : "{");
        for (unsigned i = 0; i < count; i++) {
            strbuf_add(out, i ? "," : "");
            add_blanks(out);
            if (what == 4) {
                add_random_string(out);
                strbuf_add(out, ":");
            }
            add_random_value(out, depth - 1);
            add_blanks(out);
        }
        strbuf_add(out, what == 3 ? "]" : "}");
    }
}

static void add_member(struct strbuf *out, const char *key, const char *value)
{
    add_blanks(out);
    strbuf_add(out, key);
    add_blanks(out);
    strbuf_add(out, ":");
    add_blanks(out);
    if (value)
        strbuf_add(out, value);
    else
        add_random_value(out, 4);
    add_blanks(out);
}

static void add_message(struct strbuf *out)
{
    static const char *const type_keys[] = {"\"type\"", "\"type\"", "\"\\u0074ype\""};
    const char *keys[] = {type_keys[pick(3)], "\"stream\"", "\"record\"", "\"schema\""};
    const char *values[] = {type_names[pick(ARRAY_LEN(type_names))],
                            stream_names[pick(ARRAY_LEN(stream_names))], NULL, NULL};
    unsigned first = pick(2) ? 0 : pick(4), count = pick(8) ? 4 : pick(4);

    add_blanks(out);
    strbuf_add(out, "{");
    for (unsigned i = 0; i < count; i++) {
        strbuf_add(out, i ? "," : "");
        add_member(out, keys[(first + i) % 4], values[(first + i) % 4]);
    }
    strbuf_add(out, "}");
    add_blanks(out);
}

static void add_random_line(struct strbuf *out)
{
    static const char *const garbage[] = {
        "", "INFO started", "[{}]", "{\"type\": \"RECORD\", \"str", "\xff\xfe", "}{"};

    if (pick(10) == 0)
        strbuf_add(out, garbage[pick(ARRAY_LEN(garbage))]);
    else
        add_message(out);
    strbuf_add(out, pick(10) ? "\n" : "\r\n");
}

/* The reference replaces what is not UTF-8, for the JSON reader refuses it. */
static char *replace_invalid(const char *bytes, size_t size, bool *was_valid)
{
    char *copy = xstrndup(bytes, size);
    unsigned code_point;
    size_t length = 0;

    *was_valid = true;
    for (size_t i = 0; i < size; i += length ? length : 1) {
        length = utf8_decode(bytes + i, size - i, &code_point);
        if (!length) {
            copy[i] = '?';
            *was_valid = false;
        }
    }
    return copy;
}

static struct stream_count *reference_stream(struct relay_counts *counts, const char *name)
{
    for (size_t i = 0; i < counts->stream_count; i++) {
        if (strcmp(counts->streams[i].name, name) == 0)
            return &counts->streams[i];
    }
    GROW(counts->streams, counts->stream_count, counts->stream_capacity);
    counts->streams[counts->stream_count] = (struct stream_count){.name = xstrdup(name)};
    return &counts->streams[counts->stream_count++];
}

static bool reference_counts_message(struct relay_counts *counts, const struct value *message,
                                     const char *line, size_t length, size_t feed)
{
    const char *type =
        value_is_string(value_get(message, "type")) ? value_get_text(message, "type") : NULL;
    const char *name = value_get_text(message, "stream");
    struct stream_count *stream;

    if (!type)
        return false;
    if (strcmp(type, "RECORD") != 0 && strcmp(type, "SCHEMA") != 0 && strcmp(type, "BATCH") != 0) {
        counts->states += strcmp(type, "STATE") == 0;
        counts->activate_versions += strcmp(type, "ACTIVATE_VERSION") == 0;
        counts->unknown_types += strcmp(type, "OTHER") == 0;
        return true;
    }
    if (!name)
        return false;
    stream = reference_stream(counts, name);
    if (*type == 'R') {
        stream->records++;
        stream->record_bytes += length + feed;
        stream->record_before_schema |= !stream->schemas;
    } else if (*type == 'S') {
        uint64_t hash = 5381;

        for (size_t i = 0; i < length; i++)
            hash = hash * 33 + (unsigned char)line[i];
        stream->schema_changes += stream->schemas && stream->schema_hash != hash;
        stream->schema_hash = hash;
        stream->schemas++;
    } else {
        stream->batches++;
    }
    return true;
}

static void count_by_reference(const char *bytes, size_t size, struct relay_counts *counts)
{
    for (size_t at = 0; at < size;) {
        const char *line = bytes + at;
        const char *feed = memchr(line, '\n', size - at);
        size_t length = feed ? (size_t)(feed - line) : size - at;
        bool was_valid;
        auto_free char *text = replace_invalid(line, length, &was_valid);
        auto_value struct value *message = NULL;
        struct error err = {0};

        counts->lines++;
        counts->bytes += length + (feed != NULL);
        counts->invalid_utf8_lines += !was_valid;
        if (length > counts->longest_line)
            counts->longest_line = length;
        if (json_parse(text, length, NULL, &message, &err) < 0 || !value_is_map(message) ||
            !reference_counts_message(counts, message, line, length, feed != NULL)) {
            if (!counts->garbage_lines++)
                strbuf_add_bytes(&counts->first_garbage, line, length < 200 ? length : 200);
        }
        at += length + (feed != NULL);
    }
}

START_TEST(counts_equal_those_of_a_plain_reference)
{
    auto_strbuf struct strbuf text = STRBUF_INIT;
    auto_strbuf struct strbuf expected = STRBUF_INIT;
    auto_strbuf struct strbuf found = STRBUF_INIT;
    struct relay_counts reference = {0}, counts = {0};
    struct message_scan *scan = message_scan_new(&counts);

    random_state = 0x9e3779b97f4a7c15u + (uint64_t)_i;
    for (unsigned count = pick(100); count; count--)
        add_random_line(&text);
    if (pick(2))
        add_message(&text);
    count_by_reference(strbuf_text(&text), text.length, &reference);
    for (size_t at = 0, piece; at < text.length; at += piece) {
        piece = 1 + pick(pick(4) ? 40 : 4000);
        if (piece > text.length - at)
            piece = text.length - at;
        message_scan_bytes(scan, text.text + at, piece, 1);
    }
    message_scan_end(scan, 1);
    describe_counts(&reference, &expected);
    describe_counts(&counts, &found);
    ck_assert_str_eq(strbuf_text(&found), strbuf_text(&expected));
    message_scan_free(scan);
    relay_counts_clear(&reference);
    relay_counts_clear(&counts);
}
END_TEST

/* --- the last messages ------------------------------------------------------------------------ */

static void check_kept(const struct message_ring *ring, enum ring_kind kind, size_t position,
                       const char *text, uint64_t bytes, uint64_t number)
{
    const struct kept_message *message = message_ring_at(ring, kind, position);

    ck_assert_ptr_nonnull(message);
    ck_assert_uint_eq(message->length, strlen(text));
    ck_assert_int_eq(memcmp(message->text, text, message->length), 0);
    ck_assert_uint_eq(message->bytes, bytes);
    ck_assert_uint_eq(message->number, number);
    ck_assert_int_eq(message->passed_us, 7);
}

static const size_t piece_sizes[] = {1, 7, 64, 1000, 100000};

START_TEST(the_last_messages_of_each_kind_are_kept)
{
    auto_strbuf struct strbuf text = STRBUF_INIT;
    struct relay_counts counts = {0};
    struct message_ring *ring = message_ring_new();
    struct message_scan *scan = message_scan_new(&counts);
    size_t piece = piece_sizes[_i];

    strbuf_add(&text, "{\"type\":\"SCHEMA\",\"stream\":\"a\"}\n");
    for (int i = 2; i <= 9; i++)
        strbuf_addf(&text, "{\"type\":\"RECORD\",\"stream\":\"a\",\"n\":%d}\n", i);
    strbuf_add(&text, "a line of a log\n{\"type\":\"STATE\",\"value\":{}}\n{\"type\":\"REC");
    message_scan_keep(scan, ring);
    for (size_t at = 0; at < text.length; at += piece)
        message_scan_bytes(scan, text.text + at,
                           text.length - at < piece ? text.length - at : piece, 7);
    message_scan_keep_unfinished(scan);
    check_kept(ring, RING_SCHEMA, 0, "{\"type\":\"SCHEMA\",\"stream\":\"a\"}", 30, 1);
    ck_assert_ptr_null(message_ring_at(ring, RING_SCHEMA, 1));
    check_kept(ring, RING_RECORD, 0, "{\"type\":\"RECORD\",\"stream\":\"a\",\"n\":5}", 36, 5);
    check_kept(ring, RING_RECORD, 4, "{\"type\":\"RECORD\",\"stream\":\"a\",\"n\":9}", 36, 9);
    ck_assert_ptr_null(message_ring_at(ring, RING_RECORD, 5));
    check_kept(ring, RING_OTHER, 0, "a line of a log", 15, 10);
    check_kept(ring, RING_STATE, 0, "{\"type\":\"STATE\",\"value\":{}}", 27, 11);
    check_kept(ring, RING_UNFINISHED, 0, "{\"type\":\"REC", 12, 12);
    message_scan_free(scan);
    message_ring_free(ring);
    relay_counts_clear(&counts);
}
END_TEST

START_TEST(of_a_long_message_the_beginning_is_kept)
{
    auto_strbuf struct strbuf text = STRBUF_INIT;
    struct relay_counts counts = {0};
    struct message_ring *ring = message_ring_new();
    struct message_scan *scan = message_scan_new(&counts);
    const struct kept_message *message;
    size_t piece = piece_sizes[_i];

    strbuf_add(&text, "{\"type\":\"RECORD\",\"stream\":\"a\",\"text\":\"");
    strbuf_add_repeat(&text, 'x', 50000);
    strbuf_add(&text, "\"}\n");
    message_scan_keep(scan, ring);
    for (size_t at = 0; at < text.length; at += piece)
        message_scan_bytes(scan, text.text + at,
                           text.length - at < piece ? text.length - at : piece, 7);
    message = message_ring_at(ring, RING_RECORD, 0);
    ck_assert_uint_eq(message->length, MESSAGE_RING_BYTES);
    ck_assert_uint_eq(message->bytes, text.length - 1);
    ck_assert_int_eq(memcmp(message->text, text.text, MESSAGE_RING_BYTES), 0);
    message_scan_free(scan);
    message_ring_free(ring);
    relay_counts_clear(&counts);
}
END_TEST

/* --- pipes ------------------------------------------------------------------------------------ */

static int source[2], sink[2];

static void open_pipes(void)
{
    signal(SIGPIPE, SIG_IGN);
    ck_assert_int_eq(pipe2(source, O_CLOEXEC), 0);
    ck_assert_int_eq(pipe2(sink, O_CLOEXEC), 0);
}

static struct relay *new_relay(int source_fd, int sink_fd, struct relay_counts *counts)
{
    struct error err = {0};
    struct relay *relay = relay_new(source_fd, sink_fd, counts, &err);

    ck_assert_msg(relay != NULL, "%s", err.message);
    return relay;
}

/* Steps and waits until the end; each side is slow now and then. */
static enum relay_status run_relay(struct relay *relay)
{
    for (;;) {
        enum relay_status status = relay_step(relay);
        struct pollfd wait = {.fd = source[0], .events = POLLIN};

        if (status != RELAY_WANTS_INPUT && status != RELAY_WANTS_OUTPUT)
            return status;
        if (status == RELAY_WANTS_OUTPUT)
            wait = (struct pollfd){.fd = sink[1], .events = POLLOUT};
        ck_assert_int_gt(poll(&wait, 1, 10000), 0);
    }
}

static pid_t fork_writer(const struct strbuf *bytes)
{
    pid_t pid = fork();

    if (pid)
        return pid;
    close(source[0]);
    close(sink[0]);
    close(sink[1]);
    for (size_t at = 0; at < bytes->length;) {
        size_t size = 1 + pick(pick(4) ? 300 : 200000);
        ssize_t written = write(source[1], bytes->text + at,
                                size < bytes->length - at ? size : bytes->length - at);

        if (written < 0)
            _exit(1);
        at += (size_t)written;
    }
    _exit(0);
}

static pid_t fork_reader(const struct strbuf *expected)
{
    pid_t pid = fork();
    static char buffer[100000];
    size_t at = 0;
    ssize_t got;

    if (pid)
        return pid;
    close(source[0]);
    close(source[1]);
    close(sink[1]);
    while ((got = read(sink[0], buffer, 1 + pick(sizeof buffer))) > 0) {
        if ((size_t)got > expected->length - at ||
            memcmp(expected->text + at, buffer, (size_t)got) != 0)
            _exit(1);
        at += (size_t)got;
    }
    _exit(got < 0 || at != expected->length ? 1 : 0);
}

START_TEST(every_byte_arrives_and_is_counted)
{
    auto_strbuf struct strbuf text = STRBUF_INIT;
    auto_strbuf struct strbuf expected = STRBUF_INIT;
    auto_strbuf struct strbuf found = STRBUF_INIT;
    struct relay_counts reference = {0}, counts = {0};
    struct relay *relay;
    int status;
    pid_t writer, reader;

    random_state = 0x2545f4914f6cdd1du + (uint64_t)_i;
    while (text.length < 1000000)
        add_random_line(&text);
    open_pipes();
    if (_i % 2)
        fcntl(sink[1], F_SETPIPE_SZ, 4096);
    writer = fork_writer(&text);
    pick(1);
    reader = fork_reader(&text);
    close(source[1]);
    close(sink[0]);
    relay = new_relay(source[0], sink[1], &counts);
    ck_assert_int_eq(run_relay(relay), RELAY_END);
    close(sink[1]);
    ck_assert_int_eq(waitpid(writer, &status, 0), writer);
    ck_assert_int_eq(status, 0);
    ck_assert_int_eq(waitpid(reader, &status, 0), reader);
    ck_assert_int_eq(status, 0);
    count_by_reference(text.text, text.length, &reference);
    describe_counts(&reference, &expected);
    describe_counts(&counts, &found);
    ck_assert_str_eq(strbuf_text(&found), strbuf_text(&expected));
    relay_free(relay);
    relay_counts_clear(&reference);
    relay_counts_clear(&counts);
}
END_TEST

START_TEST(a_reader_that_goes_away_breaks_the_relay)
{
    struct relay_counts counts = {0};
    struct relay *relay;

    open_pipes();
    relay = new_relay(source[0], sink[1], &counts);
    ck_assert_int_eq(relay_step(relay), RELAY_WANTS_INPUT);
    ck_assert_int_eq(write(source[1], "{}\n", 3), 3);
    ck_assert_int_eq(relay_step(relay), RELAY_WANTS_INPUT);
    close(sink[0]);
    ck_assert_int_eq(write(source[1], "{}\n", 3), 3);
    ck_assert_int_eq(relay_step(relay), RELAY_BROKEN);
    relay_free(relay);
    relay_counts_clear(&counts);
}
END_TEST

START_TEST(a_full_sink_and_an_ended_source_do_not_spin)
{
    static char filler[65536];
    struct relay *relay;

    open_pipes();
    memset(filler, 'x', sizeof filler);
    ck_assert_int_eq(write(sink[1], filler, sizeof filler), sizeof filler);
    relay = new_relay(source[0], sink[1], NULL);
    ck_assert_int_eq(relay_step(relay), RELAY_WANTS_INPUT);
    ck_assert_int_eq(write(source[1], "\n", 1), 1);
    ck_assert_int_eq(relay_step(relay), RELAY_WANTS_OUTPUT);
    close(source[1]);
    ck_assert_int_eq(relay_step(relay), RELAY_WANTS_OUTPUT);
    ck_assert_int_eq(read(sink[0], filler, sizeof filler), sizeof filler);
    ck_assert_int_eq(relay_step(relay), RELAY_END);
    ck_assert_int_eq(read(sink[0], filler, sizeof filler), 1);
    ck_assert_int_eq(write(sink[1], filler, sizeof filler), sizeof filler);
    ck_assert_int_eq(relay_step(relay), RELAY_END);
    relay_free(relay);
}
END_TEST

static const struct {
    const char *text, *handed_on;
    size_t cut_bytes;
} last_lines[] = {
    {"{\"type\":\"STATE\"}\n", "{\"type\":\"STATE\"}\n", 0},
    {"{\"type\":\"STATE\"}", "{\"type\":\"STATE\"}", 0},
    {"{\"type\":\"STATE\"}\n{\"type\":\"REC", "{\"type\":\"STATE\"}\n", 12},
    {" {\"a\":{}", "", 8},
    {"no message", "no message", 0},
    {"\n", "\n", 0},
    {"", "", 0},
};

START_TEST(a_message_that_is_cut_off_is_not_handed_on)
{
    const char *text = last_lines[_i].text;
    struct relay_counts counts = {0};
    struct relay *relay;
    char got[100];
    ssize_t size;

    open_pipes();
    relay = new_relay(source[0], sink[1], &counts);
    for (; *text; text++) {
        ck_assert_int_eq(write(source[1], text, 1), 1);
        ck_assert_int_eq(relay_step(relay), RELAY_WANTS_INPUT);
    }
    close(source[1]);
    ck_assert_int_eq(relay_step(relay), RELAY_END);
    close(sink[1]);
    size = read(sink[0], got, sizeof got);
    ck_assert_int_eq(size, strlen(last_lines[_i].handed_on));
    ck_assert_int_eq(memcmp(got, last_lines[_i].handed_on, (size_t)size), 0);
    ck_assert_uint_eq(counts.cut_bytes, last_lines[_i].cut_bytes);
    relay_free(relay);
    relay_counts_clear(&counts);
}
END_TEST

START_TEST(the_slower_side_is_known)
{
    struct relay *relay;
    int64_t input_ms, output_ms;

    open_pipes();
    relay = new_relay(source[0], sink[1], NULL);
    relay_step(relay);
    usleep(30000);
    relay_step(relay);
    relay_wait_times(relay, &input_ms, &output_ms);
    ck_assert_int_ge(input_ms, 30);
    ck_assert_int_eq(output_ms, 0);
    relay_free(relay);
}
END_TEST

START_TEST(a_line_of_256_mebibytes_takes_no_memory)
{
    const size_t size = (size_t)256 << 20;
    static const char head[] = "{\"type\":\"RECORD\",\"stream\":\"a\",\"record\":\"";
    static char block[1 << 20];
    struct relay_counts counts = {0};
    struct rusage before, after;
    struct relay *relay;
    pid_t writer, reader;

    open_pipes();
    memset(block, 'x', sizeof block);
    reader = fork();
    if (!reader) {
        close(sink[1]);
        close(source[1]);
        while (read(sink[0], block, sizeof block) > 0)
            ;
        _exit(0);
    }
    writer = fork();
    if (!writer) {
        bool ok = write(source[1], head, sizeof head - 1) > 0;

        for (size_t i = 0; i < size / sizeof block; i++)
            ok &= write(source[1], block, sizeof block) == sizeof block;
        _exit(ok && write(source[1], "\"}\n", 3) == 3 ? 0 : 1);
    }
    close(source[1]);
    close(sink[0]);
    getrusage(RUSAGE_SELF, &before);
    relay = new_relay(source[0], sink[1], &counts);
    ck_assert_int_eq(run_relay(relay), RELAY_END);
    getrusage(RUSAGE_SELF, &after);
    if (!HAS_ADDRESS_SANITIZER)
        ck_assert_int_lt(after.ru_maxrss - before.ru_maxrss, 2048);
    ck_assert_uint_eq(counts.streams[0].records, 1);
    ck_assert_uint_eq(counts.streams[0].record_bytes, size + sizeof head - 1 + 3);
    ck_assert_uint_eq(counts.longest_line, counts.streams[0].record_bytes - 1);
    close(sink[1]);
    waitpid(writer, NULL, 0);
    waitpid(reader, NULL, 0);
    relay_free(relay);
    relay_counts_clear(&counts);
}
END_TEST

Suite *process_relay_suite(void)
{
    Suite *suite = suite_create("process/relay");
    TCase *scan = tcase_create("scan");
    TCase *pipes = tcase_create("pipes");

    tcase_add_loop_test(scan, a_line_is_what_its_type_and_stream_say, 0, ARRAY_LEN(lines));
    tcase_add_test(scan, repeated_lines_count_the_same_as_the_first);
    tcase_add_test(scan, a_schema_that_changes_is_noticed);
    tcase_add_loop_test(scan, lines_that_are_not_utf8_are_counted, 0, ARRAY_LEN(utf8_lines));
    tcase_add_test(scan, names_without_end_do_not_take_our_memory);
    tcase_add_test(scan, a_long_stream_name_is_cut);
    tcase_add_test(scan, the_time_of_the_first_and_last_record_is_kept);
    tcase_add_loop_test(scan, counts_equal_those_of_a_plain_reference, 0, 300);
    tcase_add_loop_test(scan, the_last_messages_of_each_kind_are_kept, 0, ARRAY_LEN(piece_sizes));
    tcase_add_loop_test(scan, of_a_long_message_the_beginning_is_kept, 0, ARRAY_LEN(piece_sizes));
    suite_add_tcase(suite, scan);

    tcase_set_timeout(pipes, 60);
    tcase_add_loop_test(pipes, every_byte_arrives_and_is_counted, 0, 4);
    tcase_add_test(pipes, a_reader_that_goes_away_breaks_the_relay);
    tcase_add_test(pipes, a_full_sink_and_an_ended_source_do_not_spin);
    tcase_add_loop_test(pipes, a_message_that_is_cut_off_is_not_handed_on, 0,
                        ARRAY_LEN(last_lines));
    tcase_add_test(pipes, the_slower_side_is_known);
    tcase_add_test(pipes, a_line_of_256_mebibytes_takes_no_memory);
    suite_add_tcase(suite, pipes);
    return suite;
}
