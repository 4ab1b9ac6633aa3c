/* project/lock_file.h - plugins/<plural>/<name>--<variant>.lock, in Meltano's exact form. */
#ifndef PROJECT_LOCK_FILE_H
#define PROJECT_LOCK_FILE_H

#include "base/error.h"
#include "base/strbuf.h"
#include "base/value.h"
#include "project/project.h"

/* A definition as the hub has it, in the form of a lock file: keys in Meltano's order, empty ones
 * left out, passwords marked as sensitive. where names the definition in messages. The caller
 * frees *out. */
int lock_file_from_definition(enum plugin_type type, const struct value *definition,
                              const char *where, struct value **out, struct error *err);
/* The bytes of the file. */
void lock_file_render(struct strbuf *out, const struct value *lock);
/* Writes the file where Meltano looks for it; *path (may be NULL) is the caller's to free. */
int lock_file_save(const struct project *project, const struct value *lock, char **path,
                   struct error *err);

#endif
