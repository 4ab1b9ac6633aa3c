/* base/suggest.h - "did you mean": the known word that is nearest to a mistyped one. */
#ifndef BASE_SUGGEST_H
#define BASE_SUGGEST_H

#include "base/strlist.h"

/* The candidate that takes the fewest insertions, deletions, replacements and swaps of neighbours,
 * as long as these are few for its length; the first of equals. Borrowed; NULL when none is near.
 */
const char *suggest_nearest(const char *word, const struct strlist *candidates);

#endif
