#include "shim/completion.h"

#include "base/memory.h"
#include "base/strbuf.h"

#include <check.h>

Suite *shim_completion_suite(void);

static const struct {
    const char *line, *expected; /* the last word is completed; "." stands for an empty one */
} cases[] = {
    {"meltshim completion .", "bash zsh fish"},
    {"meltshim completion z", "zsh"},
    {"meltshim compl", "completion"},
    {"meltshim --log-f", "--log-format"},
    {"meltshim --log-format j", "json"},
    {"meltshim --log_format=pl", "--log_format=plain"},
    {"meltshim --log-format=json compl", "completion"},
    {"meltshim --log-format json compl", "completion"},
    {"meltshim --no-environment compl", "completion"},
    {"meltshim --cwd .", ""},
    {"meltshim completion bash --", "--help"},
    {"meltshim completion bash x .", ""},
    {"meltshim nope .", ""},
    {"meltshim -- --", ""},
    {"meltshim --environment .", "environment-1 environment-2"},
    {"meltshim --environment=environment-2", "--environment=environment-2"},
    {"meltshim run .", "block-1 block-2"},
    {"meltshim run block-1 block-2 block-", "block-1 block-2"},
    {"meltshim el .", "extractor-1 extractor-2"},
    {"meltshim el extractor-1 .", "loader-1 loader-2"},
    {"meltshim el extractor-1 loader-1 .", ""},
    {"meltshim schedule add new --job job-1", "job-1"},
    {"meltshim invoke util --", ""},
};

static void give_names(void *context, enum word_kind kind, struct strlist *out)
{
    static const char *const names[] = {
        [WORD_ENVIRONMENT] = "environment", [WORD_BLOCK] = "block", [WORD_EXTRACTOR] = "extractor",
        [WORD_LOADER] = "loader",           [WORD_JOB] = "job",     [WORD_STATE_ID] = NULL,
    };

    (void)context;
    if (!names[kind])
        return;
    strlist_addf(out, "%s-1", names[kind]);
    strlist_addf(out, "%s-2", names[kind]);
}

START_TEST(a_word_is_completed_by_its_place)
{
    auto_strlist struct strlist words = STRLIST_INIT;
    auto_strbuf struct strbuf got = STRBUF_INIT;
    struct candidate_list list = {0};

    strlist_split(&words, cases[_i].line, ' ');
    if (words.items[words.count - 1][0] == '.')
        words.items[words.count - 1][0] = '\0';
    complete_words(&root_command, &words, give_names, NULL, &list);
    for (size_t i = 0; i < list.count; i++)
        strbuf_addf(&got, "%s%s", i ? " " : "", list.items[i].word);
    ck_assert_str_eq(strbuf_text(&got), cases[_i].expected);
    candidate_list_clear(&list);
}
END_TEST

Suite *shim_completion_suite(void)
{
    Suite *suite = suite_create("shim/completion");
    TCase *tcase = tcase_create("completion");

    tcase_add_loop_test(tcase, a_word_is_completed_by_its_place, 0, ARRAY_LEN(cases));
    suite_add_tcase(suite, tcase);
    return suite;
}
