/* process/utf8_check.h - whether bytes that come in pieces are UTF-8 as RFC 3629 has it (and as
 * Python decodes it: no surrogates). Private to src/process. */
#ifndef PROCESS_UTF8_CHECK_H
#define PROCESS_UTF8_CHECK_H

#include <stdbool.h>
#include <stddef.h>

/* Zeroed: a text of no bytes. */
struct utf8_check {
    bool is_used; /* the text so far is not empty or plain ASCII */
    bool is_invalid;
    unsigned char missing;   /* continuation bytes that must follow */
    unsigned char low, high; /* bounds of the next one */
};

bool bytes_are_ascii(const char *bytes, size_t size);
void utf8_check_add(struct utf8_check *check, const char *bytes, size_t size);
/* True when the whole text was valid; begins a new text. */
bool utf8_check_end(struct utf8_check *check);

#endif
