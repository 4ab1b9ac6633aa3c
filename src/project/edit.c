#include "project/edit.h"

#include "base/clock.h"
#include "base/diff.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/path.h"
#include "base/position.h"
#include "base/strbuf.h"
#include "base/yaml.h"
#include "base/yaml_edit.h"
#include "project/include.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LOCK_WAIT_MS  10000
#define LOCK_PAUSE_MS 20

/* A file as it was read, and what it shall say. */
struct edited_file {
    char *path;
    const char *name; /* for messages, relative to the root; within path */
    struct strbuf text;
    struct value *document; /* a mapping */
};

struct project_edit {
    char *root;
    int lock;                  /* descriptor */
    struct edited_file *files; /* meltano.yml first */
    size_t count;
};

/* The lock --------------------------------------------------------------------------------- */

/* The kind of lock that Meltano takes on this file, so each waits for the other. */
static int try_lock(int fd)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    return fcntl(fd, F_SETLK, &whole);
}

static int take_lock(const struct project *project, int *lock, struct error *err)
{
    auto_free char *dir = path_join(project->sys_dir, "run");
    auto_free char *path = path_join(dir, "meltano.yml.lock");
    const struct timespec pause = {0, LOCK_PAUSE_MS * 1000000};
    int64_t deadline = clock_monotonic_ms() + LOCK_WAIT_MS;
    auto_fd int fd = -1;

    if (dir_make_all(dir, 0777, err) < 0)
        return -1;
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0)
        return error_set_errno(err, ERR_IO, "cannot open %s", path);
    while (try_lock(fd) < 0) {
        if (errno != EACCES && errno != EAGAIN && errno != EINTR)
            return error_set_errno(err, ERR_IO, "cannot lock %s", path);
        if (clock_monotonic_ms() > deadline) {
            error_set(err, ERR_IO, "another program is changing meltano.yml: it holds %s", path);
            return error_hint(err, "Try again when it has ended.");
        }
        nanosleep(&pause, NULL);
    }
    *lock = fd;
    fd = -1;
    return 0;
}

/* Reading ---------------------------------------------------------------------------------- */

static int add_file(struct project_edit *edit, const char *path, struct error *err)
{
    struct edited_file *file;

    edit->files = xrealloc(edit->files, (edit->count + 1) * sizeof *edit->files);
    file = &edit->files[edit->count++];
    *file = (struct edited_file){.path = xstrdup(path)};
    file->name =
        path_is_inside(path, edit->root) ? file->path + strlen(edit->root) + 1 : file->path;
    if (file_read(path, &file->text, err) < 0 ||
        value_from_yaml(strbuf_text(&file->text), file->text.length, file->name, &file->document,
                        err) < 0)
        return -1;
    if (value_is_null(file->document)) {
        value_free(file->document);
        file->document = value_new_map();
    }
    if (!value_is_map(file->document))
        return error_set_at(err, ERR_CONFIG, file->document, "the file holds %s, not a mapping",
                            value_kind_name(file->document->kind));
    return 0;
}

static int read_files(struct project_edit *edit, const struct project *project, struct error *err)
{
    auto_strlist struct strlist included = STRLIST_INIT;

    if (add_file(edit, project->file, err) < 0 ||
        include_find(edit->root, value_get(edit->files[0].document, "include_paths"), &included,
                     err) < 0)
        return -1;
    for (size_t i = 0; i < included.count; i++)
        if (add_file(edit, included.items[i], err) < 0)
            return -1;
    return 0;
}

int project_edit_begin(const struct project *project, struct project_edit **out, struct error *err)
{
    auto_project_edit struct project_edit *edit = xcalloc(1, sizeof *edit);

    edit->lock = -1;
    edit->root = xstrdup(project->root);
    if (take_lock(project, &edit->lock, err) < 0 || read_files(edit, project, err) < 0)
        return -1;
    *out = take(edit);
    return 0;
}

void project_edit_free(struct project_edit *edit)
{
    if (!edit)
        return;
    for (size_t i = 0; i < edit->count; i++) {
        free(edit->files[i].path);
        strbuf_clear(&edit->files[i].text);
        value_free(edit->files[i].document);
    }
    free(edit->files);
    free(edit->root);
    fd_close(&edit->lock);
    free(edit);
}

static int make_text(const struct edited_file *file, struct strbuf *out, struct error *err)
{
    return value_edit_yaml(strbuf_text(&file->text), file->text.length, file->name, file->document,
                           out, err);
}

int project_edit_diff(struct project_edit *edit, struct strbuf *out, struct error *err)
{
    for (size_t i = 0; i < edit->count; i++) {
        const struct edited_file *file = &edit->files[i];
        auto_strbuf struct strbuf text = STRBUF_INIT;

        if (make_text(file, &text, err) < 0)
            return -1;
        strbuf_add_diff(out, file->name, strbuf_text(&file->text), file->name, strbuf_text(&text));
    }
    return 0;
}

int project_edit_commit(struct project_edit *edit, struct error *err)
{
    auto_free struct strbuf *texts = xcalloc(edit->count, sizeof *texts);
    int result = 0;

    /* All texts are made before the first file is written. */
    for (size_t i = 0; !result && i < edit->count; i++)
        result = make_text(&edit->files[i], &texts[i], err);
    for (size_t i = 0; !result && i < edit->count; i++)
        result = file_replace(edit->files[i].path, &texts[i], 0644, NULL, err);
    for (size_t i = 0; i < edit->count; i++)
        strbuf_clear(&texts[i]);
    return result;
}

/* Entries ---------------------------------------------------------------------------------- */

/* "plugins.extractors" as its two keys; the second is NULL for a list at the top. */
struct list_name {
    char *first, *second;
};

static struct list_name split_list_name(const char *list)
{
    const char *dot = strchr(list, '.');

    return (struct list_name){dot ? xstrndup(list, (size_t)(dot - list)) : xstrdup(list),
                              dot ? xstrdup(dot + 1) : NULL};
}

static struct value *get_list(const struct value *document, const char *list)
{
    struct list_name name = split_list_name(list);
    struct value *found = value_get(document, name.first);

    if (name.second)
        found = value_get(found, name.second);
    free(name.first);
    free(name.second);
    return value_is_list(found) ? found : NULL;
}

/* The value under key, which becomes an empty one of the kind if it is something else. */
static struct value *make_value(struct value *map, const char *key, enum value_kind kind)
{
    struct value *there = value_get(map, key);

    if (value_kind(there) != kind || !there) {
        there = kind == VALUE_MAP ? value_new_map() : value_new_list();
        value_set_take(map, key, there);
    }
    return there;
}

static struct value *make_list(struct value *document, const char *list)
{
    struct list_name name = split_list_name(list);
    struct value *parent = name.second ? make_value(document, name.first, VALUE_MAP) : document;
    struct value *found = make_value(parent, name.second ? name.second : name.first, VALUE_LIST);

    free(name.first);
    free(name.second);
    return found;
}

/* The position of the entry in a list; the count of the list when there is none. */
static size_t find_position(const struct value *list, const char *name)
{
    size_t i = 0;

    for (; i < value_count(list); i++) {
        const char *here = value_get_text(value_at(list, i), "name");

        if (here && !strcmp(here, name))
            break;
    }
    return i;
}

struct value *project_edit_find_entry(struct project_edit *edit, const char *list, const char *name)
{
    for (size_t i = 0; i < edit->count; i++) {
        struct value *entries = get_list(edit->files[i].document, list);
        struct value *entry = value_at(entries, find_position(entries, name));

        if (entry)
            return entry;
    }
    return NULL;
}

void project_edit_append_entry_take(struct project_edit *edit, const char *list,
                                    struct value *entry)
{
    value_append_take(make_list(edit->files[0].document, list), entry);
}

bool project_edit_remove_entry(struct project_edit *edit, const char *list, const char *name)
{
    for (size_t i = 0; i < edit->count; i++) {
        struct value *entries = get_list(edit->files[i].document, list);
        size_t position = find_position(entries, name);

        if (position == value_count(entries))
            continue;
        value_list_remove(entries, position);
        return true;
    }
    return false;
}

static struct value *find_environment_plugin(struct project_edit *edit, const struct plugin *plugin,
                                             const char *name, const char *environment)
{
    struct value *entry = project_edit_find_entry(edit, "environments", environment);
    struct value *plugins, *list, *found;

    if (!entry)
        return NULL;
    plugins = make_value(make_value(entry, "config", VALUE_MAP), "plugins", VALUE_MAP);
    list = make_value(plugins, plugin_type_info(plugin->type)->plural, VALUE_LIST);
    found = value_at(list, find_position(list, name));
    if (!found) {
        found = value_new_map();
        value_set_string(found, "name", name);
        value_append_take(list, found);
    }
    return found;
}

struct value *project_edit_plugin(struct project_edit *edit, const struct plugin *plugin,
                                  const char *environment, struct error *err)
{
    const char *name = plugin->mapper ? plugin->mapper->name : plugin->name;
    auto_free char *list = xasprintf("plugins.%s", plugin_type_info(plugin->type)->plural);
    struct value *entry, *mappings;

    if (environment) {
        entry = find_environment_plugin(edit, plugin, name, environment);
        if (!entry)
            error_set(err, ERR_CONFIG, "Environment '%s' was not found", environment);
        return entry;
    }
    entry = project_edit_find_entry(edit, list, name);
    if (entry && plugin->mapper) {
        mappings = value_get(entry, "mappings");
        entry = value_at(mappings, find_position(mappings, plugin->name));
    }
    if (!entry) {
        error_set(err, ERR_CONFIG, "'%s' is no longer in meltano.yml", plugin->name);
        error_hint(err, "Another program has changed the file; try again.");
    }
    return entry;
}

struct value *project_edit_top_level(struct project_edit *edit, const char *key)
{
    for (size_t i = edit->count; i-- > 0;)
        if (value_find(edit->files[i].document, key))
            return edit->files[i].document;
    return edit->files[0].document;
}

/* Paths ------------------------------------------------------------------------------------ */

void edit_set_path_take(struct value *map, const struct strlist *path, struct value *value)
{
    for (size_t i = 0; i + 1 < path->count; i++)
        map = make_value(map, path->items[i], VALUE_MAP);
    value_set_take(map, path->items[path->count - 1], value);
}

static bool unset_from(struct value *map, const struct strlist *path, size_t depth)
{
    struct value *below = value_get(map, path->items[depth]);

    if (depth + 1 == path->count)
        return value_remove(map, path->items[depth]);
    if (!unset_from(below, path, depth + 1))
        return false;
    if (!value_count(below))
        value_remove(map, path->items[depth]);
    return true;
}

bool edit_unset_path(struct value *map, const struct strlist *path)
{
    return unset_from(map, path, 0);
}
