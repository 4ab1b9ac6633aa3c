/* project/check.h - the checks that the entries of project files have in common.
 *
 * what names the entry in messages: "extractor 'tap-x'". As in Meltano, a value that Python takes
 * for false (null, "", [], {}, 0, false) stands for an absent one wherever a map or a list is
 * expected. */
#ifndef PROJECT_CHECK_H
#define PROJECT_CHECK_H

#include "base/error.h"
#include "base/strlist.h"
#include "base/value.h"

/* The entry itself must be a mapping. */
int check_entry(const struct value *entry, const char *what, struct error *err);
/* Refuses every key that is not in the NULL-terminated list. */
int check_keys(const struct value *entry, const char *what, const char *const *allowed,
               struct error *err);
/* *out is NULL when the key is absent or its value counts as false. */
int check_map(const struct value *entry, const char *what, const char *key, struct value **out,
              struct error *err);
int check_list(const struct value *entry, const char *what, const char *key, struct value **out,
               struct error *err);
/* A list that must be there to be walked: an empty text or mapping counts as one, null does not. */
int check_iterable(const struct value *entry, const char *what, const char *key,
                   const struct value **out, struct error *err);
/* A scalar as Python's str() gives it; NULL when absent or null. The caller frees *out. */
int check_text(const struct value *entry, const char *what, const char *key, char **out,
               struct error *err);
/* As check_text(), but the key must be there and not null. */
int check_required_text(const struct value *entry, const char *what, const char *key, char **out,
                        struct error *err);
/* A list of scalars; out stays empty when it is absent. */
int check_texts(const struct value *entry, const char *what, const char *key, struct strlist *out,
                struct error *err);
/* The key "name", which must be a string without ':' (that separates the parts of state ids). */
int check_name(const struct value *entry, const char *what, char **out, struct error *err);
/* Whether the text of the key, if there is one, can name a file below a directory: it is not
 * absolute and does not go up. */
int check_path_part(const struct value *entry, const char *what, const char *key,
                    struct error *err);

#endif
