/* store/store.h - the system database: runs, state, settings; shared with the Python Meltano.
 *
 * One interface over SQLite (the default) and PostgreSQL. The tables runs, state, plugin_settings
 * and alembic_version are exactly Meltano's; what meltshim needs in addition lives in
 * tables whose names begin with meltshim_. Every call that writes is one transaction. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/error.h"
#include "base/strlist.h"
#include "base/uuid.h"
#include "base/value.h"

#include <stdbool.h>
#include <stdint.h>

struct store;

enum run_state {
    RUN_IDLE,
    RUN_RUNNING,
    RUN_SUCCESS,
    RUN_FAIL,
    RUN_DEAD,
    RUN_STATE_EDIT,
    RUN_STATE_COUNT
};

/* Meltano's payload_flags. */
enum payload_flag { PAYLOAD_NONE = 0, PAYLOAD_STATE = 1, PAYLOAD_INCOMPLETE_STATE = 2 };

/* A row of runs. Times are microseconds UTC, 0 when NULL. */
struct run_row {
    int64_t id;
    char *state_id; /* column job_name */
    enum run_state state;
    int64_t started_at_us, ended_at_us, last_heartbeat_us;
    char *payload; /* JSON text */
    int payload_flags;
    char run_id[UUID_TEXT_SIZE]; /* empty when NULL */
    char *trigger;
};

struct run_row_list {
    struct run_row *items;
    size_t count, capacity;
};
void run_row_clear(struct run_row *row);
void run_row_list_clear(struct run_row_list *list);
/* "RUNNING", ... */
const char *run_state_name(enum run_state state);
/* What no Meltano writes counts as RUN_DEAD. */
enum run_state run_state_parse(const char *name);

struct store_options {
    int max_retries;     /* further attempts at the first connection */
    int retry_timeout_s; /* between them */
    bool read_only;      /* do not create or migrate; what is not there reads as empty */
};

/* Opens uri (SQLAlchemy's form) and brings the schema to Meltano 4.4.1's, creating it in an empty
 * database. A revision of a newer Meltano, a corrupt file, a directory that cannot be written:
 * ERR_DATABASE with what to do; no password appears in any message. options NULL: Meltano's
 * defaults, three retries five seconds apart. One thread at a time may use a store; several stores
 * may be open on one database. */
int store_open(const char *uri, const struct store_options *options, struct store **out,
               struct error *err);
void store_close(struct store *store);
DEFINE_AUTO_FREE(struct store, store, store_close)
#define auto_store ATTR_CLEANUP(store_auto)

/* Whether the last failed call met a database that was locked or away: the same call may succeed
 * later. A lost connection is made anew by every call, which looks for it for a few seconds. */
bool store_may_recover(const struct store *store);
/* Whether it met one that will not do it later either: rights, a full disk, damage. */
bool store_has_refused(const struct store *store);

/* --- one run at a time per state id -------------------------------------------------------- */

/* Who holds the lock of a state id, for messages; empty strings when unknown. */
struct lock_owner {
    int pid;
    char host[256];
    int64_t since_us;
    char run_id[UUID_TEXT_SIZE];
    char detail[3200]; /* the Airflow run, if any: three names of 250 characters, and the try */
};

struct store_lock;

/* Takes the lock of state_id, waiting up to wait_ms. It is freed by the kernel (or the server)
 * when this process dies. ERR_LOCKED with owner (may be NULL) filled in when somebody else has it.
 * A child that is forked without exec must close all descriptors, or it keeps the lock. Runs begun
 * through the same store while the lock is held are fenced by it. */
int store_lock_acquire(struct store *store, const char *state_id, int64_t wait_ms,
                       const struct lock_owner *self, struct store_lock **out,
                       struct lock_owner *owner, struct error *err);
void store_lock_release(struct store_lock *lock);
/* Who has the lock, or had it last. */
void store_lock_owner(struct store *store, const char *state_id, struct lock_owner *out);

/* --- runs --------------------------------------------------------------------------------- */

/* Marks RUNNING rows of state_id (NULL: of all ids) without a recent heartbeat as FAIL, by
 * Meltano's rules (5 minutes; 24 hours when there never was one). The rows that were changed are
 * added to stale, which may be NULL. */
int store_fail_stale_runs(struct store *store, const char *state_id, struct run_row_list *stale,
                          struct error *err);
/* The rows, of all ids, that store_fail_stale_runs() would change. */
int store_list_stale_runs(struct store *store, struct run_row_list *out, struct error *err);
/* The newest RUNNING row of state_id (row may be NULL); *found says whether there is one. */
int store_find_running(struct store *store, const char *state_id, struct run_row *row, bool *found,
                       struct error *err);
/* Closes RUNNING rows that a meltshim process on this database left behind when it died; callable
 * only by the holder of the lock. *closed (may be NULL) counts them. */
int store_close_abandoned_runs(struct store *store, const struct store_lock *lock, size_t *closed,
                               struct error *err);
/* Inserts a RUNNING row; *row_id identifies it afterwards. record_if_killed (JSON, may be NULL) is
 * the record of the run when somebody else has to close the row. */
int store_run_begin(struct store *store, const char *state_id, const char *run_id,
                    const char *trigger, const char *record_if_killed, int64_t *row_id,
                    struct error *err);
/* record_if_killed replaces the one of before; NULL leaves that. */
int store_run_heartbeat(struct store *store, int64_t row_id, const char *record_if_killed,
                        struct error *err);
/* Sets the final state. error_text (NULL on success) becomes payload.error beside singer_state;
 * record (JSON, may be NULL) is kept in meltshim_runs. One transaction. */
int store_run_finish(struct store *store, int64_t row_id, enum run_state state,
                     const char *error_text, const char *record, struct error *err);
/* The same on behalf of a run that ended while the database was away, at ended_at_us. A row that is
 * gone is no error. */
int store_run_finish_late(struct store *store, int64_t row_id, const char *run_id,
                          enum run_state state, int64_t ended_at_us, const char *error_text,
                          const char *record, struct error *err);
/* Newest first; limit 0: all. Rows that only note an edit of a state are left out. */
int store_list_runs(struct store *store, const char *state_id, size_t limit,
                    struct run_row_list *out, struct error *err);
int store_find_runs(struct store *store, const char *run_id, struct run_row_list *out,
                    struct error *err);
/* End of the last successful run of state_id, 0 when there is none. */
int store_last_success(struct store *store, const char *state_id, int64_t *ended_at_us,
                       struct error *err);

/* --- run records (meltshim_runs) ---------------------------------------------------------- */

/* Of a run that has no runs row (plugin commands only, stateless), or whose row another run has
 * closed: then it takes the place of the one that was recorded in advance. */
int store_record_add(struct store *store, const char *run_id, const char *record,
                     struct error *err);
/* As JSON text, newest first; limit 0: all. */
int store_list_records(struct store *store, const char *state_id, size_t limit, struct strlist *out,
                       struct error *err);
/* *out stays NULL when there is none. A prefix of the run id that is unique will do. */
int store_find_record(struct store *store, const char *run_id, char **out, struct error *err);

/* --- state -------------------------------------------------------------------------------- */

/* Both parts as JSON text ("{}" when empty). The caller frees them. */
struct state_parts {
    char *completed;
    char *partial;
};
void state_parts_clear(struct state_parts *parts);
/* One part as a value; ERR_STATE when it is no JSON. state_id is for the message. */
int state_part_parse(const char *text, const char *state_id, struct value **out, struct error *err);
/* Partial merged onto completed, as the next run gets it. */
int state_parts_merge(const struct state_parts *parts, const char *state_id, struct value **out,
                      struct error *err);

enum state_write { STATE_COMPLETE, STATE_PARTIAL };

/* What a state was when somebody last looked. */
struct state_base {
    int64_t version;  /* in the ledger, 0: none */
    int64_t stamp_us; /* of the medium; tells states apart that the ledger does not know yet */
};

/* The ids that have a state in the system database, sorted bytewise. */
int store_state_list(struct store *store, struct strlist *out, struct error *err);

/* --- the ledger: every accepted version of a state -------------------------------------------- */

struct state_version {
    int64_t version; /* from 1 */
    int64_t written_at_us;
    char *kind;                  /* complete, partial, cleared, or found: written by Meltano */
    char *source;                /* run, state set, ... */
    char run_id[UUID_TEXT_SIZE]; /* empty when there is none */
    char completed_hash[65], partial_hash[65]; /* SHA-256 of the two texts after the write */
};

struct state_version_list {
    struct state_version *items;
    size_t count, capacity;
};
void state_version_list_clear(struct state_version_list *list);

/* Newest first; limit 0: all. */
int store_state_history(struct store *store, const char *state_id, size_t limit,
                        struct state_version_list *out, struct error *err);
/* Both parts as they were after that version. */
int store_state_version(struct store *store, const char *state_id, int64_t version,
                        struct state_parts *out, bool *found, struct error *err);

/* Removes all versions of state_id (NULL: of every id) but the newest keep (at least 1), and the
 * values that nothing needs any more. *removed counts the versions. */
int store_history_prune(struct store *store, const char *state_id, int64_t keep, int64_t *removed,
                        struct error *err);

/* The oldest version of state_id that is kept, 0 when there is none. */
int store_history_oldest(struct store *store, const char *state_id, int64_t *version,
                         struct error *err);

/* --- settings kept in the database --------------------------------------------------------- */

/* All enabled rows of a namespace as a map name -> value (decoded from Python's pickle). */
int store_settings_read(struct store *store, const char *setting_namespace, struct value **out,
                        struct error *err);
int store_setting_write(struct store *store, const char *setting_namespace, const char *name,
                        const struct value *value, struct error *err);
int store_setting_delete(struct store *store, const char *setting_namespace, const char *name,
                         bool *found, struct error *err);
int store_settings_clear(struct store *store, const char *setting_namespace, struct error *err);

#endif
