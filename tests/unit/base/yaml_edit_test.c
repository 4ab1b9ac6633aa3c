#include "base/yaml_edit.h"

#include "base/json.h"
#include "base/memory.h"
#include "base/yaml.h"

#include <check.h>
#include <string.h>

Suite *base_yaml_edit_suite(void);

/* A text, what it shall say (as YAML), and the text that comes out. */
static const struct {
    const char *before;
    const char *want;
    const char *after;
} edits[] = {
    /* Scalars keep their comment and their quotes. */
    {"a: 1  # one\nb: 2\n", "{a: 5, b: 2}", "a: 5  # one\nb: 2\n"},
    {"a: 'x'\n", "{a: y}", "a: 'y'\n"},
    {"a: \"x\"\n", "{a: it's}", "a: \"it's\"\n"},
    {"a: 'x'\n", "{a: 5}", "a: 5\n"},
    {"a: x\n", "{a: '5'}", "a: '5'\n"},
    {"a: x\n", "{a: 'yes'}", "a: 'yes'\n"},
    {"a: x\n", "{a: 'b: c'}", "a: 'b: c'\n"},
    {"a: x\n", "{a: \"l1\\nl2\"}", "a: \"l1\\nl2\"\n"},
    {"a: x\n", "{a: ''}", "a: ''\n"},
    {"a: x\n", "{a: null}", "a: null\n"},
    {"a: x\n", "{a: 2023-02-05}", "a: 2023-02-05\n"},
    {"a: x\n", "{a: 2023-02-05T10:00:00}", "a: 2023-02-05T10:00:00\n"},
    {"a: x\n", "{a: 2023-02-05 10:00:00.25 Z}", "a: 2023-02-05 10:00:00.250000Z\n"},
    {"a: x\n", "{a: '2023-02-05'}", "a: '2023-02-05'\n"},
    {"a: x\n", "{a: 1e-05}", "a: 1e-05\n"},
    {"a: x\n", "{a: -.inf}", "a: -.inf\n"},
    {"a: x\n", "{a: --flag}", "a: --flag\n"},
    {"a: x\n", "{a: '1:30'}", "a: '1:30'\n"},
    {"a: x\n", "{a: $HOME/x.csv}", "a: $HOME/x.csv\n"},
    {"a: x\n", "{a: '*.*'}", "a: '*.*'\n"},
    {"a: 1\nb:\n", "{a: 1, b: 2}", "a: 1\nb: 2\n"},
    {"a:\nb: 1\n", "{a: 2, b: 1}", "a: 2\nb: 1\n"},
    {"a:  # later\nb: 1\n", "{a: 2, b: 1}", "a: 2  # later\nb: 1\n"},
    {"a: |\n  x\n  y\n\nb: 1\n", "{a: z, b: 1}", "a: z\n\nb: 1\n"},
    {"a: x y\n  z\nb: 1\n", "{a: z, b: 1}", "a: z\nb: 1\n"},
    {"\xc3\xa9: \xc3\xa9 # \xc3\xa9\nb: 1\n", "{\xc3\xa9: e, b: 1}",
     "\xc3\xa9: e # \xc3\xa9\nb: 1\n"},
    {"\xef\xbb\xbf"
     "a: 1\n",
     "{a: 2, b: 3}",
     "\xef\xbb\xbf"
     "a: 2\nb: 3\n"},
    /* New keys. */
    {"a: 1\n", "{a: 1, b: 2}", "a: 1\nb: 2\n"},
    {"a: 1", "{a: 1, b: 2, c: 3}", "a: 1\nb: 2\nc: 3"},
    {"a: 1\r\nc: 2\r\n", "{a: 1, c: 2, b: {x: 1}}", "a: 1\r\nc: 2\r\nb:\r\n  x: 1\r\n"},
    {"a:\n  x: 1\n  # of a\n# of b\nb: 1\n", "{a: {x: 1, y: 2}, b: 1}",
     "a:\n  x: 1\n  # of a\n  y: 2\n# of b\nb: 1\n"},
    {"a:\n  x: 1\n\n  # apart\nb: 1\n", "{a: {x: 1, y: 2}, b: 1}",
     "a:\n  x: 1\n  y: 2\n\n  # apart\nb: 1\n"},
    {"a:\n    x: 1\n", "{a: {x: 1}, b: {y: {z: [1, {k: v}]}}}",
     "a:\n    x: 1\nb:\n    y:\n        z:\n        - 1\n        - k: v\n"},
    {"a:\n  - 1\n", "{a: [1], b: [2, [3, 4], {x: 1, y: [5]}, []]}",
     "a:\n  - 1\nb:\n  - 2\n  - - 3\n    - 4\n  - x: 1\n    y:\n      - 5\n  - []\n"},
    {"a: {}\n", "{a: {x: {}, '12': 1}}", "a:\n  x: {}\n  '12': 1\n"},
    {"a: {} # empty\nb: 1\n", "{a: {x: 1}, b: 1}", "a: # empty\n  x: 1\nb: 1\n"},
    {"# nothing\n", "{a: 1}", "# nothing\na: 1\n"},
    {"", "{a: [1]}", "a:\n- 1\n"},
    {"---\n", "{a: 1}", "---\na: 1\n"},
    /* Keys that go. */
    {"a: 1\nb: 2 # two\nc: 3\n", "{a: 1, c: 3}", "a: 1\nc: 3\n"},
    {"a: 1\nb: 2", "{a: 1}", "a: 1\n"},
    {"a: 1\n# of b\nb:\n  x: 1\n  # inside\n  y: 2\n\n# of c\nc: 3\n", "{a: 1, c: 3}",
     "a: 1\n# of b\n\n# of c\nc: 3\n"},
    {"a:\n  x: 1\nb: 2\n", "{a: {}, b: 2}", "a: {}\nb: 2\n"},
    {"a: # kept\n  x: 1\nb: 2\n", "{a: {}, b: 2}", "a: {} # kept\nb: 2\n"},
    {"a: 1\nb: 2\n", "{b: 5, c: 6}", "b: 5\nc: 6\n"},
    {"- a: 1\n  b: 2\n  c: 3\n", "[{c: 3}]", "- c: 3\n"},
    {"- a: 1\n  b: 2\n", "[{a: 1}]", "- a: 1\n"},
    /* Mappings on one line. */
    {"a: {x: 1, y: 2}\n", "{a: {x: 1, y: 5, z: 6}}", "a: {x: 1, y: 5, z: 6}\n"},
    {"a: {x: 1, y: 2, z: 3}\n", "{a: {y: 2}}", "a: {y: 2}\n"},
    {"a: {x: 1, y: 2, z: 3}\n", "{a: {x: 1}}", "a: {x: 1}\n"},
    {"a: {x: 1, y: 2, z: 3}\n", "{a: {x: 1, z: 3, n: [1, {b: c}]}}",
     "a: {x: 1, z: 3, n: [1, {b: c}]}\n"},
    {"a: {x: 1}\n", "{a: {y: 1}}", "a: {y: 1}\n"},
    {"a: {x: , y: 1}\n", "{a: {x: 2, y: 1}}", "a: {x: 2, y: 1}\n"},
    {"a: {x, y: 1}\n", "{a: {x: 2, y: 1}}", "a: {x: 2, y: 1}\n"},
    {"a: {x: {y: 1}}\n", "{a: {x: {y: [a]}}}", "a: {x: {y: [a]}}\n"},
    {"{a: 1}\n", "{a: 1, b: 2}", "{a: 1, b: 2}\n"},
    /* Lists. */
    {"a:\n- 1 # one\n- 2\n- 3\n", "{a: [1, 3]}", "a:\n- 1 # one\n- 3\n"},
    {"a:\n- 1\n- 2\n", "{a: [1, 2, 3]}", "a:\n- 1\n- 2\n- 3\n"},
    {"a:\n- 1\n- 2\n", "{a: [0, 1, 2]}", "a:\n- 0\n- 1\n- 2\n"},
    {"a:\n- 1\n- 2\n", "{a: [1, 5, 2]}", "a:\n- 1\n- 5\n- 2\n"},
    {"a:\n- 1\n- 2 # two\n- 3\n", "{a: [1, 5, 3]}", "a:\n- 1\n- 5 # two\n- 3\n"},
    {"a:\n- 1\n- 2\n- 3\n- 4\n", "{a: [2, 4, 5]}", "a:\n- 2\n- 4\n- 5\n"},
    {"a:\n- 1\n- 2\n", "{a: []}", "a: []\n"},
    {"a: []\nb: 1\n", "{a: [1, 2], b: 1}", "a:\n- 1\n- 2\nb: 1\n"},
    {"a:\n- x\n# of b\nb: 1\n", "{a: [x, y], b: 1}", "a:\n- x\n- y\n# of b\nb: 1\n"},
    {"a:\n  - x\n  # of a\nb: 1\n", "{a: [x, y], b: 1}", "a:\n  - x\n  # of a\n  - y\nb: 1\n"},
    {"a: [x, y]\n", "{a: [x, z, y, w]}", "a: [x, z, y, w]\n"},
    {"a: [x, y]\n", "{a: [w, x]}", "a: [w, x]\n"},
    {"a: [x, y, z]\n", "{a: [z]}", "a: [z]\n"},
    {"a: [x, y]\n", "{a: [{k: v}]}", "a: [{k: v}]\n"},
    {"a: [x]\n", "{a: []}", "a: []\n"},
    {"a:\n-\n- 1\n", "{a: [{b: c}, 1]}", "a:\n- b: c\n- 1\n"},
    {"a:\n- - 1\n  - 2\n- - 3\n", "{a: [[2], [3, 4]]}", "a:\n- - 2\n- - 3\n  - 4\n"},
    {"a:\n- - 1\n", "{a: [[0, 1]]}", "a:\n- - 0\n  - 1\n"},
    {"a:\n- x: 1\n  y: 2\n- x: 2\n", "{a: [5, {x: 2}]}", "a:\n- 5\n- x: 2\n"},
    {"a:\n- 5\n- x: 2\n", "{a: [{x: 1, y: 2}, {x: 2}]}", "a:\n- x: 1\n  y: 2\n- x: 2\n"},
    /* Entries are known by their names. */
    {"p:\n- name: a\n  # note\n  v: 1\n\n- name: b\n  v: 2\n", "{p: [{name: b, v: 2}, {name: c}]}",
     "p:\n\n- name: b\n  v: 2\n- name: c\n"},
    {"p:\n- name: a # first\n  v: 1\n- name: b # second\n  v: 2\n", "{p: [{name: b, v: 5}]}",
     "p:\n- name: b # second\n  v: 5\n"},
    /* Kinds that change. */
    {"a: 1 # note\nb: 2\n", "{a: {x: 1}, b: 2}", "a: # note\n  x: 1\nb: 2\n"},
    {"a:\n  x: 1\n  y: 2\nb: 2\n", "{a: [1], b: 2}", "a:\n- 1\nb: 2\n"},
    {"a:\n- 1\n- 2\nb: 2\n", "{a: {x: 1}, b: 2}", "a:\n  x: 1\nb: 2\n"},
    {"a:\n- 1\n- 2\nb: 2\n", "{a: x, b: 2}", "a: x\nb: 2\n"},
    {"a: [1]\nb: 2\n", "{a: {x: 1}, b: 2}", "a:\n  x: 1\nb: 2\n"},
    /* Anchors, aliases, merge keys. */
    {"d: &d {x: 1}\na: *d\nb: 1\n", "{d: {x: 1}, a: {x: 1}, b: 2}", "d: &d {x: 1}\na: *d\nb: 2\n"},
    {"d: &d {x: 1}\na: *d\n", "{d: {x: 1}, a: {x: 2}}", "d: &d {x: 1}\na:\n  x: 2\n"},
    {"d: &d {x: 1, y: 2}\na:\n  <<: *d\n  z: 3\n", "{d: {x: 1, y: 2}, a: {x: 5, y: 2, z: 4}}",
     "d: &d {x: 1, y: 2}\na:\n  <<: *d\n  z: 4\n  x: 5\n"},
    {"d: &d\n  x: 1\na: *d\n", "{d: {x: 2}, a: {x: 2}}", NULL},
};

/* The last row: the alias follows its anchor, so the change of one place is the change of both. */

START_TEST(an_edit_changes_what_it_must_and_nothing_else)
{
    auto_strbuf struct strbuf text = STRBUF_INIT;
    auto_value struct value *want = NULL;
    const char *before = edits[_i].before;
    struct error err = {0};

    ck_assert_msg(!value_from_yaml(edits[_i].want, strlen(edits[_i].want), "want", &want, &err),
                  "%s", err.message);
    ck_assert_msg(!value_edit_yaml(before, strlen(before), "t.yml", want, &text, &err), "%s: %s",
                  before, strbuf_text(&text));
    if (edits[_i].after)
        ck_assert_str_eq(strbuf_text(&text), edits[_i].after);
}
END_TEST

START_TEST(without_a_change_the_text_stays)
{
    auto_strbuf struct strbuf text = STRBUF_INIT;
    auto_value struct value *want = NULL;
    const char *before = edits[_i].before;
    struct error err = {0};

    ck_assert_int_eq(value_from_yaml(before, strlen(before), "want", &want, &err), 0);
    ck_assert_int_eq(value_edit_yaml(before, strlen(before), "t.yml", want, &text, &err), 0);
    ck_assert_str_eq(strbuf_text(&text), before);
}
END_TEST

static const struct {
    const char *before;
    const char *want;
} refused[] = {
    {"d: &d\n  x: 1\na: *d\n", "{d: {x: 2}, a: {x: 1}}"},
    {"d: &d {x: 1, y: 2}\na:\n  <<: *d\n  z: 3\n", "{d: {x: 1, y: 2}, a: {y: 2, z: 3}}"},
    {"d: &d 1\na: *d\n", "{a: 1}"},
};

START_TEST(an_edit_that_would_change_more_is_refused)
{
    auto_strbuf struct strbuf text = STRBUF_INIT;
    auto_value struct value *want = NULL;
    const char *before = refused[_i].before;
    struct error err = {0};

    ck_assert_int_eq(
        value_from_yaml(refused[_i].want, strlen(refused[_i].want), "want", &want, &err), 0);
    ck_assert_int_eq(value_edit_yaml(before, strlen(before), "t.yml", want, &text, &err), -1);
    ck_assert_str_eq(err.message,
                     "t.yml cannot be changed without changing more than was asked for");
    ck_assert_str_eq(err.hint, "Change it by hand. An anchor, or a key that comes out of '<<', is "
                               "the usual reason.");
}
END_TEST

Suite *base_yaml_edit_suite(void)
{
    Suite *suite = suite_create("base/yaml_edit");
    TCase *tcase = tcase_create("yaml_edit");

    tcase_add_loop_test(tcase, an_edit_changes_what_it_must_and_nothing_else, 0, ARRAY_LEN(edits));
    tcase_add_loop_test(tcase, without_a_change_the_text_stays, 0, ARRAY_LEN(edits));
    tcase_add_loop_test(tcase, an_edit_that_would_change_more_is_refused, 0, ARRAY_LEN(refused));
    suite_add_tcase(suite, tcase);
    return suite;
}
