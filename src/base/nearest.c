#include "base/nearest.h"

#include "base/memory.h"

#include <string.h>

/* Longer words are not worth the square of their length. */
#define LONGEST_WORD 200

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t word_distance(const char *a, const char *b)
{
    size_t length_a = strlen(a), length_b = strlen(b), width = length_b + 1;
    auto_free size_t *table = xcalloc(3 * width, sizeof *table);
    size_t *before = table, *above = table + width, *row = table + 2 * width;

    for (size_t j = 0; j <= length_b; j++)
        row[j] = j;
    for (size_t i = 1; i <= length_a; i++) {
        size_t *oldest = before;

        before = above;
        above = row;
        row = oldest;
        row[0] = i;
        for (size_t j = 1; j <= length_b; j++) {
            size_t replaced = above[j - 1] + (a[i - 1] != b[j - 1]);

            row[j] = smaller(replaced, smaller(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = smaller(row[j], before[j - 2] + 1);
        }
    }
    return row[length_b];
}

const char *word_nearest(const char *word, const char *const *candidates, size_t count)
{
    size_t length = strlen(word);
    size_t best = length / 3 + 2; /* one slip in a short word, more in a long one */
    const char *nearest = NULL;

    if (length > LONGEST_WORD)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        size_t distance;

        if (!candidates[i] || strlen(candidates[i]) > LONGEST_WORD)
            continue;
        distance = word_distance(word, candidates[i]);
        if (distance < best) {
            best = distance;
            nearest = candidates[i];
        }
    }
    return nearest;
}
