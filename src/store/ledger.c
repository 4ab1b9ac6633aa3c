#include "store/ledger.h"

#include "base/digest.h"
#include "base/memory.h"

#include <stdio.h>
#include <string.h>

SQL_DECLARE(history_add);
SQL_DECLARE(history_last);
SQL_DECLARE(value_add);
SQL_DECLARE(value_depth);
SQL_DECLARE(value_read);

/* Shorter values are stored whole. */
#define MIN_DELTA_LENGTH 4096
/* So many steps at most lead from a value to one that is stored whole. */
#define MAX_DELTA_DEPTH 32

void ledger_hash(const char *value, char out[LEDGER_HASH_SIZE])
{
    _Static_assert(LEDGER_HASH_SIZE == DIGEST_HEX_SIZE, "the hash is a SHA-256");
    digest_sha256_hex(value, strlen(value), out);
}

static bool is_inside_character(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* What two texts have in common at both ends, without overlap, in whole UTF-8 characters: what is
 * between them is stored as text. */
static void find_common(const char *base, size_t base_length, const char *value, size_t length,
                        size_t *prefix, size_t *suffix)
{
    size_t limit = base_length < length ? base_length : length;

    *prefix = *suffix = 0;
    while (*prefix < limit && base[*prefix] == value[*prefix])
        ++*prefix;
    limit -= *prefix;
    while (*suffix < limit && base[base_length - 1 - *suffix] == value[length - 1 - *suffix])
        ++*suffix;
    while (*prefix && is_inside_character(value[*prefix]))
        --*prefix;
    while (*suffix && is_inside_character(value[length - *suffix]))
        --*suffix;
}

static int read_depth(struct db *db, const char *hash, int64_t *depth, struct error *err)
{
    auto_db_rows struct db_rows rows = DB_ROWS_INIT;

    if (db_query(db, SQL(value_depth), DB_VALUES(db_text(hash)), &rows, err) < 0)
        return -1;
    *depth = rows.count ? db_rows_int(&rows, 0, 0) : -1;
    return 0;
}

/* How much of value lies between what it has in common with its base; *depth is negative when it is
 * not worth storing as a difference. */
static int compare_with_base(struct db *db, const char *value, size_t length, const char *base,
                             const char *base_hash, size_t *prefix, size_t *suffix, int64_t *depth,
                             struct error *err)
{
    size_t base_length = base ? strlen(base) : 0;

    *prefix = *suffix = 0;
    *depth = -1;
    if (length < MIN_DELTA_LENGTH || base_length < MIN_DELTA_LENGTH)
        return 0;
    find_common(base, base_length, value, length, prefix, suffix);
    if (*prefix + *suffix <= length / 2)
        return 0;
    if (read_depth(db, base_hash, depth, err) < 0)
        return -1;
    if (*depth >= MAX_DELTA_DEPTH)
        *depth = -1;
    return 0;
}

static int add_value(struct db *db, const char *value, const char *hash, const char *base,
                     const char *base_hash, struct error *err)
{
    size_t length = strlen(value), prefix, suffix;
    int64_t depth;

    /* What is there already is no base of itself. */
    if (base_hash && !strcmp(hash, base_hash))
        base = NULL;
    if (compare_with_base(db, value, length, base, base_hash, &prefix, &suffix, &depth, err) < 0)
        return -1;
    if (depth < 0)
        return db_query(db, SQL(value_add),
                        DB_VALUES(db_text(hash), db_null(), db_int(0), db_int(0), db_int(0),
                                  db_slice(value, length)),
                        NULL, err);
    return db_query(db, SQL(value_add),
                    DB_VALUES(db_text(hash), db_text(base_hash), db_int((int64_t)prefix),
                              db_int((int64_t)suffix), db_int(depth + 1),
                              db_slice(value + prefix, length - prefix - suffix)),
                    NULL, err);
}

int ledger_add(struct db *db, const struct ledger_entry *entry, const struct ledger_base *base,
               struct error *err)
{
    char completed_hash[LEDGER_HASH_SIZE], partial_hash[LEDGER_HASH_SIZE];

    ledger_hash(entry->completed, completed_hash);
    ledger_hash(entry->partial, partial_hash);
    if (add_value(db, entry->completed, completed_hash, base ? base->completed : NULL,
                  base ? base->completed_hash : NULL, err) < 0 ||
        add_value(db, entry->partial, partial_hash, base ? base->partial : NULL,
                  base ? base->partial_hash : NULL, err) < 0)
        return -1;
    return db_query(db, SQL(history_add),
                    DB_VALUES(db_text(entry->state_id), db_int(entry->version),
                              db_time(entry->written_at_us), db_time(entry->state_stamp_us),
                              db_text(entry->kind), db_text(entry->source), db_uuid(entry->run_id),
                              db_text(completed_hash), db_text(partial_hash)),
                    NULL, err);
}

int ledger_read_last(struct db *db, const char *state_id, int64_t version, struct ledger_last *out,
                     struct error *err)
{
    auto_db_rows struct db_rows rows = DB_ROWS_INIT;

    if (db_query(db, SQL(history_last), DB_VALUES(db_text(state_id), db_int(version)), &rows, err) <
        0)
        return -1;
    *out = (struct ledger_last){.exists = rows.count > 0};
    if (!rows.count)
        return 0;
    snprintf(out->completed_hash, sizeof out->completed_hash, "%s", db_rows_text(&rows, 0, 0));
    snprintf(out->partial_hash, sizeof out->partial_hash, "%s", db_rows_text(&rows, 0, 1));
    out->state_stamp_us = db_rows_time(&rows, 0, 2);
    out->version = db_rows_int(&rows, 0, 3);
    db_rows_uuid(&rows, 0, 4, out->run_id);
    out->written_at_us = db_rows_time(&rows, 0, 5);
    return 0;
}

static int refuse_value(const char *hash, const char *what, struct error *err)
{
    return error_set(err, ERR_DATABASE, "the state value '%.12s' %s", hash, what);
}

/* The text that a row describes, given that of its base. */
static char *apply(const struct db_rows *rows, const char *base)
{
    size_t prefix = (size_t)db_rows_int(rows, 0, 1), suffix = (size_t)db_rows_int(rows, 0, 2);
    size_t base_length = strlen(base);
    const struct db_cell *middle = db_rows_cell(rows, 0, 3);
    struct strbuf out = STRBUF_INIT;

    if (prefix > base_length || suffix > base_length - prefix)
        return NULL;
    strbuf_add_bytes(&out, base, prefix);
    strbuf_add_bytes(&out, middle->bytes, middle->size);
    strbuf_add_bytes(&out, base + base_length - suffix, suffix);
    return strbuf_take(&out);
}

static int read_value(struct db *db, const char *hash, int depth, char **out, struct error *err)
{
    auto_db_rows struct db_rows rows = DB_ROWS_INIT;
    auto_free char *base = NULL;

    if (depth > MAX_DELTA_DEPTH)
        return refuse_value(hash, "is damaged: its bases form a circle", err);
    if (db_query(db, SQL(value_read), DB_VALUES(db_text(hash)), &rows, err) < 0)
        return -1;
    if (!rows.count)
        return refuse_value(hash, "is missing from meltshim_state_values", err);
    if (!db_rows_text(&rows, 0, 0)) {
        *out = xstrdup(db_rows_text(&rows, 0, 3));
        return 0;
    }
    if (read_value(db, db_rows_text(&rows, 0, 0), depth + 1, &base, err) < 0)
        return -1;
    *out = apply(&rows, base);
    return *out ? 0 : refuse_value(hash, "is damaged: it does not fit its base", err);
}

int ledger_read_value(struct db *db, const char *hash, char **out, struct error *err)
{
    char found[LEDGER_HASH_SIZE];
    char *value;

    if (read_value(db, hash, 0, &value, err) < 0)
        return -1;
    ledger_hash(value, found);
    if (strcmp(found, hash)) {
        free(value);
        return refuse_value(hash, "is damaged: its content has another hash", err);
    }
    *out = value;
    return 0;
}
