#include "plugin/glob.h"

#include "base/attrs.h"

#include <check.h>

Suite *plugin_glob_suite(void);

static const struct {
    const char *pattern, *text;
    bool matches;
} cases[] = {
    {"users", "users", true},
    {"users", "Users", false},
    {"", "", true},
    {"", "a", false},
    {"*", "", true},
    {"*", "a.b\nc", true},
    {"**", "abc", true},
    {"a*c", "abbc", true},
    {"a*c", "abb", false},
    {"*a*b", "xaybazb", true},
    {"*a*b", "xaybazbc", false},
    {"properties.*", "properties.a.properties.b", true},
    {"?", "\xc3\xa9", true},
    {"??", "\xc3\xa9", false},
    {"[\xc3\xa0-\xc3\xbf]", "\xc3\xa9", true},
    {"[a-c]x", "bx", true},
    {"[a-c]x", "dx", false},
    {"[!a-c]x", "dx", true},
    {"[!a-c]x", "ax", false},
    {"[^a]", "^", true},
    {"[^a]", "b", false},
    {"[]a]", "]", true},
    {"[!]a]", "]", false},
    {"[!]a]", "b", true},
    {"[a-]", "-", true},
    {"[-a]", "-", true},
    {"[a-b-c]", "-", true},
    {"[a-b-c]", "c", true},
    {"[z-a]", "m", false},
    {"[!z-a]", "m", true},
    {"[a", "[a", true},
    {"[]", "[]", true},
    {"[!]", "[!]", true},
    {"[\\]", "\\", true},
    {"\\*", "\\anything", true},
    {"a\xff?", "a\xff\xfe", true},
};

START_TEST(a_pattern_matches_as_in_python)
{
    ck_assert_msg(glob_match(cases[_i].pattern, cases[_i].text) == cases[_i].matches,
                  "'%s' and '%s'", cases[_i].pattern, cases[_i].text);
}
END_TEST

Suite *plugin_glob_suite(void)
{
    Suite *suite = suite_create("plugin/glob");
    TCase *tcase = tcase_create("glob");

    tcase_add_loop_test(tcase, a_pattern_matches_as_in_python, 0, ARRAY_LEN(cases));
    suite_add_tcase(suite, tcase);
    return suite;
}
