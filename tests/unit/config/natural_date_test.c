#include "config/natural_date.h"

#include "base/attrs.h"

#include <check.h>

Suite *config_natural_date_suite(void);

/* 2026-03-31T14:05:06.789012Z, a last day of a month. */
#define NOW 1774965906789012LL

static const struct {
    const char *text;
    const char *iso; /* NULL: left alone */
} dates[] = {
    {"3 days ago", "2026-03-28T14:05:06.789012"},
    {"3 DAYS AGO", "2026-03-28T14:05:06.789012"},
    {"  3  days, ago.", "2026-03-28T14:05:06.789012"},
    {"three days ago", "2026-03-28T14:05:06.789012"},
    {"3 days", "2026-03-28T14:05:06.789012"},
    {"-30d", "2026-03-01T14:05:06.789012"},
    {"+1 day", "2026-04-01T14:05:06.789012"},
    {"in an hour", "2026-03-31T15:05:06.789012"},
    {"3 weeks from now", "2026-04-21T14:05:06.789012"},
    {"2 weeks later", "2026-04-14T14:05:06.789012"},
    {"1.5 hours ago", "2026-03-31T12:35:06.789012"},
    {"1 month ago", "2026-02-28T14:05:06.789012"},
    {"1 year ago", "2025-03-31T14:05:06.789012"},
    {"1 decade ago", "2016-03-31T14:05:06.789012"},
    {"1 month 3 days ago", "2026-02-25T14:05:06.789012"},
    {"1 year, 2 months and 1 week ago", "2025-01-24T14:05:06.789012"},
    {"now", "2026-03-31T14:05:06.789012"},
    {"today - 3 days", "2026-03-28T14:05:06.789012"},
    {"yesterday", "2026-03-30T14:05:06.789012"},
    {"the day before yesterday", "2026-03-29T14:05:06.789012"},
    {"day after tomorrow", "2026-04-02T14:05:06.789012"},
    {"last month", "2026-02-28T14:05:06.789012"},
    {"next week", "2026-04-07T14:05:06.789012"},
    {"yesterday at 10:00", "2026-03-30T10:00:00"},
    {"10:30:15 yesterday", "2026-03-30T10:30:15"},
    {"midnight", "2026-03-31T00:00:00"},
    {"2021-01-05 10:00", "2021-01-05T10:00:00"},
    {"2021/1/5", "2021-01-05T00:00:00"},
    {"2021-01-05T10:00Z", "2021-01-05T10:00:00+00:00"},
    {"2021-01-05 10:00:00.5 +0200", "2021-01-05T10:00:00.500000+02:00"},
    {"", NULL},
    {"garbage", NULL},
    {"5", NULL},
    {"a few days ago", NULL},
    {"1.5 months ago", NULL},
    {"1000000000 days ago", NULL},
    {"3 days ago in the morning", NULL},
    {"yesterday at 25:00", NULL},
    {"2021-02-30", NULL},
    {"2021-01-05 10:00 nowhere", NULL},
    {"antidisestablishmentarianism ago", NULL},
};

START_TEST(a_date_in_words_becomes_an_iso_date_or_is_left_alone)
{
    auto_strbuf struct strbuf out = STRBUF_INIT;
    bool is_read = strbuf_add_natural_date(&out, dates[_i].text, NOW);

    ck_assert_str_eq(strbuf_text(&out), dates[_i].iso ? dates[_i].iso : "");
    ck_assert_int_eq(is_read, dates[_i].iso != NULL);
}
END_TEST

static const struct {
    const char *text;
    bool is_iso;
} iso_dates[] = {
    {"2021-01-05", true},
    {"2021-01-05Z", true},
    {"2021-01-05T10:00:00", true},
    {"2021-01-05 10:00:00.123Z", true},
    {"2021-01-05T10:00:00+05:30", true},
    {"2021-02-31", true},
    {"2021-01-05T10:00", false},
    {"2021-1-5", false},
    {"2021-13-01", false},
    {"2021-01-05T24:00:00", false},
    {"2021-01-05T10:00:00+05:45", false},
    {"2021-01-05T10:00:00+13:00", false},
    {"2021-01-05 and more", false},
};

START_TEST(a_date_in_iso_form_is_recognised)
{
    ck_assert_int_eq(date_is_iso8601(iso_dates[_i].text), iso_dates[_i].is_iso);
}
END_TEST

Suite *config_natural_date_suite(void)
{
    Suite *suite = suite_create("config/natural_date");
    TCase *tcase = tcase_create("natural_date");

    tcase_add_loop_test(tcase, a_date_in_words_becomes_an_iso_date_or_is_left_alone, 0,
                        ARRAY_LEN(dates));
    tcase_add_loop_test(tcase, a_date_in_iso_form_is_recognised, 0, ARRAY_LEN(iso_dates));
    suite_add_tcase(suite, tcase);
    return suite;
}
