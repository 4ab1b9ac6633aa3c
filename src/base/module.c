#include "base/module.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/path.h"
#include "base/strlist.h"

#include <dlfcn.h>
#include <stdlib.h>

/* Where a module may be, the nearest first. */
static void list_places(struct strlist *places)
{
    auto_free char *program = path_resolve("/proc/self/exe");

    if (program) {
        auto_free char *dir = path_parent(program);
        auto_free char *above = path_parent(dir);

        strlist_add(places, dir);
        strlist_addf(places, "%s/lib/meltshim", above);
        /* The test programs are a directory below what they test. */
        strlist_add(places, above);
    }
    strlist_add_unique(places, MELTSHIM_MODULE_DIR);
}

void *module_symbol(const char *module, const char *symbol, struct error *err)
{
    auto_strlist struct strlist places = STRLIST_INIT;
    auto_free char *joined = NULL;

    list_places(&places);
    for (size_t i = 0; i < places.count; i++) {
        auto_free char *path = path_joinf(places.items[i], "meltshim-%s.so", module);
        void *handle, *found;

        if (!file_exists(path))
            continue;
        handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        found = handle ? dlsym(handle, symbol) : NULL;
        if (found)
            return found;
        error_set(err, ERR_FAILED, "cannot open the module '%s': %s", path, dlerror());
        (void)dlerror(); /* frees the text */
        error_hint(err, "It must be of this version (" MELTSHIM_VERSION
                        "), and the libraries it needs must be installed.");
        return NULL;
    }
    joined = strlist_join(&places, ", ");
    error_set(err, ERR_FAILED, "the module meltshim-%s.so was not found", module);
    error_hint(err, "It belongs into one of: %s.", joined);
    return NULL;
}
