/* config/expand.h - $VARIABLE expansion as Meltano does it (spec 5.6). */
#ifndef CONFIG_EXPAND_H
#define CONFIG_EXPAND_H

#include "base/error.h"
#include "base/strmap.h"
#include "base/value.h"

#include <stdbool.h>

enum expand_missing {
    EXPAND_MISSING_EMPTY,  /* an unset variable expands to nothing */
    EXPAND_MISSING_KEEP,   /* it stays as text (manifests) */
    EXPAND_MISSING_REFUSE, /* it is an error (ff.strict_env_var_mode) */
};

/* *out is NULL when a text that was not empty expanded to nothing: such a value counts as unset.
 * The caller frees *out. */
int expand_text(const char *text, const struct strmap *variables, enum expand_missing missing,
                char **out, struct error *err);
/* Strings at any depth; map keys are left alone. */
int expand_value(const struct value *value, const struct strmap *variables,
                 enum expand_missing missing, struct value **out, struct error *err);

#endif
