/* shim/value_diff.h - what changed between two JSON values, for people. */
#ifndef SHIM_VALUE_DIFF_H
#define SHIM_VALUE_DIFF_H

#include "base/strbuf.h"
#include "base/value.h"

/* A line for each member that went, came or changed: "- bookmarks.users.id: 5" and
 * "+ bookmarks.users.id: 7". Maps are compared key by key, everything else as a whole. Nothing is
 * added when they are equal. */
void value_diff(const struct value *before, const struct value *after, struct strbuf *out);

#endif
