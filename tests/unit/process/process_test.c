#include "process/process.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "tests/unit/sanitizer.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

Suite *process_process_suite(void);

extern char **environ;

#define PATIENCE_MS 10000

/* --- helpers ---------------------------------------------------------------------------------- */

/* A pipe that every descendant of a test holds: its end of file is the proof that all are gone. */
static int alive_pipe[2];

static void open_alive_pipe(void)
{
    ck_assert_int_eq(pipe2(alive_pipe, O_CLOEXEC), 0);
}

static bool is_readable(int fd, int timeout_ms)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};

    return poll(&wait, 1, timeout_ms) > 0;
}

/* Bytes written by the descendants are passed over. */
static bool all_are_gone_within(int timeout_ms)
{
    int64_t deadline_ms = clock_monotonic_ms() + timeout_ms;
    char bytes[256];

    fd_close(&alive_pipe[1]);
    while (is_readable(alive_pipe[0], (int)(deadline_ms - clock_monotonic_ms()))) {
        if (read(alive_pipe[0], bytes, sizeof bytes) == 0)
            return true;
    }
    return false;
}

static void wait_for_word(char word)
{
    char byte;

    do {
        ck_assert_msg(is_readable(alive_pipe[0], PATIENCE_MS), "no word from the program");
        ck_assert_int_eq(read(alive_pipe[0], &byte, 1), 1);
    } while (byte != word);
}

static struct process spawn_argv(const char *const *argv)
{
    struct process process;
    struct error err = {0};
    struct spawn_spec spec = {
        .argv = argv,
        .env = (const char *const *)environ,
        .fds = {SPAWN_NULL, SPAWN_INHERIT, SPAWN_INHERIT},
        .new_group = true,
        .keep_fd = alive_pipe[1],
    };

    ck_assert_msg(process_spawn(&spec, &process, &err) == 0, "%s", err.message);
    return process;
}

/* The script says on descriptor $1 what it has to say. */
static struct process spawn_script(const char *script)
{
    auto_free char *number = xasprintf("%d", alive_pipe[1]);
    const char *argv[] = {"/bin/sh", "-c", script, "sh", number, NULL};

    return spawn_argv(argv);
}

static void refuse_spawn(struct spawn_spec *spec, struct process *process, struct error *err)
{
    if (!spec->env)
        spec->env = (const char *const *)environ;
    spec->fds[0] = SPAWN_NULL;
    spec->fds[1] = spec->fds[2] = SPAWN_INHERIT;
    ck_assert_int_eq(process_spawn(spec, process, err), -1);
    ck_assert_int_eq(process->end.kind, EXIT_NOT_STARTED);
    ck_assert_int_eq(err->code, ERR_START);
}

static const char *capture_script(const char *script)
{
    static struct strbuf out;
    struct process_end end;
    struct error err = {0};
    const char *argv[] = {"/bin/sh", "-c", script, NULL};
    struct spawn_spec spec = {
        .argv = argv,
        .env = (const char *const *)environ,
        .fds = {SPAWN_NULL},
        .new_group = true,
    };

    strbuf_reset(&out);
    ck_assert_msg(process_capture(&spec, &out, NULL, 0, PATIENCE_MS, &end, &err) == 0, "%s",
                  err.message);
    return strbuf_text(&out);
}

static void write_script(const char *path, const char *text, mode_t mode)
{
    auto_strbuf struct strbuf bytes = STRBUF_INIT;
    struct error err = {0};

    strbuf_add(&bytes, text);
    ck_assert_msg(file_write(path, &bytes, mode, &err) == 0, "%s", err.message);
}

static char test_dir[64];

static void make_test_dir(void)
{
    strcpy(test_dir, "/tmp/meltshim-process-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(test_dir));
}

static void remove_test_dir(void)
{
    struct error err = {0};

    ck_assert_int_eq(path_remove_all(test_dir, &err), 0);
}

/* --- start and end ---------------------------------------------------------------------------- */

static const struct {
    const char *script;
    enum exit_kind kind;
    int code;
    const char *description;
    int status;
} ends[] = {
    {"exit 0", EXIT_STATUS, 0, "exit status 0", 0},
    {"exit 3", EXIT_STATUS, 3, "exit status 3", 3},
    {"kill -9 $$", EXIT_SIGNAL, SIGKILL, "signal 9 (SIGKILL)", 137},
    {"kill -SEGV $$", EXIT_SIGNAL, SIGSEGV, "signal 11 (SIGSEGV)", 139},
};

START_TEST(exit_statuses_and_signals_are_told_apart)
{
    char buffer[100];
    struct process process;

    open_alive_pipe();
    process = spawn_script(ends[_i].script);
    process_wait(&process);
    ck_assert_int_eq(process.end.kind, ends[_i].kind);
    ck_assert_int_eq(process.end.code, ends[_i].code);
    ck_assert_str_eq(process_end_describe(&process.end, buffer, sizeof buffer),
                     ends[_i].description);
    ck_assert_int_eq(process_end_to_status(&process.end), ends[_i].status);
    process_end_group(&process, 0);
    ck_assert_int_eq(process.end_fd, -1);
    ck_assert(all_are_gone_within(PATIENCE_MS));
}
END_TEST

START_TEST(a_name_that_is_not_in_path_is_an_error_before_anything_starts)
{
    const char *argv[] = {"no-such-program", NULL};
    struct spawn_spec spec = {.argv = argv};
    struct process process;
    struct error err = {0};

    refuse_spawn(&spec, &process, &err);
    ck_assert_str_eq(err.message, "cannot start 'no-such-program': no such program in PATH");
    ck_assert_int_eq(process.end.code, ENOENT);
}
END_TEST

START_TEST(a_path_that_does_not_exist_gives_the_errno_of_exec)
{
    const char *argv[] = {"/no/such/program", NULL};
    struct spawn_spec spec = {.argv = argv, .new_group = true};
    struct process process;
    struct error err = {0};
    char buffer[100];

    refuse_spawn(&spec, &process, &err);
    ck_assert_str_eq(err.message, "cannot start '/no/such/program': No such file or directory");
    ck_assert_int_eq(process.end.code, ENOENT);
    ck_assert_str_eq(process_end_describe(&process.end, buffer, sizeof buffer),
                     "not started: No such file or directory");
    ck_assert_int_eq(process_end_to_status(&process.end), 127);
}
END_TEST

START_TEST(a_script_without_its_interpreter_names_the_interpreter)
{
    auto_free char *path = NULL;
    auto_free char *expected = NULL;
    const char *argv[] = {NULL, NULL};
    struct spawn_spec spec = {.argv = argv};
    struct process process;
    struct error err = {0};

    make_test_dir();
    argv[0] = path = xasprintf("%s/tap", test_dir);
    write_script(path, "#! /moved/venv/bin/python -u\nprint()\n", 0755);
    refuse_spawn(&spec, &process, &err);
    expected = xasprintf("cannot start '%s': its interpreter '/moved/venv/bin/python' does not "
                         "exist",
                         path);
    ck_assert_str_eq(err.message, expected);
    ck_assert_str_eq(err.hint, "The environment was moved, or its Python was removed: install it "
                               "again.");
    remove_test_dir();
}
END_TEST

START_TEST(a_file_without_the_right_to_execute_is_an_error)
{
    auto_free char *path = NULL;
    const char *argv[] = {NULL, NULL};
    struct spawn_spec spec = {.argv = argv};
    struct process process;
    struct error err = {0};

    make_test_dir();
    argv[0] = path = xasprintf("%s/tap", test_dir);
    write_script(path, "#!/bin/sh\n", 0644);
    refuse_spawn(&spec, &process, &err);
    ck_assert_int_eq(process.end.code, EACCES);
    ck_assert_str_eq(err.hint, "Check that it is a file with the right to execute it.");
    remove_test_dir();
}
END_TEST

START_TEST(a_variable_that_is_too_long_for_the_kernel_is_named)
{
    auto_free char *long_variable = xasprintf("TAP_A_STEPS=%0200000d", 1);
    const char *argv[] = {"/bin/true", NULL};
    const char *env[] = {"X=1", long_variable, "Y=1", NULL};
    struct spawn_spec spec = {.argv = argv, .env = env};
    struct process process;
    struct error err = {0};

    refuse_spawn(&spec, &process, &err);
    ck_assert_int_eq(process.end.code, E2BIG);
    ck_assert_str_eq(err.message, "cannot start '/bin/true': Argument list too long");
    ck_assert_str_eq(err.hint, "The variable 'TAP_A_STEPS' of its environment has 200013 bytes, "
                               "and Linux takes 131072: shorten the setting that it holds.");
}
END_TEST

START_TEST(variables_that_are_too_much_together_are_told_from_it)
{
    auto_free char *long_variable = xasprintf("TAP_A_STEPS=%0130000d", 1);
    const char *argv[] = {"/bin/true", NULL};
    const char *env[100];
    struct spawn_spec spec = {.argv = argv, .env = env};
    struct process process;
    struct error err = {0};

    for (size_t i = 0; i < ARRAY_LEN(env); i++)
        env[i] = i + 1 < ARRAY_LEN(env) ? long_variable : NULL;
    refuse_spawn(&spec, &process, &err);
    ck_assert_str_eq(err.hint, "Its arguments and its environment are too much together; the "
                               "longest variable is 'TAP_A_STEPS' with 130013 bytes. 'ulimit -s' "
                               "bounds their sum.");
}
END_TEST

START_TEST(a_missing_working_directory_is_named)
{
    const char *argv[] = {"/bin/true", NULL};
    struct spawn_spec spec = {.argv = argv, .cwd = "/no/such/dir"};
    struct process process;
    struct error err = {0};

    refuse_spawn(&spec, &process, &err);
    ck_assert_str_eq(err.message, "cannot start '/bin/true' in directory '/no/such/dir': No such "
                                  "file or directory");
}
END_TEST

START_TEST(a_program_is_looked_up_in_the_path_of_its_own_environment)
{
    auto_free char *path = NULL;
    auto_free char *variable = NULL;
    auto_strbuf struct strbuf out = STRBUF_INIT;
    const char *argv[] = {"only-here", "a b", NULL};
    const char *env[] = {"X=1", NULL, NULL};
    struct spawn_spec spec = {.argv = argv, .env = env, .fds = {SPAWN_NULL}, .cwd = "/"};
    struct process_end end;
    struct error err = {0};

    make_test_dir();
    path = xasprintf("%s/only-here", test_dir);
    variable = xasprintf("PATH=/no/such/dir:%s", test_dir + 1); /* relative to cwd */
    env[1] = variable;
    write_script(path, "#!/bin/sh\necho \"$1|$X|$PWD\"\n", 0755);
    ck_assert_msg(process_capture(&spec, &out, NULL, 0, 0, &end, &err) == 0, "%s", err.message);
    ck_assert_str_eq(strbuf_text(&out), "a b|1|/\n");
    remove_test_dir();
}
END_TEST

START_TEST(a_program_gets_no_descriptor_but_its_own)
{
    int stray = open("/dev/null", O_RDONLY); /* not close-on-exec, as a careless parent has it */

    ck_assert_int_gt(stray, 2);
    ck_assert_str_eq(capture_script("for fd in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do "
                                    "[ -e /proc/self/fd/$fd ] && echo $fd; done"),
                     "0\n1\n2\n");
    close(stray);
}
END_TEST

START_TEST(descriptors_may_be_swapped)
{
    int fds[2], other[2], devnull = open("/dev/null", O_RDWR);
    struct process process;
    struct error err = {0};
    char text[20] = "";
    const char *argv[] = {"/bin/sh", "-c", "echo out; echo err >&2", NULL};
    struct spawn_spec spec = {
        .argv = argv,
        .env = (const char *const *)environ,
        .fds = {SPAWN_NULL, 2, 1},
        .new_group = true,
    };

    ck_assert_int_eq(pipe(fds), 0);
    ck_assert_int_eq(pipe(other), 0);
    dup2(fds[1], 1);
    dup2(other[1], 2);
    ck_assert_int_eq(process_spawn(&spec, &process, &err), 0);
    process_wait(&process);
    dup2(devnull, 1);
    dup2(devnull, 2);
    ck_assert_int_gt(read(fds[0], text, sizeof text), 0);
    ck_assert_str_eq(text, "err\n");
    ck_assert_int_gt(read(other[0], text, sizeof text), 0);
    ck_assert_str_eq(text, "out\n");
}
END_TEST

/* A mask of /proc/PID/status, without the two signals that the C library keeps to itself and that
 * whoever started the tests may have left ignored. */
static uint64_t signal_mask(const char *status, const char *name)
{
    const uint64_t reserved = UINT64_C(3) << 31;
    const char *line = strstr(status, name);

    ck_assert_ptr_nonnull(line);
    return strtoull(line + strlen(name), NULL, 16) & ~reserved;
}

START_TEST(a_program_starts_with_all_signals_at_their_default)
{
    const char *status;
    sigset_t set;

    signal(SIGPIPE, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    sigfillset(&set);
    sigprocmask(SIG_BLOCK, &set, NULL);
    status = capture_script("cat /proc/self/status");
    ck_assert_uint_eq(signal_mask(status, "SigBlk:"), 0);
    ck_assert_uint_eq(signal_mask(status, "SigIgn:"), 0);
}
END_TEST

START_TEST(nohup_reaches_the_program)
{
    signal(SIGHUP, SIG_IGN);
    ck_assert_uint_eq(signal_mask(capture_script("cat /proc/self/status"), "SigIgn:"), 1);
}
END_TEST

START_TEST(a_program_with_a_group_has_no_terminal_and_leads_its_group)
{
    /* The fields after the name: state, parent, group, session, terminal. */
    ck_assert_str_eq(capture_script("read -r pid name state parent group session tty rest "
                                    "< /proc/$$/stat; [ $pid = $group ] && echo leads; "
                                    "[ $session = $parent ] && echo $tty"),
                     "leads\n0\n");
}
END_TEST

START_TEST(cpu_time_and_memory_are_measured)
{
    struct process process;

    open_alive_pipe();
    process = spawn_script("i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done");
    process_wait(&process);
    ck_assert_int_gt(process.end.usage.cpu_ms, 0);
    ck_assert_int_gt(process.end.usage.peak_kib, 100);
    ck_assert_int_gt(process.end.usage.voluntary_switches + process.end.usage.involuntary_switches,
                     0);
    ck_assert_int_ge(process.end.wall_ms, process.end.usage.cpu_ms / 2);
    process_end_group(&process, 0);
}
END_TEST

/* --- nothing survives ------------------------------------------------------------------------- */

START_TEST(a_program_that_handles_sigterm_is_given_the_time)
{
    struct process process;

    open_alive_pipe();
    process = spawn_script("trap 'exit 7' TERM; echo r >&$1; while :; do sleep 0.01; done");
    wait_for_word('r');
    process_end_group(&process, PATIENCE_MS);
    ck_assert_int_eq(process.end.kind, EXIT_STATUS);
    ck_assert_int_eq(process.end.code, 7);
    ck_assert(all_are_gone_within(0));
}
END_TEST

START_TEST(a_program_that_ignores_sigterm_is_killed_after_the_grace)
{
    struct process process;
    int64_t before_ms;

    open_alive_pipe();
    process = spawn_script("trap '' TERM; echo r >&$1; while :; do sleep 1; done");
    wait_for_word('r');
    before_ms = clock_monotonic_ms();
    process_end_group(&process, 100);
    ck_assert_int_ge(clock_monotonic_ms() - before_ms, 100);
    ck_assert_int_lt(clock_monotonic_ms() - before_ms, PATIENCE_MS);
    ck_assert_int_eq(process.end.code, SIGKILL);
    ck_assert(!process.end.out_of_memory);
    ck_assert(all_are_gone_within(0));
}
END_TEST

/* Each leaves somebody behind who is outside the group, the session or the tree of its parents. */
static const char *const escapes[] = {
    "sleep 1000 & echo r >&$1; exit 4",
    "setsid sleep 1000 & echo r >&$1; exit 4",
    "(setsid sh -c 'trap \"\" TERM HUP INT; (sleep 1000; :) & echo r >&'$1'; wait' &); exit 4",
    "(setsid sh -c '(setsid sh -c \"trap : TERM; sleep 99; sleep 99\" &); echo r >&'$1 &); exit 4",
};

START_TEST(what_a_program_left_behind_is_ended)
{
    struct process process;

    open_alive_pipe();
    process = spawn_script(escapes[_i]);
    wait_for_word('r');
    process_wait(&process);
    ck_assert_int_eq(process.end.code, 4);
    ck_assert(process_has_leftovers(&process));
    process_end_group(&process, 100);
    ck_assert(!process_has_leftovers(&process));
    ck_assert(all_are_gone_within(0));
    ck_assert_int_eq(process.end.code, 4);
}
END_TEST

START_TEST(what_escapes_while_the_program_runs_is_ended_with_it)
{
    struct process process;

    open_alive_pipe();
    process = spawn_script("(setsid sh -c 'trap \"\" TERM; (setsid sleep 1000 &); sleep 1000' &); "
                           "trap '' TERM; echo r >&$1; sleep 1000; sleep 1000");
    wait_for_word('r');
    process_end_group(&process, 0);
    ck_assert(all_are_gone_within(0));
}
END_TEST

START_TEST(ending_one_program_leaves_what_another_started_alone)
{
    struct process one, other;

    open_alive_pipe();
    one = spawn_script("(setsid sleep 1000 &); echo a >&$1; sleep 1000");
    other = spawn_script("(setsid sh -c 'sleep 0.3; echo z >&'$1 &); echo b >&$1; sleep 1000");
    wait_for_word('b');
    process_end_group(&one, 0);
    ck_assert(!process_poll(&other));
    wait_for_word('z');
    process_end_group(&other, 0);
    ck_assert(all_are_gone_within(0));
}
END_TEST

static const char stubborn[] =
    "trap '' TERM HUP INT; (setsid sh -c 'trap \"\" TERM HUP INT; (setsid sleep 1000 &); "
    "sleep 1000' &); echo r >&$1; sleep 1000; sleep 1000";

/* A program of ours in a process of its own, to be killed by the test. */
static pid_t fork_supervisor(const char *script)
{
    pid_t pid = fork();

    if (pid)
        return pid;
    setpgid(0, 0);
    process_setup();
    for (int i = 0; i < 3; i++)
        spawn_script(script);
    fd_close(&alive_pipe[1]);
    for (;;)
        pause();
}

START_TEST(killing_us_leaves_nothing_behind)
{
    pid_t supervisor;

    open_alive_pipe();
    supervisor = fork_supervisor(stubborn);
    for (int i = 0; i < 3; i++)
        wait_for_word('r');
    kill(_i ? -supervisor : supervisor, SIGKILL); /* alone, or our whole group */
    waitpid(supervisor, NULL, 0);
    ck_assert_msg(all_are_gone_within(PATIENCE_MS), "a descendant survived");
}
END_TEST

START_TEST(killing_a_guard_ends_the_program_and_what_it_started)
{
    struct process process, other;

    process_setup();
    open_alive_pipe();
    other = spawn_script("echo o >&$1; read -r line < /dev/zero; exit 9");
    wait_for_word('o');
    process = spawn_script(stubborn);
    wait_for_word('r');
    kill(process.guard, SIGKILL);
    process_wait(&process);
    ck_assert_int_eq(process.end.kind, EXIT_SIGNAL);
    ck_assert_int_eq(process.end.code, SIGKILL);
    ck_assert_int_eq(process.end_fd, -1);
    ck_assert(!process_poll(&other));
    process_end_group(&other, 0);
    ck_assert(all_are_gone_within(0));
}
END_TEST

START_TEST(a_guard_that_does_not_obey_is_got_round)
{
    struct process process;

    process_setup();
    open_alive_pipe();
    process = spawn_script(stubborn);
    wait_for_word('r');
    kill(process.guard, SIGSTOP);
    process_end_group(&process, 0);
    ck_assert_int_eq(process.end.kind, EXIT_SIGNAL);
    ck_assert_int_eq(process.end_fd, -1);
    ck_assert(all_are_gone_within(0));
}
END_TEST

START_TEST(killing_a_guard_ends_what_a_program_left_behind)
{
    struct process process;

    process_setup();
    open_alive_pipe();
    process = spawn_script(escapes[_i]);
    wait_for_word('r');
    process_wait(&process);
    kill(process.guard, SIGKILL);
    while (process_has_leftovers(&process))
        process_poll(&process);
    ck_assert(all_are_gone_within(0));
}
END_TEST

START_TEST(a_program_that_was_stopped_goes_on_to_obey)
{
    struct process process;

    open_alive_pipe();
    process = spawn_script("trap 'exit 7' TERM; echo r >&$1; while :; do sleep 0.01; done");
    wait_for_word('r');
    kill(-process.pid, SIGSTOP);
    process_end_group(&process, PATIENCE_MS);
    ck_assert_int_eq(process.end.code, 7);
    ck_assert(all_are_gone_within(0));
}
END_TEST

START_TEST(a_guard_that_was_stopped_goes_on_to_obey)
{
    struct process process;

    open_alive_pipe();
    process = spawn_script("trap 'exit 7' TERM; echo r >&$1; while :; do sleep 0.01; done");
    wait_for_word('r');
    kill(process.guard, SIGSTOP);
    process_end_group(&process, PATIENCE_MS);
    ck_assert_int_eq(process.end.code, 7);
    ck_assert(all_are_gone_within(0));
}
END_TEST

/* As in a container that was built without it. */
START_TEST(without_proc_nothing_survives_either)
{
    int status;
    pid_t pid = fork();

    if (!pid) {
        struct process process;

        if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
            mount("none", "/proc", "tmpfs", 0, NULL) < 0)
            _exit(77);
        open_alive_pipe();
        process = spawn_script(escapes[_i]);
        wait_for_word('r');
        process_wait(&process);
        process_end_group(&process, 0);
        _exit(all_are_gone_within(0) ? 0 : 1);
    }
    waitpid(pid, &status, 0);
    if (WEXITSTATUS(status) == 77)
        fprintf(stderr, "SKIPPED: without_proc_nothing_survives_either: no right to mount\n");
    else
        ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(a_guard_is_not_found_by_the_name_of_the_program)
{
    auto_free char *path = NULL;
    auto_strbuf struct strbuf text = STRBUF_INIT;
    struct process process;
    struct error err = {0};

    open_alive_pipe();
    process = spawn_script("echo r >&$1; sleep 1000");
    wait_for_word('r');
    path = xasprintf("/proc/%d/cmdline", (int)process.guard);
    ck_assert_int_eq(file_read(path, &text, &err), 0);
    ck_assert_str_eq(strbuf_text(&text), "plugin-guard");
    process_end_group(&process, 0);
}
END_TEST

START_TEST(a_program_may_get_arguments_of_ours)
{
    auto_strbuf struct strbuf out = STRBUF_INIT;
    auto_strbuf struct strbuf expected = STRBUF_INIT;
    struct process_end end;
    struct error err = {0};
    const char *argv[] = {"/bin/echo", program_invocation_name, NULL};
    struct spawn_spec spec = {
        .argv = argv,
        .env = (const char *const *)environ,
        .fds = {SPAWN_NULL},
        .new_group = true,
    };

    ck_assert_int_eq(process_capture(&spec, &out, NULL, 0, 0, &end, &err), 0);
    strbuf_addf(&expected, "%s\n", program_invocation_name);
    ck_assert_str_eq(strbuf_text(&out), strbuf_text(&expected));
}
END_TEST

START_TEST(a_guard_ends_with_its_program)
{
    struct process process;
    pid_t guard;

    open_alive_pipe();
    process = spawn_script("exit 0");
    guard = process.guard;
    process_wait(&process);
    process_end_group(&process, 0);
    ck_assert_int_eq(waitpid(guard, NULL, 0), -1);
    ck_assert_int_eq(errno, ECHILD);
}
END_TEST

/* --- out of memory ---------------------------------------------------------------------------- */

static bool write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool written = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

    fd_close(&fd);
    return written;
}

/* Moves us into a new control group with little memory; its path, NULL when that is not allowed. */
static char *enter_small_group(void)
{
    static const struct {
        const char *root, *limit, *swap_limit;
    } versions[] = {
        {"/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.memsw.limit_in_bytes"},
        {"/sys/fs/cgroup", "memory.max", "memory.swap.max"},
    };

    for (int i = 0; i < 2; i++) {
        auto_free char *dir = xasprintf("%s/meltshim-test-%d", versions[i].root, (int)getpid());
        auto_free char *limit = xasprintf("%s/%s", dir, versions[i].limit);
        auto_free char *swap_limit = xasprintf("%s/%s", dir, versions[i].swap_limit);
        auto_free char *members = xasprintf("%s/cgroup.procs", dir);

        if (mkdir(dir, 0755) == 0) {
            if (write_text(limit, "33554432") && write_text(members, "0")) {
                write_text(swap_limit, i ? "0" : "33554432");
                return take(dir);
            }
            rmdir(dir);
        }
    }
    return NULL;
}

static void remove_group_when_empty(const char *group)
{
    int64_t deadline_ms = clock_monotonic_ms() + PATIENCE_MS;

    while (rmdir(group) < 0 && clock_monotonic_ms() < deadline_ms)
        usleep(10000);
}

START_TEST(the_oom_killer_is_named)
{
    auto_free char *group = NULL;
    char buffer[100];
    struct process process;
    pid_t pid;
    int status;

    if (HAS_ADDRESS_SANITIZER) {
        fprintf(stderr,
                "SKIPPED: the_oom_killer_is_named: the sanitizer needs more memory than the "
                "group has\n");
        return;
    }
    /* The test itself must stay outside, or its group could not be removed. */
    ck_assert_int_eq((pid = fork()) < 0, 0);
    if (!pid) {
        if (!enter_small_group())
            _exit(77);
        open_alive_pipe();
        process = spawn_script("x=xxxxxxxxxxxxxxxx; while :; do x=$x$x; done");
        process_wait(&process);
        process_end_describe(&process.end, buffer, sizeof buffer);
        _exit(strcmp(buffer, "signal 9 (SIGKILL), out of memory") ? 1 : 0);
    }
    waitpid(pid, &status, 0);
    for (int i = 0; i < 2; i++) {
        free(group);
        group = xasprintf("/sys/fs/cgroup/%smeltshim-test-%d", i ? "" : "memory/", (int)pid);
        if (file_is_directory(group))
            remove_group_when_empty(group);
    }
    if (WEXITSTATUS(status) == 77)
        fprintf(stderr, "SKIPPED: the_oom_killer_is_named: no right to make a control group\n");
    else
        ck_assert_int_eq(status, 0);
}
END_TEST

/* --- ourselves -------------------------------------------------------------------------------- */

START_TEST(setup_opens_closed_standard_descriptors)
{
    int status;
    pid_t pid = fork();

    if (!pid) {
        close(0);
        close(1);
        close(2);
        process_setup();
        _exit(fcntl(0, F_GETFD) == 0 && fcntl(1, F_GETFD) == 0 && fcntl(2, F_GETFD) == 0 ? 0 : 1);
    }
    waitpid(pid, &status, 0);
    ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(setup_replaces_a_socket_on_standard_input)
{
    int sockets[2];
    char byte;

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
    dup2(sockets[0], 0);
    close(sockets[0]);
    process_setup();
    ck_assert_int_eq(read(0, &byte, 1), 0);
    ck_assert_int_eq(recv(sockets[1], &byte, 1, 0), 0); /* nobody holds the other end */
}
END_TEST

START_TEST(setup_keeps_a_pipe_on_standard_input)
{
    int fds[2];
    char byte = 0;

    ck_assert_int_eq(pipe(fds), 0);
    dup2(fds[0], 0);
    process_setup();
    ck_assert_int_eq(write(fds[1], "x", 1), 1);
    ck_assert_int_eq(read(0, &byte, 1), 1);
    ck_assert_int_eq(byte, 'x');
}
END_TEST

START_TEST(setup_heals_an_ignored_sigchld)
{
    struct process process;

    signal(SIGCHLD, SIG_IGN);
    process_setup();
    open_alive_pipe();
    process = spawn_script("exit 5");
    process_wait(&process);
    ck_assert_int_eq(process.end.code, 5);
    process_end_group(&process, 0);
}
END_TEST

START_TEST(the_death_of_a_followed_parent_is_a_sigterm)
{
    pid_t parent;

    open_alive_pipe();
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    parent = fork();
    if (!parent) {
        if (fork() == 0) {
            process_setup();
            signals_watch();
            process_follow_parent();
            ck_assert_int_eq(write(alive_pipe[1], "r", 1), 1);
            ck_assert(is_readable(signals_watch(), PATIENCE_MS));
            if (signals_next() == SIGTERM)
                ck_assert_int_eq(write(alive_pipe[1], "T", 1), 1);
            _exit(0);
        }
        pause();
        _exit(0);
    }
    wait_for_word('r');
    kill(parent, SIGKILL);
    wait_for_word('T');
}
END_TEST

START_TEST(replacing_us_keeps_the_descriptors_and_restores_the_signals)
{
    struct error err = {0};
    int fds[2], status;
    char text[100] = "";
    pid_t pid;

    ck_assert_int_eq(pipe(fds), 0);
    pid = fork();
    if (!pid) {
        const char *argv[] = {"grep", "SigIgn", "/proc/self/status", NULL};

        process_setup();
        dup2(fds[1], 1);
        process_replace(argv, (const char *const *)environ, &err);
        _exit(1);
    }
    waitpid(pid, &status, 0);
    ck_assert_int_eq(status, 0);
    ck_assert_int_gt(read(fds[0], text, sizeof text - 1), 0);
    ck_assert_uint_eq(signal_mask(text, "SigIgn:"), 0);
}
END_TEST

START_TEST(a_program_that_cannot_replace_us_is_an_error)
{
    struct error err = {0};
    const char *argv[] = {"/no/such/program", NULL};

    ck_assert_int_eq(process_replace(argv, (const char *const *)environ, &err), -1);
    ck_assert_str_eq(err.message, "cannot start '/no/such/program': No such file or directory");
}
END_TEST

/* --- small commands --------------------------------------------------------------------------- */

static int capture(const char *script, struct strbuf *out, struct strbuf *errors, size_t limit,
                   int64_t timeout_ms, struct error *err)
{
    const char *argv[] = {"sh", "-c", script, NULL};
    struct process_end end;
    struct spawn_spec spec = {
        .argv = argv,
        .env = (const char *const *)environ,
        .fds = {SPAWN_NULL},
        .new_group = true,
    };

    return process_capture(&spec, out, errors, limit, timeout_ms, &end, err) == 0
               ? process_end_to_status(&end)
               : -1;
}

START_TEST(capture_keeps_the_streams_apart)
{
    auto_strbuf struct strbuf out = STRBUF_INIT;
    auto_strbuf struct strbuf errors = STRBUF_INIT;
    struct error err = {0};

    ck_assert_int_eq(capture("echo a; echo b >&2; exit 6", &out, &errors, 0, 0, &err), 6);
    ck_assert_str_eq(strbuf_text(&out), "a\n");
    ck_assert_str_eq(strbuf_text(&errors), "b\n");
}
END_TEST

START_TEST(capture_into_one_buffer_keeps_the_order)
{
    auto_strbuf struct strbuf out = STRBUF_INIT;
    struct error err = {0};

    ck_assert_int_eq(capture("echo a; echo b >&2; echo c", &out, &out, 0, 0, &err), 0);
    ck_assert_str_eq(strbuf_text(&out), "a\nb\nc\n");
}
END_TEST

START_TEST(capture_drops_what_is_beyond_the_limit)
{
    auto_strbuf struct strbuf out = STRBUF_INIT;
    struct error err = {0};

    strbuf_add(&out, "before:");
    ck_assert_int_eq(capture("yes | head -c 1000000", &out, NULL, 5, 0, &err), 0);
    ck_assert_str_eq(strbuf_text(&out), "before:y\ny\ny");
}
END_TEST

START_TEST(capture_ends_a_program_that_takes_too_long)
{
    auto_strbuf struct strbuf out = STRBUF_INIT;
    struct error err = {0};

    ck_assert_int_eq(capture("trap : TERM; echo a; sleep 1000", &out, NULL, 0, 200, &err), -1);
    ck_assert_int_eq(err.code, ERR_TIMEOUT);
    ck_assert_str_eq(err.message, "'sh' was ended after 200 ms");
    ck_assert_str_eq(strbuf_text(&out), "a\n");
}
END_TEST

START_TEST(capture_does_not_wait_for_who_holds_the_pipe)
{
    auto_strbuf struct strbuf out = STRBUF_INIT;
    struct error err = {0};
    int64_t before_ms = clock_monotonic_ms();

    ck_assert_int_eq(capture("setsid sleep 1000 & echo a", &out, NULL, 0, 0, &err), 0);
    ck_assert_str_eq(strbuf_text(&out), "a\n");
    ck_assert_int_lt(clock_monotonic_ms() - before_ms, PATIENCE_MS);
}
END_TEST

/* --- signals sent to us ----------------------------------------------------------------------- */

START_TEST(signals_are_read_one_by_one)
{
    int fd = signals_watch();

    ck_assert_int_eq(signals_next(), 0);
    raise(SIGINT);
    raise(SIGTERM);
    ck_assert(is_readable(fd, 0));
    ck_assert_int_eq(signals_next() + signals_next(), SIGINT + SIGTERM);
    ck_assert_int_eq(signals_next(), 0);
    signals_unwatch();
}
END_TEST

START_TEST(the_last_who_stops_watching_stops_it_for_all)
{
    signals_watch();
    signals_watch();
    signals_unwatch();
    raise(SIGTERM);
    ck_assert_int_eq(signals_next(), SIGTERM);
    signals_unwatch();
    ck_assert_int_eq(signals_next(), 0);
}
END_TEST

START_TEST(an_ignored_hangup_stays_ignored)
{
    signal(SIGHUP, SIG_IGN);
    signals_watch();
    raise(SIGHUP);
    ck_assert_int_eq(signals_next(), 0);
    signals_unwatch();
    raise(SIGHUP);
}
END_TEST

Suite *process_process_suite(void)
{
    Suite *suite = suite_create("process/process");
    TCase *start = tcase_create("start");
    TCase *survivors = tcase_create("nothing survives");
    TCase *ours = tcase_create("ourselves");

    tcase_add_loop_test(start, exit_statuses_and_signals_are_told_apart, 0, ARRAY_LEN(ends));
    tcase_add_test(start, a_name_that_is_not_in_path_is_an_error_before_anything_starts);
    tcase_add_test(start, a_path_that_does_not_exist_gives_the_errno_of_exec);
    tcase_add_test(start, a_script_without_its_interpreter_names_the_interpreter);
    tcase_add_test(start, a_file_without_the_right_to_execute_is_an_error);
    tcase_add_test(start, a_variable_that_is_too_long_for_the_kernel_is_named);
    tcase_add_test(start, variables_that_are_too_much_together_are_told_from_it);
    tcase_add_test(start, a_missing_working_directory_is_named);
    tcase_add_test(start, a_program_is_looked_up_in_the_path_of_its_own_environment);
    tcase_add_test(start, a_program_gets_no_descriptor_but_its_own);
    tcase_add_test(start, descriptors_may_be_swapped);
    tcase_add_test(start, a_program_starts_with_all_signals_at_their_default);
    tcase_add_test(start, nohup_reaches_the_program);
    tcase_add_test(start, a_program_with_a_group_has_no_terminal_and_leads_its_group);
    tcase_add_test(start, cpu_time_and_memory_are_measured);
    tcase_add_test(start, the_oom_killer_is_named);
    suite_add_tcase(suite, start);

    tcase_set_timeout(survivors, 30);
    tcase_add_test(survivors, a_program_that_handles_sigterm_is_given_the_time);
    tcase_add_test(survivors, a_program_that_ignores_sigterm_is_killed_after_the_grace);
    tcase_add_loop_test(survivors, what_a_program_left_behind_is_ended, 0, ARRAY_LEN(escapes));
    tcase_add_test(survivors, what_escapes_while_the_program_runs_is_ended_with_it);
    tcase_add_test(survivors, ending_one_program_leaves_what_another_started_alone);
    tcase_add_loop_test(survivors, killing_us_leaves_nothing_behind, 0, 2);
    tcase_add_test(survivors, killing_a_guard_ends_the_program_and_what_it_started);
    tcase_add_test(survivors, a_guard_that_does_not_obey_is_got_round);
    tcase_add_loop_test(survivors, killing_a_guard_ends_what_a_program_left_behind, 0,
                        ARRAY_LEN(escapes));
    tcase_add_test(survivors, a_program_that_was_stopped_goes_on_to_obey);
    tcase_add_test(survivors, a_guard_that_was_stopped_goes_on_to_obey);
    tcase_add_loop_test(survivors, without_proc_nothing_survives_either, 0, ARRAY_LEN(escapes));
    tcase_add_test(survivors, a_guard_is_not_found_by_the_name_of_the_program);
    tcase_add_test(survivors, a_program_may_get_arguments_of_ours);
    tcase_add_test(survivors, a_guard_ends_with_its_program);
    suite_add_tcase(suite, survivors);

    tcase_set_timeout(ours, 30);
    tcase_add_test(ours, setup_opens_closed_standard_descriptors);
    tcase_add_test(ours, setup_replaces_a_socket_on_standard_input);
    tcase_add_test(ours, setup_keeps_a_pipe_on_standard_input);
    tcase_add_test(ours, setup_heals_an_ignored_sigchld);
    tcase_add_test(ours, the_death_of_a_followed_parent_is_a_sigterm);
    tcase_add_test(ours, replacing_us_keeps_the_descriptors_and_restores_the_signals);
    tcase_add_test(ours, a_program_that_cannot_replace_us_is_an_error);
    tcase_add_test(ours, capture_keeps_the_streams_apart);
    tcase_add_test(ours, capture_into_one_buffer_keeps_the_order);
    tcase_add_test(ours, capture_drops_what_is_beyond_the_limit);
    tcase_add_test(ours, capture_ends_a_program_that_takes_too_long);
    tcase_add_test(ours, capture_does_not_wait_for_who_holds_the_pipe);
    tcase_add_test(ours, signals_are_read_one_by_one);
    tcase_add_test(ours, the_last_who_stops_watching_stops_it_for_all);
    tcase_add_test(ours, an_ignored_hangup_stays_ignored);
    suite_add_tcase(suite, ours);
    return suite;
}
