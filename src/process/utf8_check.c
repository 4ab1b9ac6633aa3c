#include "process/utf8_check.h"

#include <stdint.h>
#include <string.h>

#define HIGH_BITS UINT64_C(0x8080808080808080)

static uint64_t load_word(const char *bytes)
{
    uint64_t word;

    memcpy(&word, bytes, sizeof word);
    return word;
}

bool bytes_are_ascii(const char *bytes, size_t size)
{
    uint64_t any = 0;
    size_t i = 0;

    for (; i + 32 <= size && !(any & HIGH_BITS); i += 32)
        any |= load_word(bytes + i) | load_word(bytes + i + 8) | load_word(bytes + i + 16) |
               load_word(bytes + i + 24);
    for (; i < size; i++)
        any |= (unsigned char)bytes[i];
    return !(any & HIGH_BITS);
}

/* The lead byte of a sequence: table 3-7 of the Unicode standard. */
static void begin_sequence(struct utf8_check *check, unsigned char lead)
{
    check->low = 0x80;
    check->high = 0xbf;
    if (lead >= 0xc2 && lead <= 0xdf) {
        check->missing = 1;
    } else if ((lead & 0xf0) == 0xe0) {
        check->missing = 2;
        check->low = lead == 0xe0 ? 0xa0 : 0x80;
        check->high = lead == 0xed ? 0x9f : 0xbf;
    } else if (lead >= 0xf0 && lead <= 0xf4) {
        check->missing = 3;
        check->low = lead == 0xf0 ? 0x90 : 0x80;
        check->high = lead == 0xf4 ? 0x8f : 0xbf;
    } else {
        check->is_invalid = true;
    }
}

void utf8_check_add(struct utf8_check *check, const char *bytes, size_t size)
{
    size_t i = 0;

    while (i < size && !check->is_invalid) {
        unsigned char byte = (unsigned char)bytes[i];

        if (check->missing) {
            check->is_invalid = byte < check->low || byte > check->high;
            check->low = 0x80;
            check->high = 0xbf;
            check->missing--;
            i++;
        } else if (byte < 0x80) {
            while (i + 8 <= size && !(load_word(bytes + i) & HIGH_BITS))
                i += 8;
            while (i < size && !(bytes[i] & 0x80))
                i++;
        } else {
            check->is_used = true;
            begin_sequence(check, byte);
            i++;
        }
    }
}

bool utf8_check_end(struct utf8_check *check)
{
    bool is_valid = !check->is_invalid && !check->missing;

    *check = (struct utf8_check){0};
    return is_valid;
}
