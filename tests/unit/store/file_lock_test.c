#include "store/file_lock.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/path.h"
#include "tests/unit/tempdir.h"

#include <check.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

Suite *store_file_lock_suite(void);

static struct error err;

static struct file_lock *try_lock(const char *name)
{
    struct file_lock *lock = NULL;

    ck_assert_msg(!file_lock_try(tempdir_join("locks/meltano.db"), name, &lock, &err), "%s",
                  err.message);
    return lock;
}

START_TEST(one_at_a_time_has_a_lock)
{
    struct file_lock *lock = try_lock("a"), *other;

    ck_assert_ptr_nonnull(lock);
    ck_assert_ptr_null(try_lock("a"));
    other = try_lock("b");
    ck_assert_ptr_nonnull(other);
    file_lock_release(other);
    file_lock_release(lock);
    lock = try_lock("a");
    ck_assert_ptr_nonnull(lock);
    file_lock_release(lock);
}
END_TEST

START_TEST(a_released_lock_leaves_no_file)
{
    file_lock_release(try_lock("a"));
    ck_assert(!file_exists(tempdir_join("locks/meltano.db/a.lock")));
}
END_TEST

START_TEST(a_file_that_was_removed_is_no_longer_the_lock)
{
    struct file_lock *old = try_lock("a"), *lock;

    unlink(tempdir_join("locks/meltano.db/a.lock"));
    lock = try_lock("a");
    ck_assert_ptr_nonnull(lock);
    /* The old owner must not remove what is not its own. */
    file_lock_release(old);
    ck_assert(file_exists(tempdir_join("locks/meltano.db/a.lock")));
    ck_assert_ptr_null(try_lock("a"));
    file_lock_release(lock);
}
END_TEST

START_TEST(a_program_that_was_started_does_not_keep_the_lock)
{
    struct file_lock *lock = try_lock("a");
    pid_t pid = fork();
    int status;

    if (!pid) {
        execl("/bin/sleep", "sleep", "30", (char *)NULL);
        _exit(127);
    }
    /* The child counts as started once its descriptors are those of sleep. */
    auto_free char *program = xasprintf("/proc/%d/exe", pid);
    char target[64] = "";

    while (!strstr(target, "sleep") && !strstr(target, "coreutils") && !strstr(target, "busybox")) {
        ssize_t length = readlink(program, target, sizeof target - 1);

        target[length > 0 ? length : 0] = '\0';
        usleep(1000);
    }
    file_lock_release(lock);
    lock = try_lock("a");
    ck_assert_ptr_nonnull(lock);
    file_lock_release(lock);
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
}
END_TEST

START_TEST(an_owner_can_be_read_by_others)
{
    struct lock_owner owner = {.pid = 42, .host = "here", .since_us = 7, .detail = "é \"quoted\""};
    struct lock_owner found = {0};
    struct file_lock *lock = try_lock("a");

    file_lock_write_owner(lock, &owner);
    owner.pid = 4;
    file_lock_write_owner(lock, &owner);
    ck_assert(file_lock_read_owner(tempdir_join("locks/meltano.db"), "a", &found));
    ck_assert_int_eq(found.pid, 4);
    ck_assert_str_eq(found.host, "here");
    ck_assert_int_eq(found.since_us, 7);
    ck_assert_str_eq(found.detail, "é \"quoted\"");
    ck_assert_str_eq(found.run_id, "");
    file_lock_release(lock);
    ck_assert(!file_lock_read_owner(tempdir_join("locks/meltano.db"), "a", &found));
    tempdir_write("locks/meltano.db/a.lock", "{\"pid\": 1");
    ck_assert(!file_lock_read_owner(tempdir_join("locks/meltano.db"), "a", &found));
}
END_TEST

static const struct {
    const char *name;
    const char *file;
} names[] = {
    {"dev:tap-a-to-target-b:x", "/d/dev:tap-a-to-target-b:x.lock"},
    {"a/b", "/d/a%2fb.lock"},
    {"..", "/d/%2e..lock"},
    {"", "/d/.lock"},
    {"100%", "/d/100%25.lock"},
    {"é\n", "/d/%c3%a9%0a.lock"},
};

START_TEST(any_state_id_becomes_a_file_name)
{
    auto_free char *path = file_lock_path("/d", names[_i].name);

    ck_assert_str_eq(path, names[_i].file);
}
END_TEST

START_TEST(long_state_ids_are_cut_and_stay_apart)
{
    auto_strbuf struct strbuf name = STRBUF_INIT;

    strbuf_add_repeat(&name, 'x', 900);
    auto_free char *first = file_lock_path("/d", strbuf_text(&name));

    strbuf_add_char(&name, 'y');
    auto_free char *second = file_lock_path("/d", strbuf_text(&name));

    ck_assert_uint_le(strlen(path_name(first)), 255);
    ck_assert_str_ne(first, second);
}
END_TEST

START_TEST(a_directory_that_cannot_be_made_is_named)
{
    struct file_lock *lock = NULL;

    tempdir_write("file", "");
    ck_assert_int_eq(file_lock_try(tempdir_join("file/locks"), "a", &lock, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.message, "file/locks"));
}
END_TEST

Suite *store_file_lock_suite(void)
{
    Suite *suite = suite_create("store/file_lock");
    TCase *tcase = tcase_create("file_lock");

    tcase_add_checked_fixture(tcase, tempdir_make, tempdir_remove);
    tcase_add_test(tcase, one_at_a_time_has_a_lock);
    tcase_add_test(tcase, a_released_lock_leaves_no_file);
    tcase_add_test(tcase, a_file_that_was_removed_is_no_longer_the_lock);
    tcase_add_test(tcase, a_program_that_was_started_does_not_keep_the_lock);
    tcase_add_test(tcase, an_owner_can_be_read_by_others);
    tcase_add_loop_test(tcase, any_state_id_becomes_a_file_name, 0, ARRAY_LEN(names));
    tcase_add_test(tcase, long_state_ids_are_cut_and_stay_apart);
    tcase_add_test(tcase, a_directory_that_cannot_be_made_is_named);
    suite_add_tcase(suite, tcase);
    return suite;
}
