/* base/suggest.h - "did you mean": the known words that are most like a mistyped one. */
#ifndef BASE_SUGGEST_H
#define BASE_SUGGEST_H

#include "base/strlist.h"

/* How alike two words are, from 0 to 1: twice the letters in common blocks over all letters, as
 * Python's difflib has it, so that the same mistakes bring the same suggestions as in Meltano. */
double suggest_ratio(const char *a, const char *b);

/* Adds the up to three candidates that are most like word and reach the ratio cutoff, the best
 * first. */
void suggest_words(const char *word, const struct strlist *candidates, double cutoff,
                   struct strlist *out);

/* The best candidate. Borrowed; NULL when none is near. */
const char *suggest_nearest(const char *word, const struct strlist *candidates);

#endif
