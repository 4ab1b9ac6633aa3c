/* config/dotenv.h - .env files: reading with python-dotenv's rules, editing in place. */
#ifndef CONFIG_DOTENV_H
#define CONFIG_DOTENV_H

#include "base/error.h"
#include "base/strbuf.h"
#include "base/strmap.h"

/* Reads path; a file that does not exist gives no values, a key without '=' gives none either.
 * ${VAR} and ${VAR:-default} are interpolated from earlier keys, then from environ_map. Lines that
 * cannot be read are passed over with a warning that names the line. */
int dotenv_load(const char *path, const struct strmap *environ_map, struct strmap *out,
                struct error *err);

/* Sets or replaces one key and keeps every other byte of the file; a new file has mode 0600. */
int dotenv_set(const char *path, const char *key, const char *value, struct error *err);
/* Removes every line of the key; *found says whether there was one. */
int dotenv_unset(const char *path, const char *key, bool *found, struct error *err);

/* A line "KEY='value'" that dotenv_load() reads back as the same value. */
void strbuf_add_dotenv_line(struct strbuf *out, const char *key, const char *value);

#endif
