/* base/pep440.h - Python version numbers and specifiers (PEP 440): ">=3.0,<5", "~=4.1", "==4.*". */
#ifndef BASE_PEP440_H
#define BASE_PEP440_H

#include "base/error.h"

#include <stdbool.h>

/* Less than, equal to or greater than 0, as a comes before, with or after b; both valid. */
int pep440_compare(const char *a, const char *b);
bool pep440_is_valid(const char *version);

/* Whether the version meets all of the specifiers, which commas separate. Pre-releases count like
 * any other version. -1 (ERR_CONFIG) when a specifier cannot be read. */
int pep440_matches(const char *version, const char *specifiers, bool *out, struct error *err);

#endif
