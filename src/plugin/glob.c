#include "plugin/glob.h"

#include "base/utf8.h"

#include <string.h>

struct cursor {
    const char *at;
    const char *end;
};

static struct cursor cursor_at(const char *text)
{
    return (struct cursor){text, text + strlen(text)};
}

/* A byte that is no UTF-8 counts as one character. */
static unsigned next_character(struct cursor *cursor)
{
    unsigned code_point;
    size_t used = utf8_decode(cursor->at, (size_t)(cursor->end - cursor->at), &code_point);

    if (!used) {
        code_point = (unsigned char)*cursor->at;
        used = 1;
    }
    cursor->at += used;
    return code_point;
}

/* The ']' that closes a set; the first character after "[" or "[!" is never that. */
static const char *find_set_end(const struct cursor *pattern)
{
    const char *at = pattern->at;

    if (at < pattern->end && *at == '!')
        at++;
    if (at == pattern->end)
        return NULL;
    return memchr(at + 1, ']', (size_t)(pattern->end - at - 1));
}

static bool set_contains(struct cursor set, unsigned character)
{
    bool found = false;
    bool negated = set.at < set.end && *set.at == '!';

    if (negated)
        set.at++;
    while (set.at < set.end) {
        unsigned first = next_character(&set);
        unsigned last = first;

        /* A '-' at the end of the set stands for itself. */
        if (set.end - set.at >= 2 && *set.at == '-') {
            set.at++;
            last = next_character(&set);
        }
        found = found || (character >= first && character <= last);
    }
    return found != negated;
}

/* Matches one character against the pattern's next element, which is not '*', and moves past it. */
static bool match_one(struct cursor *pattern, unsigned character)
{
    unsigned element = next_character(pattern);

    if (element == '?')
        return true;
    if (element == '[') {
        const char *end = find_set_end(pattern);

        if (end) {
            struct cursor set = {pattern->at, end};

            pattern->at = end + 1;
            return set_contains(set, character);
        }
    }
    return element == character;
}

bool glob_match(const char *pattern_text, const char *text)
{
    struct cursor pattern = cursor_at(pattern_text), rest = cursor_at(text);
    /* Where to go on when the match after the last '*' fails: it takes one character more. */
    struct cursor after_star = {NULL, NULL}, star_rest = {NULL, NULL};

    while (rest.at < rest.end) {
        if (pattern.at < pattern.end && *pattern.at == '*') {
            pattern.at++;
            after_star = pattern;
            star_rest = rest;
            continue;
        }
        if (pattern.at < pattern.end && match_one(&pattern, next_character(&rest)))
            continue;
        if (!after_star.at)
            return false;
        next_character(&star_rest);
        pattern = after_star;
        rest = star_rest;
    }
    while (pattern.at < pattern.end && *pattern.at == '*')
        pattern.at++;
    return pattern.at == pattern.end;
}
