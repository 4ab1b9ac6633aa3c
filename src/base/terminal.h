/* base/terminal.h - text from outside for people's eyes: what would steer a terminal is spelt out.
 */
#ifndef BASE_TERMINAL_H
#define BASE_TERMINAL_H

#include "base/strbuf.h"

/* Which controls stay as they are; the others become \n, \t, \r or \u001b (as in JSON, so that
 * printed JSON remains what it was), and bytes that are no UTF-8 \x9b. */
enum terminal_keep {
    TERMINAL_KEEP_NOTHING = 0,
    TERMINAL_KEEP_LINES = 1,  /* newline and tab */
    TERMINAL_KEEP_COLORS = 2, /* ESC [ digits and semicolons m */
    TERMINAL_DROP_COLORS = 4, /* the same, without a trace */
};

void strbuf_add_visible(struct strbuf *buf, const char *text, size_t size, unsigned keep);

#endif
