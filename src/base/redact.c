#include "base/redact.h"

#include "base/hash.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/strlist.h"

#include <stdbool.h>
#include <string.h>

#define REDACTED    "(redacted)"
#define WHITE_SPACE " \t\r\n"

/* Shorter secrets would blank out ordinary words; shorter lines of a secret with several lines
 * ("{", "true,") as well. */
#define LEAST_CHARACTERS      4
#define LEAST_LINE_CHARACTERS 8

/* Every form is found by its first bytes: one look into the table per byte of text. */
#define PREFIX_SIZE  4
#define BUCKET_COUNT 1024

struct form {
    char *bytes;
    size_t length;
    struct form *next;
};

static struct form *buckets[BUCKET_COUNT];
static bool has_forms;

static struct form **bucket_of(const char *bytes)
{
    return &buckets[hash_bytes(bytes, PREFIX_SIZE) % BUCKET_COUNT];
}

static size_t count_characters(const char *text)
{
    size_t count = 0;

    for (; *text; text++)
        count += ((unsigned char)*text & 0xc0) != 0x80;
    return count;
}

/* Keeps each bucket sorted by length, longest first, so that the first hit is the longest. */
static void add_form(const char *bytes, size_t length)
{
    struct form **at, *form;

    if (length < PREFIX_SIZE)
        return;
    for (at = bucket_of(bytes); *at && (*at)->length >= length; at = &(*at)->next)
        if ((*at)->length == length && !memcmp((*at)->bytes, bytes, length))
            return;
    form = xcalloc(1, sizeof *form);
    form->bytes = xstrndup(bytes, length);
    form->length = length;
    form->next = *at;
    *at = form;
    has_forms = true;
}

static void add_percent_encoded(struct strbuf *out, const char *text)
{
    for (; *text; text++)
        if (strchr("-._~", *text) || (*text >= '0' && *text <= '9') ||
            (*text >= 'A' && *text <= 'Z') || (*text >= 'a' && *text <= 'z'))
            strbuf_add_char(out, *text);
        else
            strbuf_addf(out, "%%%02X", (unsigned char)*text);
}

/* The inside of a literal, without its quotes. */
static void add_literal_form(const struct strbuf *literal)
{
    add_form(literal->text + 1, literal->length - 2);
}

/* The text as it is and as it looks inside JSON (once, and once more as JSON in JSON), in a
 * Python literal and in a URL. */
static void add_forms(const char *text)
{
    auto_strbuf struct strbuf form = STRBUF_INIT;
    auto_strbuf struct strbuf nested = STRBUF_INIT;

    add_form(text, strlen(text));
    for (int ascii = 0; ascii < 2; ascii++) {
        strbuf_reset(&form);
        strbuf_add_json_string(&form, text, strlen(text), ascii);
        add_literal_form(&form);
        strbuf_reset(&nested);
        strbuf_add_json_string(&nested, form.text + 1, form.length - 2, ascii);
        add_literal_form(&nested);
    }
    strbuf_reset(&form);
    strbuf_add_py_string(&form, text);
    add_literal_form(&form);
    strbuf_reset(&form);
    add_percent_encoded(&form, text);
    add_form(form.text, form.length);
}

/* Cuts white space off both ends, in place. */
static char *trim(char *text)
{
    size_t length;

    text += strspn(text, WHITE_SPACE);
    length = strlen(text);
    while (length && strchr(WHITE_SPACE, text[length - 1]))
        text[--length] = '\0';
    return text;
}

void redact_add_secret(const char *secret)
{
    auto_strlist struct strlist lines = STRLIST_INIT;
    auto_free char *copy = xstrdup_or_null(secret);
    const char *trimmed = copy ? trim(copy) : "";

    if (count_characters(trimmed) < LEAST_CHARACTERS)
        return;
    add_forms(secret);
    add_forms(trimmed);
    if (!strchr(trimmed, '\n'))
        return;
    /* Logs come line by line, so each line of a key or a certificate is a secret as well. */
    strlist_split(&lines, trimmed, '\n');
    for (size_t i = 0; i < lines.count; i++) {
        const char *line = trim(lines.items[i]);

        if (count_characters(line) >= LEAST_LINE_CHARACTERS)
            add_forms(line);
    }
}

/* Length of the longest secret that begins at text; 0 when none does. */
static size_t match_at(const char *text, size_t size)
{
    if (size < PREFIX_SIZE)
        return 0;
    for (const struct form *form = *bucket_of(text); form; form = form->next)
        if (form->length <= size && !memcmp(form->bytes, text, form->length))
            return form->length;
    return 0;
}

/* Where the next secret begins, from position on, and where it ends together with all secrets
 * that overlap it; false when there is none. */
static bool find_secret(const struct strbuf *text, size_t position, size_t *begin, size_t *end)
{
    size_t length;

    for (;; position++) {
        if (position + PREFIX_SIZE > text->length)
            return false;
        length = match_at(text->text + position, text->length - position);
        if (length)
            break;
    }
    *begin = position;
    *end = position + length;
    for (position++; position < *end; position++) {
        length = match_at(text->text + position, text->length - position);
        if (position + length > *end)
            *end = position + length;
    }
    return true;
}

void redact_strbuf(struct strbuf *text, size_t offset)
{
    struct strbuf masked = STRBUF_INIT;
    size_t begin, end;

    if (!has_forms || !find_secret(text, offset, &begin, &end))
        return;
    strbuf_add_bytes(&masked, text->text, offset);
    do {
        strbuf_add_bytes(&masked, text->text + offset, begin - offset);
        strbuf_add(&masked, REDACTED);
        offset = end;
    } while (find_secret(text, offset, &begin, &end));
    strbuf_add_bytes(&masked, text->text + offset, text->length - offset);
    strbuf_clear(text);
    *text = masked;
}

/* Whether a secret that is longer begins with the bytes. */
static bool begins_secret(const char *text, size_t size)
{
    for (const struct form *form = *bucket_of(text); form; form = form->next)
        if (form->length > size && !memcmp(form->bytes, text, size))
            return true;
    return false;
}

void redact_cut_strbuf(struct strbuf *text)
{
    redact_strbuf(text, 0);
    for (size_t at = 0; has_forms && at + PREFIX_SIZE <= text->length; at++) {
        if (!begins_secret(text->text + at, text->length - at))
            continue;
        strbuf_truncate(text, at);
        strbuf_add(text, REDACTED);
        return;
    }
}

char *redact_text(const char *text)
{
    struct strbuf copy = STRBUF_INIT;

    strbuf_add(&copy, text);
    redact_strbuf(&copy, 0);
    return strbuf_take(&copy);
}
