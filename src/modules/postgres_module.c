/* meltshim-postgres.so: the PostgreSQL driver of the store, on libpq. */
#include "store/db.h"
#include "store/store.h"

#include "base/clock.h"
#include "base/deadline.h"
#include "base/digest.h"
#include "base/memory.h"

#include <assert.h>
#include <errno.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

SQL_DECLARE(postgres_schema);
SQL_DECLARE(postgres_state_table);
SQL_DECLARE(postgres_own_tables);
SQL_DECLARE(postgres_tables);
SQL_DECLARE(postgres_revision_d135f52a6f49);
SQL_DECLARE(postgres_revision_13e8639c6d2b);
SQL_DECLARE(postgres_session);
SQL_DECLARE(postgres_begin);
SQL_DECLARE(postgres_relax);
SQL_DECLARE(postgres_transaction_number);
SQL_DECLARE(postgres_was_committed);
SQL_DECLARE(postgres_end_session);
SQL_DECLARE(postgres_server_pid);
SQL_DECLARE(postgres_lock_try);
SQL_DECLARE(postgres_lock_release);
SQL_DECLARE(postgres_state_lock);
SQL_DECLARE(postgres_upgrade_lock);
SQL_DECLARE(postgres_values_lock);

#define CONNECT_TIMEOUT_S 10
/* A server that is stopped keeps its connections and answers nothing: after so long without a byte
 * in either direction, or the deadline, it counts as lost. */
#define SILENCE_LIMIT_MS 60000
/* How long to wait for a pool to show whether it keeps sessions apart. */
#define POOL_PATIENCE_MS 3000
/* How long a session of ours that was cut off may take to end, with its locks and its commit. */
#define OLD_SESSION_TIMEOUT_MS 3000
/* Larger statements do not stay in libpq's buffer until the next answer is needed. */
#define MAX_SIZE_AHEAD 65536
#define BYTEA_OID      17

struct connection {
    PGconn *handle; /* NULL while the server is away */
    char *target;   /* for messages: host, port and database */
    char *session_start, *schema;
    int session_pid;
    bool pool_is_checked; /* of this session */
    /* Statements of a transaction that were sent, but whose answers nobody has read yet. */
    size_t unanswered;
    /* Of the last transaction and of the session that was lost. */
    char *transaction_number;
    char *lost_session_start;
    int lost_session_pid;
};

struct db_lock {
    int64_t key;
    bool is_held; /* by the session of now */
};

static struct connection *connection_of(const struct db *db)
{
    return db->connection;
}

/* --- errors --------------------------------------------------------------------------------- */

/* What an SQLSTATE, or the start of one, means to us. The first match counts. */
static const struct sqlstate {
    const char *prefix;
    enum db_failure failure;
    const char *hint;
} sqlstates[] = {
    {"28", DB_FAILURE_FINAL,
     "Check user and password in database_uri, and the server's pg_hba.conf."},
    {"3D000", DB_FAILURE_FINAL, "Create the database, or correct its name in database_uri."},
    {"3F000", DB_FAILURE_FINAL, "Create the schema, or correct the search_path in database_uri."},
    {"42501", DB_FAILURE_FINAL,
     "The role of database_uri must be able to read and write the tables runs, state, "
     "plugin_settings, alembic_version and meltshim_*, and once to create them (GRANT CREATE ON "
     "SCHEMA)."},
    {"25006", DB_FAILURE_FINAL,
     "The server is a replica, or default_transaction_read_only is on: name one "
     "that may be written."},
    {"53100", DB_FAILURE_FINAL, "The server's disk is full."},
    {"40001", DB_FAILURE_CONFLICT, NULL},
    {"40P01", DB_FAILURE_CONFLICT, NULL},
    {"55P03", DB_FAILURE_BUSY, "Another session holds the rows locked; see pg_stat_activity."},
    {"57014", DB_FAILURE_BUSY, "The server's statement_timeout may be too short."},
    {"57P", DB_FAILURE_CONNECTION, NULL},
    {"08P01", DB_FAILURE_CONNECTION,
     "A pooler in between refused it, or reaches no server: check database_uri, and the pooler's "
     "settings and log."},
    {"08", DB_FAILURE_CONNECTION, NULL},
    {"53", DB_FAILURE_CONNECTION, "The server is overloaded."},
};

static const struct sqlstate *find_sqlstate(const char *code)
{
    for (size_t i = 0; code && i < ARRAY_LEN(sqlstates); i++)
        if (!strncmp(code, sqlstates[i].prefix, strlen(sqlstates[i].prefix)))
            return &sqlstates[i];
    return NULL;
}

/* libpq's texts have several lines; the first says what happened. */
static void copy_first_line(char *out, size_t size, const char *text)
{
    snprintf(out, size, "%.*s", (int)strcspn(text, "\n"), text);
}

/* The hints name our own setting; another program's database has one of its own. */
static int add_hint(const struct db *db, const char *hint, struct error *err)
{
    static const char ours[] = "database_uri";
    const char *at = strstr(hint, ours);

    if (!at)
        return error_hint(err, "%s", hint);
    return error_hint(err, "%.*s%s%s", (int)(at - hint), hint, db->setting, at + strlen(ours));
}

/* result NULL: the connection itself failed. Values and statements stay out of the message. */
static int fail(struct db *db, const PGresult *result, struct error *err)
{
    struct connection *connection = db->connection;
    const char *code = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    const char *primary = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    const struct sqlstate *known = find_sqlstate(code);
    char line[256];

    db->failure = known ? known->failure : DB_FAILURE_FINAL;
    if (PQstatus(connection->handle) == CONNECTION_BAD)
        db->failure = DB_FAILURE_CONNECTION;
    copy_first_line(line, sizeof line, primary ? primary : PQerrorMessage(connection->handle));
    if (db->failure == DB_FAILURE_CONNECTION) {
        error_set(err, ERR_DATABASE, "the connection to %s (%s) was lost: %s", db->name,
                  connection->target, line);
        return error_hint(err, "Start the server; nothing that was committed is lost.");
    }
    error_set(err, ERR_DATABASE, "%s (%s): %s", db->name, connection->target, line);
    return known && known->hint ? add_hint(db, known->hint, err) : -1;
}

/* Leaves only what the next session has to know about this one. */
static void drop_session(struct connection *connection)
{
    if (!connection->handle)
        return;
    if (connection->session_start) {
        free(connection->lost_session_start);
        connection->lost_session_start = take(connection->session_start);
        connection->lost_session_pid = connection->session_pid;
    }
    PQfinish(connection->handle);
    free(connection->schema);
    connection->handle = NULL;
    connection->unanswered = 0;
    connection->schema = NULL;
    connection->pool_is_checked = false;
}

/* The server may still answer, but nobody would know to what. */
static int fail_on_silence(struct db *db, struct error *err)
{
    struct connection *connection = db->connection;

    drop_session(connection);
    db->failure = DB_FAILURE_CONNECTION;
    error_set(err, ERR_DATABASE, "the system database (%s) does not answer", connection->target);
    return error_hint(err, "Look after the server; nothing that was committed is lost.");
}

/* libpq's own refusals that stay as they are have no SQLSTATE, but these words in them. */
static const struct sqlstate refusals[] = {
    {"certificate", DB_FAILURE_FINAL,
     "Check sslmode, sslrootcert and the host's name in database_uri."},
    {"private key", DB_FAILURE_FINAL, "Check sslcert and sslkey in database_uri."},
    {"no password supplied", DB_FAILURE_FINAL,
     "Give database_uri a password, or libpq one in PGPASSWORD or its password file."},
    {"invalid ", DB_FAILURE_FINAL, "Correct database_uri."},
};

static const struct sqlstate *find_refusal(const char *message)
{
    for (size_t i = 0; i < ARRAY_LEN(refusals); i++)
        if (strstr(message, refusals[i].prefix))
            return &refusals[i];
    return NULL;
}

/* What else a server refuses, such as a parameter in options, it does not do later either. */
static const struct sqlstate other_refusal = {
    .failure = DB_FAILURE_FINAL,
    .hint = "Check database_uri, and the server's log.",
};

/* An error message of a connection attempt with PQERRORS_VERBOSE: "... FATAL:  28P01: text". */
static int fail_to_connect(struct db *db, const char *message, struct error *err)
{
    struct connection *connection = db->connection;
    const char *fatal = strstr(message, "FATAL:  ");
    const struct sqlstate *known = NULL;
    char line[256];

    if (fatal && strlen(fatal) > 15 && fatal[13] == ':') {
        char code[6];

        snprintf(code, sizeof code, "%s", fatal + 8);
        known = find_sqlstate(code);
        message = fatal + 15;
        if (!known)
            known = &other_refusal;
    } else {
        known = find_refusal(message);
    }
    db->failure = known ? known->failure : DB_FAILURE_CONNECTION;
    copy_first_line(line, sizeof line, message);
    error_set(err, ERR_DATABASE, "cannot connect to %s (%s): %s", db->name, connection->target,
              line);
    return add_hint(db,
                    known && known->hint ? known->hint
                                         : "Is the server running, and does database_uri name it?",
                    err);
}

/* --- connecting ----------------------------------------------------------------------------- */

/* The keywords and values that libpq is given. */
struct parameters {
    struct strmap map;
    const char *keywords[64], *values[64];
};

static void parameters_clear(struct parameters *parameters)
{
    strmap_clear(&parameters->map);
}
#define auto_parameters ATTR_CLEANUP(parameters_clear)

/* host=a:1&host=b:2 names several servers; libpq wants their names and their ports apart. */
static void add_hosts(struct strmap *map, const char *hosts)
{
    auto_strlist struct strlist names = STRLIST_INIT, ports = STRLIST_INIT;
    auto_strlist struct strlist parts = STRLIST_INIT;
    auto_free char *joined_names = NULL, *joined_ports = NULL;

    strlist_split(&parts, hosts, ',');
    for (size_t i = 0; i < parts.count; i++) {
        char *colon = parts.items[i][0] == '/' ? NULL : strrchr(parts.items[i], ':');

        strlist_add(&ports, colon ? colon + 1 : "");
        if (colon)
            *colon = '\0';
        strlist_add(&names, parts.items[i]);
    }
    joined_names = strlist_join(&names, ",");
    joined_ports = strlist_join(&ports, ",");
    strmap_set(map, "host", joined_names);
    if (strspn(joined_ports, ",") < strlen(joined_ports))
        strmap_set(map, "port", joined_ports);
}

static int check_keyword(const char *keyword, struct error *err)
{
    PQconninfoOption *options = PQconndefaults();
    bool found = false;

    for (PQconninfoOption *option = options; options && option->keyword; option++)
        found = found || !strcmp(option->keyword, keyword);
    PQconninfoFree(options);
    if (found)
        return 0;
    error_set(err, ERR_CONFIG, "database_uri has the unknown parameter '%s'", keyword);
    return error_hint(err, "Parameters after '?' are those of libpq, such as sslmode and options.");
}

static int fill_parameters(const struct db_uri *uri, struct parameters *out, struct error *err)
{
    struct strmap *map = &out->map;
    size_t count = 0;

    strmap_set(map, "fallback_application_name", "meltshim");
    strmap_set(map, "client_encoding", "UTF8");
    /* A peer that is gone without a word is given up after half a minute. */
    strmap_set(map, "keepalives_idle", "10");
    strmap_set(map, "keepalives_interval", "5");
    strmap_set(map, "keepalives_count", "3");
    strmap_set(map, "tcp_user_timeout", "30000");
    if (uri->user)
        strmap_set(map, "user", uri->user);
    if (uri->password)
        strmap_set(map, "password", uri->password);
    if (uri->host)
        strmap_set(map, "host", uri->host);
    if (uri->port)
        strmap_set(map, "port", uri->port);
    if (uri->database)
        strmap_set(map, "dbname", uri->database);
    for (size_t i = 0; i < uri->query.count; i++) {
        const struct strmap_entry *entry = &uri->query.entries[i];

        if (check_keyword(entry->key, err) < 0)
            return -1;
        if (!strcmp(entry->key, "host"))
            add_hosts(map, entry->value);
        else
            strmap_set(map, entry->key, entry->value);
    }
    assert(map->count < ARRAY_LEN(out->keywords));
    for (; count < map->count; count++) {
        out->keywords[count] = map->entries[count].key;
        out->values[count] = map->entries[count].value;
    }
    out->keywords[count] = out->values[count] = NULL;
    return 0;
}

static char *describe_target(const struct strmap *map)
{
    const char *host = strmap_get(map, "host"), *port = strmap_get(map, "port");
    const char *database = strmap_get(map, "dbname");

    return xasprintf("%s%s%s%s%s", host ? host : "local socket", port ? ":" : "", port ? port : "",
                     database ? "/" : "", database ? database : "");
}

/* Waits for one of events; false when nothing came for limit_ms or until the deadline. */
static bool wait_for_socket(const PGconn *handle, short events, int64_t limit_ms)
{
    int64_t until_ms = clock_monotonic_ms() + limit_ms;

    for (;;) {
        struct pollfd socket = {.fd = PQsocket(handle), .events = events};
        int64_t left_ms = deadline_left_ms(until_ms - clock_monotonic_ms());

        if (left_ms <= 0)
            return false;
        if (poll(&socket, 1, (int)(left_ms < DEADLINE_SLICE_MS ? left_ms : DEADLINE_SLICE_MS)) > 0)
            return true;
    }
}

/* Waits until the connection stands, like PQconnectdb() with a time limit for all of it. */
static bool wait_for_connection(PGconn *handle, int64_t timeout_ms)
{
    int64_t until_ms = clock_monotonic_ms() + timeout_ms;
    PostgresPollingStatusType status = PGRES_POLLING_WRITING;

    while (status != PGRES_POLLING_OK && status != PGRES_POLLING_FAILED) {
        short events = status == PGRES_POLLING_READING ? POLLIN : POLLOUT;

        if (!wait_for_socket(handle, events, until_ms - clock_monotonic_ms()))
            return false;
        status = PQconnectPoll(handle);
    }
    return status == PGRES_POLLING_OK;
}

static int64_t connect_timeout_ms(const struct strmap *map)
{
    const char *text = strmap_get(map, "connect_timeout");
    long seconds = text ? strtol(text, NULL, 10) : 0;

    return 1000 * (int64_t)(seconds > 0 ? seconds : CONNECT_TIMEOUT_S);
}

static char *copy_field(const PGresult *result, int column)
{
    return PQgetisnull(result, 0, column) ? NULL : xstrdup(PQgetvalue(result, 0, column));
}

static void ignore_notice(void *context, const char *message)
{
    (void)context;
    (void)message;
}

/* True when what was sent has gone out, false after a silence or when the connection broke. */
static bool flush_request(PGconn *handle)
{
    int pending;

    while ((pending = PQflush(handle)) > 0) {
        if (!wait_for_socket(handle, POLLIN | POLLOUT, SILENCE_LIMIT_MS))
            return false;
        /* A server that is full of answers reads no more requests. */
        PQconsumeInput(handle);
    }
    return !pending;
}

/* The next result, NULL after the last one of a statement and when the connection broke; *is_silent
 * when the server says nothing. */
static PGresult *next_result(PGconn *handle, bool *is_silent)
{
    while (PQisBusy(handle)) {
        if (!wait_for_socket(handle, POLLIN, SILENCE_LIMIT_MS)) {
            *is_silent = true;
            return NULL;
        }
        PQconsumeInput(handle);
    }
    return PQgetResult(handle);
}

/* Like PQexec() and PQexecParams() after PQsendQuery() and its kin, but with an end to waiting: the
 * last result; NULL with err set when there is none. Statements that failed have one. */
static PGresult *receive_result(struct db *db, int was_sent, struct error *err)
{
    PGconn *handle = connection_of(db)->handle;
    PGresult *last = NULL, *result;
    bool is_silent = was_sent && !flush_request(handle) && PQstatus(handle) != CONNECTION_BAD;

    while (was_sent && !is_silent && (result = next_result(handle, &is_silent))) {
        PQclear(last);
        last = result;
    }
    if (is_silent) {
        PQclear(last);
        fail_on_silence(db, err);
        return NULL;
    }
    if (!last)
        fail(db, NULL, err);
    return last;
}

static PGresult *run_script(struct db *db, const char *sql, struct error *err)
{
    return receive_result(db, PQsendQuery(connection_of(db)->handle, sql), err);
}

static int begin_session(struct db *db, struct error *err)
{
    struct connection *connection = db->connection;
    PGresult *result;
    int status = 0;

    PQsetErrorVerbosity(connection->handle, PQERRORS_DEFAULT);
    PQsetNoticeProcessor(connection->handle, ignore_notice, NULL);
    PQsetnonblocking(connection->handle, 1);
    result = run_script(db, SQL(postgres_session), err);
    if (!result)
        return -1;
    if (PQresultStatus(result) != PGRES_TUPLES_OK) {
        status = fail(db, result, err);
    } else if (PQntuples(result) == 1) {
        connection->session_start = copy_field(result, 0);
        connection->schema = copy_field(result, 1);
        connection->session_pid = (int)strtol(PQgetvalue(result, 0, 2), NULL, 10);
    }
    PQclear(result);
    return status;
}

static int open_session(struct db *db, const struct parameters *parameters, struct error *err)
{
    struct connection *connection = db->connection;
    PGconn *handle = PQconnectStartParams(parameters->keywords, parameters->values, 0);

    connection->handle = handle;
    PQsetErrorVerbosity(handle, PQERRORS_VERBOSE);
    if (PQstatus(handle) == CONNECTION_BAD)
        return fail_to_connect(db, PQerrorMessage(handle), err);
    if (!wait_for_connection(handle, connect_timeout_ms(&parameters->map))) {
        bool is_late = PQstatus(handle) != CONNECTION_BAD;

        return fail_to_connect(db, is_late ? "no answer" : PQerrorMessage(handle), err);
    }
    return begin_session(db, err);
}

static int postgres_connect(struct db *db, struct error *err)
{
    auto_parameters struct parameters parameters = {.map = STRMAP_INIT};
    struct connection *connection = db->connection;

    if (!connection)
        connection = db->connection = xcalloc(1, sizeof *connection);
    db->failure = DB_FAILURE_FINAL;
    if (fill_parameters(db->uri, &parameters, err) < 0)
        return -1;
    free(connection->target);
    connection->target = describe_target(&parameters.map);
    if (open_session(db, &parameters, err) < 0) {
        drop_session(connection);
        return -1;
    }
    db->failure = DB_FAILURE_NONE;
    return 0;
}

static void postgres_disconnect(struct db *db)
{
    drop_session(connection_of(db));
}

static void postgres_close(struct db *db)
{
    struct connection *connection = db->connection;

    if (!connection)
        return;
    drop_session(connection);
    free(connection->target);
    free(connection->transaction_number);
    free(connection->lost_session_start);
    free(connection);
    db->connection = NULL;
}

/* --- statements ------------------------------------------------------------------------------ */

static int check_handle(struct db *db, struct error *err)
{
    struct connection *connection = db->connection;

    if (connection->handle)
        return 0;
    db->failure = DB_FAILURE_CONNECTION;
    return error_set(err, ERR_DATABASE, "there is no connection to %s (%s)", db->name,
                     connection->target);
}

/* The parameters in libpq's form. Numbers go as text, and bytes as they are. */
struct arguments {
    Oid types[DB_MAX_VALUES];
    const char *values[DB_MAX_VALUES];
    int lengths[DB_MAX_VALUES], formats[DB_MAX_VALUES];
    char numbers[DB_MAX_VALUES][24];
    char *texts[DB_MAX_VALUES]; /* slices that needed a NUL */
};

static void fill_arguments(const struct db_value *values, size_t count, struct arguments *out)
{
    for (size_t i = 0; i < count; i++) {
        const struct db_value *value = &values[i];

        if (value->type == DB_INT) {
            snprintf(out->numbers[i], sizeof out->numbers[i], "%lld", (long long)value->number);
            out->values[i] = out->numbers[i];
        } else if (value->type == DB_TEXT) {
            out->values[i] = out->texts[i] = xstrndup(value->bytes, value->size);
        } else if (value->type == DB_BYTES) {
            out->types[i] = BYTEA_OID;
            out->formats[i] = 1;
            out->lengths[i] = (int)value->size;
            out->values[i] = value->bytes;
        }
    }
}

static void read_cell(const PGresult *result, int row, int column, struct db_cell *cell)
{
    const char *text = PQgetvalue(result, row, column);

    if (PQgetisnull(result, row, column))
        return;
    if (PQftype(result, column) == BYTEA_OID) {
        unsigned char *bytes = PQunescapeBytea((const unsigned char *)text, &cell->size);

        cell->bytes = xmemdup(bytes, cell->size + 1);
        PQfreemem(bytes);
        return;
    }
    cell->size = (size_t)PQgetlength(result, row, column);
    cell->bytes = xmemdup(text, cell->size + 1);
}

static void read_result(const PGresult *result, struct db_rows *rows)
{
    int columns = PQnfields(result);

    for (int row = 0; row < PQntuples(result); row++) {
        struct db_cell *cells = db_rows_add(rows, (size_t)columns);

        for (int column = 0; column < columns; column++)
            read_cell(result, row, column, &cells[column]);
    }
    rows->changed = strtoll(PQcmdTuples((PGresult *)result), NULL, 10);
}

static bool is_good(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);

    return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
}

static int send_statement(struct db *db, const char *sql, const struct db_value *values,
                          size_t count)
{
    struct arguments arguments = {0};
    int was_sent;

    fill_arguments(values, count, &arguments);
    was_sent = PQsendQueryParams(connection_of(db)->handle, sql, (int)count, arguments.types,
                                 arguments.values, arguments.lengths, arguments.formats, 0);
    for (size_t i = 0; i < count; i++)
        free(arguments.texts[i]);
    return was_sent;
}

/* Sends a statement of a transaction without waiting for its answer. After one that fails, the
 * server passes over the others, and its error is that of the next call that waits. */
static int send_ahead(struct db *db, const char *sql, const struct db_value *values, size_t count,
                      struct error *err)
{
    struct connection *connection = db->connection;
    size_t size = 0;

    if (!PQenterPipelineMode(connection->handle) || !send_statement(db, sql, values, count))
        return fail(db, NULL, err);
    connection->unanswered++;
    for (size_t i = 0; i < count; i++)
        size += values[i].size;
    /* libpq would keep copies of all that is large. */
    if (size > MAX_SIZE_AHEAD && !flush_request(connection->handle))
        return PQstatus(connection->handle) == CONNECTION_BAD ? fail(db, NULL, err)
                                                              : fail_on_silence(db, err);
    return 0;
}

/* The results of what was sent ahead: the first that failed, else the last; NULL when the server
 * is lost. */
static PGresult *keep_answers(struct connection *connection, bool *is_silent)
{
    PGconn *handle = connection->handle;
    PGresult *kept = NULL, *result;

    while ((result = next_result(handle, is_silent))) {
        if (PQresultStatus(result) == PGRES_PIPELINE_SYNC) {
            PQclear(result);
            return kept;
        }
        /* The first row of a transaction is its number. */
        if (!connection->transaction_number && PQntuples(result) == 1)
            connection->transaction_number = copy_field(result, 0);
        if (kept && !is_good(kept)) {
            PQclear(result);
        } else {
            PQclear(kept);
            kept = result;
        }
        /* The results of a statement end with a NULL. */
        if (next_result(handle, is_silent) || *is_silent)
            break;
    }
    PQclear(kept);
    return NULL;
}

static PGresult *receive_answers(struct db *db, struct error *err)
{
    struct connection *connection = db->connection;
    PGconn *handle = connection->handle;
    PGresult *kept = NULL;
    bool is_silent = false;

    connection->unanswered = 0;
    if (PQpipelineSync(handle)) {
        is_silent = !flush_request(handle) && PQstatus(handle) != CONNECTION_BAD;
        if (!is_silent)
            kept = keep_answers(connection, &is_silent);
    }
    if (is_silent)
        fail_on_silence(db, err);
    else if (!kept)
        fail(db, NULL, err);
    else
        PQexitPipelineMode(handle);
    return kept;
}

/* Takes the result of a statement; rows may be NULL. */
static int finish_statement(struct db *db, PGresult *result, struct db_rows *rows,
                            struct error *err)
{
    int status = 0;

    if (!result)
        return -1;
    if (!is_good(result))
        status = fail(db, result, err);
    else if (rows)
        read_result(result, rows);
    PQclear(result);
    return status;
}

static int postgres_query(struct db *db, const char *sql, const struct db_value *values,
                          size_t count, struct db_rows *rows, struct error *err)
{
    if (check_handle(db, err) < 0)
        return -1;
    if (!db->in_transaction)
        return finish_statement(db, receive_result(db, send_statement(db, sql, values, count), err),
                                rows, err);
    if (send_ahead(db, sql, values, count, err) < 0)
        return -1;
    return rows ? finish_statement(db, receive_answers(db, err), rows, err) : 0;
}

static int postgres_script(struct db *db, const char *sql, struct error *err)
{
    if (check_handle(db, err) < 0)
        return -1;
    if (connection_of(db)->unanswered &&
        finish_statement(db, receive_answers(db, err), NULL, err) < 0)
        return -1;
    return finish_statement(db, run_script(db, sql, err), NULL, err);
}

/* --- transactions ---------------------------------------------------------------------------- */

static int postgres_begin(struct db *db, enum db_durability durability, struct error *err)
{
    if (check_handle(db, err) < 0)
        return -1;
    free(take(connection_of(db)->transaction_number));
    if (send_ahead(db, SQL(postgres_begin), DB_NO_VALUES, err) < 0 ||
        (durability == DB_RELAXED && send_ahead(db, SQL(postgres_relax), DB_NO_VALUES, err) < 0))
        return -1;
    return send_ahead(db, SQL(postgres_transaction_number), DB_NO_VALUES, err);
}

static int postgres_commit(struct db *db, struct error *err)
{
    /* A commit whose answer is lost is looked up by the transaction's number. */
    if (!connection_of(db)->transaction_number)
        return postgres_script(db, "COMMIT", err);
    if (check_handle(db, err) < 0 || send_ahead(db, "COMMIT", DB_NO_VALUES, err) < 0)
        return -1;
    return finish_statement(db, receive_answers(db, err), NULL, err);
}

static void postgres_rollback(struct db *db)
{
    struct connection *connection = db->connection;
    enum db_failure failure = db->failure;
    struct error ignored = {0};

    if (connection->unanswered)
        PQclear(receive_answers(db, &ignored));
    if (connection->handle && PQtransactionStatus(connection->handle) != PQTRANS_IDLE)
        postgres_script(db, "ROLLBACK", &ignored);
    if (failure != DB_FAILURE_NONE)
        db->failure = failure;
}

static bool postgres_was_committed(struct db *db)
{
    const char *number = connection_of(db)->transaction_number;
    int64_t deadline = clock_monotonic_ms() + OLD_SESSION_TIMEOUT_MS;
    struct error ignored = {0};

    for (;;) {
        auto_db_rows struct db_rows rows = DB_ROWS_INIT;
        const char *status;

        if (!number || postgres_query(db, SQL(postgres_was_committed), DB_VALUES(db_text(number)),
                                      &rows, &ignored) < 0)
            return false;
        status = rows.count ? db_rows_text(&rows, 0, 0) : NULL;
        if (!status || strcmp(status, "in progress") || clock_monotonic_ms() > deadline)
            return status && !strcmp(status, "committed");
        deadline_sleep_ms(50);
    }
}

/* --- locks ----------------------------------------------------------------------------------- */

/* Advisory locks are numbers and belong to the database: the schema tells projects apart. */
static int64_t lock_key(const struct connection *connection, const char *state_id)
{
    auto_free char *name =
        xasprintf("meltshim/%s/%s", connection->schema ? connection->schema : "", state_id);
    uint8_t digest[DIGEST_SIZE];
    uint64_t key = 0;

    digest_sha256(name, strlen(name), digest);
    for (int i = 0; i < 8; i++)
        key = key << 8 | digest[i];
    return (int64_t)key;
}

static int try_key(struct db *db, int64_t key, bool *taken, struct error *err)
{
    auto_db_rows struct db_rows rows = DB_ROWS_INIT;

    if (db_query(db, SQL(postgres_lock_try), DB_VALUES(db_int(key)), &rows, err) < 0)
        return -1;
    *taken = !strcmp(db_rows_text(&rows, 0, 0), "t");
    return 0;
}

/* The number of the server process that answers, 0 when none does in time. */
static int ask_server_pid(PGconn *handle)
{
    PGresult *result;
    int pid = 0;

    if (!PQsendQuery(handle, SQL(postgres_server_pid)) || PQflush(handle) ||
        !wait_for_socket(handle, POLLIN, POOL_PATIENCE_MS))
        return 0;
    while ((result = PQgetResult(handle))) {
        if (PQntuples(result) == 1)
            pid = (int)strtol(PQgetvalue(result, 0, 0), NULL, 10);
        PQclear(result);
    }
    return pid;
}

static int ask_other_server_pid(const struct db *db)
{
    auto_parameters struct parameters parameters = {.map = STRMAP_INIT};
    struct error ignored = {0};
    PGconn *handle;
    int pid = 0;

    if (fill_parameters(db->uri, &parameters, &ignored) < 0)
        return 0;
    handle = PQconnectStartParams(parameters.keywords, parameters.values, 0);
    if (PQstatus(handle) != CONNECTION_BAD && wait_for_connection(handle, POOL_PATIENCE_MS))
        pid = ask_server_pid(handle);
    PQfinish(handle);
    return pid;
}

/* Poolers show a process number of their own. One that lends a server for a transaction only gives
 * the one that we used last to the next client that comes, or another one to us; the server of a
 * session that is ours gets nobody else. Where the pool has no server to spare, nothing is seen. */
static bool is_lent_by_transaction(const struct db *db)
{
    const struct connection *connection = connection_of(db);
    int pid;

    if (connection->session_pid == PQbackendPID(connection->handle))
        return false;
    pid = ask_server_pid(connection->handle);
    return pid && (pid != connection->session_pid || pid == ask_other_server_pid(db));
}

static int refuse_pooler(struct db *db, struct error *err)
{
    db->failure = DB_FAILURE_FINAL;
    error_set(err, ERR_DATABASE,
              "%s (%s) is reached through a pooler in transaction mode, where no lock lasts",
              db->name, connection_of(db)->target);
    return add_hint(db,
                    "Let database_uri name the server itself, or a pool in session mode "
                    "(PgBouncer: pool_mode = session).",
                    err);
}

static int postgres_lock_try(struct db *db, const char *state_id, struct db_lock **out,
                             struct error *err)
{
    int64_t key;
    bool taken;

    if (check_handle(db, err) < 0)
        return -1;
    if (!connection_of(db)->pool_is_checked && is_lent_by_transaction(db))
        return refuse_pooler(db, err);
    connection_of(db)->pool_is_checked = true;
    key = lock_key(connection_of(db), state_id);
    if (try_key(db, key, &taken, err) < 0)
        return -1;
    *out = NULL;
    if (taken) {
        *out = xcalloc(1, sizeof **out);
        (*out)->key = key;
        (*out)->is_held = true;
    }
    return 0;
}

static void postgres_lock_release(struct db *db, struct db_lock *lock)
{
    auto_db_rows struct db_rows rows = DB_ROWS_INIT;
    struct error ignored = {0};
    struct db_value key = db_int(lock->key);

    if (lock->is_held && connection_of(db)->handle)
        postgres_query(db, SQL(postgres_lock_release), &key, 1, &rows, &ignored);
    free(lock);
}

static int end_lost_session(struct db *db, struct error *err)
{
    struct connection *connection = db->connection;

    if (!connection->lost_session_start)
        return 0;
    return db_query(
        db, SQL(postgres_end_session),
        DB_VALUES(db_int(connection->lost_session_pid), db_text(connection->lost_session_start)),
        NULL, err);
}

static int postgres_lock_retake(struct db *db, struct db_lock *lock, bool *taken, struct error *err)
{
    int64_t deadline = clock_monotonic_ms() + OLD_SESSION_TIMEOUT_MS;

    lock->is_held = false;
    if (end_lost_session(db, err) < 0)
        return -1;
    for (;;) {
        if (try_key(db, lock->key, taken, err) < 0)
            return -1;
        lock->is_held = *taken;
        if (*taken || clock_monotonic_ms() > deadline)
            return 0;
        deadline_sleep_ms(50);
    }
}

const struct db_driver db_postgres_driver = {
    .schema_sql = SQL(postgres_schema),
    .state_table_sql = SQL(postgres_state_table),
    .own_tables_sql = SQL(postgres_own_tables),
    .tables_sql = SQL(postgres_tables),
    .revision_d135f52a6f49_sql = SQL(postgres_revision_d135f52a6f49),
    .revision_13e8639c6d2b_sql = SQL(postgres_revision_13e8639c6d2b),
    .upgrade_lock_sql = SQL(postgres_upgrade_lock),
    .state_lock_sql = SQL(postgres_state_lock),
    .values_lock_sql = SQL(postgres_values_lock),
    .connect = postgres_connect,
    .disconnect = postgres_disconnect,
    .close = postgres_close,
    .query = postgres_query,
    .script = postgres_script,
    .begin = postgres_begin,
    .commit = postgres_commit,
    .rollback = postgres_rollback,
    .was_committed = postgres_was_committed,
    .lock_try = postgres_lock_try,
    .lock_release = postgres_lock_release,
    .lock_retake = postgres_lock_retake,
    .lock_poll_ms = 50,
};
