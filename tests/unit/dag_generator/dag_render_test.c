#include "dag_generator/dag_render.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/path.h"

#include <check.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#define GOLDEN "tests/golden"

Suite *dag_generator_dag_render_suite(void);

static const struct dag_request plain_request = {.default_program = "meltshim"};

/* Each of these folders holds a meltano.yml and the files that it must become. With
 * UPDATE_GOLDEN in the environment the files are written instead; git then shows what changed. */
static const char *const golden_projects[] = {
    "dags/plain",   "dags/annotated",  "dags/graph",         "dags/stock",
    "dags/hostile", "kubernetes/pods", "kubernetes/workers", "since-2.9/assets",
};

static void load(const char *name, struct project **project, struct dag_list **list)
{
    auto_free char *root = path_join(GOLDEN, name);
    auto_free char *absolute = path_absolute(root);
    struct error err = {0};

    ck_assert_msg(!project_load(absolute, project, &err), "%s", err.message);
    ck_assert_msg(!dag_list_build(*project, &plain_request, list, NULL, &err), "%s", err.message);
}

static size_t count_golden_files(const char *name)
{
    auto_free char *folder = path_join(GOLDEN, name);
    DIR *dir = opendir(folder);
    const struct dirent *entry;
    size_t count = 0;

    ck_assert_ptr_nonnull(dir);
    while ((entry = readdir(dir)))
        count +=
            strlen(entry->d_name) > 3 && !strcmp(entry->d_name + strlen(entry->d_name) - 3, ".py");
    closedir(dir);
    return count;
}

START_TEST(every_golden_project_becomes_its_golden_files)
{
    auto_project struct project *project = NULL;
    auto_dag_list struct dag_list *list = NULL;
    bool update = getenv("UPDATE_GOLDEN") != NULL;

    load(golden_projects[_i], &project, &list);
    for (size_t i = 0; i < list->count; i++) {
        auto_free char *folder = path_join(GOLDEN, golden_projects[_i]);
        auto_free char *path = path_join(folder, list->items[i]->file_name);
        auto_strbuf struct strbuf text = STRBUF_INIT, golden = STRBUF_INIT;
        struct error err = {0};

        dag_render(list->items[i], &text);
        if (update)
            ck_assert_msg(!file_write(path, &text, 0644, &err), "%s", err.message);
        ck_assert_msg(!file_read(path, &golden, &err), "%s", err.message);
        ck_assert_str_eq(strbuf_text(&text), strbuf_text(&golden));
    }
    ck_assert_uint_eq(count_golden_files(golden_projects[_i]), list->count);
}
END_TEST

START_TEST(a_file_of_ours_is_known_by_its_first_line)
{
    auto_project struct project *project = NULL;
    auto_dag_list struct dag_list *list = NULL;
    auto_strbuf struct strbuf text = STRBUF_INIT, foreign = STRBUF_INIT;

    load("dags/plain", &project, &list);
    dag_render(list->items[0], &text);
    ck_assert(dag_render_is_ours(&text));
    strbuf_addf(&foreign, "\n%s", strbuf_text(&text));
    ck_assert(!dag_render_is_ours(&foreign));
    strbuf_reset(&foreign);
    ck_assert(!dag_render_is_ours(&foreign));
}
END_TEST

Suite *dag_generator_dag_render_suite(void)
{
    Suite *suite = suite_create("dag_generator/dag_render");
    TCase *tcase = tcase_create("dag_render");

    tcase_add_loop_test(tcase, every_golden_project_becomes_its_golden_files, 0,
                        ARRAY_LEN(golden_projects));
    tcase_add_test(tcase, a_file_of_ours_is_known_by_its_first_line);
    suite_add_tcase(suite, tcase);
    return suite;
}
