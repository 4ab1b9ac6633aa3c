#include "base/intern.h"

#include "base/strmap.h"

#include <stddef.h>

static struct strmap pool = STRMAP_INIT;

const char *intern(const char *text)
{
    if (!text)
        return NULL;
    if (!strmap_has(&pool, text))
        strmap_set(&pool, text, text);
    return strmap_get(&pool, text);
}
