#include "tests/unit/tempdir.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/path.h"
#include "base/strbuf.h"

#include <check.h>
#include <stdio.h>

static char *directory;
static char *joined;

void tempdir_make(void)
{
    char pattern[] = "/tmp/meltshim-unit-XXXXXX";

    ck_assert_ptr_nonnull(mkdtemp(pattern));
    directory = path_resolve(pattern);
}

void tempdir_remove(void)
{
    struct error err = {0};

    ck_assert_msg(path_remove_all(directory, &err) == 0, "%s", err.message);
    free(take(directory));
    free(take(joined));
}

const char *tempdir_path(void)
{
    return directory;
}

const char *tempdir_join(const char *name)
{
    char *path = path_join(directory, name);

    free(joined);
    joined = path;
    return joined;
}

void tempdir_write(const char *name, const char *text)
{
    auto_free char *path = path_join(directory, name);
    auto_free char *parent = path_parent(path);
    auto_strbuf struct strbuf bytes = STRBUF_INIT;
    struct error err = {0};

    strbuf_add(&bytes, text);
    ck_assert_msg(!dir_make_all(parent, 0777, &err) && !file_write(path, &bytes, 0666, &err), "%s",
                  err.message);
}

char *tempdir_read(const char *name)
{
    auto_free char *path = path_join(directory, name);
    struct strbuf bytes = STRBUF_INIT;
    struct error err = {0};

    ck_assert_msg(!file_read(path, &bytes, &err), "%s", err.message);
    return strbuf_take(&bytes);
}

const char *shared_data(const char *name)
{
    const char *root = getenv("MELTSHIM_SHARED");
    static char *path;

    free(path);
    path = path_join(root && *root ? root : "../shared", name);
    if (file_exists(path))
        return path;
    fprintf(stderr, "SKIPPED: there is no %s; set MELTSHIM_SHARED\n", path);
    return NULL;
}
