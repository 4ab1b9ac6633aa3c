#include "tests/unit/http_server.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/strbuf.h"

#include <arpa/inet.h>
#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t server;
static char address[64];
static int pause_ms;

/* Everything up to the end of the body that Content-Length announces. */
static bool read_request(int connection, struct strbuf *request)
{
    for (;;) {
        const char *end = strstr(strbuf_text(request), "\r\n\r\n");
        const char *length = strcasestr(strbuf_text(request), "\r\ncontent-length:");
        char chunk[4096];
        ssize_t got;

        if (end && request->length >= (size_t)(end + 4 - request->text) +
                                          (length ? strtoul(length + 17, NULL, 10) : 0))
            return true;
        got = read(connection, chunk, sizeof chunk);
        if (got <= 0)
            return false;
        strbuf_add_bytes(request, chunk, (size_t)got);
    }
}

static const struct http_answer *choose(const struct http_answer *answers, int *given,
                                        const char *path)
{
    for (int i = 0; answers[i].path; i++)
        if (!strcmp(answers[i].path, path) && (!answers[i].times || given[i] < answers[i].times)) {
            given[i]++;
            return &answers[i];
        }
    return NULL;
}

static void respond(int connection, const struct http_answer *answer)
{
    static const struct http_answer missing = {.status = 404, .body = "not found"};
    auto_strbuf struct strbuf body = STRBUF_INIT;
    auto_strbuf struct strbuf response = STRBUF_INIT;
    const char *mark;

    if (!answer)
        answer = &missing;
    if (answer->body) {
        mark = strstr(answer->body, "%s");
        strbuf_add_bytes(&body, answer->body,
                         mark ? (size_t)(mark - answer->body) : strlen(answer->body));
        if (mark) {
            strbuf_add(&body, address);
            strbuf_add(&body, mark + 2);
        }
    }
    strbuf_addf(&response,
                "HTTP/1.1 %d Status\r\nConnection: close\r\nContent-Length: %zu\r\n%s\r\n",
                answer->status, body.length, answer->headers ? answer->headers : "");
    if (fd_write_all(connection, response.text, response.length) < 0)
        return;
    for (size_t i = 0; pause_ms && i < body.length; i++) {
        usleep((useconds_t)pause_ms * 1000);
        if (fd_write_all(connection, body.text + i, 1) < 0)
            return;
    }
    if (!pause_ms && fd_write_all(connection, strbuf_text(&body), body.length) < 0)
        return;
}

static void serve(int listener, const struct http_answer *answers, const char *log)
{
    int given[64] = {0};

    for (;;) {
        auto_strbuf struct strbuf request = STRBUF_INIT;
        int connection = accept(listener, NULL, NULL);
        int log_fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0666);
        const struct http_answer *answer;
        char path[256] = "";

        if (connection < 0 || log_fd < 0)
            _exit(1);
        if (read_request(connection, &request)) {
            fd_write_all(log_fd, request.text, request.length);
            sscanf(request.text, "%*s %255s", path);
            answer = choose(answers, given, path);
            if (answer && answer->status < 0)
                continue;
            if (!answer || answer->status > 0)
                respond(connection, answer);
        }
        close(log_fd);
        close(connection);
    }
}

const char *http_server_start(const struct http_answer *answers, const char *log)
{
    struct sockaddr_in local = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof local;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_ge(listener, 0);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&local, size), 0);
    ck_assert_int_eq(listen(listener, 16), 0);
    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&local, &size), 0);
    snprintf(address, sizeof address, "http://127.0.0.1:%d", ntohs(local.sin_port));
    server = fork();
    ck_assert_int_ge(server, 0);
    if (!server) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        serve(listener, answers, log);
    }
    close(listener);
    return address;
}

const char *http_server_start_slow(const struct http_answer *answers, const char *log,
                                   int byte_pause_ms)
{
    pause_ms = byte_pause_ms;
    http_server_start(answers, log);
    pause_ms = 0;
    return address;
}

void http_server_stop(void)
{
    if (server <= 0)
        return;
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
    server = 0;
}
