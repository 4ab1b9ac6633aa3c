#include "shim/parse.h"

#include "base/memory.h"
#include "base/strbuf.h"
#include "base/suggest.h"
#include "base/uuid.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Meltano offers commands that are half alike and options that are a little closer. */
#define COMMAND_CUTOFF 0.5
#define OPTION_CUTOFF  0.6

static const struct option_def help_options[] = {
    OPTION_FLAG(struct global_options, help, "help", "Show this text and exit."),
    {0},
};

static const struct option_def no_options[] = {{0}};

const struct option_def *outer_options(const struct command *const *path, size_t depth)
{
    return depth > 1 && !path[1]->stands_alone ? database_options : no_options;
}

struct parser {
    struct parsed *out;
    /* The tables that hold at this point, and where their fields are. */
    struct option_scope {
        const struct option_def *options;
        void *base;
    } scopes[3];
    size_t scope_count;
    uint64_t given; /* rows of the first table that were on the command line */
};

/* An option as it was found in a table. */
struct match {
    const struct option_def *option;
    void *base;
    uint64_t bit; /* 0 for an option of an outer table */
};

static bool name_equals(const char *typed, size_t length, const char *name)
{
    size_t i;

    for (i = 0; i < length && name[i]; i++)
        if ((typed[i] == '_' ? '-' : typed[i]) != name[i])
            return false;
    return i == length && !name[i];
}

const struct command *command_find(const struct command *group, const char *name)
{
    for (const struct command *const *at = group->subcommands; at && *at; at++)
        if (name_equals(name, strlen(name), (*at)->name))
            return *at;
    return NULL;
}

static const struct option_def *find_long(const struct option_def *options, const char *name,
                                          size_t length)
{
    for (const struct option_def *at = options; at && at->name; at++)
        if (name_equals(name, length, at->name) ||
            (at->alias && name_equals(name, length, at->alias)))
            return at;
    return NULL;
}

const struct option_def *option_find(const struct option_def *options, const char *name)
{
    return find_long(options, name, strlen(name));
}

static void *field_of(const struct match *match)
{
    return (char *)match->base + match->option->offset;
}

static bool match_in_scope(const struct parser *parser, size_t scope,
                           const struct option_def *option, struct match *out)
{
    const struct option_scope *found = &parser->scopes[scope];

    if (!option)
        return false;
    *out = (struct match){option, found->base, 0};
    if (scope == 0) {
        assert(option - found->options < 64);
        out->bit = UINT64_C(1) << (option - found->options);
    }
    return true;
}

static bool match_long(const struct parser *parser, const char *name, size_t length,
                       struct match *out)
{
    for (size_t i = 0; i < parser->scope_count; i++)
        if (match_in_scope(parser, i, find_long(parser->scopes[i].options, name, length), out))
            return true;
    return false;
}

static bool match_letter(const struct parser *parser, char letter, struct match *out)
{
    for (size_t i = 0; i < parser->scope_count; i++)
        for (const struct option_def *at = parser->scopes[i].options; at && at->name; at++)
            if (at->letter == letter && match_in_scope(parser, i, at, out))
                return true;
    return false;
}

/* --- values ------------------------------------------------------------------------------- */

/* "'--force' / '-f'" */
static void add_option_names(struct strbuf *out, const struct option_def *option)
{
    strbuf_addf(out, "'--%s'", option->name);
    if (option->alias)
        strbuf_addf(out, " / '--%s'", option->alias);
    if (option->letter)
        strbuf_addf(out, " / '-%c'", option->letter);
}

static int invalid_value(const struct option_def *option, bool from_env, struct error *err,
                         const char *format, ...) ATTR_PRINTF(4, 5);
static int invalid_value(const struct option_def *option, bool from_env, struct error *err,
                         const char *format, ...)
{
    auto_strbuf struct strbuf text = STRBUF_INIT;
    va_list args;

    strbuf_add(&text, "Invalid value for ");
    add_option_names(&text, option);
    if (from_env)
        strbuf_addf(&text, " (env var: '%s')", option->env);
    strbuf_add(&text, ": ");
    va_start(args, format);
    strbuf_vaddf(&text, format, args);
    va_end(args);
    return error_set(err, ERR_USAGE, "%s", strbuf_text(&text));
}

static int store_choice(const struct match *match, const char *text, bool from_env,
                        struct error *err)
{
    auto_strbuf struct strbuf choices = STRBUF_INIT;
    const char *const *names = match->option->choices;

    for (int i = 0; names[i]; i++) {
        if (name_equals(text, strlen(text), names[i])) {
            *(int *)field_of(match) = i + 1;
            return 0;
        }
        strbuf_addf(&choices, "%s'%s'", i ? ", " : "", names[i]);
    }
    return invalid_value(match->option, from_env, err, "'%s' is not one of %s.", text,
                         strbuf_text(&choices));
}

static int store_number(const struct match *match, const char *text, bool from_env,
                        struct error *err)
{
    const struct option_def *option = match->option;
    char *end;
    long number;

    errno = 0;
    number = strtol(text, &end, 10);
    if (end == text || *end || errno || isspace((unsigned char)*text))
        return invalid_value(option, from_env, err, "'%s' is not a valid integer.", text);
    if (option->has_minimum && number < option->minimum)
        return invalid_value(option, from_env, err, "%ld is not in the range x>=%ld.", number,
                             option->minimum);
    *(long *)field_of(match) = number;
    return 0;
}

static int store_uuid(const struct match *match, const char *text, bool from_env, struct error *err)
{
    char uuid[UUID_TEXT_SIZE];

    if (!uuid_parse(text, uuid))
        return invalid_value(match->option, from_env, err, "%s is not a valid UUID.", text);
    *(const char **)field_of(match) = text;
    return 0;
}

static bool option_takes_value(const struct option_def *option)
{
    return option->kind != OPT_FLAG && option->kind != OPT_UNFLAG && option->kind != OPT_VALUE;
}

static int store_text(const struct match *match, const char *text, bool from_env, struct error *err)
{
    switch (match->option->kind) {
    case OPT_CHOICE:
        return store_choice(match, text, from_env, err);
    case OPT_NUMBER:
        return store_number(match, text, from_env, err);
    case OPT_UUID:
        return store_uuid(match, text, from_env, err);
    case OPT_LIST:
        strlist_add(field_of(match), text);
        return 0;
    default:
        *(const char **)field_of(match) = text;
        return 0;
    }
}

static void store_given(const struct match *match)
{
    if (match->option->kind == OPT_VALUE)
        *(int *)field_of(match) = (int)match->option->value;
    else
        *(bool *)field_of(match) = match->option->kind == OPT_FLAG;
}

static int store_boolean_variable(const struct match *match, const char *text, struct error *err)
{
    static const char *const true_words[] = {"1", "on", "t", "true", "y", "yes"};
    static const char *const false_words[] = {"0", "f", "false", "n", "no", "off"};

    for (size_t i = 0; i < ARRAY_LEN(true_words); i++)
        if (!strcasecmp(text, true_words[i])) {
            store_given(match);
            return 0;
        }
    for (size_t i = 0; i < ARRAY_LEN(false_words); i++)
        if (!strcasecmp(text, false_words[i]))
            return 0;
    return invalid_value(match->option, true, err,
                         "'%s' is not a valid boolean. Recognized values: 0, 1, f, false, n, no, "
                         "off, on, t, true, y, yes",
                         text);
}

/* Variables count only for options that are not on the command line; empty ones do not. */
static int apply_variables(const struct parser *parser, struct error *err)
{
    const struct option_scope *scope = &parser->scopes[0];

    for (const struct option_def *at = scope->options; at && at->name; at++) {
        const char *text = at->env ? getenv(at->env) : NULL;
        struct match match;

        match_in_scope(parser, 0, at, &match);
        if (!text || !*text || parser->given & match.bit)
            continue;
        if ((option_takes_value(at) ? store_text(&match, text, true, err)
                                    : store_boolean_variable(&match, text, err)) < 0)
            return -1;
    }
    return 0;
}

/* --- words -------------------------------------------------------------------------------- */

static int no_such_option(const struct parser *parser, const char *dashes, const char *name,
                          size_t length, struct error *err)
{
    auto_strlist struct strlist names = STRLIST_INIT;
    auto_strlist struct strlist close = STRLIST_INIT;
    auto_strbuf struct strbuf text = STRBUF_INIT;
    auto_free char *typed = xasprintf("%s%.*s", dashes, (int)length, name);

    for (size_t i = 0; i < parser->scope_count; i++)
        for (const struct option_def *at = parser->scopes[i].options; at && at->name; at++)
            if (!at->is_hidden)
                strlist_addf(&names, "--%s", at->name);
    suggest_words(typed, &names, OPTION_CUTOFF, &close);
    strbuf_addf(&text, "No such option '%s'.", typed);
    if (close.count == 1)
        strbuf_addf(&text, " Did you mean '%s'?", close.items[0]);
    else if (close.count) {
        strlist_sort(&close);
        for (size_t i = 0; i < close.count; i++)
            strbuf_addf(&text, "%s'%s'", i ? ", " : " (Did you mean one of: ", close.items[i]);
        strbuf_add(&text, "?)");
    }
    error_set(err, ERR_USAGE, "%s", strbuf_text(&text));
    if (parser->out->depth > 1 && find_long(parser->out->path[0]->options, name, length))
        error_hint(err, "It is a global option: put it before '%s'.", parser->out->path[1]->name);
    return -1;
}

/* words[at] is an option in the long form; returns how many words it took, or -1. */
static int parse_long(struct parser *parser, int count, char **words, int at, struct error *err)
{
    const char *name = words[at] + 2;
    const char *value = strchr(name, '=');
    size_t length = value ? (size_t)(value - name) : strlen(name);
    struct match match;

    if (!match_long(parser, name, length, &match))
        return no_such_option(parser, "--", name, length, err);
    parser->given |= match.bit;
    if (!option_takes_value(match.option)) {
        if (value)
            return error_set(err, ERR_USAGE, "Option '--%s' does not take a value.",
                             match.option->name);
        store_given(&match);
        return 1;
    }
    if (value)
        return store_text(&match, value + 1, false, err) < 0 ? -1 : 1;
    if (at + 1 == count)
        return error_set(err, ERR_USAGE, "Option '--%s' requires an argument.", match.option->name);
    return store_text(&match, words[at + 1], false, err) < 0 ? -1 : 2;
}

/* The same for letters, which may be put together: "-fs PATTERN" or "-fsPATTERN". */
static int parse_letters(struct parser *parser, int count, char **words, int at, struct error *err)
{
    for (const char *letter = words[at] + 1; *letter; letter++) {
        struct match match;

        if (!match_letter(parser, *letter, &match))
            return no_such_option(parser, "-", letter, 1, err);
        parser->given |= match.bit;
        if (!option_takes_value(match.option)) {
            store_given(&match);
            continue;
        }
        if (letter[1])
            return store_text(&match, letter + 1, false, err) < 0 ? -1 : 1;
        if (at + 1 == count)
            return error_set(err, ERR_USAGE, "Option '-%c' requires an argument.", *letter);
        return store_text(&match, words[at + 1], false, err) < 0 ? -1 : 2;
    }
    return 1;
}

static bool is_option(const char *word)
{
    return word[0] == '-' && word[1];
}

static int parse_option(struct parser *parser, int count, char **words, int at, struct error *err)
{
    if (words[at][1] == '-')
        return parse_long(parser, count, words, at, err);
    return parse_letters(parser, count, words, at, err);
}

static bool wants_only_text(const struct parsed *out)
{
    return out->globals.help || out->globals.version;
}

static int missing_option(const struct parser *parser, struct error *err)
{
    const struct option_def *options = parser->scopes[0].options;

    for (const struct option_def *at = options; at && at->name; at++) {
        auto_strbuf struct strbuf names = STRBUF_INIT;
        struct match match;

        match_in_scope(parser, 0, at, &match);
        if (!at->is_required || parser->given & match.bit)
            continue;
        add_option_names(&names, at);
        return error_set(err, ERR_USAGE, "Missing option %s.", strbuf_text(&names));
    }
    return 0;
}

static int assign_arguments(const struct parser *parser, struct error *err)
{
    const struct command *command = parser->out->command;
    const struct strlist *words = &parser->out->words;
    size_t next = 0;

    for (const struct argument_def *at = command->arguments; at && at->name; at++) {
        void *field = (char *)parser->out->args + at->offset;
        bool is_list = at->kind == ARG_MANY || at->kind == ARG_AT_LEAST_ONE;

        if (next == words->count && (at->kind == ARG_ONE || at->kind == ARG_AT_LEAST_ONE))
            return error_set(err, ERR_USAGE, "Missing argument '%s%s'.", at->name,
                             is_list ? "..." : "");
        if (!is_list && next < words->count)
            *(char **)field = words->items[next++];
        while (is_list && next < words->count)
            strlist_add(field, words->items[next++]);
    }
    if (next < words->count) {
        auto_strbuf struct strbuf extra = STRBUF_INIT;

        for (size_t i = next; i < words->count; i++)
            strbuf_addf(&extra, "%s%s", i > next ? " " : "", words->items[i]);
        return error_set(err, ERR_USAGE, "Got unexpected extra argument%s (%s)",
                         words->count - next > 1 ? "s" : "", strbuf_text(&extra));
    }
    return 0;
}

static void set_defaults(const struct command *command, void *args)
{
    for (const struct option_def *at = command->options; at && at->name; at++)
        if (at->kind == OPT_NUMBER)
            *(long *)((char *)args + at->offset) = at->value;
}

/* The words of a command that is no group, options and arguments in any order. */
static int parse_command(struct parsed *out, int count, char **words, struct error *err)
{
    struct parser parser = {.out = out, .scope_count = 3};
    bool options_end = false;
    int result = 0;

    out->args = xcalloc(1, out->command->args_size);
    set_defaults(out->command, out->args);
    parser.scopes[0] = (struct option_scope){out->command->options, out->args};
    parser.scopes[1] = (struct option_scope){outer_options(out->path, out->depth), &out->globals};
    parser.scopes[2] = (struct option_scope){help_options, &out->globals};
    for (int at = 0; at < count && !wants_only_text(out) && result >= 0;) {
        if (!options_end && !strcmp(words[at], "--")) {
            options_end = true;
            at++;
        } else if (!options_end && is_option(words[at])) {
            result = parse_option(&parser, count, words, at, err);
            at += result;
        } else {
            options_end |= out->command->stops_at_argument;
            strlist_add(&out->words, words[at++]);
        }
    }
    if (result >= 0)
        result = 0;
    if (!result && !wants_only_text(out))
        result = assign_arguments(&parser, err);
    if (!result && !wants_only_text(out))
        result = apply_variables(&parser, err);
    if (!result && !wants_only_text(out))
        result = missing_option(&parser, err);
    return result;
}

static int no_such_command(const struct command *group, const char *typed, struct error *err)
{
    auto_strlist struct strlist names = STRLIST_INIT;
    auto_strlist struct strlist close = STRLIST_INIT;
    auto_strbuf struct strbuf text = STRBUF_INIT;

    for (const struct command *const *at = group->subcommands; *at; at++)
        strlist_add(&names, (*at)->name);
    suggest_words(typed, &names, COMMAND_CUTOFF, &close);
    strbuf_addf(&text, "No such command '%s'.", typed);
    for (size_t i = 0; i < close.count; i++)
        strbuf_addf(&text, "%s    %s", i ? "\n" : "\n\nDid you mean one of these?\n",
                    close.items[i]);
    return error_set(err, ERR_USAGE, "%s", strbuf_text(&text));
}

static void enter(struct parsed *out, const struct command *command)
{
    assert(out->depth < COMMAND_DEPTH);
    out->path[out->depth++] = command;
    out->command = command;
}

/* Options of a group up to the name of a subcommand; returns the number of words, or -1 with *used
 * at the option that the group does not know. */
static int parse_group_options(struct parsed *out, int count, char **words, int *used,
                               struct error *err)
{
    struct parser parser = {.out = out, .scope_count = 3};

    parser.scopes[0] = (struct option_scope){out->command->options, &out->globals};
    parser.scopes[1] = (struct option_scope){outer_options(out->path, out->depth), &out->globals};
    parser.scopes[2] = (struct option_scope){help_options, &out->globals};
    for (*used = 0; *used < count && is_option(words[*used]) && !wants_only_text(out);) {
        int taken = parse_option(&parser, count, words, *used, err);

        if (taken < 0)
            return -1;
        *used += taken;
    }
    return 0;
}

static int parse_words(struct app *app, struct parsed *out, int count, char **words,
                       struct error *err);

static int parse_group(struct app *app, struct parsed *out, int count, char **words,
                       struct error *err)
{
    const struct command *group = out->command, *next = NULL;
    int used, result = parse_group_options(out, count, words, &used, err);

    words += used;
    count -= used;
    if (!result && (!count || wants_only_text(out)))
        return 0;
    if (!result)
        next = command_find(group, words[0]);
    if (next) {
        words++;
        count--;
    } else if (group->guess) {
        next = group->guess(app, group, &count, &words);
    }
    if (!next)
        return result < 0 ? -1 : no_such_command(group, words[0], err);
    *err = (struct error){0};
    enter(out, next);
    return parse_words(app, out, count, words, err);
}

static int parse_words(struct app *app, struct parsed *out, int count, char **words,
                       struct error *err)
{
    if (out->command->subcommands)
        return parse_group(app, out, count, words, err);
    if (!out->command->is_passed_on)
        return parse_command(out, count, words, err);
    out->rest = words;
    out->rest_count = count;
    return 0;
}

int parse_command_line(struct app *app, const struct command *root, int count, char **words,
                       struct parsed *out, struct error *err)
{
    *out = (struct parsed){0};
    enter(out, root);
    return parse_words(app, out, count, words, err);
}

void parsed_clear(struct parsed *parsed)
{
    const struct command *command = parsed->command;

    for (const struct option_def *at = parsed->args ? command->options : NULL; at && at->name; at++)
        if (at->kind == OPT_LIST)
            strlist_clear((struct strlist *)((char *)parsed->args + at->offset));
    for (const struct argument_def *at = parsed->args ? command->arguments : NULL; at && at->name;
         at++)
        if (at->kind == ARG_MANY || at->kind == ARG_AT_LEAST_ONE)
            strlist_clear((struct strlist *)((char *)parsed->args + at->offset));
    free(parsed->args);
    strlist_clear(&parsed->words);
    *parsed = (struct parsed){0};
}

enum environment_policy parsed_environment_policy(const struct parsed *parsed)
{
    for (size_t i = parsed->depth; i > 0; i--)
        if (parsed->path[i - 1]->environment)
            return parsed->path[i - 1]->environment;
    return ENVIRONMENT_UNUSED;
}
