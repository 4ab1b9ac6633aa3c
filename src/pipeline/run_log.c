#include "pipeline/run_log.h"

#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/path.h"
#include "base/utf8.h"
#include "pipeline/run_command.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#define LOG_NAME    "elt.log"
#define RECORD_NAME "run.json"
/* File systems take 255 bytes; a longer name is cut and told apart by its hash. */
#define MAX_DIR_NAME 200

/* Latin letters with marks, by their base letter: what NFKD and dropping non-ASCII leaves. */
static char base_letter(unsigned code_point)
{
    static const char latin1[] = "AAAAAA.CEEEEIIII.NOOOOO..UUUUY..aaaaaa.ceeeeiiii.nooooo..uuuuy.y";

    return code_point >= 0xc0 && code_point <= 0xff && latin1[code_point - 0xc0] != '.'
               ? latin1[code_point - 0xc0]
               : '\0';
}

char *state_id_to_dir_name(const char *state_id)
{
    struct strbuf name = STRBUF_INIT;
    const char *end = state_id + strlen(state_id);
    uint64_t hash = hash_bytes(state_id, strlen(state_id));
    size_t start = 0;
    char *text;

    while (state_id < end) {
        unsigned code_point;
        size_t used = utf8_decode(state_id, (size_t)(end - state_id), &code_point);
        char c = used == 1 ? *state_id : used ? base_letter(code_point) : '\0';

        state_id += used ? used : 1;
        if (c && strchr("/ \t\r\n\v\f", c)) {
            if (name.length && !strbuf_ends_with(&name, "_"))
                strbuf_add_char(&name, '_');
        } else if (c &&
                   strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-", c)) {
            strbuf_add_char(&name, c);
        }
    }
    while (name.length && strchr("._", name.text[name.length - 1]))
        strbuf_truncate(&name, name.length - 1);
    while (start < name.length && strchr("._", name.text[start]))
        start++;
    text = name.length - start > MAX_DIR_NAME
               ? xasprintf("%.*s-%016" PRIx64, MAX_DIR_NAME, name.text + start, hash)
               : xstrdup(strbuf_text(&name) + start);
    strbuf_clear(&name);
    return text;
}

char *run_log_directory(const struct project *project, const char *state_id, const char *run_id)
{
    auto_free char *name = state_id_to_dir_name(state_id);

    return xasprintf("%s/logs/elt/%s/%s", project->sys_dir, *name ? name : "_", run_id);
}

/* ${XDG_STATE_HOME:-~/.local/state}/meltano/log/elt/<state id>: NULL when there is no home. */
static char *meltano_log_parent(const struct strmap *environ_map, const char *state_id)
{
    const char *state_home = strmap_get(environ_map, "XDG_STATE_HOME");
    const char *home = strmap_get(environ_map, "HOME");
    auto_free char *name = state_id_to_dir_name(state_id);

    if (state_home && *state_home)
        return xasprintf("%s/meltano/log/elt/%s", state_home, name);
    return home && *home ? xasprintf("%s/.local/state/meltano/log/elt/%s", home, name) : NULL;
}

static void link_for_meltano(const struct strmap *environ_map, const char *state_id,
                             const char *run_id, const char *directory)
{
    auto_free char *parent = meltano_log_parent(environ_map, state_id);
    auto_free char *link = parent ? path_join(parent, run_id) : NULL;
    struct error err = {0};

    if (!link)
        return;
    if (dir_make_all(parent, 0755, &err) < 0)
        log_debug("no link to the log for 'meltano logs': %s", err.message);
    else if (symlink(directory, link) < 0 && errno != EEXIST)
        log_debug("no link to the log for 'meltano logs': %s: %s", link, strerror(errno));
}

int run_log_open(const struct project *project, const struct strmap *environ_map,
                 const char *state_id, const char *run_id, char **log_path, struct error *err)
{
    auto_free char *directory = run_log_directory(project, state_id, run_id);
    auto_free char *path = path_join(directory, LOG_NAME);

    if (dir_make_all(directory, 0755, err) < 0 || log_open_file(path, err) < 0)
        return *err->hint
                   ? -1
                   : error_hint(err, "Make %s/logs writable, or link it to a directory that is.",
                                project->sys_dir);
    link_for_meltano(environ_map, state_id, run_id, directory);
    *log_path = take(path);
    return 0;
}

void run_log_close(const char *log_path)
{
    uint64_t left_out = log_left_out();

    if (log_is_for_airflow() && left_out)
        log_info("The whole log is %s; %llu lines of it were left out here", log_path,
                 (unsigned long long)left_out);
    else if (log_is_for_airflow())
        log_info("The whole log is %s", log_path);
    log_close_file();
}

char *run_log_record_path(const char *log_path)
{
    auto_free char *directory = path_parent(log_path);

    return path_join(directory, RECORD_NAME);
}

void run_log_write_record(const char *log_path, const char *record_json)
{
    auto_free char *path = run_log_record_path(log_path);
    auto_strbuf struct strbuf text = STRBUF_INIT;
    struct error err = {0};

    strbuf_add(&text, record_json);
    strbuf_add_char(&text, '\n');
    if (file_replace(path, &text, 0644, NULL, &err) < 0)
        log_warning("the run record is not kept beside its log: %s", err.message);
}
