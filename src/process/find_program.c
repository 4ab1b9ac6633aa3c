#include "process/find_program.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/path.h"
#include "base/strlist.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What Linux takes of one string, its NUL included. */
#define MAX_VARIABLE_SIZE (128 * 1024)

#define USUAL_SEARCH "/usr/local/bin:/usr/bin:/bin"

static const char *env_value(const char *const *env, const char *name)
{
    size_t length = strlen(name);

    for (; env && *env; env++) {
        if (strncmp(*env, name, length) == 0 && (*env)[length] == '=')
            return *env + length + 1;
    }
    return NULL;
}

int find_program(const char *name, const char *const *env, const char *cwd, char **path,
                 struct error *err)
{
    auto_strlist struct strlist dirs = STRLIST_INIT;
    const char *search = env_value(env, "PATH");

    if (strchr(name, '/')) {
        *path = xstrdup(name);
        return 0;
    }
    strlist_split(&dirs, search ? search : USUAL_SEARCH, ':');
    for (size_t i = 0; i < dirs.count && *name; i++) {
        auto_free char *candidate = path_join(*dirs.items[i] ? dirs.items[i] : ".", name);
        auto_free char *seen_from_here = cwd ? path_join(cwd, candidate) : xstrdup(candidate);

        if (file_is_executable(seen_from_here)) {
            *path = take(candidate);
            return 0;
        }
    }
    return error_set(err, ERR_START, "cannot start '%s': no such program in PATH", name);
}

static bool is_this_program(const char *path)
{
    struct stat other, self;

    return stat(path, &other) == 0 && stat("/proc/self/exe", &self) == 0 &&
           other.st_dev == self.st_dev && other.st_ino == self.st_ino;
}

char *find_other_program(const char *name, const char *search)
{
    auto_strlist struct strlist dirs = STRLIST_INIT;

    strlist_split(&dirs, search ? search : USUAL_SEARCH, ':');
    for (size_t i = 0; i < dirs.count; i++) {
        auto_free char *candidate = path_join(*dirs.items[i] ? dirs.items[i] : ".", name);

        if (file_is_executable(candidate) && !is_this_program(candidate))
            return take(candidate);
    }
    return NULL;
}

char *find_interpreter(const char *path)
{
    char line[512];
    auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, line, sizeof line - 1);
    const char *start;

    if (got < 2 || memcmp(line, "#!", 2) != 0)
        return NULL;
    line[got] = '\0';
    start = line + 2 + strspn(line + 2, " \t");
    return xstrndup(start, strcspn(start, " \t\r\n"));
}

/* The variables of a plugin are its settings, and each has a limit of its own. */
static int explain_size(const char *const *env, struct error *err)
{
    const char *longest = "";
    size_t most = 0;

    for (; env && *env; env++) {
        size_t size = strlen(*env) + 1;

        if (size > most) {
            most = size;
            longest = *env;
        }
    }
    if (most > MAX_VARIABLE_SIZE)
        return error_hint(err,
                          "The variable '%.*s' of its environment has %zu bytes, and Linux takes "
                          "%d: shorten the setting that it holds.",
                          (int)strcspn(longest, "="), longest, most, MAX_VARIABLE_SIZE);
    return error_hint(err,
                      "Its arguments and its environment are too much together; the longest "
                      "variable is '%.*s' with %zu bytes. 'ulimit -s' bounds their sum.",
                      (int)strcspn(longest, "="), longest, most);
}

int describe_exec_failure(const char *path, const char *const *env, int error_number,
                          struct error *err)
{
    auto_free char *interpreter = error_number == ENOENT ? find_interpreter(path) : NULL;

    if (interpreter) {
        error_set(err, ERR_START, "cannot start '%s': its interpreter '%s' does not exist", path,
                  interpreter);
        return error_hint(err, "The environment was moved, or its Python was removed: install it "
                               "again.");
    }
    errno = error_number;
    error_set_errno(err, ERR_START, "cannot start '%s'", path);
    if (error_number == EACCES)
        return error_hint(err, "Check that it is a file with the right to execute it.");
    if (error_number == E2BIG)
        return explain_size(env, err);
    if (error_number == ENOEXEC)
        return error_hint(err, "It is neither a program for this machine nor a script that begins "
                               "with '#!'.");
    return -1;
}
