#include "plugin/singer_args.h"

#include "base/log.h"
#include "base/memory.h"
#include "base/path.h"
#include "plugin/singer_files.h"

#include <sys/stat.h>

static char *find_file(const char *dir, const char *name)
{
    auto_free char *path = path_join(dir, name);
    struct stat info;

    return stat(path, &info) == 0 && info.st_size > 0 ? take(path) : NULL;
}

static void add_option(struct strlist *argv, const char *option, const char *path)
{
    strlist_add(argv, option);
    strlist_add(argv, path);
}

static void add_catalog(struct invocation *invocation, bool warn)
{
    if (plugin_has_capability(invocation->plugin, "catalog"))
        add_option(&invocation->argv, "--catalog", invocation->catalog_path);
    else if (plugin_has_capability(invocation->plugin, "properties"))
        add_option(&invocation->argv, "--properties", invocation->catalog_path);
    else if (warn)
        log_warning("A catalog file was found, but it will be ignored as the extractor does not "
                    "advertise the `catalog` or `properties` capability");
}

static void add_state(struct invocation *invocation, bool warn)
{
    if (plugin_has_capability(invocation->plugin, "state"))
        add_option(&invocation->argv, "--state", invocation->state_path);
    else if (warn)
        log_warning("A state file was found, but it will be ignored as the extractor does not "
                    "advertise the `state` capability");
}

void singer_args_set(struct invocation *invocation, bool warn)
{
    strlist_clear(&invocation->argv);
    strlist_add(&invocation->argv, invocation->executable);
    add_option(&invocation->argv, "--config", invocation->config_path);
    if (invocation->plugin->type != PLUGIN_EXTRACTOR)
        return;
    free(invocation->catalog_path);
    free(invocation->state_path);
    invocation->catalog_path = find_file(invocation->run_dir, CATALOG_FILE);
    invocation->state_path = find_file(invocation->run_dir, STATE_FILE);
    if (invocation->catalog_path)
        add_catalog(invocation, warn);
    if (invocation->state_path)
        add_state(invocation, warn);
}
