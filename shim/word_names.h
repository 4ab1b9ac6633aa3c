/* shim/word_names.h - the names in a project that a word of a command line can be. */
#ifndef SHIM_WORD_NAMES_H
#define SHIM_WORD_NAMES_H

#include "base/strlist.h"
#include "shim/app.h"

/* Adds the names of the project around the current directory; none when there is no project.
 * Nothing is asked of the network, no database is made. */
void word_names_add(struct app *app, enum word_kind kind, struct strlist *out);

#endif
