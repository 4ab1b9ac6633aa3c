#include "shim/suggest.h"

#include <string.h>

#define MOST_SUGGESTIONS 3
/* Nobody means a longer word, and comparing costs its length times the other's. */
#define LONGEST_WORD 64

/* Letters in the longest common block and, recursively, in what is left and right of it. Of equally
 * long blocks the first counts. */
static size_t count_matches(const char *a, size_t a_size, const char *b, size_t b_size)
{
    size_t best = 0, best_a = 0, best_b = 0;

    for (size_t i = 0; i < a_size; i++)
        for (size_t j = 0; j < b_size; j++) {
            size_t size = 0;

            while (i + size < a_size && j + size < b_size && a[i + size] == b[j + size])
                size++;
            if (size > best) {
                best = size;
                best_a = i;
                best_b = j;
            }
        }
    if (!best)
        return 0;
    return best + count_matches(a, best_a, b, best_b) +
           count_matches(a + best_a + best, a_size - best_a - best, b + best_b + best,
                         b_size - best_b - best);
}

double suggest_ratio(const char *a, const char *b)
{
    size_t sum = strlen(a) + strlen(b);

    return sum ? 2.0 * (double)count_matches(a, strlen(a), b, strlen(b)) / (double)sum : 1.0;
}

void suggest_words(const struct strlist *words, const char *typed, double cutoff,
                   struct strlist *out)
{
    double ratios[MOST_SUGGESTIONS] = {0};
    const char *best[MOST_SUGGESTIONS] = {0};
    size_t count = 0;

    if (strlen(typed) > LONGEST_WORD)
        return;
    for (size_t i = 0; i < words->count; i++) {
        double ratio = suggest_ratio(words->items[i], typed);
        size_t at = count;

        if (ratio < cutoff)
            continue;
        while (at > 0 && (ratio > ratios[at - 1] ||
                          (ratio == ratios[at - 1] && strcmp(words->items[i], best[at - 1]) > 0)))
            at--;
        if (at == MOST_SUGGESTIONS)
            continue;
        if (count < MOST_SUGGESTIONS)
            count++;
        for (size_t move = count - 1; move > at; move--) {
            ratios[move] = ratios[move - 1];
            best[move] = best[move - 1];
        }
        ratios[at] = ratio;
        best[at] = words->items[i];
    }
    for (size_t i = 0; i < count; i++)
        strlist_add(out, best[i]);
}
