#include "config/config_print.h"

#include "base/json.h"
#include "base/memory.h"
#include "config/cast.h"
#include "config/document.h"
#include "config/dotenv.h"
#include "config/scope.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Meltano uses one word when it prints settings and another when it lists them. */
#define PRINT_REDACTED "*****"
#define LIST_REDACTED  "(redacted)"

static int open_scope(struct config *config, struct plugin *plugin, const char *redacted,
                      struct scope **out, struct error *err)
{
    struct scope_options options = {.plugin = plugin, .redacted = redacted, .reads_db = true};

    if (plugin && plugin_resolve(plugin, err) < 0)
        return -1;
    if (!plugin)
        options.overrides = config->overrides;
    return scope_new(config, &options, out, err);
}

/* --- print -------------------------------------------------------------------------------- */

static int collect_extras(struct scope *scope, const char *redacted, struct value **out,
                          struct error *err)
{
    auto_value struct value *extras = value_new_map();

    for (size_t i = 0; i < scope->count; i++) {
        struct scope_entry *entry = &scope->entries[i];

        if (!scope_has(SCOPE_EXTRAS, entry->def))
            continue;
        if (scope_resolve(scope, entry, err) < 0)
            return -1;
        value_set_take(extras, entry->def->name, scope_shown_value(entry, redacted));
    }
    *out = take(extras);
    return 0;
}

static int print_json(struct scope *scope, struct plugin *plugin, bool extras, const char *redacted,
                      struct strbuf *out, struct error *err)
{
    auto_value struct value *settings = NULL, *document = NULL;

    if (extras) {
        if (collect_extras(scope, redacted, &document, err) < 0)
            return -1;
    } else if (document_collect(scope, redacted, &settings, err) < 0 ||
               document_shape(plugin, settings, &document, err) < 0) {
        return -1;
    }
    json_write(out, document, &json_indented);
    strbuf_add_char(out, '\n');
    return 0;
}

static int print_env(struct scope *scope, bool extras, const char *redacted, struct strbuf *out,
                     struct error *err)
{
    auto_strmap struct strmap variables = STRMAP_INIT;

    if (scope_written_variables(scope, extras ? SCOPE_EXTRAS : SCOPE_ORDINARY, redacted, &variables,
                                err) < 0)
        return -1;
    for (size_t i = 0; i < variables.count; i++)
        strbuf_add_dotenv_line(out, variables.entries[i].key, variables.entries[i].value);
    strbuf_add_char(out, '\n');
    return 0;
}

int config_print(struct config *config, struct plugin *plugin,
                 const struct config_print_options *options, struct strbuf *out, struct error *err)
{
    const char *redacted = options->unsafe ? NULL : PRINT_REDACTED;
    auto_scope struct scope *scope = NULL;

    if (open_scope(config, plugin, redacted, &scope, err) < 0)
        return -1;
    if (options->as_env)
        return print_env(scope, options->extras, redacted, out, err);
    return print_json(scope, plugin, options->extras, redacted, out, err);
}

/* --- list --------------------------------------------------------------------------------- */

const char *setting_source_label(enum setting_source source)
{
    static const char *const labels[] = {
        [SOURCE_OVERRIDE] = "a command line flag",
        [SOURCE_ENV] = "the environment",
        [SOURCE_DOTENV] = "`.env`",
        [SOURCE_MELTANO_ENVIRONMENT] = "the active environment in `meltano.yml`",
        [SOURCE_MELTANO_YML] = "`meltano.yml`",
        [SOURCE_DB] = "the system database",
        [SOURCE_INHERITED] = "inherited",
        [SOURCE_DEFAULT] = "the default",
    };

    _Static_assert(ARRAY_LEN(labels) == SOURCE_COUNT, "a source of settings has no label");
    assert(source < SOURCE_COUNT);
    return labels[source];
}

void strbuf_add_setting_origin(struct strbuf *out, const struct setting *setting)
{
    if (setting->source == SOURCE_DEFAULT)
        strbuf_add(out, "default");
    else if (setting->source == SOURCE_INHERITED)
        strbuf_addf(out, "inherited from '%s'", setting->inherited_from);
    else if (setting->source_variable)
        strbuf_addf(out, "from the %s variable in %s", setting->source_variable,
                    setting_source_label(setting->source));
    else
        strbuf_addf(out, "from %s", setting_source_label(setting->source));
}

void strbuf_add_setting_repr(struct strbuf *out, const struct setting *setting)
{
    if (setting->is_decimal && value_kind(setting->value) == VALUE_REAL)
        strbuf_addf(out, "Decimal('%s')", value_text(setting->value));
    else
        strbuf_add_py_repr(out, setting->value);
}

enum section {
    SECTION_REQUIRED,
    SECTION_CONFIGURED,
    SECTION_OPTIONAL,
    SECTION_CUSTOM,
    SECTION_CUSTOM_EXTRAS,
    SECTION_COUNT,
};

struct listing {
    const struct config_list_options *options;
    struct scope *scope;
    const struct value *groups; /* settings_group_validation */
    char *needle;               /* the filter in lower case, NULL when there is none */
    struct scope_entry **sections[SECTION_COUNT];
    size_t counts[SECTION_COUNT];
    size_t hidden;
    struct strbuf *out;
};

static void listing_clear(struct listing *listing)
{
    for (size_t i = 0; i < SECTION_COUNT; i++)
        free(listing->sections[i]);
    free(listing->needle);
}

static char *lower(const char *text)
{
    char *copy = xstrdup(text);

    for (char *at = copy; *at; at++)
        if (*at >= 'A' && *at <= 'Z')
            *at = (char)(*at - 'A' + 'a');
    return copy;
}

/* The filter without blanks around it, NULL when nothing is left. The caller frees it. */
static char *strip_filter(const char *filter)
{
    static const char blanks[] = " \t\n\v\f\r";
    size_t length;

    if (!filter)
        return NULL;
    filter += strspn(filter, blanks);
    length = strlen(filter);
    while (length && strchr(blanks, filter[length - 1]))
        length--;
    return length ? xstrndup(filter, length) : NULL;
}

static bool group_has(const struct value *group, const char *name)
{
    for (size_t i = 0; i < value_count(group); i++) {
        const char *member = value_text(value_at(group, i));

        if (member && !strcmp(member, name))
            return true;
    }
    return false;
}

static bool is_required(const struct listing *listing, const char *name)
{
    for (size_t i = 0; i < value_count(listing->groups); i++)
        if (group_has(value_at(listing->groups, i), name))
            return true;
    return false;
}

static bool matches(const struct listing *listing, const char *name)
{
    auto_free char *lowered = lower(name);

    return !listing->needle || strstr(lowered, listing->needle);
}

/* Where a setting is shown; SECTION_COUNT: nowhere. */
static enum section choose_section(const struct listing *listing, const struct scope_entry *entry)
{
    const struct setting_def *def = entry->def;
    bool is_default = entry->setting.source == SOURCE_DEFAULT;

    if (!listing->options->extras && scope_has(SCOPE_EXTRAS, def))
        return def->is_custom ? SECTION_CUSTOM_EXTRAS : SECTION_COUNT;
    if (def->is_custom)
        return SECTION_CUSTOM;
    if (!listing->options->extras && is_required(listing, def->name))
        return SECTION_REQUIRED;
    return is_default ? SECTION_OPTIONAL : SECTION_CONFIGURED;
}

static int compare_names(const void *a, const void *b)
{
    const struct scope_entry *const *left = a, *const *right = b;

    return strcmp((*left)->def->name, (*right)->def->name);
}

static int sort_into_sections(struct listing *listing, struct error *err)
{
    struct scope *scope = listing->scope;

    for (size_t i = 0; i < SECTION_COUNT; i++)
        listing->sections[i] = xcalloc(scope->count + 1, sizeof *listing->sections[i]);
    for (size_t i = 0; i < scope->count; i++) {
        struct scope_entry *entry = &scope->entries[i];
        enum section section;

        if (listing->options->extras && !scope_has(SCOPE_EXTRAS, entry->def))
            continue;
        if (scope_resolve(scope, entry, err) < 0)
            return -1;
        section = choose_section(listing, entry);
        if (section == SECTION_COUNT || !matches(listing, entry->def->name))
            continue;
        if (section == SECTION_OPTIONAL && !listing->needle && !listing->options->all)
            listing->hidden++;
        else
            listing->sections[section][listing->counts[section]++] = entry;
    }
    for (size_t i = 0; i < SECTION_COUNT; i++)
        qsort(listing->sections[i], listing->counts[i], sizeof *listing->sections[i],
              compare_names);
    return 0;
}

static void add_group(struct strbuf *out, const struct value *group)
{
    auto_strlist struct strlist names = STRLIST_INIT;
    auto_free char *joined = NULL;

    for (size_t i = 0; i < value_count(group); i++)
        if (value_text(value_at(group, i)))
            strlist_add(&names, value_text(value_at(group, i)));
    strlist_sort(&names);
    joined = strlist_join(&names, ", ");
    strbuf_addf(out, "%s\n", joined);
}

static void add_groups(struct strbuf *out, const struct value *groups)
{
    size_t count = value_count(groups);

    if (!count)
        return;
    if (count == 1) {
        strbuf_add(out, "Required settings: ");
        add_group(out, value_at(groups, 0));
    } else {
        strbuf_add(out, "Setting groups (one of the following combinations is required):\n");
    }
    for (size_t i = 0; count > 1 && i < count; i++) {
        strbuf_addf(out, "  Group %zu: ", i + 1);
        add_group(out, value_at(groups, i));
    }
    strbuf_add_char(out, '\n');
}

static void add_required_mark(struct strbuf *out, const struct value *groups, const char *name)
{
    auto_strbuf struct strbuf numbers = STRBUF_INIT;
    size_t count = 0, total = value_count(groups);

    for (size_t i = 0; i < total; i++)
        if (group_has(value_at(groups, i), name))
            strbuf_addf(&numbers, "%s%zu", count++ ? ", " : "", i + 1);
    if (!count || total < 2)
        return;
    if (count == total)
        strbuf_add(out, " (required)");
    else
        strbuf_addf(out, " (required by group%s %s)", count > 1 ? "s" : "", strbuf_text(&numbers));
}

static void add_value(struct strbuf *out, const struct scope_entry *entry, bool unsafe)
{
    const struct setting *setting = &entry->setting;
    bool is_secret = !unsafe && entry->def->sensitive && !value_is_null(setting->value);

    if (is_secret && value_is_truthy(setting->value))
        strbuf_add(out, LIST_REDACTED);
    else if (is_secret)
        strbuf_add_py_str(out, setting->value);
    else
        strbuf_add_setting_repr(out, setting);
}

static void add_setting(struct listing *listing, const struct scope_entry *entry)
{
    const struct setting *setting = &entry->setting;
    const struct setting_def *def = entry->def;
    struct strbuf *out = listing->out;
    auto_strlist struct strlist names = STRLIST_INIT;
    auto_free char *joined = NULL;

    scope_read_names(listing->scope, def, &names);
    joined = strlist_join(&names, ", ");
    strbuf_add(out, def->name);
    add_required_mark(out, listing->groups, def->name);
    strbuf_addf(out, " [env: %s]", joined);
    if (setting->source != SOURCE_DEFAULT && !value_is_null(def->value)) {
        auto_value struct value *fallback = value_copy_as_python(def->value);

        strbuf_add(out, " (default: ");
        strbuf_add_py_repr(out, fallback);
        strbuf_add_char(out, ')');
    }
    strbuf_add(out, " current value: ");
    add_value(out, entry, listing->options->unsafe);
    strbuf_add(out, " (");
    strbuf_add_setting_origin(out, setting);
    if (value_is_truthy(setting->unexpanded)) {
        strbuf_add(out, ": ");
        strbuf_add_py_repr(out, setting->unexpanded);
    }
    strbuf_add(out, ")\n");
    if (def->description && *def->description)
        strbuf_addf(out, "\t%s%s%s\n", def->label && *def->label ? def->label : "",
                    def->label && *def->label ? ": " : "", def->description);
}

/* Adds the sections that have something in them; returns how many. */
static size_t add_sections(struct listing *listing)
{
    bool extras = listing->options->extras;
    const char *headers[] = {
        [SECTION_REQUIRED] = "Required:",
        [SECTION_CONFIGURED] = "Configured:",
        [SECTION_OPTIONAL] = extras && !listing->counts[SECTION_CONFIGURED] ? NULL : "Optional:",
        [SECTION_CUSTOM] = extras ? "Custom:" : "Custom, possibly unsupported by the plugin:",
        [SECTION_CUSTOM_EXTRAS] = "Custom extras, plugin-specific options handled by Meltano:",
    };
    size_t shown = 0;

    for (size_t i = 0; i < SECTION_COUNT; i++) {
        if (!listing->counts[i])
            continue;
        if (shown++)
            strbuf_add_char(listing->out, '\n');
        if (headers[i])
            strbuf_addf(listing->out, "%s\n", headers[i]);
        for (size_t k = 0; k < listing->counts[i]; k++)
            add_setting(listing, listing->sections[i][k]);
    }
    return shown;
}

static void add_documentation(const struct listing *listing)
{
    const struct plugin *plugin = listing->scope->plugin;
    const char *url = plugin ? plugin->docs : "https://docs.meltano.com/reference/settings";
    char buffer[256];

    if (url && *url)
        strbuf_addf(listing->out, "\nTo learn more about %s and its settings, visit %s\n",
                    scope_describe(listing->scope, buffer, sizeof buffer), url);
}

static int fill_listing(struct listing *listing, const char *filter, struct error *err)
{
    size_t shown;

    if (sort_into_sections(listing, err) < 0)
        return -1;
    if (!listing->options->extras)
        add_groups(listing->out, listing->groups);
    shown = add_sections(listing);
    if (filter && !shown) {
        strbuf_add(listing->out, "No settings match ");
        strbuf_add_py_string(listing->out, filter);
        strbuf_add(listing->out, ".\n");
    }
    if (listing->hidden)
        strbuf_addf(listing->out,
                    "%sOptional settings with default values: %zu hidden. Use --all to show all.\n",
                    shown ? "\n" : "", listing->hidden);
    add_documentation(listing);
    return 0;
}

int config_list(struct config *config, struct plugin *plugin,
                const struct config_list_options *options, struct strbuf *out, struct error *err)
{
    auto_scope struct scope *scope = NULL;
    auto_free char *filter = strip_filter(options->filter);
    struct listing listing = {.options = options, .out = out};
    int status;

    if (open_scope(config, plugin, options->unsafe ? NULL : LIST_REDACTED, &scope, err) < 0)
        return -1;
    listing.scope = scope;
    listing.groups = plugin ? plugin_identity(plugin)->settings_group_validation : NULL;
    listing.needle = filter ? lower(filter) : NULL;
    status = fill_listing(&listing, filter, err);
    listing_clear(&listing);
    return status;
}
