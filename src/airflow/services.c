#include "airflow/services.h"

#include "airflow/probe.h"
#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/path.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_STOP_TIMEOUT_S 60
#define LONGEST_STOP_TIMEOUT_S (30LL * 86400)

#define PROCESSES    "processes"
#define STOP_TIMEOUT "stop_timeout"

/* The processes that go on, by the first words of their command line. */
static const struct service_def {
    const char *first, *second;
    bool reads_dags, has_tasks;
} services[] = {
    {.first = "scheduler", .reads_dags = true, .has_tasks = true},
    {.first = "webserver"},
    {.first = "api-server"},
    {.first = "dag-processor", .reads_dags = true},
    {.first = "triggerer", .has_tasks = true},
    {.first = "standalone", .reads_dags = true, .has_tasks = true},
    {.first = "celery", .second = "worker", .has_tasks = true},
    {.first = "celery", .second = "flower"},
    {.first = "edge", .second = "worker", .has_tasks = true},
};

static const struct service_def *find_service(const struct strlist *words)
{
    for (size_t i = 0; words->count && i < ARRAY_LEN(services); i++)
        if (!strcmp(services[i].first, words->items[0]) &&
            (!services[i].second ||
             (words->count > 1 && !strcmp(services[i].second, words->items[1]))))
            return &services[i];
    return NULL;
}

static bool contains_any(const struct strlist *words, const char *const *options)
{
    for (; *options; options++)
        if (strlist_contains(words, *options))
            return true;
    return false;
}

void services_rename(const struct airflow *airflow, struct strlist *words)
{
    static const char old_name[] = "webserver", new_name[] = "api-server";
    bool is_new = airflow->installed.major >= 3;

    if (!words->count || strcmp(words->items[0], is_new ? old_name : new_name) != 0)
        return;
    free(words->items[0]);
    words->items[0] = xstrdup(is_new ? new_name : old_name);
}

bool services_are_meant(const struct strlist *words)
{
    static const char *const others[] = {"-h", "--help", "-D", "--daemon", NULL};

    return find_service(words) && !contains_any(words, others);
}

bool services_read_dags(const struct strlist *words)
{
    const struct service_def *service = find_service(words);

    return service && service->reads_dags;
}

bool services_need_database(const struct strlist *words)
{
    static const char *const without[] = {"version",     "info",      "config", "db",
                                          "initdb",      "providers", "help",   "plugins",
                                          "cheat-sheet", "kerberos",  NULL};
    static const char *const help[] = {"-h", "--help", NULL};

    if (!words->count || contains_any(words, help))
        return false;
    for (const char *const *name = without; *name; name++)
        if (!strcmp(words->items[0], *name))
            return false;
    return true;
}

/* --- the plan ----------------------------------------------------------------------------- */

static void add_service(const struct airflow *airflow, struct service_set *set,
                        const struct strlist *words)
{
    const struct service_def *def = find_service(words);
    struct service *service = service_set_add(set, def->second ? def->second : def->first);

    strlist_add(&service->argv, airflow->installed.program);
    strlist_add_all(&service->argv, words);
}

/* "api-server dag-processor", "api-server,triggerer", "none" */
static int add_companions(const struct airflow *airflow, struct service_set *set, struct error *err)
{
    auto_free char *text = airflow_extra(airflow, PROCESSES);
    auto_strlist struct strlist names = STRLIST_INIT;

    if (!text)
        text = xstrdup(airflow->installed.major >= 3 ? "api-server dag-processor" : "none");
    for (char *c = text; *c; c++)
        if (*c == ',')
            *c = ' ';
    strlist_split(&names, text, ' ');
    for (size_t i = 0; i < names.count; i++) {
        auto_strlist struct strlist words = STRLIST_INIT;

        if (!*names.items[i] || !strcmp(names.items[i], "none"))
            continue;
        strlist_add(&words, names.items[i]);
        services_rename(airflow, &words);
        if (!find_service(&words) || !strcmp(words.items[0], "scheduler") ||
            !strcmp(words.items[0], "standalone")) {
            error_set(err, ERR_CONFIG,
                      "_meltshim_" PROCESSES ": '%s' is no process beside the "
                      "scheduler",
                      names.items[i]);
            return error_hint(err, "It holds names such as api-server, dag-processor and "
                                   "triggerer, or 'none' when they run elsewhere.");
        }
        add_service(airflow, set, &words);
    }
    return 0;
}

/* "90", "90s", "5m"; "none": without limit. */
static int read_stop_timeout(const struct airflow *airflow, int64_t *out_ms, struct error *err)
{
    auto_free char *text = airflow_extra(airflow, STOP_TIMEOUT);
    static const char units[] = "smhd";
    static const long long seconds[] = {1, 60, 3600, 86400};
    const char *unit;
    char *end;
    long long number;

    *out_ms = DEFAULT_STOP_TIMEOUT_S * 1000;
    if (!text)
        return 0;
    if (!strcmp(text, "none")) {
        *out_ms = -1;
        return 0;
    }
    number = strtoll(text, &end, 10);
    unit = *end ? strchr(units, *end) : units;
    if (end == text || !unit || (*end && end[1]) || number < 0 ||
        number > LONGEST_STOP_TIMEOUT_S / seconds[unit - units]) {
        error_set(err, ERR_CONFIG, "_meltshim_" STOP_TIMEOUT ": '%s' is no duration", text);
        return error_hint(err, "It is a number of seconds, or one with a unit such as 90s, 5m and "
                               "2h, or 'none' for no limit.");
    }
    *out_ms = number * seconds[unit - units] * 1000;
    return 0;
}

/* --- the gate ----------------------------------------------------------------------------- */

/* An address that means all of them is reached at the loopback one. */
static char *reachable_host(const struct airflow *airflow)
{
    auto_free char *host = airflow_get(airflow, "api", "host");

    if (!host || !strcmp(host, "0.0.0.0") || !strcmp(host, "::") || !strcmp(host, "*"))
        return xstrdup("127.0.0.1");
    return take(host);
}

/* Tasks report to the API, so it has to answer before the scheduler starts any. */
static int set_gate(const struct airflow *airflow, struct service_set *set, struct error *err)
{
    auto_free char *certificate = NULL;
    char *port;

    if (airflow->installed.major < 3)
        return 0;
    /* One with options of its own may be anywhere. */
    for (size_t i = 0; i < set->count; i++)
        if (!strcmp(set->items[i].name, "api-server") && set->items[i].argv.count == 2)
            set->gate.service = set->items[i].name;
    if (!set->gate.service)
        return 0;
    port = airflow_get(airflow, "api", "port");
    certificate = airflow_get(airflow, "api", "ssl_cert");
    set->gate.host = reachable_host(airflow);
    set->gate.port = port ? port : xstrdup("8080");
    set->gate.path = certificate ? NULL : "/api/v2/version";
    if (!probe_port_is_taken(set->gate.host, set->gate.port))
        return 0;
    error_set(err, ERR_CONFIG, "something listens on %s:%s already, where Airflow's API should be",
              set->gate.host, set->gate.port);
    return error_hint(err, "Give Airflow another port (config set airflow api.port PORT)%s.",
                      set->count > 1 ? ", or, when that is this project's API, set "
                                       "_meltshim_" PROCESSES " to none"
                                     : "");
}

int services_plan(const struct airflow *airflow, const struct strlist *words,
                  struct service_set *out, struct error *err)
{
    const struct service_def *service = find_service(words);
    auto_service_set struct service_set set = {.has_tasks = service->has_tasks};

    if (read_stop_timeout(airflow, &set.stop_timeout_ms, err) < 0 ||
        (!strcmp(service->first, "scheduler") && add_companions(airflow, &set, err) < 0))
        return -1;
    add_service(airflow, &set, words);
    if (set_gate(airflow, &set, err) < 0)
        return -1;
    *out = set;
    set = (struct service_set){0};
    return 0;
}

/* --- what a killed one leaves --------------------------------------------------------------- */

static bool is_gunicorn(const char *pid)
{
    auto_free char *path = xasprintf("/proc/%ld/cmdline", strtol(pid, NULL, 10));
    auto_strbuf struct strbuf line = STRBUF_INIT;
    struct error ignored = {0};

    return file_read(path, &line, &ignored) == 0 &&
           memmem(line.text, line.length, "gunicorn", strlen("gunicorn"));
}

void services_remove_stale_pid(const struct airflow *airflow, const struct service_set *set)
{
    auto_free char *path = path_join(airflow->home, "airflow-webserver.pid");
    auto_strbuf struct strbuf pid = STRBUF_INIT;
    struct error ignored = {0};
    bool is_needed = false;

    for (size_t i = 0; i < set->count; i++)
        is_needed |= !strcmp(set->items[i].name, "webserver");
    if (!is_needed || file_read(path, &pid, &ignored) < 0 || is_gunicorn(strbuf_text(&pid)))
        return;
    if (unlink(path) == 0)
        log_info("%s is removed: the webserver that wrote it was killed", path);
}
