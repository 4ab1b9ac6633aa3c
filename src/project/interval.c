#include "base/memory.h"
#include "base/strlist.h"
#include "project/project.h"

#include <string.h>
#include <strings.h>

static const struct {
    const char *alias;
    const char *cron; /* NULL: only by hand */
} aliases[] = {
    {"@once", NULL},          {"@manual", NULL},
    {"@none", NULL},          {"@hourly", "0 * * * *"},
    {"@daily", "0 0 * * *"},  {"@midnight", "0 0 * * *"},
    {"@weekly", "0 0 * * 0"}, {"@monthly", "0 0 1 * *"},
    {"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"},
};

const char *schedule_cron(const struct schedule *schedule)
{
    if (!schedule->interval || !*schedule->interval)
        return NULL;
    for (size_t i = 0; i < ARRAY_LEN(aliases); i++)
        if (!strcmp(schedule->interval, aliases[i].alias))
            return aliases[i].cron;
    return schedule->interval;
}

enum field { FIELD_MINUTE, FIELD_HOUR, FIELD_DAY, FIELD_MONTH, FIELD_WEEKDAY, FIELD_COUNT };

static const struct {
    int least, most;
    const char *names; /* three letters each, from least on; NULL: only numbers */
} fields[] = {
    [FIELD_MINUTE] = {0, 59, NULL},
    [FIELD_HOUR] = {0, 23, NULL},
    [FIELD_DAY] = {1, 31, NULL},
    [FIELD_MONTH] = {1, 12, "janfebmaraprmayjunjulaugsepoctnovdec"},
    [FIELD_WEEKDAY] = {0, 6, "sunmontuewedthufrisat"},
};
_Static_assert(ARRAY_LEN(fields) == FIELD_COUNT, "a cron field has no range");

static bool parse_number(const char *text, int *number)
{
    size_t length = strlen(text);

    /* Four digits are more than any field takes, and cannot overflow. */
    if (!length || length > 4 || text[strspn(text, "0123456789")])
        return false;
    *number = 0;
    for (; *text; text++)
        *number = *number * 10 + (*text - '0');
    return true;
}

static bool parse_cron_value(const char *text, enum field field, int *number)
{
    const char *names = fields[field].names;

    if (parse_number(text, number)) {
        if (field == FIELD_WEEKDAY && *number == 7)
            *number = 0;
        return *number >= fields[field].least && *number <= fields[field].most;
    }
    if (!strcasecmp(text, "l") && field == FIELD_DAY) {
        *number = 31;
        return true;
    }
    for (int i = 0; names && names[i * 3]; i++)
        if (strlen(text) == 3 && !strncasecmp(text, names + i * 3, 3)) {
            *number = fields[field].least + i;
            return true;
        }
    return false;
}

static bool part_is_valid(char *part, enum field field)
{
    char *step = strchr(part, '/'), *dash;
    int first, last, every;

    if (step) {
        *step++ = '\0';
        if (!parse_number(step, &every) || every == 0)
            return false;
        if (!strcmp(part, "*"))
            return true;
    }
    dash = strchr(part, '-');
    if (!dash)
        return parse_cron_value(part, field, &first);
    *dash++ = '\0';
    return parse_cron_value(part, field, &first) && parse_cron_value(dash, field, &last);
}

/* Every part of a list must be valid; Meltano is content with one. */
static bool field_is_valid(const char *text, enum field field)
{
    auto_strlist struct strlist parts = STRLIST_INIT;

    if (!strcmp(text, "*"))
        return true;
    if (!strcmp(text, "?"))
        return field == FIELD_DAY || field == FIELD_WEEKDAY;
    strlist_split(&parts, text, ',');
    for (size_t i = 0; i < parts.count; i++)
        if (!part_is_valid(parts.items[i], field))
            return false;
    return true;
}

bool interval_is_valid(const char *interval)
{
    auto_strlist struct strlist parts = STRLIST_INIT;
    size_t count = 0;

    for (size_t i = 0; i < ARRAY_LEN(aliases); i++)
        if (!strcmp(interval, aliases[i].alias) ||
            (aliases[i].cron && !strcasecmp(interval, aliases[i].alias)))
            return true;
    while (*(interval += strspn(interval, " \t\n\r\v\f"))) {
        size_t length = strcspn(interval, " \t\n\r\v\f");

        strlist_add_take(&parts, xstrndup(interval, length));
        interval += length;
    }
    if (parts.count != FIELD_COUNT)
        return false;
    for (; count < FIELD_COUNT; count++)
        if (!field_is_valid(parts.items[count], (enum field)count))
            return false;
    return true;
}
