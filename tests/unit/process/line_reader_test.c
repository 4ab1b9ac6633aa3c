#include "process/line_reader.h"

#include "base/memory.h"
#include "base/strbuf.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

Suite *process_line_reader_suite(void);

static int fds[2];
static struct strbuf received; /* each line as "<text>", "+" before and after where it is cut */

static void note_line(void *context, const struct line *line)
{
    (void)context;
    ck_assert_int_eq(line->text[line->length], '\0');
    strbuf_add(&received, line->continues ? "+<" : "<");
    strbuf_add_bytes(&received, line->text, line->length);
    strbuf_add(&received, line->is_continued ? ">+" : ">");
}

static void setup(void)
{
    ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
    fcntl(fds[0], F_SETFL, O_NONBLOCK);
}

static void teardown(void)
{
    close(fds[0]);
    strbuf_clear(&received);
}

static void feed(const char *text)
{
    ck_assert_int_eq(write(fds[1], text, strlen(text)), (ssize_t)strlen(text));
}

static const struct {
    const char *input;
    size_t limit;
    const char *lines;
} cases[] = {
    {"", 100, ""},
    {"a\nbc\n", 100, "<a><bc>"},
    {"a\n\nb", 100, "<a><><b>"},
    {"a\r\nb\rc\r\n\r\n", 100, "<a><b\rc><>"},
    {"1234\n5678", 4, "<1234><5678>"},
    {"12345\n", 4, "<1234>++<5>"},
    {"123456789", 4, "<1234>++<5678>++<9>"},
    {"12345678\n9\n", 4, "<1234>++<5678><9>"},
};

START_TEST(lines_are_delivered_whole_up_to_the_limit)
{
    struct line_reader *reader = line_reader_new(fds[0], cases[_i].limit, note_line, NULL);

    feed(cases[_i].input);
    close(fds[1]);
    ck_assert_int_eq(line_reader_step(reader), LINE_READER_END);
    ck_assert_str_eq(strbuf_text(&received), cases[_i].lines);
    line_reader_free(reader);
}
END_TEST

START_TEST(it_does_not_matter_where_the_input_is_cut)
{
    struct line_reader *reader = line_reader_new(fds[0], cases[_i].limit, note_line, NULL);

    for (const char *at = cases[_i].input; *at; at++) {
        ck_assert_int_eq(write(fds[1], at, 1), 1);
        ck_assert_int_eq(line_reader_step(reader), LINE_READER_WANTS_INPUT);
    }
    close(fds[1]);
    ck_assert_int_eq(line_reader_step(reader), LINE_READER_END);
    ck_assert_str_eq(strbuf_text(&received), cases[_i].lines);
    line_reader_free(reader);
}
END_TEST

START_TEST(a_line_may_hold_nul)
{
    struct line_reader *reader = line_reader_new(fds[0], 100, note_line, NULL);

    ck_assert_int_eq(write(fds[1], "a\0b\n", 4), 4);
    line_reader_step(reader);
    ck_assert_uint_eq(received.length, 5);
    close(fds[1]);
    line_reader_free(reader);
}
END_TEST

static size_t long_length, long_count;

static void note_long_line(void *context, const struct line *line)
{
    (void)context;
    ck_assert(!line->continues && !line->is_continued);
    ck_assert_uint_eq(strspn(line->text, "s"), line->length);
    long_length += line->length;
    long_count++;
}

START_TEST(a_line_of_20_megabytes_is_delivered_whole)
{
    const size_t size = 20 * 1000 * 1000;
    struct line_reader *reader = line_reader_new(fds[0], size, note_long_line, NULL);
    pid_t writer = fork();

    if (!writer) {
        char *text = xmalloc(size);
        size_t done = 0;

        memset(text, 's', size);
        while (done < size)
            done += (size_t)write(fds[1], text + done, size - done);
        _exit(write(fds[1], "\ns\n", 3) == 3 ? 0 : 1);
    }
    close(fds[1]);
    while (line_reader_step(reader) == LINE_READER_WANTS_INPUT)
        ;
    ck_assert_uint_eq(long_length, size + 1);
    ck_assert_uint_eq(long_count, 2);
    waitpid(writer, NULL, 0);
    line_reader_free(reader);
}
END_TEST

START_TEST(a_read_error_is_told)
{
    struct line_reader *reader = line_reader_new(-1, 100, note_line, NULL);

    ck_assert_int_eq(line_reader_step(reader), LINE_READER_ERROR);
    ck_assert_int_eq(errno, EBADF);
    close(fds[1]);
    line_reader_free(reader);
}
END_TEST

Suite *process_line_reader_suite(void)
{
    Suite *suite = suite_create("process/line_reader");
    TCase *tcase = tcase_create("line reader");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, lines_are_delivered_whole_up_to_the_limit, 0,
                        sizeof cases / sizeof cases[0]);
    tcase_add_loop_test(tcase, it_does_not_matter_where_the_input_is_cut, 0,
                        sizeof cases / sizeof cases[0]);
    tcase_add_test(tcase, a_line_may_hold_nul);
    tcase_add_test(tcase, a_line_of_20_megabytes_is_delivered_whole);
    tcase_add_test(tcase, a_read_error_is_told);
    suite_add_tcase(suite, tcase);
    return suite;
}
