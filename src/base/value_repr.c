#include "base/value.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Digits that a double needs at most to be read back as the same number. */
#define MOST_DIGITS 17

/* The fewest digits that read back as the same number, with an exponent only below 1e-4 and from
 * 1e16 on. */
void strbuf_add_py_float(struct strbuf *out, double number)
{
    char digits[64];
    int precision = 1, exponent;

    if (!isfinite(number)) {
        strbuf_add(out, isnan(number) ? "nan" : number < 0 ? "-inf" : "inf");
        return;
    }
    do {
        snprintf(digits, sizeof digits, "%.*e", precision - 1, number);
    } while (strtod(digits, NULL) != number && precision++ < MOST_DIGITS);

    exponent = (int)strtol(strchr(digits, 'e') + 1, NULL, 10);
    if (exponent < -4 || exponent >= 16) {
        snprintf(digits, sizeof digits, "%.*e", precision - 1, number);
        strbuf_add(out, digits);
        return;
    }
    strbuf_addf(out, "%.*f", precision - 1 > exponent ? precision - 1 - exponent : 1, number);
}

static void add_py_list(struct strbuf *out, const struct value *list)
{
    strbuf_add_char(out, '[');
    for (size_t i = 0; i < value_count(list); i++) {
        if (i)
            strbuf_add(out, ", ");
        strbuf_add_py_repr(out, value_at(list, i));
    }
    strbuf_add_char(out, ']');
}

static void add_py_dict(struct strbuf *out, const struct value *map)
{
    strbuf_add_char(out, '{');
    for (size_t i = 0; i < value_count(map); i++) {
        const struct value_member *member = value_member_at(map, i);

        if (i)
            strbuf_add(out, ", ");
        strbuf_add_py_string(out, member->key);
        strbuf_add(out, ": ");
        strbuf_add_py_repr(out, member->value);
    }
    strbuf_add_char(out, '}');
}

void strbuf_add_py_repr(struct strbuf *out, const struct value *value)
{
    switch (value_kind(value)) {
    case VALUE_NULL:
        strbuf_add(out, "None");
        break;
    case VALUE_BOOL:
        strbuf_add(out, value->boolean ? "True" : "False");
        break;
    case VALUE_INT:
        strbuf_add(out, value_text(value));
        break;
    case VALUE_REAL:
        strbuf_add_py_float(out, strtod(value_text(value), NULL));
        break;
    case VALUE_STRING:
    case VALUE_DATE:
        strbuf_add_py_string(out, value_text(value));
        break;
    case VALUE_LIST:
        add_py_list(out, value);
        break;
    case VALUE_MAP:
        add_py_dict(out, value);
        break;
    }
}

void strbuf_add_py_str(struct strbuf *out, const struct value *value)
{
    const char *text = value_text(value);

    if (value_kind(value) == VALUE_STRING || value_kind(value) == VALUE_DATE)
        strbuf_add_bytes(out, text, value->text.length);
    else if (value_kind(value) == VALUE_REAL && text[strspn(text, "-0123456789.eE+")] == '\0')
        strbuf_add(out, text);
    else
        strbuf_add_py_repr(out, value);
}
