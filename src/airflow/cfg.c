#include "airflow/cfg.h"

#include "base/memory.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* A part of the text, in bytes. */
struct span {
    size_t start, end;
};

/* Where the line that begins at start ends, with its line feed. */
static size_t line_end(const char *text, size_t start)
{
    size_t length = strcspn(text + start, "\n");

    return start + length + (text[start + length] == '\n');
}

static bool is_section_line(const char *line, const char *section, size_t length)
{
    return *line == '[' && !strncmp(line + 1, section, length) && line[length + 1] == ']';
}

static bool is_comment(const char *line)
{
    return *line == '#' || *line == ';';
}

/* What stands between a section's line and the next one. */
static bool find_section(const char *text, const char *section, struct span *out)
{
    bool is_inside = false;

    for (size_t at = 0; text[at]; at = line_end(text, at)) {
        if (text[at] != '[')
            continue;
        if (is_inside) {
            out->end = at;
            return true;
        }
        is_inside = is_section_line(text + at, section, strlen(section));
        if (is_inside)
            *out = (struct span){line_end(text, at), strlen(text)};
    }
    return is_inside;
}

/* Whether the line gives a value to key; *value is then where the value begins. Keys do not tell
 * capitals from small letters. */
static bool is_option_line(const char *line, const char *key, const char **value)
{
    size_t length = strlen(key);
    const char *at = line + length;

    if (strncasecmp(line, key, length) != 0)
        return false;
    at += strspn(at, " \t");
    if (*at != '=' && *at != ':')
        return false;
    at++;
    *value = at + strspn(at, " \t");
    return true;
}

/* The lines of an option: its own and those that are indented below it. */
static bool find_option(const char *text, struct span section, const char *key, struct span *out,
                        const char **value)
{
    for (size_t at = section.start; at < section.end; at = line_end(text, at)) {
        size_t end;

        if (is_comment(text + at) || !is_option_line(text + at, key, value))
            continue;
        end = line_end(text, at);
        while (end < section.end && (text[end] == ' ' || text[end] == '\t') &&
               text[end + strspn(text + end, " \t\r")] != '\n')
            end = line_end(text, end);
        *out = (struct span){at, end};
        return true;
    }
    return false;
}

char *cfg_get(const char *text, const char *section, const char *key)
{
    auto_strbuf struct strbuf out = STRBUF_INIT;
    struct span body, option;
    const char *value;

    if (!find_section(text, section, &body) || !find_option(text, body, key, &option, &value))
        return NULL;
    while (value < text + option.end) {
        const char *line = value;
        size_t length = strcspn(line, "\r\n");

        value = text + line_end(text, (size_t)(line - text));
        value += strspn(value, " \t");
        while (length && isspace((unsigned char)line[length - 1]))
            length--;
        if (out.length && is_comment(line))
            continue;
        if (out.length)
            strbuf_add_char(&out, '\n');
        for (size_t i = 0; i < length; i++) {
            strbuf_add_char(&out, line[i]);
            i += line[i] == '%' && line[i + 1] == '%';
        }
    }
    return strbuf_take(&out);
}

static void add_option(struct strbuf *out, const char *key, const char *value)
{
    strbuf_addf(out, "%s = ", key);
    for (; *value; value++) {
        strbuf_add_char(out, *value);
        if (*value == '%')
            strbuf_add_char(out, '%');
        else if (*value == '\n')
            strbuf_add(out, "    ");
    }
    strbuf_add_char(out, '\n');
}

/* Where a section's last line with something in it ends. */
static size_t end_of_content(const char *text, struct span section)
{
    size_t end = section.start;

    for (size_t at = section.start; at < section.end; at = line_end(text, at))
        if (text[at + strspn(text + at, " \t\r")] != '\n')
            end = line_end(text, at);
    return end;
}

static void replace_part(struct strbuf *text, struct span part, const char *key, const char *value)
{
    const char *old = strbuf_text(text);
    struct strbuf out = STRBUF_INIT;

    strbuf_add_bytes(&out, old, part.start);
    if (out.length && out.text[out.length - 1] != '\n')
        strbuf_add_char(&out, '\n');
    if (value)
        add_option(&out, key, value);
    strbuf_add(&out, old + part.end);
    strbuf_clear(text);
    *text = out;
}

void cfg_set(struct strbuf *text, const char *section, const char *key, const char *value)
{
    struct span body, place;
    const char *ignored;

    if (!find_section(strbuf_text(text), section, &body)) {
        strbuf_addf(text, "%s[%s]\n", text->length ? "\n" : "", section);
        body = (struct span){text->length, text->length};
    }
    if (!find_option(strbuf_text(text), body, key, &place, &ignored))
        place.start = place.end = end_of_content(strbuf_text(text), body);
    replace_part(text, place, key, value);
}

void cfg_remove(struct strbuf *text, const char *section, const char *key)
{
    struct span body, place;
    const char *ignored;

    if (find_section(strbuf_text(text), section, &body) &&
        find_option(strbuf_text(text), body, key, &place, &ignored))
        replace_part(text, place, key, NULL);
}
