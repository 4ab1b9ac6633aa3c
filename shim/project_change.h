/* shim/project_change.h - a change of the project's files, from a command line. */
#ifndef SHIM_PROJECT_CHANGE_H
#define SHIM_PROJECT_CHANGE_H

#include "project/edit.h"
#include "shim/app.h"

/* As project_edit_begin(), but not in a project that was deployed as read-only. */
int project_change_begin(struct app *app, struct project_edit **out, struct error *err);

#endif
