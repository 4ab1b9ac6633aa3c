#include "base/memory.h"
#include "base/position.h"
#include "base/redact.h"
#include "config/document.h"
#include "config/expand.h"
#include "config/scope.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static int resolve_all(struct plugin_config *resolved, struct error *err)
{
    struct scope *scope = resolved->scope;

    for (size_t i = 0; i < scope->count; i++) {
        struct scope_entry *entry = &scope->entries[i];
        bool is_extra = scope_has(SCOPE_EXTRAS, entry->def);

        if (scope_resolve(scope, entry, err) < 0)
            return -1;
        setting_list_add(is_extra ? &resolved->extras : &resolved->settings, &entry->setting);
    }
    return 0;
}

int config_resolve_plugin(struct config *config, struct plugin *plugin,
                          const struct strmap *upstream, const struct value *extra_overrides,
                          struct plugin_config **out, struct error *err)
{
    auto_plugin_config struct plugin_config *resolved = xcalloc(1, sizeof *resolved);
    struct scope_options options = {
        .plugin = plugin, .upstream = upstream, .overrides = extra_overrides, .reads_db = true};

    if (plugin_resolve(plugin, err) < 0)
        return -1;
    resolved->plugin = plugin;
    resolved->config = config;
    if (scope_new(config, &options, &resolved->scope, err) < 0 || resolve_all(resolved, err) < 0)
        return -1;
    resolved->settings_env = &resolved->scope->env;
    *out = take(resolved);
    return 0;
}

void plugin_config_free(struct plugin_config *resolved)
{
    if (!resolved)
        return;
    free(resolved->settings.items);
    free(resolved->extras.items);
    scope_free(resolved->scope);
    free(resolved);
}

/* A mapping's own keys take the place of the mapper's, as they are written but for variables. */
static int overlay_mapping(const struct plugin_config *resolved, struct value *document,
                           struct error *err)
{
    struct config *config = resolved->config;
    const struct strmap *const layers[] = {config_project_env(config), &config->dotenv, NULL};
    auto_value struct value *mapping = NULL;

    if (value_is_null(resolved->plugin->mapping_config))
        return 0;
    if (expand_value_in(resolved->plugin->mapping_config, layers, EXPAND_MISSING_EMPTY, &mapping,
                        err) < 0)
        return -1;
    for (size_t i = 0; i < value_count(mapping); i++) {
        const struct value_member *member = value_member_at(mapping, i);

        value_set_take(document, member->key, value_copy(member->value));
    }
    return 0;
}

int plugin_config_document(const struct plugin_config *resolved, struct value **out,
                           struct error *err)
{
    auto_value struct value *settings = NULL, *document = NULL;

    if (document_collect(resolved->scope, NULL, &settings, err) < 0 ||
        document_shape(resolved->plugin, settings, &document, err) < 0 ||
        overlay_mapping(resolved, document, err) < 0)
        return -1;
    *out = take(document);
    return 0;
}

const struct value *plugin_config_extra(const struct plugin_config *resolved, const char *name)
{
    const struct setting *setting = setting_list_find(&resolved->extras, name);

    return setting && !value_is_null(setting->value) ? setting->value : NULL;
}

void plugin_config_written_variables(const struct plugin_config *resolved, bool with_extras,
                                     struct strmap *out)
{
    struct error err = {0};
    int status;

    plugin_info_variables(resolved->plugin, out);
    status = scope_written_variables(resolved->scope, with_extras ? SCOPE_ALL : SCOPE_ORDINARY,
                                     NULL, out, &err);
    assert(status == 0 || !"everything is resolved by now");
    (void)status;
}

void plugin_config_downstream(const struct plugin_config *resolved, struct strmap *out)
{
    plugin_config_written_variables(resolved, true, out);
}

/* Every text in a secret value; numbers that are secrets count as well. */
static void register_secret(const struct value *value)
{
    for (size_t i = 0; value_is_list(value) && i < value_count(value); i++)
        register_secret(value_at(value, i));
    for (size_t i = 0; value_is_map(value) && i < value_count(value); i++)
        register_secret(value_member_at(value, i)->value);
    if (value_text(value))
        redact_add_secret(value_text(value));
}

static void register_list(const struct setting_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].def->sensitive)
            register_secret(list->items[i].value);
}

void plugin_config_register_secrets(const struct plugin_config *resolved)
{
    register_list(&resolved->settings);
    register_list(&resolved->extras);
}
