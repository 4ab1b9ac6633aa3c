#include "base/path.h"
#include "base/digest.h"

#include "base/memory.h"
#include "base/strbuf.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Longer names are cut and told apart by their hash. */
#define MAX_READABLE_NAME 160

char *path_join(const char *dir, const char *name)
{
    size_t length = strlen(dir);

    if (*name == '/' || !length)
        return xstrdup(name);
    return xasprintf("%s%s%s", dir, dir[length - 1] == '/' ? "" : "/", name);
}

char *path_joinf(const char *dir, const char *format, ...)
{
    auto_free char *name = NULL;
    va_list args;

    va_start(args, format);
    name = xvasprintf(format, args);
    va_end(args);
    return path_join(dir, name);
}

char *path_parent(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        return xstrdup(".");
    return slash == path ? xstrdup("/") : xstrndup(path, (size_t)(slash - path));
}

const char *path_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

char *path_name_for(const char *text)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_:@=+";
    struct strbuf name = STRBUF_INIT;

    for (const char *at = text; *at; at++) {
        if (strchr(plain, *at) || (*at == '.' && at > text))
            strbuf_add_char(&name, *at);
        else
            strbuf_addf(&name, "%%%02x", (unsigned char)*at);
    }
    if (name.length > MAX_READABLE_NAME) {
        char hash[DIGEST_HEX_SIZE];

        digest_sha256_hex(text, strlen(text), hash);
        strbuf_truncate(&name, MAX_READABLE_NAME);
        strbuf_addf(&name, "-%s", hash);
    }
    return strbuf_take(&name);
}

char *path_resolve(const char *path)
{
    return realpath(path, NULL);
}

char *path_absolute(const char *path)
{
    auto_free char *cwd = NULL;

    if (*path == '/')
        return xstrdup(path);
    cwd = getcwd(NULL, 0);
    return path_join(cwd ? cwd : "/", path);
}

bool path_is_inside(const char *path, const char *dir)
{
    size_t length = strlen(dir);

    if (!strcmp(dir, "/"))
        return *path == '/';
    return !strncmp(path, dir, length) && (path[length] == '\0' || path[length] == '/');
}
