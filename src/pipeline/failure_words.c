#include "pipeline/failure_words.h"

#include "base/attrs.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/redact.h"
#include "base/strbuf.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#define MAX_WORDS_BYTES 300
/* The innermost functions of an exception; those before them are the same for many failures. */
#define MAX_FRAMES 6
/* From here on digits among letters make an identifier. */
#define LEAST_IDENTIFIER 16
#define LEAST_HEX        8
/* An exception that so many lines follow was dealt with. */
#define MAX_LINES_AFTER 15

/* --- words ------------------------------------------------------------------------------------ */

/* What separates tokens, besides blanks: they stay as they are. */
static bool is_separator(char c)
{
    return strchr("\"'`()[]{}<>,;=|", c) && c;
}

static bool is_ender(char c)
{
    return !c || isspace((unsigned char)c) || is_separator(c);
}

/* Numbers that follow each other are one, whatever stands between: a time, an address. */
static void add_number_sign(struct strbuf *out)
{
    size_t length = out->length;

    if (length >= 2 && out->text[length - 2] == '#' && strchr(".,:-+/", out->text[length - 1]))
        strbuf_truncate(out, length - 1);
    else if (!length || out->text[length - 1] != '#')
        strbuf_add_char(out, '#');
}

static bool has_digit(const char *token, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (isdigit((unsigned char)token[i]))
            return true;
    return false;
}

static bool consists_of(const char *token, size_t length, const char *accepted)
{
    for (size_t i = 0; i < length; i++)
        if (!strchr(accepted, token[i]))
            return false;
    return true;
}

/* A UUID, a hash, an address in memory, a key: one number sign in all. */
static bool is_identifier(const char *token, size_t length)
{
    static const char hex[] = "0123456789abcdefABCDEF-";
    static const char letters[] =
        "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-";

    if (length > 2 && token[0] == '0' && (token[1] == 'x' || token[1] == 'X'))
        return consists_of(token + 2, length - 2, hex);
    if (!has_digit(token, length))
        return false;
    return (length >= LEAST_HEX && consists_of(token, length, hex)) ||
           (length >= LEAST_IDENTIFIER && consists_of(token, length, letters));
}

static void add_plain(struct strbuf *out, const char *token, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (isdigit((unsigned char)token[i]))
            add_number_sign(out);
        else
            strbuf_add_char(out, token[i]);
    }
}

/* The scheme and the host, without a user before it and a port after it. */
static void add_url(struct strbuf *out, const char *token, size_t scheme, size_t length)
{
    const char *host = token + scheme + strlen("://");
    size_t size = 0, rest = length - (size_t)(host - token);
    const char *at;

    while (size < rest && !strchr("/?#", host[size]))
        size++;
    at = memrchr(host, '@', size);
    if (at) {
        size -= (size_t)(at + 1 - host);
        host = at + 1;
    }
    at = memchr(host, ':', size);
    if (at)
        size = (size_t)(at - host);
    strbuf_add_bytes(out, token, scheme);
    strbuf_add(out, "://");
    add_plain(out, host, size);
}

static bool is_path(const char *token, size_t length)
{
    const char *slash = memchr(token, '/', length);

    return (slash && (slash == token || token[0] == '.' || token[0] == '~' ||
                      memchr(slash + 1, '/', length - (size_t)(slash + 1 - token)))) ||
           (length > 2 && token[1] == ':' && token[2] == '\\');
}

static void add_token(struct strbuf *out, const char *token, size_t length)
{
    const char *scheme = memmem(token, length, "://", 3);
    size_t end = length;

    /* "/a/b.csv:" and "12345." */
    while (end > 1 && strchr(".:!?", token[end - 1]))
        end--;
    if (scheme && scheme != token)
        add_url(out, token, (size_t)(scheme - token), end);
    else if (is_path(token, end))
        strbuf_add(out, "<path>");
    else if (is_identifier(token, end))
        add_number_sign(out);
    else
        add_plain(out, token, end);
    strbuf_add_bytes(out, token + end, length - end);
}

/* The bytes of an escape sequence that colours a terminal; 0 when there is none. */
static size_t escape_length(const char *text)
{
    size_t length = 2;

    if (text[0] != '\033' || text[1] != '[')
        return 0;
    length += strspn(text + length, "0123456789;?");
    return text[length] ? length + 1 : length;
}

static void cut_at_character(struct strbuf *out)
{
    size_t length = MAX_WORDS_BYTES;

    if (out->length <= length)
        return;
    while (length && ((unsigned char)out->text[length] & 0xc0) == 0x80)
        length--;
    strbuf_truncate(out, length);
}

/* The query of a URL has separators in it. */
static size_t token_length(const char *text)
{
    size_t length = 1;

    while (!is_ender(text[length]) && text[length] != '\033')
        length++;
    if (memmem(text, length, "://", 3))
        length = strcspn(text, " \t\r\n\"'`<>)]}");
    return length;
}

char *failure_words_of(const char *text)
{
    auto_free char *masked = redact_text(text);
    struct strbuf out = STRBUF_INIT;
    size_t length;

    for (const char *at = masked; *at; at += length) {
        length = escape_length(at);
        if (length)
            continue;
        length = 1;
        if (isspace((unsigned char)*at)) {
            if (out.length && !strbuf_ends_with(&out, " "))
                strbuf_add_char(&out, ' ');
        } else if (is_separator(*at)) {
            strbuf_add_char(&out, *at);
        } else {
            length = token_length(at);
            add_token(&out, at, length);
        }
    }
    while (strbuf_ends_with(&out, " "))
        strbuf_truncate(&out, out.length - 1);
    cut_at_character(&out);
    return strbuf_take(&out);
}

/* --- Python exceptions ------------------------------------------------------------------------ */

/* The innermost frames of the traceback that is being read. */
struct traceback {
    struct strlist frames; /* "main.py:sync" */
    char *type;            /* NULL while it has not ended */
    size_t last_line;      /* where it ended */
};

static void traceback_clear(struct traceback *traceback)
{
    strlist_clear(&traceback->frames);
    free(traceback->type);
    *traceback = (struct traceback){0};
}
#define auto_traceback ATTR_CLEANUP(traceback_clear)

static void add_frame(struct traceback *traceback, const char *path, size_t path_length,
                      const char *function, size_t function_length)
{
    const char *slash = memrchr(path, '/', path_length);
    const char *name = slash ? slash + 1 : path;

    if (traceback->frames.count == MAX_FRAMES)
        strlist_remove(&traceback->frames, 0);
    strlist_add_take(&traceback->frames, xasprintf("%.*s:%.*s", (int)(path + path_length - name),
                                                   name, (int)function_length, function));
}

/*   File "/a/b/main.py", line 12, in sync */
static bool read_frame_line(struct traceback *traceback, const char *line)
{
    static const char before_path[] = "File \"", before_function[] = ", in ";
    const char *path = line + strspn(line, " \t|+-");
    const char *end, *function;

    if (path == line || strncmp(path, before_path, strlen(before_path)) != 0)
        return false;
    path += strlen(before_path);
    end = strchr(path, '"');
    function = end ? strstr(end, before_function) : NULL;
    if (!function)
        return false;
    if (traceback->type)
        traceback_clear(traceback);
    function += strlen(before_function);
    add_frame(traceback, path, (size_t)(end - path), function, strlen(function));
    return true;
}

/* "requests.exceptions.HTTPError: 404 Client Error" gives the type. */
static size_t type_length(const char *line)
{
    size_t length = 0;

    while (isalnum((unsigned char)line[length]) || line[length] == '_' || line[length] == '.')
        length++;
    if (!length || isdigit((unsigned char)*line) || (line[length] && line[length] != ':'))
        return 0;
    return length;
}

/* The traceback ends with the first line that is not indented. */
static void read_line(struct traceback *traceback, const char *line, size_t number)
{
    size_t length;

    if (read_frame_line(traceback, line) || !traceback->frames.count || traceback->type ||
        isspace((unsigned char)*line))
        return;
    length = type_length(line);
    if (!length)
        return;
    traceback->type = xstrndup(line, length);
    traceback->last_line = number;
}

/* An event of the Singer SDK whose exception comes taken apart. */
static void read_event(struct traceback *traceback, const struct value *exception, size_t number)
{
    const struct value *frames = value_get(exception, "traceback");
    const char *type = value_get_text(exception, "type");

    if (!type)
        return;
    traceback_clear(traceback);
    traceback->type = xstrdup(type);
    traceback->last_line = number;
    for (size_t i = 0; i < value_count(frames); i++) {
        const char *path = value_get_text(value_at(frames, i), "filename");
        const char *function = value_get_text(value_at(frames, i), "function");

        if (path && function)
            add_frame(traceback, path, strlen(path), function, strlen(function));
    }
}

/* The event in a line, NULL when there is none. */
static struct value *parse_event(const char *line)
{
    struct value *event = NULL;
    struct error ignored = {0};

    if (*line != '{' || json_parse(line, strlen(line), NULL, &event, &ignored) < 0)
        return NULL;
    return event;
}

static char *describe_traceback(const struct traceback *traceback)
{
    struct strbuf text = STRBUF_INIT;

    strbuf_add(&text, traceback->type);
    for (size_t i = 0; i < traceback->frames.count; i++)
        strbuf_addf(&text, "%s%s", i ? " > " : " at ", traceback->frames.items[i]);
    cut_at_character(&text);
    return strbuf_take(&text);
}

/* --- lines ------------------------------------------------------------------------------------ */

static bool speaks_of_error(const char *line)
{
    static const char *const words[] = {"error",   "exception", "fatal",  "critical", "fail",
                                        "panic",   "denied",    "refuse", "cannot",   "could not",
                                        "can't",   "unable",    "abort",  "invalid",  "timed out",
                                        "timeout", "no such"};

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strcasestr(line, words[i]))
            return true;
    return false;
}

static const char *find_line(const struct strlist *lines)
{
    for (size_t i = lines->count; i-- > 0;)
        if (speaks_of_error(lines->items[i]))
            return lines->items[i];
    return lines->count ? lines->items[lines->count - 1] : NULL;
}

char *failure_words_of_lines(const struct strlist *lines)
{
    auto_traceback struct traceback traceback = {0};
    auto_value struct value *event = NULL;
    const char *line, *message;

    for (size_t i = 0; i < lines->count; i++) {
        auto_value struct value *at = parse_event(lines->items[i]);

        if (at)
            read_event(&traceback, value_get(at, "exception"), i);
        else
            read_line(&traceback, lines->items[i], i);
    }
    if (traceback.type && lines->count - traceback.last_line <= MAX_LINES_AFTER)
        return describe_traceback(&traceback);
    line = find_line(lines);
    if (!line)
        return NULL;
    event = parse_event(line);
    message = value_get_text(event, "message");
    return failure_words_of(message ? message : line);
}
