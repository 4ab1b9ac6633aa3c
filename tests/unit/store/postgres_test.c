/* What only PostgreSQL does: connections that are cut, sessions that keep locks, roles without
 * rights. Needs the server that MELTSHIM_TEST_POSTGRES names. */
#include "store/store.h"
#include "store/store_impl.h"

#include "base/clock.h"
#include "base/memory.h"

#include "tests/unit/states.h"

#include <arpa/inet.h>
#include <check.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

Suite *store_postgres_suite(void);

static const char run_1[] = "01a202e5-75e7-7a34-9ad5-4cbbf4a2b6d1";

static struct error err;
static struct store *admin; /* a connection of its own, in no schema of ours */
static struct store *store;
static char *schema;
static char *uri;

#define ck_ok(call) ck_assert_msg((call) == 0, "%s (%s)", err.message, err.hint)

static void run_sql(struct store *on, const char *format, ...) ATTR_PRINTF(2, 3);
static void run_sql(struct store *on, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    auto_free char *sql = xvasprintf(format, args);
    va_end(args);
    ck_ok(on->db.driver->script(&on->db, sql, &err));
}

static char *query_text(struct store *on, const char *sql)
{
    auto_db_rows struct db_rows rows = DB_ROWS_INIT;

    ck_ok(db_query(&on->db, sql, DB_NO_VALUES, &rows, &err));
    return rows.count ? xstrdup_or_null(db_rows_text(&rows, 0, 0)) : NULL;
}

static struct store *open_store(const char *at)
{
    struct store_options options = {.max_retries = 0};
    struct store *opened = NULL;

    ck_ok(store_open(at, &options, &opened, &err));
    return opened;
}

/* The server's URI with a parameter more. */
static char *with_parameter(const char *parameter)
{
    const char *server = getenv("MELTSHIM_TEST_POSTGRES");

    return xasprintf("%s%c%s", server, strchr(server, '?') ? '&' : '?', parameter);
}

static void set_up(void)
{
    struct store_options reader = {.read_only = true};

    ck_ok(store_open(getenv("MELTSHIM_TEST_POSTGRES"), &reader, &admin, &err));
    schema = xasprintf("postgres_test_%d", getpid());
    run_sql(admin, "CREATE SCHEMA %s", schema);
    auto_free char *parameter = xasprintf("options=-csearch_path%%3D%s", schema);

    uri = with_parameter(parameter);
    store = open_store(uri);
}

static void tear_down(void)
{
    store_close(store);
    run_sql(admin, "DROP SCHEMA %s CASCADE", schema);
    store_close(admin);
    free(schema);
    free(uri);
}

static struct store_lock *acquire(struct store *on)
{
    struct lock_owner self = {.pid = getpid()};
    struct store_lock *lock = NULL;

    ck_ok(store_lock_acquire(on, "a", 0, &self, &lock, NULL, &err));
    return lock;
}

static int write_state(struct store *on, const struct store_lock *lock, int n)
{
    auto_free char *value = xasprintf("{\"singer_state\": {\"n\": %d}}", n);

    return states_set(on, "a", lock, value, &err);
}

static void check_state(int n)
{
    struct state_parts parts = {0};
    bool found;
    auto_free char *expected = xasprintf("{\"singer_state\": {\"n\": %d}}", n);

    ck_ok(states_read(store, "a", &parts, &found, &err));
    ck_assert_str_eq(parts.completed, expected);
    state_parts_clear(&parts);
}

/* What an administrator does, or a failing network. */
static void cut_connection(struct store *victim)
{
    auto_free char *pid = query_text(victim, "SELECT pg_backend_pid()");

    run_sql(admin, "SELECT pg_terminate_backend(%s, 5000)", pid);
}

START_TEST(a_connection_that_was_cut_is_made_again_and_the_lock_kept)
{
    struct store_lock *lock = acquire(store), *none = NULL;
    struct store *other = open_store(uri);
    int64_t row_id = 0;

    ck_ok(store_run_begin(store, "a", run_1, "cli", NULL, &row_id, &err));
    ck_ok(write_state(store, lock, 1));
    cut_connection(store);
    ck_ok(write_state(store, lock, 2));
    cut_connection(store);
    ck_ok(store_run_heartbeat(store, row_id, NULL, &err));
    check_state(2);
    ck_assert_int_eq(store_lock_acquire(other, "a", 0, NULL, &none, NULL, &err), -1);
    ck_assert_int_eq(err.code, ERR_LOCKED);
    cut_connection(store);
    ck_ok(store_run_finish(store, row_id, RUN_SUCCESS, NULL, NULL, &err));
    store_close(other);
}
END_TEST

START_TEST(a_lock_that_somebody_took_meanwhile_is_lost)
{
    struct store *other = open_store(uri);
    struct store_lock *lock = acquire(store), *taken = NULL;
    int64_t row_id = 0;

    ck_ok(store_run_begin(store, "a", run_1, "cli", NULL, &row_id, &err));
    ck_ok(write_state(store, lock, 1));
    cut_connection(store);
    ck_ok(store_lock_acquire(other, "a", 2000, NULL, &taken, NULL, &err));
    ck_ok(write_state(other, taken, 2));

    ck_assert_int_eq(write_state(store, lock, 3), -1);
    ck_assert_int_eq(err.code, ERR_LOST_LOCK);
    ck_assert_int_eq(write_state(store, lock, 3), -1);
    ck_assert_int_eq(err.code, ERR_LOST_LOCK);
    ck_assert_int_eq(store_run_heartbeat(store, row_id, NULL, &err), -1);
    ck_assert_int_eq(err.code, ERR_LOST_LOCK);
    check_state(2);
    store_lock_release(lock);
    /* The other one still has it. */
    ck_ok(write_state(other, taken, 4));
    ck_assert_int_eq(store_lock_acquire(store, "a", 0, NULL, &lock, NULL, &err), -1);
    store_close(other);
}
END_TEST

START_TEST(a_lock_that_was_had_and_given_back_meanwhile_is_lost_too)
{
    struct store *other = open_store(uri);
    struct store_lock *lock = acquire(store), *taken = NULL;

    cut_connection(store);
    ck_ok(store_lock_acquire(other, "a", 2000, NULL, &taken, NULL, &err));
    store_lock_release(taken);
    ck_assert_int_eq(write_state(store, lock, 3), -1);
    ck_assert_int_eq(err.code, ERR_LOST_LOCK);
    store_close(other);
}
END_TEST

START_TEST(between_two_calls_no_transaction_is_open)
{
    struct store_lock *lock = acquire(store);
    auto_free char *pid = query_text(store, "SELECT pg_backend_pid()");
    auto_free char *sql = xasprintf("SELECT state FROM pg_stat_activity WHERE pid = %s", pid);

    ck_ok(write_state(store, lock, 1));
    auto_free char *state = query_text(admin, sql);

    ck_assert_str_eq(state, "idle");
}
END_TEST

START_TEST(the_same_state_id_in_another_schema_is_another_lock)
{
    struct store *other;

    run_sql(admin, "CREATE SCHEMA %s_b", schema);
    auto_free char *parameter = xasprintf("options=-csearch_path%%3D%s_b", schema);
    auto_free char *other_uri = with_parameter(parameter);

    other = open_store(other_uri);
    acquire(store);
    acquire(other);
    store_close(other);
    run_sql(admin, "DROP SCHEMA %s_b CASCADE", schema);
}
END_TEST

START_TEST(many_at_once_create_the_tables_once)
{
    run_sql(admin, "DROP SCHEMA %s CASCADE; CREATE SCHEMA %s", schema, schema);
    for (int i = 0; i < 8; i++) {
        if (!fork()) {
            struct store *own = NULL;

            if (!store_open(uri, NULL, &own, &err))
                _exit(0);
            fprintf(stderr, "%s\n", err.message);
            _exit(1);
        }
    }
    for (int i = 0; i < 8; i++) {
        int status;

        wait(&status);
        ck_assert_int_eq(status, 0);
    }
    ck_ok(write_state(store, NULL, 1));
}
END_TEST

/* --- errors ---------------------------------------------------------------------------------- */

static void check_refused(const char *at, const char *problem, const char *hint)
{
    struct store_options options = {.max_retries = 3, .retry_timeout_s = 60};
    struct store *refused = NULL;

    ck_assert_int_eq(store_open(at, &options, &refused, &err), -1);
    ck_assert_msg(strstr(err.message, problem), "%s", err.message);
    ck_assert_msg(strstr(err.hint, hint), "%s", err.hint);
    ck_assert_ptr_null(strstr(err.message, "sesame"));
}

static char *with_user_and_database(const char *user, const char *database)
{
    const struct db_uri *server = admin->uri;

    return xasprintf("postgresql://%s:sesame@%s:%s/%s", user, server->host,
                     server->port ? server->port : "5432", database);
}

START_TEST(what_waiting_cannot_mend_is_not_tried_again)
{
    const char *user = admin->uri->user ? admin->uri->user : "postgres";
    auto_free char *no_database = with_user_and_database(user, "no_such_one");
    auto_free char *no_role = with_user_and_database("no_such_role", "postgres");
    auto_free char *no_parameter = with_parameter("sslmod=require");
    auto_free char *no_schema = with_parameter("options=-csearch_path%3Dno_such_schema");

    /* Where no password is asked for, any is right. */
    if (admin->uri->password)
        check_refused(no_database, "password authentication failed", "Check user and password");
    else
        check_refused(no_database, "\"no_such_one\" does not exist", "Create the database");
    check_refused(no_role, "no_such_role", "Check user and password");
    check_refused(no_parameter, "database_uri has the unknown parameter 'sslmod'", "sslmode");
    check_refused(no_schema, "no schema has been selected to create in", "Create the schema");
}
END_TEST

START_TEST(a_server_that_is_away_is_told_from_a_wrong_name)
{
    struct store_options options = {.max_retries = 0};
    struct store *refused = NULL;

    ck_assert_int_eq(store_open("postgresql://u:sesame@127.0.0.1:1/db", &options, &refused, &err),
                     -1);
    ck_assert_ptr_nonnull(strstr(err.message, "cannot connect to the system database "
                                              "(127.0.0.1:1/db): "));
    ck_assert_ptr_nonnull(strstr(err.message, "Connection refused"));
    ck_assert_str_eq(err.hint, "Is the server running, and does database_uri name it?");
}
END_TEST

START_TEST(a_role_without_rights_learns_which_it_needs)
{
    struct store *refused = NULL;
    struct store_options options = {.max_retries = 0};

    run_sql(admin, "DROP SCHEMA %s CASCADE; CREATE SCHEMA %s", schema, schema);
    run_sql(admin, "CREATE ROLE %s_role; GRANT USAGE ON SCHEMA %s TO %s_role", schema, schema,
            schema);
    auto_free char *parameter =
        xasprintf("options=-csearch_path%%3D%s%%20-crole%%3D%s_role", schema, schema);
    auto_free char *restricted = with_parameter(parameter);

    ck_assert_int_eq(store_open(restricted, &options, &refused, &err), -1);
    ck_assert_msg(strstr(err.message, "permission denied for schema"), "%s", err.message);
    ck_assert_ptr_nonnull(strstr(err.hint, "GRANT CREATE ON SCHEMA"));
    /* Once the tables are there, it needs no more than to read and write them. */
    struct store *owner = open_store(uri);

    run_sql(owner, "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %s TO %s_role",
            schema, schema);
    run_sql(owner, "GRANT USAGE ON ALL SEQUENCES IN SCHEMA %s TO %s_role", schema, schema);
    refused = open_store(restricted);
    ck_ok(write_state(refused, acquire(refused), 1));
    store_close(refused);
    store_close(owner);
    run_sql(admin, "DROP OWNED BY %s_role; DROP ROLE %s_role", schema, schema);
}
END_TEST

/* --- statements that are sent ahead ----------------------------------------------------------- */

static int add_notes(struct db *db, void *context, struct error *error)
{
    const char *const *notes = context;

    for (size_t i = 0; notes[i]; i++)
        if (db_query(db, "INSERT INTO notes VALUES (LENGTH($1), $1)", DB_VALUES(db_text(notes[i])),
                     NULL, error) < 0)
            return -1;
    return 0;
}

static int add_notes_and_read(struct db *db, void *context, struct error *error)
{
    auto_db_rows struct db_rows rows = DB_ROWS_INIT;

    if (add_notes(db, context, error) < 0)
        return -1;
    return db_query(db, "SELECT 1", DB_NO_VALUES, &rows, error);
}

static int add_notes_and_refuse(struct db *db, void *context, struct error *error)
{
    ck_ok(add_notes(db, context, error));
    return error_set(error, ERR_STATE, "refused");
}

static void check_notes(const char *expected)
{
    auto_free char *found = query_text(store, "SELECT COUNT(*) || ' ' || SUM(size) FROM notes");

    ck_assert_str_eq(found ? found : "none", expected);
}

START_TEST(a_failure_that_nobody_has_read_yet_ends_the_transaction)
{
    const char *good[] = {"one", "three", NULL};
    const char *twice[] = {"seven", "same", "same", "last", NULL};
    const char *refused[] = {"seven", NULL};

    run_sql(store, "CREATE TABLE notes (size INTEGER, note TEXT UNIQUE)");
    ck_ok(store_transaction(store, DB_DURABLE, add_notes, good, &err));
    ck_assert_int_eq(store_transaction(store, DB_DURABLE, add_notes, twice, &err), -1);
    ck_assert_msg(strstr(err.message, "duplicate key value"), "%s", err.message);
    ck_assert_int_eq(store_transaction(store, DB_RELAXED, add_notes_and_read, twice, &err), -1);
    ck_assert_msg(strstr(err.message, "duplicate key value"), "%s", err.message);
    ck_assert_int_eq(store_transaction(store, DB_DURABLE, add_notes_and_refuse, refused, &err), -1);
    ck_assert_str_eq(err.message, "refused");
    check_notes("2 8");
}
END_TEST

START_TEST(large_statements_are_sent_ahead_too)
{
    const char *notes[25] = {NULL};
    size_t total = 0;

    run_sql(store, "CREATE TABLE notes (size INTEGER, note TEXT)");
    for (size_t i = 0; i < ARRAY_LEN(notes) - 1; i++) {
        size_t size = 50000 + i * 50000;
        char *note = xmalloc(size + 1);

        memset(note, 'x', size);
        note[size] = '\0';
        notes[i] = note;
        total += size;
    }
    ck_ok(store_transaction(store, DB_DURABLE, add_notes, notes, &err));
    auto_free char *expected = xasprintf("%zu %zu", ARRAY_LEN(notes) - 1, total);

    check_notes(expected);
    for (size_t i = 0; notes[i]; i++)
        free((char *)notes[i]);
}
END_TEST

/* --- a commit without an answer --------------------------------------------------------------- */

static int listen_somewhere(int *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, size), 0);
    ck_assert_int_eq(listen(fd, 5), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

static int connect_to_server(void)
{
    const struct db_uri *server = admin->uri;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    int fd;

    if (getaddrinfo(server->host, server->port ? server->port : "5432", &hints, &found))
        _exit(3);
    fd = socket(found->ai_family, SOCK_STREAM, 0);
    if (connect(fd, found->ai_addr, found->ai_addrlen) < 0)
        _exit(4);
    freeaddrinfo(found);
    return fd;
}

/* Passes bytes on until a side closes. The commit that counts *commits_left down to 0 is passed on
 * or not, and then both sides are cut before an answer comes back. */
static void relay(int client, int server, int *commits_left, bool pass_commit)
{
    struct pollfd fds[2] = {{.fd = client, .events = POLLIN}, {.fd = server, .events = POLLIN}};
    char bytes[8192];

    while (poll(fds, 2, -1) > 0) {
        int from = fds[0].revents ? 0 : 1;
        ssize_t size = read(fds[from].fd, bytes, sizeof bytes);
        bool is_commit = size > 0 && from == 0 && memmem(bytes, (size_t)size, "COMMIT", 6);
        bool is_last = is_commit && --*commits_left == 0;

        if (size <= 0 || (is_last && !pass_commit) ||
            write(fds[1 - from].fd, bytes, (size_t)size) != size)
            return;
        if (is_last) {
            if (read(server, bytes, sizeof bytes) <= 0)
                _exit(5);
            return;
        }
    }
}

static void run_proxy(int listener, int commits_left, bool pass_commit)
{
    for (;;) {
        int client = accept(listener, NULL, NULL), server = connect_to_server();

        relay(client, server, &commits_left, pass_commit);
        close(client);
        close(server);
    }
}

START_TEST(a_commit_without_an_answer_happens_exactly_once)
{
    int port, listener = listen_somewhere(&port);
    const struct db_uri *server = admin->uri;
    pid_t proxy = fork();
    struct store *through;
    struct store_lock *lock = NULL;

    /* The first commits are those of the lock and of the first state. */
    if (!proxy)
        run_proxy(listener, 3, _i);
    auto_free char *login = server->user
                                ? xasprintf("%s%s%s@", server->user, server->password ? ":" : "",
                                            server->password ? server->password : "")
                                : xstrdup("");
    auto_free char *proxied =
        xasprintf("postgresql://%s127.0.0.1:%d/%s?options=-csearch_path%%3D%s", login, port,
                  server->database ? server->database : "postgres", schema);

    through = open_store(proxied);
    ck_ok(store_lock_acquire(through, "a", 0, NULL, &lock, NULL, &err));
    ck_ok(write_state(through, lock, 1));
    ck_ok(write_state(through, lock, 2));
    check_state(2);
    auto_free char *versions =
        query_text(store, "SELECT COUNT(*) FROM meltshim_state_history WHERE state_id = 'a'");
    auto_free char *edits = query_text(store, "SELECT COUNT(*) FROM runs");

    ck_assert_str_eq(versions, "2");
    ck_assert_str_eq(edits, "2");
    store_close(through);
    kill(proxy, SIGKILL);
    waitpid(proxy, NULL, 0);
}
END_TEST

Suite *store_postgres_suite(void)
{
    Suite *suite = suite_create("store/postgres");
    TCase *tcase = tcase_create("postgres");

    suite_add_tcase(suite, tcase);
    if (!getenv("MELTSHIM_TEST_POSTGRES")) {
        fputs("store/postgres: MELTSHIM_TEST_POSTGRES is not set, SKIPPED\n", stderr);
        return suite;
    }
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, a_connection_that_was_cut_is_made_again_and_the_lock_kept);
    tcase_add_test(tcase, a_lock_that_somebody_took_meanwhile_is_lost);
    tcase_add_test(tcase, a_lock_that_was_had_and_given_back_meanwhile_is_lost_too);
    tcase_add_test(tcase, between_two_calls_no_transaction_is_open);
    tcase_add_test(tcase, the_same_state_id_in_another_schema_is_another_lock);
    tcase_add_test(tcase, many_at_once_create_the_tables_once);
    tcase_add_test(tcase, what_waiting_cannot_mend_is_not_tried_again);
    tcase_add_test(tcase, a_server_that_is_away_is_told_from_a_wrong_name);
    tcase_add_test(tcase, a_role_without_rights_learns_which_it_needs);
    tcase_add_test(tcase, a_failure_that_nobody_has_read_yet_ends_the_transaction);
    tcase_add_test(tcase, large_statements_are_sent_ahead_too);
    tcase_add_loop_test(tcase, a_commit_without_an_answer_happens_exactly_once, false, true + 1);
    return suite;
}
