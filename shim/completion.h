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

/* Adds the names that a word of this kind can be. */
typedef void complete_names(void *context, enum word_kind kind, struct strlist *out);

/* What the last of words (the program's name first) can be completed to. An empty list leaves the
 * word to the shell, which offers files. */
void complete_words(const struct command *root, const struct strlist *words, complete_names *names,
                    void *context, struct candidate_list *out);

#endif
