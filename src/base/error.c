#include "base/error.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

struct error_kind {
    const char *name;
    int exit_status;
};

static const struct error_kind error_kinds[] = {
    [ERR_NONE] = {"none", 0},
    [ERR_FAILED] = {"failed", 1},
    [ERR_USAGE] = {"usage", 2},
    [ERR_VERSION] = {"version", 3},
    [ERR_CONFIG] = {"config", 1},
    [ERR_IO] = {"io", 1},
    [ERR_HUB] = {"hub", 1},
    [ERR_TAP] = {"tap", 10},
    [ERR_MAPPER] = {"mapper", 11},
    [ERR_TARGET] = {"target", 12},
    [ERR_COMMAND] = {"command", 13},
    [ERR_START] = {"start", 14},
    [ERR_TIMEOUT] = {"timeout", 15},
    [ERR_IDLE] = {"idle", 19},
    [ERR_INSTALL] = {"install", 16},
    [ERR_INTERRUPTED] = {"interrupted", 17},
    [ERR_TERMINATED] = {"terminated", 18},
    [ERR_DATABASE] = {"database", 20},
    [ERR_LOCKED] = {"locked", 1},
    [ERR_STATE] = {"state", 22},
    [ERR_LOST_LOCK] = {"lost-lock", 23},
    [ERR_SPOOLED] = {"spooled", 24},
    [ERR_SKIPPED] = {"skipped", 99},
};
_Static_assert(ARRAY_LEN(error_kinds) == ERR_CODE_COUNT, "an error code has no exit status");

int error_exit_status(enum error_code code)
{
    assert(code < ERR_CODE_COUNT);
    return error_kinds[code].exit_status;
}

const char *error_class(enum error_code code)
{
    assert(code < ERR_CODE_COUNT);
    return error_kinds[code].name;
}

int error_set(struct error *err, enum error_code code, const char *format, ...)
{
    /* The arguments may point into err itself, so the text is built aside. */
    char message[sizeof err->message];
    va_list args;

    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    memcpy(err->message, message, sizeof message);
    err->code = code;
    err->hint[0] = '\0';
    return -1;
}

int error_set_errno(struct error *err, enum error_code code, const char *format, ...)
{
    int saved = errno;
    char message[sizeof err->message];
    va_list args;

    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    return error_set(err, code, "%s: %s", message, strerror(saved));
}

int error_wrap(struct error *err, const char *format, ...)
{
    char cause[sizeof err->message];
    size_t used, room;
    va_list args;

    memcpy(cause, err->message, sizeof cause);
    va_start(args, format);
    vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    used = strlen(err->message);
    room = sizeof err->message - used - 1;
    strncat(err->message, ": ", room);
    strncat(err->message, cause, room > 2 ? room - 2 : 0);
    return -1;
}

int error_hint(struct error *err, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(err->hint, sizeof err->hint, format, args);
    va_end(args);
    return -1;
}
