/* config/cast.h - the values of settings by their kind, as Meltano casts and prints them. */
#ifndef CONFIG_CAST_H
#define CONFIG_CAST_H

#include "base/error.h"
#include "base/value.h"
#include "project/plugin_def.h"

#include <stdbool.h>

/* Makes of a text what the kind of the setting asks for, checks the choice of an options setting,
 * and applies its value_processor. Values that are no text keep their type. Errors carry Meltano's
 * text; the value of a sensitive setting does not appear in them. The caller frees *out. */
int setting_cast(const struct setting_def *def, const struct value *value, struct value **out,
                 struct error *err);

/* What happens to a value before the plugin gets it: the value_post_processor, or the reading of
 * dates in words for the kind date_iso8601. The caller frees *out. */
int setting_post_process(const struct setting_def *def, const struct value *value,
                         struct value **out, struct error *err);

/* The kind Meltano gives to a setting that is known by its value in meltano.yml only. */
enum setting_kind setting_infer_kind(const struct value *value);

/* true, 1, yes and on, in any case. */
bool text_is_truthy(const char *text);

/* The text of a value in variables and manifests: text as it is, Python's str() for kinds none,
 * string and decimal, JSON for the others. The caller frees it. */
char *setting_value_to_text(const struct value *value, enum setting_kind kind);

/* Equality as Python has it: 1, 1.0 and True are equal. */
bool value_is_equal_in_python(const struct value *a, const struct value *b);
/* A copy in which numbers with a fraction have the text that Python's repr() gives them. */
struct value *value_copy_as_python(const struct value *value);

#endif
