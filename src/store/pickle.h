/* store/pickle.h - Python's pickle format, as far as values of settings need it.
 *
 * Reads protocols 0 to 5 of None, bool, int, float, str, list, tuple (as a list) and dict. Nothing
 * is ever called or imported: what would need that is refused. Written is protocol 4, which every
 * Python that runs Meltano reads. */
#ifndef STORE_PICKLE_H
#define STORE_PICKLE_H

#include "base/error.h"
#include "base/strbuf.h"
#include "base/value.h"

#include <stddef.h>

/* ERR_DATABASE when the bytes are no pickle or hold something else. */
int pickle_read(const void *bytes, size_t size, struct value **out, struct error *err);
void pickle_write(struct strbuf *out, const struct value *value);

#endif
