#include "store/foreign.h"

#include "store/store_impl.h"

#include "base/memory.h"

#include <string.h>

SQL_DECLARE(schema_revision);

bool foreign_is_supported(const char *uri)
{
    static const char *const dialects[] = {"sqlite", "postgresql", "postgres"};
    size_t length = strcspn(uri, "+:");

    for (size_t i = 0; i < ARRAY_LEN(dialects); i++)
        if (strlen(dialects[i]) == length && !strncmp(uri, dialects[i], length))
            return true;
    return false;
}

static int read_revision(struct db *db, char **revision, struct error *err)
{
    auto_db_rows struct db_rows tables = DB_ROWS_INIT, rows = DB_ROWS_INIT;

    if (db_query(db, db->driver->tables_sql, DB_VALUES(db_text("alembic_version")), &tables, err) <
        0)
        return -1;
    if (!tables.count)
        return 0;
    if (db_query(db, SQL(schema_revision), DB_NO_VALUES, &rows, err) < 0)
        return -1;
    if (rows.count)
        *revision = db_rows_take_text(&rows, 0, 0);
    return 0;
}

int foreign_read_revision(const char *uri, const char *name, const char *setting, char **revision,
                          struct error *err)
{
    auto_db_uri struct db_uri *parsed = db_uri_parse(uri, err);
    struct db db = {.uri = parsed, .name = name, .setting = setting, .read_only = true};
    int result;

    if (!parsed)
        return error_wrap(err, "%s", setting);
    db.driver = store_find_driver(parsed, err);
    if (!db.driver)
        return -1;
    *revision = NULL;
    result = db.driver->connect(&db, err);
    if (!result)
        result = read_revision(&db, revision, err);
    db.driver->close(&db);
    return result;
}
