/* project/edit.h - changing meltano.yml and the files it includes.
 *
 * Between begin and commit the files are locked against other writers, Meltano among them. What
 * begin reads can be changed freely as values; commit finds the smallest change of the text that
 * gives these values (base/yaml_edit.h), so comments, order, quoting, anchors and blank lines of
 * everything else stay, and replaces the files atomically. The loaded project stays as it was:
 * load it anew to see the change. Whether the project may be changed at all (project_readonly) is
 * the caller's to ask.
 *
 *     auto_project_edit struct project_edit *edit = NULL;
 *
 *     if (project_edit_begin(project, &edit, err) < 0)
 *         return -1;
 *     entry = project_edit_plugin(edit, plugin, NULL, err);
 *     if (!entry)
 *         return -1;
 *     edit_set_path_take(entry, &path, value);
 *     return project_edit_commit(edit, err);
 */
#ifndef PROJECT_EDIT_H
#define PROJECT_EDIT_H

#include "base/error.h"
#include "base/strbuf.h"
#include "base/strlist.h"
#include "base/value.h"
#include "project/project.h"

#include <stdbool.h>

struct project_edit;

/* Waits up to ten seconds for another writer. The caller owns *out. */
int project_edit_begin(const struct project *project, struct project_edit **out, struct error *err);
/* Drops the lock, and what was not committed. */
void project_edit_free(struct project_edit *edit);
DEFINE_AUTO_FREE(struct project_edit, project_edit, project_edit_free)
#define auto_project_edit ATTR_CLEANUP(project_edit_auto)

/* Writes the files that changed. On failure the files that could not be changed as asked are as
 * they were. */
int project_edit_commit(struct project_edit *edit, struct error *err);
/* What a commit would change, as a unified diff; nothing when it would change nothing. */
int project_edit_diff(struct project_edit *edit, struct strbuf *out, struct error *err);

/* list is "jobs", "schedules", "environments" or "plugins.<plural>". What these return is owned by
 * the edit and may be changed. */

/* The entry of that name, in the file where it stands; NULL when there is none. */
struct value *project_edit_find_entry(struct project_edit *edit, const char *list,
                                      const char *name);
/* Adds an entry to the list in meltano.yml, which is made if need be. Takes the entry. */
void project_edit_append_entry_take(struct project_edit *edit, const char *list,
                                    struct value *entry);
/* False when there is none of that name. */
bool project_edit_remove_entry(struct project_edit *edit, const char *list, const char *name);

/* A plugin's entry: its own when environment is NULL, else that in the environment's config, which
 * is made if need be. For a mapping, the entry in its mapper's list. NULL when it is gone, or when
 * there is no such environment. */
struct value *project_edit_plugin(struct project_edit *edit, const struct plugin *plugin,
                                  const char *environment, struct error *err);

/* The top-level mapping that a top-level key belongs to: of the last included file that has it
 * (that one counts), else of meltano.yml. */
struct value *project_edit_top_level(struct project_edit *edit, const char *key);

/* Sets map[path[0]][path[1]]..., with mappings made where there are none. Takes the value. */
void edit_set_path_take(struct value *map, const struct strlist *path, struct value *value);
/* Removes it, with the mappings below map that this leaves empty. False when there is none. */
bool edit_unset_path(struct value *map, const struct strlist *path);

#endif
