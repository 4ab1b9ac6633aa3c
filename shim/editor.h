/* shim/editor.h - lets a person change a text in the editor of their choice. */
#ifndef SHIM_EDITOR_H
#define SHIM_EDITOR_H

#include "base/error.h"
#include "base/strbuf.h"
#include "base/strmap.h"

/* Opens $VISUAL, $EDITOR or vi on a temporary file (0600) whose name ends in suffix, and replaces
 * text by what the file holds afterwards. */
int edit_text(const struct strmap *environment, const char *suffix, struct strbuf *text,
              struct error *err);

#endif
