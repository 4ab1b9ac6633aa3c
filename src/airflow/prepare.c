#include "airflow/airflow.h"

#include "airflow/cfg.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/path.h"
#include "base/pep440.h"
#include "base/redact.h"
#include "process/process.h"
#include "store/foreign.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define RECORD_NAME ".meltshim.json"
#define LOCK_NAME   ".meltshim.lock"

/* A Fernet key has exactly so many; the others sign with SHA-512, which wants a key of 64
 * characters. */
#define FERNET_BYTES 32
#define SECRET_BYTES 48

/* What 'db migrate' prints at most. */
#define MAX_OUTPUT_BYTES (1024 * 1024)
#define TAIL_LINES       8

static const char config_head[] =
    "# airflow.cfg, made by meltshim. The options of the project's Airflow plugin are kept in "
    "step\n"
    "# with it; everything else is yours to write. Airflow's own defaults are not repeated here:\n"
    "# 'meltshim invoke airflow config list --defaults' prints them.\n";

/* --- the record --------------------------------------------------------------------------- */

/* {"version", "database", "revision", "options": {"core.executor": hash, ...}}; the values
 * themselves may be secrets and are in airflow.cfg only. */

static char *hash_text(const char *text)
{
    char digest[DIGEST_HEX_SIZE];

    digest_sha256_hex(text, strlen(text), digest);
    return xstrdup(digest);
}

/* Whether the text is what we wrote for the option. */
static bool wrote(const struct airflow *airflow, const char *section, const char *key,
                  const char *text)
{
    auto_free char *name = xasprintf("%s.%s", section, key);
    auto_free char *hash = hash_text(text);
    const char *written = value_get_text(value_get(airflow->record, "options"), name);

    return written && !strcmp(written, hash);
}

static int read_record(struct airflow *airflow, struct error *err)
{
    auto_free char *path = path_join(airflow->state_dir, RECORD_NAME);
    auto_strbuf struct strbuf text = STRBUF_INIT;
    auto_value struct value *record = NULL;
    struct error ignored = {0};
    bool found;

    if (file_read_if_exists(path, &text, &found, err) < 0)
        return -1;
    /* One that cannot be read says nothing; what it said is done again. */
    if (!found || json_parse(strbuf_text(&text), text.length, NULL, &record, &ignored) < 0 ||
        !value_is_map(record)) {
        value_free(record);
        record = value_new_map();
    }
    value_free(airflow->record);
    airflow->record = take(record);
    return 0;
}

static int write_record(struct airflow *airflow, struct error *err)
{
    auto_free char *path = path_join(airflow->state_dir, RECORD_NAME);
    auto_strbuf struct strbuf text = STRBUF_INIT;

    json_write(&text, airflow->record, &json_indented);
    strbuf_add_char(&text, '\n');
    return file_replace(path, &text, 0600, NULL, err);
}

int airflow_recall(struct airflow *airflow, struct error *err)
{
    if (read_record(airflow, err) < 0)
        return -1;
    for (size_t i = 0; i < airflow->options.count; i++) {
        struct airflow_option *option = &airflow->options.items[i];
        char *written = cfg_get(strbuf_text(&airflow->config_text), option->section, option->key);

        if (written && option->origin == AIRFLOW_DEFAULT && strcmp(written, option->value) != 0 &&
            !wrote(airflow, option->section, option->key, written)) {
            free(option->value);
            option->value = take(written);
            option->is_by_hand = true;
        }
        free(written);
    }
    return 0;
}

/* --- airflow.cfg -------------------------------------------------------------------------- */

/* What is no longer in the project, and nobody has changed since, goes. */
static void remove_old_options(struct airflow *airflow, struct strbuf *text)
{
    const struct value *written = value_get(airflow->record, "options");

    for (size_t i = 0; i < value_count(written); i++) {
        const char *name = value_member_at(written, i)->key;
        const char *dot = strrchr(name, '.');
        auto_free char *section = xstrndup(name, dot ? (size_t)(dot - name) : 0);
        auto_free char *value = dot ? cfg_get(strbuf_text(text), section, dot + 1) : NULL;

        if (value && !airflow_options_find(&airflow->options, section, dot + 1) &&
            wrote(airflow, section, dot + 1, value))
            cfg_remove(text, section, dot + 1);
    }
}

/* What somebody has written by hand is told once. */
static void tell_by_hand(struct airflow *airflow, const struct airflow_option *option,
                         const char *name, const char *there, struct value *by_hand)
{
    const char *told = value_get_text(value_get(airflow->record, "by_hand"), name);
    auto_free char *hash = hash_text(there);

    value_set_string(by_hand, name, hash);
    if (told && !strcmp(told, hash))
        return;
    if (option->is_by_hand)
        log_info("%s: [%s] %s was changed by hand, and counts", airflow->config_path,
                 option->section, option->key);
    else
        log_warning("%s: [%s] %s was changed by hand and stays as it is there, but the project's "
                    "setting %s is what counts; remove one of them",
                    airflow->config_path, option->section, option->key, option->source);
}

/* One option of airflow.cfg: in step with the project, unless somebody has changed it there. */
static void update_option(struct airflow *airflow, const struct airflow_option *option,
                          struct value *written, struct value *by_hand, struct strbuf *text)
{
    auto_free char *name = xasprintf("%s.%s", option->section, option->key);
    auto_free char *there = cfg_get(strbuf_text(text), option->section, option->key);
    auto_free char *hash = NULL;

    if (there && (option->is_by_hand || (strcmp(there, option->value) != 0 &&
                                         !wrote(airflow, option->section, option->key, there)))) {
        tell_by_hand(airflow, option, name, there, by_hand);
        return;
    }
    if (!there || strcmp(there, option->value) != 0)
        cfg_set(text, option->section, option->key, option->value);
    hash = hash_text(option->value);
    value_set_string(written, name, hash);
}

static void add_base64(struct strbuf *out, const unsigned char *bytes, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    for (size_t i = 0; i < size; i += 3) {
        size_t left = size - i;
        unsigned long word = (unsigned long)bytes[i] << 16;

        word |= left > 1 ? (unsigned long)bytes[i + 1] << 8 : 0;
        word |= left > 2 ? bytes[i + 2] : 0;
        strbuf_add_char(out, digits[word >> 18 & 63]);
        strbuf_add_char(out, digits[word >> 12 & 63]);
        strbuf_add_char(out, left > 1 ? digits[word >> 6 & 63] : '=');
        strbuf_add_char(out, left > 2 ? digits[word & 63] : '=');
    }
}

/* In the form of a Fernet key. */
static int make_secret(struct strbuf *out, size_t size, struct error *err)
{
    unsigned char bytes[SECRET_BYTES];

    if (getrandom(bytes, size, 0) != (ssize_t)size)
        return error_set_errno(err, ERR_FAILED, "cannot get random bytes");
    add_base64(out, bytes, size);
    explicit_bzero(bytes, sizeof bytes);
    return 0;
}

/* Airflow's processes make up secrets of their own when they find none, and then do not believe
 * each other. */
static int add_secrets(const struct airflow *airflow, struct strbuf *text, struct error *err)
{
    static const struct {
        const char *section, *key;
        int major; /* the first that knows it */
        size_t size;
    } secrets[] = {{"core", "fernet_key", 1, FERNET_BYTES},
                   {"api", "secret_key", 1, SECRET_BYTES},
                   {"api_auth", "jwt_secret", 3, SECRET_BYTES}};

    for (size_t i = 0; i < ARRAY_LEN(secrets); i++) {
        auto_free char *section = xstrdup(secrets[i].section), *key = xstrdup(secrets[i].key);
        auto_strbuf struct strbuf secret = STRBUF_INIT;

        if (airflow->installed.major < secrets[i].major)
            continue;
        airflow_option_rename(airflow->installed.version, &section, &key);
        if (airflow_is_given(airflow, section, key))
            continue;
        if (make_secret(&secret, secrets[i].size, err) < 0)
            return -1;
        cfg_set(text, section, key, strbuf_text(&secret));
    }
    return 0;
}

/* They are nowhere printed, whatever prints the file. */
static void register_secrets(const struct airflow *airflow)
{
    static const char *const names[][2] = {
        {"core", "fernet_key"}, {"api", "secret_key"}, {"api_auth", "jwt_secret"}};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        auto_free char *secret = airflow_get(airflow, names[i][0], names[i][1]);

        if (secret)
            redact_add_secret(secret);
    }
}

/* What only the environment says is not for the file; what we wrote there before stays ours. */
static void keep_written(const struct airflow *airflow, const struct airflow_option *option,
                         struct value *written)
{
    auto_free char *name = xasprintf("%s.%s", option->section, option->key);
    const char *hash = value_get_text(value_get(airflow->record, "options"), name);

    if (hash)
        value_set_string(written, name, hash);
}

static int write_config(struct airflow *airflow, struct error *err)
{
    auto_free char *parent = path_parent(airflow->config_path);
    auto_strbuf struct strbuf text = STRBUF_INIT;
    auto_value struct value *written = value_new_map(), *by_hand = value_new_map();
    bool found;

    strbuf_reset(&airflow->config_text);
    if (dir_make_all(parent, 0755, err) < 0 ||
        file_read_if_exists(airflow->config_path, &airflow->config_text, &found, err) < 0)
        return -1;
    strbuf_add(&text, found ? strbuf_text(&airflow->config_text) : config_head);
    if (add_secrets(airflow, &text, err) < 0)
        return -1;
    remove_old_options(airflow, &text);
    for (size_t i = 0; i < airflow->options.count; i++) {
        const struct airflow_option *option = &airflow->options.items[i];

        if (option->origin == AIRFLOW_VARIABLE)
            keep_written(airflow, option, written);
        else
            update_option(airflow, option, written, by_hand, &text);
    }
    if (file_replace(airflow->config_path, &text, 0600, NULL, err) < 0)
        return -1;
    value_set_take(airflow->record, "options", take(written));
    value_set_take(airflow->record, "by_hand", take(by_hand));
    strbuf_reset(&airflow->config_text);
    strbuf_add(&airflow->config_text, strbuf_text(&text));
    register_secrets(airflow);
    return 0;
}

/* --- the metadata database ---------------------------------------------------------------- */

/* Where Airflow keeps its metadata; NULL when it finds out by a command or a secrets backend. */
static char *find_database(const struct airflow *airflow)
{
    char *uri = airflow_get(airflow, "database", "sql_alchemy_conn");

    if (!uri && !airflow_is_given(airflow, "database", "sql_alchemy_conn"))
        uri = xasprintf("sqlite:///%s/airflow.db", airflow->home);
    return uri;
}

/* The folder of an SQLite file: the hub's default names one that only an installation makes. */
static int make_folder(const char *uri, struct error *err)
{
    const char *path = uri && !strncmp(uri, "sqlite", 6) ? strstr(uri, ":////") : NULL;
    auto_free char *file = path ? xstrndup(path + 4, strcspn(path + 4, "?")) : NULL;
    auto_free char *folder = file ? path_parent(file) : NULL;

    if (!folder || dir_make_all(folder, 0755, err) == 0)
        return 0;
    return error_wrap(err, "Airflow's metadata database (database.sql_alchemy_conn)");
}

/* The schema's revision, "" when there is none or it cannot be told. */
static int read_revision(const char *uri, char **revision, struct error *err)
{
    char *found = NULL;

    if (uri && foreign_is_supported(uri) &&
        foreign_read_revision(uri, "Airflow's metadata database", "database.sql_alchemy_conn",
                              &found, err) < 0)
        return -1;
    *revision = found ? found : xstrdup("");
    return 0;
}

static bool is_recorded(const struct airflow *airflow, const char *key, const char *text)
{
    const char *recorded = value_get_text(airflow->record, key);

    return recorded && !strcmp(recorded, text);
}

static const char *const *migrate_words(const struct airflow *airflow)
{
    static const char *const now[] = {"db", "migrate", NULL};
    static const char *const before[] = {"db", "init", NULL}; /* 2.7 brought the new name */
    static const char *const first[] = {"initdb", NULL};

    if (airflow->installed.major < 2)
        return first;
    return pep440_compare(airflow->installed.version, "2.7") < 0 ? before : now;
}

static int refuse_migration(const struct airflow *airflow, const char *newer,
                            const struct strbuf *output, const struct process_end *end,
                            struct error *err)
{
    auto_strlist struct strlist lines = STRLIST_INIT;
    auto_strbuf struct strbuf tail = STRBUF_INIT;
    char how[64];

    strlist_split(&lines, strbuf_text(output), '\n');
    while (lines.count && !*lines.items[lines.count - 1])
        strlist_remove(&lines, lines.count - 1);
    for (size_t i = lines.count > TAIL_LINES ? lines.count - TAIL_LINES : 0; i < lines.count; i++)
        strbuf_addf(&tail, "\n    %.150s", lines.items[i]);
    redact_strbuf(&tail, 0);
    error_set(err, ERR_COMMAND,
              "Airflow %s could not migrate its metadata database (%s); its last lines:%s",
              airflow->installed.version, process_end_describe(end, how, sizeof how),
              strbuf_text(&tail));
    if (newer)
        error_hint(err,
                   "The database was last used by Airflow %s, which is newer: install that "
                   "again, and see its 'db downgrade', or name another database.",
                   newer);
    else if (strstr(strbuf_text(output), "Can't locate revision"))
        error_hint(err, "A newer Airflow has used the database: install that one, and see its "
                        "'db downgrade', or name another database.");
    return -1;
}

/* The version that last used this very database, when the installed one is older; else NULL. */
static const char *find_newer_version(const struct airflow *airflow, const char *database_hash)
{
    const char *version = value_get_text(airflow->record, "version");

    return version && is_recorded(airflow, "database", database_hash) &&
                   pep440_compare(version, airflow->installed.version) > 0
               ? version
               : NULL;
}

static int migrate(struct airflow *airflow, const char *newer, struct error *err)
{
    auto_strlist struct strlist argv = STRLIST_INIT, env = STRLIST_INIT;
    auto_strbuf struct strbuf output = STRBUF_INIT;
    struct process_end end;

    strlist_add(&argv, airflow->installed.program);
    for (const char *const *word = migrate_words(airflow); *word; word++)
        strlist_add(&argv, *word);
    strmap_to_environ(&airflow->env, &env);
    log_info("The metadata database of Airflow %s is migrated", airflow->installed.version);
    if (process_capture(&(struct spawn_spec){.argv = (const char *const *)argv.items,
                                             .env = (const char *const *)env.items,
                                             .fds = {SPAWN_NULL, SPAWN_NULL, SPAWN_NULL},
                                             .new_group = true},
                        &output, &output, MAX_OUTPUT_BYTES, 0, &end, err) < 0)
        return -1;
    if (end.kind != EXIT_STATUS || end.code)
        return refuse_migration(airflow, newer, &output, &end, err);
    return 0;
}

static int prepare_database(struct airflow *airflow, struct error *err)
{
    auto_free char *uri = find_database(airflow);
    auto_free char *hash = hash_text(uri ? uri : "");
    auto_free char *revision = NULL;

    if (airflow_check(airflow, uri, err) < 0 || make_folder(uri, err) < 0 ||
        read_revision(uri, &revision, err) < 0)
        return -1;
    if (is_recorded(airflow, "version", airflow->installed.version) &&
        is_recorded(airflow, "database", hash) && is_recorded(airflow, "revision", revision))
        return 0;
    free(take(revision));
    if (migrate(airflow, find_newer_version(airflow, hash), err) < 0 ||
        read_revision(uri, &revision, err) < 0)
        return -1;
    value_set_string(airflow->record, "version", airflow->installed.version);
    value_set_string(airflow->record, "database", hash);
    value_set_string(airflow->record, "revision", revision);
    return 0;
}

/* --- the whole ---------------------------------------------------------------------------- */

static int refuse_folder(struct error *err)
{
    return error_hint(err, "The folder must be writable for whoever starts Airflow: its "
                           "configuration and its secrets are kept there. In a read-only project, "
                           "mount or link a writable .meltano/airflow.");
}

static int take_lock(const struct airflow *airflow, int *lock, struct error *err)
{
    auto_free char *path = path_join(airflow->state_dir, LOCK_NAME);
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    auto_fd int fd = -1;

    if (dir_make_all(airflow->state_dir, 0700, err) < 0)
        return refuse_folder(err);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        error_set_errno(err, ERR_IO, "cannot open %s", path);
        return refuse_folder(err);
    }
    if (fcntl(fd, F_OFD_SETLK, &whole) < 0) {
        if (errno == EAGAIN || errno == EACCES)
            log_info("Another process prepares Airflow; waiting for it");
        while (fcntl(fd, F_OFD_SETLKW, &whole) < 0)
            if (errno != EINTR)
                return error_set_errno(err, ERR_IO, "cannot lock %s", path);
    }
    *lock = fd;
    fd = -1;
    return 0;
}

static void judge_version(const struct airflow *airflow)
{
    const char *version = airflow->installed.version;

    if (pep440_compare(version, AIRFLOW_OLDEST_TESTED) < 0)
        log_warning("Airflow %s is older than " AIRFLOW_OLDEST_TESTED
                    ", the oldest version that meltshim is tested with",
                    version);
    else if (pep440_compare(version, AIRFLOW_FIRST_UNTESTED) >= 0)
        log_warning("Airflow %s is newer than the versions that meltshim is tested with", version);
}

int airflow_prepare(struct airflow *airflow, bool needs_database, struct error *err)
{
    auto_fd int lock = -1;
    struct error second = {0};
    int result;

    judge_version(airflow);
    if (take_lock(airflow, &lock, err) < 0 || read_record(airflow, err) < 0 ||
        dir_make_all(airflow->home, 0755, err) < 0 || write_config(airflow, err) < 0)
        return -1;
    result = needs_database ? prepare_database(airflow, err) : 0;
    /* Also after a failure: airflow.cfg is as it says. */
    if (write_record(airflow, result ? &second : err) < 0)
        return -1;
    return result;
}
