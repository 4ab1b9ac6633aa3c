/* base/diff.h - what has to change in a text, in the unified format of diff -u. */
#ifndef BASE_DIFF_H
#define BASE_DIFF_H

#include "base/strbuf.h"

/* Appends the difference between two texts with three lines of context; nothing when they are the
 * same. The names stand in the two lines at its head; NULL is /dev/null. */
void strbuf_add_diff(struct strbuf *out, const char *old_name, const char *old_text,
                     const char *new_name, const char *new_text);

#endif
