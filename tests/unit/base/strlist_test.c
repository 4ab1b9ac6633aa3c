#include "base/strlist.h"

#include "base/memory.h"

#include <check.h>
#include <string.h>

Suite *base_strlist_suite(void);

static void expect(const struct strlist *list, const char *joined)
{
    auto_free char *text = strlist_join(list, "|");

    ck_assert_str_eq(text, joined);
    if (list->items)
        ck_assert_ptr_null(list->items[list->count]);
}

START_TEST(a_list_keeps_copies_in_order)
{
    auto_strlist struct strlist list = STRLIST_INIT;
    auto_strlist struct strlist other = STRLIST_INIT;
    char word[] = "a";

    expect(&list, "");
    strlist_add(&list, word);
    word[0] = 'x';
    strlist_add_take(&list, xstrdup("b"));
    strlist_addf(&list, "c%d", 1);
    expect(&list, "a|b|c1");
    strlist_add_all(&other, &list);
    strlist_add_all(&other, &list);
    expect(&other, "a|b|c1|a|b|c1");
    strlist_clear(&list);
    expect(&list, "");
}
END_TEST

START_TEST(items_are_inserted_and_removed_anywhere)
{
    auto_strlist struct strlist list = STRLIST_INIT;

    for (int i = 0; i < 20; i++)
        strlist_insert(&list, 0, i % 2 ? "odd" : "even");
    ck_assert_uint_eq(list.count, 20);
    while (list.count > 2)
        strlist_remove(&list, 1);
    expect(&list, "odd|even");
    strlist_insert(&list, 2, "end");
    strlist_insert(&list, 1, "middle");
    expect(&list, "odd|middle|even|end");
    strlist_remove(&list, 3);
    strlist_remove(&list, 0);
    expect(&list, "middle|even");
}
END_TEST

START_TEST(a_unique_item_is_added_once)
{
    auto_strlist struct strlist list = STRLIST_INIT;

    ck_assert(strlist_add_unique(&list, "a"));
    ck_assert(!strlist_add_unique(&list, "a"));
    ck_assert(strlist_add_unique(&list, "A"));
    ck_assert(strlist_contains(&list, "A") && !strlist_contains(&list, "b"));
    expect(&list, "a|A");
}
END_TEST

START_TEST(sorting_is_bytewise)
{
    auto_strlist struct strlist list = STRLIST_INIT;

    strlist_sort(&list);
    strlist_split(&list, "b,a,B,\xc3\xa9,10,9,", ',');
    strlist_sort(&list);
    expect(&list, "|10|9|B|a|b|\xc3\xa9");
}
END_TEST

static const struct {
    const char *text;
    const char *parts;
} splits[] = {
    {"", ""}, {"a", "a"}, {"a,b", "a|b"}, {"a,,b", "a||b"}, {",", "|"}, {",a,", "|a|"},
};

START_TEST(a_text_is_split_at_every_separator)
{
    auto_strlist struct strlist list = STRLIST_INIT;

    strlist_split(&list, splits[_i].text, ',');
    expect(&list, splits[_i].parts);
}
END_TEST

/* As Python's shlex.split() does it; NULL: it is refused. */
static const struct {
    const char *text;
    const char *words;
} shell_splits[] = {
    {"", ""},
    {"  \t\n ", ""},
    {"a b  c", "a|b|c"},
    {" a\tb\nc ", "a|b|c"},
    {"'a b' c", "a b|c"},
    {"\"a b\" c", "a b|c"},
    {"a'b c'd", "ab cd"},
    {"a\\ b", "a b"},
    {"'a\\b'", "a\\b"},
    {"\"a\\\"b\\\\c\\d\"", "a\"b\\c\\d"},
    {"''", ""},
    {"a '' b", "a||b"},
    {"--x=\"y z\"", "--x=y z"},
    {"a#b", "a#b"},
    {"$X '$Y'", "$X|$Y"},
    {"'a", NULL},
    {"\"a", NULL},
    {"a\\", NULL},
};

START_TEST(a_command_line_is_split_as_a_shell_would)
{
    auto_strlist struct strlist list = STRLIST_INIT;

    strlist_add(&list, "first");
    if (!shell_splits[_i].words) {
        ck_assert_int_eq(strlist_split_shell(&list, shell_splits[_i].text), -1);
        expect(&list, "first");
        return;
    }
    ck_assert_int_eq(strlist_split_shell(&list, shell_splits[_i].text), 0);
    strlist_remove(&list, 0);
    expect(&list, shell_splits[_i].words);
}
END_TEST

Suite *base_strlist_suite(void)
{
    Suite *suite = suite_create("base/strlist");
    TCase *tcase = tcase_create("strlist");

    tcase_add_test(tcase, a_list_keeps_copies_in_order);
    tcase_add_test(tcase, items_are_inserted_and_removed_anywhere);
    tcase_add_test(tcase, a_unique_item_is_added_once);
    tcase_add_test(tcase, sorting_is_bytewise);
    tcase_add_loop_test(tcase, a_text_is_split_at_every_separator, 0, ARRAY_LEN(splits));
    tcase_add_loop_test(tcase, a_command_line_is_split_as_a_shell_would, 0,
                        ARRAY_LEN(shell_splits));
    suite_add_tcase(suite, tcase);
    return suite;
}
