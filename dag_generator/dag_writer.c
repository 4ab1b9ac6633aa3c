#include "dag_generator/dag_writer.h"

#include "base/diff.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/path.h"
#include "dag_generator/dag_render.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define MANIFEST_SCHEMA   "meltshim.dags/1"
#define MOST_SINGLE_SYNCS 16

static void file_clear(struct dag_file *file)
{
    free(file->name);
    strbuf_clear(&file->old_text);
    strbuf_clear(&file->new_text);
}

void dag_plan_free(struct dag_plan *plan)
{
    if (!plan)
        return;
    for (size_t i = 0; i < plan->count; i++)
        file_clear(&plan->files[i]);
    free(plan->files);
    free(plan->folder);
    free(plan->shown_folder);
    free(plan->owner);
    strlist_clear(&plan->listed);
    fd_close(&plan->folder_fd);
    free(plan);
}

static struct dag_file *add_file(struct dag_plan *plan, const char *name)
{
    struct dag_file *file;

    GROW(plan->files, plan->count, plan->capacity);
    file = &plan->files[plan->count++];
    *file = (struct dag_file){.name = xstrdup(name)};
    return file;
}

/* How the manifest names the project: by the way to it when the folder is inside, so that a
 * checkout can be moved, else by its path. */
static char *name_owner(const char *root, const char *folder)
{
    struct strbuf way = STRBUF_INIT;

    if (!path_is_inside(folder, root))
        return xstrdup(root);
    for (const char *at = folder + strlen(root); *at; at++)
        if (*at == '/' && at[1])
            strbuf_add(&way, way.length ? "/.." : "..");
    if (!way.length)
        strbuf_add_char(&way, '.');
    return strbuf_take(&way);
}

static char *show_folder(const char *root, const char *folder)
{
    if (!path_is_inside(folder, root))
        return xstrdup(folder);
    return xstrdup(folder[strlen(root)] ? folder + strlen(root) + 1 : ".");
}

/* Where the project that the manifest names is; NULL when it is gone: moved, or deleted. The
 * caller frees it. */
static char *find_owner(const char *folder, const char *owner)
{
    auto_free char *root = path_join(folder, owner);
    auto_free char *resolved = path_resolve(root);
    auto_free char *file = resolved ? path_join(resolved, "meltano.yml") : NULL;

    return file && file_exists(file) ? take(resolved) : NULL;
}

static int read_manifest(struct dag_plan *plan, struct error *err)
{
    auto_free char *path = path_join(plan->folder, DAG_MANIFEST_NAME);
    auto_strbuf struct strbuf text = STRBUF_INIT;
    auto_value struct value *manifest = NULL;
    const struct value *files;
    auto_free char *other = NULL;
    const char *owner;

    if (file_read_if_exists(path, &text, &plan->has_manifest, err) < 0)
        return -1;
    if (!plan->has_manifest)
        return 0;
    if (json_parse(strbuf_text(&text), text.length, path, &manifest, err) < 0)
        return error_hint(err, "Remove the file; 'airflow generate --prune' then finds what was "
                               "left behind.");
    owner = value_get_text(manifest, "project");
    if (owner && strcmp(owner, plan->owner) != 0)
        other = find_owner(plan->folder, owner);
    if (other) {
        error_set(err, ERR_CONFIG, "the DAG folder %s is used by another project, %s", plan->folder,
                  other);
        return error_hint(err, "Give each project a folder of its own, such as %s/NAME.",
                          plan->folder);
    }
    files = value_get(manifest, "files");
    for (size_t i = 0; i < value_count(files); i++) {
        const char *name = value_text(value_at(files, i));

        if (name && *name && !strchr(name, '/'))
            strlist_add(&plan->listed, name);
    }
    return 0;
}

static void write_manifest(const struct dag_plan *plan, const struct strlist *names,
                           struct strbuf *out)
{
    auto_value struct value *manifest = value_new_map();
    struct value *files = value_new_list();

    for (size_t i = 0; i < names->count; i++)
        value_append_string(files, names->items[i]);
    value_set_string(manifest, "schema", MANIFEST_SCHEMA);
    value_set_string(manifest, "project", plan->owner);
    value_set_take(manifest, "files", files);
    json_write(out, manifest, &json_indented_utf8);
    strbuf_add_char(out, '\n');
}

/* The files that are ours before, during and after the change. */
static int replace_manifest(const struct dag_plan *plan, bool with_removed, struct error *err)
{
    auto_free char *path = path_join(plan->folder, DAG_MANIFEST_NAME);
    auto_strlist struct strlist names = STRLIST_INIT;
    auto_strbuf struct strbuf text = STRBUF_INIT;

    for (size_t i = 0; i < plan->count; i++)
        if (with_removed || plan->files[i].change != DAG_REMOVED)
            strlist_add(&names, plan->files[i].name);
    write_manifest(plan, &names, &text);
    return file_replace(path, &text, 0644, NULL, err);
}

/* Reads the file, if it is there, and refuses one that we did not write. */
static int read_file(const struct dag_plan *plan, struct dag_file *file, bool *found,
                     struct error *err)
{
    auto_free char *path = path_join(plan->folder, file->name);

    if (file_read_if_exists(path, &file->old_text, found, err) < 0)
        return -1;
    if (!*found || dag_render_is_ours(&file->old_text))
        return 0;
    error_set(err, ERR_CONFIG, "%s is there already, and not written by meltshim", path);
    return error_hint(err, "Move it away, or give the schedule '%s' another dag_id.",
                      file->dag->schedule->name);
}

static bool is_same(const struct strbuf *a, const struct strbuf *b)
{
    return a->length == b->length && !memcmp(strbuf_text(a), strbuf_text(b), a->length);
}

static int plan_dag(struct dag_plan *plan, const struct dag *dag, enum dag_plan_mode mode,
                    struct error *err)
{
    struct dag_file *file = add_file(plan, dag->file_name);
    bool found;

    file->dag = dag;
    if (read_file(plan, file, &found, err) < 0)
        return -1;
    if (mode == DAG_PLAN_PRUNE) {
        if (!found)
            file_clear(&plan->files[--plan->count]);
        return 0;
    }
    dag_render(dag, &file->new_text);
    if (!found) {
        file->change = DAG_ADDED;
    } else if (is_same(&file->old_text, &file->new_text)) {
        strbuf_clear(&file->old_text);
        strbuf_clear(&file->new_text);
    } else {
        file->change = DAG_CHANGED;
    }
    return 0;
}

/* One that is gone, or was replaced by another's, is nothing to remove. */
static int plan_removal(struct dag_plan *plan, const char *name, struct error *err)
{
    auto_free char *path = path_join(plan->folder, name);
    auto_strbuf struct strbuf text = STRBUF_INIT;
    struct dag_file *file;
    bool found;

    if (file_read_if_exists(path, &text, &found, err) < 0)
        return -1;
    if (!found || !dag_render_is_ours(&text))
        return 0;
    file = add_file(plan, name);
    file->change = DAG_REMOVED;
    file->old_text = text;
    text = (struct strbuf)STRBUF_INIT;
    return 0;
}

/* Every Python file in the folder, for --prune. */
static int list_folder(const char *folder, struct strlist *names, struct error *err)
{
    DIR *dir = opendir(folder);
    const struct dirent *entry;

    if (!dir)
        return error_set_errno(err, ERR_IO, "cannot read the DAG folder %s", folder);
    while ((entry = readdir(dir))) {
        size_t length = strlen(entry->d_name);

        if (length > 3 && !strcmp(entry->d_name + length - 3, ".py") && entry->d_type != DT_DIR)
            strlist_add(names, entry->d_name);
    }
    closedir(dir);
    return 0;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const struct dag_file *)a)->name, ((const struct dag_file *)b)->name);
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool has_dag(const struct strlist *sorted, const char *name)
{
    return sorted->count &&
           bsearch(&name, sorted->items, sorted->count, sizeof *sorted->items, compare_texts);
}

static int plan_files(struct dag_plan *plan, const struct dag_list *list, enum dag_plan_mode mode,
                      struct error *err)
{
    auto_strlist struct strlist wanted = STRLIST_INIT, candidates = STRLIST_INIT;

    for (size_t i = 0; i < list->count; i++) {
        strlist_add(&wanted, list->items[i]->file_name);
        if (plan_dag(plan, list->items[i], mode, err) < 0)
            return -1;
    }
    strlist_sort(&wanted);
    strlist_add_all(&candidates, &plan->listed);
    if (mode == DAG_PLAN_PRUNE && list_folder(plan->folder, &candidates, err) < 0)
        return -1;
    strlist_sort(&candidates);
    for (size_t i = 0; i < candidates.count; i++) {
        bool is_known = i && !strcmp(candidates.items[i], candidates.items[i - 1]);

        if (!is_known && !has_dag(&wanted, candidates.items[i]) &&
            plan_removal(plan, candidates.items[i], err) < 0)
            return -1;
    }
    if (plan->count)
        qsort(plan->files, plan->count, sizeof *plan->files, compare_names);
    return 0;
}

/* One generator at a time; the lock goes with the descriptor. */
static int open_folder(struct dag_plan *plan, struct error *err)
{
    if (dir_make_all(plan->folder, 0755, err) < 0) {
        error_wrap(err, "the DAG folder");
        return error_hint(err, "Choose another one with --output, or with the setting "
                               "core.dags_folder of the project's Airflow plugin.");
    }
    plan->folder_fd = open(plan->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (plan->folder_fd < 0)
        return error_set_errno(err, ERR_IO, "cannot open the DAG folder %s", plan->folder);
    while (flock(plan->folder_fd, LOCK_EX) < 0)
        if (errno != EINTR)
            return error_set_errno(err, ERR_IO, "cannot lock the DAG folder %s", plan->folder);
    return 0;
}

int dag_plan_make(const struct dag_list *list, const struct project *project, const char *folder,
                  enum dag_plan_mode mode, struct dag_plan **out, struct error *err)
{
    auto_dag_plan struct dag_plan *plan = xcalloc(1, sizeof *plan);
    auto_free char *resolved = NULL;

    plan->folder_fd = -1;
    plan->folder = xstrdup(folder);
    /* Nothing to write and nothing to remove: no reason to make a folder. */
    if (!list->count && !file_exists(folder))
        mode = DAG_PLAN_LOOK;
    if (mode != DAG_PLAN_LOOK && open_folder(plan, err) < 0)
        return -1;
    resolved = path_resolve(folder);
    plan->owner = name_owner(project->root, resolved ? resolved : folder);
    plan->shown_folder = show_folder(project->root, resolved ? resolved : folder);
    if (read_manifest(plan, err) < 0 || plan_files(plan, list, mode, err) < 0)
        return -1;
    *out = take(plan);
    return 0;
}

size_t dag_plan_count(const struct dag_plan *plan, enum dag_change change)
{
    size_t count = 0;

    for (size_t i = 0; i < plan->count; i++)
        count += plan->files[i].change == change;
    return count;
}

bool dag_plan_is_stale(const struct dag_plan *plan)
{
    return dag_plan_count(plan, DAG_UNCHANGED) < plan->count;
}

void dag_plan_diff(const struct dag_plan *plan, struct strbuf *out)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct dag_file *file = &plan->files[i];
        auto_free char *path = path_join(plan->shown_folder, file->name);

        if (file->change != DAG_UNCHANGED)
            strbuf_add_diff(out, file->change == DAG_ADDED ? NULL : path,
                            strbuf_text(&file->old_text), file->change == DAG_REMOVED ? NULL : path,
                            strbuf_text(&file->new_text));
    }
}

static int refuse_write(const struct dag_plan *plan, const char *name, struct error *err)
{
    int cause = errno;

    error_set_errno(err, ERR_IO, "cannot write %s/%s", plan->folder, name);
    if (cause == EACCES || cause == EPERM || cause == EROFS)
        return error_hint(err, "The DAG folder must be writable, or choose another one with "
                               "--output.");
    return -1;
}

static bool is_written(const struct dag_file *file)
{
    return file->change == DAG_ADDED || file->change == DAG_CHANGED;
}

/* 0, or -1 with errno. The lock of the folder makes the names ours; what a crash left under them is
 * overwritten. */
static int write_temporary(const struct dag_plan *plan, const struct dag_file *file,
                           struct strlist *temporaries)
{
    /* No name that ends in .py: Airflow may look at any moment. */
    auto_free char *path = path_joinf(plan->folder, ".meltshim-%zu.tmp", temporaries->count);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
    int failed;

    if (fd < 0)
        return -1;
    strlist_add(temporaries, path);
    failed = fd_write_all(fd, strbuf_text(&file->new_text), file->new_text.length) < 0;
    if (close(fd) < 0)
        failed = 1;
    return failed ? -1 : 0;
}

/* Many at once: a file at a time, each would wait for the disk. */
static int sync_temporaries(const struct dag_plan *plan, const struct strlist *temporaries)
{
    if (temporaries->count > MOST_SINGLE_SYNCS)
        return syncfs(plan->folder_fd);
    for (size_t i = 0; i < temporaries->count; i++) {
        auto_fd int fd = open(temporaries->items[i], O_RDONLY | O_CLOEXEC);

        if (fd < 0 || fsync(fd) < 0)
            return -1;
    }
    return 0;
}

static int write_temporaries(const struct dag_plan *plan, struct strlist *temporaries,
                             struct error *err)
{
    /* Airflow, which may be another user, has to read them. */
    mode_t mask = umask(022);
    const char *failed = NULL;

    for (size_t i = 0; i < plan->count && !failed; i++)
        if (is_written(&plan->files[i]) && write_temporary(plan, &plan->files[i], temporaries) < 0)
            failed = plan->files[i].name;
    umask(mask);
    if (failed)
        return refuse_write(plan, failed, err);
    if (sync_temporaries(plan, temporaries) < 0)
        return error_set_errno(err, ERR_IO, "cannot write to the DAG folder %s", plan->folder);
    return 0;
}

static int move_into_place(const struct dag_plan *plan, const struct strlist *temporaries,
                           struct error *err)
{
    size_t at = 0;

    for (size_t i = 0; i < plan->count; i++) {
        const struct dag_file *file = &plan->files[i];
        auto_free char *path = path_join(plan->folder, file->name);

        if (is_written(file) && rename(temporaries->items[at++], path) < 0)
            return refuse_write(plan, file->name, err);
        if (file->change == DAG_REMOVED && unlink(path) < 0 && errno != ENOENT)
            return error_set_errno(err, ERR_IO, "cannot remove %s", path);
    }
    return 0;
}

/* Nobody else writes while the folder is locked: one that was killed left these. */
static void sweep_temporaries(const struct dag_plan *plan)
{
    static const char start[] = ".meltshim-", ending[] = ".tmp";
    DIR *folder = opendir(plan->folder);
    struct dirent *entry;

    while (folder && (entry = readdir(folder))) {
        const char *rest = strrchr(entry->d_name, '.');

        if (!strncmp(entry->d_name, start, strlen(start)) && !strcmp(rest, ending))
            unlinkat(dirfd(folder), entry->d_name, 0);
    }
    if (folder)
        closedir(folder);
}

int dag_plan_apply(struct dag_plan *plan, struct error *err)
{
    auto_strlist struct strlist temporaries = STRLIST_INIT;
    int status;

    if (!plan->count && !plan->has_manifest)
        return 0;
    sweep_temporaries(plan);
    if (!dag_plan_is_stale(plan))
        return replace_manifest(plan, false, err);
    status = write_temporaries(plan, &temporaries, err);
    /* The names are listed before the files appear: what a crash leaves behind stays ours. */
    if (!status)
        status = replace_manifest(plan, true, err);
    if (!status)
        status = move_into_place(plan, &temporaries, err);
    for (size_t i = 0; status && i < temporaries.count; i++)
        unlink(temporaries.items[i]);
    if (status)
        return -1;
    fsync(plan->folder_fd);
    return replace_manifest(plan, false, err);
}
