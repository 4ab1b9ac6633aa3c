#include "dag_generator/dag_writer.h"

#include "base/file.h"
#include "base/memory.h"
#include "tests/unit/tempdir.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

Suite *dag_generator_dag_writer_suite(void);

#define MANIFEST "dags/" DAG_MANIFEST_NAME

static const char two_schedules[] = "schedules:\n"
                                    "- {name: a, interval: '@daily', job: j}\n"
                                    "- {name: b, interval: '@weekly', job: j}\n"
                                    "jobs: [{name: j, tasks: [tap target]}]\n";
static const char one_schedule[] = "schedules:\n"
                                   "- {name: b, interval: '@weekly', job: j}\n"
                                   "jobs: [{name: j, tasks: [tap target]}]\n";

static void set_up(void)
{
    unsetenv("MELTANO_PROJECT_ROOT");
    unsetenv("MELTANO_SYS_DIR_ROOT");
    tempdir_make();
    tempdir_write("meltano.yml", two_schedules);
}

/* What a plan needs as long as it lives. */
struct generation {
    struct project *project;
    struct dag_list *list;
    struct dag_plan *plan;
    struct error err;
    int status;
};

static void generation_clear(struct generation *generation)
{
    dag_plan_free(generation->plan);
    dag_list_free(generation->list);
    project_free(generation->project);
}
#define auto_generation ATTR_CLEANUP(generation_clear)

static void make_plan(struct generation *generation, const char *root, const char *folder,
                      enum dag_plan_mode mode)
{
    static const struct dag_request request = {.default_program = "meltshim"};
    struct error *err = &generation->err;

    ck_assert_msg(!project_load(root, &generation->project, err), "%s", err->message);
    ck_assert_msg(!dag_list_build(generation->project, &request, &generation->list, NULL, err),
                  "%s", err->message);
    generation->status =
        dag_plan_make(generation->list, generation->project, folder, mode, &generation->plan, err);
}

/* The project in the temporary directory, into its folder dags. */
static void plan_here(struct generation *generation, enum dag_plan_mode mode)
{
    auto_free char *folder = xstrdup(tempdir_join("dags"));

    make_plan(generation, tempdir_path(), folder, mode);
    ck_assert_msg(!generation->status, "%s", generation->err.message);
}

static void generate_in_mode(enum dag_plan_mode mode)
{
    auto_generation struct generation generation = {0};

    plan_here(&generation, mode);
    ck_assert_msg(!dag_plan_apply(generation.plan, &generation.err), "%s", generation.err.message);
}

static void generate(void)
{
    generate_in_mode(DAG_PLAN_WRITE);
}

static bool exists(const char *name)
{
    return file_exists(tempdir_join(name));
}

START_TEST(every_schedule_gets_a_file_that_all_may_read)
{
    auto_free char *text = NULL;
    struct stat info;

    generate();
    text = tempdir_read("dags/a.py");
    ck_assert_ptr_nonnull(strstr(text, "dag_id=\"a\""));
    ck_assert(exists("dags/b.py"));
    ck_assert_int_eq(stat(tempdir_join("dags/a.py"), &info), 0);
    ck_assert_uint_eq(info.st_mode & 0777, 0644);
}
END_TEST

START_TEST(the_manifest_lists_the_files_and_names_the_project_by_its_way)
{
    auto_free char *text = NULL;

    generate();
    text = tempdir_read(MANIFEST);
    ck_assert_str_eq(text, "{\n"
                           "  \"schema\": \"meltshim.dags/1\",\n"
                           "  \"project\": \"..\",\n"
                           "  \"files\": [\n"
                           "    \"a.py\",\n"
                           "    \"b.py\"\n"
                           "  ]\n"
                           "}\n");
}
END_TEST

START_TEST(files_that_need_no_change_keep_their_time)
{
    struct stat before, after, manifest_before, manifest_after;

    generate();
    ck_assert_int_eq(stat(tempdir_join("dags/a.py"), &before), 0);
    ck_assert_int_eq(stat(tempdir_join(MANIFEST), &manifest_before), 0);
    generate();
    ck_assert_int_eq(stat(tempdir_join("dags/a.py"), &after), 0);
    ck_assert_int_eq(stat(tempdir_join(MANIFEST), &manifest_after), 0);
    ck_assert_uint_eq(before.st_ino, after.st_ino);
    ck_assert_int_eq(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
    ck_assert_uint_eq(manifest_before.st_ino, manifest_after.st_ino);
}
END_TEST

START_TEST(the_file_of_a_removed_schedule_goes_and_no_other)
{
    auto_free char *text = NULL;

    generate();
    tempdir_write("dags/mine.py", "# airflow dag by hand\n");
    tempdir_write("meltano.yml", one_schedule);
    generate();
    ck_assert(!exists("dags/a.py"));
    ck_assert(exists("dags/b.py"));
    ck_assert(exists("dags/mine.py"));
    text = tempdir_read(MANIFEST);
    ck_assert_ptr_null(strstr(text, "a.py"));
}
END_TEST

START_TEST(a_listed_file_that_somebody_replaced_stays)
{
    generate();
    tempdir_write("dags/a.py", "# now mine: airflow dag\n");
    tempdir_write("meltano.yml", one_schedule);
    generate();
    ck_assert(exists("dags/a.py"));
}
END_TEST

START_TEST(a_foreign_file_in_the_way_is_named_and_nothing_is_written)
{
    auto_free char *folder = xstrdup(tempdir_join("dags"));
    auto_free char *message =
        xasprintf("%s/b.py is there already, and not written by meltshim", folder);
    auto_generation struct generation generation = {0};

    tempdir_write("dags/b.py", "# airflow dag by hand\n");
    make_plan(&generation, tempdir_path(), folder, DAG_PLAN_WRITE);
    ck_assert_int_eq(generation.status, -1);
    ck_assert_str_eq(generation.err.message, message);
    ck_assert_str_eq(generation.err.hint, "Move it away, or give the schedule 'b' another dag_id.");
    ck_assert(!exists("dags/a.py"));
}
END_TEST

START_TEST(looking_writes_nothing_and_shows_what_would_change)
{
    auto_generation struct generation generation = {0};
    auto_strbuf struct strbuf diff = STRBUF_INIT;
    static const char added[] = "--- /dev/null\n+++ dags/a.py\n@@ -0,0 +1,";

    plan_here(&generation, DAG_PLAN_LOOK);
    ck_assert(dag_plan_is_stale(generation.plan));
    ck_assert_uint_eq(dag_plan_count(generation.plan, DAG_ADDED), 2);
    dag_plan_diff(generation.plan, &diff);
    ck_assert_int_eq(strncmp(strbuf_text(&diff), added, strlen(added)), 0);
    ck_assert(!exists("dags"));
}
END_TEST

START_TEST(a_changed_schedule_shows_as_a_changed_line)
{
    auto_generation struct generation generation = {0};
    auto_strbuf struct strbuf diff = STRBUF_INIT;

    generate();
    tempdir_write("meltano.yml", "schedules:\n"
                                 "- {name: b, interval: '@hourly', job: j}\n"
                                 "jobs: [{name: j, tasks: [tap target]}]\n");
    plan_here(&generation, DAG_PLAN_LOOK);
    ck_assert_uint_eq(dag_plan_count(generation.plan, DAG_CHANGED), 1);
    ck_assert_uint_eq(dag_plan_count(generation.plan, DAG_REMOVED), 1);
    dag_plan_diff(generation.plan, &diff);
    ck_assert_ptr_nonnull(strstr(strbuf_text(&diff), "\n+++ /dev/null\n"));
    ck_assert_ptr_nonnull(strstr(strbuf_text(&diff), "\n-    schedule=\"0 0 * * 0\",\n"
                                                     "+    schedule=\"0 * * * *\",\n"));
}
END_TEST

START_TEST(fresh_files_are_not_stale)
{
    auto_generation struct generation generation = {0};
    auto_strbuf struct strbuf diff = STRBUF_INIT;

    generate();
    plan_here(&generation, DAG_PLAN_LOOK);
    ck_assert(!dag_plan_is_stale(generation.plan));
    dag_plan_diff(generation.plan, &diff);
    ck_assert_uint_eq(diff.length, 0);
}
END_TEST

START_TEST(a_project_without_schedules_leaves_no_trace)
{
    tempdir_write("meltano.yml", "version: 1\n");
    generate();
    ck_assert(!exists("dags"));
    tempdir_write("dags/mine.py", "# airflow dag by hand\n");
    generate();
    ck_assert(!exists(MANIFEST));
}
END_TEST

START_TEST(pruning_finds_what_a_lost_manifest_forgot_and_writes_nothing)
{
    auto_free char *text = NULL;

    generate();
    ck_assert_int_eq(unlink(tempdir_join(MANIFEST)), 0);
    tempdir_write("dags/mine.py", "# airflow dag by hand\n");
    tempdir_write("meltano.yml", "schedules:\n"
                                 "- {name: b, interval: '@hourly', job: j}\n"
                                 "- {name: c, interval: '@hourly', job: j}\n"
                                 "jobs: [{name: j, tasks: [tap target]}]\n");
    generate_in_mode(DAG_PLAN_PRUNE);
    ck_assert(!exists("dags/a.py"));
    ck_assert(!exists("dags/c.py"));
    ck_assert(exists("dags/mine.py"));
    text = tempdir_read("dags/b.py");
    ck_assert_ptr_nonnull(strstr(text, "schedule=\"0 0 * * 0\""));
    free(text);
    text = tempdir_read(MANIFEST);
    ck_assert_ptr_nonnull(strstr(text, "\"b.py\""));
}
END_TEST

START_TEST(a_folder_of_another_project_is_refused)
{
    auto_free char *folder = xstrdup(tempdir_join("one/dags"));
    auto_free char *message = NULL;
    auto_generation struct generation first = {0}, second = {0};

    tempdir_write("one/meltano.yml", two_schedules);
    tempdir_write("two/meltano.yml", two_schedules);
    make_plan(&first, tempdir_join("one"), folder, DAG_PLAN_WRITE);
    ck_assert_int_eq(first.status, 0);
    ck_assert_int_eq(dag_plan_apply(first.plan, &first.err), 0);
    dag_plan_free(take(first.plan));

    make_plan(&second, tempdir_join("two"), folder, DAG_PLAN_WRITE);
    message =
        xasprintf("the DAG folder %s is used by another project, %s", folder, tempdir_join("one"));
    ck_assert_int_eq(second.status, -1);
    ck_assert_str_eq(second.err.message, message);
    ck_assert_ptr_nonnull(strstr(second.err.hint, "Give each project a folder of its own"));
}
END_TEST

START_TEST(a_project_that_was_moved_keeps_its_folder)
{
    auto_free char *folder = xstrdup(tempdir_join("outside"));
    auto_free char *text = NULL;
    auto_free char *old = xstrdup(tempdir_join("old"));
    auto_generation struct generation first = {0}, second = {0};

    tempdir_write("old/meltano.yml", two_schedules);
    make_plan(&first, old, folder, DAG_PLAN_WRITE);
    ck_assert_int_eq(dag_plan_apply(first.plan, &first.err), 0);
    dag_plan_free(take(first.plan));
    text = tempdir_read("outside/" DAG_MANIFEST_NAME);
    ck_assert_ptr_nonnull(strstr(text, old));

    ck_assert_int_eq(rename(old, tempdir_join("new")), 0);
    make_plan(&second, tempdir_join("new"), folder, DAG_PLAN_WRITE);
    ck_assert_msg(!second.status, "%s", second.err.message);
    ck_assert_uint_eq(dag_plan_count(second.plan, DAG_CHANGED), 2);
}
END_TEST

START_TEST(a_broken_manifest_says_what_to_do)
{
    auto_free char *folder = xstrdup(tempdir_join("dags"));
    auto_generation struct generation generation = {0};

    tempdir_write(MANIFEST, "{");
    make_plan(&generation, tempdir_path(), folder, DAG_PLAN_WRITE);
    ck_assert_int_eq(generation.status, -1);
    ck_assert_ptr_nonnull(strstr(generation.err.message, MANIFEST ":1:2: invalid JSON"));
    ck_assert_str_eq(generation.err.hint, "Remove the file; 'airflow generate --prune' then finds "
                                          "what was left behind.");
}
END_TEST

START_TEST(a_folder_that_cannot_be_made_names_the_ways_out)
{
    auto_free char *folder = xstrdup(tempdir_join("meltano.yml/dags"));
    auto_generation struct generation generation = {0};

    make_plan(&generation, tempdir_path(), folder, DAG_PLAN_WRITE);
    ck_assert_int_eq(generation.status, -1);
    ck_assert_int_eq(generation.err.code, ERR_IO);
    ck_assert_ptr_nonnull(strstr(generation.err.message, folder));
    ck_assert_ptr_nonnull(strstr(generation.err.hint, "--output"));
}
END_TEST

START_TEST(when_one_file_cannot_be_put_in_place_no_temporary_is_left)
{
    auto_generation struct generation generation = {0};

    plan_here(&generation, DAG_PLAN_WRITE);
    ck_assert_int_eq(mkdir(tempdir_join("dags/a.py"), 0755), 0);
    ck_assert_int_eq(dag_plan_apply(generation.plan, &generation.err), -1);
    ck_assert_int_eq(generation.err.code, ERR_IO);
    ck_assert_ptr_nonnull(strstr(generation.err.message, "dags/a.py: Is a directory"));
    ck_assert_int_eq(rmdir(tempdir_join("dags/a.py")), 0);
    ck_assert_int_eq(unlink(tempdir_join(MANIFEST)), 0);
    ck_assert_int_eq(rmdir(tempdir_join("dags")), 0);
}
END_TEST

Suite *dag_generator_dag_writer_suite(void)
{
    Suite *suite = suite_create("dag_generator/dag_writer");
    TCase *tcase = tcase_create("dag_writer");

    tcase_add_checked_fixture(tcase, set_up, tempdir_remove);
    tcase_add_test(tcase, every_schedule_gets_a_file_that_all_may_read);
    tcase_add_test(tcase, the_manifest_lists_the_files_and_names_the_project_by_its_way);
    tcase_add_test(tcase, files_that_need_no_change_keep_their_time);
    tcase_add_test(tcase, the_file_of_a_removed_schedule_goes_and_no_other);
    tcase_add_test(tcase, a_listed_file_that_somebody_replaced_stays);
    tcase_add_test(tcase, a_foreign_file_in_the_way_is_named_and_nothing_is_written);
    tcase_add_test(tcase, looking_writes_nothing_and_shows_what_would_change);
    tcase_add_test(tcase, a_changed_schedule_shows_as_a_changed_line);
    tcase_add_test(tcase, fresh_files_are_not_stale);
    tcase_add_test(tcase, a_project_without_schedules_leaves_no_trace);
    tcase_add_test(tcase, pruning_finds_what_a_lost_manifest_forgot_and_writes_nothing);
    tcase_add_test(tcase, a_folder_of_another_project_is_refused);
    tcase_add_test(tcase, a_project_that_was_moved_keeps_its_folder);
    tcase_add_test(tcase, a_broken_manifest_says_what_to_do);
    tcase_add_test(tcase, a_folder_that_cannot_be_made_names_the_ways_out);
    tcase_add_test(tcase, when_one_file_cannot_be_put_in_place_no_temporary_is_left);
    suite_add_tcase(suite, tcase);
    return suite;
}
