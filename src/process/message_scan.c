#include "process/message_scan.h"

#include "base/attrs.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/memory.h"
#include "process/utf8_check.h"

#include <stdbool.h>
#include <string.h>

/* How it keeps up with a pipe: a line is read up to the point where its "type" and "stream" are
 * known; the rest is a memchr() for the line feed. Reading is a function of the bytes, so a line
 * that begins with the same bytes as one before is decided the same way: most lines cost one
 * memcmp() with a prefix that was remembered. */

/* Names are cut here, and streams beyond the number are counted together. A tap that makes names
 * up without end must not take our memory. */
#define MAX_TOKEN   1024
#define MAX_STREAMS 65536
#define REST_NAME   "(further streams)"

#define MAX_FIRST_GARBAGE 200
/* The beginning of a line that came in several calls. */
#define MAX_HEAD MESSAGE_RING_BYTES
_Static_assert(MAX_HEAD >= MAX_FIRST_GARBAGE, "garbage is shown from the head of its line");

/* Longer ones are not remembered. Enough for blanks, a long stream name and a version key. */
#define MAX_PREFIX   192
#define PREFIX_COUNT 8

enum message_kind {
    KIND_GARBAGE,
    KIND_UNKNOWN,
    KIND_STATE,
    KIND_ACTIVATE_VERSION,
    KIND_RECORD,
    KIND_SCHEMA,
    KIND_BATCH,
};

static const struct {
    const char *type;
    enum message_kind kind;
} kinds[] = {
    {"RECORD", KIND_RECORD}, {"SCHEMA", KIND_SCHEMA},
    {"STATE", KIND_STATE},   {"ACTIVATE_VERSION", KIND_ACTIVATE_VERSION},
    {"BATCH", KIND_BATCH},
};

static bool kind_has_stream(enum message_kind kind)
{
    return kind >= KIND_RECORD;
}

/* What is expected next in a line whose kind is not decided yet. "top" is inside the outermost
 * braces and nothing deeper. */
enum step {
    STEP_LINE,        /* its '{' */
    STEP_FIRST_KEY,   /* a key, or '}' */
    STEP_KEY,         /* a key */
    STEP_KEY_TEXT,    /* inside a key */
    STEP_COLON,       /* after a key */
    STEP_VALUE,       /* a value of the top */
    STEP_WANTED_TEXT, /* inside the value of "type" or "stream" */
    STEP_TEXT,        /* inside another string value of the top */
    STEP_SCALAR,      /* inside a number, true, false, null */
    STEP_NESTED,      /* inside an object or array below the top */
    STEP_NESTED_TEXT, /* inside a string there */
    STEP_COMMA,       /* after a value: ',' or '}' */
    STEP_DECIDED,     /* nothing; the kind is known */
};

enum key { KEY_OTHER, KEY_TYPE, KEY_STREAM };

struct prefix {
    size_t length; /* 0: unused */
    enum message_kind kind;
    size_t stream;
    char bytes[MAX_PREFIX];
};

/* A line that may be kept, while its bytes are still there. */
struct recent_line {
    const char *piece;
    size_t size, head_length;
    uint64_t bytes, number;
};

struct message_scan {
    struct relay_counts *counts;
    int64_t now_us;

    /* Most lines are followed by others of their kind in the same bytes, so only the last ones of
     * each call are copied. */
    struct message_ring *ring; /* NULL: nothing is kept */
    struct recent_line recent[RING_KIND_COUNT][MESSAGE_RING_KEPT];
    size_t recent_counts[RING_KIND_COUNT];

    /* The current line. */
    enum step step;
    enum message_kind kind;
    size_t stream; /* position in counts, when the kind has one */
    enum key key;
    bool has_type, has_stream;
    char stream_name[MAX_TOKEN];
    bool is_escaped; /* the next byte of a string follows a backslash */
    unsigned depth;  /* of brackets below the top */
    char token[MAX_TOKEN];
    size_t token_length; /* may count more than fits */
    bool token_has_escapes;

    /* Of the current line, what came in earlier calls. */
    uint64_t earlier_bytes;
    uint64_t earlier_hash;
    char earlier_last; /* last byte that is no blank, 0: none */
    char head[MAX_HEAD];
    size_t head_length;
    struct utf8_check utf8;
    bool bytes_are_ascii; /* all of the current call */

    struct prefix prefixes[PREFIX_COUNT];
    size_t recent_prefix, next_prefix;

    size_t *slots; /* streams by name, open addressing: position + 1, 0 is free */
    size_t slot_count;
};

static void begin_line(struct message_scan *scan)
{
    scan->step = STEP_LINE;
    scan->has_type = scan->has_stream = false;
    scan->earlier_bytes = 0;
    scan->earlier_hash = HASH_START;
    scan->earlier_last = 0;
    scan->head_length = 0;
}

struct message_scan *message_scan_new(struct relay_counts *counts)
{
    struct message_scan *scan = xcalloc(1, sizeof *scan);

    scan->counts = counts;
    begin_line(scan);
    return scan;
}

void message_scan_keep(struct message_scan *scan, struct message_ring *ring)
{
    scan->ring = ring;
}

void message_scan_free(struct message_scan *scan)
{
    if (!scan)
        return;
    free(scan->slots);
    free(scan);
}

/* --- streams by name -------------------------------------------------------------------------- */

static void index_stream(struct message_scan *scan, size_t position)
{
    const char *name = scan->counts->streams[position].name;
    size_t slot = hash_bytes(name, strlen(name)) & (scan->slot_count - 1);

    while (scan->slots[slot])
        slot = (slot + 1) & (scan->slot_count - 1);
    scan->slots[slot] = position + 1;
}

static void grow_index(struct message_scan *scan)
{
    scan->slot_count = scan->slot_count ? scan->slot_count * 2 : 64;
    free(scan->slots);
    scan->slots = xcalloc(scan->slot_count, sizeof *scan->slots);
    for (size_t i = 0; i < scan->counts->stream_count; i++)
        index_stream(scan, i);
}

static size_t find_or_add_stream(struct message_scan *scan, const char *name)
{
    struct relay_counts *counts = scan->counts;
    size_t slot;

    if (scan->slot_count <= counts->stream_count * 2)
        grow_index(scan);
    slot = hash_bytes(name, strlen(name)) & (scan->slot_count - 1);
    for (; scan->slots[slot]; slot = (slot + 1) & (scan->slot_count - 1)) {
        if (strcmp(counts->streams[scan->slots[slot] - 1].name, name) == 0)
            return scan->slots[slot] - 1;
    }
    if (counts->stream_count >= MAX_STREAMS && strcmp(name, REST_NAME) != 0)
        return find_or_add_stream(scan, REST_NAME);
    GROW(counts->streams, counts->stream_count, counts->stream_capacity);
    counts->streams[counts->stream_count] = (struct stream_count){.name = xstrdup(name)};
    index_stream(scan, counts->stream_count);
    return counts->stream_count++;
}

/* --- deciding what a line is ------------------------------------------------------------------ */

static void decide(struct message_scan *scan, enum message_kind kind)
{
    scan->kind = kind;
    scan->step = STEP_DECIDED;
}

/* The token with its escapes resolved; the caller frees it. NULL when it is no JSON string. */
static char *decode_token(const struct message_scan *scan)
{
    auto_strbuf struct strbuf literal = STRBUF_INIT;
    auto_value struct value *value = NULL;
    struct error err = {0};

    strbuf_add_char(&literal, '"');
    strbuf_add_bytes(&literal, scan->token, scan->token_length);
    strbuf_add_char(&literal, '"');
    if (json_parse(strbuf_text(&literal), literal.length, NULL, &value, &err) < 0)
        return NULL;
    return xstrdup(value_text(value));
}

/* Ends the token and returns its text, borrowed until the next one. */
static const char *end_token(struct message_scan *scan)
{
    auto_free char *decoded = NULL;

    if (scan->token_length >= MAX_TOKEN)
        scan->token_length = MAX_TOKEN - 1;
    if (scan->token_has_escapes) {
        decoded = decode_token(scan);
        if (decoded) {
            scan->token_length = strnlen(decoded, MAX_TOKEN - 1);
            memcpy(scan->token, decoded, scan->token_length);
        }
    }
    scan->token[scan->token_length] = '\0';
    return scan->token;
}

static void begin_token(struct message_scan *scan, enum step step)
{
    scan->token_length = 0;
    scan->token_has_escapes = false;
    scan->is_escaped = false;
    scan->step = step;
}

static void end_key(struct message_scan *scan)
{
    const char *name = end_token(scan);

    scan->key = KEY_OTHER;
    if (strcmp(name, "type") == 0 && !scan->has_type)
        scan->key = KEY_TYPE;
    else if (strcmp(name, "stream") == 0 && !scan->has_stream)
        scan->key = KEY_STREAM;
    scan->step = STEP_COLON;
}

static enum message_kind kind_of_type(const char *type)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (strcmp(type, kinds[i].type) == 0)
            return kinds[i].kind;
    }
    return KIND_UNKNOWN;
}

static void end_wanted_value(struct message_scan *scan)
{
    const char *text = end_token(scan);

    scan->step = STEP_COMMA;
    if (scan->key == KEY_TYPE) {
        scan->kind = kind_of_type(text);
        scan->has_type = true;
    } else {
        memcpy(scan->stream_name, text, scan->token_length + 1);
        scan->has_stream = true;
    }
    if (!scan->has_type || (kind_has_stream(scan->kind) && !scan->has_stream))
        return;
    if (kind_has_stream(scan->kind))
        scan->stream = find_or_add_stream(scan, scan->stream_name);
    scan->step = STEP_DECIDED;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* A type or stream that is no string is passed over as if it were not there. */
static void begin_value(struct message_scan *scan, char c)
{
    if (c == '"')
        begin_token(scan, scan->key == KEY_OTHER ? STEP_TEXT : STEP_WANTED_TEXT);
    else
        scan->step = c == '{' || c == '[' ? STEP_NESTED : STEP_SCALAR;
    scan->depth = 1;
}

/* What one byte outside of strings and nested values does. */
static void take_byte(struct message_scan *scan, char c)
{
    switch (scan->step) {
    case STEP_LINE:
        if (c == '{')
            scan->step = STEP_FIRST_KEY;
        else
            decide(scan, KIND_GARBAGE);
        break;
    case STEP_FIRST_KEY:
    case STEP_KEY:
        if (c == '"')
            begin_token(scan, STEP_KEY_TEXT);
        else
            decide(scan, KIND_GARBAGE);
        break;
    case STEP_COLON:
        if (c == ':')
            scan->step = STEP_VALUE;
        else
            decide(scan, KIND_GARBAGE);
        break;
    case STEP_VALUE:
        begin_value(scan, c);
        break;
    case STEP_SCALAR:
    case STEP_COMMA:
        if (c == ',')
            scan->step = STEP_KEY;
        else if (scan->step == STEP_COMMA || c == '}')
            decide(scan, KIND_GARBAGE); /* the object ends without what makes it a message */
        break;
    default:
        break;
    }
}

/* The bytes that end a run of uninteresting ones. */
enum { IN_TEXT = 1, IN_NESTED = 2 };
static const unsigned char stops[256] = {
    ['\n'] = IN_TEXT | IN_NESTED,
    ['"'] = IN_TEXT | IN_NESTED,
    ['\\'] = IN_TEXT,
    ['{'] = IN_NESTED,
    ['}'] = IN_NESTED,
    ['['] = IN_NESTED,
    [']'] = IN_NESTED,
};

static const char *skip_to_stop(const char *at, const char *end, unsigned char where)
{
    while (at < end && !(stops[(unsigned char)*at] & where))
        at++;
    return at;
}

static void end_text(struct message_scan *scan)
{
    switch (scan->step) {
    case STEP_KEY_TEXT:
        end_key(scan);
        break;
    case STEP_WANTED_TEXT:
        end_wanted_value(scan);
        break;
    case STEP_NESTED_TEXT:
        scan->step = STEP_NESTED;
        break;
    default:
        scan->step = STEP_COMMA;
        break;
    }
}

static void keep_token(struct message_scan *scan, const char *bytes, size_t size)
{
    if (scan->token_length < MAX_TOKEN) {
        size_t room = MAX_TOKEN - scan->token_length;

        memcpy(scan->token + scan->token_length, bytes, size < room ? size : room);
    }
    scan->token_length += size;
}

/* Reads on inside a string, to its end if it is here; never beyond a line feed. */
static const char *scan_text(struct message_scan *scan, const char *at, const char *end)
{
    bool is_kept = scan->step == STEP_KEY_TEXT || scan->step == STEP_WANTED_TEXT;
    const char *start = at;

    while (at < end) {
        if (scan->is_escaped && *at != '\n') {
            scan->is_escaped = false;
            at++;
            continue;
        }
        at = skip_to_stop(at, end, IN_TEXT);
        if (at == end || *at != '\\')
            break;
        scan->is_escaped = scan->token_has_escapes = true;
        at++;
    }
    if (is_kept)
        keep_token(scan, start, (size_t)(at - start));
    if (at < end && *at == '"') {
        end_text(scan);
        at++;
    }
    return at;
}

static const char *scan_nested(struct message_scan *scan, const char *at, const char *end)
{
    at = skip_to_stop(at, end, IN_NESTED);
    if (at == end || *at == '\n')
        return at;
    if (*at == '"')
        begin_token(scan, STEP_NESTED_TEXT);
    else if (*at == '{' || *at == '[')
        scan->depth++;
    else if (--scan->depth == 0)
        scan->step = STEP_COMMA;
    return at + 1;
}

/* Reads until the line is decided or ends, or the bytes do. */
static const char *scan_undecided(struct message_scan *scan, const char *at, const char *end)
{
    while (at < end && *at != '\n' && scan->step != STEP_DECIDED) {
        switch (scan->step) {
        case STEP_KEY_TEXT:
        case STEP_WANTED_TEXT:
        case STEP_TEXT:
        case STEP_NESTED_TEXT:
            at = scan_text(scan, at, end);
            break;
        case STEP_NESTED:
            at = scan_nested(scan, at, end);
            break;
        default:
            if (!is_blank(*at))
                take_byte(scan, *at);
            at++;
            break;
        }
    }
    return at;
}

/* --- remembered prefixes ---------------------------------------------------------------------- */

static bool prefix_matches(const struct prefix *prefix, const char *at, size_t size)
{
    return prefix->length && prefix->length <= size &&
           memcmp(prefix->bytes, at, prefix->length) == 0;
}

/* Decides a line that begins as one before did. Returns how many bytes that took, 0 when none
 * matches. */
static size_t decide_by_prefix(struct message_scan *scan, const char *at, size_t size)
{
    const struct prefix *prefix = &scan->prefixes[scan->recent_prefix];

    if (!prefix_matches(prefix, at, size)) {
        size_t i = 0;

        while (i < PREFIX_COUNT && !prefix_matches(&scan->prefixes[i], at, size))
            i++;
        if (i == PREFIX_COUNT)
            return 0;
        scan->recent_prefix = i;
        prefix = &scan->prefixes[i];
    }
    scan->stream = prefix->stream;
    decide(scan, prefix->kind);
    return prefix->length;
}

static void remember_prefix(struct message_scan *scan, const char *bytes, size_t length)
{
    struct prefix *prefix = &scan->prefixes[scan->next_prefix];

    if (length > MAX_PREFIX || scan->kind == KIND_GARBAGE)
        return;
    memcpy(prefix->bytes, bytes, length);
    prefix->length = length;
    prefix->kind = scan->kind;
    prefix->stream = scan->stream;
    scan->recent_prefix = scan->next_prefix;
    scan->next_prefix = (scan->next_prefix + 1) % PREFIX_COUNT;
}

/* --- ends of lines ---------------------------------------------------------------------------- */

/* The last byte of the piece, or of the line before it, that is no blank. */
static char last_byte(const struct message_scan *scan, const char *piece, size_t size)
{
    while (size && is_blank(piece[size - 1]))
        size--;
    return size ? piece[size - 1] : scan->earlier_last;
}

static void count_garbage(struct message_scan *scan, const char *piece, size_t size)
{
    struct relay_counts *counts = scan->counts;

    if (!counts->garbage_lines++) {
        size_t head = scan->head_length < MAX_FIRST_GARBAGE ? scan->head_length : MAX_FIRST_GARBAGE;
        size_t room = MAX_FIRST_GARBAGE - head;

        strbuf_add_bytes(&counts->first_garbage, scan->head, head);
        strbuf_add_bytes(&counts->first_garbage, piece, size < room ? size : room);
    }
}

static void count_schema(struct message_scan *scan, struct stream_count *stream, const char *piece,
                         size_t size)
{
    uint64_t hash = hash_continue(scan->earlier_hash, piece, size);

    if (stream->schemas++ && hash != stream->schema_hash)
        stream->schema_changes++;
    stream->schema_hash = hash;
}

static void count_record(const struct message_scan *scan, struct stream_count *stream,
                         uint64_t bytes)
{
    if (!stream->records++)
        stream->first_us = scan->now_us;
    stream->last_us = scan->now_us;
    stream->record_bytes += bytes;
    if (!stream->schemas)
        stream->record_before_schema = true;
}

static const enum ring_kind ring_kinds[] = {
    [KIND_GARBAGE] = RING_OTHER, [KIND_UNKNOWN] = RING_OTHER,
    [KIND_STATE] = RING_STATE,   [KIND_ACTIVATE_VERSION] = RING_OTHER,
    [KIND_RECORD] = RING_RECORD, [KIND_SCHEMA] = RING_SCHEMA,
    [KIND_BATCH] = RING_OTHER,
};

static void note_recent(struct message_scan *scan, enum message_kind kind, const char *piece,
                        size_t size)
{
    enum ring_kind ring_kind = ring_kinds[kind];
    size_t at = scan->recent_counts[ring_kind]++ % MESSAGE_RING_KEPT;

    scan->recent[ring_kind][at] = (struct recent_line){
        .piece = piece,
        .size = size,
        .head_length = scan->head_length,
        .bytes = scan->earlier_bytes + size,
        .number = scan->counts->lines,
    };
}

static void keep_line(struct message_scan *scan, enum ring_kind kind,
                      const struct recent_line *line)
{
    const struct kept_message message = {
        .bytes = line->bytes,
        .number = line->number,
        .passed_us = scan->now_us,
    };

    message_ring_add(scan->ring, kind, &message, scan->head, line->head_length, line->piece,
                     line->size);
}

/* Before the bytes are gone, and the head of the first line with them. */
static void keep_recent(struct message_scan *scan)
{
    for (int kind = 0; kind < RING_KIND_COUNT; kind++) {
        size_t count = scan->recent_counts[kind];
        size_t kept = count < MESSAGE_RING_KEPT ? count : MESSAGE_RING_KEPT;

        for (size_t i = count - kept; i < count; i++)
            keep_line(scan, (enum ring_kind)kind, &scan->recent[kind][i % MESSAGE_RING_KEPT]);
        scan->recent_counts[kind] = 0;
    }
}

/* The line ends after the piece; feed is 1 when a line feed follows. */
static void end_line(struct message_scan *scan, const char *piece, size_t size, unsigned feed)
{
    struct relay_counts *counts = scan->counts;
    uint64_t length = scan->earlier_bytes + size;
    enum message_kind kind = scan->kind;

    if (scan->step != STEP_DECIDED || last_byte(scan, piece, size) != '}')
        kind = KIND_GARBAGE;
    counts->lines++;
    if (scan->ring)
        note_recent(scan, kind, piece, size);
    if (length > counts->longest_line)
        counts->longest_line = length;
    if (!scan->bytes_are_ascii || scan->utf8.is_used) {
        utf8_check_add(&scan->utf8, piece, size);
        counts->invalid_utf8_lines += !utf8_check_end(&scan->utf8);
    }
    switch (kind) {
    case KIND_RECORD:
        count_record(scan, &counts->streams[scan->stream], length + feed);
        break;
    case KIND_SCHEMA:
        count_schema(scan, &counts->streams[scan->stream], piece, size);
        break;
    case KIND_BATCH:
        counts->streams[scan->stream].batches++;
        break;
    case KIND_STATE:
        counts->states++;
        break;
    case KIND_ACTIVATE_VERSION:
        counts->activate_versions++;
        break;
    case KIND_UNKNOWN:
        counts->unknown_types++;
        break;
    case KIND_GARBAGE:
        count_garbage(scan, piece, size);
        break;
    }
    begin_line(scan);
}

/* The bytes end in mid-line: keeps what must be known of the piece when they are gone. */
static void carry_over(struct message_scan *scan, const char *piece, size_t size)
{
    size_t room = MAX_HEAD - scan->head_length;

    memcpy(scan->head + scan->head_length, piece, size < room ? size : room);
    scan->head_length += size < room ? size : room;
    scan->earlier_last = last_byte(scan, piece, size);
    scan->earlier_bytes += size;
    if (scan->step != STEP_DECIDED || scan->kind == KIND_SCHEMA)
        scan->earlier_hash = hash_continue(scan->earlier_hash, piece, size);
    if (!scan->bytes_are_ascii || scan->utf8.is_used)
        utf8_check_add(&scan->utf8, piece, size);
}

void message_scan_bytes(struct message_scan *scan, const char *bytes, size_t size, int64_t now_us)
{
    const char *at = bytes, *piece = bytes, *end = bytes + size;

    scan->now_us = now_us;
    scan->bytes_are_ascii = bytes_are_ascii(bytes, size);
    scan->counts->bytes += size;
    while (at < end) {
        bool is_new = at == piece && !scan->earlier_bytes;

        if (is_new)
            at += decide_by_prefix(scan, at, (size_t)(end - at));
        if (scan->step != STEP_DECIDED) {
            at = scan_undecided(scan, at, end);
            if (is_new && scan->step == STEP_DECIDED)
                remember_prefix(scan, piece, (size_t)(at - piece));
        }
        at = scan->step == STEP_DECIDED ? memchr(at, '\n', (size_t)(end - at)) : at;
        if (!at || at == end)
            break;
        end_line(scan, piece, (size_t)(at - piece), 1);
        piece = ++at;
    }
    if (scan->ring)
        keep_recent(scan);
    if (piece < end)
        carry_over(scan, piece, (size_t)(end - piece));
}

void message_scan_end(struct message_scan *scan, int64_t now_us)
{
    scan->now_us = now_us;
    scan->bytes_are_ascii = true;
    if (scan->earlier_bytes)
        end_line(scan, "", 0, 0);
    if (scan->ring)
        keep_recent(scan);
}

void message_scan_keep_unfinished(struct message_scan *scan)
{
    const struct recent_line line = {
        .piece = "",
        .head_length = scan->head_length,
        .bytes = scan->earlier_bytes,
        .number = scan->counts->lines + 1,
    };

    if (scan->ring && line.bytes)
        keep_line(scan, RING_UNFINISHED, &line);
}
