/* `airflow doctor`: what keeps the project's DAGs from running as they should, and what to type
 * against it. It changes nothing. */
#include "airflow/installed.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/path.h"
#include "base/pep440.h"
#include "base/redact.h"
#include "shim/airflow_dags.h"
#include "shim/airflow_probe.h"
#include "shim/commands.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINK_NAME "run/bin"

/* Airflow 3 refuses the tokens of a machine whose clock differs by more. */
#define LARGEST_CLOCK_DIFFERENCE_S 10
/* A scheduler reports every five seconds; Airflow takes it for dead after thirty. */
#define LONGEST_SILENCE_S 60
#define DEEPEST_FOLDER    8

enum level { LEVEL_OK, LEVEL_NOTE, LEVEL_WRONG, LEVEL_COUNT };

static const char *const level_names[LEVEL_COUNT] = {"ok", "note", "wrong"};

struct finding {
    enum level level;
    const char *check; /* static */
    char *message;
    char *mend; /* a command, or NULL */
};

struct doctor {
    struct app *app;
    struct config *config;
    struct airflow_place place;
    struct value *facts; /* of the probe; NULL when there is nothing to know */
    struct dag_list *dags;
    struct dag_plan *plan;
    char *airflow; /* how `airflow` is called here */
    struct finding *findings;
    size_t count, capacity;
};

static void doctor_clear(struct doctor *doctor)
{
    for (size_t i = 0; i < doctor->count; i++) {
        free(doctor->findings[i].message);
        free(doctor->findings[i].mend);
    }
    free(doctor->findings);
    free(doctor->airflow);
    airflow_place_clear(&doctor->place);
    value_free(doctor->facts);
    dag_plan_free(doctor->plan);
    dag_list_free(doctor->dags);
}
#define auto_doctor ATTR_CLEANUP(doctor_clear)

static void note(struct doctor *doctor, enum level level, const char *check, const char *format,
                 ...) ATTR_PRINTF(4, 5);

static void note(struct doctor *doctor, enum level level, const char *check, const char *format,
                 ...)
{
    va_list args;

    GROW(doctor->findings, doctor->count, doctor->capacity);
    va_start(args, format);
    doctor->findings[doctor->count++] =
        (struct finding){.level = level, .check = check, .message = xvasprintf(format, args)};
    va_end(args);
}

static void mend(struct doctor *doctor, const char *format, ...) ATTR_PRINTF(2, 3);

/* The command against what was noted last. */
static void mend(struct doctor *doctor, const char *format, ...)
{
    struct finding *last = &doctor->findings[doctor->count - 1];
    va_list args;

    va_start(args, format);
    free(last->mend);
    last->mend = xvasprintf(format, args);
    va_end(args);
}

static char *shell_word(const char *text)
{
    struct strbuf word = STRBUF_INIT;

    strbuf_add_shell_word(&word, text);
    return strbuf_take(&word);
}

static const char *fact(const struct doctor *doctor, const char *key)
{
    const char *text = value_get_text(doctor->facts, key);

    return text ? text : "";
}

static bool is_true(const struct value *map, const char *key)
{
    const struct value *value = value_get(map, key);

    return value && value_is_truthy(value);
}

/* --- the installation --------------------------------------------------------------------- */

static void choose_words(struct doctor *doctor, const char *program)
{
    if (program)
        doctor->airflow = shell_word(program);
    else if (doctor->place.plugin_is_installed)
        doctor->airflow = xasprintf("%s invoke airflow", doctor->app->program);
    else
        doctor->airflow = xstrdup("airflow");
}

/* Whether there is an Airflow to ask. */
static bool check_installation(struct doctor *doctor)
{
    const struct airflow_place *place = &doctor->place;

    if (place->plugin && !place->plugin_is_installed) {
        note(doctor, LEVEL_WRONG, "airflow", "the project's plugin 'airflow' is not installed");
        mend(doctor, "%s install --plugin-type %s airflow", doctor->app->program,
             plugin_type_info(place->plugin->type)->singular);
    }
    if (!place->program) {
        if (!place->plugin)
            note(doctor, LEVEL_WRONG, "airflow",
                 "there is no Airflow: no plugin 'airflow' in the project, no 'airflow' on the "
                 "PATH");
        if (!place->plugin)
            mend(doctor, "%s airflow doctor --airflow=/path/to/airflow", doctor->app->program);
        return false;
    }
    if (file_exists(place->config_file))
        return true;
    note(doctor, LEVEL_WRONG, "airflow", "%s was never started: there is no %s", place->program,
         place->config_file);
    mend(doctor, "%s db migrate", doctor->airflow);
    return false;
}

static void check_version(struct doctor *doctor)
{
    const char *version = fact(doctor, "version");

    if (pep440_compare(version, AIRFLOW_OLDEST_TESTED) < 0) {
        note(doctor, LEVEL_WRONG, "airflow",
             "Airflow %s is older than " AIRFLOW_OLDEST_TESTED
             ", the oldest that can read the DAG files",
             version);
        mend(doctor, "pip install --upgrade 'apache-airflow<3'");
    } else if (pep440_compare(version, AIRFLOW_FIRST_UNTESTED) >= 0) {
        note(doctor, LEVEL_NOTE, "airflow", "Airflow %s is newer than all that were tested",
             version);
    } else {
        note(doctor, LEVEL_OK, "airflow", "Airflow %s, %s", version, doctor->place.program);
    }
    if (!is_true(doctor->facts, "has_bash")) {
        note(doctor, LEVEL_WRONG, "airflow", "the operator of the tasks, BashOperator, is missing");
        mend(doctor, "pip install apache-airflow-providers-standard");
    }
}

/* --- executor and databases --------------------------------------------------------------- */

static int check_executor(struct doctor *doctor, struct error *err)
{
    const char *executor = fact(doctor, "executor");
    bool is_distributed = strstr(executor, "Celery") || strstr(executor, "Kubernetes");
    auto_free char *uri = NULL;

    if (strstr(executor, "Sequential")) {
        note(doctor, LEVEL_NOTE, "executor", "%s runs one task at a time", executor);
        mend(doctor, "export AIRFLOW__CORE__EXECUTOR=LocalExecutor");
    } else {
        note(doctor, LEVEL_OK, "executor", "%s", executor);
    }
    if (!is_distributed)
        return 0;
    if (config_project_text(doctor->config, "database_uri", &uri, err) < 0)
        return -1;
    if (!uri || strncmp(uri, "sqlite", 6) != 0)
        return 0;
    note(doctor, LEVEL_WRONG, "executor",
         "%s runs tasks on several machines, but the project's system database is a SQLite file: "
         "state and locks are not shared",
         executor);
    mend(doctor, "export MELTANO_DATABASE_URI=postgresql://USER:PASSWORD@HOST/meltano");
    return 0;
}

static void check_migrations(struct doctor *doctor, const struct value *database)
{
    const char *revision = value_get_text(database, "revision");
    const char *newest = value_get_text(database, "newest_revision");

    if (!revision)
        note(doctor, LEVEL_WRONG, "database", "the metadata database %s has no tables yet",
             value_get_text(database, "shown"));
    else if (newest && strcmp(revision, newest) != 0)
        note(doctor, LEVEL_WRONG, "database",
             "the metadata database %s is at revision %s, Airflow %s needs %s",
             value_get_text(database, "shown"), revision, fact(doctor, "version"), newest);
    else
        return;
    mend(doctor, "%s db migrate", doctor->airflow);
}

static void check_clock(struct doctor *doctor, const struct value *database)
{
    const char *text = value_get_text(database, "ahead_s");
    double ahead_s = text ? strtod(text, NULL) : 0;

    if (ahead_s <= LARGEST_CLOCK_DIFFERENCE_S && ahead_s >= -LARGEST_CLOCK_DIFFERENCE_S)
        return;
    note(doctor, LEVEL_WRONG, "clock", "the clock of the metadata database is %.0f s %s ours",
         ahead_s < 0 ? -ahead_s : ahead_s, ahead_s < 0 ? "behind" : "ahead of");
    mend(doctor, "timedatectl set-ntp true");
}

/* Whether Airflow's tables can be relied on. */
static bool check_database(struct doctor *doctor)
{
    const struct value *database = value_get(doctor->facts, "database");
    const char *error = value_get_text(database, "error");
    const char *shown = value_get_text(database, "shown");
    size_t before = doctor->count;

    if (error) {
        note(doctor, LEVEL_WRONG, "database", "the metadata database %s cannot be read: %s",
             shown ? shown : "", error);
        mend(doctor, "%s db check", doctor->airflow);
        return false;
    }
    check_migrations(doctor, database);
    if (doctor->count > before)
        return false;
    note(doctor, LEVEL_OK, "database", "%s", shown);
    if (!strcmp(value_get_text(database, "kind"), "sqlite")) {
        note(doctor, LEVEL_NOTE, "database",
             "SQLite is not meant for production: use PostgreSQL for Airflow's metadata");
        mend(doctor, "export AIRFLOW__DATABASE__SQL_ALCHEMY_CONN="
                     "postgresql+psycopg2://USER:PASSWORD@HOST/airflow");
    }
    check_clock(doctor, database);
    return true;
}

static void check_process(struct doctor *doctor, const char *job_type, const char *name)
{
    const struct value *beat = value_get(value_get(doctor->facts, "heartbeats"), job_type);
    long long age_s = value_to_int(beat, -1);

    if (beat && age_s <= LONGEST_SILENCE_S)
        return;
    if (beat)
        note(doctor, LEVEL_WRONG, name, "the %s has not been heard of for %lld s", name, age_s);
    else
        note(doctor, LEVEL_WRONG, name, "no %s is running", name);
    mend(doctor, "%s %s", doctor->airflow, name);
}

static void check_processes(struct doctor *doctor)
{
    size_t before = doctor->count;

    check_process(doctor, "SchedulerJob", "scheduler");
    if (strncmp(fact(doctor, "version"), "2.", 2) != 0)
        check_process(doctor, "DagProcessorJob", "dag-processor");
    if (doctor->count == before)
        note(doctor, LEVEL_OK, "scheduler", "reports regularly");
}

/* --- the DAG folder ----------------------------------------------------------------------- */

static bool is_read_by_airflow(const struct doctor *doctor)
{
    const struct value *folders = value_get(doctor->facts, "folders");
    auto_free char *ours = path_resolve(doctor->plan->folder);

    for (size_t i = 0; i < value_count(folders); i++) {
        const char *folder = value_text(value_at(folders, i));
        auto_free char *theirs = folder ? path_resolve(folder) : NULL;

        /* One that is not there yet cannot be resolved. */
        if (folder && path_is_inside(ours ? ours : doctor->plan->folder, theirs ? theirs : folder))
            return true;
    }
    return false;
}

static void check_folder(struct doctor *doctor)
{
    const struct value *folders = value_get(doctor->facts, "folders");
    const char *first = value_text(value_at(folders, 0));

    if (is_read_by_airflow(doctor)) {
        note(doctor, LEVEL_OK, "dag-folder", "%s", doctor->plan->folder);
    } else if (is_true(doctor->facts, "has_other_dags") || !first) {
        note(doctor, LEVEL_NOTE, "dag-folder",
             "Airflow gets DAGs by other ways than a folder, which cannot be compared with %s",
             doctor->plan->folder);
    } else {
        auto_free char *folder = path_join(first, path_name(doctor->app->project->root));
        auto_free char *word = shell_word(folder);

        note(doctor, LEVEL_WRONG, "dag-folder", "Airflow reads %s, the project's files go to %s",
             first, doctor->plan->folder);
        mend(doctor, "%s airflow generate --output %s", doctor->app->program, word);
    }
}

static void check_files(struct doctor *doctor, const char *output)
{
    const struct dag_plan *plan = doctor->plan;

    if (!dag_plan_is_stale(plan)) {
        note(doctor, LEVEL_OK, "files", "%zu, up to date", plan->count);
        return;
    }
    note(doctor, LEVEL_WRONG, "files", "%s: %zu missing, %zu stale, %zu left over", plan->folder,
         dag_plan_count(plan, DAG_ADDED), dag_plan_count(plan, DAG_CHANGED),
         dag_plan_count(plan, DAG_REMOVED));
    if (output) {
        auto_free char *word = shell_word(output);

        mend(doctor, "%s airflow generate --output %s", doctor->app->program, word);
    } else {
        mend(doctor, "%s airflow generate", doctor->app->program);
    }
}

/* Both stock generators ask Meltano for the schedules whenever their file is read. */
static bool is_stock_generator(const char *path)
{
    auto_strbuf struct strbuf text = STRBUF_INIT;
    struct error ignored;

    return file_read(path, &text, &ignored) == 0 && strstr(strbuf_text(&text), "--format=json") &&
           strstr(strbuf_text(&text), "schedule") && strstr(strbuf_text(&text), "MELTANO");
}

static void find_stock_generators(const char *folder, int depth, struct strlist *out)
{
    DIR *dir = depth < DEEPEST_FOLDER ? opendir(folder) : NULL;
    const struct dirent *entry;

    while (dir && (entry = readdir(dir))) {
        auto_free char *path = path_join(folder, entry->d_name);
        size_t length = strlen(entry->d_name);

        if (entry->d_name[0] == '.' || !strcmp(entry->d_name, "__pycache__"))
            continue;
        if (file_is_directory(path))
            find_stock_generators(path, depth + 1, out);
        else if (length > 3 && !strcmp(entry->d_name + length - 3, ".py") &&
                 is_stock_generator(path))
            strlist_add_unique(out, path);
    }
    if (dir)
        closedir(dir);
}

static void check_generators(struct doctor *doctor, struct strlist *found)
{
    const struct value *folders = value_get(doctor->facts, "folders");

    for (size_t i = 0; i < value_count(folders); i++)
        find_stock_generators(value_text(value_at(folders, i)), 0, found);
    if (!value_count(folders))
        find_stock_generators(doctor->plan->folder, 0, found);
    strlist_sort(found);
    for (size_t i = 0; i < found->count; i++) {
        auto_free char *word = shell_word(found->items[i]);

        if (dag_plan_count(doctor->plan, DAG_ADDED) == doctor->plan->count)
            continue; /* none of ours is there: it works alone */
        note(doctor, LEVEL_WRONG, "generators",
             "%s makes the DAGs of the project's schedules a second time", found->items[i]);
        mend(doctor, "rm %s", word);
    }
}

/* The link by which the stock generators, and the tasks of their DAGs, call Meltano. Another
 * Meltano behind it is nothing wrong, but often not what was meant. */
static void check_link(struct doctor *doctor, const struct strlist *generators)
{
    auto_free char *link = path_join(doctor->app->project->sys_dir, LINK_NAME);
    auto_free char *target = path_resolve(link);
    auto_free char *self = path_resolve("/proc/self/exe");
    auto_free char *self_word = shell_word(self ? self : doctor->app->program);
    auto_free char *link_word = shell_word(link);

    if (target && self && !strcmp(target, self)) {
        note(doctor, LEVEL_OK, "run-link", "%s is meltshim", link);
        return;
    }
    if (target)
        note(doctor, LEVEL_NOTE, "run-link", "%s is another Meltano, %s%s", link, target,
             generators->count ? ", and the stock generator calls that one" : "");
    else
        note(doctor, generators->count ? LEVEL_WRONG : LEVEL_NOTE, "run-link",
             "%s leads nowhere: the stock generators take the first 'meltano' on the PATH", link);
    mend(doctor, "ln -sfn %s %s", self_word, link_word);
}

/* --- what Airflow knows of the DAGs ------------------------------------------------------- */

static const struct dag_file *find_file(const struct doctor *doctor, const char *path)
{
    for (size_t i = 0; i < doctor->plan->count; i++)
        if (!strcmp(doctor->plan->files[i].name, path_name(path)))
            return &doctor->plan->files[i];
    return NULL;
}

static void check_import_errors(struct doctor *doctor)
{
    const struct value *errors = value_get(doctor->facts, "import_errors");

    for (size_t i = 0; i < value_count(errors); i++) {
        const struct value *error = value_at(errors, i);
        const char *path = value_get_text(error, "file");

        if (!path || !find_file(doctor, path))
            continue;
        note(doctor, LEVEL_WRONG, "import-errors", "%s: %s", path_name(path),
             value_get_text(error, "text"));
        mend(doctor, "%s dags list-import-errors", doctor->airflow);
    }
}

static const struct value *find_dag(const struct doctor *doctor, const char *dag_id)
{
    const struct value *dags = value_get(doctor->facts, "dags");

    for (size_t i = 0; i < value_count(dags); i++) {
        const struct value *dag = value_at(dags, i);

        if (!strcmp(value_get_text(dag, "id"), dag_id) && is_true(dag, "is_current"))
            return dag;
    }
    return NULL;
}

static void check_dag(struct doctor *doctor, const struct dag_file *file, struct strlist *unknown,
                      struct strlist *paused)
{
    const struct value *known = find_dag(doctor, file->dag->dag_id);
    const char *path = known ? value_get_text(known, "file") : NULL;

    if (!known) {
        strlist_add(unknown, file->dag->dag_id);
        return;
    }
    if (path && strcmp(path_name(path), file->name) != 0) {
        auto_free char *word = shell_word(path);

        note(doctor, LEVEL_WRONG, "dags", "the DAG '%s' is also in %s", file->dag->dag_id, path);
        mend(doctor, "rm %s", word);
    }
    if (is_true(known, "is_paused"))
        strlist_add(paused, file->dag->dag_id);
}

static void check_dags(struct doctor *doctor)
{
    auto_strlist struct strlist unknown = STRLIST_INIT, paused = STRLIST_INIT;
    size_t before = doctor->count, checked = 0;
    auto_free char *names = NULL;

    for (size_t i = 0; i < doctor->plan->count; i++) {
        const struct dag_file *file = &doctor->plan->files[i];

        if (!file->dag || file->change == DAG_ADDED)
            continue;
        checked++;
        check_dag(doctor, file, &unknown, &paused);
    }
    if (unknown.count) {
        names = strlist_join(&unknown, ", ");
        note(doctor, LEVEL_WRONG, "dags", "Airflow has not read %s yet", names);
        mend(doctor, "%s dags reserialize", doctor->airflow);
    }
    for (size_t i = 0; i < paused.count; i++) {
        note(doctor, LEVEL_NOTE, "paused", "the DAG '%s' is paused", paused.items[i]);
        mend(doctor, "%s dags unpause %s", doctor->airflow, paused.items[i]);
    }
    if (doctor->count == before && checked)
        note(doctor, LEVEL_OK, "dags", "Airflow knows all %zu", checked);
}

static void add_pool(const struct dag_argument_list *arguments, struct strlist *out)
{
    const struct dag_argument *pool = dag_argument_find(arguments, "pool");

    if (pool)
        strlist_add_unique(out, pool->text);
}

static void check_pools(struct doctor *doctor)
{
    const struct value *known = value_get(doctor->facts, "pools");
    auto_strlist struct strlist pools = STRLIST_INIT;

    for (size_t i = 0; i < doctor->dags->count; i++) {
        const struct dag *dag = doctor->dags->items[i];

        add_pool(&dag->defaults, &pools);
        for (size_t j = 0; j < dag->task_count; j++)
            add_pool(&dag->tasks[j].arguments, &pools);
    }
    for (size_t i = 0; i < pools.count; i++) {
        auto_free char *word = shell_word(pools.items[i]);
        bool exists = false;

        for (size_t j = 0; j < value_count(known) && !exists; j++)
            exists = !strcmp(value_text(value_at(known, j)), pools.items[i]);
        if (exists)
            continue;
        note(doctor, LEVEL_WRONG, "pools",
             "the pool '%s' does not exist: tasks that name it stay queued", pools.items[i]);
        mend(doctor, "%s pools set %s 1 ''", doctor->airflow, word);
    }
}

/* --- secrets and variables ---------------------------------------------------------------- */

static void check_secrets(struct doctor *doctor)
{
    const struct value *secrets = value_get(doctor->facts, "secrets");
    size_t before = doctor->count;

    for (size_t i = 0; i < value_count(secrets); i++) {
        const struct value_member *secret = value_member_at(secrets, i);
        auto_free char *variable = xasprintf("AIRFLOW__%s", secret->key);
        bool is_fernet = !strcmp(secret->key, "core.fernet_key");
        char *dot = strchr(variable, '.');

        if (value_is_truthy(secret->value))
            continue;
        note(doctor, is_fernet ? LEVEL_NOTE : LEVEL_WRONG, "secrets",
             is_fernet ? "%s is not set: connections are stored as they are"
                       : "%s is not set: each process of Airflow makes its own, and they refuse "
                         "each other",
             secret->key);
        for (char *at = variable; *at; at++)
            if (*at >= 'a' && *at <= 'z')
                *at -= 'a' - 'A';
        mend(doctor, "export %.*s__%s=\"$(openssl rand -base64 32 | tr '+/' '-_')\"",
             (int)(dot - variable), variable, dot + 1);
    }
    if (doctor->count == before)
        note(doctor, LEVEL_OK, "secrets", "shared by all processes");
}

static void check_config_mode(struct doctor *doctor)
{
    auto_free char *word = shell_word(doctor->place.config_file);
    struct stat about;

    if (stat(doctor->place.config_file, &about) < 0 || !(about.st_mode & (S_IRGRP | S_IROTH)))
        return;
    note(doctor, LEVEL_NOTE, "secrets", "others can read %s, which may hold secrets",
         doctor->place.config_file);
    mend(doctor, "chmod 600 %s", word);
}

static void check_variables(struct doctor *doctor)
{
    const struct value *overriding = value_get(doctor->facts, "overriding");
    static const char *const ours[] = {"MELTANO_ENVIRONMENT", "MELTANO_DATABASE_URI",
                                       "MELTANO_PROJECT_ROOT"};
    auto_strlist struct strlist names = STRLIST_INIT;
    auto_free char *list = NULL;

    for (size_t i = 0; i < value_count(overriding); i++)
        strlist_add(&names, value_text(value_at(overriding, i)));
    if (names.count) {
        list = strlist_join(&names, ", ");
        note(doctor, LEVEL_NOTE, "variables", "these win over %s, which says something else: %s",
             doctor->place.config_file, list);
    }
    for (size_t i = 0; i < ARRAY_LEN(ours); i++)
        if (strmap_has(&doctor->app->environment, ours[i])) {
            note(doctor, LEVEL_NOTE, "variables", "%s is set, and overrides the project", ours[i]);
            mend(doctor, "unset %s", ours[i]);
        }
}

/* --- the system database ------------------------------------------------------------------ */

/* Their locks went down with them, but their rows keep Meltano itself from starting. */
static int check_runs(struct doctor *doctor, struct error *err)
{
    struct store *store = app_store(doctor->app, STORE_READ, err);
    struct run_row_list stale = {0};

    if (!store || store_list_stale_runs(store, &stale, err) < 0)
        return -1;
    for (size_t i = 0; i < stale.count; i++) {
        note(doctor, LEVEL_NOTE, "runs",
             "a run of '%s' is marked as running and has died; the next one puts that right",
             stale.items[i].state_id);
        mend(doctor, "%s runs list", doctor->app->program);
    }
    if (!stale.count)
        note(doctor, LEVEL_OK, "runs", "none is in the way");
    run_row_list_clear(&stale);
    return 0;
}

/* --- the command -------------------------------------------------------------------------- */

struct doctor_args {
    struct dag_args dags;
    const char *airflow;
    int format;
};

static int check_facts(struct doctor *doctor, struct error *err)
{
    check_version(doctor);
    if (check_executor(doctor, err) < 0)
        return -1;
    check_folder(doctor);
    check_secrets(doctor);
    check_config_mode(doctor);
    check_variables(doctor);
    if (!check_database(doctor))
        return 0;
    check_processes(doctor);
    check_import_errors(doctor);
    if (is_read_by_airflow(doctor))
        check_dags(doctor);
    check_pools(doctor);
    return 0;
}

/* What Airflow cannot tell is a finding as any other. */
static void ask_airflow(struct doctor *doctor)
{
    struct error err = {0};

    if (!check_installation(doctor) || airflow_probe(&doctor->place, &doctor->facts, &err) == 0)
        return;
    note(doctor, LEVEL_WRONG, "airflow", "%s", err.message);
    mend(doctor, "%s version", doctor->airflow);
}

static int examine(struct doctor *doctor, const struct doctor_args *args, struct error *err)
{
    auto_strlist struct strlist generators = STRLIST_INIT;

    doctor->config = app_config(doctor->app, err);
    if (!doctor->config ||
        airflow_place_find(doctor->app, args->airflow, &doctor->place, err) < 0 ||
        airflow_dags_plan(doctor->app, &args->dags, DAG_PLAN_LOOK, &doctor->dags, &doctor->plan,
                          err) < 0)
        return -1;
    choose_words(doctor, args->airflow);
    ask_airflow(doctor);
    if (doctor->facts && check_facts(doctor, err) < 0)
        return -1;
    check_files(doctor, args->dags.output);
    check_generators(doctor, &generators);
    check_link(doctor, &generators);
    return check_runs(doctor, err);
}

static size_t count_level(const struct doctor *doctor, enum level level)
{
    size_t count = 0;

    for (size_t i = 0; i < doctor->count; i++)
        count += doctor->findings[i].level == level;
    return count;
}

static void print_text(const struct doctor *doctor)
{
    for (size_t i = 0; i < doctor->count; i++) {
        const struct finding *finding = &doctor->findings[i];

        app_print(doctor->app, "%-5s  %-13s  %s\n", level_names[finding->level], finding->check,
                  finding->message);
        if (finding->mend)
            app_print(doctor->app, "%-5s  %-13s  > %s\n", "", "", finding->mend);
    }
    app_print(doctor->app, "%zu wrong, %zu to note\n", count_level(doctor, LEVEL_WRONG),
              count_level(doctor, LEVEL_NOTE));
}

static void print_json(const struct doctor *doctor)
{
    auto_value struct value *answer = value_new_map();
    struct value *findings = value_new_list();

    value_set_string_or_null(answer, "airflow", doctor->place.program);
    value_set_string_or_null(answer, "version", value_get_text(doctor->facts, "version"));
    value_set_string(answer, "folder", doctor->plan->folder);
    value_set_int(answer, "wrong", (long long)count_level(doctor, LEVEL_WRONG));
    value_set_take(answer, "findings", findings);
    for (size_t i = 0; i < doctor->count; i++) {
        const struct finding *finding = &doctor->findings[i];
        struct value *entry = value_new_map();

        value_set_string(entry, "level", level_names[finding->level]);
        value_set_string(entry, "check", finding->check);
        value_set_string(entry, "message", finding->message);
        value_set_string_or_null(entry, "mend", finding->mend);
        value_append_take(findings, entry);
    }
    app_print_json(doctor->app, answer);
}

static int run_doctor(struct app *app, void *data, struct error *err)
{
    const struct doctor_args *args = data;
    auto_doctor struct doctor doctor = {.app = app, .place = AIRFLOW_PLACE_INIT};

    if (examine(&doctor, args, err) < 0)
        return -1;
    if (args->format == OUTPUT_JSON)
        print_json(&doctor);
    else
        print_text(&doctor);
    redact_strbuf(&app->out, 0);
    app->exit_status = count_level(&doctor, LEVEL_WRONG) > 0;
    return 0;
}

static const struct option_def doctor_options[] = {
    DAG_OUTPUT_OPTION(struct doctor_args),
    OPTION_STRING(struct doctor_args, airflow, "airflow",
                  "The airflow to examine; without it, that of the project's plugin, else the "
                  "first on the PATH.",
                  .metavar = "PROGRAM", .word = WORD_FILE),
    DAG_PROGRAM_OPTION(struct doctor_args),
    DAG_ENVIRONMENT_OPTION(struct doctor_args),
    FORMAT_OPTION(struct doctor_args),
    {0},
};

const struct command airflow_doctor_command = {
    .name = "doctor",
    .summary = "Say what is wrong with the installed Airflow, and how to mend it.",
    .details = "Looks at the version, the executor, the databases, the DAG folder, the files, what "
               "Airflow says of the DAGs, secrets, clocks and variables. It changes nothing, and "
               "starts Airflow's Python once. Every finding that can be mended comes with the "
               "command. Exits with 1 when something is wrong.",
    .options = doctor_options,
    .args_size = sizeof(struct doctor_args),
    .run = run_doctor,
};
