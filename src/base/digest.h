/* base/digest.h - SHA-1 and SHA-256 (FIPS 180-4) and HMAC (RFC 2104), on libnettle, which uses the
 * processor's instructions for them where there are any. */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#define DIGEST_SIZE          32
#define DIGEST_HEX_SIZE      (2 * DIGEST_SIZE + 1)
#define DIGEST_SHA1_HEX_SIZE 41

void digest_sha256(const void *bytes, size_t size, uint8_t out[DIGEST_SIZE]);
/* out may be the key. */
void digest_hmac_sha256(const void *key, size_t key_size, const void *bytes, size_t size,
                        uint8_t out[DIGEST_SIZE]);

/* Lower-case hexadecimal digits and a NUL. */
void digest_to_hex(const uint8_t digest[DIGEST_SIZE], char out[DIGEST_HEX_SIZE]);
void digest_sha256_hex(const void *bytes, size_t size, char out[DIGEST_HEX_SIZE]);
/* For names that others have chosen; it protects nothing. */
void digest_sha1_hex(const void *bytes, size_t size, char out[DIGEST_SHA1_HEX_SIZE]);

#endif
