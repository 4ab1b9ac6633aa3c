/* store/foreign.h - a look at the database of another program that migrates with Alembic: Airflow's
 * metadata. Nothing is ever written there. */
#ifndef STORE_FOREIGN_H
#define STORE_FOREIGN_H

#include "base/error.h"

#include <stdbool.h>

/* Whether a database of this URI's kind can be looked at from here. */
bool foreign_is_supported(const char *uri);

/* Connects, and reads which revision the schema has. *revision is NULL when the database has no
 * schema yet, or is an SQLite file that does not exist; the caller frees it. name and setting are
 * what messages call the database and the setting that holds its URI. ERR_DATABASE. */
int foreign_read_revision(const char *uri, const char *name, const char *setting, char **revision,
                          struct error *err);

#endif
