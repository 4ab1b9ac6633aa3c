#include "shim/airflow_refresh.h"

#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/path.h"
#include "config/cast.h"
#include "shim/airflow_dags.h"

#include <dirent.h>
#include <string.h>

/* Larger files are no generators of Meltano's kind. */
#define MAX_GENERATOR_BYTES 262144

/* A file that asks Meltano for the schedules when Airflow reads it. */
static bool is_generator(const char *folder, const char *name)
{
    static const char *const marks[] = {"meltano", "schedule", "list", "--format=json"};
    auto_free char *path = path_join(folder, name);
    auto_strbuf struct strbuf text = STRBUF_INIT;
    struct error ignored = {0};
    size_t length = strlen(name);

    if (length < 4 || strcmp(name + length - 3, ".py") != 0 ||
        file_read(path, &text, &ignored) < 0 || text.length > MAX_GENERATOR_BYTES)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(marks); i++)
        if (!strstr(strbuf_text(&text), marks[i]))
            return false;
    return true;
}

/* The caller frees it; NULL when there is none. */
static char *find_generator(const char *folder)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, NULL, alphasort);
    char *found = NULL;

    for (int i = 0; i < count; i++) {
        if (!found && is_generator(folder, entries[i]->d_name))
            found = path_join(folder, entries[i]->d_name);
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    return found;
}

static int refresh(struct app *app, const char *folder, struct error *err)
{
    const struct dag_args args = {.output = folder};
    auto_dag_list struct dag_list *list = NULL;
    auto_dag_plan struct dag_plan *plan = NULL;

    if (airflow_dags_plan(app, &args, DAG_PLAN_WRITE, &list, &plan, err) < 0 ||
        dag_plan_apply(plan, err) < 0)
        return -1;
    if (dag_plan_is_stale(plan))
        log_info("DAG files in %s: %zu added, %zu changed, %zu removed", plan->shown_folder,
                 dag_plan_count(plan, DAG_ADDED), dag_plan_count(plan, DAG_CHANGED),
                 dag_plan_count(plan, DAG_REMOVED));
    return 0;
}

void airflow_refresh_dags(struct app *app, const struct airflow *airflow)
{
    auto_free char *wanted = airflow_extra(airflow, "generate");
    auto_free char *folder = airflow_get(airflow, "core", "dags_folder");
    auto_free char *manifest = NULL, *generator = NULL;
    struct error err = {0};

    if (!folder || (wanted && !text_is_truthy(wanted)))
        return;
    if (dir_make_all(folder, 0777, &err) < 0) {
        log_error("The DAG folder cannot be made: %s", err.message);
        return;
    }
    /* Where our files are already, somebody has decided. */
    manifest = path_join(folder, DAG_MANIFEST_NAME);
    generator = file_exists(manifest) ? NULL : find_generator(folder);
    if (generator)
        log_warning("No DAG files are written beside %s, which makes DAGs of the same schedules. "
                    "How to change over and keep the history is in docs/airflow.md, 'Coming from "
                    "a stock generator'",
                    generator);
    else if (refresh(app, folder, &err) < 0)
        log_error("The DAG files stay as they are: %s. %s", err.message, err.hint);
}
