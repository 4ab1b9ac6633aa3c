/* store/db_uri.h - SQLAlchemy's database URLs: dialect[+driver]://user:password@host:port/db?query.
 */
#ifndef STORE_DB_URI_H
#define STORE_DB_URI_H

#include "base/error.h"
#include "base/strmap.h"

struct db_uri {
    char *dialect;  /* "sqlite", "postgresql": without the driver */
    char *user;     /* decoded; NULL when absent, as the following */
    char *password; /* decoded */
    char *host;
    char *port;
    char *database;      /* as written: SQLAlchemy does not decode it */
    struct strmap query; /* decoded; the values of a repeated key are joined by commas */
};

void db_uri_free(struct db_uri *uri);
DEFINE_AUTO_FREE(struct db_uri, db_uri, db_uri_free)
#define auto_db_uri ATTR_CLEANUP(db_uri_auto)

/* NULL when the text has not that form (ERR_CONFIG, without showing it: it may hold a password). A
 * password is added to the secrets that are masked. */
struct db_uri *db_uri_parse(const char *text, struct error *err);

#endif
