/* Settings kept in the database: Python pickles in the table plugin_settings. */
#include "store/pickle.h"
#include "store/store_impl.h"

SQL_DECLARE(settings_read);
SQL_DECLARE(setting_write);
SQL_DECLARE(setting_delete);
SQL_DECLARE(settings_clear);

static int read_setting(const struct db_rows *rows, size_t row, struct value *map,
                        struct error *err)
{
    const char *name = db_rows_text(rows, row, 0);
    const struct db_cell *pickle = db_rows_cell(rows, row, 1);
    struct value *value;

    if (!pickle->bytes)
        value = value_new_null();
    else if (pickle_read(pickle->bytes, pickle->size, &value, err) < 0)
        return error_wrap(err, "%s", name);
    value_set_take(map, name, value);
    return 0;
}

int store_settings_read(struct store *store, const char *setting_namespace, struct value **out,
                        struct error *err)
{
    auto_db_rows struct db_rows rows = DB_ROWS_INIT;
    auto_value struct value *map = value_new_map();

    if (store_select(store, SCHEMA_MELTANO_TABLES, SQL(settings_read),
                     DB_VALUES(db_text(setting_namespace)), &rows, err) < 0)
        return -1;
    for (size_t i = 0; i < rows.count; i++)
        if (read_setting(&rows, i, map, err) < 0)
            return -1;
    *out = take(map);
    return 0;
}

struct setting_work {
    const char *setting_namespace;
    const char *name;
    struct strbuf pickle;
    bool found;
};

static int write_setting(struct db *db, void *context, struct error *err)
{
    const struct setting_work *work = context;

    return db_query(db, SQL(setting_write),
                    DB_VALUES(db_text(work->name), db_text(work->setting_namespace),
                              db_bytes(work->pickle.text, work->pickle.length), db_int(1)),
                    NULL, err);
}

int store_setting_write(struct store *store, const char *setting_namespace, const char *name,
                        const struct value *value, struct error *err)
{
    struct setting_work work = {setting_namespace, name, STRBUF_INIT, false};
    int failed;

    pickle_write(&work.pickle, value);
    failed = store_transaction(store, DB_DURABLE, write_setting, &work, err);
    strbuf_clear(&work.pickle);
    return failed;
}

static int delete_setting(struct db *db, void *context, struct error *err)
{
    struct setting_work *work = context;
    auto_db_rows struct db_rows rows = DB_ROWS_INIT;

    if (db_query(db, SQL(setting_delete),
                 DB_VALUES(db_text(work->setting_namespace), db_text(work->name)), &rows, err) < 0)
        return -1;
    work->found = rows.changed > 0;
    return 0;
}

int store_setting_delete(struct store *store, const char *setting_namespace, const char *name,
                         bool *found, struct error *err)
{
    struct setting_work work = {.setting_namespace = setting_namespace, .name = name};

    if (store_transaction(store, DB_DURABLE, delete_setting, &work, err) < 0)
        return -1;
    if (found)
        *found = work.found;
    return 0;
}

static int clear_settings(struct db *db, void *context, struct error *err)
{
    const struct setting_work *work = context;

    return db_query(db, SQL(settings_clear), DB_VALUES(db_text(work->setting_namespace)), NULL,
                    err);
}

int store_settings_clear(struct store *store, const char *setting_namespace, struct error *err)
{
    struct setting_work work = {.setting_namespace = setting_namespace};

    return store_transaction(store, DB_DURABLE, clear_settings, &work, err);
}
