#include "config/definitions.h"

#include "base/json.h"
#include "base/memory.h"
#include "config/cast.h"
#include "config/flatten.h"

#include <assert.h>
#include <string.h>

struct extra_row {
    const char *name;
    const char *alias;
    enum setting_kind kind;
    const char *value; /* JSON, NULL: no default */
    const char *processor;
};

static const struct extra_row singer_extras[] = {
    {"_log_parser", NULL, SETTING_NONE, "\"singer-sdk\"", NULL},
    {0},
};

static const struct extra_row extractor_extras[] = {
    {"_catalog", NULL, SETTING_NONE, NULL, NULL},
    {"_state", NULL, SETTING_NONE, NULL, NULL},
    {"_load_schema", NULL, SETTING_NONE, "\"$MELTANO_EXTRACTOR_NAMESPACE\"", NULL},
    {"_select", NULL, SETTING_ARRAY, "[\"*.*\"]", NULL},
    {"_metadata", "metadata", SETTING_OBJECT, "{}", "nest_object"},
    {"_schema", NULL, SETTING_OBJECT, "{}", "nest_object"},
    {"_select_filter", NULL, SETTING_ARRAY, "[]", NULL},
    {"_use_cached_catalog", NULL, SETTING_BOOLEAN, "true", NULL},
    {0},
};

static const struct extra_row loader_extras[] = {
    {"_dialect", NULL, SETTING_NONE, "\"$MELTANO_LOADER_NAMESPACE\"", NULL},
    {0},
};

static const struct extra_row mapper_extras[] = {
    /* The default is a mapping although the kind is a list: so it is in Meltano. */
    {"_mappings", "mappings", SETTING_ARRAY, "{}", NULL},
    {"_mapping_name", "mapping_name", SETTING_STRING, NULL, NULL},
    {0},
};

static const struct extra_row transform_extras[] = {
    {"_package_name", NULL, SETTING_NONE, "\"$MELTANO_TRANSFORM_NAMESPACE\"", NULL},
    {"_vars", NULL, SETTING_OBJECT, "{}", NULL},
    {0},
};

static const struct extra_row file_extras[] = {
    {"_update", "update", SETTING_OBJECT, "{}", NULL},
    {0},
};

static const struct extra_row superset_extras[] = {
    {"_config_path", NULL, SETTING_NONE, NULL, NULL},
    {0},
};

static const struct extra_row *const type_extras[] = {
    [PLUGIN_EXTRACTOR] = extractor_extras,
    [PLUGIN_LOADER] = loader_extras,
    [PLUGIN_TRANSFORM] = transform_extras,
    [PLUGIN_ORCHESTRATOR] = NULL,
    [PLUGIN_TRANSFORMER] = NULL,
    [PLUGIN_FILE] = file_extras,
    [PLUGIN_UTILITY] = NULL,
    [PLUGIN_MAPPER] = mapper_extras,
};
_Static_assert(ARRAY_LEN(type_extras) == PLUGIN_TYPE_COUNT, "a plugin type has no extras");

static struct value *parse_default(const char *json)
{
    struct value *value = NULL;
    struct error err = {0};

    if (json && json_parse(json, strlen(json), NULL, &value, &err) < 0)
        assert(!"a default in the tables is no JSON");
    return value;
}

static void add_rows(struct setting_def_list *list, const struct extra_row *row,
                     const struct value *defaults)
{
    for (; row && row->name; row++) {
        struct setting_def *def = setting_def_new(row->name, row->kind);
        const struct value *given = value_get(defaults, row->name + 1);

        if (row->alias)
            strlist_add(&def->aliases, row->alias);
        def->value_processor = xstrdup_or_null(row->processor);
        def->value = value_is_null(given) ? parse_default(row->value) : value_copy_as_python(given);
        setting_def_list_add_take(list, def);
    }
}

/* Extras of the definition that Meltano does not know, and the leaves of those it knows. */
static void add_unknown(struct setting_def_list *list, const struct value *defaults)
{
    auto_value struct value *flat = value_new_map();

    flatten_into(flat, defaults, "_");
    for (size_t i = 0; i < value_count(flat); i++) {
        const struct value_member *member = value_member_at(flat, i);
        struct setting_def *def;

        if (setting_def_list_find(list, member->key))
            continue;
        def = setting_def_new(member->key, setting_infer_kind(member->value));
        if (!value_is_null(member->value))
            def->value = value_copy_as_python(member->value);
        setting_def_list_add_take(list, def);
    }
}

void definitions_add_extras(struct setting_def_list *list, const struct plugin *plugin)
{
    const struct value *defaults = plugin->default_extras;

    if (plugin_type_is_singer(plugin->type))
        add_rows(list, singer_extras, defaults);
    if (plugin->type == PLUGIN_UTILITY && !strcmp(plugin->definition_name, "superset"))
        add_rows(list, superset_extras, defaults);
    else
        add_rows(list, type_extras[plugin->type], defaults);
    add_unknown(list, defaults);
}

enum { SENSITIVE = 1, ENV_SPECIFIC = 2 };

static const struct project_row {
    const char *name;
    enum setting_kind kind;
    const char *value; /* JSON, NULL: no default */
    int flags;
    const char *choices; /* JSON list for the kind options */
    const char *label;
    const char *description;
} project_rows[] = {
    {"default_environment", SETTING_NONE, NULL, 0, NULL, NULL, NULL},
    {"send_anonymous_usage_stats", SETTING_BOOLEAN, "true", 0, NULL, NULL,
     "Whether the Python Meltano reports how it is used. meltshim reports nothing."},
    {"disable_tracking", SETTING_BOOLEAN, NULL, 0, NULL, NULL, NULL},
    {"project_id", SETTING_NONE, NULL, 0, NULL, NULL, "What identifies this project in reports."},
    {"database_uri", SETTING_NONE, "\"sqlite:///$MELTANO_SYS_DIR_ROOT/meltano.db\"", ENV_SPECIFIC,
     NULL, NULL, "Where the system database is: an SQLAlchemy URL."},
    {"database_max_retries", SETTING_INTEGER, "3", 0, NULL, NULL,
     "How often the first connection to the system database is tried again."},
    {"database_retry_timeout", SETTING_INTEGER, "5", 0, NULL, NULL,
     "Seconds between two attempts to connect to the system database."},
    {"project_readonly", SETTING_BOOLEAN, "false", ENV_SPECIFIC, NULL, NULL,
     "Refuse commands that would change the files of the project."},
    {"hub_api_root", SETTING_NONE, NULL, 0, NULL, NULL,
     "Root of the hub's interface; takes the place of hub_url."},
    {"hub_url", SETTING_NONE, "\"https://hub.meltano.com\"", 0, NULL, NULL,
     "The hub that definitions of plugins are taken from."},
    {"hub_url_auth", SETTING_NONE, NULL, 0, NULL, NULL,
     "The Authorization header for requests to the hub."},
    {"elt.buffer_size", SETTING_INTEGER, "104857600", 0, NULL, NULL,
     "Bytes the Python Meltano buffers between tap and target. meltshim needs no limit."},
    {"python", SETTING_NONE, NULL, 0, NULL, NULL,
     "The Python of plugins that name none: a path, a command or a version."},
    {"auto_install", SETTING_BOOLEAN, "true", 0, NULL, NULL,
     "Install a plugin that is missing or out of date before it is started."},
    {"state_backend.uri", SETTING_NONE, "\"systemdb\"", ENV_SPECIFIC, NULL, NULL,
     "Where the state of pipelines is kept."},
    {"state_backend.lock_timeout_seconds", SETTING_INTEGER, "10", ENV_SPECIFIC, NULL, NULL,
     "Seconds after which the lock of a state id counts as left behind."},
    {"state_backend.lock_retry_seconds", SETTING_INTEGER, "1", ENV_SPECIFIC, NULL, NULL,
     "Seconds between two attempts to lock a state id."},
    {"cli.log_level", SETTING_OPTIONS, "\"info\"", ENV_SPECIFIC,
     "[\"debug\", \"info\", \"warning\", \"error\", \"critical\", \"disabled\"]", NULL,
     "The least important messages that are shown."},
    {"cli.log_config", SETTING_NONE, "\"logging.yaml\"", 0, NULL, NULL,
     "A logging configuration file for the Python Meltano."},
    {"cli.log_format", SETTING_OPTIONS, "\"colored\"", 0,
     "[\"colored\", \"uncolored\", \"json\", \"key_value\", \"plain\"]", NULL,
     "The form of messages."},
    {"cli.disable_version_check", SETTING_BOOLEAN, "false", 0, NULL, NULL,
     "Keep the Python Meltano from looking for newer releases. meltshim never does."},
    {"snowplow.collector_endpoints", SETTING_ARRAY, "[\"https://sp.meltano.com\"]", 0, NULL, NULL,
     "Where the Python Meltano sends its reports."},
    {"venv.backend", SETTING_OPTIONS, "\"uv\"", 0, "[\"virtualenv\", \"uv\"]", NULL,
     "What makes the virtual environments of plugins."},
    {"experimental", SETTING_BOOLEAN, "false", 0, NULL, NULL,
     "Turn on what the Python Meltano calls experimental."},
    {"ff.strict_env_var_mode", SETTING_BOOLEAN, "false", 0, NULL, NULL,
     "Refuse references to variables that are not set."},
    {"ff.plugin_locks_required", SETTING_BOOLEAN, "false", 0, NULL, NULL, NULL},
    {"state_backend.azure.connection_string", SETTING_STRING, NULL, SENSITIVE | ENV_SPECIFIC, NULL,
     "Connection String", "How to connect to Azure Blob Storage."},
    {"state_backend.azure.storage_account_url", SETTING_STRING, NULL, ENV_SPECIFIC, NULL,
     "Storage Account URL", "The account at Azure Blob Storage."},
    {"state_backend.gcs.application_credentials", SETTING_STRING, NULL, SENSITIVE | ENV_SPECIFIC,
     NULL, "Application Credentials", "The older name of application_credentials_path."},
    {"state_backend.gcs.application_credentials_json", SETTING_STRING, NULL,
     SENSITIVE | ENV_SPECIFIC, NULL, "Application Credentials JSON",
     "The credentials of a Google service account as JSON text."},
    {"state_backend.gcs.application_credentials_path", SETTING_STRING, NULL,
     SENSITIVE | ENV_SPECIFIC, NULL, "Application Credentials Path",
     "A file with the credentials of a Google service account."},
    {"state_backend.s3.aws_access_key_id", SETTING_STRING, NULL, SENSITIVE | ENV_SPECIFIC, NULL,
     "AWS Access Key ID", "The access key for S3."},
    {"state_backend.s3.aws_secret_access_key", SETTING_STRING, NULL, SENSITIVE | ENV_SPECIFIC, NULL,
     "AWS Secret Access Key", "The secret that belongs to the access key."},
    {"state_backend.s3.endpoint_url", SETTING_STRING, NULL, ENV_SPECIFIC, NULL, "Endpoint URL",
     "The address of a service that speaks S3, where it is not Amazon's."},
};

static struct value *parse_choices(const char *json)
{
    auto_value struct value *words = parse_default(json);
    struct value *options = value_new_list();

    for (size_t i = 0; i < value_count(words); i++) {
        struct value *option = value_new_map();

        value_set_take(option, "value", value_copy(value_at(words, i)));
        value_append_take(options, option);
    }
    return options;
}

void definitions_add_project(struct setting_def_list *list)
{
    for (size_t i = 0; i < ARRAY_LEN(project_rows); i++) {
        const struct project_row *row = &project_rows[i];
        struct setting_def *def = setting_def_new(row->name, row->kind);

        def->value = parse_default(row->value);
        def->sensitive = row->flags & SENSITIVE;
        def->env_specific = row->flags & ENV_SPECIFIC;
        def->label = xstrdup_or_null(row->label);
        def->description = xstrdup_or_null(row->description);
        if (row->choices)
            def->options = parse_choices(row->choices);
        setting_def_list_add_take(list, def);
    }
}
