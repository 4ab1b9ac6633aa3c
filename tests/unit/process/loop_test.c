#include "process/loop.h"

#include "base/clock.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

Suite *process_loop_suite(void);

extern char **environ;

/* What the callbacks of a test note. */
struct notes {
    struct loop *loop;
    struct loop_watch *watch, *other;
    int calls;
    unsigned events;
    int fd;
    int number;
};

static struct notes notes;
static int fds[2];

static void setup(void)
{
    memset(&notes, 0, sizeof notes);
    notes.loop = loop_new();
    ck_assert_int_eq(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
}

static void teardown(void)
{
    loop_free(notes.loop);
    close(fds[0]);
    close(fds[1]);
}

static void note_events(void *context, unsigned events)
{
    struct notes *at = context;

    at->calls++;
    at->events = events;
}

static void note_call(void *context)
{
    ((struct notes *)context)->calls++;
}

START_TEST(a_readable_descriptor_is_told)
{
    loop_watch_fd(notes.loop, fds[0], LOOP_READ, note_events, &notes);
    ck_assert(!loop_run_once(notes.loop, 0));
    ck_assert_int_eq(write(fds[1], "x", 1), 1);
    ck_assert(loop_run_once(notes.loop, -1));
    ck_assert_uint_eq(notes.events, LOOP_READ);
}
END_TEST

START_TEST(the_end_of_input_is_told_as_readable)
{
    loop_watch_fd(notes.loop, fds[0], LOOP_READ, note_events, &notes);
    close(fds[1]);
    ck_assert(loop_run_once(notes.loop, -1));
    ck_assert_uint_eq(notes.events, LOOP_READ);
    fds[1] = dup(fds[0]);
}
END_TEST

START_TEST(a_reader_that_went_away_is_told)
{
    notes.watch = loop_watch_fd(notes.loop, fds[1], LOOP_HANGUP, note_events, &notes);
    ck_assert(!loop_run_once(notes.loop, 0));
    close(fds[0]);
    ck_assert(loop_run_once(notes.loop, -1));
    ck_assert_uint_eq(notes.events, LOOP_HANGUP);
    loop_watch_set_events(notes.watch, LOOP_WRITE);
    ck_assert(loop_run_once(notes.loop, -1));
    ck_assert_uint_eq(notes.events, LOOP_WRITE);
    fds[0] = dup(fds[1]);
}
END_TEST

START_TEST(a_paused_watch_is_not_told_and_does_not_spin)
{
    int64_t before_ms = clock_monotonic_ms();

    notes.watch = loop_watch_fd(notes.loop, fds[1], LOOP_WRITE, note_events, &notes);
    close(fds[0]);
    loop_watch_set_events(notes.watch, 0);
    ck_assert(!loop_run_once(notes.loop, 30));
    ck_assert_int_ge(clock_monotonic_ms() - before_ms, 30);
    fds[0] = dup(fds[1]);
}
END_TEST

static void remove_both(void *context, unsigned events)
{
    struct notes *at = context;

    note_events(at, events);
    loop_unwatch(at->watch);
    loop_unwatch(at->other);
}

START_TEST(a_callback_may_remove_any_watch)
{
    notes.watch = loop_watch_fd(notes.loop, fds[1], LOOP_WRITE, remove_both, &notes);
    notes.other = loop_watch_fd(notes.loop, fds[1], LOOP_WRITE, remove_both, &notes);
    loop_run(notes.loop); /* ends, for nothing is watched any more */
    ck_assert_int_eq(notes.calls, 1);
}
END_TEST

static void add_watches(void *context, unsigned events)
{
    struct notes *at = context;

    loop_unwatch(at->watch);
    (void)events;
    for (int i = 0; i < 100; i++)
        loop_watch_fd(at->loop, fds[1], LOOP_WRITE, note_events, at);
}

START_TEST(a_callback_may_add_watches)
{
    notes.watch = loop_watch_fd(notes.loop, fds[1], LOOP_WRITE, add_watches, &notes);
    ck_assert(loop_run_once(notes.loop, -1));
    ck_assert_int_eq(notes.calls, 0);
    ck_assert(loop_run_once(notes.loop, -1));
    ck_assert_int_eq(notes.calls, 100);
}
END_TEST

START_TEST(a_timer_runs_once_at_its_time)
{
    int64_t before_ms = clock_monotonic_ms();

    loop_watch_timer(notes.loop, 20, 0, note_call, &notes);
    ck_assert(loop_run_once(notes.loop, -1));
    ck_assert_int_ge(clock_monotonic_ms() - before_ms, 20);
    ck_assert(!loop_run_once(notes.loop, 30));
    ck_assert_int_eq(notes.calls, 1);
}
END_TEST

static void stop_at_three(void *context)
{
    struct notes *at = context;

    if (++at->calls == 3)
        loop_stop(at->loop);
}

START_TEST(a_periodic_timer_runs_until_it_is_stopped)
{
    struct loop_watch *timer = loop_watch_timer(notes.loop, 0, 5, stop_at_three, &notes);

    loop_run(notes.loop);
    ck_assert_int_eq(notes.calls, 3);
    loop_timer_set(timer, -1);
    ck_assert(!loop_run_once(notes.loop, 20));
    loop_timer_set(timer, 0);
    ck_assert(loop_run_once(notes.loop, -1));
    ck_assert_int_eq(notes.calls, 4);
}
END_TEST

static void note_end(void *context, struct process *process)
{
    struct notes *at = context;

    at->calls++;
    at->number = process->end.code;
}

static struct process spawn_exit_3(void)
{
    const char *argv[] = {"/bin/sh", "-c", "exit 3", NULL};
    struct spawn_spec spec = {
        .argv = argv,
        .env = (const char *const *)environ,
        .fds = {SPAWN_NULL, SPAWN_INHERIT, SPAWN_INHERIT},
        .new_group = true,
    };
    struct process process;
    struct error err = {0};

    ck_assert_msg(process_spawn(&spec, &process, &err) == 0, "%s", err.message);
    return process;
}

START_TEST(the_end_of_a_process_is_told_once)
{
    struct process process = spawn_exit_3();

    loop_watch_process(notes.loop, &process, note_end, &notes);
    loop_run(notes.loop);
    ck_assert_int_eq(notes.calls, 1);
    ck_assert_int_eq(notes.number, 3);
    process_end_group(&process, 0);
}
END_TEST

START_TEST(an_end_that_came_before_the_watch_is_told)
{
    struct process process = spawn_exit_3();

    process_wait(&process);
    process_end_group(&process, 0);
    loop_watch_process(notes.loop, &process, note_end, &notes);
    loop_run(notes.loop);
    ck_assert_int_eq(notes.number, 3);
}
END_TEST

static void note_signal(void *context, int signal_number)
{
    struct notes *at = context;

    at->calls++;
    at->number = signal_number;
}

START_TEST(signals_are_told_until_they_are_unwatched)
{
    struct loop_watch *watch = loop_watch_signals(notes.loop, note_signal, &notes);

    raise(SIGTERM);
    raise(SIGINT);
    ck_assert(loop_run_once(notes.loop, -1));
    ck_assert_int_eq(notes.calls, 2);
    raise(SIGHUP);
    ck_assert(loop_run_once(notes.loop, -1));
    ck_assert_int_eq(notes.number, SIGHUP);
    loop_unwatch(watch);
    ck_assert(!loop_run_once(notes.loop, 0));
    ck_assert_int_eq(signals_next(), 0);
}
END_TEST

START_TEST(a_regular_file_is_always_ready)
{
    int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);

    loop_watch_fd(notes.loop, fd, LOOP_READ, note_events, &notes);
    ck_assert(loop_run_once(notes.loop, -1));
    close(fd);
}
END_TEST

Suite *process_loop_suite(void)
{
    Suite *suite = suite_create("process/loop");
    TCase *tcase = tcase_create("loop");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_readable_descriptor_is_told);
    tcase_add_test(tcase, the_end_of_input_is_told_as_readable);
    tcase_add_test(tcase, a_reader_that_went_away_is_told);
    tcase_add_test(tcase, a_paused_watch_is_not_told_and_does_not_spin);
    tcase_add_test(tcase, a_callback_may_remove_any_watch);
    tcase_add_test(tcase, a_callback_may_add_watches);
    tcase_add_test(tcase, a_timer_runs_once_at_its_time);
    tcase_add_test(tcase, a_periodic_timer_runs_until_it_is_stopped);
    tcase_add_test(tcase, the_end_of_a_process_is_told_once);
    tcase_add_test(tcase, an_end_that_came_before_the_watch_is_told);
    tcase_add_test(tcase, signals_are_told_until_they_are_unwatched);
    tcase_add_test(tcase, a_regular_file_is_always_ready);
    suite_add_tcase(suite, tcase);
    return suite;
}
