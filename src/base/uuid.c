#include "base/uuid.h"

#include "base/clock.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

static void format_uuid(const unsigned char bytes[16], char out[UUID_TEXT_SIZE])
{
    char *at = out;

    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *at++ = '-';
        at += snprintf(at, 3, "%02x", bytes[i]);
    }
}

static void fill_random(unsigned char *bytes, size_t size)
{
    /* Up to 256 bytes getrandom() neither fails nor comes up short once the pool is ready. */
    while (getrandom(bytes, size, 0) != (ssize_t)size)
        continue;
}

static void finish(unsigned char bytes[16], int version, char out[UUID_TEXT_SIZE])
{
    bytes[6] = (unsigned char)((bytes[6] & 0x0f) | version << 4);
    bytes[8] = (unsigned char)((bytes[8] & 0x3f) | 0x80);
    format_uuid(bytes, out);
}

void uuid_new_v4(char out[UUID_TEXT_SIZE])
{
    unsigned char bytes[16];

    fill_random(bytes, sizeof bytes);
    finish(bytes, 4, out);
}

void uuid_new_v7(char out[UUID_TEXT_SIZE])
{
    unsigned char bytes[16];
    uint64_t now_ms = (uint64_t)clock_now_us() / 1000;

    fill_random(bytes, sizeof bytes);
    for (int i = 0; i < 6; i++)
        bytes[i] = (unsigned char)(now_ms >> (40 - 8 * i));
    finish(bytes, 7, out);
}

static int hex_digit(char c)
{
    const char *digits = "0123456789abcdef";
    const char *found = c ? strchr(digits, c | 0x20) : NULL;

    return found ? (int)(found - digits) : -1;
}

bool uuid_parse(const char *text, char out[UUID_TEXT_SIZE])
{
    unsigned char bytes[16] = {0};
    int digits = 0;

    if (!strncasecmp(text, "urn:", 4))
        text += 4;
    if (!strncasecmp(text, "uuid:", 5))
        text += 5;
    for (; *text; text++) {
        int digit = hex_digit(*text);

        if (*text == '-' || *text == '{' || *text == '}')
            continue;
        if (digit < 0 || digits == 32)
            return false;
        bytes[digits / 2] = (unsigned char)(bytes[digits / 2] << 4 | digit);
        digits++;
    }
    if (digits != 32)
        return false;
    format_uuid(bytes, out);
    return true;
}

void uuid_to_hex(const char *uuid, char out[UUID_HEX_SIZE])
{
    for (; *uuid; uuid++)
        if (*uuid != '-')
            *out++ = *uuid;
    *out = '\0';
}
