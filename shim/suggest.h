/* shim/suggest.h - what somebody may have meant. */
#ifndef SHIM_SUGGEST_H
#define SHIM_SUGGEST_H

#include "base/strlist.h"

/* How alike two words are, from 0 to 1: twice the letters in common blocks over all letters, as
 * Python's difflib has it, so that the same mistakes bring the same suggestions. */
double suggest_ratio(const char *a, const char *b);

/* The up to three words closest to typed that reach the cutoff, closest first. */
void suggest_words(const struct strlist *words, const char *typed, double cutoff,
                   struct strlist *out);

#endif
