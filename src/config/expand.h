/* config/expand.h - $VARIABLE expansion as Meltano does it.
 *
 * A reference is ${name}, or $NAME in capitals; "\$" keeps the dollar as text. It is one pass: what
 * a variable holds is not expanded again. There are no defaults as in ${NAME:-x}: such text stays.
 */
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
/* The same with several maps, highest first, in an array that ends in NULL. */
int expand_text_in(const char *text, const struct strmap *const *layers,
                   enum expand_missing missing, char **out, struct error *err);
/* Strings at any depth; map keys are left alone. */
int expand_value_in(const struct value *value, const struct strmap *const *layers,
                    enum expand_missing missing, struct value **out, struct error *err);

/* The first variable that the text refers to and variables lack; NULL when there is none. The
 * caller frees it. */
char *expand_find_missing(const char *text, const struct strmap *variables);

/* Whether the value holds a reference anywhere: a cheap test before layers are prepared. */
bool expand_has_reference(const struct value *value);

#endif
