#include "store/state_change.h"

#include "store/ledger.h"
#include "store/store_impl.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/value.h"

#include <string.h>
#include <time.h>

SQL_DECLARE(version_next_fenced);
SQL_DECLARE(version_next);
SQL_DECLARE(lock_generation);
SQL_DECLARE(run_state_saved);
SQL_DECLARE(run_state_edit);
SQL_DECLARE(state_read);
SQL_DECLARE(state_stamp);
SQL_DECLARE(state_put);
SQL_DECLARE(state_delete);

/* Shorter states are read again before each change. */
#define MIN_KNOWN_LENGTH ((size_t)64 * 1024)
/* Longer ones come into the payload of their run once, when it ends. */
#define MAX_EARLY_PAYLOAD ((size_t)1024 * 1024)

/* --- JSON texts ------------------------------------------------------------------------------ */

static int parse_object(const char *text, const char *what, struct value **out, struct error *err)
{
    auto_value struct value *value = NULL;

    if (json_parse(text, strlen(text), NULL, &value, err) < 0) {
        err->code = ERR_STATE;
        return error_wrap(err, "%s", what);
    }
    if (!value_is_map(value))
        return error_set(err, ERR_STATE, "%s: a JSON object was expected, not %s", what,
                         value_kind_name(value_kind(value)));
    *out = take(value);
    return 0;
}

int state_merge_texts(const char *into, const char *from, const char *what, char **out,
                      struct error *err)
{
    auto_value struct value *base = NULL, *over = NULL;

    if (parse_object(into, what, &base, err) < 0 || parse_object(from, what, &over, err) < 0)
        return -1;
    value_merge(base, over);
    *out = json_to_text(base, &json_python);
    return 0;
}

static bool is_empty_object(const char *text)
{
    return !strcmp(text, "{}");
}

/* --- the table state -------------------------------------------------------------------------- */

static char *take_text_or_empty(struct db_rows *rows, size_t column)
{
    char *text = rows->count ? db_rows_take_text(rows, 0, column) : NULL;

    return text ? text : xstrdup("{}");
}

void known_state_clear(struct known_state *known)
{
    free(known->state_id);
    state_parts_clear(&known->parts);
    *known = (struct known_state){0};
}

/* Keeps a large state, so that the next change need not fetch what we have written ourselves. */
static void remember_state(struct store *store, const char *state_id,
                           const struct state_parts *parts, int64_t stamp_us)
{
    known_state_clear(&store->known);
    if (!parts || strlen(parts->completed) + strlen(parts->partial) < MIN_KNOWN_LENGTH)
        return;
    store->known = (struct known_state){
        .state_id = xstrdup(state_id),
        .stamp_us = stamp_us,
        .parts = {xstrdup(parts->completed), xstrdup(parts->partial)},
    };
}

/* *out is NULL when the state is not the one we have written last. */
static int find_known(struct store *store, const char *state_id, const struct known_state **out,
                      struct error *err)
{
    const struct known_state *known = &store->known;
    auto_db_rows struct db_rows rows = DB_ROWS_INIT;

    *out = NULL;
    if (!known->state_id || strcmp(known->state_id, state_id) != 0)
        return 0;
    if (db_query(&store->db, SQL(state_stamp), DB_VALUES(db_text(state_id)), &rows, err) < 0)
        return -1;
    if (rows.count && db_rows_time(&rows, 0, 0) == known->stamp_us)
        *out = known;
    return 0;
}

static int systemdb_read(void *context, const char *state_id, struct state_parts *parts,
                         bool *found, int64_t *stamp_us, struct error *err)
{
    struct store *store = context;
    const struct known_state *known;
    auto_db_rows struct db_rows rows = DB_ROWS_INIT;

    if (store->db.in_transaction && store->db.driver->state_lock_sql &&
        db_query(&store->db, store->db.driver->state_lock_sql, DB_VALUES(db_text(state_id)), NULL,
                 err) < 0)
        return -1;
    if (find_known(store, state_id, &known, err) < 0)
        return -1;
    if (known) {
        *found = true;
        *stamp_us = known->stamp_us;
        parts->completed = xstrdup(known->parts.completed);
        parts->partial = xstrdup(known->parts.partial);
        return 0;
    }
    if (store_select(store, SCHEMA_MELTANO_TABLES, SQL(state_read), DB_VALUES(db_text(state_id)),
                     &rows, err) < 0)
        return -1;
    *found = rows.count > 0;
    *stamp_us = rows.count ? db_rows_time(&rows, 0, 2) : 0;
    parts->completed = take_text_or_empty(&rows, 0);
    parts->partial = take_text_or_empty(&rows, 1);
    return 0;
}

static int systemdb_write(void *context, const char *state_id, const struct state_parts *parts,
                          int64_t stamp_us, struct error *err)
{
    struct store *store = context;

    remember_state(store, state_id, parts, stamp_us);
    if (!parts)
        return db_query(&store->db, SQL(state_delete), DB_VALUES(db_text(state_id)), NULL, err);
    return db_query(&store->db, SQL(state_put),
                    DB_VALUES(db_text(state_id), db_text(parts->completed), db_text(parts->partial),
                              db_time(stamp_us)),
                    NULL, err);
}

struct state_medium state_medium_systemdb(struct store *store)
{
    return (struct state_medium){.context = store, .read = systemdb_read, .write = systemdb_write};
}

/* --- a change --------------------------------------------------------------------------------- */

struct work {
    struct store *store;
    const struct state_medium *medium;
    const struct state_change *change;
    const char *run_id;
    char new_run_id[UUID_TEXT_SIZE];
    int64_t now_us;
    int64_t stamp_us;
    struct state_parts before;
    bool was_found;
    int64_t before_stamp_us;
    /* What is written; completed and partial point into before, the change or merged. */
    const char *completed, *partial;
    char *merged;
    struct ledger_base base;
    int64_t version;
};

/* Meltano's column updated_at has local time. */
static int64_t local_stamp(int64_t now_us)
{
    time_t seconds = (time_t)(now_us / 1000000);
    struct tm parts;

    localtime_r(&seconds, &parts);
    return now_us + (int64_t)parts.tm_gmtoff * 1000000;
}

static int next_version(struct work *work, struct error *err)
{
    const struct state_change *change = work->change;
    struct db *db = &work->store->db;
    auto_db_rows struct db_rows rows = DB_ROWS_INIT;

    if (change->lock) {
        if (db_query(db, SQL(version_next_fenced),
                     DB_VALUES(db_text(change->state_id), db_int(change->lock->generation)), &rows,
                     err) < 0)
            return -1;
        if (!rows.count)
            return store_lost_lock(change->state_id, err);
    } else if (db_query(db, SQL(version_next), DB_VALUES(db_text(change->state_id)), &rows, err) <
               0) {
        return -1;
    }
    work->version = db_rows_int(&rows, 0, 0);
    return 0;
}

static int read_before(struct work *work, struct error *err)
{
    state_parts_clear(&work->before);
    return work->medium->read(work->medium->context, work->change->state_id, &work->before,
                              &work->was_found, &work->before_stamp_us, err);
}

/* Meltano's rules: a complete state replaces everything, unless it is empty; a partial one is
 * merged with the partial one that is there. */
static int compute_after(struct work *work, struct error *err)
{
    const struct state_change *change = work->change;

    work->partial = "{}";
    work->completed = "{}";
    if (change->parts) {
        work->completed = change->parts->completed;
        work->partial = change->parts->partial;
    } else if (change->value && change->kind == STATE_COMPLETE && !is_empty_object(change->value)) {
        work->completed = change->value;
    } else if (change->value) {
        free(take(work->merged));
        if (state_merge_texts(work->before.partial, change->value, "the partial state",
                              &work->merged, err) < 0)
            return -1;
        work->completed = work->before.completed;
        work->partial = work->merged;
    }
    return 0;
}

static bool is_clear(const struct state_change *change)
{
    return !change->value && !change->parts;
}

static int write_after(struct work *work, struct error *err)
{
    /* The medium only reads them. */
    const struct state_parts after = {(char *)work->completed, (char *)work->partial};

    return work->medium->write(work->medium->context, work->change->state_id,
                               is_clear(work->change) ? NULL : &after, work->stamp_us, err);
}

/* Hashes what is there, and tells whether it is not what the ledger's last version left. */
static bool find_base(struct work *work, const struct ledger_last *last)
{
    struct ledger_base *base = &work->base;

    *base = (struct ledger_base){work->before.completed, work->before.partial, "", ""};
    if (last->exists && work->before_stamp_us && work->before_stamp_us == last->state_stamp_us) {
        memcpy(base->completed_hash, last->completed_hash, sizeof base->completed_hash);
        memcpy(base->partial_hash, last->partial_hash, sizeof base->partial_hash);
        return false;
    }
    ledger_hash(base->completed, base->completed_hash);
    ledger_hash(base->partial, base->partial_hash);
    if (!last->exists)
        return work->was_found;
    return strcmp(base->completed_hash, last->completed_hash) ||
           strcmp(base->partial_hash, last->partial_hash);
}

/* What Meltano wrote between our versions becomes a version too, so that it can be had back. */
static int keep_foreign_state(struct work *work, struct error *err)
{
    struct db *db = &work->store->db;
    const char *state_id = work->change->state_id;
    struct ledger_last last;
    struct ledger_entry entry = {
        .state_id = state_id,
        .version = work->version,
        .written_at_us = work->now_us,
        .state_stamp_us = work->before_stamp_us,
        .kind = "found",
        .source = "another program",
        .completed = work->before.completed,
        .partial = work->before.partial,
    };

    if (ledger_read_last(db, state_id, work->version, &last, err) < 0)
        return -1;
    if (!find_base(work, &last))
        return 0;
    if (ledger_add(db, &entry, NULL, err) < 0)
        return -1;
    return next_version(work, err);
}

/* Whether the payload can be copied from the table state later. */
static bool is_late_payload(const struct work *work)
{
    return work->change->value && work->completed == work->change->value &&
           work->medium->read == systemdb_read && strlen(work->completed) > MAX_EARLY_PAYLOAD;
}

static int write_run_row(struct work *work, struct error *err)
{
    const struct state_change *change = work->change;
    struct db *db = &work->store->db;
    int flags =
        change->value && change->kind == STATE_PARTIAL ? PAYLOAD_INCOMPLETE_STATE : PAYLOAD_STATE;
    const char *value = change->value ? change->value : change->edit_value;

    if (change->row_id && is_late_payload(work)) {
        work->store->late_payload_row = change->row_id;
        return 0;
    }
    if (change->row_id)
        return db_query(db, SQL(run_state_saved),
                        DB_VALUES(db_int(change->row_id), db_text(value), db_int(flags)), NULL,
                        err);
    if (!change->adds_edit_row)
        return 0;
    return db_query(db, SQL(run_state_edit),
                    DB_VALUES(db_text(change->state_id), db_time(work->now_us), db_text(value),
                              db_int(flags), db_uuid(work->run_id),
                              db_text(store_default_trigger())),
                    NULL, err);
}

static int write_ledger(struct work *work, struct error *err)
{
    const struct state_change *change = work->change;
    struct ledger_entry entry = {
        .state_id = change->state_id,
        .version = work->version,
        .written_at_us = work->now_us,
        .state_stamp_us = is_clear(change) ? 0 : work->stamp_us,
        .kind = is_clear(change)                                 ? "cleared"
                : change->value && change->kind == STATE_PARTIAL ? "partial"
                                                                 : "complete",
        .source = change->source,
        .run_id = work->run_id,
        .completed = work->completed,
        .partial = work->partial,
    };

    return ledger_add(&work->store->db, &entry, &work->base, err);
}

static enum base_fate find_fate(struct work *work, const struct ledger_last *last)
{
    const struct state_change *change = work->change;
    const struct state_base *base = change->base;

    if (find_base(work, last))
        return !last->exists && !base->version && base->stamp_us &&
                       work->before_stamp_us == base->stamp_us
                   ? BASE_IS_THERE
                   : BASE_WAS_REPLACED;
    if (last->version == base->version)
        return BASE_IS_THERE;
    if (strcmp(last->run_id, change->run_id) != 0)
        return BASE_WAS_REPLACED;
    /* A commit of the same run, which it had no answer to. */
    return last->written_at_us > change->base_at_us ? BASE_WAS_PASSED : BASE_IS_THERE;
}

static int check_base(struct work *work, struct error *err)
{
    const struct state_change *change = work->change;
    int64_t before_version = work->version ? work->version : INT64_MAX;
    struct ledger_last last;

    if (!change->base)
        return 0;
    if (ledger_read_last(&work->store->db, change->state_id, before_version, &last, err) < 0)
        return -1;
    *change->fate = find_fate(work, &last);
    if (*change->fate == BASE_IS_THERE)
        return 0;
    error_set(err, ERR_STATE, "the state of '%s' was written again since", change->state_id);
    return error_hint(err, "'state history %s' shows by whom.", change->state_id);
}

static int replace_state(struct work *work, struct error *err)
{
    if (read_before(work, err) < 0 || check_base(work, err) < 0 || compute_after(work, err) < 0)
        return -1;
    return write_after(work, err);
}

static int make_change(struct db *db, void *context, struct error *err)
{
    struct work *work = context;

    (void)db;
    if (next_version(work, err) < 0)
        return -1;
    if (!work->medium->is_slow && replace_state(work, err) < 0)
        return -1;
    if (keep_foreign_state(work, err) < 0 || write_run_row(work, err) < 0)
        return -1;
    return write_ledger(work, err);
}

static int check_fence(struct store *store, const struct state_change *change, struct error *err)
{
    auto_db_rows struct db_rows rows = DB_ROWS_INIT;

    if (!change->lock)
        return 0;
    if (!change->lock->held)
        return store_lost_lock(change->state_id, err);
    if (db_query(&store->db, SQL(lock_generation), DB_VALUES(db_text(change->state_id)), &rows,
                 err) < 0)
        return -1;
    if (!rows.count || db_rows_int(&rows, 0, 0) != change->lock->generation)
        return store_lost_lock(change->state_id, err);
    return 0;
}

static int change_locked(struct work *work, struct error *err)
{
    const struct state_medium *medium = work->medium;
    int failed = 0;

    if (medium->lock && medium->lock(medium->context, work->change->state_id, err) < 0)
        return -1;
    if (medium->is_slow)
        failed = check_fence(work->store, work->change, err) < 0 || replace_state(work, err) < 0;
    if (!failed)
        failed = store_transaction(work->store, DB_DURABLE, make_change, work, err);
    if (medium->unlock)
        medium->unlock(medium->context, work->change->state_id);
    return failed ? -1 : 0;
}

int state_change_make(struct store *store, const struct state_medium *medium,
                      const struct state_change *change, int64_t *version, struct error *err)
{
    struct work work = {
        .store = store,
        .medium = medium,
        .change = change,
        .now_us = clock_now_us(),
    };
    int failed;

    work.run_id = change->run_id;
    if (!work.run_id && change->adds_edit_row) {
        uuid_new_v7(work.new_run_id);
        work.run_id = work.new_run_id;
    }

    if (change->lock && !change->lock->held)
        return store_lost_lock(change->state_id, err);
    work.stamp_us = local_stamp(work.now_us);
    failed = change_locked(&work, err);
    state_parts_clear(&work.before);
    free(work.merged);
    if (!failed && version)
        *version = work.version;
    return failed;
}

int state_change_clear(struct store *store, const struct state_medium *medium, const char *state_id,
                       const struct store_lock *lock, struct error *err)
{
    struct state_change change = {.state_id = state_id, .lock = lock, .source = "state clear"};
    struct state_parts parts = {0};
    int64_t stamp_us;
    bool found;

    if (medium->read(medium->context, state_id, &parts, &found, &stamp_us, err) < 0)
        return -1;
    state_parts_clear(&parts);
    return found ? state_change_make(store, medium, &change, NULL, err) : 0;
}
