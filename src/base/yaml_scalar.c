#include "base/yaml_scalar.h"

#include "base/memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define YAML_TAG "tag:yaml.org,2002:"

/* Python refuses to turn longer texts into integers. */
#define MAX_DIGITS 4300

#define DIGITS "0123456789"

static bool is_one_of(const char *text, const char *const *words)
{
    for (; *words; words++)
        if (!strcmp(text, *words))
            return true;
    return false;
}

static bool is_null_word(const char *text)
{
    static const char *const words[] = {"", "~", "null", "Null", "NULL", NULL};

    return is_one_of(text, words);
}

static bool is_true_word(const char *text)
{
    static const char *const words[] = {"true", "True", "TRUE", NULL};

    return is_one_of(text, words);
}

static bool is_false_word(const char *text)
{
    static const char *const words[] = {"false", "False", "FALSE", NULL};

    return is_one_of(text, words);
}

static const char *skip_sign(const char *text)
{
    return *text == '-' || *text == '+' ? text + 1 : text;
}

static bool is_special_real(const char *text)
{
    static const char *const infinities[] = {".inf", ".Inf", ".INF", NULL};
    static const char *const not_numbers[] = {".nan", ".NaN", ".NAN", NULL};

    return is_one_of(skip_sign(text), infinities) || is_one_of(text, not_numbers);
}

/* Moves past an exponent, whose sign can be required; NULL when there is no proper one. */
static const char *skip_exponent(const char *text, bool needs_sign)
{
    size_t digits;

    if (*text != 'e' && *text != 'E')
        return NULL;
    text++;
    if (needs_sign && *text != '-' && *text != '+')
        return NULL;
    text = skip_sign(text);
    digits = strspn(text, DIGITS);
    return digits ? text + digits : NULL;
}

static bool ends_after_exponent(const char *text, bool needs_sign)
{
    const char *end = skip_exponent(text, needs_sign);

    return end && !*end;
}

static bool is_real(const char *text)
{
    const char *at = skip_sign(text);

    if (is_special_real(text))
        return true;
    if (*at == '.') {
        size_t digits = strspn(at + 1, DIGITS "_");

        at += 1 + digits;
        /* Only here the sign of the exponent is required: .5e3 is text. */
        return digits && (!*at || ends_after_exponent(at, true));
    }
    if (*at < '0' || *at > '9')
        return false;
    at += strspn(at, DIGITS "_");
    if (*at == '.') {
        at += 1 + strspn(at + 1, DIGITS "_");
        return !*at || ends_after_exponent(at, false);
    }
    return ends_after_exponent(at, false);
}

static bool consists_of(const char *text, const char *allowed)
{
    return *text && !text[strspn(text, allowed)];
}

static bool is_integer(const char *text)
{
    const char *at = skip_sign(text);

    if (!strchr("+-" DIGITS, *text))
        return false;
    if (!strncmp(at, "0b", 2))
        return consists_of(at + 2, "01_");
    if (!strncmp(at, "0o", 2))
        return consists_of(at + 2, "01234567_");
    if (!strncmp(at, "0x", 2))
        return consists_of(at + 2, DIGITS "abcdefABCDEF_");
    return consists_of(at, DIGITS "_");
}

struct timestamp {
    int year, month, day, hour, minute, second;
    int microsecond;
    bool has_time;
    bool has_t;    /* 'T' between date and time, not blanks */
    bool has_zone; /* "Z" or an offset */
    int offset_sign, offset_hours, offset_minutes;
    bool rounds_up; /* the fraction rounds up to the next second */
};

/* Reads least to most digits; NULL when there are fewer. */
static const char *read_digits(const char *text, size_t least, size_t most, int *number)
{
    size_t count = 0;

    *number = 0;
    while (count < most && *text >= '0' && *text <= '9') {
        *number = *number * 10 + (*text++ - '0');
        count++;
    }
    return count < least ? NULL : text;
}

/* Reads first and then digits; NULL when the text is different. */
static const char *read_part(const char *text, char first, size_t least, int *number)
{
    return text && *text == first ? read_digits(text + 1, least, 2, number) : NULL;
}

static const char *read_fraction(const char *text, struct timestamp *out)
{
    int unit = 100000;

    if (*text != '.')
        return text;
    for (text++; *text >= '0' && *text <= '9' && unit; text++, unit /= 10)
        out->microsecond += (*text - '0') * unit;
    if (!unit && *text >= '5' && *text <= '9')
        out->microsecond++;
    out->rounds_up = out->microsecond == 1000000;
    if (out->rounds_up)
        out->microsecond = 0;
    return text + strspn(text, DIGITS);
}

static const char *read_zone(const char *text, struct timestamp *out)
{
    text += strspn(text, " \t");
    out->has_zone = true;
    if (*text == 'Z')
        return text + 1;
    if (*text != '+' && *text != '-')
        return NULL;
    out->offset_sign = *text == '-' ? -1 : 1;
    text = read_digits(text + 1, 1, 2, &out->offset_hours);
    if (text && *text == ':')
        text = read_part(text, ':', 2, &out->offset_minutes);
    return text;
}

/* Whether the text has the form of a date or time; its numbers may still be out of range. */
static bool read_timestamp(const char *text, struct timestamp *out)
{
    const char *at, *after_date;
    bool is_padded;

    memset(out, 0, sizeof *out);
    at = read_digits(text, 4, 4, &out->year);
    at = read_part(at, '-', 1, &out->month);
    at = read_part(at, '-', 1, &out->day);
    if (!at)
        return false;
    is_padded = at - text == 10;
    if (!*at)
        return is_padded;
    after_date = at;
    if (*at == 'T' || *at == 't') {
        out->has_t = true;
        at++;
    } else {
        at += strspn(at, " \t");
    }
    if (at == after_date)
        return false;
    out->has_time = true;
    at = read_digits(at, 1, 2, &out->hour);
    at = read_part(at, ':', 2, &out->minute);
    at = read_part(at, ':', 2, &out->second);
    if (!at)
        return false;
    at = read_fraction(at, out);
    if (!*at)
        return true;
    at = read_zone(at, out);
    return at && !*at;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month - 1] + (month == 2 && is_leap);
}

static const char *find_timestamp_problem(const struct timestamp *time)
{
    if (time->year < 1)
        return "the year of a date must be 1 or later";
    if (time->month < 1 || time->month > 12)
        return "the month of a date must be 1 to 12";
    if (time->day < 1 || time->day > days_in_month(time->year, time->month))
        return "the month has no such day";
    if (time->hour > 23 || time->minute > 59 || time->second > 59)
        return "there is no such time of day";
    if (time->offset_hours > 23 || time->offset_minutes > 59)
        return "the offset of a time zone must be less than 24 hours";
    return NULL;
}

static void add_second(struct timestamp *time)
{
    if (++time->second < 60)
        return;
    time->second = 0;
    if (++time->minute < 60)
        return;
    time->minute = 0;
    if (++time->hour < 24)
        return;
    time->hour = 0;
    if (++time->day <= days_in_month(time->year, time->month))
        return;
    time->day = 1;
    if (++time->month <= 12)
        return;
    time->month = 1;
    time->year++;
}

/* The ISO form that a configuration read by Meltano ends up with. A time written with a 'T' or
 * with an offset loses its fraction and its zone on the way (the class that ruamel.yaml makes of
 * it drops both when it is copied); one written with a blank keeps its fraction and a "Z". */
static struct value *timestamp_value(struct timestamp *time)
{
    bool is_lossy = time->has_t || time->offset_sign;
    struct value *value;
    struct strbuf text = STRBUF_INIT;

    if (time->rounds_up)
        add_second(time);
    strbuf_addf(&text, "%04d-%02d-%02d", time->year, time->month, time->day);
    if (time->has_time)
        strbuf_addf(&text, "T%02d:%02d:%02d", time->hour, time->minute, time->second);
    if (time->microsecond && !is_lossy)
        strbuf_addf(&text, ".%06d", time->microsecond);
    if (time->has_zone && !is_lossy)
        strbuf_add(&text, "+00:00");
    value = value_new_string_take(strbuf_take(&text));
    value->kind = VALUE_DATE;
    return value;
}

enum value_kind value_kind_of_yaml_scalar(const char *text, size_t length)
{
    struct timestamp time;

    if (strlen(text) != length)
        return VALUE_STRING;
    if (is_null_word(text))
        return VALUE_NULL;
    if (is_true_word(text) || is_false_word(text))
        return VALUE_BOOL;
    if (is_real(text))
        return VALUE_REAL;
    if (is_integer(text))
        return VALUE_INT;
    if (read_timestamp(text, &time))
        return VALUE_DATE;
    return VALUE_STRING;
}

/* Decimal digits of a number with another base. digits holds them lowest first. */
static char *convert_to_decimal(const char *text, unsigned base)
{
    size_t count = 1, capacity = strlen(text) + 2;
    auto_free unsigned char *digits = xcalloc(capacity * 2, 1);
    struct strbuf out = STRBUF_INIT;

    for (; *text; text++) {
        unsigned carry = (unsigned)(*text <= '9' ? *text - '0' : (*text | 0x20) - 'a' + 10);

        for (size_t i = 0; i < count || carry; i++) {
            carry += digits[i] * base;
            digits[i] = (unsigned char)(carry % 10);
            carry /= 10;
            if (i == count)
                count++;
        }
    }
    while (count > 0)
        strbuf_add_char(&out, (char)('0' + digits[--count]));
    return strbuf_take(&out);
}

static char *without_underscores(const char *text)
{
    struct strbuf out = STRBUF_INIT;

    for (; *text; text++)
        if (*text != '_')
            strbuf_add_char(&out, *text);
    return strbuf_take(&out);
}

static struct value *integer_value(const char *text, const char **problem)
{
    auto_free char *clean = without_underscores(text);
    auto_free char *converted = NULL;
    auto_free char *signed_text = NULL;
    const char *digits = skip_sign(clean);
    const char *allowed = DIGITS;
    unsigned base = 10;

    if (digits[0] == '0' && digits[1] && strchr("box", digits[1])) {
        base = digits[1] == 'b' ? 2 : digits[1] == 'o' ? 8 : 16;
        allowed = base == 2 ? "01" : base == 8 ? "01234567" : DIGITS "abcdefABCDEF";
        digits += 2;
    }
    if (!consists_of(digits, allowed)) {
        *problem = "this is not an integer";
        return NULL;
    }
    if (strlen(digits) > MAX_DIGITS) {
        *problem = "an integer may have 4300 digits at most";
        return NULL;
    }
    converted = base == 10 ? xstrdup(digits) : convert_to_decimal(digits, base);
    digits = converted + strspn(converted, "0");
    if (!*digits)
        return value_new_number(VALUE_INT, "0");
    signed_text = xasprintf("%s%s", *clean == '-' ? "-" : "", digits);
    return value_new_number(VALUE_INT, signed_text);
}

static struct value *real_value(const char *text, const char **problem)
{
    auto_free char *clean = without_underscores(text);
    auto_strbuf struct strbuf out = STRBUF_INIT;
    double number;
    char *end;

    if (is_special_real(clean)) {
        const char *name = strchr("nN", *(skip_sign(clean) + 1)) ? "NaN" : "Infinity";

        strbuf_addf(&out, "%s%s", *clean == '-' ? "-" : "", name);
        return value_new_number(VALUE_REAL, strbuf_text(&out));
    }
    number = strtod(clean, &end);
    /* strtod() alone also reads hexadecimal numbers and words. */
    if (*end || !consists_of(clean, "+-.eE" DIGITS)) {
        *problem = "this is not a number";
        return NULL;
    }
    if (isinf(number))
        strbuf_add(&out, number < 0 ? "-Infinity" : "Infinity");
    else
        strbuf_add_py_float(&out, number);
    return value_new_number(VALUE_REAL, strbuf_text(&out));
}

static struct value *date_value(const char *text, const char **problem)
{
    struct timestamp time;

    if (!read_timestamp(text, &time)) {
        *problem = "this is not a date";
        return NULL;
    }
    *problem = find_timestamp_problem(&time);
    return *problem ? NULL : timestamp_value(&time);
}

/* With an explicit !!bool the words of YAML 1.1 count too. */
static struct value *tagged_bool_value(const char *text, const char **problem)
{
    static const char *const words[] = {"false", "true", "no", "yes", "off", "on", "n", "y"};

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (!strcasecmp(text, words[i]))
            return value_new_bool(i % 2);
    *problem = "this is not a boolean";
    return NULL;
}

static struct value *tagged_value(const char *text, size_t length, const char *type,
                                  const char **problem)
{
    static const char *const refused[] = {"seq", "map", "set", "omap", "pairs", "binary", NULL};

    if (!strcmp(type, "int"))
        return integer_value(text, problem);
    if (!strcmp(type, "float"))
        return real_value(text, problem);
    if (!strcmp(type, "bool"))
        return tagged_bool_value(text, problem);
    if (!strcmp(type, "null"))
        return value_new_null();
    if (!strcmp(type, "timestamp"))
        return date_value(text, problem);
    if (is_one_of(type, refused)) {
        *problem = "a value with this tag cannot be used here";
        return NULL;
    }
    return value_new_bytes(text, length);
}

struct value *value_from_yaml_scalar(const char *text, size_t length, const char *tag,
                                     const char **problem)
{
    if (tag && strcmp(tag, "?") != 0) {
        if (!strncmp(tag, YAML_TAG, strlen(YAML_TAG)))
            return tagged_value(text, length, tag + strlen(YAML_TAG), problem);
        return value_new_bytes(text, length);
    }
    switch (value_kind_of_yaml_scalar(text, length)) {
    case VALUE_NULL:
        return value_new_null();
    case VALUE_BOOL:
        return value_new_bool(is_true_word(text));
    case VALUE_REAL:
        return real_value(text, problem);
    case VALUE_INT:
        return integer_value(text, problem);
    case VALUE_DATE:
        return date_value(text, problem);
    default:
        return value_new_bytes(text, length);
    }
}
