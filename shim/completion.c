#include "shim/completion.h"

#include "base/memory.h"
#include "shim/app.h"
#include "shim/commands.h"
#include "shim/help.h"
#include "shim/word_names.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Each script asks the program itself at every press of the key; a start costs little, and so the
 * answer knows the plugins, jobs and schedules of the project. */
static const char bash_script[] =
    "_meltshim() {\n"
    "    local IFS=$'\\n'\n"
    "    COMPREPLY=($(\"$1\" complete bash \"${COMP_WORDS[@]:0:COMP_CWORD+1}\" 2>/dev/null))\n"
    "    [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == --*= ]] && compopt -o nospace\n"
    "}\n"
    "complete -o default -F _meltshim meltshim\n";

static const char zsh_script[] = "#compdef meltshim\n"
                                 "_meltshim() {\n"
                                 "    local -a candidates\n"
                                 "    candidates=(\"${(@f)$(\"$words[1]\" complete zsh "
                                 "\"${(@)words[1,CURRENT]}\" 2>/dev/null)}\")\n"
                                 "    if [[ -n ${candidates[1]} ]]; then\n"
                                 "        _describe meltshim candidates\n"
                                 "    else\n"
                                 "        _files\n"
                                 "    fi\n"
                                 "}\n"
                                 "if [ \"$funcstack[1]\" = _meltshim ]; then\n"
                                 "    _meltshim \"$@\"\n"
                                 "else\n"
                                 "    compdef _meltshim meltshim\n"
                                 "fi\n";

static const char fish_script[] =
    "function __meltshim_complete\n"
    "    set -l words (commandline -opc) (commandline -ct)\n"
    "    set -l candidates ($words[1] complete fish $words 2>/dev/null)\n"
    "    if test (count $candidates) -gt 0\n"
    "        printf '%s\\n' $candidates\n"
    "    else\n"
    "        __fish_complete_path (commandline -ct)\n"
    "    end\n"
    "end\n"
    "complete -c meltshim -f -a '(__meltshim_complete)'\n";

/* --- candidates --------------------------------------------------------------------------- */

void candidate_list_clear(struct candidate_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].word);
        free(list->items[i].meaning);
    }
    free(list->items);
    *list = (struct candidate_list){0};
}

/* Where candidates go, and what they must begin with. */
struct completion {
    struct candidate_list *out;
    const char *typed;  /* the part that is completed */
    const char *before; /* "--format=": comes back in front of each candidate */
    complete_names *names;
    void *context;
};

static void offer(const struct completion *completion, const char *word, const char *meaning)
{
    struct candidate_list *out = completion->out;

    if (strncmp(word, completion->typed, strlen(completion->typed)) != 0)
        return;
    GROW(out->items, out->count, out->capacity);
    out->items[out->count++] =
        (struct candidate){xasprintf("%s%s", completion->before, word), xstrdup(meaning)};
}

static void offer_commands(const struct completion *completion, const struct command *group)
{
    for (const struct command *const *at = group->subcommands; *at; at++)
        if (!(*at)->is_hidden)
            offer(completion, (*at)->name, (*at)->summary);
}

static void offer_options(const struct completion *completion, const struct option_def *options)
{
    for (const struct option_def *at = options; at && at->name; at++) {
        auto_free char *word = xasprintf("--%s", at->name);

        if (!at->is_hidden)
            offer(completion, word, at->help);
    }
}

static void offer_names(const struct completion *completion, enum word_kind kind)
{
    auto_strlist struct strlist names = STRLIST_INIT;

    completion->names(completion->context, kind, &names);
    for (size_t i = 0; i < names.count; i++)
        offer(completion, names.items[i], "");
}

static void offer_values(const struct completion *completion, const struct option_def *option)
{
    for (size_t i = 0; option->kind == OPT_CHOICE && option->choices[i]; i++)
        offer(completion, option->choices[i], "");
    offer_names(completion, option->word);
}

/* The last argument of a table may stand for many words. */
static void offer_argument(const struct completion *completion,
                           const struct argument_def *arguments, size_t position)
{
    const struct argument_def *at = arguments;

    if (!at || !at->name)
        return;
    for (; position > 0 && at[1].name; position--)
        at++;
    if (position == 0 || at->kind == ARG_MANY || at->kind == ARG_AT_LEAST_ONE)
        offer_names(completion, at->word);
}

/* --- where on the line we are ------------------------------------------------------------- */

struct position {
    const struct command *path[COMMAND_DEPTH];
    size_t depth;
    const struct command *command;    /* the last of path */
    size_t arguments;                 /* that stand before the word */
    const struct option_def *pending; /* whose value the word is */
    bool options_end;
};

static void enter(struct position *position, const struct command *command)
{
    assert(position->depth < COMMAND_DEPTH);
    position->path[position->depth++] = command;
    position->command = command;
}

static bool takes_value(const struct option_def *option)
{
    auto_free char *metavar = help_metavar(option);

    return metavar != NULL;
}

static const struct option_def *find_by_letter(const struct option_def *options, char letter)
{
    for (const struct option_def *at = options; at && at->name; at++)
        if (at->letter == letter)
            return at;
    return NULL;
}

static const struct option_def *find_option(const struct position *position, const char *word)
{
    const struct option_def *found;

    if (word[1] != '-')
        return word[2] ? NULL : find_by_letter(position->command->options, word[1]);
    found = option_find(position->command->options, word + 2);
    return found ? found : option_find(outer_options(position->path, position->depth), word + 2);
}

static void pass_word(struct position *position, const char *word)
{
    const struct command *next;

    if (position->pending) {
        position->pending = NULL;
    } else if (!position->options_end && !strcmp(word, "--")) {
        position->options_end = true;
    } else if (!position->options_end && word[0] == '-' && word[1]) {
        const struct option_def *option = strchr(word, '=') ? NULL : find_option(position, word);

        if (option && takes_value(option))
            position->pending = option;
    } else if (position->command->subcommands &&
               (next = command_find(position->command, word)) != NULL) {
        enter(position, next);
    } else {
        position->arguments++;
        position->options_end |= position->command->stops_at_argument;
    }
}

/* "--format=js" */
static bool complete_attached_value(const struct position *position, const char *word,
                                    struct completion *completion)
{
    const char *sign = strchr(word, '=');
    auto_free char *name = NULL, *before = NULL;
    const struct option_def *option;

    if (!sign || strncmp(word, "--", 2) != 0)
        return false;
    name = xstrndup(word, (size_t)(sign - word));
    before = xstrndup(word, (size_t)(sign + 1 - word));
    option = find_option(position, name);
    completion->typed = sign + 1;
    completion->before = before;
    if (option)
        offer_values(completion, option);
    return true;
}

void complete_words(const struct command *root, const struct strlist *words, complete_names *names,
                    void *context, struct candidate_list *out)
{
    struct position position = {0};
    const char *word = words->count > 1 ? words->items[words->count - 1] : "";
    struct completion completion = {out, word, "", names, context};

    enter(&position, root);
    for (size_t i = 1; i + 1 < words->count; i++)
        pass_word(&position, words->items[i]);
    if (position.pending) {
        offer_values(&completion, position.pending);
    } else if (!position.options_end && word[0] == '-') {
        if (complete_attached_value(&position, word, &completion))
            return;
        offer_options(&completion, position.command->options);
        offer_options(&completion, outer_options(position.path, position.depth));
        offer(&completion, "--help", "Show this text and exit.");
    } else if (!position.command->subcommands) {
        offer_argument(&completion, position.command->arguments, position.arguments);
    } else if (!position.arguments) {
        offer_commands(&completion, position.command);
    }
}

/* --- commands ----------------------------------------------------------------------------- */

/* bash splits words at '=' and ':' as well; the signs come as words of their own. *replaced is how
 * much of the last word bash has completed already. */
static void join_bash_words(const struct strlist *pieces, struct strlist *words, size_t *replaced)
{
    bool join = false;

    *replaced = 0;
    for (size_t i = 0; i < pieces->count; i++) {
        const char *piece = pieces->items[i];
        bool is_sign = !strcmp(piece, "=") || !strcmp(piece, ":");

        if ((join || is_sign) && words->count > 1) {
            char **last = &words->items[words->count - 1];
            char *joined = xasprintf("%s%s", *last, piece);

            *replaced = strlen(joined) - (is_sign ? 0 : strlen(piece));
            free(*last);
            *last = joined;
        } else {
            strlist_add(words, piece);
            *replaced = 0;
        }
        join = is_sign;
    }
}

static void add_project_names(void *context, enum word_kind kind, struct strlist *out)
{
    word_names_add(context, kind, out);
}

struct complete_args {
    const char *shell;
    struct strlist words;
};

static void print_candidate(struct app *app, const char *shell, const struct candidate *candidate,
                            size_t replaced)
{
    if (!strcmp(shell, "bash")) {
        app_print(app, "%s\n", candidate->word + replaced);
    } else if (!strcmp(shell, "fish")) {
        app_print(app, "%s\t%s\n", candidate->word, candidate->meaning);
    } else {
        for (const char *at = candidate->word; *at; at++)
            app_print(app, *at == ':' ? "\\%c" : "%c", *at);
        app_print(app, ":%s\n", candidate->meaning);
    }
}

static int run_complete(struct app *app, void *data, struct error *err)
{
    const struct complete_args *args = data;
    struct candidate_list candidates = {0};
    auto_strlist struct strlist words = STRLIST_INIT;
    size_t replaced = 0;

    (void)err;
    if (!strcmp(args->shell, "bash"))
        join_bash_words(&args->words, &words, &replaced);
    else
        strlist_add_all(&words, &args->words);
    complete_words(&root_command, &words, add_project_names, app, &candidates);
    for (size_t i = 0; i < candidates.count; i++)
        print_candidate(app, args->shell, &candidates.items[i], replaced);
    candidate_list_clear(&candidates);
    return 0;
}

static const struct argument_def complete_arguments[] = {
    ARGUMENT_ONE(struct complete_args, shell, "SHELL"),
    ARGUMENT_MANY(struct complete_args, words, "WORDS"),
    {0},
};

const struct command complete_command = {
    .name = "complete",
    .summary = "Answer the completion scripts.",
    .arguments = complete_arguments,
    .args_size = sizeof(struct complete_args),
    .run = run_complete,
    .stops_at_argument = true,
    .stands_alone = true,
    .is_hidden = true,
};

static int print_bash(struct app *app, void *args, struct error *err)
{
    (void)args;
    (void)err;
    app_print(app, "%s", bash_script);
    return 0;
}

static int print_zsh(struct app *app, void *args, struct error *err)
{
    (void)args;
    (void)err;
    app_print(app, "%s", zsh_script);
    return 0;
}

static int print_fish(struct app *app, void *args, struct error *err)
{
    (void)args;
    (void)err;
    app_print(app, "%s", fish_script);
    return 0;
}

static const struct command bash_command = {
    .name = "bash",
    .summary = "Print the script for bash.",
    .details = "To use it in this shell and in those to come:\n\n"
               "    eval \"$(meltshim completion bash)\"\n"
               "    meltshim completion bash > ~/.local/share/bash-completion/completions/meltshim",
    .run = print_bash,
};

static const struct command zsh_command = {
    .name = "zsh",
    .summary = "Print the script for zsh.",
    .details = "To use it in this shell and in those to come:\n\n"
               "    eval \"$(meltshim completion zsh)\"\n"
               "    meltshim completion zsh > ~/.zfunc/_meltshim  # in a directory of $fpath",
    .run = print_zsh,
};

static const struct command fish_command = {
    .name = "fish",
    .summary = "Print the script for fish.",
    .details = "To use it in this shell and in those to come:\n\n"
               "    meltshim completion fish | source\n"
               "    meltshim completion fish > ~/.config/fish/completions/meltshim.fish",
    .run = print_fish,
};

static const struct command *const completion_commands[] = {
    &bash_command,
    &zsh_command,
    &fish_command,
    NULL,
};

const struct command completion_command = {
    .name = "completion",
    .summary = "Print a completion script for a shell.",
    .subcommands = completion_commands,
    .stands_alone = true,
    .status_when_bare = 2,
};
