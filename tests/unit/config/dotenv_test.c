#include "config/dotenv.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/path.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

Suite *config_dotenv_suite(void);

static char *directory, *path;
static struct strmap environment;

static void make_directory(void)
{
    char pattern[] = "/tmp/dotenv.XXXXXX";

    directory = xstrdup(mkdtemp(pattern));
    path = path_join(directory, ".env");
    environment = (struct strmap)STRMAP_INIT;
    strmap_set(&environment, "S", "s");
    strmap_set(&environment, "HIDDEN", "from the process");
}

static void remove_directory(void)
{
    struct error err = {0};

    path_remove_all(directory, &err);
    free(directory);
    free(path);
    strmap_clear(&environment);
}

static void write_file(const char *text)
{
    auto_strbuf struct strbuf bytes = STRBUF_INIT;
    struct error err = {0};

    strbuf_add(&bytes, text);
    ck_assert_msg(!file_write(path, &bytes, 0640, &err), "%s", err.message);
}

static char *read_file(void)
{
    struct strbuf bytes = STRBUF_INIT;
    struct error err = {0};

    ck_assert_msg(!file_read(path, &bytes, &err), "%s", err.message);
    return strbuf_take(&bytes);
}

static const struct {
    const char *text;
    const char *value; /* of A, NULL: none */
} lines[] = {
    {"A=x\n", "x"},
    {"A=x", "x"},
    {"export A=x", "x"},
    {"\n\n   A = x  \n", "x"},
    {"\xef\xbb\xbf"
     "A=x",
     "x"},
    {"A=x y # note", "x y"},
    {"A=x#y", "x#y"},
    {"A=#y", "#y"},
    {"A= # note", ""},
    {"A=", ""},
    {"A", NULL},
    {"'A'=x", "x"},
    {"A='x\\ny'", "x\\ny"},
    {"A='it\\'s \\\\'", "it's \\"},
    {"A='x' # note", "x"},
    {"A=\"x\\ny\\t\\q\"", "x\ny\t\\q"},
    {"A=\"x\ny\"\nB=1", "x\ny"},
    {"A=\"x\r\ny\"\r\nB=1\r\n", "x\ny"},
    {"A=x\r\nB=1\r\n", "x"},
    {"A=x\nA=y\n", "y"},
    {"A=x\nA\n", NULL},
    {"A=\"x\" y\n", NULL},
    {"not a line\nA=x", "x"},
    {"A=\"x\nB=1\nA=y", "y"},
    {"# A=x\n", NULL},
    {"export\nA=x", "x"},
    {"A=$S/x", "$S/x"},
    {"A=${S}-x", "s-x"},
    {"A='${S}'", "s"},
    {"B=1\nA=${B}${C}", "1"},
    {"A=${C:-d:e}", "d:e"},
    {"A=${S:-d}", "s"},
    {"A=${S:x}", "${S:x}"},
    {"A=${S", "${S"},
    {"A=1\nA=${A}2", "12"},
    {"HIDDEN\nA=${HIDDEN}", ""},
    {"S=t\nA=${S}", "t"},
};

START_TEST(a_line_is_read_as_python_dotenv_reads_it)
{
    auto_strmap struct strmap values = STRMAP_INIT;
    struct error err = {0};
    const char *value;

    write_file(lines[_i].text);
    ck_assert_msg(!dotenv_load(path, &environment, &values, &err), "%s", err.message);
    value = strmap_get(&values, "A");
    if (lines[_i].value)
        ck_assert_str_eq(value, lines[_i].value);
    else
        ck_assert_ptr_null(value);
}
END_TEST

START_TEST(a_missing_file_and_a_directory_give_no_values)
{
    auto_strmap struct strmap values = STRMAP_INIT;
    struct error err = {0};

    ck_assert_int_eq(dotenv_load(path, &environment, &values, &err), 0);
    ck_assert_int_eq(dotenv_load(directory, &environment, &values, &err), 0);
    ck_assert_uint_eq(values.count, 0);
}
END_TEST

START_TEST(bytes_that_are_not_utf8_are_refused_with_their_line)
{
    auto_strmap struct strmap values = STRMAP_INIT;
    auto_free char *expected = xasprintf("%s:2: the text is not UTF-8", path);
    struct error err = {0};

    write_file("A=1\nB=\xff\n");
    ck_assert_int_eq(dotenv_load(path, &environment, &values, &err), -1);
    ck_assert_str_eq(err.message, expected);
}
END_TEST

static const struct {
    const char *before, *value, *after;
} edits[] = {
    {"", "v", "A='v'\n"},
    {"B=1\n", "v", "B=1\nA='v'\n"},
    {"B=1", "v", "B=1\nA='v'\n"},
    {"# c\n\nA=x\n\nB=1\n", "v", "# c\n\nA='v'\n\nB=1\n"},
    {"A=x y   # why\n", "v", "A='v'   # why\n"},
    {"  export A = \"x\ny\" # why\nB=1", "v", "  export A = 'v' # why\nB=1"},
    {"A= # why\r\nB=1\r\n", "v", "A='v' # why\r\nB=1\r\n"},
    {"A=", "v", "A='v'"},
    {"A\nB=1\n", "v", "A='v'\nB=1\n"},
    {"A=1\nA=2\n", "v", "A='v'\nA='v'\n"},
    {"not a line\nA=1\n", "it's \\ $S \"\n", "not a line\nA='it\\'s \\\\ $S \"\n'\n"},
    {"A=x\n", "", "A=''\n"},
};

START_TEST(setting_a_key_keeps_every_other_byte)
{
    auto_strmap struct strmap values = STRMAP_INIT;
    struct error err = {0};
    auto_free char *text = NULL;

    write_file(edits[_i].before);
    ck_assert_msg(!dotenv_set(path, "A", edits[_i].value, &err), "%s", err.message);
    text = read_file();
    ck_assert_str_eq(text, edits[_i].after);
    ck_assert_int_eq(dotenv_load(path, &environment, &values, &err), 0);
    ck_assert_str_eq(strmap_get(&values, "A"), edits[_i].value);
}
END_TEST

START_TEST(a_new_file_is_for_its_owner_only_and_an_old_one_keeps_its_mode)
{
    struct error err = {0};
    struct stat info;

    ck_assert_int_eq(dotenv_set(path, "A", "v", &err), 0);
    ck_assert_int_eq(stat(path, &info), 0);
    ck_assert_int_eq(info.st_mode & 0777, 0600);
    ck_assert_int_eq(chmod(path, 0640), 0);
    ck_assert_int_eq(dotenv_set(path, "A", "w", &err), 0);
    ck_assert_int_eq(stat(path, &info), 0);
    ck_assert_int_eq(info.st_mode & 0777, 0640);
}
END_TEST

START_TEST(unsetting_removes_every_line_of_the_key_and_nothing_else)
{
    struct error err = {0};
    bool found = false;
    auto_free char *text = NULL;

    write_file("# c\n\n  A=1 # x\n\nB=1\nA=\"x\ny\"\nAA=2\n");
    ck_assert_int_eq(dotenv_unset(path, "A", &found, &err), 0);
    ck_assert(found);
    text = read_file();
    ck_assert_str_eq(text, "# c\n\n\nB=1\nAA=2\n");
    ck_assert_int_eq(dotenv_unset(path, "A", &found, &err), 0);
    ck_assert(!found);
}
END_TEST

Suite *config_dotenv_suite(void)
{
    Suite *suite = suite_create("config/dotenv");
    TCase *tcase = tcase_create("dotenv");

    tcase_add_checked_fixture(tcase, make_directory, remove_directory);
    tcase_add_loop_test(tcase, a_line_is_read_as_python_dotenv_reads_it, 0, ARRAY_LEN(lines));
    tcase_add_test(tcase, a_missing_file_and_a_directory_give_no_values);
    tcase_add_test(tcase, bytes_that_are_not_utf8_are_refused_with_their_line);
    tcase_add_loop_test(tcase, setting_a_key_keeps_every_other_byte, 0, ARRAY_LEN(edits));
    tcase_add_test(tcase, a_new_file_is_for_its_owner_only_and_an_old_one_keeps_its_mode);
    tcase_add_test(tcase, unsetting_removes_every_line_of_the_key_and_nothing_else);
    suite_add_tcase(suite, tcase);
    return suite;
}
