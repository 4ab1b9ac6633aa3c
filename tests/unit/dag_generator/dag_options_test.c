#include "dag_generator/dag_options.h"

#include "base/file.h"
#include "base/memory.h"

#include <check.h>
#include <string.h>

Suite *dag_generator_dag_options_suite(void);

static const char *const type_names[] = {
    [DAG_TYPE_BOOL] = "true or false",
    [DAG_TYPE_INT] = "integer",
    [DAG_TYPE_DURATION] = "duration",
    [DAG_TYPE_TEXT] = "text",
    [DAG_TYPE_WORD] = "",
    [DAG_TYPE_TEXTS] = "text or list",
    [DAG_TYPE_NAMES] = "name or list",
    [DAG_TYPE_ASSETS] = "URI or list",
    [DAG_TYPE_DATE] = "date",
    [DAG_TYPE_ZONE] = "time zone",
    [DAG_TYPE_ENV] = "map",
    [DAG_TYPE_TASKS] = "map",
    [DAG_TYPE_IMAGE] = "text",
    [DAG_TYPE_OBJECT] = "name",
    [DAG_TYPE_OBJECTS] = "name or list",
    [DAG_TYPE_RESOURCES] = "map",
};

static const char *const place_names[] = {"project", "job", "schedule", "task"};

static void add_type(struct strbuf *out, const struct dag_option_def *def)
{
    if (!def->words) {
        strbuf_add(out, type_names[def->type]);
        return;
    }
    for (const char *at = def->words; *at; at++)
        strbuf_add(out, *at == ' ' ? "`, `" : (char[]){*at, '\0'});
}

/* A row of the table in docs/airflow.md. */
static char *reference_row(const struct dag_option_def *def)
{
    struct strbuf row = STRBUF_INIT;
    const char *comma = "";

    strbuf_addf(&row, "| `%s` | %s", def->key, def->words ? "`" : "");
    add_type(&row, def);
    strbuf_addf(&row, "%s | ", def->words ? "`" : "");
    for (size_t i = 0; i < ARRAY_LEN(place_names); i++)
        if (def->places >> i & 1) {
            strbuf_addf(&row, "%s%s", comma, place_names[i]);
            comma = ", ";
        }
    strbuf_addf(&row, " | %s |\n", def->help);
    return strbuf_take(&row);
}

START_TEST(the_reference_page_describes_every_key)
{
    auto_free char *row = reference_row(&dag_options[_i]);
    auto_strbuf struct strbuf page = STRBUF_INIT;
    struct error err = {0};

    ck_assert_msg(!file_read("docs/airflow.md", &page, &err), "%s", err.message);
    ck_assert_msg(strstr(strbuf_text(&page), row) != NULL, "docs/airflow.md lacks the row\n%s",
                  row);
}
END_TEST

START_TEST(the_reference_page_describes_no_other_key)
{
    auto_strbuf struct strbuf page = STRBUF_INIT;
    struct error err = {0};
    size_t rows = 0;

    ck_assert_msg(!file_read("docs/airflow.md", &page, &err), "%s", err.message);
    for (const char *at = strstr(strbuf_text(&page), "\n| key | value |"); at && at[1] == '|';
         at = strchr(at + 1, '\n'))
        rows++;
    ck_assert_uint_eq(rows, 2 + DAG_OPTION_COUNT);
}
END_TEST

static const struct {
    const char *text;
    long long seconds;
} durations[] = {
    {"90s", 90},   {"5m", 300}, {"1h30m", 5400}, {"2d", 172800}, {"0s", 0},   {"5", -1},
    {"", -1},      {"m", -1},   {"5x", -1},      {"1h 30m", -1}, {"-5m", -1}, {"9999999999s", -1},
    {"4000d", -1},
};

START_TEST(a_duration_is_a_row_of_numbers_with_units)
{
    auto_value struct value *value = value_new_string(durations[_i].text);

    ck_assert_int_eq(dag_duration_seconds(value), durations[_i].seconds);
}
END_TEST

START_TEST(a_number_is_a_duration_in_seconds)
{
    auto_value struct value *value = value_new_int(600);

    ck_assert_int_eq(dag_duration_seconds(value), 600);
}
END_TEST

static const struct {
    const char *text;
    bool is_date;
    struct dag_date date;
} dates[] = {
    {"2024-01-31", true, {2024, 1, 31, 0, 0, 0}},
    {"2024-02-29T06:07", true, {2024, 2, 29, 6, 7, 0}},
    {"2021-10-01 02:03:04.5678", true, {2021, 10, 1, 2, 3, 4}},
    {"2000-02-29", true, {2000, 2, 29, 0, 0, 0}},
    {.text = "2100-02-29"},
    {.text = "2023-02-29"},
    {.text = "2023-04-31"},
    {.text = "2023-13-01"},
    {.text = "1969-12-31"},
    {.text = "2024-1-1"},
    {.text = "2024-01-01T24:00:00"},
    {.text = "2024-01-01T00:60:00"},
    {.text = "2024-01-01T00:00:00Z"},
    {.text = "2024-01-01T00:00:00+02:00"},
    {.text = "2024-01-01 tomorrow"},
    {.text = "today"},
    {.text = ""},
    {.text = "-024-01-01"},
    {.text = "2024-+1-01"},
    {.text = "2024-01-01T06"},
    {.text = "2024-01-01T"},
    {.text = "2024-01-01."},
};

START_TEST(a_date_has_four_two_and_two_digits)
{
    struct dag_date date = {0};

    ck_assert_int_eq(dag_date_parse(dates[_i].text, &date), dates[_i].is_date);
    ck_assert(!memcmp(&date, &dates[_i].date, sizeof date));
}
END_TEST

Suite *dag_generator_dag_options_suite(void)
{
    Suite *suite = suite_create("dag_generator/dag_options");
    TCase *tcase = tcase_create("dag_options");

    tcase_add_loop_test(tcase, the_reference_page_describes_every_key, 0, DAG_OPTION_COUNT);
    tcase_add_test(tcase, the_reference_page_describes_no_other_key);
    tcase_add_loop_test(tcase, a_duration_is_a_row_of_numbers_with_units, 0, ARRAY_LEN(durations));
    tcase_add_test(tcase, a_number_is_a_duration_in_seconds);
    tcase_add_loop_test(tcase, a_date_has_four_two_and_two_digits, 0, ARRAY_LEN(dates));
    suite_add_tcase(suite, tcase);
    return suite;
}
