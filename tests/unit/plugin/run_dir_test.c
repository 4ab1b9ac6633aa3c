#include "plugin/run_dir.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/path.h"
#include "base/uuid.h"
#include "process/process.h"
#include "tests/unit/tempdir.h"

#include <check.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

Suite *plugin_run_dir_suite(void);

#define DAY_SECONDS (24 * 60 * 60)

static char *shared;

static void set_up(void)
{
    tempdir_make();
    shared = xstrdup(tempdir_join("run/tap-x"));
}

static void tear_down(void)
{
    free(shared);
    tempdir_remove();
}

static struct run_dir open_dir(const char *id)
{
    struct run_dir dir = RUN_DIR_INIT;
    struct error err = {0};

    ck_assert_msg(!run_dir_open(shared, id, &dir, &err), "%s", err.message);
    return dir;
}

static void write_old(const char *path, const char *text, int age_seconds)
{
    time_t then = (time_t)(clock_now_us() / 1000000 - age_seconds);
    const struct timespec times[2] = {{.tv_sec = then}, {.tv_sec = then}};
    auto_strbuf struct strbuf bytes = STRBUF_INIT;
    struct error err = {0};

    strbuf_add(&bytes, text);
    ck_assert(!file_write(path, &bytes, 0600, &err));
    ck_assert(!utimensat(AT_FDCWD, path, times, 0));
}

START_TEST(a_directory_is_private_and_gone_after_use)
{
    struct run_dir dir = open_dir(NULL);
    auto_free char *file = path_join(dir.path, "tap.config.json");
    auto_free char *path = xstrdup(dir.path);
    struct stat info;

    ck_assert_int_eq(stat(dir.path, &info), 0);
    ck_assert_int_eq(info.st_mode & 0777, 0700);
    write_old(file, "{}", 0);
    run_dir_close(&dir);
    ck_assert(!file_exists(path));
    ck_assert(file_is_directory(shared));
}
END_TEST

START_TEST(two_of_the_same_run_get_directories_of_their_own)
{
    static const char id[] = "0192aaaa-0000-7000-8000-000000000001";
    struct run_dir first = open_dir(id), second = open_dir(id);

    ck_assert_str_eq(path_name(first.path), id);
    ck_assert_str_ne(path_name(second.path), id);
    run_dir_close(&first);
    ck_assert(file_is_directory(second.path));
    run_dir_close(&second);
}
END_TEST

START_TEST(what_a_dead_owner_left_is_removed_and_what_is_in_use_stays)
{
    struct run_dir alive = open_dir(NULL), dead = open_dir(NULL), next;

    /* Its lock dies with its descriptor. */
    fd_close(&dead.lock_fd);
    next = open_dir(NULL);
    ck_assert(!file_exists(dead.path));
    ck_assert(file_exists(alive.path));
    run_dir_close(&next);
    run_dir_close(&alive);
    run_dir_close(&dead);
}
END_TEST

START_TEST(a_directory_without_a_lock_is_removed_once_it_is_old)
{
    auto_free char *young = path_join(shared, "0192aaaa-0000-7000-8000-000000000001");
    auto_free char *old = path_join(shared, "0192aaaa-0000-7000-8000-000000000002");
    const struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
    struct error err = {0};
    struct run_dir dir;

    ck_assert(!dir_make_all(young, 0700, &err) && !dir_make_all(old, 0700, &err));
    ck_assert(!utimensat(AT_FDCWD, old, times, 0));
    dir = open_dir(NULL);
    ck_assert(file_exists(young));
    ck_assert(!file_exists(old));
    run_dir_close(&dir);
}
END_TEST

START_TEST(a_configuration_that_meltano_left_is_removed_after_a_day_unless_it_is_in_use)
{
    static const char used_name[] = "tap.0192aaaa-0000-7000-8000-000000000003.config.json";
    auto_free char *young = path_join(shared, "tap.1.config.json");
    auto_free char *old = path_join(shared, "tap.2.config.json");
    auto_free char *used = path_join(shared, used_name);
    auto_free char *other = path_join(shared, "tap.properties.json");
    const char *const argv[] = {"/bin/sh", "-c", "read line", "sh", used_name, NULL};
    const char *const env[] = {NULL};
    struct spawn_spec spec = {.argv = argv, .env = env, .new_group = true};
    struct process process = PROCESS_INIT;
    struct error err = {0};
    struct run_dir dir;
    int input[2];

    ck_assert(!dir_make_all(shared, 0700, &err) && !process_pipe(input, &err));
    write_old(young, "{}", DAY_SECONDS - 60);
    write_old(old, "{}", DAY_SECONDS + 60);
    write_old(used, "{}", DAY_SECONDS + 60);
    write_old(other, "{}", DAY_SECONDS + 60);
    spec.fds[0] = input[0];
    spec.fds[1] = spec.fds[2] = SPAWN_NULL;
    ck_assert(!process_spawn(&spec, &process, &err));
    dir = open_dir(NULL);
    process_end_group(&process, 0);
    ck_assert(file_exists(young));
    ck_assert(!file_exists(old));
    ck_assert(file_exists(used));
    ck_assert(file_exists(other));
    run_dir_close(&dir);
    close(input[0]);
    close(input[1]);
}
END_TEST

START_TEST(a_place_that_cannot_be_written_is_named)
{
    struct run_dir dir = RUN_DIR_INIT;
    struct error err = {0};
    auto_free char *below = xstrdup(tempdir_join("file/tap-x"));
    auto_free char *expected = xasprintf("cannot create the directory %s: Not a directory", below);

    tempdir_write("file", "");
    ck_assert_int_eq(run_dir_open(below, NULL, &dir, &err), -1);
    ck_assert_str_eq(err.message, expected);
}
END_TEST

START_TEST(the_shared_files_have_one_user_at_a_time)
{
    struct run_dir dir = open_dir(NULL);
    auto_free char *path = path_join(shared, ".lock");
    int lock = run_dir_lock_shared(&dir);
    auto_fd int other = open(path, O_RDWR | O_CLOEXEC);

    ck_assert_int_ge(lock, 0);
    ck_assert_int_ge(other, 0);
    ck_assert_int_eq(flock(other, LOCK_EX | LOCK_NB), -1);
    close(lock);
    ck_assert_int_eq(flock(other, LOCK_EX | LOCK_NB), 0);
    run_dir_close(&dir);
}
END_TEST

Suite *plugin_run_dir_suite(void)
{
    Suite *suite = suite_create("plugin/run_dir");
    TCase *tcase = tcase_create("run_dir");

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_directory_is_private_and_gone_after_use);
    tcase_add_test(tcase, two_of_the_same_run_get_directories_of_their_own);
    tcase_add_test(tcase, what_a_dead_owner_left_is_removed_and_what_is_in_use_stays);
    tcase_add_test(tcase, a_directory_without_a_lock_is_removed_once_it_is_old);
    tcase_add_test(tcase,
                   a_configuration_that_meltano_left_is_removed_after_a_day_unless_it_is_in_use);
    tcase_add_test(tcase, a_place_that_cannot_be_written_is_named);
    tcase_add_test(tcase, the_shared_files_have_one_user_at_a_time);
    suite_add_tcase(suite, tcase);
    return suite;
}
