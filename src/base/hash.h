/* base/hash.h - FNV-1a (http://www.isthe.com/chongo/tech/comp/fnv/), for hash tables and to notice
 * changes, never for security. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_START 0xcbf29ce484222325u

/* The hash of what hash stands for (HASH_START: nothing yet) followed by the bytes. */
static inline uint64_t hash_continue(uint64_t hash, const void *bytes, size_t size)
{
    const unsigned char *at = bytes;

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ at[i]) * 0x100000001b3u;
    return hash;
}

static inline uint64_t hash_bytes(const void *bytes, size_t size)
{
    return hash_continue(HASH_START, bytes, size);
}

#endif
