/* tests/unit/http_server.h - a server on 127.0.0.1 in a process of its own that gives prepared
 * answers and writes down what it was asked. */
#ifndef TESTS_UNIT_HTTP_SERVER_H
#define TESTS_UNIT_HTTP_SERVER_H

struct http_answer {
    const char *path;    /* NULL ends the table */
    int times;           /* how often it is given before the next one of this path; 0: always */
    int status;          /* 0: the connection is closed without an answer; < 0: it is left open */
    const char *headers; /* more of them, each with "\r\n"; may be NULL */
    const char *body;    /* "%s" stands for the address of the server, once; may be NULL */
};

/* Its address, "http://127.0.0.1:PORT". The requests are appended to the file log. One at a time.
 */
const char *http_server_start(const struct http_answer *answers, const char *log);
/* The same, with a pause before every byte of a body. */
const char *http_server_start_slow(const struct http_answer *answers, const char *log,
                                   int byte_pause_ms);
void http_server_stop(void);

#endif
