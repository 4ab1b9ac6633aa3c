#include "store/sigv4.h"

#include "base/digest.h"
#include "base/memory.h"

#include <ctype.h>
#include <string.h>
#include <time.h>

void strbuf_add_uri(struct strbuf *out, const char *text, bool keep_slash)
{
    for (; *text; text++) {
        if (isalnum((unsigned char)*text) || strchr("-._~", *text) || (keep_slash && *text == '/'))
            strbuf_add_char(out, *text);
        else
            strbuf_addf(out, "%%%02X", (unsigned char)*text);
    }
}

static void hmac(const void *key, size_t key_size, const char *text, uint8_t out[DIGEST_SIZE])
{
    digest_hmac_sha256(key, key_size, text, strlen(text), out);
}

/* The key that signs for one day, region and service. */
static void derive_key(const struct sigv4_key *key, const char *day, uint8_t out[DIGEST_SIZE])
{
    auto_free char *secret = xasprintf("AWS4%s", key->secret_access_key);

    hmac(secret, strlen(secret), day, out);
    hmac(out, DIGEST_SIZE, key->region, out);
    hmac(out, DIGEST_SIZE, key->service, out);
    hmac(out, DIGEST_SIZE, "aws4_request", out);
}

/* The request in the form of which the hash is signed; header names are sorted. */
static char *canonical_request(const struct sigv4_key *key, const struct sigv4_request *request,
                               const char *body_hash, const char *stamp, const char *names)
{
    struct strbuf out = STRBUF_INIT;

    strbuf_addf(&out, "%s\n%s\n%s\n", request->method, request->path, request->query);
    strbuf_addf(&out, "host:%s\nx-amz-content-sha256:%s\nx-amz-date:%s\n", request->host, body_hash,
                stamp);
    if (key->session_token)
        strbuf_addf(&out, "x-amz-security-token:%s\n", key->session_token);
    strbuf_addf(&out, "\n%s\n%s", names, body_hash);
    return strbuf_take(&out);
}

void sigv4_sign(const struct sigv4_key *key, const struct sigv4_request *request, int64_t now_us,
                struct strlist *headers)
{
    const char *names = key->session_token
                            ? "host;x-amz-content-sha256;x-amz-date;x-amz-security-token"
                            : "host;x-amz-content-sha256;x-amz-date";
    char stamp[17], day[9], body_hash[DIGEST_HEX_SIZE];
    char request_hash[DIGEST_HEX_SIZE], signature_hex[DIGEST_HEX_SIZE];
    uint8_t derived[DIGEST_SIZE], signature[DIGEST_SIZE];
    auto_free char *canonical = NULL, *scope = NULL, *to_sign = NULL;
    time_t seconds = (time_t)(now_us / 1000000);
    struct tm parts;

    gmtime_r(&seconds, &parts);
    strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &parts);
    strftime(day, sizeof day, "%Y%m%d", &parts);
    digest_sha256_hex(request->body ? request->body : "", request->body_length, body_hash);
    canonical = canonical_request(key, request, body_hash, stamp, names);
    digest_sha256_hex(canonical, strlen(canonical), request_hash);
    scope = xasprintf("%s/%s/%s/aws4_request", day, key->region, key->service);
    to_sign = xasprintf("AWS4-HMAC-SHA256\n%s\n%s\n%s", stamp, scope, request_hash);
    derive_key(key, day, derived);
    hmac(derived, sizeof derived, to_sign, signature);
    digest_to_hex(signature, signature_hex);

    strlist_addf(headers, "x-amz-date: %s", stamp);
    strlist_addf(headers, "x-amz-content-sha256: %s", body_hash);
    if (key->session_token)
        strlist_addf(headers, "x-amz-security-token: %s", key->session_token);
    strlist_addf(headers,
                 "Authorization: AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s",
                 key->access_key_id, scope, names, signature_hex);
}
