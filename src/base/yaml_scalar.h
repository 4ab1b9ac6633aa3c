/* base/yaml_scalar.h - what a YAML scalar means: the YAML 1.2 rules of ruamel.yaml, with which
 * Meltano reads its files. yes, no, on and off are text; 012 is 12; 0o14, 0x1f and 0b101 are
 * integers; 1_000 is 1000; 1e3 is a real; unquoted dates are dates. */
#ifndef BASE_YAML_SCALAR_H
#define BASE_YAML_SCALAR_H

#include "base/value.h"

#include <stdbool.h>
#include <stddef.h>

/* What a plain (unquoted) scalar of this text would be read as. */
enum value_kind value_kind_of_yaml_scalar(const char *text, size_t length);

/* The value of a scalar: tag is NULL or "?" for a plain one without a tag, "!" for a quoted one,
 * or the full tag. Returns NULL when the text does not fit: *problem (borrowed, static) says why.
 */
struct value *value_from_yaml_scalar(const char *text, size_t length, const char *tag,
                                     const char **problem);

#endif
