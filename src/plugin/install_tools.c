#include "plugin/install_tools.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/path.h"
#include "base/strbuf.h"
#include "process/find_program.h"
#include "process/process.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

extern char **environ;

/* A program in the directory of the Python Meltano; NULL when there is no such thing. */
static char *find_beside_meltano(const char *search, const char *name)
{
    auto_free char *meltano = find_other_program("meltano", search);
    auto_free char *resolved = meltano ? path_resolve(meltano) : NULL;
    auto_free char *dir = resolved ? path_parent(resolved) : NULL;
    auto_free char *path = dir ? path_join(dir, name) : NULL;

    return path && file_is_executable(path) ? take(path) : NULL;
}

static char *find_python(const char *search)
{
    char *python = find_beside_meltano(search, "python");

    if (!python)
        python = find_other_program("python3", search);
    return python ? python : find_other_program("python", search);
}

int install_tools_find(struct config *config, struct install_tools *out, struct error *err)
{
    const char *search = strmap_get(config_environ(config), "PATH");
    auto_free char *backend = NULL;

    if (config_project_text(config, "venv.backend", &backend, err) < 0)
        return -1;
    out->python = find_python(search);
    out->uv = NULL;
    if (backend && strcmp(backend, "virtualenv") == 0)
        return 0;
    out->uv = find_other_program("uv", search);
    if (!out->uv)
        out->uv = find_beside_meltano(search, "uv");
    return 0;
}

void install_tools_clear(struct install_tools *tools)
{
    free(take(tools->python));
    free(take(tools->uv));
}

/* --- which Python ----------------------------------------------------------------------------- */

/* The first line of <root>/.python-version, as pyenv and uv read it. */
static int read_pinned_version(const struct project *project, char **out, struct error *err)
{
    auto_free char *path = path_join(project->root, ".python-version");
    auto_strbuf struct strbuf text = STRBUF_INIT;
    const char *start, *end;
    bool found;

    *out = NULL;
    if (file_is_directory(path))
        return 0;
    if (file_read_if_exists(path, &text, &found, err) < 0)
        return -1;
    start = strbuf_text(&text);
    end = start + strcspn(start, "\r\n");
    while (start < end && isspace((unsigned char)*start))
        start++;
    while (start < end && isspace((unsigned char)end[-1]))
        end--;
    if (start < end)
        *out = xstrndup(start, (size_t)(end - start));
    return 0;
}

int install_configured_python(struct config *config, const struct plugin *plugin, char **out,
                              struct error *err)
{
    auto_free char *setting = NULL;

    if (plugin->python && *plugin->python) {
        *out = xstrdup(plugin->python);
        return 0;
    }
    if (config_project_text(config, "python", &setting, err) < 0)
        return -1;
    if (setting && *setting) {
        *out = take(setting);
        return 0;
    }
    return read_pinned_version(config_project(config), out, err);
}

/* The length of "3.11" at the start of text, 0 when it is none. */
static size_t minor_version_length(const char *text)
{
    size_t major = strspn(text, "0123456789");
    size_t minor = text[major] == '.' ? strspn(text + major + 1, "0123456789") : 0;

    return major && minor ? major + 1 + minor : 0;
}

/* "version = 3.11.7" in the pyvenv.cfg of the environment that the interpreter belongs to. */
static char *version_of_environment(const char *python)
{
    auto_free char *bin = path_parent(python);
    auto_free char *root = path_parent(bin);
    auto_free char *path = path_join(root, "pyvenv.cfg");
    auto_strbuf struct strbuf text = STRBUF_INIT;
    struct error err = {0};

    if (file_read(path, &text, &err) < 0)
        return NULL;
    for (const char *line = strbuf_text(&text); line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, "version", strlen("version")) == 0) {
            const char *value = line + strcspn(line, "=\n");

            value += *value == '=' ? 1 + strspn(value + 1, " \t") : 0;
            if (minor_version_length(value))
                return xstrndup(value, minor_version_length(value));
        }
    }
    return NULL;
}

/* "python3.11" is what most interpreters are called in the end. */
static char *version_of_name(const char *python)
{
    static const char prefix[] = "python";
    auto_free char *resolved = path_resolve(python);
    const char *name = resolved ? path_name(resolved) : "";
    const char *version = strncmp(name, prefix, strlen(prefix)) == 0 ? name + strlen(prefix) : "";
    size_t length = minor_version_length(version);

    return length && !version[length] ? xstrndup(version, length) : NULL;
}

static char *version_by_asking(const char *python)
{
    const int64_t timeout_ms = 10000;
    const char *argv[] = {python, "-c", "import sys; print('%d.%d' % sys.version_info[:2], end='')",
                          NULL};
    struct spawn_spec spec = {
        .argv = argv,
        .env = (const char *const *)environ,
        .fds = {SPAWN_NULL},
        .new_group = true,
    };
    auto_strbuf struct strbuf out = STRBUF_INIT;
    struct process_end end;
    struct error err = {0};

    if (process_capture(&spec, &out, NULL, 100, timeout_ms, &end, &err) < 0 ||
        process_end_to_status(&end) != 0)
        return NULL;
    return strbuf_take(&out);
}

char *install_tools_python_version(const struct install_tools *tools)
{
    char *version;

    if (!tools->python)
        return NULL;
    /* Starting an interpreter costs more than everything else there is to do when nothing is to be
     * installed. */
    version = version_of_environment(tools->python);
    if (!version)
        version = version_of_name(tools->python);
    return version ? version : version_by_asking(tools->python);
}

/* --- commands --------------------------------------------------------------------------------- */

/* uv understands versions; without it "3.11" is the program python3.11. */
static char *interpreter_of(const struct install_tools *tools, const char *configured)
{
    if (!configured)
        return xstrdup_or_null(tools->python);
    if (minor_version_length(configured))
        return xasprintf("python%.*s", (int)minor_version_length(configured), configured);
    return xstrdup(configured);
}

int install_venv_command(const struct install_tools *tools, const char *configured_python,
                         const char *venv, struct strlist *argv, struct error *err)
{
    auto_free char *interpreter = NULL;

    if (tools->uv) {
        const char *python = configured_python ? configured_python : tools->python;

        strlist_add(argv, tools->uv);
        strlist_add(argv, "venv");
        if (python)
            strlist_addf(argv, "--python=%s", python);
        strlist_add(argv, venv);
        return 0;
    }
    interpreter = interpreter_of(tools, configured_python);
    if (!interpreter) {
        error_set(err, ERR_INSTALL, "there is no python3 in PATH to make an environment with");
        return error_hint(err, "Install Python or uv, or name an interpreter in the setting "
                               "'python'.");
    }
    strlist_add(argv, interpreter);
    strlist_add(argv, "-m");
    strlist_add(argv, "venv");
    strlist_add(argv, venv);
    return 0;
}

void install_pip_command(const struct install_tools *tools, const char *venv, struct strlist *argv)
{
    if (tools->uv) {
        strlist_add(argv, tools->uv);
        strlist_add(argv, "pip");
        strlist_add(argv, "install");
        strlist_addf(argv, "--python=%s/bin/python", venv);
        return;
    }
    strlist_addf(argv, "%s/bin/python", venv);
    strlist_add(argv, "-m");
    strlist_add(argv, "pip");
    strlist_add(argv, "install");
    strlist_add(argv, "--disable-pip-version-check");
}
