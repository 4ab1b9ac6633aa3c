#include "store/store_impl.h"

#include "base/clock.h"
#include "base/memory.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

SQL_DECLARE(lock_take);
SQL_DECLARE(lock_owner);
SQL_DECLARE(lock_generation);

const struct store_lock *store_find_lock(const struct store *store, const char *state_id)
{
    for (size_t i = 0; i < store->lock_count; i++)
        if (!strcmp(store->locks[i]->state_id, state_id))
            return store->locks[i];
    return NULL;
}

int store_lost_lock(const char *state_id, struct error *err)
{
    error_set(err, ERR_LOST_LOCK, "this run has lost the lock of '%s' to another one", state_id);
    return error_hint(err, "Nothing was written. The other run goes on from the last state that "
                           "was committed.");
}

static void copy_cell(char *out, size_t size, const struct db_rows *rows, size_t column)
{
    const char *text = db_rows_text(rows, 0, column);

    snprintf(out, size, "%s", text ? text : "");
}

static void read_owner_row(struct store *store, const char *state_id, struct lock_owner *owner)
{
    auto_db_rows struct db_rows rows = DB_ROWS_INIT;
    struct error ignored = {0};

    *owner = (struct lock_owner){0};
    if (db_query(&store->db, SQL(lock_owner), DB_VALUES(db_text(state_id)), &rows, &ignored) < 0 ||
        !rows.count)
        return;
    owner->pid = (int)db_rows_int(&rows, 0, 0);
    copy_cell(owner->host, sizeof owner->host, &rows, 1);
    owner->since_us = db_rows_time(&rows, 0, 2);
    db_rows_uuid(&rows, 0, 3, owner->run_id);
    copy_cell(owner->detail, sizeof owner->detail, &rows, 4);
}

void store_lock_owner(struct store *store, const char *state_id, struct lock_owner *out)
{
    const struct db_driver *driver = store->db.driver;

    if (!driver->lock_read_owner || !driver->lock_read_owner(&store->db, state_id, out))
        read_owner_row(store, state_id, out);
}

static int refuse_locked(struct store *store, const char *state_id, struct lock_owner *owner,
                         struct error *err)
{
    auto_strbuf struct strbuf who = STRBUF_INIT;
    struct lock_owner found;

    store_lock_owner(store, state_id, &found);
    if (found.pid)
        strbuf_addf(&who, ": process %d", found.pid);
    if (found.host[0])
        strbuf_addf(&who, " on %s", found.host);
    if (found.since_us) {
        strbuf_add(&who, " since ");
        strbuf_add_iso_time(&who, found.since_us);
    }
    if (found.detail[0])
        strbuf_addf(&who, ", %s", found.detail);
    if (owner)
        *owner = found;
    error_set(err, ERR_LOCKED, "another run of '%s' is active%s", state_id, strbuf_text(&who));
    return error_hint(err, "Wait until it ends, or stop it.");
}

static int take_generation(struct db *db, void *context, struct error *err)
{
    struct store_lock *lock = context;
    const struct lock_owner *self = &lock->self;
    auto_db_rows struct db_rows rows = DB_ROWS_INIT;

    if (db_query(db, SQL(lock_take),
                 DB_VALUES(db_text(lock->state_id), db_int(self->pid), db_text(self->host),
                           db_time(self->since_us), db_uuid(self->run_id), db_text(self->detail)),
                 &rows, err) < 0)
        return -1;
    lock->generation = db_rows_int(&rows, 0, 0);
    return 0;
}

static void lock_free(struct store_lock *lock)
{
    free(lock->state_id);
    free(lock);
}

static int try_until(struct store *store, const char *state_id, int64_t deadline_ms,
                     struct db_lock **out, struct error *err)
{
    const struct db_driver *driver = store->db.driver;

    for (;;) {
        int64_t left_ms, pause_ms;

        if (driver->lock_try(&store->db, state_id, out, err) < 0)
            return -1;
        left_ms = deadline_ms - clock_monotonic_ms();
        if (*out || left_ms <= 0)
            return 0;
        pause_ms = left_ms < driver->lock_poll_ms ? left_ms : driver->lock_poll_ms;
        nanosleep(&(struct timespec){.tv_nsec = pause_ms * 1000000}, NULL);
    }
}

int store_lock_acquire(struct store *store, const char *state_id, int64_t wait_ms,
                       const struct lock_owner *self, struct store_lock **out,
                       struct lock_owner *owner, struct error *err)
{
    struct db_lock *held = NULL;
    struct store_lock *lock;

    /* A database session would be given the same lock twice. */
    if (store_find_lock(store, state_id))
        return refuse_locked(store, state_id, owner, err);
    if (try_until(store, state_id, clock_monotonic_ms() + wait_ms, &held, err) < 0)
        return -1;
    if (!held)
        return refuse_locked(store, state_id, owner, err);
    lock = xcalloc(1, sizeof *lock);
    lock->store = store;
    lock->state_id = xstrdup(state_id);
    lock->held = held;
    if (self)
        lock->self = *self;
    if (store->db.driver->lock_write_owner)
        store->db.driver->lock_write_owner(&store->db, held, &lock->self);
    GROW(store->locks, store->lock_count, store->lock_capacity);
    store->locks[store->lock_count++] = lock;
    if (store_transaction(store, DB_SHARED, take_generation, lock, err) < 0) {
        store_lock_release(lock);
        return -1;
    }
    *out = lock;
    return 0;
}

void store_lock_release(struct store_lock *lock)
{
    struct store *store;
    size_t at = 0;

    if (!lock)
        return;
    store = lock->store;
    if (lock->held)
        store->db.driver->lock_release(&store->db, lock->held);
    while (store->locks[at] != lock)
        at++;
    memmove(store->locks + at, store->locks + at + 1,
            (--store->lock_count - at) * sizeof *store->locks);
    lock_free(lock);
}

/* Keeps the lock if nobody had it meanwhile, else marks it as lost. */
static int retake(struct store *store, struct store_lock *lock, struct error *err)
{
    auto_db_rows struct db_rows rows = DB_ROWS_INIT;
    bool taken;

    if (store->db.driver->lock_retake(&store->db, lock->held, &taken, err) < 0 ||
        db_query(&store->db, SQL(lock_generation), DB_VALUES(db_text(lock->state_id)), &rows, err) <
            0)
        return -1;
    if (taken && rows.count && db_rows_int(&rows, 0, 0) == lock->generation)
        return 0;
    store->db.driver->lock_release(&store->db, take(lock->held));
    return 0;
}

int store_locks_retake(struct store *store, struct error *err)
{
    if (!store->db.driver->lock_retake)
        return 0;
    for (size_t i = 0; i < store->lock_count; i++)
        if (store->locks[i]->held && retake(store, store->locks[i], err) < 0)
            return -1;
    return 0;
}
