#include "config/dotenv.h"

#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/utf8.h"

#include <string.h>

/* One statement of the file, by offsets into its bytes. */
struct statement {
    size_t start;                  /* of its first line, indentation included */
    size_t key_start, key_end;     /* of the name, without quotes; equal for a comment */
    size_t key_tail;               /* behind the name and its closing quote */
    size_t value_start, value_end; /* as written, quotes included; equal when empty */
    size_t end;                    /* behind the line end */
    bool has_value;                /* there is a '=' */
    bool is_valid;
    unsigned line;
};

struct reader {
    const char *text;
    size_t at, length;
    unsigned line;
};

static bool is_newline(char c)
{
    return c == '\n' || c == '\r';
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\v' || c == '\f';
}

static bool is_at_end(const struct reader *reader)
{
    return reader->at == reader->length;
}

/* The byte at the reader, 0 at the end: the file holds no NUL. */
static char peek(const struct reader *reader)
{
    return is_at_end(reader) ? '\0' : reader->text[reader->at];
}

static void skip_blanks(struct reader *reader)
{
    while (is_blank(peek(reader)))
        reader->at++;
}

static void skip_to_newline(struct reader *reader)
{
    while (!is_at_end(reader) && !is_newline(peek(reader)))
        reader->at++;
}

static void skip_newline(struct reader *reader)
{
    if (is_at_end(reader))
        return;
    if (peek(reader) == '\r' && reader->at + 1 < reader->length &&
        reader->text[reader->at + 1] == '\n')
        reader->at++;
    reader->at++;
    reader->line++;
}

/* Passes over a quoted text, which may span lines; stays where it is when the quote is not closed.
 */
static bool skip_quoted(struct reader *reader)
{
    struct reader before = *reader;
    char quote = reader->text[reader->at++];

    while (!is_at_end(reader)) {
        char c = peek(reader);

        if (c == quote) {
            reader->at++;
            return true;
        }
        if (c == '\\' && reader->at + 1 < reader->length)
            reader->at++;
        if (is_newline(peek(reader)))
            skip_newline(reader);
        else
            reader->at++;
    }
    *reader = before;
    return false;
}

static bool read_key(struct reader *reader, struct statement *out)
{
    if (peek(reader) == '\'') {
        out->key_start = ++reader->at;
        while (!is_at_end(reader) && !is_newline(peek(reader)) && peek(reader) != '\'')
            reader->at++;
        out->key_end = reader->at;
        if (peek(reader) != '\'')
            return false;
        reader->at++;
    } else {
        out->key_start = reader->at;
        while (!is_at_end(reader) && !is_newline(peek(reader)) && !is_blank(peek(reader)) &&
               peek(reader) != '=' && peek(reader) != '#')
            reader->at++;
        out->key_end = reader->at;
    }
    out->key_tail = reader->at;
    return out->key_end > out->key_start;
}

static void skip_export(struct reader *reader)
{
    static const char word[] = "export";
    size_t length = sizeof word - 1;

    if (reader->length - reader->at > length && !memcmp(reader->text + reader->at, word, length) &&
        is_blank(reader->text[reader->at + length])) {
        reader->at += length;
        skip_blanks(reader);
    }
}

/* The end of an unquoted value: a '#' ends it only after a blank. */
static size_t unquoted_end(const struct reader *reader, size_t start)
{
    size_t end = start;

    for (; end < reader->length && !is_newline(reader->text[end]); end++)
        if (reader->text[end] == '#' && end > start && is_blank(reader->text[end - 1]))
            break;
    while (end > start && is_blank(reader->text[end - 1]))
        end--;
    return end;
}

static bool read_value(struct reader *reader, struct statement *out)
{
    size_t after_equals = ++reader->at;

    out->has_value = true;
    skip_blanks(reader);
    out->value_start = out->value_end = reader->at;
    if (peek(reader) == '#' && reader->at > after_equals) {
        /* "KEY= # comment" is empty, "KEY=#text" is not. The blanks belong to the comment. */
        out->value_start = out->value_end = reader->at = after_equals;
        return true;
    }
    if (peek(reader) == '\'' || peek(reader) == '"') {
        if (!skip_quoted(reader))
            return false;
    } else {
        reader->at = unquoted_end(reader, reader->at);
    }
    out->value_end = reader->at;
    return true;
}

static bool read_statement_body(struct reader *reader, struct statement *out)
{
    if (peek(reader) != '#') {
        skip_export(reader);
        if (!read_key(reader, out))
            return false;
        skip_blanks(reader);
        if (peek(reader) == '=' && !read_value(reader, out))
            return false;
    }
    skip_blanks(reader);
    if (peek(reader) == '#')
        skip_to_newline(reader);
    return is_at_end(reader) || is_newline(peek(reader));
}

/* Reads the next statement; false at the end of the file. */
static bool read_statement(struct reader *reader, struct statement *out)
{
    *out = (struct statement){.start = reader->at};
    for (;;) {
        skip_blanks(reader);
        if (!is_newline(peek(reader)))
            break;
        skip_newline(reader);
        out->start = reader->at;
    }
    if (is_at_end(reader))
        return false;
    out->line = reader->line;
    out->is_valid = read_statement_body(reader, out);
    if (!out->is_valid)
        skip_to_newline(reader);
    skip_newline(reader);
    out->end = reader->at;
    return true;
}

static struct reader new_reader(const struct strbuf *bytes)
{
    static const char bom[] = "\xef\xbb\xbf";
    struct reader reader = {.text = strbuf_text(bytes), .length = bytes->length, .line = 1};

    if (bytes->length >= 3 && !memcmp(reader.text, bom, 3))
        reader.at = 3;
    return reader;
}

static void add_double_quoted_escape(struct strbuf *out, char c)
{
    static const char names[] = "\\'\"abfnrtv";
    static const char bytes[] = "\\'\"\a\b\f\n\r\t\v";
    const char *found = strchr(names, c);

    if (found)
        strbuf_add_char(out, bytes[found - names]);
    else
        strbuf_addf(out, "\\%c", c);
}

static void add_single_quoted_escape(struct strbuf *out, char c)
{
    if (c != '\\' && c != '\'')
        strbuf_add_char(out, '\\');
    strbuf_add_char(out, c);
}

/* The value without quotes and escapes, line ends as Python reads them. */
static void add_value(struct strbuf *out, const char *text, const struct statement *statement)
{
    size_t at = statement->value_start, end = statement->value_end;
    char quote = '\0';

    if (at < end && (text[at] == '\'' || text[at] == '"')) {
        quote = text[at++];
        end--;
    }
    for (; at < end; at++) {
        if (quote && text[at] == '\\' && at + 1 < end && !is_newline(text[at + 1])) {
            at++;
            if (quote == '"')
                add_double_quoted_escape(out, text[at]);
            else
                add_single_quoted_escape(out, text[at]);
        } else if (text[at] == '\r') {
            if (at + 1 == end || text[at + 1] != '\n')
                strbuf_add_char(out, '\n');
        } else {
            strbuf_add_char(out, text[at]);
        }
    }
}

/* Reads "${name}" or "${name:-default}" at text; the bytes it takes, 0 when there is none. */
static size_t read_interpolation(const char *text, char **name, char **fallback)
{
    const char *at = text;

    if (at[0] != '$' || at[1] != '{')
        return 0;
    at += 2;
    *name = xstrndup(at, strcspn(at, "}:"));
    at += strlen(*name);
    *fallback = NULL;
    if (at[0] == ':' && at[1] == '-') {
        at += 2;
        *fallback = xstrndup(at, strcspn(at, "}"));
        at += strlen(*fallback);
    }
    if (*at == '}')
        return (size_t)(at + 1 - text);
    free(*name);
    free(*fallback);
    return 0;
}

/* Earlier keys win over the environment, and a key without '=' hides the variable. */
static const char *find_interpolated(const char *name, const struct strmap *environ_map,
                                     const struct strmap *earlier, const struct strlist *valueless)
{
    const char *value = strmap_get(earlier, name);

    if (!value && strlist_contains(valueless, name))
        return "";
    return value ? value : strmap_get(environ_map, name);
}

static char *interpolate(const char *text, const struct strmap *environ_map,
                         const struct strmap *earlier, const struct strlist *valueless)
{
    auto_strbuf struct strbuf out = STRBUF_INIT;

    while (*text) {
        char *name, *fallback;
        size_t used = read_interpolation(text, &name, &fallback);
        const char *value;

        if (!used) {
            strbuf_add_char(&out, *text++);
            continue;
        }
        value = find_interpolated(name, environ_map, earlier, valueless);
        strbuf_add(&out, value ? value : fallback ? fallback : "");
        free(name);
        free(fallback);
        text += used;
    }
    return strbuf_take(&out);
}

static int check_bytes(const char *path, const struct strbuf *bytes, struct error *err)
{
    const char *text = strbuf_text(bytes);
    size_t length = bytes->length, at = 0;
    unsigned line = 1;

    while (at < length) {
        unsigned code_point;
        size_t used = utf8_decode(text + at, length - at, &code_point);

        if (!used || !text[at]) {
            error_set(err, ERR_CONFIG, "%s:%u: %s", path, line,
                      used ? "a NUL byte cannot be part of a variable" : "the text is not UTF-8");
            return error_hint(err, "Save the file as UTF-8 text, or put the value in quotes "
                                   "with escapes that the plugin understands.");
        }
        line += text[at] == '\n';
        at += used;
    }
    return 0;
}

static int read_file(const char *path, struct strbuf *bytes, struct error *err)
{
    bool found;

    if (file_read_if_exists(path, bytes, &found, err) < 0)
        return -1;
    return check_bytes(path, bytes, err);
}

static void load_statement(const struct reader *reader, const struct statement *statement,
                           const struct strmap *environ_map, struct strlist *valueless,
                           struct strmap *out)
{
    auto_free char *key =
        xstrndup(reader->text + statement->key_start, statement->key_end - statement->key_start);
    auto_strbuf struct strbuf raw = STRBUF_INIT;
    auto_free char *value = NULL;

    if (!statement->has_value) {
        strmap_remove(out, key);
        strlist_add_unique(valueless, key);
        return;
    }
    add_value(&raw, reader->text, statement);
    value = interpolate(strbuf_text(&raw), environ_map, out, valueless);
    strmap_set(out, key, value);
}

int dotenv_load(const char *path, const struct strmap *environ_map, struct strmap *out,
                struct error *err)
{
    auto_strbuf struct strbuf bytes = STRBUF_INIT;
    auto_strlist struct strlist valueless = STRLIST_INIT;
    struct statement statement;
    struct reader reader;

    /* A virtual environment may be called .env as well. */
    if (file_is_directory(path))
        return 0;
    if (read_file(path, &bytes, err) < 0)
        return -1;
    reader = new_reader(&bytes);
    while (read_statement(&reader, &statement)) {
        if (!statement.is_valid)
            log_warning("%s:%u: this line cannot be read and is passed over; write KEY=value", path,
                        statement.line);
        else if (statement.key_end > statement.key_start)
            load_statement(&reader, &statement, environ_map, &valueless, out);
    }
    return 0;
}

static void add_quoted(struct strbuf *out, const char *value)
{
    strbuf_add_char(out, '\'');
    for (; *value; value++) {
        if (*value == '\'' || *value == '\\')
            strbuf_add_char(out, '\\');
        strbuf_add_char(out, *value);
    }
    strbuf_add_char(out, '\'');
}

void strbuf_add_dotenv_line(struct strbuf *out, const char *key, const char *value)
{
    strbuf_addf(out, "%s=", key);
    add_quoted(out, value);
    strbuf_add_char(out, '\n');
}

static bool is_key(const struct reader *reader, const struct statement *statement, const char *key)
{
    size_t length = statement->key_end - statement->key_start;

    return statement->is_valid && length == strlen(key) &&
           !memcmp(reader->text + statement->key_start, key, length);
}

int dotenv_set(const char *path, const char *key, const char *value, struct error *err)
{
    auto_strbuf struct strbuf bytes = STRBUF_INIT, edited = STRBUF_INIT;
    struct statement statement;
    struct reader reader;
    size_t copied = 0;
    bool replaced = false;

    if (read_file(path, &bytes, err) < 0)
        return -1;
    reader = new_reader(&bytes);
    while (read_statement(&reader, &statement)) {
        if (!is_key(&reader, &statement, key))
            continue;
        if (!statement.has_value)
            statement.value_start = statement.value_end = statement.key_tail;
        strbuf_add_bytes(&edited, reader.text + copied, statement.value_start - copied);
        if (!statement.has_value)
            strbuf_add_char(&edited, '=');
        add_quoted(&edited, value);
        copied = statement.value_end;
        replaced = true;
    }
    strbuf_add_bytes(&edited, reader.text + copied, bytes.length - copied);
    if (!replaced) {
        if (edited.length && !strbuf_ends_with(&edited, "\n"))
            strbuf_add_char(&edited, '\n');
        strbuf_add_dotenv_line(&edited, key, value);
    }
    return file_replace(path, &edited, 0600, NULL, err);
}

int dotenv_unset(const char *path, const char *key, bool *found, struct error *err)
{
    auto_strbuf struct strbuf bytes = STRBUF_INIT, edited = STRBUF_INIT;
    struct statement statement;
    struct reader reader;
    size_t copied = 0;
    bool removed = false;

    if (read_file(path, &bytes, err) < 0)
        return -1;
    reader = new_reader(&bytes);
    while (read_statement(&reader, &statement)) {
        if (!is_key(&reader, &statement, key))
            continue;
        strbuf_add_bytes(&edited, reader.text + copied, statement.start - copied);
        copied = statement.end;
        removed = true;
    }
    if (removed) {
        strbuf_add_bytes(&edited, reader.text + copied, bytes.length - copied);
        if (file_replace(path, &edited, 0600, NULL, err) < 0)
            return -1;
    }
    *found = removed;
    return 0;
}
