#include "base/utf8.h"

#include "base/attrs.h"

size_t utf8_encode(unsigned code_point, char out[4])
{
    if (code_point < 0x80) {
        out[0] = (char)code_point;
        return 1;
    }
    if (code_point < 0x800) {
        out[0] = (char)(0xc0 | code_point >> 6);
        out[1] = (char)(0x80 | (code_point & 0x3f));
        return 2;
    }
    if (code_point < 0x10000) {
        out[0] = (char)(0xe0 | code_point >> 12);
        out[1] = (char)(0x80 | (code_point >> 6 & 0x3f));
        out[2] = (char)(0x80 | (code_point & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | code_point >> 18);
    out[1] = (char)(0x80 | (code_point >> 12 & 0x3f));
    out[2] = (char)(0x80 | (code_point >> 6 & 0x3f));
    out[3] = (char)(0x80 | (code_point & 0x3f));
    return 4;
}

size_t utf8_decode(const char *text, size_t size, unsigned *code_point)
{
    static const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *bytes = (const unsigned char *)text;
    unsigned value;
    size_t need;

    if (bytes[0] < 0x80) {
        *code_point = bytes[0];
        return 1;
    }
    if (bytes[0] >= 0xc2 && bytes[0] < 0xe0) {
        need = 2;
        value = bytes[0] & 0x1fu;
    } else if (bytes[0] >= 0xe0 && bytes[0] < 0xf0) {
        need = 3;
        value = bytes[0] & 0x0fu;
    } else if (bytes[0] >= 0xf0 && bytes[0] < 0xf5) {
        need = 4;
        value = bytes[0] & 0x07u;
    } else {
        return 0;
    }
    if (need > size)
        return 0;
    for (size_t i = 1; i < need; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (bytes[i] & 0x3fu);
    }
    if (value < least[need] || value > 0x10ffff)
        return 0;
    *code_point = value;
    return need;
}

bool utf8_is_valid(const char *text, size_t size)
{
    while (size) {
        unsigned code_point;
        size_t used = utf8_decode(text, size, &code_point);

        if (!used || (code_point >= 0xd800 && code_point < 0xe000))
            return false;
        text += used;
        size -= used;
    }
    return true;
}

size_t utf8_count(const char *text)
{
    size_t count = 0;

    for (; *text; text++)
        count += (*text & 0xc0) != 0x80;
    return count;
}

bool utf8_is_printable(unsigned code_point)
{
    static const struct {
        unsigned first, last;
    } hidden[] = {
        {0x0000, 0x001f}, {0x007f, 0x00a0},   {0x00ad, 0x00ad},    {0x0600, 0x0605},
        {0x061c, 0x061c}, {0x06dd, 0x06dd},   {0x070f, 0x070f},    {0x1680, 0x1680},
        {0x180e, 0x180e}, {0x2000, 0x200f},   {0x2028, 0x202f},    {0x205f, 0x206f},
        {0x3000, 0x3000}, {0xd800, 0xf8ff},   {0xfeff, 0xfeff},    {0xfff0, 0xfffb},
        {0xfffe, 0xffff}, {0xe0000, 0xe00ff}, {0xe01f0, 0x10ffff},
    };

    for (size_t i = 0; i < ARRAY_LEN(hidden); i++)
        if (code_point >= hidden[i].first && code_point <= hidden[i].last)
            return false;
    return true;
}
