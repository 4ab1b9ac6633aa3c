#include "plugin/singer_files.h"

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/path.h"
#include "base/uuid.h"

#include <assert.h>
#include <string.h>

static const char *prefix_of(const struct plugin *plugin)
{
    assert(plugin_type_is_singer(plugin->type));
    return plugin->type == PLUGIN_EXTRACTOR ? "tap"
           : plugin->type == PLUGIN_LOADER  ? "target"
                                            : "mapper";
}

/* --- configuration -------------------------------------------------------------------------- */

int singer_files_write_config(const struct plugin_config *resolved, const char *dir,
                              char **path_out, struct error *err)
{
    const struct plugin *plugin = resolved->plugin;
    auto_value struct value *document = NULL;
    auto_strbuf struct strbuf text = STRBUF_INIT;
    auto_free char *path = NULL;
    char id[UUID_TEXT_SIZE];

    if (plugin_config_document(resolved, &document, err) < 0)
        return -1;
    json_write(&text, document, &json_indented);
    uuid_new_v7(id);
    path = path_joinf(dir, "%s.%s.config.json", prefix_of(plugin), id);
    if (file_write(path, &text, 0600, err) < 0)
        return error_wrap(err, "cannot write the configuration of '%s'", plugin->name);
    *path_out = take(path);
    return 0;
}

/* --- logging -------------------------------------------------------------------------------- */

static const char *level_name(void)
{
    switch (log_get_level()) {
    case LOG_DEBUG:
        return "DEBUG";
    case LOG_INFO:
        return "INFO";
    case LOG_WARNING:
        return "WARNING";
    case LOG_ERROR:
        return "ERROR";
    case LOG_CRITICAL:
    case LOG_DISABLED:
        break;
    }
    return "CRITICAL";
}

/* A dictionary for Python's logging.config.dictConfig(). */
static void add_sdk_logging(struct strbuf *out, bool structured)
{
    strbuf_addf(out,
                "{\n"
                "  \"version\": 1,\n"
                "  \"disable_existing_loggers\": false,\n"
                "  \"formatters\": {\n"
                "    \"singer_formatter\": {\n"
                "      %s\n"
                "    }\n"
                "  },\n"
                "  \"handlers\": {\n"
                "    \"console\": {\n"
                "      \"class\": \"logging.StreamHandler\",\n"
                "      \"formatter\": \"singer_formatter\",\n"
                "      \"stream\": \"ext://sys.stderr\"\n"
                "    }\n"
                "  },\n"
                "  \"root\": {\n"
                "    \"handlers\": [\n"
                "      \"console\"\n"
                "    ],\n"
                "    \"level\": \"%s\"\n"
                "  }\n"
                "}",
                structured ? "\"()\": \"singer_sdk.logging.StructuredFormatter\""
                           : "\"format\": \"%(message)s\"",
                level_name());
}

/* A file for Python's logging.config.fileConfig(). */
static void add_pipelinewise_logging(struct strbuf *out)
{
    strbuf_addf(out,
                "[loggers]\n"
                "keys=root\n\n"
                "[handlers]\n"
                "keys=console\n\n"
                "[formatters]\n"
                "keys=default\n\n"
                "[logger_root]\n"
                "level=%s\n"
                "handlers=console\n\n"
                "[handler_console]\n"
                "class=StreamHandler\n"
                "level=%s\n"
                "formatter=default\n"
                "args=(sys.stderr,)\n\n"
                "[formatter_default]\n"
                "format=%%(message)s\n",
                level_name(), level_name());
}

static int write_logging_file(const char *dir, const struct plugin *plugin, const char *ending,
                              const struct strbuf *text, const char *variable, struct strmap *env,
                              struct error *err)
{
    auto_free char *path = path_joinf(dir, "%s.%s", prefix_of(plugin), ending);

    if (file_write(path, text, 0644, err) < 0)
        return -1;
    if (!strmap_has(env, variable))
        strmap_set(env, variable, path);
    return 0;
}

/* The extra log_parser can turn it off by naming another parser. */
static bool is_structured(const struct plugin_config *resolved)
{
    const char *parser = value_text(plugin_config_extra(resolved, "_log_parser"));

    return plugin_has_capability(resolved->plugin, "structured-logging") && parser &&
           !strcmp(parser, "singer-sdk");
}

int singer_files_write_logging(const struct plugin_config *resolved, const char *dir,
                               struct strmap *env, struct error *err)
{
    const struct plugin *plugin = resolved->plugin;
    auto_strbuf struct strbuf sdk = STRBUF_INIT;
    auto_strbuf struct strbuf pipelinewise = STRBUF_INIT;

    add_sdk_logging(&sdk, is_structured(resolved));
    add_pipelinewise_logging(&pipelinewise);
    return write_logging_file(dir, plugin, "singer_sdk_logging.json", &sdk, "SINGER_SDK_LOG_CONFIG",
                              env, err) < 0
               ? -1
               : write_logging_file(dir, plugin, "pipelinewise_logging.conf", &pipelinewise,
                                    "LOGGING_CONF_FILE", env, err);
}

/* --- files that lie ready ------------------------------------------------------------------- */

int singer_files_copy(const char *name, const char *plugin_dir, const char *shared, const char *dir,
                      struct error *err)
{
    const char *const sources[] = {plugin_dir, shared};
    auto_free char *target = path_join(dir, name);
    bool found = false;

    for (size_t i = 0; i < ARRAY_LEN(sources) && sources[i] && !found; i++) {
        auto_strbuf struct strbuf text = STRBUF_INIT;
        auto_free char *source = path_join(sources[i], name);

        if (file_read_if_exists(source, &text, &found, err) < 0 ||
            (found && file_write(target, &text, 0600, err) < 0))
            return -1;
    }
    return 0;
}
