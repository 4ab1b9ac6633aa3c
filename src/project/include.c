#include "project/include.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/path.h"
#include "base/position.h"
#include "base/strbuf.h"
#include "base/strmap.h"
#include "base/yaml.h"

#include <errno.h>
#include <fnmatch.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *relative_to(const char *root, const char *path)
{
    return path_is_inside(path, root) && path[strlen(root)] ? path + strlen(root) + 1 : path;
}

int project_file_load(const char *root, const char *path, struct value **out, struct error *err)
{
    auto_strbuf struct strbuf text = STRBUF_INIT;

    if (file_read(path, &text, err) < 0)
        return -1;
    return value_from_yaml(strbuf_text(&text), text.length, relative_to(root, path), out, err);
}

/* Finding ---------------------------------------------------------------------------------- */

/* The names in a directory, sorted; none when it cannot be read, as in Python. */
static void list_directory(const char *dir, struct strlist *names)
{
    struct error ignored = {0};

    (void)dir_list(dir, names, &ignored);
}

static bool is_real_directory(const char *path)
{
    struct stat info;

    return lstat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static void find_matches(const char *dir, char *const *parts, struct strlist *out);

/* "**": the directory itself and all below it; symlinks are not followed. */
static void find_recursively(const char *dir, char *const *parts, struct strlist *out)
{
    auto_strlist struct strlist names = STRLIST_INIT;

    find_matches(dir, parts, out);
    list_directory(dir, &names);
    for (size_t i = 0; i < names.count; i++) {
        auto_free char *path = path_join(dir, names.items[i]);

        if (is_real_directory(path))
            find_recursively(path, parts, out);
    }
}

static void find_matches(const char *dir, char *const *parts, struct strlist *out)
{
    auto_strlist struct strlist names = STRLIST_INIT;
    const char *part = parts[0];
    bool is_pattern;

    if (!part) {
        strlist_add_unique(out, dir);
        return;
    }
    if (!strcmp(part, "**")) {
        find_recursively(dir, parts + 1, out);
        return;
    }
    is_pattern = part[strcspn(part, "*?[")] != '\0';
    if (is_pattern)
        list_directory(dir, &names);
    else
        strlist_add(&names, part);
    for (size_t i = 0; i < names.count; i++) {
        auto_free char *path = path_join(dir, names.items[i]);

        if (is_pattern && fnmatch(part, names.items[i], FNM_NOESCAPE) != 0)
            continue;
        if (parts[1] ? file_is_directory(path) : is_pattern || file_exists(path))
            find_matches(path, parts + 1, out);
    }
}

static int split_pattern(const struct value *pattern, struct strlist *parts, struct error *err)
{
    auto_strlist struct strlist all = STRLIST_INIT;
    const char *text = value_text(pattern);

    if (!value_is_string(pattern)) {
        error_set_at(err, ERR_CONFIG, pattern, "an entry of 'include_paths' must be a text, not %s",
                     value_kind_name(value_kind(pattern)));
        return error_hint(err, "Write one pattern after each '- '.");
    }
    if (*text == '/') {
        error_set_at(err, ERR_CONFIG, pattern, "the include path '%s' is absolute", text);
        return error_hint(err, "Give it relative to the project root.");
    }
    strlist_split(&all, text, '/');
    for (size_t i = 0; i < all.count; i++) {
        if (strstr(all.items[i], "**") && strcmp(all.items[i], "**") != 0) {
            error_set_at(err, ERR_CONFIG, pattern,
                         "'**' must stand alone between slashes in the include path '%s'", text);
            return error_hint(err, "Write it as '**/*.yml', for example.");
        }
        if (*all.items[i] && strcmp(all.items[i], ".") != 0)
            strlist_add(parts, all.items[i]);
    }
    if (!parts->count) {
        error_set_at(err, ERR_CONFIG, pattern, "the include path '%s' names no file", text);
        return error_hint(err, "Remove it, or name a file.");
    }
    return 0;
}

static int check_match(const char *root, const char *path, const struct value *pattern,
                       struct error *err)
{
    auto_free char *real = path_resolve(path);
    struct stat info;

    if (!real || stat(real, &info) < 0 || !S_ISREG(info.st_mode)) {
        error_set_at(err, ERR_CONFIG, pattern, "included path '%s' is not a file", path);
        return error_hint(err, "Change the pattern '%s' so that it matches files only.",
                          value_text(pattern));
    }
    if (!path_is_inside(real, root)) {
        error_set_at(err, ERR_CONFIG, pattern,
                     "included path '%s' is outside the project root '%s'", path, root);
        return error_hint(err, "Include only files below the project root.");
    }
    return 0;
}

int include_find(const char *root, const struct value *patterns, struct strlist *files,
                 struct error *err)
{
    auto_free char *main_file = path_join(root, "meltano.yml");

    if (patterns && !value_is_list(patterns)) {
        error_set_at(err, ERR_CONFIG, patterns, "'include_paths' must be a list, not %s",
                     value_kind_name(value_kind(patterns)));
        return error_hint(err, "Write one pattern after each '- '.");
    }
    for (size_t i = 0; i < value_count(patterns); i++) {
        const struct value *pattern = value_at(patterns, i);
        auto_strlist struct strlist parts = STRLIST_INIT;
        auto_strlist struct strlist matches = STRLIST_INIT;

        if (split_pattern(pattern, &parts, err) < 0)
            return -1;
        find_matches(root, parts.items, &matches);
        strlist_sort(&matches);
        for (size_t k = 0; k < matches.count; k++) {
            if (!strcmp(matches.items[k], main_file))
                continue;
            if (check_match(root, matches.items[k], pattern, err) < 0)
                return -1;
            strlist_add_unique(files, matches.items[k]);
        }
    }
    return 0;
}

/* Merging ---------------------------------------------------------------------------------- */

/* Moves a member over, with the position of its key. */
static void move_member(struct value *into, struct value_member *member)
{
    size_t count = value_count(into);

    value_set_take(into, member->key, take(member->value));
    if (value_count(into) == count)
        return;
    into->map.members[count].line = member->line;
    into->map.members[count].column = member->column;
}

/* Leaves from in pieces; it is only good for value_free() afterwards. */
static int merge_into(struct value *into, struct value *from, struct error *err)
{
    for (size_t i = 0; i < value_count(from); i++) {
        struct value_member *member = &from->map.members[i];
        struct value *there = value_get(into, member->key);
        bool is_joined = value_is_map(member->value) || value_is_list(member->value);

        if (value_is_null(there) || !is_joined) {
            move_member(into, member);
        } else if (value_kind(there) != value_kind(member->value)) {
            error_set_at(err, ERR_CONFIG, member->value, "'%s' is %s here, but %s in %s on line %u",
                         member->key, value_kind_name(value_kind(member->value)),
                         value_kind_name(value_kind(there)), there->file, there->line);
            return error_hint(err, "Make both the same.");
        } else if (value_is_map(there)) {
            if (merge_into(there, member->value, err) < 0)
                return -1;
        } else {
            for (size_t k = 0; k < value_count(member->value); k++) {
                value_append_take(there, member->value->list.items[k]);
                member->value->list.items[k] = NULL;
            }
        }
    }
    return 0;
}

static int add_to_index(struct strmap *index, const char *kind, const struct value *list,
                        struct error *err)
{
    for (size_t i = 0; i < value_count(list); i++) {
        const struct value *entry = value_at(list, i);
        const char *name = value_get_text(entry, "name");
        auto_free char *key = xasprintf("%s:%s", kind, name ? name : "");

        if (!name)
            continue;
        if (strmap_has(index, key)) {
            error_set_at(err, ERR_CONFIG, entry, "'%s' of %s is already in %s", name, kind,
                         strmap_get(index, key));
            return error_hint(err, "Remove one of the two.");
        }
        strmap_setf(index, key, "%s on line %u", entry->file, entry->line);
    }
    return 0;
}

static int index_entries(struct strmap *index, const struct value *document, struct error *err)
{
    static const char *const lists[] = {"schedules", "environments", "jobs"};
    const struct value *plugins = value_get(document, "plugins");

    for (size_t i = 0; i < value_count(plugins); i++) {
        const struct value_member *member = value_member_at(plugins, i);
        auto_free char *kind = xasprintf("plugins:%s", member->key);

        if (value_is_map(plugins) && add_to_index(index, kind, member->value, err) < 0)
            return -1;
    }
    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        if (add_to_index(index, lists[i], value_get(document, lists[i]), err) < 0)
            return -1;
    return 0;
}

int include_merge(const char *root, const struct strlist *files, struct value *document,
                  struct error *err)
{
    auto_strmap struct strmap index = STRMAP_INIT;

    for (size_t i = 0; i < files->count; i++) {
        auto_value struct value *included = NULL;

        if (project_file_load(root, files->items[i], &included, err) < 0)
            return -1;
        if (!value_is_map(included)) {
            error_set_at(err, ERR_CONFIG, included, "the included file holds %s, not a mapping",
                         value_is_null(included) ? "nothing" : value_kind_name(included->kind));
            return error_hint(err, "Give it 'plugins:', 'schedules:' or other keys of meltano.yml, "
                                   "or exclude it from include_paths.");
        }
        if (index_entries(&index, included, err) < 0 || merge_into(document, included, err) < 0)
            return -1;
    }
    return 0;
}
