#include "base/diff.h"

#include "base/memory.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Suite *base_diff_suite(void);

static const struct {
    const char *old, *new, *diff;
} texts[] = {
    {"", "", ""},
    {"a\n", "a\n", ""},
    {"", "a\nb\n", "--- x\n+++ y\n@@ -0,0 +1,2 @@\n+a\n+b\n"},
    {"a\nb\n", "", "--- x\n+++ y\n@@ -1,2 +0,0 @@\n-a\n-b\n"},
    {"a\n", "b\n", "--- x\n+++ y\n@@ -1 +1 @@\n-a\n+b\n"},
    {"a\nb\nc\n", "a\nc\n", "--- x\n+++ y\n@@ -1,3 +1,2 @@\n a\n-b\n c\n"},
    {"a", "a\n", "--- x\n+++ y\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n"},
    {"1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nx\n6\n7\n8\n9\n",
     "--- x\n+++ y\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+x\n 6\n 7\n 8\n"},
    {"1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n", "0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n",
     "--- x\n+++ y\n@@ -1,3 +1,4 @@\n+0\n 1\n 2\n 3\n@@ -7,4 +8,3 @@\n 7\n 8\n 9\n-10\n"},
};

START_TEST(a_diff_has_the_unified_format)
{
    auto_strbuf struct strbuf diff = STRBUF_INIT;

    strbuf_add_diff(&diff, "x", texts[_i].old, "y", texts[_i].new);
    ck_assert_str_eq(strbuf_text(&diff), texts[_i].diff);
}
END_TEST

START_TEST(a_file_that_is_not_there_is_dev_null)
{
    auto_strbuf struct strbuf diff = STRBUF_INIT;

    strbuf_add_diff(&diff, NULL, "", "y", "a\n");
    ck_assert_str_eq(strbuf_text(&diff), "--- /dev/null\n+++ y\n@@ -0,0 +1 @@\n+a\n");
}
END_TEST

static const char *copy_line(struct strbuf *out, const char *line)
{
    size_t length = strcspn(line, "\n") + 1;

    strbuf_add_bytes(out, line, length);
    return line + length;
}

static const char *skip_line(const char *line)
{
    return line + strcspn(line, "\n") + 1;
}

/* What patch makes of the old text. */
static void apply(const char *old, const char *diff, struct strbuf *out)
{
    int line = 1;

    while (*diff) {
        int first, count = 1;

        if (!strncmp(diff, "--- ", 4) || !strncmp(diff, "+++ ", 4)) {
            diff = skip_line(diff);
            continue;
        }
        if (*diff == '@') {
            ck_assert_int_ge(sscanf(diff, "@@ -%d,%d", &first, &count), 1);
            for (first += count == 0; line < first; line++)
                old = copy_line(out, old);
            diff = skip_line(diff);
            continue;
        }
        if (*diff == '+')
            copy_line(out, diff + 1);
        else
            line++;
        if (*diff == ' ')
            copy_line(out, old);
        if (*diff != '+') {
            ck_assert_int_eq(strncmp(old, diff + 1, strcspn(old, "\n") + 1), 0);
            old = skip_line(old);
        }
        diff = skip_line(diff);
    }
    strbuf_add(out, old);
}

START_TEST(texts_too_large_to_compare_line_by_line_are_replaced)
{
    auto_strbuf struct strbuf old = STRBUF_INIT, new = STRBUF_INIT, diff = STRBUF_INIT,
                              applied = STRBUF_INIT;

    for (int i = 0; i < 3000; i++) {
        strbuf_addf(&old, "old %d\n", i);
        strbuf_addf(&new, "new %d\n", i);
    }
    strbuf_add_diff(&diff, "x", strbuf_text(&old), "y", strbuf_text(&new));
    apply(strbuf_text(&old), strbuf_text(&diff), &applied);
    ck_assert_str_eq(strbuf_text(&applied), strbuf_text(&new));
}
END_TEST

START_TEST(a_diff_makes_the_new_text_from_the_old_one)
{
    unsigned state = (unsigned)_i;

    for (int round = 0; round < 200; round++) {
        auto_strbuf struct strbuf old = STRBUF_INIT, new = STRBUF_INIT, diff = STRBUF_INIT,
                                  applied = STRBUF_INIT;

        for (int i = 0; i < 5 + _i * 10; i++) {
            state = state * 1103515245 + 12345;
            if (state >> 16 & 7)
                strbuf_addf(&old, "%c\n", 'a' + (int)(state >> 20) % 9);
            if (state >> 19 & 7)
                strbuf_addf(&new, "%c\n", 'a' + (int)(state >> 20) % 9);
        }
        strbuf_add_diff(&diff, "x", strbuf_text(&old), "y", strbuf_text(&new));
        apply(strbuf_text(&old), strbuf_text(&diff), &applied);
        ck_assert_str_eq(strbuf_text(&applied), strbuf_text(&new));
    }
}
END_TEST

Suite *base_diff_suite(void)
{
    Suite *suite = suite_create("base/diff");
    TCase *tcase = tcase_create("diff");

    tcase_add_loop_test(tcase, a_diff_has_the_unified_format, 0, ARRAY_LEN(texts));
    tcase_add_test(tcase, a_file_that_is_not_there_is_dev_null);
    tcase_add_test(tcase, texts_too_large_to_compare_line_by_line_are_replaced);
    tcase_add_loop_test(tcase, a_diff_makes_the_new_text_from_the_old_one, 0, 8);
    suite_add_tcase(suite, tcase);
    return suite;
}
