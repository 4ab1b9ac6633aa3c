#include "config/natural_date.h"

#include "base/attrs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define US_PER_SECOND 1000000LL

enum unit { UNIT_SECOND, UNIT_MINUTE, UNIT_HOUR, UNIT_DAY, UNIT_WEEK, UNIT_MONTH, UNIT_YEAR };

static const struct {
    const char *word;
    enum unit unit;
    int times;
} unit_words[] = {
    {"s", UNIT_SECOND, 1},       {"sec", UNIT_SECOND, 1},     {"secs", UNIT_SECOND, 1},
    {"second", UNIT_SECOND, 1},  {"seconds", UNIT_SECOND, 1}, {"m", UNIT_MINUTE, 1},
    {"min", UNIT_MINUTE, 1},     {"mins", UNIT_MINUTE, 1},    {"minute", UNIT_MINUTE, 1},
    {"minutes", UNIT_MINUTE, 1}, {"h", UNIT_HOUR, 1},         {"hr", UNIT_HOUR, 1},
    {"hrs", UNIT_HOUR, 1},       {"hour", UNIT_HOUR, 1},      {"hours", UNIT_HOUR, 1},
    {"d", UNIT_DAY, 1},          {"day", UNIT_DAY, 1},        {"days", UNIT_DAY, 1},
    {"w", UNIT_WEEK, 1},         {"wk", UNIT_WEEK, 1},        {"week", UNIT_WEEK, 1},
    {"weeks", UNIT_WEEK, 1},     {"fortnight", UNIT_WEEK, 2}, {"fortnights", UNIT_WEEK, 2},
    {"mo", UNIT_MONTH, 1},       {"month", UNIT_MONTH, 1},    {"months", UNIT_MONTH, 1},
    {"y", UNIT_YEAR, 1},         {"yr", UNIT_YEAR, 1},        {"year", UNIT_YEAR, 1},
    {"years", UNIT_YEAR, 1},     {"decade", UNIT_YEAR, 10},   {"decades", UNIT_YEAR, 10},
};

static const char *const number_words[] = {
    "zero",     "one",     "two",     "three",     "four",     "five",     "six",
    "seven",    "eight",   "nine",    "ten",       "eleven",   "twelve",   "thirteen",
    "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty",
};

/* A relative date: months (years among them) and microseconds from now, or a time of that day. */
struct offset {
    long months;
    int64_t microseconds;
    bool has_time;
    int hour, minute, second;
};

struct scanner {
    const char *at;
    char word[16]; /* the current token in lower case, empty at the end */
    bool is_number;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Words and signs that carry no meaning between the others. */
static bool is_filler(const char *word)
{
    static const char *const fillers[] = {"and", "at", "the", "about", "just", "of", "on"};

    for (size_t i = 0; i < ARRAY_LEN(fillers); i++)
        if (!strcmp(word, fillers[i]))
            return true;
    return false;
}

/* Takes the next token: a word, a number, a clock time, or one other character. */
static void next_token(struct scanner *scanner)
{
    do {
        size_t length = 0;
        const char *start;

        scanner->at += strspn(scanner->at, " \t,;'()");
        start = scanner->at;
        scanner->is_number = is_digit(*start);
        if (scanner->is_number) {
            while (is_digit(start[length]) ||
                   (start[length] && strchr(".:", start[length]) && is_digit(start[length + 1])))
                length++;
        } else if (is_letter(*start)) {
            while (is_letter(start[length]))
                length++;
        } else {
            length = *start != '\0';
        }
        scanner->at += length;
        /* What is too long to be known must not be cut into something that is. */
        if (length >= sizeof scanner->word) {
            start = "?";
            length = 1;
        }
        memcpy(scanner->word, start, length);
        scanner->word[length] = '\0';
        for (char *c = scanner->word; *c; c++)
            if (*c >= 'A' && *c <= 'Z')
                *c = (char)(*c - 'A' + 'a');
    } while (is_filler(scanner->word));
}

static bool accept(struct scanner *scanner, const char *word)
{
    if (strcmp(scanner->word, word) != 0)
        return false;
    next_token(scanner);
    return true;
}

static bool read_unit(struct scanner *scanner, enum unit *unit, int *times)
{
    for (size_t i = 0; i < ARRAY_LEN(unit_words); i++) {
        if (!accept(scanner, unit_words[i].word))
            continue;
        *unit = unit_words[i].unit;
        *times = unit_words[i].times;
        return true;
    }
    return false;
}

static bool read_number(struct scanner *scanner, double *number)
{
    if (scanner->is_number && !strchr(scanner->word, ':')) {
        *number = strtod(scanner->word, NULL);
        next_token(scanner);
        return true;
    }
    for (size_t i = 0; i < ARRAY_LEN(number_words); i++) {
        if (accept(scanner, number_words[i])) {
            *number = (double)i;
            return true;
        }
    }
    *number = 1;
    return accept(scanner, "a") || accept(scanner, "an");
}

static bool add_quantity(struct offset *offset, double number, enum unit unit, int direction)
{
    static const double seconds[] = {
        [UNIT_SECOND] = 1,  [UNIT_MINUTE] = 60,      [UNIT_HOUR] = 3600,
        [UNIT_DAY] = 86400, [UNIT_WEEK] = 7 * 86400,
    };
    double limit = 1e4 * 366 * 86400;

    if (unit == UNIT_MONTH || unit == UNIT_YEAR) {
        if (number > 120000 || number != (double)(long)number)
            return false;
        offset->months += direction * (long)number * (unit == UNIT_YEAR ? 12 : 1);
        return true;
    }
    if (number * seconds[unit] > limit)
        return false;
    offset->microseconds += direction * (int64_t)(number * seconds[unit] * US_PER_SECOND);
    return true;
}

/* "3 days", "1 week, 2 days", "an hour"; direction applies to all of them. */
static bool read_quantities(struct scanner *scanner, struct offset *offset, int direction)
{
    double number;
    bool found = false;

    while (read_number(scanner, &number)) {
        enum unit unit;
        int times;

        if (!read_unit(scanner, &unit, &times) ||
            !add_quantity(offset, number * times, unit, direction))
            return false;
        found = true;
    }
    return found;
}

/* "10:30" or "10:30:15". */
static bool read_clock(struct scanner *scanner, struct offset *offset)
{
    int used = 0;

    if (accept(scanner, "noon")) {
        offset->hour = 12;
    } else if (!accept(scanner, "midnight")) {
        if (!scanner->is_number || !strchr(scanner->word, ':'))
            return false;
        if (sscanf(scanner->word, "%2d:%2d%n", &offset->hour, &offset->minute, &used) != 2)
            return false;
        if (scanner->word[used] &&
            (sscanf(scanner->word + used, ":%2d%n", &offset->second, &used) != 1))
            return false;
        if (offset->hour > 23 || offset->minute > 59 || offset->second > 59)
            return false;
        next_token(scanner);
    }
    offset->has_time = true;
    return true;
}

/* "last week", "this month", "next year". */
static bool read_neighbour(struct scanner *scanner, struct offset *offset)
{
    enum unit unit;
    int direction, times;

    if (accept(scanner, "last"))
        direction = -1;
    else if (accept(scanner, "next"))
        direction = 1;
    else if (accept(scanner, "this"))
        direction = 0;
    else
        return false;
    return read_unit(scanner, &unit, &times) && unit >= UNIT_WEEK && times == 1 &&
           add_quantity(offset, 1, unit, direction);
}

static bool read_day_word(struct scanner *scanner, struct offset *offset)
{
    int days;

    if (accept(scanner, "now") || accept(scanner, "today"))
        days = 0;
    else if (accept(scanner, "yesterday"))
        days = -1;
    else if (accept(scanner, "tomorrow"))
        days = 1;
    else if (!accept(scanner, "day"))
        return read_neighbour(scanner, offset);
    else if (accept(scanner, "before") && accept(scanner, "yesterday"))
        days = -2;
    else if (accept(scanner, "after") && accept(scanner, "tomorrow"))
        days = 2;
    else
        return false;
    return add_quantity(offset, abs(days), UNIT_DAY, days < 0 ? -1 : 1);
}

/* "now - 1 day": what follows a day word. */
static bool read_signed_quantities(struct scanner *scanner, struct offset *offset)
{
    if (accept(scanner, "-"))
        return read_quantities(scanner, offset, -1);
    if (accept(scanner, "+"))
        return read_quantities(scanner, offset, 1);
    return true;
}

/* "3 days ago", "in 2 weeks", "1 month from now", "-30d"; without a direction it is the past. */
static bool read_distance(struct scanner *scanner, struct offset *offset)
{
    int direction = -1;
    struct offset distance = {0};

    if (accept(scanner, "in") || accept(scanner, "+"))
        direction = 1;
    else
        accept(scanner, "-");
    if (!read_quantities(scanner, &distance, 1))
        return false;
    if (accept(scanner, "from")) {
        if (!accept(scanner, "now"))
            return false;
        direction = 1;
    } else if (accept(scanner, "later") || accept(scanner, "after")) {
        direction = 1;
    } else if (!accept(scanner, "ago")) {
        accept(scanner, "before");
    }
    offset->months += direction * distance.months;
    offset->microseconds += direction * distance.microseconds;
    return true;
}

static bool read_offset(const char *text, struct offset *offset)
{
    struct scanner scanner = {.at = text}, start;

    next_token(&scanner);
    if (read_clock(&scanner, offset) && !scanner.word[0])
        return true;
    start = scanner;
    if (!read_day_word(&scanner, offset)) {
        scanner = start;
        if (!read_distance(&scanner, offset))
            return false;
    } else if (!read_signed_quantities(&scanner, offset)) {
        return false;
    }
    if (!offset->has_time)
        read_clock(&scanner, offset);
    accept(&scanner, ".");
    return !scanner.word[0];
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month - 1] + (month == 2 && is_leap);
}

/* Months first, to the last day of a month that is too short, then the rest. */
static bool apply_offset(const struct offset *offset, int64_t now_us, struct tm *tm, int *fraction)
{
    time_t seconds = (time_t)(now_us / US_PER_SECOND);
    long month;
    int64_t moved;

    gmtime_r(&seconds, tm);
    month = tm->tm_year * 12L + tm->tm_mon + offset->months;
    if (month < -1899L * 12 || month >= 8100L * 12)
        return false;
    tm->tm_year = (int)((month + 1900 * 12) / 12 - 1900);
    tm->tm_mon = (int)((month + 1900 * 12) % 12);
    if (tm->tm_mday > days_in_month(tm->tm_year + 1900, tm->tm_mon + 1))
        tm->tm_mday = days_in_month(tm->tm_year + 1900, tm->tm_mon + 1);

    moved = timegm(tm) * US_PER_SECOND + now_us % US_PER_SECOND + offset->microseconds;
    *fraction = (int)((moved % US_PER_SECOND + US_PER_SECOND) % US_PER_SECOND);
    seconds = (time_t)((moved - *fraction) / US_PER_SECOND);
    gmtime_r(&seconds, tm);
    if (offset->has_time) {
        tm->tm_hour = offset->hour;
        tm->tm_min = offset->minute;
        tm->tm_sec = offset->second;
        *fraction = 0;
    }
    return tm->tm_year >= -1899 && tm->tm_year < 8100;
}

static void add_iso(struct strbuf *out, const struct tm *tm, int fraction)
{
    strbuf_addf(out, "%04d-%02d-%02dT%02d:%02d:%02d", tm->tm_year + 1900, tm->tm_mon + 1,
                tm->tm_mday, tm->tm_hour, tm->tm_min, tm->tm_sec);
    if (fraction)
        strbuf_addf(out, ".%06d", fraction);
}

/* Reads least to most digits; NULL when there are fewer. */
static const char *read_digits(const char *text, int least, int most, int *number)
{
    int count = 0;

    *number = 0;
    for (; count < most && is_digit(*text); text++, count++)
        *number = *number * 10 + (*text - '0');
    return count < least ? NULL : text;
}

static const char *read_fraction(const char *text, int *fraction)
{
    int unit = 100000;

    *fraction = 0;
    if (*text != '.' || !is_digit(text[1]))
        return text;
    for (text++; is_digit(*text); text++, unit /= 10)
        *fraction += (*text - '0') * unit;
    return text;
}

/* "Z", "+02:00" or "+0200", as "+02:00"; NULL when something else is there. */
static const char *read_zone(const char *text, char zone[7])
{
    int hours, minutes;
    char sign;

    zone[0] = '\0';
    text += strspn(text, " ");
    if (!*text)
        return text;
    sign = *text++;
    if (sign == 'Z') {
        memcpy(zone, "+00:00", 7);
        return text;
    }
    if (sign != '+' && sign != '-')
        return NULL;
    text = read_digits(text, 2, 2, &hours);
    if (text && *text == ':')
        text++;
    text = text ? read_digits(text, 2, 2, &minutes) : NULL;
    if (!text || hours > 14 || minutes > 59)
        return NULL;
    snprintf(zone, 7, "%c%02u:%02u", sign, (unsigned)hours % 100u, (unsigned)minutes % 100u);
    return text;
}

/* A date that begins with the year, with '-' or '/' between, and maybe a time. */
static bool add_plain_date(struct strbuf *out, const char *text)
{
    struct tm tm = {0};
    int fraction = 0;
    char separator, zone[7] = "";
    const char *at = read_digits(text, 4, 4, &tm.tm_year);

    if (!at || (*at != '-' && *at != '/'))
        return false;
    separator = *at;
    at = read_digits(at + 1, 1, 2, &tm.tm_mon);
    at = at && *at == separator ? read_digits(at + 1, 1, 2, &tm.tm_mday) : NULL;
    if (!at || tm.tm_year < 1 || tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_mday < 1 ||
        tm.tm_mday > days_in_month(tm.tm_year, tm.tm_mon))
        return false;
    if (*at == 'T' || *at == ' ') {
        at += *at == 'T' ? 1 : strspn(at, " ");
        at = read_digits(at, 1, 2, &tm.tm_hour);
        at = at && *at == ':' ? read_digits(at + 1, 2, 2, &tm.tm_min) : NULL;
        if (at && *at == ':')
            at = read_digits(at + 1, 2, 2, &tm.tm_sec);
        if (!at || tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 59)
            return false;
        at = read_zone(read_fraction(at, &fraction), zone);
    }
    if (!at || *at)
        return false;
    tm.tm_year -= 1900;
    tm.tm_mon--;
    add_iso(out, &tm, fraction);
    strbuf_add(out, zone);
    return true;
}

bool strbuf_add_natural_date(struct strbuf *out, const char *text, int64_t now_us)
{
    struct offset offset = {0};
    struct tm tm;
    int fraction;

    text += strspn(text, " \t\n");
    if (add_plain_date(out, text))
        return true;
    if (!read_offset(text, &offset) || !apply_offset(&offset, now_us, &tm, &fraction))
        return false;
    add_iso(out, &tm, fraction);
    return true;
}

/* Passes over what pattern asks for: 'd' is a digit, all else itself. NULL when text differs. */
static const char *skip_pattern(const char *text, const char *pattern)
{
    for (; *pattern; pattern++, text++)
        if (*pattern == 'd' ? !is_digit(*text) : *text != *pattern)
            return NULL;
    return text;
}

static int two_digits(const char *text)
{
    return (text[0] - '0') * 10 + text[1] - '0';
}

static const char *skip_iso_zone(const char *text)
{
    if (*text == 'Z')
        return text + 1;
    if ((*text != '+' && *text != '-') || !skip_pattern(text + 1, "dd:d0"))
        return text;
    if (two_digits(text + 1) > 12 || (text[4] != '0' && text[4] != '3'))
        return text;
    return text + 6;
}

bool date_is_iso8601(const char *text)
{
    const char *at = skip_pattern(text, "dddd-dd-dd"), *time;

    if (!at || two_digits(text + 5) < 1 || two_digits(text + 5) > 12 || two_digits(text + 8) < 1 ||
        two_digits(text + 8) > 31)
        return false;
    time = *at == ' ' || *at == 'T' ? skip_pattern(at + 1, "dd:dd:dd") : NULL;
    if (time) {
        if (two_digits(at + 1) > 23 || two_digits(at + 4) > 59 || two_digits(at + 7) > 59)
            return false;
        at = time;
        if (*at == '.' && is_digit(at[1]))
            at += 1 + strspn(at + 1, "0123456789");
    }
    at = skip_iso_zone(at);
    return !*at || !strcmp(at, "\n");
}
