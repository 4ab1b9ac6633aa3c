/* base/redact.h - secret values that must not appear in logs, records or messages. */
#ifndef BASE_REDACT_H
#define BASE_REDACT_H

#include "base/strbuf.h"

/* Values shorter than four characters are not masked: they would blank out ordinary words. */
void redact_add_secret(const char *secret);
/* Replaces every occurrence of a known secret by "(redacted)", in the text from offset on. */
void redact_strbuf(struct strbuf *text, size_t offset);
/* Also masks the beginning of a secret at the end of a text that was cut off there. */
void redact_cut_strbuf(struct strbuf *text);
/* redact_strbuf() on a copy; the caller frees it. */
char *redact_text(const char *text);

#endif
