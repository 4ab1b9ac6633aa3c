#include "base/file.h"

#include "base/memory.h"
#include "base/path.h"
#include "tests/unit/tempdir.h"

#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

Suite *base_file_suite(void);

static void replace(const char *name, const char *text, mode_t mode, bool expect_change)
{
    auto_strbuf struct strbuf bytes = STRBUF_INIT;
    struct error err = {0};
    bool changed;

    strbuf_add(&bytes, text);
    ck_assert_msg(!file_replace(tempdir_join(name), &bytes, mode, &changed, &err), "%s",
                  err.message);
    ck_assert_int_eq(changed, expect_change);
}

static void expect(const char *name, const char *text)
{
    auto_free char *found = tempdir_read(name);

    ck_assert_str_eq(found, text);
}

static size_t count_entries(const char *path)
{
    DIR *stream = opendir(path);
    struct dirent *entry;
    size_t count = 0;

    ck_assert_ptr_nonnull(stream);
    while ((entry = readdir(stream)))
        count += entry->d_name[0] != '.';
    closedir(stream);
    return count;
}

static mode_t mode_of(const char *name)
{
    struct stat info;

    ck_assert_int_eq(stat(tempdir_join(name), &info), 0);
    return info.st_mode & 07777;
}

START_TEST(a_file_is_replaced_whole)
{
    replace("f", "one", 0640, true);
    expect("f", "one");
    ck_assert_uint_eq(mode_of("f"), 0640);
    ck_assert_int_eq(chmod(tempdir_join("f"), 0604), 0);
    replace("f", "two", 0640, true);
    expect("f", "two");
    ck_assert_uint_eq(mode_of("f"), 0604);
    ck_assert_uint_eq(count_entries(tempdir_path()), 1);
}
END_TEST

START_TEST(the_same_bytes_leave_the_file_alone)
{
    struct timespec past[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    struct stat info;

    replace("f", "same", 0644, true);
    ck_assert_int_eq(utimensat(AT_FDCWD, tempdir_join("f"), past, 0), 0);
    replace("f", "same", 0600, false);
    ck_assert_int_eq(stat(tempdir_join("f"), &info), 0);
    ck_assert_int_eq(info.st_mtim.tv_sec, 1000);
    ck_assert_uint_eq(mode_of("f"), 0644);
}
END_TEST

START_TEST(a_symlink_is_followed)
{
    struct stat info;

    tempdir_write("d/real", "one");
    ck_assert_int_eq(symlink("d/real", tempdir_join("link")), 0);
    replace("link", "two", 0644, true);
    expect("d/real", "two");
    ck_assert_int_eq(lstat(tempdir_join("link"), &info), 0);
    ck_assert(S_ISLNK(info.st_mode));
}
END_TEST

START_TEST(a_file_that_cannot_be_written_keeps_its_bytes)
{
    auto_strbuf struct strbuf bytes = STRBUF_INIT;
    struct rlimit limit = {10, 10};
    struct error err = {0};

    replace("f", "one", 0644, true);
    strbuf_add_repeat(&bytes, 'x', 1000);
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    ck_assert_int_eq(file_replace(tempdir_join("f"), &bytes, 0644, NULL, &err), -1);
    ck_assert_int_eq(err.code, ERR_IO);
    ck_assert_ptr_nonnull(strstr(err.message, "File too large"));
    expect("f", "one");
    ck_assert_uint_eq(count_entries(tempdir_path()), 1);
}
END_TEST

START_TEST(a_missing_file_is_an_error_only_when_it_must_be_there)
{
    auto_strbuf struct strbuf text = STRBUF_INIT;
    auto_free char *message =
        xasprintf("cannot read %s: No such file or directory", tempdir_join("nothing"));
    struct error err = {0};
    bool found = true;

    ck_assert_int_eq(file_read_if_exists(tempdir_join("nothing"), &text, &found, &err), 0);
    ck_assert(!found);
    ck_assert_int_eq(file_read(tempdir_join("nothing"), &text, &err), -1);
    ck_assert_str_eq(err.message, message);
    ck_assert_int_eq(file_read(tempdir_path(), &text, &err), -1);
}
END_TEST

START_TEST(a_file_is_read_and_written_with_any_bytes)
{
    auto_strbuf struct strbuf bytes = STRBUF_INIT;
    auto_strbuf struct strbuf again = STRBUF_INIT;
    struct error err = {0};

    for (int i = 0; i < 200000; i++)
        strbuf_add_char(&bytes, (char)(i % 256));
    ck_assert_int_eq(file_write(tempdir_join("f"), &bytes, 0600, &err), 0);
    strbuf_add(&again, "before");
    ck_assert_int_eq(file_read(tempdir_join("f"), &again, &err), 0);
    ck_assert_uint_eq(again.length, 6 + bytes.length);
    ck_assert_mem_eq(again.text + 6, bytes.text, bytes.length);
}
END_TEST

START_TEST(directories_are_made_with_their_parents)
{
    struct error err = {0};

    ck_assert_int_eq(dir_make_all(tempdir_join("a/b/c"), 0755, &err), 0);
    ck_assert_int_eq(dir_make_all(tempdir_join("a/b/c"), 0755, &err), 0);
    ck_assert(file_is_directory(tempdir_join("a/b/c")));
    tempdir_write("file", "");
    ck_assert_int_eq(dir_make_all(tempdir_join("file/x"), 0755, &err), -1);
    ck_assert_int_eq(err.code, ERR_IO);
    ck_assert_ptr_nonnull(strstr(err.message, "Not a directory"));
}
END_TEST

START_TEST(a_directory_is_listed_in_order)
{
    auto_strlist struct strlist names = STRLIST_INIT;
    struct error err = {0};

    tempdir_write("dir/b", "");
    tempdir_write("dir/a/x", "");
    tempdir_write("dir/.c", "");
    ck_assert_int_eq(dir_list(tempdir_join("none"), &names, &err), 0);
    ck_assert_uint_eq(names.count, 0);
    ck_assert_int_eq(dir_list(tempdir_join("dir"), &names, &err), 0);
    ck_assert_uint_eq(names.count, 3);
    ck_assert_str_eq(names.items[0], ".c");
    ck_assert_str_eq(names.items[1], "a");
    ck_assert_str_eq(names.items[2], "b");
    ck_assert_int_eq(dir_list(tempdir_join("dir/b"), &names, &err), -1);
    ck_assert_int_eq(err.code, ERR_IO);
    ck_assert_ptr_nonnull(strstr(err.message, "cannot read the directory"));
    ck_assert_uint_eq(names.count, 3);
}
END_TEST

START_TEST(what_is_in_the_place_of_a_directory_is_said)
{
    struct error err = {0};
    auto_free char *link = NULL, *file = NULL;

    ck_assert_int_eq(symlink("/no/where", tempdir_join("link")), 0);
    ck_assert_int_eq(dir_make_all(tempdir_join("link/logs"), 0755, &err), -1);
    link = xasprintf("the directory %s is a link to /no/where, which is not there",
                     tempdir_join("link"));
    ck_assert_str_eq(err.message, link);
    ck_assert_str_eq(err.hint, "Make the directory it should lead to, or remove the link.");

    tempdir_write("file", "");
    ck_assert_int_eq(dir_make_all(tempdir_join("file"), 0755, &err), -1);
    file =
        xasprintf("cannot create the directory %s: a file is in its place", tempdir_join("file"));
    ck_assert_str_eq(err.message, file);
}
END_TEST

START_TEST(a_named_pipe_is_refused_and_one_of_a_shell_is_read)
{
    auto_strbuf struct strbuf text = STRBUF_INIT;
    auto_free char *message = xasprintf("cannot read %s: it is a named pipe", tempdir_join("pipe"));
    auto_free char *path = NULL;
    struct error err = {0};
    int ends[2];

    ck_assert_int_eq(mkfifo(tempdir_join("pipe"), 0600), 0);
    ck_assert_int_eq(file_read(tempdir_join("pipe"), &text, &err), -1);
    ck_assert_str_eq(err.message, message);

    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(write(ends[1], "hello", 5), 5);
    close(ends[1]);
    path = xasprintf("/dev/fd/%d", ends[0]);
    ck_assert_msg(!file_read(path, &text, &err), "%s", err.message);
    ck_assert_str_eq(strbuf_text(&text), "hello");
    close(ends[0]);
}
END_TEST

START_TEST(a_tree_is_removed_without_following_symlinks)
{
    struct error err = {0};

    tempdir_write("tree/a/b", "");
    tempdir_write("outside/keep", "");
    ck_assert_int_eq(symlink("../outside", tempdir_join("tree/link")), 0);
    ck_assert_int_eq(path_remove_all(tempdir_join("tree"), &err), 0);
    ck_assert_int_eq(path_remove_all(tempdir_join("tree"), &err), 0);
    ck_assert(!file_exists(tempdir_join("tree")));
    ck_assert(file_exists(tempdir_join("outside/keep")));
    ck_assert_int_eq(path_remove_all(tempdir_join("outside/keep"), &err), 0);
    ck_assert(!file_exists(tempdir_join("outside/keep")));
}
END_TEST

START_TEST(kinds_of_files_are_told_apart)
{
    tempdir_write("plain", "");
    tempdir_write("program", "");
    ck_assert_int_eq(chmod(tempdir_join("program"), 0755), 0);
    ck_assert(file_exists(tempdir_join("plain")) && !file_exists(tempdir_join("nothing")));
    ck_assert(file_is_executable(tempdir_join("program")));
    ck_assert(!file_is_executable(tempdir_join("plain")));
    ck_assert(!file_is_executable(tempdir_path()));
    ck_assert(file_is_directory(tempdir_path()) && !file_is_directory(tempdir_join("plain")));
}
END_TEST

START_TEST(a_descriptor_is_closed_once)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), copy = fd;

    fd_close(&fd);
    ck_assert_int_eq(fd, -1);
    ck_assert_int_eq(fcntl(copy, F_GETFD), -1);
    fd_close(&fd);
}
END_TEST

Suite *base_file_suite(void)
{
    Suite *suite = suite_create("base/file");
    TCase *tcase = tcase_create("file");

    tcase_add_checked_fixture(tcase, tempdir_make, tempdir_remove);
    tcase_add_test(tcase, what_is_in_the_place_of_a_directory_is_said);
    tcase_add_test(tcase, a_named_pipe_is_refused_and_one_of_a_shell_is_read);
    tcase_add_test(tcase, a_file_is_replaced_whole);
    tcase_add_test(tcase, the_same_bytes_leave_the_file_alone);
    tcase_add_test(tcase, a_symlink_is_followed);
    tcase_add_test(tcase, a_file_that_cannot_be_written_keeps_its_bytes);
    tcase_add_test(tcase, a_missing_file_is_an_error_only_when_it_must_be_there);
    tcase_add_test(tcase, a_file_is_read_and_written_with_any_bytes);
    tcase_add_test(tcase, directories_are_made_with_their_parents);
    tcase_add_test(tcase, a_directory_is_listed_in_order);
    tcase_add_test(tcase, a_tree_is_removed_without_following_symlinks);
    tcase_add_test(tcase, kinds_of_files_are_told_apart);
    tcase_add_test(tcase, a_descriptor_is_closed_once);
    suite_add_tcase(suite, tcase);
    return suite;
}
