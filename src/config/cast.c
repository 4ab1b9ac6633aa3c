#include "config/cast.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "base/utf8.h"
#include "base/yaml_scalar.h"
#include "config/flatten.h"
#include "config/natural_date.h"
#include "config/py_literal.h"

#include <errno.h>
#include <limits.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <wctype.h>

#define REDACTED "(redacted)"

bool text_is_truthy(const char *text)
{
    static const char *const words[] = {"true", "1", "yes", "on"};

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (!strcasecmp(text, words[i]))
            return true;
    return false;
}

enum setting_kind setting_infer_kind(const struct value *value)
{
    switch (value_kind(value)) {
    case VALUE_BOOL:
        return SETTING_BOOLEAN;
    case VALUE_INT:
        return SETTING_INTEGER;
    case VALUE_REAL:
        return SETTING_DECIMAL;
    case VALUE_MAP:
        return SETTING_OBJECT;
    case VALUE_LIST:
        return SETTING_ARRAY;
    default:
        return SETTING_NONE;
    }
}

char *setting_value_to_text(const struct value *value, enum setting_kind kind)
{
    struct strbuf out = STRBUF_INIT;

    if (value_is_string(value) || kind == SETTING_NONE || kind == SETTING_STRING ||
        kind == SETTING_DECIMAL)
        strbuf_add_py_str(&out, value);
    else
        json_write(&out, value, &json_python);
    return strbuf_take(&out);
}

static bool is_number(const struct value *value)
{
    return value_kind(value) == VALUE_BOOL || value_kind(value) == VALUE_INT ||
           value_kind(value) == VALUE_REAL;
}

static double to_double(const struct value *value)
{
    return value->kind == VALUE_BOOL ? value->boolean : strtod(value_text(value), NULL);
}

static bool lists_are_equal(const struct value *a, const struct value *b)
{
    for (size_t i = 0; i < value_count(a); i++)
        if (!value_is_equal_in_python(value_at(a, i), value_at(b, i)))
            return false;
    return true;
}

static bool maps_are_equal(const struct value *a, const struct value *b)
{
    for (size_t i = 0; i < value_count(a); i++) {
        const struct value_member *member = value_member_at(a, i);
        const struct value_member *other = value_find(b, member->key);

        if (!other || !value_is_equal_in_python(member->value, other->value))
            return false;
    }
    return true;
}

bool value_is_equal_in_python(const struct value *a, const struct value *b)
{
    if (is_number(a) && is_number(b))
        return value_kind(a) == VALUE_INT && value_kind(b) == VALUE_INT
                   ? !strcmp(value_text(a), value_text(b))
                   : to_double(a) == to_double(b);
    if (value_kind(a) != value_kind(b) || value_count(a) != value_count(b))
        return false;
    if (value_is_list(a))
        return lists_are_equal(a, b);
    if (value_is_map(a))
        return maps_are_equal(a, b);
    return value_is_equal(a, b);
}

/* A number as JSON writes it, with the digits of Python's repr(). */
static void normalise_real(struct value *value)
{
    struct strbuf text = STRBUF_INIT;
    double number = strtod(value->text.bytes, NULL);

    if (!isfinite(number))
        return;
    strbuf_add_py_float(&text, number);
    free(value->text.bytes);
    value->text.length = text.length;
    value->text.bytes = strbuf_take(&text);
}

static void normalise_reals(struct value *value)
{
    if (value_kind(value) == VALUE_REAL)
        normalise_real(value);
    for (size_t i = 0; value_is_list(value) && i < value_count(value); i++)
        normalise_reals(value_at(value, i));
    for (size_t i = 0; value_is_map(value) && i < value_count(value); i++)
        normalise_reals(value_member_at(value, i)->value);
}

struct value *value_copy_as_python(const struct value *value)
{
    struct value *copy = value_copy(value);

    normalise_reals(copy);
    return copy;
}

/* The text for a message, quoted as Python quotes it. The caller frees it. */
static char *quote(const struct setting_def *def, const char *text)
{
    struct strbuf out = STRBUF_INIT;

    strbuf_add_py_string(&out, def->sensitive ? REDACTED : text);
    return strbuf_take(&out);
}

/* Without the blanks that Python's int() and Decimal() ignore around a number. */
static char *strip(const char *text)
{
    size_t length;

    text += strspn(text, " \t\n\v\f\r");
    length = strlen(text);
    while (length && strchr(" \t\n\v\f\r", text[length - 1]))
        length--;
    return xstrndup(text, length);
}

/* The digits of an integer as Python's int() reads it, NULL when it is none. */
static char *read_integer(const char *text)
{
    auto_free char *stripped = strip(text);
    auto_strbuf struct strbuf digits = STRBUF_INIT;
    const char *at = stripped, *leading;

    at += *at == '-' || *at == '+';
    for (; *at; at++) {
        if (*at >= '0' && *at <= '9')
            strbuf_add_char(&digits, *at);
        else if (*at != '_' || !digits.length || at[-1] == '_' || at[1] == '\0')
            return NULL;
    }
    if (!digits.length)
        return NULL;
    leading = digits.text + strspn(digits.text, "0");
    if (!*leading)
        return xstrdup("0");
    return xasprintf("%s%s", *stripped == '-' ? "-" : "", leading);
}

static int cast_integer(const struct setting_def *def, const char *text, struct value **out,
                        struct error *err)
{
    auto_free char *digits = read_integer(text);
    auto_free char *quoted = NULL;

    if (digits) {
        *out = value_new_number(VALUE_INT, digits);
        return 0;
    }
    quoted = quote(def, text);
    error_set(err, ERR_CONFIG, "invalid literal for int() with base 10: %s", quoted);
    return error_hint(err, "Give an integer, such as 5432.");
}

/* A decimal number taken apart: sign, digits without leading zeros, and a power of ten. */
struct decimal {
    bool is_negative;
    struct strbuf digits;
    long exponent;
};

static bool read_exponent(const char *text, long *exponent)
{
    char *end;

    if (*text != 'e' && *text != 'E')
        return false;
    text++;
    if (!text[*text == '-' || *text == '+'] || strchr(" \t", *text))
        return false;
    errno = 0;
    *exponent = strtol(text, &end, 10);
    return !*end && !errno && labs(*exponent) < 1000000;
}

static bool read_decimal(const char *text, struct decimal *out)
{
    auto_free char *stripped = strip(text);
    const char *at = stripped;
    long exponent = 0;
    bool has_digit = false, has_point = false;

    out->is_negative = *at == '-';
    at += *at == '-' || *at == '+';
    for (; *at && *at != 'e' && *at != 'E'; at++) {
        if (*at == '.' && !has_point) {
            has_point = true;
        } else if (*at >= '0' && *at <= '9') {
            has_digit = true;
            out->exponent -= has_point;
            if (out->digits.length || *at != '0')
                strbuf_add_char(&out->digits, *at);
        } else if (*at != '_') {
            return false;
        }
    }
    if (!has_digit || (*at && !read_exponent(at, &exponent)))
        return false;
    if (!out->digits.length)
        strbuf_add_char(&out->digits, '0');
    out->exponent += exponent;
    return true;
}

/* As Python's str(Decimal): every digit that was given, an exponent only where it is needed. */
static void add_decimal(struct strbuf *out, const struct decimal *decimal)
{
    const char *digits = strbuf_text(&decimal->digits);
    long count = (long)decimal->digits.length;
    long point = count + decimal->exponent;

    if (decimal->is_negative)
        strbuf_add_char(out, '-');
    if (decimal->exponent > 0 || point <= -6) {
        strbuf_add_char(out, *digits);
        if (count > 1)
            strbuf_addf(out, ".%s", digits + 1);
        strbuf_addf(out, "E%+ld", point - 1);
    } else if (point <= 0) {
        strbuf_add(out, "0.");
        strbuf_add_repeat(out, '0', (size_t)-point);
        strbuf_add(out, digits);
    } else {
        strbuf_add_bytes(out, digits, (size_t)point);
        if (point < count)
            strbuf_addf(out, ".%s", digits + point);
    }
}

static int cast_decimal(const struct setting_def *def, const char *text, struct value **out,
                        struct error *err)
{
    struct decimal decimal = {.digits = STRBUF_INIT};
    auto_strbuf struct strbuf written = STRBUF_INIT;
    bool is_read = read_decimal(text, &decimal);
    auto_free char *quoted = NULL;

    if (is_read)
        add_decimal(&written, &decimal);
    strbuf_clear(&decimal.digits);
    if (is_read) {
        *out = value_new_number(VALUE_REAL, strbuf_text(&written));
        return 0;
    }
    quoted = quote(def, text);
    error_set(err, ERR_CONFIG, "%s is not a decimal number", quoted);
    return error_hint(err, "Give a number, such as 0.5.");
}

/* JSON, or where that fails Python's notation. */
static int cast_container(const struct setting_def *def, const struct value *string,
                          struct value **out, struct error *err)
{
    enum value_kind wanted = def->kind == SETTING_OBJECT ? VALUE_MAP : VALUE_LIST;
    const char *name = wanted == VALUE_MAP ? "object" : "array";
    auto_value struct value *parsed = NULL;
    auto_free char *quoted = NULL;
    struct error ignored = {0};

    if (json_parse(string->text.bytes, string->text.length, NULL, &parsed, &ignored) < 0)
        parsed = py_literal_parse(string->text.bytes, string->text.length);
    if (value_kind(parsed) == wanted) {
        normalise_reals(parsed);
        *out = take(parsed);
        return 0;
    }
    quoted = quote(def, string->text.bytes);
    error_set(err, ERR_CONFIG, "Failed to parse JSON %s from string: %s", name, quoted);
    return error_hint(err, "Give a JSON %s, such as %s.", name,
                      wanted == VALUE_MAP ? "{\"key\": \"value\"}" : "[\"a\", \"b\"]");
}

static int cast_string(const struct setting_def *def, const struct value *string,
                       struct value **out, struct error *err)
{
    const char *text = value_text(string);

    switch (def->kind) {
    case SETTING_BOOLEAN:
        *out = value_new_bool(text_is_truthy(text));
        return 0;
    case SETTING_INTEGER:
        return cast_integer(def, text, out, err);
    case SETTING_DECIMAL:
        return cast_decimal(def, text, out, err);
    case SETTING_OBJECT:
    case SETTING_ARRAY:
        return cast_container(def, string, out, err);
    default:
        *out = value_copy(string);
        return 0;
    }
}

static int check_choice(const struct setting_def *def, const struct value *value, struct error *err)
{
    auto_strbuf struct strbuf text = STRBUF_INIT, choices = STRBUF_INIT;

    for (size_t i = 0; i < value_count(def->options); i++) {
        const struct value *choice = value_get(value_at(def->options, i), "value");

        if (value_is_equal_in_python(choice, value))
            return 0;
        strbuf_add(&choices, i ? ", " : "");
        strbuf_add_py_str(&choices, choice);
    }
    strbuf_add_py_str(&text, value);
    error_set(err, ERR_CONFIG, "'%s' is not a valid choice for '%s'",
              def->sensitive ? REDACTED : strbuf_text(&text), def->name);
    return error_hint(err, "Choose one of: %s.", strbuf_text(&choices));
}

static int process_nest_object(const struct value *value, struct value **out, struct error *err)
{
    if (!value_is_map(value))
        return error_set(err, ERR_CONFIG, "the value processor nest_object needs a mapping, not %s",
                         value_kind_name(value_kind(value)));
    return nest_names(value, NEST_UNESCAPE, out, err);
}

static void add_upper(struct strbuf *out, unsigned code_point, locale_t locale)
{
    if (code_point == 0xdf)
        strbuf_add(out, "SS");
    else
        strbuf_add_utf8(out, (unsigned)towupper_l((wint_t)code_point, locale));
}

static int process_upcase_string(const struct value *value, struct value **out, struct error *err)
{
    auto_strbuf struct strbuf upper = STRBUF_INIT;
    locale_t locale;

    if (!value_is_string(value))
        return error_set(err, ERR_CONFIG, "the value processor upcase_string needs a text, not %s",
                         value_kind_name(value_kind(value)));
    locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    for (size_t at = 0; at < value->text.length;) {
        unsigned code_point = (unsigned char)value->text.bytes[at];
        size_t used = utf8_decode(value->text.bytes + at, value->text.length - at, &code_point);

        if (used && locale)
            add_upper(&upper, code_point, locale);
        else
            strbuf_add_bytes(&upper, value->text.bytes + at, used ? used : 1);
        at += used ? used : 1;
    }
    if (locale)
        freelocale(locale);
    *out = value_new_bytes(strbuf_text(&upper), upper.length);
    return 0;
}

static int process_stringify(const struct value *value, struct value **out,
                             struct error *err ATTR_UNUSED)
{
    *out = value_is_string(value) ? value_copy(value)
                                  : value_new_string_take(json_to_text(value, &json_python));
    return 0;
}

static int process_parse_date(const struct value *value, struct value **out,
                              struct error *err ATTR_UNUSED)
{
    auto_strbuf struct strbuf date = STRBUF_INIT;

    if (value_is_string(value) && !date_is_iso8601(value_text(value)) &&
        strbuf_add_natural_date(&date, value_text(value), clock_now_us()))
        *out = value_new_string_take(strbuf_take(&date));
    else
        *out = value_copy(value);
    return 0;
}

static const struct {
    const char *name;
    int (*process)(const struct value *value, struct value **out, struct error *err);
} processors[] = {
    {"nest_object", process_nest_object},
    {"upcase_string", process_upcase_string},
    {"stringify", process_stringify},
    {"parse_date", process_parse_date},
};

static int run_processor(const char *name, const struct value *value, struct value **out,
                         struct error *err)
{
    for (size_t i = 0; i < ARRAY_LEN(processors); i++)
        if (!strcmp(processors[i].name, name))
            return processors[i].process(value, out, err);
    error_set(err, ERR_CONFIG, "'%s' is not a value processor", name);
    return error_hint(err, "Use nest_object, upcase_string, stringify or parse_date.");
}

/* Dates of YAML become text here, as they do in Meltano. */
static struct value *date_to_string(const struct value *value)
{
    return value_new_bytes(value->text.bytes, value->text.length);
}

static void copy_position(struct value *to, const struct value *from)
{
    to->file = from->file;
    to->line = from->line;
    to->column = from->column;
}

int setting_cast(const struct setting_def *def, const struct value *value, struct value **out,
                 struct error *err)
{
    auto_value struct value *cast = NULL;

    if (value_is_null(value)) {
        *out = value_new_null();
        return 0;
    }
    if (value_kind(value) == VALUE_DATE) {
        auto_value struct value *string = date_to_string(value);

        if (cast_string(def, string, &cast, err) < 0)
            return -1;
    } else if (value_is_string(value)) {
        if (cast_string(def, value, &cast, err) < 0)
            return -1;
    } else {
        cast = value_copy(value);
    }
    if (def->kind == SETTING_OPTIONS && check_choice(def, cast, err) < 0)
        return -1;
    if (def->value_processor) {
        struct value *processed;

        if (run_processor(def->value_processor, cast, &processed, err) < 0)
            return -1;
        value_free(cast);
        cast = processed;
    }
    copy_position(cast, value);
    *out = take(cast);
    return 0;
}

int setting_post_process(const struct setting_def *def, const struct value *value,
                         struct value **out, struct error *err)
{
    if (!value_is_null(value) && def->value_post_processor)
        return run_processor(def->value_post_processor, value, out, err);
    if (!value_is_null(value) && def->kind == SETTING_DATE)
        return process_parse_date(value, out, err);
    *out = value_copy(value);
    return 0;
}
