#include "shim/help.h"

#include "base/memory.h"

#include <assert.h>
#include <string.h>

#define PAGE_WIDTH 80
/* Where explanations begin, and how long a name may be to stand on the same line. */
#define TEXT_COLUMN 30

static const struct option_def help_row[] = {
    {.name = "help", .kind = OPT_FLAG, .help = "Show this text and exit."},
    {0},
};

void help_add_path(struct strbuf *out, const char *program, const struct command *const *path,
                   size_t depth)
{
    strbuf_add(out, program);
    for (size_t i = 1; i < depth; i++)
        strbuf_addf(out, " %s", path[i]->name);
}

static void add_argument(struct strbuf *out, const struct argument_def *argument)
{
    bool is_optional = argument->kind == ARG_OPTIONAL || argument->kind == ARG_MANY;
    bool is_list = argument->kind == ARG_MANY || argument->kind == ARG_AT_LEAST_ONE;

    strbuf_addf(out, " %s%s%s%s", is_optional ? "[" : "", argument->name, is_optional ? "]" : "",
                is_list ? "..." : "");
}

void help_add_usage(struct strbuf *out, const char *program, const struct command *const *path,
                    size_t depth)
{
    const struct command *command = path[depth - 1];

    strbuf_add(out, "Usage: ");
    help_add_path(out, program, path, depth);
    strbuf_add(out, " [OPTIONS]");
    if (command->subcommands)
        strbuf_add(out, " COMMAND [ARGS]...");
    for (const struct argument_def *at = command->arguments; at && at->name; at++)
        add_argument(out, at);
    strbuf_add_char(out, '\n');
}

char *help_metavar(const struct option_def *option)
{
    static const char *const by_kind[OPT_KIND_COUNT] = {
        [OPT_STRING] = "TEXT", [OPT_LIST] = "TEXT", [OPT_NUMBER] = "N", [OPT_UUID] = "UUID"};
    struct strbuf choices = STRBUF_INIT;

    if (option->metavar)
        return xstrdup(option->metavar);
    if (option->kind != OPT_CHOICE)
        return xstrdup_or_null(by_kind[option->kind]);
    for (size_t i = 0; option->choices[i]; i++)
        strbuf_addf(&choices, "%s%s", i ? "|" : "", option->choices[i]);
    return strbuf_take(&choices);
}

void help_add_option(struct strbuf *out, const struct option_def *option)
{
    auto_free char *metavar = help_metavar(option);

    if (option->letter)
        strbuf_addf(out, "-%c, ", option->letter);
    strbuf_addf(out, "--%s", option->name);
    if (option->alias)
        strbuf_addf(out, ", --%s", option->alias);
    if (metavar)
        strbuf_addf(out, " %s", metavar);
}

/* One line of text, filled up to the page's width and continued at column, where the first line
 * is already. A line that begins with blanks is left as it is. */
static void add_wrapped_line(struct strbuf *out, const char *text, size_t length, size_t column)
{
    size_t used = column;

    if (*text == ' ') {
        strbuf_add_bytes(out, text, length);
        return;
    }
    for (size_t at = 0; at < length;) {
        size_t word = strcspn(text + at, " \n");

        if (used > column && used + 1 + word > PAGE_WIDTH) {
            strbuf_add_char(out, '\n');
            strbuf_add_repeat(out, ' ', column);
            used = column;
        } else if (used > column) {
            strbuf_add_char(out, ' ');
            used++;
        }
        strbuf_add_bytes(out, text + at, word);
        used += word;
        at += word + 1;
    }
}

static void add_wrapped(struct strbuf *out, const char *text, size_t column)
{
    while (*text) {
        size_t length = strcspn(text, "\n");

        add_wrapped_line(out, text, length, column);
        strbuf_add_char(out, '\n');
        text += length + (text[length] == '\n');
        if (*text && *text != '\n')
            strbuf_add_repeat(out, ' ', column);
    }
}

static void add_row(struct strbuf *out, const char *name, const char *text)
{
    size_t used = 2 + strlen(name);

    strbuf_addf(out, "  %s", name);
    if (used + 2 > TEXT_COLUMN) {
        strbuf_add_char(out, '\n');
        used = 0;
    }
    strbuf_add_repeat(out, ' ', TEXT_COLUMN - used);
    add_wrapped(out, text, TEXT_COLUMN);
}

static void add_option_row(struct strbuf *out, const struct option_def *option)
{
    auto_strbuf struct strbuf name = STRBUF_INIT;
    auto_strbuf struct strbuf text = STRBUF_INIT;

    if (option->is_hidden)
        return;
    help_add_option(&name, option);
    strbuf_add(&text, option->help);
    if (option->is_required)
        strbuf_add(&text, " [required]");
    if (option->env)
        strbuf_addf(&text, " [env: %s]", option->env);
    add_row(out, strbuf_text(&name), strbuf_text(&text));
}

static void add_commands(struct strbuf *out, const struct command *group, bool passed_on)
{
    const char *title =
        passed_on ? "\nCommands that are handed to the Python Meltano:\n" : "\nCommands:\n";

    for (const struct command *const *at = group->subcommands; at && *at; at++) {
        if ((*at)->is_hidden || (*at)->is_passed_on != passed_on)
            continue;
        strbuf_add(out, title);
        title = "";
        add_row(out, (*at)->name, (*at)->summary);
    }
}

void help_add_text(struct strbuf *out, const char *program, const struct command *const *path,
                   size_t depth)
{
    const struct command *command = path[depth - 1];

    help_add_usage(out, program, path, depth);
    strbuf_add(out, "\n  ");
    add_wrapped(out, command->summary, 2);
    if (command->details) {
        strbuf_add(out, "\n  ");
        add_wrapped(out, command->details, 2);
    }
    strbuf_add(out, "\nOptions:\n");
    for (const struct option_def *at = command->options; at && at->name; at++)
        add_option_row(out, at);
    for (const struct option_def *at = outer_options(path, depth); at->name; at++)
        add_option_row(out, at);
    add_option_row(out, help_row);
    if (command->subcommands) {
        add_commands(out, command, false);
        add_commands(out, command, true);
    }
}

/* --- docs/cli.md -------------------------------------------------------------------------- */

/* Text for a cell of a Markdown table. */
static void add_cell(struct strbuf *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '|')
            strbuf_add_char(out, '\\');
        strbuf_add_char(out, *text == '\n' ? ' ' : *text);
    }
}

static void add_option_cells(struct strbuf *out, const struct option_def *option)
{
    auto_strbuf struct strbuf name = STRBUF_INIT;

    if (option->is_hidden)
        return;
    help_add_option(&name, option);
    strbuf_add(out, "| `");
    add_cell(out, strbuf_text(&name));
    strbuf_add(out, "` | ");
    add_cell(out, option->help);
    strbuf_addf(out, "%s |", option->is_required ? " Required." : "");
    if (option->env)
        strbuf_addf(out, " `%s`", option->env);
    strbuf_add(out, " |\n");
}

static void add_option_table(struct strbuf *out, const struct command *command)
{
    bool has_rows = false;

    for (const struct option_def *at = command->options; at && at->name; at++) {
        if (at->is_hidden)
            continue;
        if (!has_rows)
            strbuf_add(out, "\n| option | effect | variable |\n|---|---|---|\n");
        has_rows = true;
        add_option_cells(out, at);
    }
}

static void add_section(struct strbuf *out, const struct command **path, size_t depth)
{
    const struct command *command = path[depth - 1];
    auto_strbuf struct strbuf usage = STRBUF_INIT;

    if (command->is_hidden || command->is_passed_on)
        return;
    help_add_usage(&usage, "meltshim", path, depth);
    if (depth > 1) {
        strbuf_addf(out, "\n%s ", depth == 2 ? "##" : "###");
        help_add_path(out, path[1]->name, path + 1, depth - 1);
        strbuf_addf(out, "\n%s\n", command->summary);
    }
    if (command->details)
        strbuf_addf(out, "\n%s\n", command->details);
    strbuf_addf(out, "\n    %s", strbuf_text(&usage) + strlen("Usage: "));
    add_option_table(out, command);
    for (const struct command *const *at = command->subcommands; at && *at; at++) {
        assert(depth < COMMAND_DEPTH);
        path[depth] = *at;
        add_section(out, path, depth + 1);
    }
}

void help_add_reference(struct strbuf *out, const struct command *root)
{
    const struct command *path[COMMAND_DEPTH] = {root};
    const char *separator = "";

    strbuf_add(out, "# Command line\n\n"
                    "Made from the command tables by `make docs`; a test fails when it is out of "
                    "date.\n\n"
                    "Options take `--name=value` or `--name value`, may stand after arguments, and "
                    "accept `_` for `-`. Every command has `--help`; every command that works in a "
                    "project takes `--database-uri TEXT`.\n");
    add_section(out, path, 1);
    strbuf_add(out, "\n## Handed to the Python Meltano\n"
                    "When a Python `meltano` is on the PATH it is started in place of this program "
                    "for: ");
    for (const struct command *const *at = root->subcommands; *at; at++)
        if ((*at)->is_passed_on && !(*at)->is_hidden) {
            strbuf_addf(out, "%s`%s`", separator, (*at)->name);
            separator = ", ";
        }
    strbuf_add(out, ". Otherwise they end with exit status 2 and say so.\n");
}
