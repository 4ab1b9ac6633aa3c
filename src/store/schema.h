/* store/schema.h - brings a database to the tables of Meltano 4.4.1 and adds our own. */
#ifndef STORE_SCHEMA_H
#define STORE_SCHEMA_H

#include "store/db.h"

/* Creates what is missing in an empty database, migrates one of an older Meltano, and refuses what
 * it does not know (ERR_DATABASE). Does not write when there is nothing to do. */
int schema_prepare(struct db *db, struct error *err);

enum schema_tables { SCHEMA_NO_TABLES, SCHEMA_MELTANO_TABLES, SCHEMA_ALL_TABLES };

/* For a database that must not be written: says what can be read, and refuses what could only be
 * read after a migration. */
int schema_check(struct db *db, enum schema_tables *out, struct error *err);

#endif
