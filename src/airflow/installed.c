#include "airflow/installed.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/path.h"
#include "base/pep440.h"
#include "base/strbuf.h"
#include "process/find_program.h"
#include "process/process.h"

#include <ctype.h>
#include <glob.h>
#include <string.h>

/* A first start compiles all of Airflow. */
#define VERSION_TIMEOUT_MS 120000

void airflow_installed_clear(struct airflow_installed *installed)
{
    free(installed->program);
    free(installed->version);
    free(installed->packages);
    *installed = (struct airflow_installed){0};
}

/* The first file that matches the pattern below the folder; the caller frees it. */
static char *find_match(const char *folder, const char *pattern)
{
    auto_strbuf struct strbuf whole = STRBUF_INIT;
    char *first = NULL;
    glob_t found;

    for (; *folder; folder++) {
        if (strchr("*?[\\", *folder))
            strbuf_add_char(&whole, '\\');
        strbuf_add_char(&whole, *folder);
    }
    strbuf_addf(&whole, "/%s", pattern);
    if (glob(strbuf_text(&whole), 0, NULL, &found) == 0 && found.gl_pathc)
        first = xstrdup(found.gl_pathv[0]);
    globfree(&found);
    return first;
}

/* ".../apache_airflow_core-3.3.2.dist-info": Airflow 3 has its version there, and may lack the
 * distribution that carries its name. */
static bool read_distribution(struct airflow_installed *installed, const char *prefix)
{
    static const char *const distributions[] = {"apache_airflow_core", "apache_airflow"};
    static const char *const folders[] = {"site-packages", "dist-packages"};

    for (size_t i = 0; i < ARRAY_LEN(distributions) * ARRAY_LEN(folders); i++) {
        const char *distribution = distributions[i / ARRAY_LEN(folders)];
        auto_free char *pattern = xasprintf("lib/python3*/%s/%s-[0-9]*.dist-info",
                                            folders[i % ARRAY_LEN(folders)], distribution);
        auto_free char *found = find_match(prefix, pattern);
        const char *version;

        if (!found)
            continue;
        version = path_name(found) + strlen(distribution) + 1;
        installed->version = xstrndup(version, strlen(version) - strlen(".dist-info"));
        installed->packages = path_parent(found);
        return true;
    }
    return false;
}

bool airflow_is_installed_in(const char *venv)
{
    struct airflow_installed installed = {0};
    bool found = read_distribution(&installed, venv);

    airflow_installed_clear(&installed);
    return found;
}

/* The last line that looks like a version: warnings may come before it. */
static char *find_version(const char *output)
{
    auto_strlist struct strlist lines = STRLIST_INIT;

    strlist_split(&lines, output, '\n');
    for (size_t i = lines.count; i-- > 0;)
        if (isdigit((unsigned char)*lines.items[i]) && pep440_is_valid(lines.items[i]))
            return xstrdup(lines.items[i]);
    return NULL;
}

static int ask_program(struct airflow_installed *installed, const struct strlist *env,
                       struct error *err)
{
    const char *argv[] = {installed->program, "version", NULL};
    const struct spawn_spec spec = {
        .argv = argv,
        .env = (const char *const *)env->items,
        .fds = {SPAWN_NULL, SPAWN_NULL, SPAWN_INHERIT},
        .new_group = true,
    };
    auto_strbuf struct strbuf output = STRBUF_INIT;
    struct process_end end;

    if (process_capture(&spec, &output, NULL, 65536, VERSION_TIMEOUT_MS, &end, err) < 0)
        return error_wrap(err, "cannot find out the version of Airflow");
    installed->version = find_version(strbuf_text(&output));
    if (installed->version)
        return 0;
    error_set(err, ERR_START, "'%s version' prints no version", installed->program);
    return error_hint(err, "Is this Airflow? Run it by hand to see what is wrong.");
}

int airflow_installed_find(const char *program, const struct strlist *env,
                           struct airflow_installed *out, struct error *err)
{
    struct airflow_installed installed = {0};
    auto_free char *path = NULL, *resolved = NULL, *bin = NULL, *prefix = NULL;

    if (find_program(program, (const char *const *)env->items, NULL, &path, err) < 0)
        return -1;
    installed.program = path_absolute(path);
    /* A link to the program of an environment leads into it. */
    resolved = path_resolve(installed.program);
    bin = path_parent(resolved ? resolved : installed.program);
    prefix = path_parent(bin);
    if (!read_distribution(&installed, prefix) && ask_program(&installed, env, err) < 0) {
        airflow_installed_clear(&installed);
        return -1;
    }
    installed.major = (int)strtol(installed.version, NULL, 10);
    *out = installed;
    return 0;
}

bool airflow_installed_has_module(const struct airflow_installed *installed, const char *module)
{
    auto_free char *folder = NULL, *file = NULL, *pattern = NULL, *extension = NULL;

    if (!installed->packages)
        return true;
    folder = path_join(installed->packages, module);
    file = path_joinf(installed->packages, "%s.py", module);
    pattern = xasprintf("%s.*.so", module);
    extension = find_match(installed->packages, pattern);
    return file_is_directory(folder) || file_exists(file) || extension;
}
