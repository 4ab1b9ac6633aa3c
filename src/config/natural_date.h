/* config/natural_date.h - dates that people write into settings: "3 days ago", "2021/01/05".
 *
 * Meltano hands such texts to a library that knows many languages. Known here are the English
 * relative forms and plain dates that begin with the year; every other text is left as it is. */
#ifndef CONFIG_NATURAL_DATE_H
#define CONFIG_NATURAL_DATE_H

#include "base/strbuf.h"

#include <stdbool.h>
#include <stdint.h>

/* The form that needs no reading: a date, alone or with a time to the second and a zone. */
bool date_is_iso8601(const char *text);

/* Appends the ISO form of the date and returns true, or leaves out as it is and returns false.
 * now_us is what relative dates count from, in UTC; they carry no zone. */
bool strbuf_add_natural_date(struct strbuf *out, const char *text, int64_t now_us);

#endif
