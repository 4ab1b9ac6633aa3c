#include "base/strlist.h"

#include "base/memory.h"
#include "base/strbuf.h"

#include <string.h>

void strlist_clear(struct strlist *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct strlist)STRLIST_INIT;
}

void strlist_add_take(struct strlist *list, char *text)
{
    if (list->count + 2 > list->capacity) {
        list->capacity = list->capacity ? list->capacity * 2 : 8;
        list->items = xrealloc(list->items, list->capacity * sizeof *list->items);
    }
    list->items[list->count++] = text;
    list->items[list->count] = NULL;
}

void strlist_add(struct strlist *list, const char *text)
{
    strlist_add_take(list, xstrdup(text));
}

void strlist_addf(struct strlist *list, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    strlist_add_take(list, xvasprintf(format, args));
    va_end(args);
}

void strlist_add_all(struct strlist *list, const struct strlist *other)
{
    for (size_t i = 0; i < other->count; i++)
        strlist_add(list, other->items[i]);
}

bool strlist_add_unique(struct strlist *list, const char *text)
{
    if (strlist_contains(list, text))
        return false;
    strlist_add(list, text);
    return true;
}

void strlist_insert(struct strlist *list, size_t at, const char *text)
{
    char *inserted;

    strlist_add(list, text);
    inserted = list->items[list->count - 1];
    memmove(list->items + at + 1, list->items + at, (list->count - 1 - at) * sizeof *list->items);
    list->items[at] = inserted;
}

void strlist_remove(struct strlist *list, size_t at)
{
    free(list->items[at]);
    memmove(list->items + at, list->items + at + 1, (list->count - at) * sizeof *list->items);
    list->count--;
}

bool strlist_contains(const struct strlist *list, const char *text)
{
    for (size_t i = 0; i < list->count; i++)
        if (!strcmp(list->items[i], text))
            return true;
    return false;
}

static int compare_strings(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void strlist_sort(struct strlist *list)
{
    if (list->count > 1)
        qsort(list->items, list->count, sizeof *list->items, compare_strings);
}

void strlist_split(struct strlist *list, const char *text, char separator)
{
    const char *end;

    while ((end = strchr(text, separator))) {
        strlist_add_take(list, xstrndup(text, (size_t)(end - text)));
        text = end + 1;
    }
    strlist_add(list, text);
}

char *strlist_join(const struct strlist *list, const char *separator)
{
    struct strbuf buf = STRBUF_INIT;

    for (size_t i = 0; i < list->count; i++) {
        if (i)
            strbuf_add(&buf, separator);
        strbuf_add(&buf, list->items[i]);
    }
    return strbuf_take(&buf);
}

/* Reads one word into word; returns the text after it, or NULL when a quote is left open. */
static const char *read_shell_word(const char *text, struct strbuf *word)
{
    char quote = '\0';

    for (; *text; text++) {
        if (quote == '\'') {
            if (*text == '\'')
                quote = '\0';
            else
                strbuf_add_char(word, *text);
        } else if (*text == '\\') {
            if (!text[1])
                return NULL;
            /* Inside double quotes a backslash escapes only what is special there. */
            if (quote == '"' && text[1] != '"' && text[1] != '\\')
                strbuf_add_char(word, '\\');
            strbuf_add_char(word, *++text);
        } else if (quote == '"') {
            if (*text == '"')
                quote = '\0';
            else
                strbuf_add_char(word, *text);
        } else if (*text == '\'' || *text == '"') {
            quote = *text;
        } else if (strchr(" \t\r\n", *text)) {
            break;
        } else {
            strbuf_add_char(word, *text);
        }
    }
    return quote ? NULL : text;
}

int strlist_split_shell(struct strlist *list, const char *text)
{
    auto_strlist struct strlist words = STRLIST_INIT;

    for (;;) {
        auto_strbuf struct strbuf word = STRBUF_INIT;

        text += strspn(text, " \t\r\n");
        if (!*text)
            break;
        text = read_shell_word(text, &word);
        if (!text)
            return -1;
        strlist_add_take(&words, strbuf_take(&word));
    }
    strlist_add_all(list, &words);
    return 0;
}
