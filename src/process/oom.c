#include "process/oom.h"

#include "base/attrs.h"
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/strbuf.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* The number after "oom_kill " at the start of a line. */
static bool read_counter(const char *path, uint64_t *count)
{
    static const char name[] = "oom_kill ";
    auto_strbuf struct strbuf text = STRBUF_INIT;
    struct error err = {0};
    bool found;

    if (file_read_if_exists(path, &text, &found, &err) < 0 || !found)
        return false;
    for (const char *line = strbuf_text(&text); line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, name, strlen(name)) == 0) {
            *count = strtoull(line + strlen(name), NULL, 10);
            return true;
        }
    }
    return false;
}

/* Our group's path for a controller ("memory"), or in the unified hierarchy (""), from lines like
 * "4:memory:/a/b" and "0::/a/b" of /proc/self/cgroup. The caller frees it; NULL when there is none.
 */
static char *cgroup_path(const char *groups, const char *controller)
{
    size_t length = strlen(controller);

    for (const char *line = groups; line && *line; line = strchr(line, '\n')) {
        const char *names, *path;

        line += *line == '\n';
        names = strchr(line, ':');
        path = names ? strchr(names + 1, ':') : NULL;
        if (!path)
            continue;
        if ((size_t)(path - names - 1) == length && memcmp(names + 1, controller, length) == 0)
            return xstrndup(path + 1, strcspn(path + 1, "\n"));
    }
    return NULL;
}

/* The path of the counter file; found once, for a process rarely changes its group. */
static const char *counter_path(void)
{
    /* A container may see its own group as the root of what is mounted, whatever its path says. */
    static const struct {
        const char *controller, *before, *after;
    } places[] = {
        {"", "/sys/fs/cgroup", "/memory.events"},
        {"memory", "/sys/fs/cgroup/memory", "/memory.oom_control"},
    };
    static char *path;
    auto_strbuf struct strbuf groups = STRBUF_INIT;
    struct error err = {0};
    uint64_t count;

    if (path)
        return path;
    if (file_read("/proc/self/cgroup", &groups, &err) == 0) {
        for (size_t i = 0; i < ARRAY_LEN(places); i++) {
            auto_free char *group = cgroup_path(strbuf_text(&groups), places[i].controller);
            const char *candidates[] = {group, ""};

            for (size_t c = 0; group && c < ARRAY_LEN(candidates); c++) {
                auto_free char *candidate =
                    xasprintf("%s%s%s", places[i].before, candidates[c], places[i].after);

                if (read_counter(candidate, &count))
                    return path = take(candidate);
            }
        }
    }
    return path = xstrdup("/proc/vmstat");
}

uint64_t oom_kill_count(void)
{
    uint64_t count = 0;

    read_counter(counter_path(), &count);
    return count;
}
