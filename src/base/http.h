/* base/http.h - one HTTP request. libcurl sits in the module meltshim-http.so, opened on first
 * use, so that commands that never touch the network do not pay for linking it. */
#ifndef BASE_HTTP_H
#define BASE_HTTP_H

#include "base/error.h"
#include "base/strbuf.h"
#include "base/strlist.h"
#include "base/strmap.h"

struct http_request {
    const char *method; /* NULL: GET */
    const char *url;
    struct strlist headers; /* "Name: value" */
    const struct strbuf *body;
    long connect_timeout_ms; /* 0: 10 s */
    long timeout_ms;         /* whole exchange; 0: 30 s */
    long silence_ms;         /* instead: as long as bytes pass, with no longer pause than this */
};

struct http_response {
    long status;
    struct strmap headers; /* names in lower case */
    struct strbuf body;
};

void http_response_clear(struct http_response *response);
#define auto_http_response ATTR_CLEANUP(http_response_clear)

/* 0 when an answer arrived, whatever its status; -1 (ERR_HUB: host and reason) otherwise, also when
 * the deadline (base/deadline.h) has passed.
 * response must be zeroed. */
int http_perform(const struct http_request *request, struct http_response *response,
                 struct error *err);

#endif
