#include "base/terminal.h"

#include "base/utf8.h"

#define ESCAPE 0x1b

/* The length of a color sequence at the beginning of text, 0 when there is none. */
static size_t measure_color(const char *text, size_t size)
{
    size_t at = 2;

    if (size < 3 || text[0] != ESCAPE || text[1] != '[')
        return 0;
    while (at < size && ((text[at] >= '0' && text[at] <= '9') || text[at] == ';'))
        at++;
    return at < size && text[at] == 'm' ? at + 1 : 0;
}

/* Beside C0 and C1: what turns the direction of the text that follows, and the line separators. */
static bool is_control(unsigned c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029 ||
           (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

static void add_control(struct strbuf *buf, unsigned c)
{
    switch (c) {
    case '\n':
        strbuf_add(buf, "\\n");
        break;
    case '\r':
        strbuf_add(buf, "\\r");
        break;
    case '\t':
        strbuf_add(buf, "\\t");
        break;
    default:
        strbuf_addf(buf, "\\u%04x", c);
    }
}

static size_t measure_plain_ascii(const char *text, size_t size)
{
    size_t length = 0;

    while (length < size && text[length] >= ' ' && text[length] <= '~')
        length++;
    return length;
}

void strbuf_add_visible(struct strbuf *buf, const char *text, size_t size, unsigned keep)
{
    size_t length;

    for (size_t at = 0; at < size; at += length) {
        unsigned c;

        length = measure_plain_ascii(text + at, size - at);
        if (!length && keep & (TERMINAL_KEEP_COLORS | TERMINAL_DROP_COLORS)) {
            length = measure_color(text + at, size - at);
            if (length && keep & TERMINAL_DROP_COLORS)
                continue;
        }
        if (length) {
            strbuf_add_bytes(buf, text + at, length);
            continue;
        }
        length = utf8_decode(text + at, size - at, &c);
        if (!length) {
            length = 1;
            strbuf_addf(buf, "\\x%02x", (unsigned char)text[at]);
        } else if (!is_control(c) || (keep & TERMINAL_KEEP_LINES && (c == '\n' || c == '\t'))) {
            strbuf_add_bytes(buf, text + at, length);
        } else {
            add_control(buf, c);
        }
    }
}
