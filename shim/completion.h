/* shim/completion.h - what could come next on a command line. */
#ifndef SHIM_COMPLETION_H
#define SHIM_COMPLETION_H

#include "base/strlist.h"
#include "shim/command.h"

/* A word that fits, and what it means (may be empty). */
struct candidate {
    char *word;
    char *meaning;
};

struct candidate_list {
    struct candidate *items;
    size_t count, capacity;
};
void candidate_list_clear(struct candidate_list *list);

/* What the last of words (the program's name first) can be completed to. An empty list leaves the
 * word to the shell, which offers files. */
void complete_words(const struct command *root, const struct strlist *words,
                    struct candidate_list *out);

#endif
