/* pipeline/failure_words.h - what a failure says once everything is left out that changes from one
 * time to the next, so that two failures of the same cause can be recognised. */
#ifndef PIPELINE_FAILURE_WORDS_H
#define PIPELINE_FAILURE_WORDS_H

#include "base/strlist.h"

/* A text with numbers, identifiers, times and addresses as '#', paths as "<path>", URLs without
 * what comes after their host, blanks as one; at most 300 bytes. The caller frees it. */
char *failure_words_of(const char *text);

/* What the last lines of a process say: the last Python exception, as its type and the functions
 * it went through ("KeyError at main.py:sync > client.py:fetch"), else the last line that speaks of
 * an error, else the last line. The caller frees it; NULL when there is no line. */
char *failure_words_of_lines(const struct strlist *lines);

#endif
