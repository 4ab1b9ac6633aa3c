/* base/yaml.h - YAML text to value trees, as Meltano reads it (see base/yaml_scalar.h).
 *
 * Every value and every key knows its file, line and column. Aliases become copies, which keep
 * the position of their anchor; "<<" merges: a map's own keys come first and win. Keys that are
 * no strings become the text that Python's str() gives. Duplicate keys, several documents, and
 * what is nested too deeply or blown up by aliases are refused. */
#ifndef BASE_YAML_H
#define BASE_YAML_H

#include "base/error.h"
#include "base/value.h"

#include <stddef.h>

#define YAML_MAX_DEPTH 200
/* What aliases and merges stand for; what is written out may be as long as it likes. */
#define YAML_MAX_ALIASED 500000

/* Reads exactly one document; an empty one gives null. name is the file for messages and
 * positions. Errors are ERR_CONFIG and begin with FILE:LINE:COLUMN. */
int value_from_yaml(const char *text, size_t length, const char *name, struct value **out,
                    struct error *err);

#endif
