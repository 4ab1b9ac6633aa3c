#include "dag_generator/dag_cron.h"

#include "base/attrs.h"
#include "base/memory.h"
#include "base/strlist.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MOST_DIGITS 4

enum { MINUTE, HOUR, DAY, MONTH, WEEKDAY, FIELD_COUNT };

static const struct field {
    const char *name;
    int low, high;
    const char *words; /* names of the values, three letters each, from low on */
} fields[] = {
    [MINUTE] = {"minute", 0, 59, ""},
    [HOUR] = {"hour", 0, 23, ""},
    [DAY] = {"day of the month", 1, 31, ""},
    [MONTH] = {"month", 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec"},
    [WEEKDAY] = {"day of the week", 0, 6, "sunmontuewedthufrisat"},
};
_Static_assert(ARRAY_LEN(fields) == FIELD_COUNT, "a cron field is not described");

/* What a field has matched so far. */
struct match {
    uint64_t values;   /* a bit for each */
    bool has_last_day; /* L */
    bool has_nth;      /* 1#2, L5 */
    bool has_plain_weekday;
};

static bool is_digits(const char *text)
{
    return *text && text[strspn(text, "0123456789")] == '\0';
}

/* -1 when text is no value of the field; Sunday is 0 or 7. */
static int read_value(const struct field *field, const char *text)
{
    int value;

    for (size_t i = 0; field->words[i]; i += 3)
        if (strlen(text) == 3 && !strncasecmp(text, field->words + i, 3))
            return field->low + (int)i / 3;
    if (!is_digits(text) || strlen(text) > MOST_DIGITS)
        return -1;
    value = (int)strtol(text, NULL, 10);
    if (value < field->low || value > field->high + (field == &fields[WEEKDAY]))
        return -1;
    return value;
}

static int refuse_value(const struct field *field, const char *text, struct error *err)
{
    if (!*text)
        return error_set(err, ERR_CONFIG, "the %s has an empty element", field->name);
    return error_set(err, ERR_CONFIG, "the %s '%s' is not within %d-%d", field->name, text,
                     field->low, field->high + (field == &fields[WEEKDAY]));
}

static void match_value(const struct field *field, struct match *match, int value)
{
    if (field == &fields[WEEKDAY])
        value %= 7;
    match->values |= UINT64_C(1) << value;
    match->has_plain_weekday = true;
}

/* A range that wraps around, such as fri-mon, as a list. */
static void add_wrapped(const struct field *field, struct match *match, int first, int last,
                        struct strbuf *out)
{
    const char *comma = "";

    for (int value = first; value != last; value = value == field->high ? field->low : value + 1) {
        strbuf_addf(out, "%s%d", comma, value);
        match_value(field, match, value);
        comma = ",";
    }
    strbuf_addf(out, "%s%d", comma, last);
    match_value(field, match, last);
}

static int check_range(const struct field *field, const char *text, const char *first_text,
                       const char *last_text, int step, struct match *match, struct strbuf *out,
                       struct error *err)
{
    int first = read_value(field, first_text);
    int last = read_value(field, last_text);

    if (first < 0)
        return refuse_value(field, first_text, err);
    if (last < 0)
        return refuse_value(field, last_text, err);
    if (first == last) {
        strbuf_addf(out, "%d", first);
        match_value(field, match, first);
        return 0;
    }
    if (first < last && last <= field->high) {
        for (int value = first; value <= last; value += step)
            match_value(field, match, value);
        strbuf_add(out, text);
        return 0;
    }
    if (step > 1)
        return error_set(err, ERR_CONFIG,
                         "the %s '%s' wraps around with a step; write its values as a list",
                         field->name, text);
    if (first == 0 && last > field->high)
        last = field->high; /* 0-7: Sunday to Sunday */
    add_wrapped(field, match, first % (field->high + 1), last % (field->high + 1), out);
    return 0;
}

/* "mon#2", the second Monday; "L5", the last Friday. */
static int check_nth_weekday(const char *text, struct match *match, struct strbuf *out,
                             struct error *err)
{
    const struct field *field = &fields[WEEKDAY];
    const char *sharp = strchr(text, '#');
    auto_free char *day = sharp ? xstrndup(text, (size_t)(sharp - text)) : xstrdup(text + 1);
    int value = read_value(field, day);

    if (value < 0)
        return refuse_value(field, day, err);
    if (sharp && (strlen(sharp) != 2 || sharp[1] < '1' || sharp[1] > '5'))
        return error_set(err, ERR_CONFIG,
                         "'%s' asks for no day between the first and the fifth of a month", text);
    match->has_nth = true;
    if (sharp)
        strbuf_addf(out, "%d#%c", value % 7, sharp[1]);
    else
        strbuf_addf(out, "L%d", value % 7);
    return 0;
}

static int check_element(const struct field *field, const char *text, struct match *match,
                         struct strbuf *out, struct error *err)
{
    const char *slash = strchr(text, '/');
    auto_free char *base = slash ? xstrndup(text, (size_t)(slash - text)) : xstrdup(text);
    char *dash = strchr(base, '-');
    int step = 1, first;

    if (slash) {
        if (!is_digits(slash + 1) || strlen(slash + 1) > MOST_DIGITS)
            return error_set(err, ERR_CONFIG, "the step of the %s '%s' is no number", field->name,
                             text);
        step = (int)strtol(slash + 1, NULL, 10);
        if (step == 0)
            return error_set(err, ERR_CONFIG, "the step of the %s '%s' is 0", field->name, text);
    }
    if (!strcmp(base, "*")) {
        for (int value = field->low; value <= field->high; value += step)
            match_value(field, match, value);
        strbuf_add(out, text);
        return 0;
    }
    if (field == &fields[WEEKDAY] && !slash &&
        (strchr(base, '#') || (strchr("lL", base[0]) && base[0] && base[1])))
        return check_nth_weekday(text, match, out, err);
    if (field == &fields[DAY] && !strcasecmp(text, "L")) {
        match->has_last_day = true;
        strbuf_add(out, "L");
        return 0;
    }
    if (dash) {
        *dash = '\0';
        return check_range(field, text, base, dash + 1, step, match, out, err);
    }
    first = read_value(field, base);
    if (first < 0)
        return refuse_value(field, base, err);
    if (!slash || first >= field->high) {
        match_value(field, match, first);
        strbuf_add(out, base);
        return 0;
    }
    for (int value = first; value <= field->high; value += step)
        match_value(field, match, value);
    strbuf_addf(out, "%d-%d/%d", first, field->high, step);
    return 0;
}

static int check_field(const struct field *field, const char *text, struct match *match,
                       struct strbuf *out, struct error *err)
{
    auto_strlist struct strlist elements = STRLIST_INIT;
    size_t begin = out->length;

    if (!strcmp(text, "?") && (field == &fields[DAY] || field == &fields[WEEKDAY]))
        text = "*";
    strlist_split(&elements, text, ',');
    for (size_t i = 0; i < elements.count; i++) {
        if (i)
            strbuf_add_char(out, ',');
        if (check_element(field, elements.items[i], match, out, err) < 0)
            return -1;
    }
    if (match->has_nth && match->has_plain_weekday)
        return error_set(err, ERR_CONFIG,
                         "the %s '%s' mixes plain days with days of one week of the month",
                         field->name, text);
    if (strlist_contains(&elements, "*")) { /* beside it the others say nothing */
        strbuf_truncate(out, begin);
        strbuf_add_char(out, '*');
    }
    return 0;
}

/* 30 February: Airflow would look for it in vain at every heartbeat. */
static bool has_a_date(const struct match *days, const struct match *months)
{
    static const int lengths[] = {0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    if (days->has_last_day)
        return true;
    for (int month = 1; month <= 12; month++)
        if (months->values >> month & 1 &&
            days->values & ((UINT64_C(1) << (lengths[month] + 1)) - 1))
            return true;
    return false;
}

int dag_cron_check(const char *text, struct strbuf *out, struct error *err)
{
    struct match matches[FIELD_COUNT] = {0};
    auto_strlist struct strlist parts = STRLIST_INIT;
    auto_strbuf struct strbuf cron = STRBUF_INIT;

    while (*text) {
        size_t length = strcspn(text, " \t\r\n");

        if (length)
            strlist_add_take(&parts, xstrndup(text, length));
        text += length;
        text += strspn(text, " \t\r\n");
    }
    if (parts.count != FIELD_COUNT)
        return error_set(err, ERR_CONFIG,
                         "a cron expression has 5 fields (minute, hour, day, month, day of the "
                         "week), this one has %zu",
                         parts.count);
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        if (i)
            strbuf_add_char(&cron, ' ');
        if (check_field(&fields[i], parts.items[i], &matches[i], &cron, err) < 0)
            return -1;
    }
    if (!has_a_date(&matches[DAY], &matches[MONTH]))
        return error_set(err, ERR_CONFIG, "no month of '%s' has a day '%s'", parts.items[MONTH],
                         parts.items[DAY]);
    strbuf_add(out, strbuf_text(&cron));
    return 0;
}
