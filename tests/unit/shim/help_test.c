#include "shim/help.h"

#include "base/file.h"
#include "shim/command.h"

#include <check.h>
#include <string.h>

Suite *shim_help_suite(void);

START_TEST(the_reference_page_is_current)
{
    auto_strbuf struct strbuf page = STRBUF_INIT;
    auto_strbuf struct strbuf made = STRBUF_INIT;
    struct error err = {0};

    ck_assert_msg(!file_read("docs/cli.md", &page, &err), "%s", err.message);
    help_add_reference(&made, &root_command);
    ck_assert_msg(!strcmp(strbuf_text(&page), strbuf_text(&made)),
                  "docs/cli.md is out of date: run 'make docs'");
}
END_TEST

static void check_row(const struct option_def *option)
{
    size_t length = strlen(option->help);

    ck_assert_msg(length && option->help[length - 1] == '.', "--%s: the help is no sentence",
                  option->name);
    ck_assert_msg(!strchr(option->name, '_'), "--%s: an underscore", option->name);
    ck_assert_msg(option->kind != OPT_CHOICE || option->choices, "--%s: no choices", option->name);
}

static void check_command(const struct command *command)
{
    size_t length = strlen(command->summary);

    ck_assert_msg(length && command->summary[length - 1] == '.', "%s: the summary is no sentence",
                  command->name);
    ck_assert_msg(!command->run != !(command->subcommands || command->is_passed_on),
                  "%s: does nothing, or too much", command->name);
    for (const struct option_def *at = command->options; at && at->name; at++)
        check_row(at);
    for (const struct command *const *at = command->subcommands; at && *at; at++)
        check_command(*at);
}

START_TEST(every_row_is_complete)
{
    check_command(&root_command);
}
END_TEST

START_TEST(text_is_wrapped_and_aligned)
{
    static const char *const choices[] = {"one", "two", NULL};
    static const struct option_def options[] = {
        {.name = "choose",
         .letter = 'c',
         .kind = OPT_CHOICE,
         .choices = choices,
         .help = "A rather long explanation that does not fit on what is left of one line.",
         .env = "CHOOSE"},
        {.name = "a-name-that-is-too-long-for-its-column", .kind = OPT_FLAG, .help = "Short."},
        {.name = "secret", .kind = OPT_FLAG, .help = "Hidden.", .is_hidden = true},
        {0},
    };
    static const struct argument_def arguments[] = {
        {.name = "NAME", .kind = ARG_ONE},
        {.name = "MORE", .kind = ARG_MANY},
        {0},
    };
    static const struct command go = {.name = "go",
                                      .summary = "Go there.",
                                      .details = "First line.\n    as it   is\nLast line.",
                                      .options = options,
                                      .arguments = arguments,
                                      .stands_alone = true};
    static const struct command root = {.name = "root"};
    static const struct command *const path[] = {&root, &go};
    auto_strbuf struct strbuf text = STRBUF_INIT;

    help_add_text(&text, "prog", path, 2);
    ck_assert_str_eq(
        strbuf_text(&text),
        "Usage: prog go [OPTIONS] NAME [MORE]...\n"
        "\n"
        "  Go there.\n"
        "\n"
        "  First line.\n"
        "      as it   is\n"
        "  Last line.\n"
        "\n"
        "Options:\n"
        "  -c, --choose one|two        A rather long explanation that does not fit on\n"
        "                              what is left of one line. [env: CHOOSE]\n"
        "  --a-name-that-is-too-long-for-its-column\n"
        "                              Short.\n"
        "  --help                      Show this text and exit.\n");
}
END_TEST

Suite *shim_help_suite(void)
{
    Suite *suite = suite_create("shim/help");
    TCase *tcase = tcase_create("help");

    tcase_add_test(tcase, the_reference_page_is_current);
    tcase_add_test(tcase, every_row_is_complete);
    tcase_add_test(tcase, text_is_wrapped_and_aligned);
    suite_add_tcase(suite, tcase);
    return suite;
}
