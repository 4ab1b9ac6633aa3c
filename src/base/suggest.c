#include "base/suggest.h"

#include <string.h>

#define MOST_SUGGESTIONS 3
#define USUAL_CUTOFF     0.6
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

struct suggestion {
    const char *word;
    double ratio;
};

static bool is_better(const struct suggestion *a, const struct suggestion *b)
{
    return a->ratio > b->ratio || (a->ratio == b->ratio && strcmp(a->word, b->word) > 0);
}

static size_t find_best(const char *word, const struct strlist *candidates, double cutoff,
                        struct suggestion best[MOST_SUGGESTIONS])
{
    size_t count = 0;

    if (strlen(word) > LONGEST_WORD)
        return 0;
    for (size_t i = 0; i < candidates->count; i++) {
        struct suggestion now = {candidates->items[i], 0};
        size_t at = count;

        if (strlen(now.word) <= LONGEST_WORD)
            now.ratio = suggest_ratio(now.word, word);
        if (now.ratio < cutoff)
            continue;
        while (at > 0 && is_better(&now, &best[at - 1]))
            at--;
        if (at == MOST_SUGGESTIONS)
            continue;
        if (count < MOST_SUGGESTIONS)
            count++;
        memmove(best + at + 1, best + at, (count - at - 1) * sizeof *best);
        best[at] = now;
    }
    return count;
}

void suggest_words(const char *word, const struct strlist *candidates, double cutoff,
                   struct strlist *out)
{
    struct suggestion best[MOST_SUGGESTIONS];
    size_t count = find_best(word, candidates, cutoff, best);

    for (size_t i = 0; i < count; i++)
        strlist_add(out, best[i].word);
}

const char *suggest_nearest(const char *word, const struct strlist *candidates)
{
    struct suggestion best[MOST_SUGGESTIONS];

    return find_best(word, candidates, USUAL_CUTOFF, best) ? best[0].word : NULL;
}
