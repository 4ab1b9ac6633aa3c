#include "base/suggest.h"

#include "base/memory.h"
#include "base/strbuf.h"

#include <check.h>

Suite *base_suggest_suite(void);

/* Values of Python's difflib.SequenceMatcher(None, a, b).ratio(). */
static const struct {
    const char *a, *b;
    double ratio;
} ratios[] = {
    {"run", "rn", 0.8},
    {"dragon", "rn", 0.5},
    {"--force", "--foo", 0.6667},
    {"schedule", "shedule", 0.9333},
    {"abcd", "bcde", 0.75},
    {"", "", 1.0},
    {"a", "b", 0.0},
};

START_TEST(likeness_is_that_of_difflib)
{
    ck_assert_double_eq_tol(suggest_ratio(ratios[_i].a, ratios[_i].b), ratios[_i].ratio, 0.0001);
}
END_TEST

START_TEST(the_three_closest_words_come_first)
{
    auto_strlist struct strlist words = STRLIST_INIT;
    auto_strlist struct strlist close = STRLIST_INIT;
    auto_free char *text = NULL;

    strlist_split(&words, "ape,apple,peach,puppy,applet", ',');
    suggest_words("appel", &words, 0.5, &close);
    text = strlist_join(&close, " ");
    ck_assert_str_eq(text, "apple ape applet");
}
END_TEST

START_TEST(a_very_long_word_is_like_nothing)
{
    auto_strlist struct strlist words = STRLIST_INIT;
    auto_strlist struct strlist close = STRLIST_INIT;
    auto_strbuf struct strbuf word = STRBUF_INIT;

    strbuf_add_repeat(&word, 'a', 1000000);
    strlist_add(&words, strbuf_text(&word));
    suggest_words(strbuf_text(&word), &words, 0.5, &close);
    ck_assert_uint_eq(close.count, 0);
}
END_TEST

Suite *base_suggest_suite(void)
{
    Suite *suite = suite_create("base/suggest");
    TCase *tcase = tcase_create("suggest");

    tcase_add_loop_test(tcase, likeness_is_that_of_difflib, 0, ARRAY_LEN(ratios));
    tcase_add_test(tcase, the_three_closest_words_come_first);
    tcase_add_test(tcase, a_very_long_word_is_like_nothing);
    suite_add_tcase(suite, tcase);
    return suite;
}
