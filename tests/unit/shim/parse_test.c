#include "shim/parse.h"

#include "base/memory.h"
#include "base/strbuf.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

Suite *shim_parse_suite(void);

/* A small tree with every kind of row. */
struct go_args {
    bool dry_run, lint;
    int install, format;
    const char *suffix, *run_id, *name, *rest_name;
    long limit;
    struct strlist patterns, words;
};

enum { INSTALL_DEFAULT, INSTALL_YES, INSTALL_NO };

static const char *const formats[] = {"json", "key-value", NULL};

static const struct option_def go_options[] = {
    OPTION_FLAG(struct go_args, dry_run, "dry-run", "", .letter = 'n', .env = "TEST_DRY_RUN"),
    OPTION_FLAG(struct go_args, lint, "lint", ""),
    OPTION_UNFLAG(struct go_args, lint, "no-lint", ""),
    OPTION_VALUE(struct go_args, install, "install", "", .value = INSTALL_YES),
    OPTION_VALUE(struct go_args, install, "no-install", "", .value = INSTALL_NO),
    OPTION_STRING(struct go_args, suffix, "suffix", "", .env = "TEST_SUFFIX"),
    OPTION_LIST(struct go_args, patterns, "select", "", .letter = 's'),
    OPTION_NUMBER(struct go_args, limit, "limit", "", .letter = 'l', .value = 10, .minimum = 1,
                  .has_minimum = true, .env = "TEST_LIMIT"),
    OPTION_CHOICE(struct go_args, format, "format", "", .choices = formats, .alias = "form"),
    OPTION_UUID(struct go_args, run_id, "run-id", ""),
    {0},
};

static const struct argument_def go_arguments[] = {
    ARGUMENT_ONE(struct go_args, name, "NAME"),
    ARGUMENT_OPTIONAL(struct go_args, rest_name, "OTHER"),
    ARGUMENT_MANY(struct go_args, words, "WORDS"),
    {0},
};

struct need_args {
    const char *tasks;
    struct strlist names;
};

static const struct option_def need_options[] = {
    OPTION_STRING(struct need_args, tasks, "tasks", "", .is_required = true),
    {0},
};

static const struct argument_def need_arguments[] = {
    ARGUMENT_AT_LEAST_ONE(struct need_args, names, "NAMES"),
    {0},
};

static const struct command go = {.name = "go-there",
                                  .options = go_options,
                                  .arguments = go_arguments,
                                  .args_size = sizeof(struct go_args)};
static const struct command start = {.name = "start",
                                     .options = go_options,
                                     .arguments = go_arguments,
                                     .args_size = sizeof(struct go_args),
                                     .stops_at_argument = true,
                                     .environment = ENVIRONMENT_REQUIRED};
static const struct command need = {.name = "need",
                                    .options = need_options,
                                    .arguments = need_arguments,
                                    .args_size = sizeof(struct need_args)};
static const struct command foreign = {.name = "foreign", .is_passed_on = true};

static const struct command *guess_go(struct app *app, const struct command *group, int *count,
                                      char ***words)
{
    (void)app;
    if (*count > 1 && command_find(group, (*words)[1])) {
        const struct command *found = command_find(group, (*words)[1]);
        char *name = (*words)[1];

        (*words)[1] = (*words)[0];
        (*words)[0] = name;
        (*words)++;
        (*count)--;
        return found;
    }
    return (*words)[0][0] == 'x' ? NULL : &go;
}

static const struct option_def group_options[] = {
    OPTION_FLAG(struct global_options, unsafe, "unsafe", ""),
    {0},
};

static const struct command *const group_commands[] = {&go, &need, NULL};
static const struct command group = {.name = "group",
                                     .options = group_options,
                                     .subcommands = group_commands,
                                     .guess = guess_go,
                                     .environment = ENVIRONMENT_EXPLICIT};

static const struct option_def top_options[] = {
    OPTION_STRING(struct global_options, environment, "environment", ""),
    OPTION_FLAG(struct global_options, version, "version", ""),
    {0},
};

static const struct command *const top_commands[] = {&go, &start, &need, &foreign, &group, NULL};
static const struct command top = {
    .name = "top", .options = top_options, .subcommands = top_commands};

static struct strlist words;
static struct parsed parsed;
static struct error err;

static void set_up(void)
{
    unsetenv("TEST_DRY_RUN");
    unsetenv("TEST_SUFFIX");
    unsetenv("TEST_LIMIT");
}

static void tear_down(void)
{
    parsed_clear(&parsed);
    strlist_clear(&words);
}

static int parse(const char *line)
{
    ck_assert_int_eq(strlist_split_shell(&words, line), 0);
    return parse_command_line(NULL, &top, (int)words.count, words.items, &parsed, &err);
}

static const struct go_args *parse_go(const char *line)
{
    ck_assert_msg(parse(line) == 0, "%s", err.message);
    return parsed.args;
}

START_TEST(options_may_stand_anywhere)
{
    const struct go_args *args = parse_go("go_there a --dry-run b -s x c --select=y d --limit 3");

    ck_assert_str_eq(args->name, "a");
    ck_assert_str_eq(args->rest_name, "b");
    ck_assert_uint_eq(args->words.count, 2);
    ck_assert_str_eq(args->words.items[1], "d");
    ck_assert(args->dry_run);
    ck_assert_uint_eq(args->patterns.count, 2);
    ck_assert_str_eq(args->patterns.items[1], "y");
    ck_assert_int_eq(args->limit, 3);
}
END_TEST

START_TEST(nothing_given_leaves_the_defaults)
{
    const struct go_args *args = parse_go("go-there a");

    ck_assert_ptr_null(args->rest_name);
    ck_assert(!args->dry_run && !args->lint);
    ck_assert_int_eq(args->limit, 10);
    ck_assert_int_eq(args->format, 0);
    ck_assert_int_eq(args->install, INSTALL_DEFAULT);
    ck_assert_ptr_null(args->suffix);
}
END_TEST

START_TEST(the_last_of_several_options_for_one_field_counts)
{
    const struct go_args *args = parse_go("go-there a --lint --no-lint --install --no-install "
                                          "--limit 1 --limit=2");

    ck_assert(!args->lint);
    ck_assert_int_eq(args->install, INSTALL_NO);
    ck_assert_int_eq(args->limit, 2);
}
END_TEST

START_TEST(letters_may_be_put_together)
{
    const struct go_args *args = parse_go("go-there -nl5 -sx -s '' a");

    ck_assert(args->dry_run);
    ck_assert_int_eq(args->limit, 5);
    ck_assert_str_eq(args->patterns.items[0], "x");
    ck_assert_str_eq(args->patterns.items[1], "");
}
END_TEST

START_TEST(names_and_choices_take_underscores)
{
    const struct go_args *args = parse_go("go-there a --run_id "
                                          "01A2032C-0000-7000-8000-000000000000 --form key_value");

    ck_assert_int_eq(args->format, 2);
    ck_assert_str_eq(args->run_id, "01A2032C-0000-7000-8000-000000000000");
}
END_TEST

START_TEST(a_value_may_look_like_an_option)
{
    ck_assert_str_eq(parse_go("go-there a --suffix --dry-run")->suffix, "--dry-run");
}
END_TEST

START_TEST(two_dashes_end_the_options)
{
    const struct go_args *args = parse_go("go-there a -- --dry-run --");

    ck_assert(!args->dry_run);
    ck_assert_str_eq(args->rest_name, "--dry-run");
    ck_assert_str_eq(args->words.items[0], "--");
}
END_TEST

START_TEST(a_single_dash_is_an_argument)
{
    ck_assert_str_eq(parse_go("go-there -")->name, "-");
}
END_TEST

START_TEST(some_commands_leave_everything_after_the_first_argument)
{
    const struct go_args *args = parse_go("start --dry-run tap --limit nope -- x");

    ck_assert(args->dry_run);
    ck_assert_str_eq(args->rest_name, "--limit");
    ck_assert_uint_eq(args->words.count, 3);
    ck_assert_str_eq(args->words.items[1], "--");
    ck_assert_int_eq(parsed_environment_policy(&parsed), ENVIRONMENT_REQUIRED);
}
END_TEST

START_TEST(variables_stand_in_for_options)
{
    const struct go_args *args;

    setenv("TEST_DRY_RUN", "Yes", 1);
    setenv("TEST_SUFFIX", "from env", 1);
    setenv("TEST_LIMIT", "not looked at", 1);
    args = parse_go("go-there a --limit 7");
    ck_assert(args->dry_run);
    ck_assert_str_eq(args->suffix, "from env");
    ck_assert_int_eq(args->limit, 7);
}
END_TEST

START_TEST(empty_and_false_variables_set_nothing)
{
    const struct go_args *args;

    setenv("TEST_DRY_RUN", "off", 1);
    setenv("TEST_SUFFIX", "", 1);
    setenv("TEST_LIMIT", "", 1);
    args = parse_go("go-there a");
    ck_assert(!args->dry_run);
    ck_assert_ptr_null(args->suffix);
    ck_assert_int_eq(args->limit, 10);
}
END_TEST

START_TEST(global_options_stand_before_the_command)
{
    parse_go("--environment=dev group --unsafe --database-uri sqlite:// go-there a");
    ck_assert_str_eq(parsed.globals.environment, "dev");
    ck_assert_str_eq(parsed.globals.database_uri, "sqlite://");
    ck_assert(parsed.globals.unsafe);
    ck_assert_uint_eq(parsed.depth, 3);
    ck_assert_ptr_eq(parsed.command, &go);
    ck_assert_int_eq(parsed_environment_policy(&parsed), ENVIRONMENT_EXPLICIT);
}
END_TEST

START_TEST(a_group_guesses_what_older_forms_mean)
{
    const struct need_args *args;

    ck_assert_int_eq(parse("group thing need --tasks x"), 0);
    args = parsed.args;
    ck_assert_ptr_eq(parsed.command, &need);
    ck_assert_str_eq(args->names.items[0], "thing");
    ck_assert_str_eq(args->tasks, "x");
}
END_TEST

START_TEST(a_group_that_guesses_leaves_unknown_options_to_the_guess)
{
    ck_assert_str_eq(parse_go("group --suffix=s thing")->suffix, "s");
    ck_assert_ptr_eq(parsed.command, &go);
}
END_TEST

START_TEST(help_ends_the_parse)
{
    ck_assert_int_eq(parse("need --help --nope"), 0);
    ck_assert(parsed.globals.help);
    ck_assert_ptr_eq(parsed.command, &need);
}
END_TEST

START_TEST(a_group_alone_is_left_to_the_caller)
{
    ck_assert_int_eq(parse("group --unsafe"), 0);
    ck_assert_ptr_eq(parsed.command, &group);
    ck_assert_ptr_null(parsed.args);
}
END_TEST

START_TEST(the_words_of_a_foreign_command_are_not_looked_at)
{
    ck_assert_int_eq(parse("foreign --nope x"), 0);
    ck_assert_int_eq(parsed.rest_count, 2);
    ck_assert_str_eq(parsed.rest[0], "--nope");
}
END_TEST

static const struct {
    const char *line, *message, *hint;
} mistakes[] = {
    {"nope", "No such command 'nope'.\n\nDid you mean one of these?\n    need", ""},
    {"qqqq", "No such command 'qqqq'.", ""},
    {"group xx", "No such command 'xx'.", ""},
    {"--nope go-there", "No such option '--nope'.", ""},
    {"go-there --dry", "No such option '--dry'. Did you mean '--dry-run'?", ""},
    {"go-there --instal",
     "No such option '--instal'. (Did you mean one of: '--install', "
     "'--lint', '--no-install'?)",
     ""},
    {"go-there --environment dev a", "No such option '--environment'.",
     "It is a global option: put it before 'go-there'."},
    {"go-there -nz a", "No such option '-z'.", ""},
    {"go-there a --dry-run=1", "Option '--dry-run' does not take a value.", ""},
    {"go-there a --suffix", "Option '--suffix' requires an argument.", ""},
    {"go-there a -l", "Option '-l' requires an argument.", ""},
    {"go-there a --limit x", "Invalid value for '--limit' / '-l': 'x' is not a valid integer.", ""},
    {"go-there a --limit ''", "Invalid value for '--limit' / '-l': '' is not a valid integer.", ""},
    {"go-there a --limit 99999999999999999999",
     "Invalid value for '--limit' / '-l': '99999999999999999999' is not a valid integer.", ""},
    {"go-there a --limit 0", "Invalid value for '--limit' / '-l': 0 is not in the range x>=1.", ""},
    {"go-there a --format xml",
     "Invalid value for '--format' / '--form': 'xml' is not one of 'json', 'key-value'.", ""},
    {"go-there a --run-id x", "Invalid value for '--run-id': x is not a valid UUID.", ""},
    {"go-there", "Missing argument 'NAME'.", ""},
    {"need --tasks x", "Missing argument 'NAMES...'.", ""},
    {"need x", "Missing option '--tasks'.", ""},
    {"group need a --tasks b --unsafe", "No such option '--unsafe'.", ""},
};

START_TEST(a_mistake_is_named)
{
    ck_assert_int_eq(parse(mistakes[_i].line), -1);
    ck_assert_int_eq(err.code, ERR_USAGE);
    ck_assert_str_eq(err.message, mistakes[_i].message);
    ck_assert_str_eq(err.hint, mistakes[_i].hint);
}
END_TEST

START_TEST(too_many_arguments_are_named)
{
    static const struct argument_def one[] = {ARGUMENT_ONE(struct go_args, name, "NAME"), {0}};
    static const struct command single = {
        .name = "single", .arguments = one, .args_size = sizeof(struct go_args)};
    static const struct command *const commands[] = {&single, NULL};
    static const struct command root = {.name = "root", .subcommands = commands};

    strlist_split(&words, "single a b c", ' ');
    ck_assert_int_eq(parse_command_line(NULL, &root, 4, words.items, &parsed, &err), -1);
    ck_assert_str_eq(err.message, "Got unexpected extra arguments (b c)");
    parsed_clear(&parsed);
    ck_assert_int_eq(parse_command_line(NULL, &root, 3, words.items, &parsed, &err), -1);
    ck_assert_str_eq(err.message, "Got unexpected extra argument (b)");
}
END_TEST

static const struct {
    const char *variable, *value, *message;
} bad_variables[] = {
    {"TEST_LIMIT", "x",
     "Invalid value for '--limit' / '-l' (env var: 'TEST_LIMIT'): 'x' is not a valid integer."},
    {"TEST_DRY_RUN", "maybe",
     "Invalid value for '--dry-run' / '-n' (env var: 'TEST_DRY_RUN'): 'maybe' is not a valid "
     "boolean. Recognized values: 0, 1, f, false, n, no, off, on, t, true, y, yes"},
};

START_TEST(a_mistake_in_a_variable_names_the_variable)
{
    setenv(bad_variables[_i].variable, bad_variables[_i].value, 1);
    ck_assert_int_eq(parse("go-there a"), -1);
    ck_assert_str_eq(err.message, bad_variables[_i].message);
}
END_TEST

Suite *shim_parse_suite(void)
{
    Suite *suite = suite_create("shim/parse");
    TCase *tcase = tcase_create("parse");

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, options_may_stand_anywhere);
    tcase_add_test(tcase, nothing_given_leaves_the_defaults);
    tcase_add_test(tcase, the_last_of_several_options_for_one_field_counts);
    tcase_add_test(tcase, letters_may_be_put_together);
    tcase_add_test(tcase, names_and_choices_take_underscores);
    tcase_add_test(tcase, a_value_may_look_like_an_option);
    tcase_add_test(tcase, two_dashes_end_the_options);
    tcase_add_test(tcase, a_single_dash_is_an_argument);
    tcase_add_test(tcase, some_commands_leave_everything_after_the_first_argument);
    tcase_add_test(tcase, variables_stand_in_for_options);
    tcase_add_test(tcase, empty_and_false_variables_set_nothing);
    tcase_add_test(tcase, global_options_stand_before_the_command);
    tcase_add_test(tcase, a_group_guesses_what_older_forms_mean);
    tcase_add_test(tcase, a_group_that_guesses_leaves_unknown_options_to_the_guess);
    tcase_add_test(tcase, help_ends_the_parse);
    tcase_add_test(tcase, a_group_alone_is_left_to_the_caller);
    tcase_add_test(tcase, the_words_of_a_foreign_command_are_not_looked_at);
    tcase_add_loop_test(tcase, a_mistake_is_named, 0, ARRAY_LEN(mistakes));
    tcase_add_test(tcase, too_many_arguments_are_named);
    tcase_add_loop_test(tcase, a_mistake_in_a_variable_names_the_variable, 0,
                        ARRAY_LEN(bad_variables));
    suite_add_tcase(suite, tcase);
    return suite;
}
