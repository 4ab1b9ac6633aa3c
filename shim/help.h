/* shim/help.h - usage lines, --help and the reference page, from the command tables. */
#ifndef SHIM_HELP_H
#define SHIM_HELP_H

#include "base/strbuf.h"
#include "shim/parse.h"

/* "meltshim schedule add": the words that lead to the command. */
void help_add_path(struct strbuf *out, const char *program, const struct command *const *path,
                   size_t depth);
/* "Usage: meltshim schedule add [OPTIONS] NAME" and a line feed. */
void help_add_usage(struct strbuf *out, const char *program, const struct command *const *path,
                    size_t depth);
/* What --help prints. */
void help_add_text(struct strbuf *out, const char *program, const struct command *const *path,
                   size_t depth);

/* What stands for an option's value: "TEXT", "text|json"; NULL when it takes none. The caller
 * frees it. */
char *help_metavar(const struct option_def *option);
/* "-f, --force", "--limit N" */
void help_add_option(struct strbuf *out, const struct option_def *option);

/* docs/cli.md: every command that is not hidden. */
void help_add_reference(struct strbuf *out, const struct command *root);

#endif
