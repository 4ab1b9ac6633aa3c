#include "base/digest.h"

#include <nettle/base16.h>
#include <nettle/hmac.h>
#include <nettle/sha1.h>
#include <nettle/sha2.h>

_Static_assert(DIGEST_SIZE == SHA256_DIGEST_SIZE, "the size of a SHA-256");
_Static_assert(DIGEST_SHA1_HEX_SIZE == 2 * SHA1_DIGEST_SIZE + 1, "the size of a SHA-1");

void digest_sha256(const void *bytes, size_t size, uint8_t out[DIGEST_SIZE])
{
    struct sha256_ctx context;

    sha256_init(&context);
    sha256_update(&context, size, bytes);
    sha256_digest(&context, DIGEST_SIZE, out);
}

void digest_hmac_sha256(const void *key, size_t key_size, const void *bytes, size_t size,
                        uint8_t out[DIGEST_SIZE])
{
    struct hmac_sha256_ctx context;

    hmac_sha256_set_key(&context, key_size, key);
    hmac_sha256_update(&context, size, bytes);
    hmac_sha256_digest(&context, DIGEST_SIZE, out);
}

static void write_hex(const uint8_t *digest, size_t size, char *out)
{
    base16_encode_update(out, size, digest);
    out[2 * size] = '\0';
}

void digest_to_hex(const uint8_t digest[DIGEST_SIZE], char out[DIGEST_HEX_SIZE])
{
    write_hex(digest, DIGEST_SIZE, out);
}

void digest_sha256_hex(const void *bytes, size_t size, char out[DIGEST_HEX_SIZE])
{
    uint8_t digest[DIGEST_SIZE];

    digest_sha256(bytes, size, digest);
    digest_to_hex(digest, out);
}

void digest_sha1_hex(const void *bytes, size_t size, char out[DIGEST_SHA1_HEX_SIZE])
{
    uint8_t digest[SHA1_DIGEST_SIZE];
    struct sha1_ctx context;

    sha1_init(&context);
    sha1_update(&context, size, bytes);
    sha1_digest(&context, sizeof digest, digest);
    write_hex(digest, sizeof digest, out);
}
