/* base/utf8.h - UTF-8 as RFC 3629 has it, plus lone surrogates, which JSON text can carry. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Writes 1 to 4 bytes; a surrogate is written in its three-byte form. Returns the number. */
size_t utf8_encode(unsigned code_point, char out[4]);

/* Reads one code point of a text of size bytes (size > 0). Returns how many bytes it took, 0 when
 * they are not UTF-8. Lone surrogates in three-byte form are accepted. */
size_t utf8_decode(const char *text, size_t size, unsigned *code_point);

bool utf8_is_valid(const char *text, size_t size);
/* How many characters (code points) a UTF-8 text has. */
size_t utf8_count(const char *text);

/* Whether Python's repr() prints it as it is: letters, marks, symbols, but no controls, private
 * use, unassigned planes, surrogates or separators other than the blank. Good for the blocks in
 * common use; an unassigned code point inside an assigned block counts as printable. */
bool utf8_is_printable(unsigned code_point);

/* Whether \w of a Python regular expression matches it: letters, numbers and the underscore. */
bool utf8_is_word(unsigned code_point);

#endif
