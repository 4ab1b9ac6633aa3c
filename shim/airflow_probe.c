#include "shim/airflow_probe.h"

#include "airflow/airflow.h"
#include "base/embed.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/path.h"
#include "process/find_program.h"
#include "process/process.h"

#include <string.h>

EMBED_DECLARE(templates_airflow_probe_py);

#define PLUGIN_NAME "airflow"
#define LONGEST_MS  (60 * 1000)
#define MOST_BYTES  (64 * 1024 * 1024)
#define ERROR_TAIL  600

void airflow_place_clear(struct airflow_place *place)
{
    free(place->program);
    free(place->config_file);
    strmap_clear(&place->variables);
}

/* --- where it is -------------------------------------------------------------------------- */

static int find_on_path(const struct app *app, char **out, struct error *err)
{
    auto_strlist struct strlist environment = STRLIST_INIT;

    strmap_to_environ(&app->environment, &environment);
    return find_program(PLUGIN_NAME, (const char *const *)environment.items, NULL, out, err);
}

/* As `invoke` would start it, whatever `executable` says, for that may be a wrapper. */
static int use_plugin(struct app *app, struct airflow_place *place, struct error *err)
{
    auto_airflow struct airflow *airflow = NULL;

    if (airflow_open(app->config, place->plugin, &airflow, err) < 0) {
        if (err->code != ERR_START)
            return -1;
        *err = (struct error){0}; /* it is not installed */
        return 0;
    }
    place->plugin_is_installed = true;
    place->program = xstrdup(airflow->installed.program);
    strmap_clear(&place->variables);
    strmap_copy(&place->variables, &airflow->env);
    return 0;
}

static char *find_config_file(const struct strmap *variables)
{
    const char *file = strmap_get(variables, "AIRFLOW_CONFIG");
    const char *home = strmap_get(variables, "AIRFLOW_HOME");
    const char *user = strmap_get(variables, "HOME");

    if (file)
        return path_absolute(file);
    if (home)
        return path_join(home, "airflow.cfg");
    return path_join(user ? user : "/", PLUGIN_NAME "/airflow.cfg");
}

int airflow_place_find(struct app *app, const char *program, struct airflow_place *out,
                       struct error *err)
{
    auto_airflow_place struct airflow_place place = AIRFLOW_PLACE_INIT;
    struct error ignored = {0};

    if (!app_config(app, err))
        return -1;
    strmap_copy(&place.variables, &app->environment);
    if (program) {
        place.program = xstrdup(program);
    } else {
        place.plugin = airflow_find_plugin(app->project);
        if (place.plugin && use_plugin(app, &place, err) < 0)
            return -1;
        if (!place.program)
            find_on_path(app, &place.program, &ignored);
    }
    place.config_file = find_config_file(&place.variables);
    *out = place;
    place = (struct airflow_place)AIRFLOW_PLACE_INIT;
    return 0;
}

/* --- what it says ------------------------------------------------------------------------- */

/* `airflow` is a script for the Python that has Airflow among its libraries. */
static char *find_python(const char *program, struct error *err)
{
    auto_free char *interpreter = find_interpreter(program);
    auto_free char *resolved = path_resolve(program);
    auto_free char *directory = path_parent(resolved ? resolved : program);
    auto_free char *sibling = path_join(directory, "python");

    if (interpreter && !strncmp(path_name(interpreter), "python", 6))
        return take(interpreter);
    if (file_is_executable(sibling))
        return take(sibling);
    error_set(err, ERR_START, "cannot tell which Python runs %s", program);
    return NULL;
}

/* The end of what it complained about. */
static int refuse_end(const struct process_end *end, const struct strbuf *errors, struct error *err)
{
    const char *text = strbuf_text(errors);
    size_t length = strlen(text);
    char how[64];

    while (length && text[length - 1] == '\n')
        length--;
    if (length > ERROR_TAIL)
        text += length - ERROR_TAIL, length = ERROR_TAIL;
    return error_set(err, ERR_FAILED, "Airflow's configuration cannot be read (%s): %.*s",
                     process_end_describe(end, how, sizeof how), (int)length, text);
}

int airflow_probe(const struct airflow_place *place, struct value **facts, struct error *err)
{
    auto_free char *python = find_python(place->program, err);
    const char *argv[] = {python, "-c", EMBED(templates_airflow_probe_py), NULL};
    auto_strmap struct strmap variables = STRMAP_INIT;
    auto_strlist struct strlist environment = STRLIST_INIT;
    auto_strbuf struct strbuf out = STRBUF_INIT, errors = STRBUF_INIT;
    struct spawn_spec spec = {.argv = argv, .fds = {SPAWN_NULL}, .new_group = true};
    struct process_end end;

    if (!python)
        return -1;
    strmap_copy(&variables, &place->variables);
    strmap_set(&variables, "AIRFLOW_CONFIG", place->config_file);
    /* Airflow 2 makes this file when it is not there; the doctor makes nothing. */
    strmap_set(&variables, "AIRFLOW__WEBSERVER__CONFIG_FILE", place->config_file);
    strmap_to_environ(&variables, &environment);
    spec.env = (const char *const *)environment.items;
    if (process_capture(&spec, &out, &errors, MOST_BYTES, LONGEST_MS, &end, err) < 0)
        return -1;
    if (process_end_to_status(&end) != 0)
        return refuse_end(&end, &errors, err);
    return json_parse(strbuf_text(&out), out.length, "Airflow's answer", facts, err);
}
