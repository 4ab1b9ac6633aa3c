#include "base/path.h"

#include "base/memory.h"
#include "tests/unit/tempdir.h"

#include <check.h>
#include <errno.h>
#include <unistd.h>

Suite *base_path_suite(void);

static const struct {
    const char *dir, *name, *joined;
} joins[] = {
    {"a", "b", "a/b"}, {"a/", "b", "a/b"},      {"/", "b", "/b"}, {"", "b", "b"},
    {"a", "/b", "/b"}, {"a", "../b", "a/../b"}, {"a", "", "a/"},
};

START_TEST(two_paths_are_joined_with_one_slash)
{
    auto_free char *joined = path_join(joins[_i].dir, joins[_i].name);
    auto_free char *formatted = path_joinf(joins[_i].dir, "%s", joins[_i].name);

    ck_assert_str_eq(joined, joins[_i].joined);
    ck_assert_str_eq(formatted, joins[_i].joined);
}
END_TEST

static const struct {
    const char *path, *parent, *name;
} parts[] = {
    {"a", ".", "a"},         {"a/b", "a", "b"}, {"/a", "/", "a"},
    {"/a/b.c", "/a", "b.c"}, {"/", "/", ""},    {"a/b/", "a/b", ""},
};

START_TEST(a_path_has_a_parent_and_a_name)
{
    auto_free char *parent = path_parent(parts[_i].path);

    ck_assert_str_eq(parent, parts[_i].parent);
    ck_assert_str_eq(path_name(parts[_i].path), parts[_i].name);
}
END_TEST

static const struct {
    const char *path, *dir;
    bool is_inside;
} insides[] = {
    {"/a/b", "/a", true}, {"/a", "/a", true}, {"/ab", "/a", false}, {"/a", "/a/b", false},
    {"/a/b", "/", true},  {"/", "/", true},   {"a", "/", false},    {"/b", "/a", false},
};

START_TEST(a_path_is_inside_its_directories)
{
    ck_assert_int_eq(path_is_inside(insides[_i].path, insides[_i].dir), insides[_i].is_inside);
}
END_TEST

START_TEST(resolving_follows_symlinks)
{
    auto_free char *resolved = NULL;
    auto_free char *expected = NULL;

    tempdir_write("d/f", "");
    ck_assert_int_eq(symlink("d", tempdir_join("link")), 0);
    expected = xstrdup(tempdir_join("d/f"));
    resolved = path_resolve(tempdir_join("link/../link/f"));
    ck_assert_str_eq(resolved, expected);
    errno = 0;
    ck_assert_ptr_null(path_resolve(tempdir_join("nothing")));
    ck_assert_int_eq(errno, ENOENT);
}
END_TEST

START_TEST(an_absolute_path_keeps_its_symlinks)
{
    auto_free char *kept = path_absolute("/a/../b");
    auto_free char *made = NULL;

    ck_assert_str_eq(kept, "/a/../b");
    ck_assert_int_eq(chdir(tempdir_path()), 0);
    made = path_absolute("x/y");
    ck_assert_str_eq(made, tempdir_join("x/y"));
    ck_assert_int_eq(chdir("/"), 0);
}
END_TEST

Suite *base_path_suite(void)
{
    Suite *suite = suite_create("base/path");
    TCase *texts = tcase_create("texts"), *files = tcase_create("files");

    tcase_add_loop_test(texts, two_paths_are_joined_with_one_slash, 0, ARRAY_LEN(joins));
    tcase_add_loop_test(texts, a_path_has_a_parent_and_a_name, 0, ARRAY_LEN(parts));
    tcase_add_loop_test(texts, a_path_is_inside_its_directories, 0, ARRAY_LEN(insides));
    suite_add_tcase(suite, texts);
    tcase_add_checked_fixture(files, tempdir_make, tempdir_remove);
    tcase_add_test(files, resolving_follows_symlinks);
    tcase_add_test(files, an_absolute_path_keeps_its_symlinks);
    suite_add_tcase(suite, files);
    return suite;
}
