/* shim/parse.h - from words to a command and its arguments, as click does it for Meltano. */
#ifndef SHIM_PARSE_H
#define SHIM_PARSE_H

#include "base/strlist.h"
#include "shim/command.h"

#define COMMAND_DEPTH 4

struct parsed {
    const struct command *path[COMMAND_DEPTH]; /* the root first */
    size_t depth;
    const struct command *command; /* the last of path */
    void *args;                    /* of the command; NULL for a group */
    struct global_options globals;
    struct strlist words; /* arguments that are no options; private */
    int rest_count;       /* the words after the name of a command that is passed on */
    char **rest;
};

/* Fills in *out; what it says so far is good for a usage line also when the parse fails
 * (ERR_USAGE). Nothing is required any more once --help or --version was seen. The words must
 * outlive *out, which the caller clears with parsed_clear(). app is handed to the guesses of
 * groups. */
int parse_command_line(struct app *app, const struct command *root, int count, char **words,
                       struct parsed *out, struct error *err);
void parsed_clear(struct parsed *parsed);

/* The policy of the innermost command that has one. */
enum environment_policy parsed_environment_policy(const struct parsed *parsed);

/* The options that a command understands besides its own; ends in {0}. */
const struct option_def *outer_options(const struct command *const *path, size_t depth);
/* By name, '_' read as '-'; NULL when there is none. */
const struct command *command_find(const struct command *group, const char *name);
const struct option_def *option_find(const struct option_def *options, const char *name);

#endif
