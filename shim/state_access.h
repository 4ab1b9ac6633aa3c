/* shim/state_access.h - what the commands of the group 'state' have in common. */
#ifndef SHIM_STATE_ACCESS_H
#define SHIM_STATE_ACCESS_H

#include "shim/app.h"
#include "store/state_service.h"

/* Where state is kept, and the database with its locks and its history. */
struct state_place {
    struct store *store;           /* the app's */
    struct state_backend *backend; /* its own */
};

/* Becomes the Python Meltano, if there is one, when the state of the project is kept where only
 * that can reach it. 0: go on. */
int state_leave_to_python(struct app *app, struct error *err);

/* The place of the state of state_id (NULL: a command for all of them). An id of the form
 * "ENV:TAP-to-TARGET" activates its environment first, as in Meltano. */
int state_open(struct app *app, const char *state_id, enum store_access access,
               struct state_place *out, struct error *err);
void state_close(struct state_place *place);
#define auto_state_place ATTR_CLEANUP(state_close)

/* Holds the lock of a state id while it is edited, so that no run writes at the same time. */
struct edit_lock {
    struct store_lock *lock;
};
/* With force a run that holds it is only warned about. */
int edit_lock_acquire(const struct state_place *place, const char *state_id, bool force,
                      struct edit_lock *out, struct error *err);
void edit_lock_release(struct edit_lock *held);
#define auto_edit_lock ATTR_CLEANUP(edit_lock_release)

/* What an answer of "no" to a question comes to. */
int state_declined(struct error *err);
/* "2026-11-22 12:19:47+0000" */
const char *state_now(struct strbuf *out);

/* {"a":1} in ASCII, as 'state get' and 'state export' print it. */
extern const struct json_style state_json_style;

#define STATE_FORCE_OPTION(args)                                                                   \
    OPTION_FLAG(args, force, "force", "Do not ask, and edit also while a run is active.")

#endif
