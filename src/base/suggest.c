#include "base/suggest.h"

#include "base/memory.h"

#include <string.h>

/* Longer words are not compared: nobody mistypes those. */
#define MAX_LENGTH 128

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The optimal string alignment distance. */
static size_t count_edits(const char *a, const char *b)
{
    size_t rows[3][MAX_LENGTH + 1];
    size_t *before = rows[0], *last = rows[1], *now = rows[2];
    size_t a_length = strlen(a), b_length = strlen(b);

    for (size_t k = 0; k <= b_length; k++)
        last[k] = k;
    for (size_t i = 1; i <= a_length; i++) {
        size_t *oldest = before;

        now[0] = i;
        for (size_t k = 1; k <= b_length; k++) {
            now[k] = least(least(last[k], now[k - 1]) + 1, last[k - 1] + (a[i - 1] != b[k - 1]));
            if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1])
                now[k] = least(now[k], before[k - 2] + 1);
        }
        before = last;
        last = now;
        now = oldest;
    }
    return last[b_length];
}

const char *suggest_nearest(const char *word, const struct strlist *candidates)
{
    const char *nearest = NULL;
    size_t fewest = strlen(word) / 3 + 1;

    if (strlen(word) > MAX_LENGTH)
        return NULL;
    for (size_t i = 0; i < candidates->count; i++) {
        size_t edits;

        if (strlen(candidates->items[i]) > MAX_LENGTH)
            continue;
        edits = count_edits(word, candidates->items[i]);
        if (edits < fewest + !nearest) {
            fewest = edits;
            nearest = candidates->items[i];
        }
    }
    return nearest;
}
