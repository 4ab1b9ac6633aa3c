#include "shim/python_meltano.h"

#include "base/memory.h"
#include "process/find_program.h"
#include "process/process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Counts how often a command was handed on: a `meltano` that is a script around us would come back
 * for ever. Meltano itself starts a Meltano in places, so once is not enough. */
#define HOPS_VARIABLE "MELTSHIM_HANDED_ON"
#define MOST_HOPS     3

char *python_meltano_find(const struct strmap *environment)
{
    return find_other_program("meltano", strmap_get(environment, "PATH"));
}

/* Meltano knows our --project-root by its own name only. */
static void add_word(struct strlist *words, const char *word)
{
    static const char ours[] = "--project-root", theirs[] = "--cwd";

    if (!strncmp(word, ours, strlen(ours)) && strchr("=", word[strlen(ours)]))
        strlist_addf(words, "%s%s", theirs, word + strlen(ours));
    else
        strlist_add(words, word);
}

int python_meltano_exec(const struct strlist *argv, const struct strmap *environment,
                        struct error *err)
{
    auto_free char *program = python_meltano_find(environment);
    auto_strmap struct strmap variables = STRMAP_INIT;
    auto_strlist struct strlist words = STRLIST_INIT;
    auto_strlist struct strlist strings = STRLIST_INIT;
    const char *hops_text = strmap_get(environment, HOPS_VARIABLE);
    long hops = hops_text ? strtol(hops_text, NULL, 10) : 0;

    if (!program) {
        error_set(err, ERR_USAGE,
                  "this command is left to the Python Meltano, and there is no other "
                  "'meltano' on the PATH");
        return error_hint(err, "Install it, for example with 'pipx install meltano'.");
    }
    if (hops >= MOST_HOPS) {
        error_set(err, ERR_USAGE, "%s hands this command back to meltshim", program);
        return error_hint(err, "Put the Python Meltano before it on the PATH.");
    }
    strlist_add(&words, program);
    for (size_t i = 1; i < argv->count; i++)
        add_word(&words, argv->items[i]);
    strmap_copy(&variables, environment);
    strmap_setf(&variables, HOPS_VARIABLE, "%ld", hops + 1);
    strmap_to_environ(&variables, &strings);
    return process_replace((const char *const *)words.items, (const char *const *)strings.items,
                           err);
}
