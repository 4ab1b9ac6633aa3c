#include "process/snapshot.h"

#include "base/attrs.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/redact.h"

#include <check.h>
#include <string.h>
#include <unistd.h>

Suite *process_snapshot_suite(void);

extern char **environ;

#define PATIENCE_MS 10000

/* The program reads from the pipe, whose writing end is ours. */
static struct process spawn_reader(const char *script, int *write_end)
{
    struct process process;
    struct error err = {0};
    const char *argv[] = {"/bin/sh", "-c", script, NULL};
    struct spawn_spec spec = {
        .argv = argv,
        .env = (const char *const *)environ,
        .fds = {-1, SPAWN_INHERIT, SPAWN_INHERIT},
        .new_group = true,
    };
    int fds[2];

    ck_assert_int_eq(process_pipe(fds, &err), 0);
    spec.fds[0] = fds[0];
    ck_assert_msg(process_spawn(&spec, &process, &err) == 0, "%s", err.message);
    close(fds[0]);
    *write_end = fds[1];
    return process;
}

/* Takes snapshots until one says so. */
static struct value *snapshot_that_says(const struct process *process, const char *summary)
{
    int64_t give_up_ms = clock_monotonic_ms() + PATIENCE_MS;

    for (;;) {
        struct value *snapshot = process_snapshot(process);
        const char *said = process_snapshot_summary(snapshot);

        if (said && !strcmp(said, summary))
            return snapshot;
        ck_assert_msg(clock_monotonic_ms() < give_up_ms, "it says: %s", said ? said : "nothing");
        value_free(snapshot);
        usleep(10000);
    }
}

START_TEST(a_reader_names_its_pipe)
{
    auto_value struct value *snapshot = NULL;
    const struct value *reader, *descriptor;
    int write_end;
    struct process process = spawn_reader("read -r line", &write_end);

    snapshot = snapshot_that_says(&process,
                                  "reads from descriptor 0 (pipe from meltshim, 0 bytes unread)");
    ck_assert_uint_eq(value_count(snapshot), 1);
    reader = value_at(snapshot, 0);
    ck_assert_int_eq(value_to_int(value_get(reader, "pid"), 0), process.pid);
    ck_assert_str_eq(value_get_text(reader, "command"), "sh");
    ck_assert_str_eq(value_get_text(reader, "state"), "sleeping");
    ck_assert_str_eq(value_get_text(reader, "system_call"), "read(0)");
    descriptor = value_at(value_get(reader, "descriptors"), 0);
    ck_assert_str_eq(value_get_text(descriptor, "what"), "pipe from meltshim, 0 bytes unread");
    process_end_group(&process, 0);
    close(write_end);
}
END_TEST

START_TEST(whoever_waits_for_a_child_is_passed_over)
{
    auto_value struct value *snapshot = NULL;
    int write_end;
    struct process process = spawn_reader("sleep 1000; exit 3", &write_end);

    snapshot = snapshot_that_says(&process, "sleeps");
    ck_assert_uint_eq(value_count(snapshot), 2);
    ck_assert_str_eq(value_get_text(value_at(snapshot, 0), "waits_for"),
                     "waits for a child process");
    ck_assert_str_eq(value_get_text(value_at(snapshot, 1), "command"), "sleep");
    process_end_group(&process, 0);
    close(write_end);
}
END_TEST

START_TEST(a_secret_in_a_path_is_masked)
{
    auto_value struct value *snapshot = NULL;
    const char *path = "/tmp/meltshim-snapshot-hunter22";
    const struct value *descriptor;
    int write_end;
    struct process process =
        spawn_reader("exec 1> /tmp/meltshim-snapshot-hunter22; read -r line", &write_end);

    redact_add_secret("hunter22");
    snapshot = snapshot_that_says(&process,
                                  "reads from descriptor 0 (pipe from meltshim, 0 bytes unread)");
    descriptor = value_at(value_get(value_at(snapshot, 0), "descriptors"), 1);
    ck_assert_str_eq(value_get_text(descriptor, "what"), "/tmp/meltshim-snapshot-(redacted)");
    process_end_group(&process, 0);
    close(write_end);
    unlink(path);
}
END_TEST

START_TEST(nothing_is_left_of_a_program_that_has_ended)
{
    auto_value struct value *snapshot = NULL;
    int write_end;
    struct process process = spawn_reader("exit 0", &write_end);

    process_wait(&process);
    process_end_group(&process, 0);
    snapshot = process_snapshot(&process);
    ck_assert_uint_eq(value_count(snapshot), 0);
    ck_assert_ptr_null(process_snapshot_summary(snapshot));
    close(write_end);
}
END_TEST

Suite *process_snapshot_suite(void)
{
    Suite *suite = suite_create("process/snapshot");
    TCase *tcase = tcase_create("snapshot");

    tcase_add_test(tcase, a_reader_names_its_pipe);
    tcase_add_test(tcase, whoever_waits_for_a_child_is_passed_over);
    tcase_add_test(tcase, a_secret_in_a_path_is_masked);
    tcase_add_test(tcase, nothing_is_left_of_a_program_that_has_ended);
    suite_add_tcase(suite, tcase);
    return suite;
}
