/* dag_generator/dag_writer.h - the DAG folder: which files have to change, and changing them.
 *
 * The files that a project wrote are listed in the folder, in .meltshim-dags.json, so that those of
 * removed schedules can be removed. A file without our first line is never touched. */
#ifndef DAG_GENERATOR_DAG_WRITER_H
#define DAG_GENERATOR_DAG_WRITER_H

#include "base/error.h"
#include "base/strbuf.h"
#include "base/strlist.h"
#include "dag_generator/dag_model.h"

#include <stdbool.h>
#include <stddef.h>

#define DAG_MANIFEST_NAME ".meltshim-dags.json"

enum dag_change { DAG_UNCHANGED, DAG_ADDED, DAG_CHANGED, DAG_REMOVED };

struct dag_file {
    char *name;            /* in the folder */
    const struct dag *dag; /* borrowed; NULL for one that is removed */
    enum dag_change change;
    struct strbuf old_text; /* of one that is changed or removed */
    struct strbuf new_text; /* of one that is added or changed */
};

/* What is there, what should be there. */
struct dag_plan {
    char *folder;
    char *shown_folder;     /* for people: from the project's root when it is below */
    struct dag_file *files; /* in the order of their names */
    size_t count, capacity;
    /* private */
    char *owner;           /* how the manifest names the project */
    struct strlist listed; /* what the manifest lists */
    bool has_manifest;
    int folder_fd; /* holds the lock; -1 when nothing is to be written */
};

enum dag_plan_mode {
    DAG_PLAN_LOOK,  /* --check, --diff: nothing will be written, the folder need not exist */
    DAG_PLAN_WRITE, /* makes the folder, and locks it until the plan is freed */
    DAG_PLAN_PRUNE, /* as DAG_PLAN_WRITE, but only removes: also what no manifest lists */
};

int dag_plan_make(const struct dag_list *list, const struct project *project, const char *folder,
                  enum dag_plan_mode mode, struct dag_plan **out, struct error *err);
void dag_plan_free(struct dag_plan *plan);
DEFINE_AUTO_FREE(struct dag_plan, dag_plan, dag_plan_free)
#define auto_dag_plan ATTR_CLEANUP(dag_plan_auto)

size_t dag_plan_count(const struct dag_plan *plan, enum dag_change change);
/* Whether dag_plan_apply() would change a DAG file. */
bool dag_plan_is_stale(const struct dag_plan *plan);
/* All changes as one unified diff. */
void dag_plan_diff(const struct dag_plan *plan, struct strbuf *out);
/* Puts the files in place, each atomically; when one cannot be written none is changed. */
int dag_plan_apply(struct dag_plan *plan, struct error *err);

#endif
