/* base/error.h - what failed and what to do next, set by whoever noticed it, printed once. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include "base/attrs.h"

#include <stdarg.h>

/* The classes of failure. error_exit_status() maps each to an exit status; docs/exit-codes.md is
 * the table users read, and a test keeps the two in step. */
enum error_code {
    ERR_NONE,
    ERR_FAILED,      /* anything without a class of its own */
    ERR_USAGE,       /* unknown command or option, wrong argument, not inside a project */
    ERR_VERSION,     /* requires_meltano is not satisfied */
    ERR_CONFIG,      /* meltano.yml, a lock file, a setting or a schedule is wrong */
    ERR_IO,          /* a file could not be read or written */
    ERR_HUB,         /* the plugin hub did not answer or does not know the plugin */
    ERR_TAP,         /* the extractor failed */
    ERR_MAPPER,      /* a mapper failed */
    ERR_TARGET,      /* the loader failed */
    ERR_COMMAND,     /* a plugin command failed */
    ERR_START,       /* a plugin could not be started */
    ERR_TIMEOUT,     /* --timeout ran out */
    ERR_IDLE,        /* --idle-timeout: no byte moved for so long */
    ERR_INSTALL,     /* a plugin could not be installed */
    ERR_INTERRUPTED, /* SIGINT */
    ERR_TERMINATED,  /* SIGTERM or SIGHUP */
    ERR_DATABASE,    /* the system database could not be opened, read or written */
    ERR_LOCKED,      /* another run of the same state id is active */
    ERR_STATE,       /* state could not be saved */
    ERR_LOST_LOCK,   /* the run no longer owns its state id and must not write */
    ERR_SPOOLED,     /* what the database should have is kept in a file for the next run */
    ERR_SKIPPED,     /* nothing was done, by policy */
    ERR_CODE_COUNT,
};

struct error {
    enum error_code code;
    char message[1024]; /* what failed: lower case, no full stop */
    char hint[512];     /* what to do next: a sentence, or empty */
};

/* Sets code and message and clears the hint. Returns -1, so that callers can return it. */
int error_set(struct error *err, enum error_code code, const char *format, ...) ATTR_PRINTF(3, 4);

/* As error_set(), ending in ": " and the text of errno. */
int error_set_errno(struct error *err, enum error_code code, const char *format, ...)
    ATTR_PRINTF(3, 4);

/* Puts "what: " before the message that is there. Returns -1. */
int error_wrap(struct error *err, const char *format, ...) ATTR_PRINTF(2, 3);

/* Sets the hint. Returns -1. */
int error_hint(struct error *err, const char *format, ...) ATTR_PRINTF(2, 3);

int error_exit_status(enum error_code code);
/* A stable word for the class: "tap", "database", ... */
const char *error_class(enum error_code code);

#endif
