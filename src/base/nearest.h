/* base/nearest.h - "did you mean ...?": the known word that a misspelt one probably meant. */
#ifndef BASE_NEAREST_H
#define BASE_NEAREST_H

#include <stddef.h>

/* How many single letters must be typed, left out, replaced or swapped with their neighbour to
 * make one word the other. */
size_t word_distance(const char *a, const char *b);

/* The candidate with the smallest distance, the first of several; NULL when none is close enough
 * to be a slip of the fingers. Candidates that are NULL are passed over. Borrowed. */
const char *word_nearest(const char *word, const char *const *candidates, size_t count);

#endif
