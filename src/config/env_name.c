#include "config/env_name.h"

#include "base/utf8.h"

#include <string.h>

void strbuf_add_env_name(struct strbuf *out, const char *text)
{
    size_t left = strlen(text);

    while (left) {
        unsigned code_point;
        size_t used = utf8_decode(text, left, &code_point);

        if ((*text >= '0' && *text <= '9') || (*text >= 'A' && *text <= 'Z'))
            strbuf_add_char(out, *text);
        else if (*text >= 'a' && *text <= 'z')
            strbuf_add_char(out, (char)(*text - 'a' + 'A'));
        else
            strbuf_add_char(out, '_');
        used = used ? used : 1;
        text += used;
        left -= used;
    }
}

char *env_name(const char *prefix, const char *setting)
{
    struct strbuf out = STRBUF_INIT;

    strbuf_add_env_name(&out, prefix);
    if (*prefix && *setting)
        strbuf_add_char(&out, '_');
    strbuf_add_env_name(&out, setting);
    return strbuf_take(&out);
}
