/* store/sigv4.h - signs HTTP requests to AWS: Signature Version 4, as S3 wants it. */
#ifndef STORE_SIGV4_H
#define STORE_SIGV4_H

#include "base/strbuf.h"
#include "base/strlist.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sigv4_key {
    const char *access_key_id;
    const char *secret_access_key;
    const char *session_token; /* NULL: a key without an end */
    const char *region;
    const char *service;
};

struct sigv4_request {
    const char *method;
    const char *host;  /* as the header Host has it, with a port that is not the scheme's own */
    const char *path;  /* encoded, with the slash at its start */
    const char *query; /* encoded and sorted, without '?'; may be empty */
    const char *body;
    size_t body_length;
};

/* Appends the headers that make the request valid at now_us, the authorization among them. */
void sigv4_sign(const struct sigv4_key *key, const struct sigv4_request *request, int64_t now_us,
                struct strlist *headers);

/* Percent-encodes everything but letters, digits and "-._~"; keep_slash leaves '/' alone. */
void strbuf_add_uri(struct strbuf *out, const char *text, bool keep_slash);

#endif
