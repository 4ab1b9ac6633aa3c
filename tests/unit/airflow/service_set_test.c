#include "airflow/service_set.h"

#include "airflow/probe.h"
#include "base/file.h"
#include "base/memory.h"
#include "tests/unit/http_server.h"
#include "tests/unit/plugin/plugin_fixture.h"
#include "tests/unit/tempdir.h"

#include <check.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

Suite *airflow_service_set_suite(void);

/* Notes that it begins and that it ends, and ends on SIGTERM. */
#define BEGINS  "trap 'echo end $0 >>calls; exit 0' TERM; echo start $0 >>calls; "
#define GOES_ON BEGINS "while :; do sleep 0.05; done"
/* Waits until so many have begun. */
#define WAITS_FOR(count)                                                                           \
    "until [ -e calls ] && [ \"$(wc -l <calls)\" -ge " #count " ]; do sleep 0.05; done; "

static struct plugin_fixture fixture;
static struct service_set set;
static struct strlist env;
static struct error err;
static int status;

static void set_up(void)
{
    plugin_fixture_make(&fixture);
    memset(&err, 0, sizeof err);
    ck_assert_int_eq(chdir(tempdir_path()), 0);
    strlist_add(&env, "PATH=/bin:/usr/bin");
    strlist_addf(&env, "MAIN=%d", (int)getpid());
    set = (struct service_set){.env = &env, .stop_timeout_ms = 5000};
    status = -1;
    stdout_capture();
}

static void tear_down(void)
{
    stdout_release();
    service_set_clear(&set);
    strlist_clear(&env);
    plugin_fixture_remove(&fixture);
}

static void add(const char *name, const char *script)
{
    struct service *service = service_set_add(&set, name);

    strlist_add(&service->argv, "sh");
    strlist_add(&service->argv, "-c");
    strlist_add(&service->argv, script);
    strlist_add(&service->argv, name);
}

static void check_calls(const char *expected)
{
    auto_free char *calls = tempdir_read("calls");

    ck_assert_str_eq(calls, expected);
}

START_TEST(a_signal_ends_them_in_reverse_order)
{
    add("a", GOES_ON);
    add("b", WAITS_FOR(1) GOES_ON);
    add("c", WAITS_FOR(2) BEGINS WAITS_FOR(3) "kill -TERM $MAIN; while :; do sleep 0.05; done");
    ck_assert_msg(!service_set_run(&set, &status, &err), "%s", err.message);
    ck_assert_int_eq(status, 0);
    check_calls("start a\nstart b\nstart c\nend c\nend b\nend a\n");
}
END_TEST

START_TEST(one_that_dies_is_named_with_its_last_lines_and_ends_the_others)
{
    add("a", GOES_ON);
    add("b", WAITS_FOR(1) "echo one; echo two >&2; exit 3");
    add("c", GOES_ON);
    ck_assert_int_eq(service_set_run(&set, &status, &err), -1);
    ck_assert_int_eq(err.code, ERR_COMMAND);
    ck_assert_ptr_eq(strstr(err.message, "airflow b ended by itself (exit status 3"), err.message);
    ck_assert_ptr_nonnull(strstr(err.message, ", and so the others were ended; its last lines:\n"
                                              "    one\n    two"));
    ck_assert_ptr_nonnull(strstr(stdout_text(), "b | one\nb | two\n"));
}
END_TEST

START_TEST(the_last_one_may_end_by_itself)
{
    add("a", GOES_ON);
    add("c", WAITS_FOR(1) "echo done");
    ck_assert_msg(!service_set_run(&set, &status, &err), "%s", err.message);
    ck_assert_int_eq(status, 0);
    check_calls("start a\nend a\n");
    ck_assert_str_eq(stdout_text(), "c | done\n");
}
END_TEST

START_TEST(one_alone_has_our_streams_and_gives_its_status)
{
    add("scheduler", "echo plain; exit 7");
    ck_assert_int_eq(service_set_run(&set, &status, &err), 0);
    ck_assert_int_eq(status, 7);
    ck_assert_str_eq(stdout_text(), "plain\n");
}
END_TEST

START_TEST(one_that_cannot_be_started_ends_the_others)
{
    struct service *service;

    add("a", GOES_ON);
    service = service_set_add(&set, "b");
    strlist_add(&service->argv, "/no/such/program");
    ck_assert_int_eq(service_set_run(&set, &status, &err), -1);
    ck_assert_int_eq(err.code, ERR_START);
    ck_assert_ptr_eq(strstr(err.message, "airflow b: "), err.message);
}
END_TEST

/* The first SIGTERM goes to the program alone, the second one to everything that it has started. */
START_TEST(tasks_are_ended_when_the_limit_is_over)
{
    set.has_tasks = true;
    set.stop_timeout_ms = 200;
    /* In files of their own: both may write at the same time. */
    add("scheduler",
        "(trap 'echo >task; exit 0' TERM; echo >ready; while :; do sleep 0.05; done) & "
        "task=$!; trap 'echo >>calls' TERM; until [ -e ready ]; do sleep 0.05; done; "
        "kill -TERM $MAIN; while kill -0 $task 2>/dev/null; do wait $task; done");
    ck_assert_msg(!service_set_run(&set, &status, &err), "%s", err.message);
    ck_assert_int_eq(status, 0);
    ck_assert(file_exists("task"));
    check_calls("\n\n");
}
END_TEST

/* Where the messages to the service manager arrive. */
static int open_socket(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    if (*path == '@')
        address.sun_path[0] = '\0';
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path))),
                     0);
    return fd;
}

static void check_message(int fd, const char *expected)
{
    char message[64] = "";

    ck_assert_int_ge(recv(fd, message, sizeof message - 1, 0), 0);
    ck_assert_str_eq(message, expected);
}

START_TEST(the_service_manager_is_told_of_start_and_stop)
{
    auto_free char *abstract = xasprintf("@meltshim-unit-%d", (int)getpid());
    const char *const sockets[] = {"notify", abstract};
    auto_fd int fd = open_socket(sockets[_i]);

    set.notify_socket = sockets[_i];
    add("a", GOES_ON);
    add("c", WAITS_FOR(1) BEGINS WAITS_FOR(2) "kill -TERM $MAIN; while :; do sleep 0.05; done");
    ck_assert_msg(!service_set_run(&set, &status, &err), "%s", err.message);
    check_message(fd, "READY=1");
    check_message(fd, "STOPPING=1");
    check_message(fd, "EXTEND_TIMEOUT_USEC=20000000");
}
END_TEST

START_TEST(one_that_cannot_be_started_is_not_ready)
{
    auto_fd int fd = open_socket("notify");

    set.notify_socket = "notify";
    strlist_add(&service_set_add(&set, "b")->argv, "/no/such/program");
    ck_assert_int_eq(service_set_run(&set, &status, &err), -1);
    check_message(fd, "STOPPING=1");
}
END_TEST

static const struct http_answer answers[] = {
    {.path = "/v", .times = 1, .status = 0},
    {.path = "/v", .times = 1, .status = 503},
    {.path = "/v", .status = 200},
    {0},
};

START_TEST(a_probe_goes_on_until_the_server_answers_well)
{
    const char *address = http_server_start(answers, "requests");
    const char *port = strrchr(address, ':') + 1;
    struct loop *loop = loop_new();
    struct probe *probe = probe_new(loop, "127.0.0.1", port, "/v");
    auto_free char *requests = NULL;

    while (!probe_is_answered(probe))
        loop_run_once(loop, 1000);
    probe_free(probe);
    ck_assert(probe_port_is_taken("127.0.0.1", port));
    http_server_stop();
    ck_assert(!probe_port_is_taken("127.0.0.1", port));
    requests = tempdir_read("requests");
    ck_assert_ptr_nonnull(strstr(requests, "GET /v HTTP/1.0\r\n"));

    /* Nobody is there any more. */
    probe = probe_new(loop, "127.0.0.1", port, "/v");
    loop_run_once(loop, 300);
    ck_assert(!probe_is_answered(probe));
    probe_free(probe);
    loop_free(loop);
}
END_TEST

Suite *airflow_service_set_suite(void)
{
    Suite *suite = suite_create("airflow/service_set");
    TCase *tcase = tcase_create("service_set");

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_signal_ends_them_in_reverse_order);
    tcase_add_test(tcase, one_that_dies_is_named_with_its_last_lines_and_ends_the_others);
    tcase_add_test(tcase, the_last_one_may_end_by_itself);
    tcase_add_test(tcase, one_alone_has_our_streams_and_gives_its_status);
    tcase_add_test(tcase, one_that_cannot_be_started_ends_the_others);
    tcase_add_test(tcase, tasks_are_ended_when_the_limit_is_over);
    tcase_add_loop_test(tcase, the_service_manager_is_told_of_start_and_stop, 0, 2);
    tcase_add_test(tcase, one_that_cannot_be_started_is_not_ready);
    tcase_add_test(tcase, a_probe_goes_on_until_the_server_answers_well);
    suite_add_tcase(suite, tcase);
    return suite;
}
