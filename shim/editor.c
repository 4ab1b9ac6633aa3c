#include "shim/editor.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/strlist.h"
#include "process/process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int choose_editor(const struct strmap *environment, struct strlist *words, struct error *err)
{
    const char *editor = strmap_get(environment, "VISUAL");

    if (!editor || !*editor)
        editor = strmap_get(environment, "EDITOR");
    if (!editor || !*editor)
        editor = "vi";
    if (strlist_split_shell(words, editor) < 0 || !words->count)
        return error_set(err, ERR_FAILED, "$VISUAL or $EDITOR names no program: %s", editor);
    return 0;
}

static int run_editor(const struct strmap *environment, const char *path, struct error *err)
{
    auto_strlist struct strlist words = STRLIST_INIT;
    auto_strlist struct strlist variables = STRLIST_INIT;
    struct process process = PROCESS_INIT;
    struct spawn_spec spec = {.fds = {SPAWN_INHERIT, SPAWN_INHERIT, SPAWN_INHERIT}};
    char description[128];

    if (choose_editor(environment, &words, err) < 0)
        return -1;
    strlist_add(&words, path);
    strmap_to_environ(environment, &variables);
    spec.argv = (const char *const *)words.items;
    spec.env = (const char *const *)variables.items;
    if (process_spawn(&spec, &process, err) < 0)
        return -1;
    process_wait(&process);
    process_end_group(&process, 0);
    if (process_end_to_status(&process.end) == 0)
        return 0;
    return error_set(err, ERR_FAILED, "the editor '%s' failed: %s", words.items[0],
                     process_end_describe(&process.end, description, sizeof description));
}

static int make_temporary(const char *suffix, const struct strbuf *text, char **path,
                          struct error *err)
{
    const char *directory = getenv("TMPDIR");
    auto_free char *name =
        xasprintf("%s/meltshim-XXXXXX%s", directory && *directory ? directory : "/tmp", suffix);
    auto_fd int fd = mkstemps(name, (int)strlen(suffix));

    if (fd < 0)
        return error_set_errno(err, ERR_IO, "cannot make %s", name);
    *path = take(name);
    if (fd_write_all(fd, strbuf_text(text), text->length) < 0)
        return error_set_errno(err, ERR_IO, "cannot write %s", *path);
    return 0;
}

int edit_text(const struct strmap *environment, const char *suffix, struct strbuf *text,
              struct error *err)
{
    auto_strbuf struct strbuf edited = STRBUF_INIT;
    auto_free char *path = NULL;
    int result = make_temporary(suffix, text, &path, err);

    if (!result)
        result = run_editor(environment, path, err);
    if (!result)
        result = file_read(path, &edited, err);
    if (path)
        unlink(path);
    if (result < 0)
        return -1;
    strbuf_reset(text);
    strbuf_add_bytes(text, strbuf_text(&edited), edited.length);
    return 0;
}
