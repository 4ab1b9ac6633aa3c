#include "tests/unit/plugin/plugin_fixture.h"

#include "base/file.h"
#include "base/log.h"
#include "process/process.h"
#include "tests/unit/tempdir.h"

#include <check.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int saved_stdout = -1, captured = -1;
static struct strbuf captured_text;

void plugin_fixture_make(struct plugin_fixture *fixture)
{
    tempdir_make();
    process_setup();
    log_set_level(LOG_CRITICAL);
    *fixture = (struct plugin_fixture){0};
    strmap_set(&fixture->environment, "PATH", "/bin:/usr/bin");
}

void plugin_fixture_remove(struct plugin_fixture *fixture)
{
    config_free(fixture->config);
    project_free(fixture->project);
    strmap_clear(&fixture->environment);
    tempdir_remove();
}

void plugin_fixture_write_program(const char *name, const char *text)
{
    tempdir_write(name, text);
    ck_assert(!chmod(tempdir_join(name), 0755));
}

void plugin_fixture_open(struct plugin_fixture *fixture, const char *yaml)
{
    struct config_options options = {0};
    struct error err = {0};

    tempdir_write("meltano.yml", yaml);
    ck_assert_msg(
        !project_load(tempdir_path(), &fixture->project, &err) &&
            !config_open(fixture->project, &fixture->environment, &options, &fixture->config, &err),
        "%s", err.message);
}

struct plugin *plugin_fixture_plugin(const struct plugin_fixture *fixture, const char *name)
{
    struct plugin *plugin = project_find_plugin(fixture->project, name);

    ck_assert_msg(plugin != NULL, "no plugin '%s'", name);
    return plugin;
}

void stdout_capture(void)
{
    fflush(stdout);
    saved_stdout = dup(STDOUT_FILENO);
    captured = memfd_create("stdout", MFD_CLOEXEC);
    dup2(captured, STDOUT_FILENO);
}

const char *stdout_text(void)
{
    fflush(stdout);
    lseek(captured, 0, SEEK_SET);
    strbuf_reset(&captured_text);
    ck_assert_int_eq(fd_read_all(captured, &captured_text), 0);
    return strbuf_text(&captured_text);
}

void stdout_release(void)
{
    fflush(stdout);
    dup2(saved_stdout, STDOUT_FILENO);
    fd_close(&saved_stdout);
    fd_close(&captured);
    strbuf_clear(&captured_text);
}
