#include "project/edit.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/path.h"
#include "base/yaml.h"
#include "base/yaml_edit.h"
#include "tests/unit/tempdir.h"

#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

Suite *project_edit_suite(void);

static void set_up(void)
{
    unsetenv("MELTANO_SYS_DIR_ROOT");
    tempdir_make();
}

static struct project *load(void)
{
    struct error err = {0};
    struct project *project = NULL;

    ck_assert_msg(!project_load(tempdir_path(), &project, &err), "%s", err.message);
    return project;
}

static struct project_edit *begin(const struct project *project)
{
    struct error err = {0};
    struct project_edit *edit = NULL;

    ck_assert_msg(!project_edit_begin(project, &edit, &err), "%s", err.message);
    return edit;
}

static void commit(struct project_edit *edit)
{
    struct error err = {0};

    ck_assert_msg(!project_edit_commit(edit, &err), "%s: %s", err.message, err.hint);
}

static void expect_file(const char *name, const char *text)
{
    auto_free char *found = tempdir_read(name);

    ck_assert_str_eq(found, text);
}

static void set(struct value *map, const char *dotted, struct value *value)
{
    auto_strlist struct strlist path = STRLIST_INIT;

    strlist_split(&path, dotted, '.');
    edit_set_path_take(map, &path, value);
}

static bool unset(struct value *map, const char *dotted)
{
    auto_strlist struct strlist path = STRLIST_INIT;

    strlist_split(&path, dotted, '.');
    return edit_unset_path(map, &path);
}

static const char main_file[] = "# the project\n"
                                "include_paths: ['*.inc.yml']\n"
                                "\n"
                                "plugins:\n"
                                "  extractors:\n"
                                "  - name: tap-a  # ours\n"
                                "    config:\n"
                                "      url: \"http://x\"   # the address\n"
                                "      auth: {user: u}\n"
                                "    # select: [a]\n"
                                "\n"
                                "  mappers:\n"
                                "  - name: m\n"
                                "    mappings:\n"
                                "    - name: hide\n"
                                "      config: {x: 1}\n"
                                "# jobs follow\n"
                                "jobs:\n"
                                "- name: j\n"
                                "  tasks:\n"
                                "  - tap-a target-b\n"
                                "environments:\n"
                                "- name: dev\n";

static const char included_file[] = "plugins:\n  loaders:\n    - name: target-b\n      # none\n"
                                    "environments:\n  - name: prod\n"
                                    "cli: {log_level: info}\n";

static struct project *write_and_load(void)
{
    tempdir_write("meltano.yml", main_file);
    tempdir_write("b.inc.yml", included_file);
    return load();
}

/* main_file with one text in place of another. */
static void expect_main_with(const char *old, const char *new)
{
    const char *at = strstr(main_file, old);
    auto_free char *expected = NULL;

    ck_assert_ptr_nonnull(at);
    expected = xasprintf("%.*s%s%s", (int)(at - main_file), main_file, new, at + strlen(old));
    expect_file("meltano.yml", expected);
}

START_TEST(a_setting_of_a_plugin_is_changed_in_its_line)
{
    auto_project struct project *project = write_and_load();
    auto_project_edit struct project_edit *edit = begin(project);
    struct error err = {0};
    struct value *entry =
        project_edit_plugin(edit, project_find_plugin(project, "tap-a"), NULL, &err);

    set(entry, "config.url", value_new_string("https://y"));
    commit(edit);
    expect_main_with("\"http://x\"", "\"https://y\"");
    expect_file("b.inc.yml", included_file);
}
END_TEST

START_TEST(missing_parents_are_made)
{
    auto_project struct project *project = write_and_load();
    auto_project_edit struct project_edit *edit = begin(project);
    struct error err = {0};
    struct value *entry =
        project_edit_plugin(edit, project_find_plugin(project, "tap-a"), NULL, &err);

    set(entry, "config.auth.token", value_new_string("t"));
    set(entry, "metadata.*.replication-method", value_new_string("FULL_TABLE"));
    commit(edit);
    expect_main_with("{user: u}\n    # select: [a]\n",
                     "{user: u, token: t}\n    # select: [a]\n    metadata:\n      '*':\n"
                     "        replication-method: FULL_TABLE\n");
}
END_TEST

START_TEST(unsetting_removes_what_it_leaves_empty)
{
    auto_project struct project *project = write_and_load();
    auto_project_edit struct project_edit *edit = begin(project);
    struct error err = {0};
    struct value *entry =
        project_edit_plugin(edit, project_find_plugin(project, "tap-a"), NULL, &err);

    ck_assert(unset(entry, "config.auth.user"));
    ck_assert(!unset(entry, "config.auth.user"));
    ck_assert(!unset(entry, "nothing.at.all"));
    commit(edit);
    expect_main_with("      auth: {user: u}\n", "");
}
END_TEST

START_TEST(an_environment_gets_its_own_entry_for_a_plugin)
{
    auto_project struct project *project = write_and_load();
    auto_project_edit struct project_edit *edit = begin(project);
    const struct plugin *tap = project_find_plugin(project, "tap-a");
    struct error err = {0};

    set(project_edit_plugin(edit, tap, "dev", &err), "config.url", value_new_string("u"));
    set(project_edit_plugin(edit, tap, "prod", &err), "config.url", value_new_string("v"));
    ck_assert_ptr_null(project_edit_plugin(edit, tap, "nosuch", &err));
    ck_assert_str_eq(err.message, "Environment 'nosuch' was not found");
    commit(edit);
    expect_main_with("- name: dev\n", "- name: dev\n  config:\n    plugins:\n      extractors:\n"
                                      "      - name: tap-a\n        config:\n          url: u\n");
    expect_file("b.inc.yml",
                "plugins:\n  loaders:\n    - name: target-b\n      # none\n"
                "environments:\n  - name: prod\n    config:\n      plugins:\n        extractors:\n"
                "          - name: tap-a\n            config:\n              url: v\n"
                "cli: {log_level: info}\n");
}
END_TEST

START_TEST(a_mapping_is_changed_in_its_mapper)
{
    auto_project struct project *project = write_and_load();
    auto_project_edit struct project_edit *edit = begin(project);
    struct error err = {0};

    set(project_edit_plugin(edit, project_find_plugin(project, "hide"), NULL, &err), "config.x",
        value_new_int(2));
    commit(edit);
    expect_main_with("{x: 1}", "{x: 2}");
}
END_TEST

START_TEST(entries_are_added_where_they_belong)
{
    auto_project struct project *project = write_and_load();
    auto_project_edit struct project_edit *edit = begin(project);
    struct value *job = value_new_map(), *schedule = value_new_map(), *plugin = value_new_map();
    struct value *tasks = value_new_list();

    value_append_string(tasks, "dbt:run");
    value_set_string(job, "name", "k");
    value_set_take(job, "tasks", tasks);
    value_set_string(schedule, "name", "s");
    value_set_string(schedule, "interval", "@daily");
    value_set_string(plugin, "name", "tap-c");
    project_edit_append_entry_take(edit, "jobs", job);
    project_edit_append_entry_take(edit, "schedules", schedule);
    project_edit_append_entry_take(edit, "plugins.extractors", plugin);
    commit(edit);
    {
        auto_free char *text = tempdir_read("meltano.yml");

        ck_assert_ptr_nonnull(strstr(text, "    # select: [a]\n  - name: tap-c\n\n  mappers:\n"));
        ck_assert_ptr_nonnull(strstr(text, "  - tap-a target-b\n- name: k\n  tasks:\n  - dbt:run\n"
                                           "environments:\n- name: dev\n"
                                           "schedules:\n- name: s\n  interval: '@daily'\n"));
    }
}
END_TEST

START_TEST(an_entry_is_removed_from_the_file_where_it_stands)
{
    auto_project struct project *project = write_and_load();
    auto_project_edit struct project_edit *edit = begin(project);

    ck_assert(project_edit_remove_entry(edit, "plugins.loaders", "target-b"));
    ck_assert(!project_edit_remove_entry(edit, "plugins.loaders", "target-b"));
    ck_assert(project_edit_remove_entry(edit, "environments", "dev"));
    commit(edit);
    expect_main_with("environments:\n- name: dev\n", "environments: []\n");
    expect_file("b.inc.yml", "plugins:\n  loaders: []\n      # none\n"
                             "environments:\n  - name: prod\n"
                             "cli: {log_level: info}\n");
}
END_TEST

START_TEST(a_top_level_key_is_changed_where_it_counts)
{
    auto_project struct project *project = write_and_load();
    auto_project_edit struct project_edit *edit = begin(project);

    set(project_edit_top_level(edit, "cli"), "cli.log_level", value_new_string("debug"));
    set(project_edit_top_level(edit, "database_uri"), "database_uri", value_new_string("x"));
    commit(edit);
    expect_main_with("- name: dev\n", "- name: dev\ndatabase_uri: x\n");
    expect_file("b.inc.yml", "plugins:\n  loaders:\n    - name: target-b\n      # none\n"
                             "environments:\n  - name: prod\n"
                             "cli: {log_level: debug}\n");
}
END_TEST

START_TEST(what_is_not_committed_is_not_written)
{
    auto_project struct project *project = write_and_load();
    struct project_edit *edit = begin(project);

    project_edit_remove_entry(edit, "jobs", "j");
    project_edit_free(edit);
    expect_file("meltano.yml", main_file);
}
END_TEST

START_TEST(a_refused_change_leaves_all_files)
{
    auto_project struct project *project = NULL;
    auto_project_edit struct project_edit *edit = NULL;
    struct error err = {0};

    tempdir_write("meltano.yml", "include_paths: [b.yml]\na: 1\n");
    tempdir_write("b.yml", "b: &b {x: 1}\nc: *b\n");
    project = load();
    edit = begin(project);
    set(project_edit_top_level(edit, "a"), "a", value_new_int(2));
    set(project_edit_top_level(edit, "b"), "b.x", value_new_int(2));
    ck_assert_int_eq(project_edit_commit(edit, &err), -1);
    ck_assert_str_eq(err.message,
                     "b.yml cannot be changed without changing more than was asked for");
    expect_file("meltano.yml", "include_paths: [b.yml]\na: 1\n");
}
END_TEST

START_TEST(the_mode_and_a_symlink_stay)
{
    auto_project struct project *project = NULL;
    auto_project_edit struct project_edit *edit = NULL;
    struct stat info;

    tempdir_write("real/m.yml", "a: 1\n");
    ck_assert_int_eq(chmod(tempdir_join("real/m.yml"), 0640), 0);
    ck_assert_int_eq(symlink("real/m.yml", tempdir_join("meltano.yml")), 0);
    project = load();
    edit = begin(project);
    set(project_edit_top_level(edit, "a"), "a", value_new_int(2));
    commit(edit);
    expect_file("real/m.yml", "a: 2\n");
    ck_assert_int_eq(lstat(tempdir_join("meltano.yml"), &info), 0);
    ck_assert(S_ISLNK(info.st_mode));
    ck_assert_int_eq(stat(tempdir_join("real/m.yml"), &info), 0);
    ck_assert_int_eq(info.st_mode & 0777, 0640);
}
END_TEST

/* Whether another process could take the lock now. */
static bool lock_is_free(void)
{
    int status;
    pid_t child = fork();

    if (!child) {
        struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        int fd = open(tempdir_join(".meltano/run/meltano.yml.lock"), O_RDWR);

        _exit(fd >= 0 && fcntl(fd, F_SETLK, &whole) == 0 ? 0 : 1);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return status == 0;
}

START_TEST(the_files_are_locked_from_begin_to_free)
{
    auto_project struct project *project = write_and_load();
    struct project_edit *edit = begin(project);

    ck_assert(!lock_is_free());
    project_edit_free(edit);
    ck_assert(lock_is_free());
}
END_TEST

/* Real projects: every change of one thing leaves all lines of everything else. -------------- */

static unsigned find_last_line(const struct value *value, unsigned last)
{
    if (value->line > last)
        last = value->line;
    for (size_t i = 0; i < value_count(value); i++) {
        const struct value_member *member = value_member_at(value, i);

        last = find_last_line(member ? member->value : value_at(value, i), last);
    }
    return last;
}

/* All lines of before but [first, last] and also are in after, in their order. */
static void check_other_lines(const char *before, const char *after, unsigned first, unsigned last,
                              unsigned also, const char *what)
{
    auto_strlist struct strlist old = STRLIST_INIT;
    auto_strlist struct strlist new = STRLIST_INIT;
    size_t at = 0;

    strlist_split(&old, before, '\n');
    strlist_split(&new, after, '\n');
    for (size_t i = 0; i < old.count; i++) {
        if ((i + 1 >= first && i + 1 <= last) || i + 1 == also)
            continue;
        while (at < new.count && strcmp(old.items[i], new.items[at]) != 0)
            at++;
        ck_assert_msg(at < new.count, "%s: line %zu is gone: %s\n%s", what, i + 1, old.items[i],
                      after);
        at++;
    }
}

struct subject {
    const char *name, *text;
    size_t length;
    struct value *document; /* changed and put back for every edit */
};

static void check_edit(const struct subject *subject, unsigned first, unsigned last, unsigned also)
{
    auto_strbuf struct strbuf out = STRBUF_INIT;
    struct error err = {0};

    ck_assert_msg(!value_edit_yaml(subject->text, subject->length, subject->name, subject->document,
                                   &out, &err),
                  "%s line %u: %s", subject->name, first, err.message);
    check_other_lines(subject->text, strbuf_text(&out), first, last, also, subject->name);
}

static void restore(struct subject *subject)
{
    struct error err = {0};

    value_free(subject->document);
    subject->document = NULL;
    ck_assert_int_eq(
        value_from_yaml(subject->text, subject->length, subject->name, &subject->document, &err),
        0);
}

/* The value that a path of positions leads to, which survives that the tree is read anew. */
static struct value *follow(struct value *value, const size_t *path, size_t depth)
{
    for (size_t i = 0; i < depth; i++)
        value =
            value_is_map(value) ? value_member_at(value, path[i])->value : value_at(value, path[i]);
    return value;
}

/* Whether a collection is written as [...] or {...}. */
static bool is_flow(const struct subject *subject, const struct value *value)
{
    const char *line = subject->text;

    for (unsigned i = 1; i < value->line; i++)
        line = strchr(line, '\n') + 1;
    return strchr("[{", line[value->column - 1]) != NULL;
}

/* key_line: of the key that the value stands below. */
static size_t try_edits(struct subject *subject, size_t *path, size_t depth, unsigned key_line)
{
    struct value *value = follow(subject->document, path, depth);
    unsigned first = value->line, last = find_last_line(value, value->line);
    bool in_flow = value_count(value) && is_flow(subject, value);
    size_t count = value_count(value), edits = 0;

    for (size_t i = 0; i < count; i++) {
        const struct value_member *member;
        unsigned part_first, part_last;

        value = follow(subject->document, path, depth);
        member = value_member_at(value, i);
        part_first = member ? member->line : value_at(value, i)->line;
        part_last = find_last_line(member ? member->value : value_at(value, i), part_first);
        /* Text over several lines has no last line in the tree. */
        if (value_is_string(member ? member->value : value_at(value, i)))
            part_last += 20;
        if (member)
            value_set_take(value, member->key, value_new_string("a: new value"));
        else
            value_append_string(value, "- added #");
        check_edit(subject,
                   member    ? part_first
                   : in_flow ? first
                             : last + 1,
                   member ? part_last : last, 0);
        restore(subject);

        value = follow(subject->document, path, depth);
        if (value_is_map(value)) {
            auto_free char *key = xstrdup(value_member_at(value, i)->key);

            value_remove(value, key);
        } else {
            value_list_remove(value, i);
        }
        /* The line of the key changes when nothing is left below it. */
        check_edit(subject, part_first, part_last, count == 1 ? key_line : 0);
        restore(subject);
        path[depth] = i;
        edits += 2 + try_edits(subject, path, depth + 1, part_first);
    }
    return edits;
}

START_TEST(edits_of_real_projects_leave_every_other_line)
{
    const char *projects = shared_data("projects");
    DIR *stream = projects ? opendir(projects) : NULL;
    struct dirent *entry;
    size_t edits = 0;

    while (stream && (entry = readdir(stream))) {
        auto_free char *path = path_joinf(projects, "%s/meltano.yml", entry->d_name);
        auto_strbuf struct strbuf text = STRBUF_INIT;
        struct subject subject = {.name = entry->d_name};
        struct error err = {0};
        size_t positions[YAML_MAX_DEPTH];

        if (entry->d_name[0] == '.')
            continue;
        ck_assert_msg(!file_read(path, &text, &err), "%s", err.message);
        subject.text = strbuf_text(&text);
        subject.length = text.length;
        restore(&subject);
        edits += try_edits(&subject, positions, 0, 0);
        value_free(subject.document);
    }
    if (stream)
        closedir(stream);
    ck_assert_msg(!projects || edits > 1000, "%zu edits", edits);
}
END_TEST

Suite *project_edit_suite(void)
{
    Suite *suite = suite_create("project/edit");
    TCase *tcase = tcase_create("edit");

    tcase_add_checked_fixture(tcase, set_up, tempdir_remove);
    tcase_add_test(tcase, a_setting_of_a_plugin_is_changed_in_its_line);
    tcase_add_test(tcase, missing_parents_are_made);
    tcase_add_test(tcase, unsetting_removes_what_it_leaves_empty);
    tcase_add_test(tcase, an_environment_gets_its_own_entry_for_a_plugin);
    tcase_add_test(tcase, a_mapping_is_changed_in_its_mapper);
    tcase_add_test(tcase, entries_are_added_where_they_belong);
    tcase_add_test(tcase, an_entry_is_removed_from_the_file_where_it_stands);
    tcase_add_test(tcase, a_top_level_key_is_changed_where_it_counts);
    tcase_add_test(tcase, what_is_not_committed_is_not_written);
    tcase_add_test(tcase, a_refused_change_leaves_all_files);
    tcase_add_test(tcase, the_mode_and_a_symlink_stay);
    tcase_add_test(tcase, the_files_are_locked_from_begin_to_free);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, edits_of_real_projects_leave_every_other_line);
    suite_add_tcase(suite, tcase);
    return suite;
}
