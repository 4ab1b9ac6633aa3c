#include "store/sigv4.h"

#include "base/memory.h"

#include <ctype.h>
#include <sha2.h>
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

/* HMAC (RFC 2104) with SHA-256. */
static void hmac(const void *key, size_t key_length, const char *text,
                 uint8_t out[SHA256_DIGEST_LENGTH])
{
    uint8_t block[SHA256_BLOCK_LENGTH] = {0}, pad[SHA256_BLOCK_LENGTH];
    uint8_t inner[SHA256_DIGEST_LENGTH];
    SHA2_CTX context;

    if (key_length > sizeof block) {
        SHA256Init(&context);
        SHA256Update(&context, key, key_length);
        SHA256Final(block, &context);
    } else {
        memcpy(block, key, key_length);
    }
    for (size_t i = 0; i < sizeof pad; i++)
        pad[i] = block[i] ^ 0x36;
    SHA256Init(&context);
    SHA256Update(&context, pad, sizeof pad);
    SHA256Update(&context, (const uint8_t *)text, strlen(text));
    SHA256Final(inner, &context);
    for (size_t i = 0; i < sizeof pad; i++)
        pad[i] = block[i] ^ 0x5c;
    SHA256Init(&context);
    SHA256Update(&context, pad, sizeof pad);
    SHA256Update(&context, inner, sizeof inner);
    SHA256Final(out, &context);
}

static void add_hex(struct strbuf *out, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        strbuf_addf(out, "%02x", bytes[i]);
}

static void hash_text(const char *text, size_t length, char out[SHA256_DIGEST_STRING_LENGTH])
{
    SHA256Data((const uint8_t *)text, length, out);
}

/* The key that signs for one day, region and service. */
static void derive_key(const struct sigv4_key *key, const char *day,
                       uint8_t out[SHA256_DIGEST_LENGTH])
{
    auto_free char *secret = xasprintf("AWS4%s", key->secret_access_key);

    hmac(secret, strlen(secret), day, out);
    hmac(out, SHA256_DIGEST_LENGTH, key->region, out);
    hmac(out, SHA256_DIGEST_LENGTH, key->service, out);
    hmac(out, SHA256_DIGEST_LENGTH, "aws4_request", out);
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
    char stamp[17], day[9], body_hash[SHA256_DIGEST_STRING_LENGTH];
    char request_hash[SHA256_DIGEST_STRING_LENGTH];
    uint8_t derived[SHA256_DIGEST_LENGTH], signature[SHA256_DIGEST_LENGTH];
    auto_strbuf struct strbuf hex = STRBUF_INIT;
    auto_free char *canonical = NULL, *scope = NULL, *to_sign = NULL;
    time_t seconds = (time_t)(now_us / 1000000);
    struct tm parts;

    gmtime_r(&seconds, &parts);
    strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &parts);
    strftime(day, sizeof day, "%Y%m%d", &parts);
    hash_text(request->body ? request->body : "", request->body_length, body_hash);
    canonical = canonical_request(key, request, body_hash, stamp, names);
    hash_text(canonical, strlen(canonical), request_hash);
    scope = xasprintf("%s/%s/%s/aws4_request", day, key->region, key->service);
    to_sign = xasprintf("AWS4-HMAC-SHA256\n%s\n%s\n%s", stamp, scope, request_hash);
    derive_key(key, day, derived);
    hmac(derived, sizeof derived, to_sign, signature);
    add_hex(&hex, signature, sizeof signature);

    strlist_addf(headers, "x-amz-date: %s", stamp);
    strlist_addf(headers, "x-amz-content-sha256: %s", body_hash);
    if (key->session_token)
        strlist_addf(headers, "x-amz-security-token: %s", key->session_token);
    strlist_addf(headers,
                 "Authorization: AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s",
                 key->access_key_id, scope, names, strbuf_text(&hex));
}
