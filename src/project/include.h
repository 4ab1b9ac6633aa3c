/* project/include.h - the files that include_paths: of meltano.yml adds to it. */
#ifndef PROJECT_INCLUDE_H
#define PROJECT_INCLUDE_H

#include "base/error.h"
#include "base/strlist.h"
#include "base/value.h"

/* The files that the patterns match, absolute, each once: by pattern, then bytewise by name (where
 * Meltano takes the order of the directory). *, ?, [...] and ** mean what they mean to Python's
 * Path.glob(). A match that is no file inside the root is refused; no match is none. */
int include_find(const char *root, const struct value *patterns, struct strlist *files,
                 struct error *err);

/* Reads the files and merges them into document: mappings key by key, lists appended, anything
 * else replaced. An entry of the same name in two of them is refused. */
int include_merge(const char *root, const struct strlist *files, struct value *document,
                  struct error *err);

/* A YAML file of the project as a tree whose positions name it relative to the root. */
int project_file_load(const char *root, const char *path, struct value **out, struct error *err);

#endif
