#include "project/project.h"

#include "base/json.h"
#include "base/memory.h"
#include "tests/unit/tempdir.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

Suite *project_plugin_suite(void);

static struct project *project;

static void set_up(void)
{
    unsetenv("MELTANO_PROJECT_ROOT");
    unsetenv("MELTANO_SYS_DIR_ROOT");
    tempdir_make();
}

static void tear_down(void)
{
    project_free(take(project));
    tempdir_remove();
}

static void load(const char *yaml)
{
    struct error err = {0};

    tempdir_write("meltano.yml", yaml);
    ck_assert_msg(!project_load(tempdir_path(), &project, &err), "%s", err.message);
}

static struct plugin *resolve(const char *name)
{
    struct plugin *plugin = project_find_plugin(project, name);
    struct error err = {0};

    ck_assert_msg(!plugin_resolve(plugin, &err), "%s", err.message);
    ck_assert_int_eq(plugin_resolve(plugin, &err), 0);
    return plugin;
}

static void expect_refusal(const char *name, const char *message, const char *hint)
{
    struct error err = {0};

    ck_assert_int_eq(plugin_resolve(project_find_plugin(project, name), &err), -1);
    ck_assert_str_eq(err.message, message);
    ck_assert_str_eq(err.hint, hint);
    ck_assert_int_eq(err.code, ERR_CONFIG);
}

static char *join_settings(const struct plugin *plugin)
{
    struct strlist names = STRLIST_INIT;
    char *joined;

    for (size_t i = 0; i < plugin->settings.count; i++)
        strlist_add(&names, plugin->settings.items[i]->name);
    joined = strlist_join(&names, " ");
    strlist_clear(&names);
    return joined;
}

static char *join_commands(const struct plugin *plugin)
{
    struct strlist names = STRLIST_INIT;
    char *joined;

    for (size_t i = 0; i < plugin->command_count; i++)
        strlist_addf(&names, "%s=%s", plugin->commands[i].name, plugin->commands[i].args);
    joined = strlist_join(&names, " ");
    strlist_clear(&names);
    return joined;
}

static const char lock[] =
    "{\"plugin_type\": \"extractors\", \"name\": \"tap-x\", \"namespace\": \"tap_x\", "
    "\"variant\": \"acme\", \"label\": \"X\", \"docs\": \"https://docs\", \"pip_url\": \"x==1\", "
    "\"executable\": \"tap-x-exe\", \"capabilities\": [\"state\", \"discover\"], "
    "\"settings_group_validation\": [[\"a\"]], "
    "\"settings\": [{\"name\": \"a\"}, {\"name\": \"b\", \"value\": 1}], "
    "\"commands\": {\"one\": \"1\", \"two\": {\"args\": \"2\", \"executable\": \"e\"}}, "
    "\"requires\": {\"files\": [{\"name\": \"f\"}]}, "
    "\"supported_python_versions\": [\"3.10\"], \"select\": [\"!x.*\"], \"keywords\": []}";

START_TEST(a_custom_plugin_is_its_own_definition)
{
    struct plugin *plugin;

    load("plugins: {utilities: [{name: my-u, namespace: u, docs: d, pip_url: p, select: [a], "
         "capabilities: [x], settings: [{name: s}], inherit_from: my-u, hidden: true}]}");
    plugin = resolve("my-u");
    ck_assert(plugin->is_custom);
    ck_assert_ptr_null(plugin->inherit_from);
    ck_assert_str_eq(plugin->namespace, "u");
    ck_assert_str_eq(plugin->variant, "default");
    ck_assert_str_eq(plugin->label, "my-u");
    ck_assert_str_eq(plugin->executable, "my-u");
    ck_assert_str_eq(plugin->dir_name, "my-u");
    ck_assert_str_eq(plugin->docs, "d");
    ck_assert_ptr_null(plugin->python);
    ck_assert(plugin_has_capability(plugin, "x") && !plugin_has_capability(plugin, "y"));
    ck_assert_uint_eq(plugin->settings.count, 1);
    ck_assert_uint_eq(value_count(plugin->extras), 1);
    ck_assert_ptr_null(plugin->default_extras);
}
END_TEST

START_TEST(a_plugin_takes_its_definition_from_its_lock_file)
{
    struct plugin *plugin;
    auto_free char *settings = NULL;
    auto_free char *commands = NULL;
    auto_free char *extras = NULL;

    tempdir_write("plugins/extractors/tap-x--acme.lock", lock);
    load("plugins: {extractors: [{name: tap-x, variant: acme, docs: mine, "
         "settings: [{name: a, kind: integer}, {name: c}], "
         "commands: {two: mine, three: '3'}, requires: {files: [{name: g}]}}]}");
    plugin = resolve("tap-x");
    settings = join_settings(plugin);
    commands = join_commands(plugin);
    extras = json_to_text(plugin->default_extras, &json_compact);
    ck_assert_str_eq(plugin->namespace, "tap_x");
    ck_assert_str_eq(plugin->label, "X");
    ck_assert_str_eq(plugin->variant, "acme");
    ck_assert_str_eq(plugin->pip_url, "x==1");
    ck_assert_str_eq(plugin->executable, "tap-x-exe");
    ck_assert_str_eq(plugin->dir_name, "tap-x");
    ck_assert_str_eq(plugin->docs, "https://docs");
    ck_assert_str_eq(settings, "b a c");
    ck_assert_int_eq(setting_def_list_find(&plugin->settings, "a")->kind, SETTING_INTEGER);
    ck_assert_str_eq(commands, "one=1 two=mine three=3");
    ck_assert_ptr_null(plugin_find_command(plugin, "two")->executable);
    ck_assert_ptr_null(plugin_find_command(plugin, "four"));
    ck_assert_uint_eq(value_count(value_get(plugin->requires, "files")), 2);
    ck_assert_str_eq(extras, "{\"select\":[\"!x.*\"],\"keywords\":[]}");
    /* Without a namespace the entry is no definition: its docs: is an extra. */
    ck_assert_str_eq(value_get_text(plugin->extras, "docs"), "mine");
    ck_assert_str_eq(plugin->supported_python_versions.items[0], "3.10");
}
END_TEST

START_TEST(own_attributes_win_even_when_empty)
{
    struct plugin *plugin;

    tempdir_write("plugins/extractors/tap-x--acme.lock", lock);
    load("plugins: {extractors: [{name: tap-x, variant: acme, capabilities: [], executable: null, "
         "pip_url: mine, settings_group_validation: []}]}");
    plugin = resolve("tap-x");
    ck_assert_uint_eq(plugin->capabilities.count, 0);
    ck_assert_ptr_null(plugin->settings_group_validation);
    ck_assert_str_eq(plugin->executable, "tap-x-exe");
    ck_assert_str_eq(plugin->pip_url, "mine");
}
END_TEST

START_TEST(plugins_inherit_at_any_depth)
{
    struct plugin *child, *grandchild, *other;
    auto_free char *settings = NULL;

    tempdir_write("plugins/extractors/tap-x--acme.lock", lock);
    load("plugins:\n  extractors:\n"
         "  - {name: tap-c, inherit_from: tap-b, settings: [{name: d}], label: mine}\n"
         "  - {name: tap-b, inherit_from: tap-x, commands: {one: own}}\n"
         "  - {name: tap-x, variant: acme, settings: [{name: c}]}\n"
         "  - {name: tap-o, inherit_from: tap-x, pip_url: other}\n");
    grandchild = resolve("tap-c");
    child = resolve("tap-b");
    other = resolve("tap-o");
    settings = join_settings(grandchild);
    ck_assert_ptr_eq(grandchild->parent, child);
    ck_assert_ptr_eq(child->parent, project_find_plugin(project, "tap-x"));
    ck_assert_ptr_null(child->parent->parent);
    ck_assert_str_eq(grandchild->namespace, "tap_c");
    ck_assert_str_eq(grandchild->variant, "acme");
    ck_assert_str_eq(child->label, "X: tap-b");
    ck_assert_str_eq(grandchild->label, "mine");
    ck_assert_str_eq(grandchild->executable, "tap-x-exe");
    ck_assert_str_eq(grandchild->dir_name, "tap-x");
    ck_assert_str_eq(other->dir_name, "tap-o");
    ck_assert_str_eq(settings, "a b c d");
    ck_assert_str_eq(plugin_find_command(grandchild, "one")->args, "own");
    ck_assert_ptr_nonnull(value_get(grandchild->default_extras, "select"));
}
END_TEST

START_TEST(with_a_variant_a_plugin_inherits_from_a_definition)
{
    struct plugin *plugin;

    tempdir_write("plugins/extractors/tap-x--acme.lock", lock);
    load("plugins:\n  extractors:\n  - {name: tap-x, namespace: own}\n"
         "  - {name: tap-y, inherit_from: tap-x, variant: acme}\n");
    plugin = resolve("tap-y");
    ck_assert_ptr_null(plugin->parent);
    ck_assert_str_eq(plugin->namespace, "tap_y");
    ck_assert_str_eq(plugin->label, "X: tap-y");
    ck_assert_str_eq(plugin->dir_name, "tap-x");
    ck_assert_str_eq(plugin->pip_url, "x==1");
}
END_TEST

START_TEST(a_mapping_is_its_mapper_under_another_name)
{
    struct plugin *mapping;

    load("plugins: {mappers: [{name: m, namespace: mm, pip_url: p, executable: e, env: {A: b}, "
         "settings: [{name: s}], capabilities: [c], settings_group_validation: [[s]], "
         "mappings: [{name: hide, config: {x: 1}}]}]}");
    mapping = resolve("hide");
    ck_assert_str_eq(mapping->name, "hide");
    ck_assert_str_eq(mapping->namespace, "mm");
    ck_assert_str_eq(mapping->label, "m");
    ck_assert_str_eq(mapping->pip_url, "p");
    ck_assert_str_eq(mapping->executable, "e");
    ck_assert_str_eq(mapping->dir_name, "m");
    ck_assert_uint_eq(mapping->settings.count, 1);
    ck_assert(plugin_has_capability(mapping, "c"));
    ck_assert_uint_eq(value_count(mapping->settings_group_validation), 1);
    ck_assert_str_eq(value_get_text(mapping->env, "A"), "b");
}
END_TEST

START_TEST(a_cycle_of_inheritance_is_shown)
{
    load("plugins:\n  loaders:\n  - {name: a, inherit_from: b}\n  - {name: b, inherit_from: c}\n"
         "  - {name: c, inherit_from: a}\n");
    expect_refusal("b", "meltano.yml:4:15: loader 'b' inherits from itself: b -> c -> a -> b",
                   "Let one of them inherit from another plugin, or from none.");
    expect_refusal("b", "meltano.yml:4:15: loader 'b' inherits from itself: b -> c -> a -> b",
                   "Let one of them inherit from another plugin, or from none.");
}
END_TEST

START_TEST(a_missing_lock_file_is_named)
{
    load("plugins:\n  extractors:\n  - name: tap-x\n  - {name: tap-y, inherit_from: tap-z}\n");
    expect_refusal("tap-x",
                   "meltano.yml:3:5: extractor 'tap-x' has no definition: there is no "
                   "plugins/extractors/tap-x--default.lock",
                   "Run 'meltano lock tap-x', or give the plugin a 'namespace:' and its own "
                   "definition.");
    expect_refusal("tap-y",
                   "meltano.yml:4:5: extractor 'tap-y' has no definition: there is no "
                   "plugins/extractors/tap-z--default.lock",
                   "Run 'meltano lock tap-y', or give the plugin a 'namespace:' and its own "
                   "definition.");
}
END_TEST

static const struct {
    const char *lock;
    const char *message;
} bad_locks[] = {
    {"{\"name\": ", "plugins/extractors/tap-x--acme.lock:1:10: invalid JSON: a value was expected"},
    {"[1]", "plugins/extractors/tap-x--acme.lock:1:1: plugins/extractors/tap-x--acme.lock must be "
            "a mapping, not a list"},
    {"{\"name\": \"tap-x\"}", "plugins/extractors/tap-x--acme.lock:1:1: "
                              "plugins/extractors/tap-x--acme.lock has no 'namespace'"},
    {"{\"name\": \"tap-x\", \"namespace\": \"n\",\n \"variant\": \"other\"}",
     "plugins/extractors/tap-x--acme.lock:2:13: extractor 'tap-x' is of the variant 'acme', and "
     "this "
     "file defines 'other'"},
    {"{\"name\": \"tap-x\", \"namespace\": \"n\"}",
     "plugins/extractors/tap-x--acme.lock:1:1: extractor 'tap-x' is of the variant 'acme', and "
     "this "
     "file defines none"},
    {"{\"name\": \"tap-x\", \"namespace\": \"n\", \"variant\": \"acme\",\n \"settings\": "
     "[{\"name\": \"a\", \"kind\": "
     "\"k\"}]}",
     "plugins/extractors/tap-x--acme.lock:2:37: 'k' is not a kind of setting (setting 'a')"},
};

START_TEST(a_bad_lock_file_is_refused_with_its_place)
{
    struct error err = {0};

    tempdir_write("plugins/extractors/tap-x--acme.lock", bad_locks[_i].lock);
    load("plugins: {extractors: [{name: tap-x, variant: acme}]}");
    ck_assert_int_eq(plugin_resolve(project->plugins[0], &err), -1);
    ck_assert_str_eq(err.message, bad_locks[_i].message);
    ck_assert_int_eq(err.code, ERR_CONFIG);
}
END_TEST

START_TEST(a_definition_has_no_slash_in_its_name)
{
    load("plugins: {extractors: [{name: tap-x, variant: acme/b}]}");
    expect_refusal("tap-x",
                   "meltano.yml:1:24: the name or variant of extractor 'tap-x' contains '/'",
                   "Take it from the hub: 'meltano hub list' shows what there is.");
}
END_TEST

/* A definition source that counts. */
static int give_definition(void *context, const struct plugin *plugin, const char *name,
                           const char *variant, struct value **out, struct error *err)
{
    (void)plugin;
    ck_assert_str_eq(name, "tap-x");
    ck_assert_str_eq(variant, "default");
    ++*(int *)context;
    return json_parse(lock, strlen(lock), NULL, out, err);
}

START_TEST(a_definition_source_is_asked_once)
{
    int asked = 0;

    load("plugins: {extractors: [{name: tap-x}, {name: tap-y, inherit_from: tap-x, "
         "variant: default}]}");
    project_set_definition_source(project, give_definition, &asked);
    ck_assert_str_eq(resolve("tap-x")->variant, "acme");
    ck_assert_str_eq(resolve("tap-y")->pip_url, "x==1");
    ck_assert_int_eq(asked, 1);
}
END_TEST

Suite *project_plugin_suite(void)
{
    Suite *suite = suite_create("project/plugin");
    TCase *tcase = tcase_create("plugin");

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_custom_plugin_is_its_own_definition);
    tcase_add_test(tcase, a_plugin_takes_its_definition_from_its_lock_file);
    tcase_add_test(tcase, own_attributes_win_even_when_empty);
    tcase_add_test(tcase, plugins_inherit_at_any_depth);
    tcase_add_test(tcase, with_a_variant_a_plugin_inherits_from_a_definition);
    tcase_add_test(tcase, a_mapping_is_its_mapper_under_another_name);
    tcase_add_test(tcase, a_cycle_of_inheritance_is_shown);
    tcase_add_test(tcase, a_missing_lock_file_is_named);
    tcase_add_loop_test(tcase, a_bad_lock_file_is_refused_with_its_place, 0, ARRAY_LEN(bad_locks));
    tcase_add_test(tcase, a_definition_has_no_slash_in_its_name);
    tcase_add_test(tcase, a_definition_source_is_asked_once);
    suite_add_tcase(suite, tcase);
    return suite;
}
