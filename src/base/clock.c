#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static int64_t fixed_now_us = -1;

int64_t clock_now_us(void)
{
    struct timespec now;

    if (fixed_now_us >= 0)
        return fixed_now_us;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_monotonic_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_monotonic_ms(void)
{
    return clock_monotonic_us() / 1000;
}

void clock_set_for_tests(int64_t now_us)
{
    fixed_now_us = now_us;
}

static void add_seconds(struct strbuf *out, int64_t time_us, char separator)
{
    time_t seconds = (time_t)(time_us / 1000000);
    struct tm parts;
    char text[40];

    gmtime_r(&seconds, &parts);
    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts);
    text[10] = separator;
    strbuf_add(out, text);
}

void strbuf_add_iso_time(struct strbuf *out, int64_t time_us)
{
    add_seconds(out, time_us, 'T');
    strbuf_addf(out, ".%06dZ", (int)(time_us % 1000000));
}

void strbuf_add_sql_time(struct strbuf *out, int64_t time_us)
{
    add_seconds(out, time_us, ' ');
    strbuf_addf(out, ".%06d", (int)(time_us % 1000000));
}

void strbuf_add_py_time(struct strbuf *out, int64_t time_us, char separator)
{
    add_seconds(out, time_us, separator);
    if (time_us % 1000000)
        strbuf_addf(out, ".%06d", (int)(time_us % 1000000));
    strbuf_add(out, "+00:00");
}

/* Up to six digits of a fraction as microseconds; moves *text past all of its digits. */
static int64_t parse_fraction(const char **text)
{
    int64_t fraction = 0, unit = 100000;

    for (; **text >= '0' && **text <= '9'; ++*text, unit /= 10)
        fraction += (**text - '0') * unit;
    return fraction;
}

int clock_parse(const char *text, int64_t *time_us)
{
    struct tm parts = {0};
    int used = 0;
    int64_t fraction = 0, zone_seconds = 0;
    unsigned zone_hours, zone_minutes;
    char sign;

    if (sscanf(text, "%4d-%2d-%2d%*1[ T]%2d:%2d:%2d%n", &parts.tm_year, &parts.tm_mon,
               &parts.tm_mday, &parts.tm_hour, &parts.tm_min, &parts.tm_sec, &used) < 6 ||
        !used)
        return -1;
    text += used;
    if (*text == '.') {
        text++;
        fraction = parse_fraction(&text);
    }
    if (sscanf(text, "%c%2u:%2u%n", &sign, &zone_hours, &zone_minutes, &used) == 3 &&
        (sign == '+' || sign == '-') && !text[used])
        zone_seconds = (sign == '+' ? 1 : -1) * (int64_t)(zone_hours * 3600 + zone_minutes * 60);
    else if (*text && strcmp(text, "Z") != 0)
        return -1;
    parts.tm_year -= 1900;
    parts.tm_mon -= 1;
    *time_us = ((int64_t)timegm(&parts) - zone_seconds) * 1000000 + fraction;
    return 0;
}
