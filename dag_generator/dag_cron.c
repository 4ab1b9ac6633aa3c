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

/* A field while it is read: what it matches, and what is written for it. */
struct reader {
    const struct field *field;
    uint64_t values;   /* a bit for each */
    bool has_last_day; /* L */
    bool has_nth;      /* 1#2, L5 */
    bool has_plain_weekday;
    struct strbuf *out;
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

static void match_value(struct reader *reader, int value)
{
    reader->values |= UINT64_C(1) << (reader->field == &fields[WEEKDAY] ? value % 7 : value);
    reader->has_plain_weekday = true;
}

static void match_range(struct reader *reader, int first, int last, int step)
{
    for (int value = first; value <= last; value += step)
        match_value(reader, value);
}

/* A range that wraps around, such as fri-mon, as a list. */
static void add_wrapped(struct reader *reader, int first, int last)
{
    const struct field *field = reader->field;
    int value = first;

    strbuf_addf(reader->out, "%d", value);
    match_value(reader, value);
    while (value != last) {
        value = value == field->high ? field->low : value + 1;
        strbuf_addf(reader->out, ",%d", value);
        match_value(reader, value);
    }
}

static int check_range(struct reader *reader, const char *text, const char *first_text,
                       const char *last_text, int step, struct error *err)
{
    const struct field *field = reader->field;
    int first = read_value(field, first_text);
    int last = read_value(field, last_text);

    if (first < 0)
        return refuse_value(field, first_text, err);
    if (last < 0)
        return refuse_value(field, last_text, err);
    if (first < last && last <= field->high) {
        match_range(reader, first, last, step);
        strbuf_add(reader->out, text);
        return 0;
    }
    if (step > 1 && first != last)
        return error_set(err, ERR_CONFIG,
                         "the %s '%s' wraps around with a step; write its values as a list",
                         field->name, text);
    if (first == 0 && last > field->high)
        add_wrapped(reader, first, field->high); /* 0-7: from Sunday to the next */
    else
        add_wrapped(reader, first % (field->high + 1), last % (field->high + 1));
    return 0;
}

/* "mon#2", the second Monday; "L5", the last Friday. */
static int check_nth_weekday(struct reader *reader, const char *text, struct error *err)
{
    const char *sharp = strchr(text, '#');
    auto_free char *day = sharp ? xstrndup(text, (size_t)(sharp - text)) : xstrdup(text + 1);
    int value = read_value(reader->field, day);

    if (value < 0)
        return refuse_value(reader->field, day, err);
    if (sharp && (strlen(sharp) != 2 || sharp[1] < '1' || sharp[1] > '5'))
        return error_set(err, ERR_CONFIG,
                         "'%s' asks for no day between the first and the fifth of a month", text);
    reader->has_nth = true;
    if (sharp)
        strbuf_addf(reader->out, "%d#%c", value % 7, sharp[1]);
    else
        strbuf_addf(reader->out, "L%d", value % 7);
    return 0;
}

/* "5", or "5/15": from there on to the end. */
static int check_start(struct reader *reader, const char *text, int step, struct error *err)
{
    const struct field *field = reader->field;
    int first = read_value(field, text);

    if (first < 0)
        return refuse_value(field, text, err);
    if (!step || first >= field->high) {
        match_value(reader, first);
        strbuf_add(reader->out, text);
        return 0;
    }
    match_range(reader, first, field->high, step);
    strbuf_addf(reader->out, "%d-%d/%d", first, field->high, step);
    return 0;
}

/* What stands behind a slash; *step is 0 when there is none. */
static int read_step(const struct reader *reader, const char *text, int *step, struct error *err)
{
    const char *slash = strchr(text, '/');

    *step = 0;
    if (!slash)
        return 0;
    if (!is_digits(slash + 1) || strlen(slash + 1) > MOST_DIGITS)
        return error_set(err, ERR_CONFIG, "the step of the %s '%s' is no number",
                         reader->field->name, text);
    *step = (int)strtol(slash + 1, NULL, 10);
    if (*step == 0)
        return error_set(err, ERR_CONFIG, "the step of the %s '%s' is 0", reader->field->name,
                         text);
    return 0;
}

static bool is_nth_weekday(const struct reader *reader, const char *text)
{
    return reader->field == &fields[WEEKDAY] &&
           (strchr(text, '#') || ((*text == 'l' || *text == 'L') && text[1]));
}

static int check_element(struct reader *reader, const char *text, struct error *err)
{
    auto_free char *base = xstrndup(text, strcspn(text, "/"));
    char *dash = strchr(base, '-');
    int step;

    if (read_step(reader, text, &step, err) < 0)
        return -1;
    if (!strcmp(base, "*")) {
        match_range(reader, reader->field->low, reader->field->high, step ? step : 1);
        strbuf_add(reader->out, text);
        return 0;
    }
    if (!step && is_nth_weekday(reader, base))
        return check_nth_weekday(reader, text, err);
    if (!step && reader->field == &fields[DAY] && !strcasecmp(base, "L")) {
        reader->has_last_day = true;
        strbuf_add(reader->out, "L");
        return 0;
    }
    if (!dash)
        return check_start(reader, base, step, err);
    *dash = '\0';
    return check_range(reader, text, base, dash + 1, step ? step : 1, err);
}

static int check_field(struct reader *reader, const char *text, struct error *err)
{
    const struct field *field = reader->field;
    auto_strlist struct strlist elements = STRLIST_INIT;
    size_t begin = reader->out->length;

    if (!strcmp(text, "?") && (field == &fields[DAY] || field == &fields[WEEKDAY]))
        text = "*";
    strlist_split(&elements, text, ',');
    for (size_t i = 0; i < elements.count; i++) {
        if (i)
            strbuf_add_char(reader->out, ',');
        if (check_element(reader, elements.items[i], err) < 0)
            return -1;
    }
    if (reader->has_nth && reader->has_plain_weekday)
        return error_set(err, ERR_CONFIG,
                         "the %s '%s' mixes plain days with days of one week of the month",
                         field->name, text);
    if (strlist_contains(&elements, "*")) { /* beside it the others say nothing */
        strbuf_truncate(reader->out, begin);
        strbuf_add_char(reader->out, '*');
    }
    return 0;
}

/* 30 February: Airflow would look for it in vain at every heartbeat. */
static bool has_a_date(const struct reader *days, const struct reader *months)
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

static void split_fields(struct strlist *parts, const char *text)
{
    static const char blanks[] = " \t\r\n";

    for (text += strspn(text, blanks); *text; text += strspn(text, blanks)) {
        size_t length = strcspn(text, blanks);

        strlist_add_take(parts, xstrndup(text, length));
        text += length;
    }
}

int dag_cron_check(const char *text, struct strbuf *out, struct error *err)
{
    struct reader readers[FIELD_COUNT] = {0};
    auto_strlist struct strlist parts = STRLIST_INIT;
    auto_strbuf struct strbuf cron = STRBUF_INIT;

    split_fields(&parts, text);
    if (parts.count != FIELD_COUNT)
        return error_set(err, ERR_CONFIG,
                         "a cron expression has 5 fields (minute, hour, day, month, day of the "
                         "week), this one has %zu",
                         parts.count);
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        readers[i].field = &fields[i];
        readers[i].out = &cron;
        if (i)
            strbuf_add_char(&cron, ' ');
        if (check_field(&readers[i], parts.items[i], err) < 0)
            return -1;
    }
    if (!has_a_date(&readers[DAY], &readers[MONTH]))
        return error_set(err, ERR_CONFIG, "no month of '%s' has a day '%s'", parts.items[MONTH],
                         parts.items[DAY]);
    strbuf_add(out, strbuf_text(&cron));
    return 0;
}
