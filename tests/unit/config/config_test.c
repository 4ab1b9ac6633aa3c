#include "config/config.h"

#include "base/json.h"
#include "base/memory.h"
#include "base/redact.h"
#include "tests/unit/tempdir.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

Suite *config_config_suite(void);

static struct project *project;
static struct config *config;
static struct plugin_config *resolved;
static struct strmap environment; /* of the process */

static void set_up(void)
{
    unsetenv("MELTANO_SYS_DIR_ROOT");
    tempdir_make();
    environment = (struct strmap)STRMAP_INIT;
    project = NULL;
    config = NULL;
    resolved = NULL;
}

static void tear_down(void)
{
    plugin_config_free(resolved);
    config_free(config);
    project_free(project);
    strmap_clear(&environment);
    tempdir_remove();
}

/* Opens the project with the environment active, NULL for none. */
static void open_project(const char *meltano_yml, const char *active)
{
    struct config_options options = {.environment = active};
    struct error err = {0};

    tempdir_write("meltano.yml", meltano_yml);
    ck_assert_msg(!project_load(tempdir_path(), &project, &err), "%s", err.message);
    ck_assert_msg(!config_open(project, &environment, &options, &config, &err), "%s", err.message);
}

static struct plugin *find(const char *name)
{
    struct plugin *plugin = project_find_plugin(project, name);

    ck_assert_ptr_nonnull(plugin);
    return plugin;
}

static void resolve(const char *name)
{
    struct error err = {0};

    plugin_config_free(resolved);
    resolved = NULL;
    ck_assert_msg(!config_resolve_plugin(config, find(name), NULL, NULL, &resolved, &err), "%s",
                  err.message);
}

static const struct setting *setting(const char *name)
{
    const struct setting *found =
        setting_list_find(*name == '_' ? &resolved->extras : &resolved->settings, name);

    ck_assert_msg(found != NULL, "there is no setting %s", name);
    return found;
}

static void check_value(const char *name, const char *json)
{
    auto_free char *text = json_to_text(setting(name)->value, &json_python);

    ck_assert_str_eq(text, json);
}

static void check_document(const char *json)
{
    auto_value struct value *document = NULL;
    auto_free char *text = NULL;
    struct error err = {0};

    ck_assert_msg(!plugin_config_document(resolved, &document, &err), "%s", err.message);
    text = json_to_text(document, &json_python);
    ck_assert_str_eq(text, json);
}

static void refuse(const char *name, const char *message)
{
    struct error err = {0};

    ck_assert_int_eq(config_resolve_plugin(config, find(name), NULL, NULL, &resolved, &err), -1);
    ck_assert_str_eq(err.message, message);
    ck_assert_str_ne(err.hint, "");
}

/* --- layers ------------------------------------------------------------------------------- */

START_TEST(the_highest_layer_that_has_a_value_wins)
{
    static const struct {
        const char *name, *json;
        enum setting_source source;
        const char *variable;
    } rows[] = {
        {"shell", "\"from the shell\"", SOURCE_ENV, "TAP_X_SHELL"},
        {"root", "\"from env:\"", SOURCE_ENV, "TAP_X_ROOT"},
        {"dot", "\"from .env\"", SOURCE_DOTENV, "TAP_X_DOT"},
        {"active", "\"from dev\"", SOURCE_MELTANO_ENVIRONMENT, NULL},
        {"file", "\"from meltano.yml\"", SOURCE_MELTANO_YML, NULL},
        {"null", "\"default\"", SOURCE_DEFAULT, NULL},
        {"unset", "null", SOURCE_DEFAULT, NULL},
        {"custom", "[1]", SOURCE_MELTANO_YML, NULL},
        {"only_active", "true", SOURCE_MELTANO_ENVIRONMENT, NULL},
    };

    strmap_set(&environment, "TAP_X_SHELL", "from the shell");
    strmap_set(&environment, "TAP_X_ROOT", "from the shell");
    tempdir_write(".env", "TAP_X_SHELL=no\nTAP_X_DOT=from .env\n");
    open_project("env: {TAP_X_ROOT: 'from env:'}\n"
                 "environments:\n"
                 "- name: dev\n"
                 "  config:\n"
                 "    plugins:\n"
                 "      extractors: [{name: tap-x, config: {active: from dev, dot: no, null: null,"
                 " only_active: true}}]\n"
                 "plugins:\n"
                 "  extractors:\n"
                 "  - name: tap-x\n"
                 "    namespace: tap_x\n"
                 "    settings: [{name: shell}, {name: root}, {name: dot}, {name: active},"
                 " {name: file}, {name: 'null', value: default}, {name: unset}]\n"
                 "    config: {shell: no, root: no, dot: no, active: no, file: from meltano.yml,"
                 " null: null, custom: [1]}\n",
                 "dev");
    resolve("tap-x");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        check_value(rows[i].name, rows[i].json);
        ck_assert_int_eq(setting(rows[i].name)->source, rows[i].source);
        ck_assert_pstr_eq(setting(rows[i].name)->source_variable, rows[i].variable);
    }
}
END_TEST

static int read_rows(void *context, const char *setting_namespace, struct value **out,
                     struct error *err ATTR_UNUSED)
{
    const char *wanted = context;

    *out = value_new_map();
    if (!strcmp(setting_namespace, wanted))
        value_set_string(*out, "a", "5");
    return 0;
}

START_TEST(the_system_database_comes_after_meltano_yml_and_is_cast)
{
    char wanted[] = "extractors.tap-x.default";
    struct config_options options = {.read_db_settings = read_rows, .db_context = wanted};
    struct error err = {0};

    tempdir_write("meltano.yml", "plugins: {extractors: [{name: tap-x, namespace: x, settings: "
                                 "[{name: a, kind: integer, value: 1}]}]}\n");
    ck_assert_int_eq(project_load(tempdir_path(), &project, &err), 0);
    ck_assert_int_eq(config_open(project, &environment, &options, &config, &err), 0);
    resolve("tap-x");
    check_value("a", "5");
    ck_assert_int_eq(setting("a")->source, SOURCE_DB);
}
END_TEST

#define ALIASED                                                                                    \
    "plugins:\n"                                                                                   \
    "  extractors:\n"                                                                              \
    "  - name: tap-x--eu\n"                                                                        \
    "    namespace: tap_x\n"                                                                       \
    "    settings:\n"                                                                              \
    "    - {name: auth.token, aliases: [tok], env: TOKEN}\n"                                       \
    "    - {name: flag, kind: boolean, env_aliases: [FLAG, '!NO_FLAG']}\n"

static const struct {
    const char *variable, *value;
    const char *name, *json;
} names_read[] = {
    {"TAP_X__EU_AUTH_TOKEN", "t", "auth.token", "\"t\""},
    {"TAP_X_AUTH_TOKEN", "t", "auth.token", "\"t\""},
    {"TAP_X__EU_TOK", "t", "auth.token", "\"t\""},
    {"TAP_X_TOK", "t", "auth.token", "\"t\""},
    {"TOKEN", "t", "auth.token", "null"},
    {"MELTANO_EXTRACT_AUTH_TOKEN", "t", "auth.token", "null"},
    {"FLAG", "on", "flag", "true"},
    {"NO_FLAG", "yes", "flag", "false"},
    {"NO_FLAG", "no", "flag", "true"},
};

START_TEST(a_setting_is_read_from_the_variables_of_its_names)
{
    strmap_set(&environment, names_read[_i].variable, names_read[_i].value);
    open_project(ALIASED, NULL);
    resolve("tap-x--eu");
    check_value(names_read[_i].name, names_read[_i].json);
}
END_TEST

START_TEST(a_setting_is_written_to_its_own_names_and_the_generic_one)
{
    auto_strmap struct strmap written = STRMAP_INIT;

    strmap_set(&environment, "TAP_X_TOK", "t");
    open_project(ALIASED, NULL);
    resolve("tap-x--eu");
    plugin_config_written_variables(resolved, false, &written);
    ck_assert_str_eq(strmap_get(&written, "TOKEN"), "t");
    ck_assert_str_eq(strmap_get(&written, "TAP_X__EU_AUTH_TOKEN"), "t");
    ck_assert_str_eq(strmap_get(&written, "TAP_X_AUTH_TOKEN"), "t");
    ck_assert_str_eq(strmap_get(&written, "MELTANO_EXTRACT_AUTH_TOKEN"), "t");
    ck_assert_str_eq(strmap_get(&written, "MELTANO_EXTRACTOR_NAME"), "tap-x--eu");
    ck_assert_str_eq(strmap_get(&written, "MELTANO_EXTRACTOR_VARIANT"), "default");
    ck_assert_ptr_null(strmap_get(&written, "TAP_X_TOK"));
    ck_assert_ptr_null(strmap_get(&written, "TAP_X_FLAG"));
    ck_assert_ptr_null(strmap_get(&written, "TAP_X__SELECT"));
}
END_TEST

START_TEST(two_variables_for_one_setting_are_refused)
{
    strmap_set(&environment, "TAP_X_TOK", "t");
    strmap_set(&environment, "TAP_X_AUTH_TOKEN", "t");
    open_project(ALIASED, NULL);
    refuse("tap-x--eu", "setting 'auth.token' of extractor 'tap-x--eu': Setting value set via "
                        "multiple environment variables: ['TAP_X_AUTH_TOKEN', 'TAP_X_TOK']");
    strmap_set(&environment, "TAP_X_TOK", "u");
    config_free(config);
    project_free(project);
    open_project(ALIASED, NULL);
    refuse("tap-x--eu", "setting 'auth.token' of extractor 'tap-x--eu': Conflicting values for "
                        "setting found in: ['TAP_X_AUTH_TOKEN', 'TAP_X_TOK']");
}
END_TEST

START_TEST(a_name_and_its_alias_in_one_config_are_refused)
{
    open_project("plugins:\n"
                 "  extractors:\n"
                 "  - name: tap-x\n"
                 "    namespace: x\n"
                 "    settings: [{name: user, aliases: [login]}]\n"
                 "    config: {login: a, user: b}\n",
                 NULL);
    refuse("tap-x", "meltano.yml:6:30: setting 'user' of extractor 'tap-x': Conflicting values for "
                    "setting found in: ['user', 'login']");
}
END_TEST

START_TEST(a_value_that_is_no_number_does_not_conflict_with_itself)
{
    open_project("plugins:\n"
                 "  extractors:\n"
                 "  - name: tap-x\n"
                 "    namespace: tap_x\n"
                 "    executable: tap-x\n"
                 "    config: {limit: .nan, limits: [.nan]}\n",
                 NULL);
    resolve("tap-x");
    check_document("{\"limit\": NaN, \"limits\": [NaN]}");
}
END_TEST

START_TEST(a_value_of_the_wrong_kind_is_refused_with_its_place)
{
    open_project("plugins:\n"
                 "  extractors:\n"
                 "  - name: tap-x\n"
                 "    namespace: x\n"
                 "    settings: [{name: port, kind: integer}]\n"
                 "    config: {port: many}\n",
                 NULL);
    refuse("tap-x", "meltano.yml:6:20: setting 'port' of extractor 'tap-x': invalid literal for "
                    "int() with base 10: 'many'");
}
END_TEST

START_TEST(a_value_of_the_wrong_kind_is_refused_with_its_variable)
{
    tempdir_write(".env", "TAP_X_PORT=many\n");
    open_project("plugins: {extractors: [{name: tap-x, namespace: x, settings: [{name: port, kind: "
                 "integer}]}]}\n",
                 NULL);
    refuse("tap-x", "setting 'port' of extractor 'tap-x', from the variable TAP_X_PORT in .env: "
                    "invalid literal for int() with base 10: 'many'");
}
END_TEST

/* --- expansion ---------------------------------------------------------------------------- */

START_TEST(only_values_from_files_are_expanded)
{
    strmap_set(&environment, "TAP_X_SHELL", "$WHO");
    strmap_set(&environment, "WHO", "me");
    tempdir_write(".env", "TAP_X_DOT='$WHO'\nFROM_DOT=dot\nWHO=hidden\n");
    open_project("plugins:\n"
                 "  extractors:\n"
                 "  - name: tap-x\n"
                 "    namespace: tap_x\n"
                 "    settings: [{name: shell}, {name: dot}, {name: default, value: $WHO}]\n"
                 "    config: {file: $WHO and $FROM_DOT, missing: $NOT_SET, own: "
                 "$MELTANO_EXTRACTOR_NAME, sibling: $TAP_X_FILE}\n"
                 "    load_schema: $MELTANO_EXTRACT_FILE\n",
                 NULL);
    resolve("tap-x");
    check_value("shell", "\"$WHO\"");
    check_value("dot", "\"$WHO\"");
    check_value("default", "\"me\"");
    check_value("file", "\"me and dot\"");
    check_value("missing", "null");
    ck_assert_int_eq(setting("missing")->source, SOURCE_MELTANO_YML);
    check_value("own", "\"tap-x\"");
    check_value("sibling", "null");
    check_value("_load_schema", "\"me and dot\"");
    ck_assert_str_eq(value_text(setting("file")->unexpanded), "$WHO and $FROM_DOT");
    ck_assert_ptr_null(setting("shell")->unexpanded);
}
END_TEST

START_TEST(strict_mode_refuses_what_is_not_set)
{
    open_project("ff.strict_env_var_mode: true\n"
                 "plugins: {extractors: [{name: tap-x, namespace: x, config: {a: $NOT_SET}}]}\n",
                 NULL);
    refuse("tap-x", "meltano.yml:2:64: setting 'a' of extractor 'tap-x': Environment variable "
                    "'NOT_SET' referenced but not set");
}
END_TEST

/* --- documents ---------------------------------------------------------------------------- */

START_TEST(a_singer_plugin_gets_a_tree_and_others_a_flat_map)
{
    strmap_set(&environment, "PORT", "55");
    open_project("plugins:\n"
                 "  extractors:\n"
                 "  - name: tap-x\n"
                 "    namespace: tap_x\n"
                 "    settings: &settings\n"
                 "    - {name: username}\n"
                 "    - {name: auth.method, value: basic}\n"
                 "    - {name: port, kind: integer}\n"
                 "    config: &config {auth: {token: t}, port: $PORT, extra: null}\n"
                 "  utilities:\n"
                 "  - {name: u, namespace: u, settings: *settings, config: *config}\n",
                 NULL);
    resolve("tap-x");
    check_document("{\"auth\": {\"method\": \"basic\", \"token\": \"t\"}, \"port\": 55}");
    resolve("u");
    check_document("{\"username\": null, \"auth.method\": \"basic\", \"port\": 55, "
                   "\"auth.token\": \"t\", \"extra\": null}");
}
END_TEST

START_TEST(an_object_is_put_together_from_its_leaves)
{
    open_project("plugins:\n"
                 "  extractors:\n"
                 "  - name: tap-x\n"
                 "    namespace: tap_x\n"
                 "    settings: [{name: o, kind: object, value: {d: 1}}]\n"
                 "    config: {o: {k: {z: 1}}}\n"
                 "    metadata: {s: {replication-key: id}}\n",
                 NULL);
    resolve("tap-x");
    check_value("o", "{\"k.z\": 1}");
    ck_assert_int_eq(setting("o")->source, SOURCE_MELTANO_YML);
    check_value("_metadata", "{\"s\": {\"replication-key\": \"id\"}}");
    check_document("{\"o\": {\"k\": {\"z\": 1}}}");
}
END_TEST

START_TEST(a_mapping_takes_the_place_of_its_mappers_config)
{
    strmap_set(&environment, "WHO", "me");
    open_project("plugins:\n"
                 "  mappers:\n"
                 "  - name: map\n"
                 "    namespace: map\n"
                 "    config: {level: 1}\n"
                 "    mappings: [{name: hash, config: {stream_maps: {a.b: {c: $WHO}}}}]\n",
                 NULL);
    resolve("hash");
    check_document("{\"stream_maps\": {\"a.b\": {\"c\": \"me\"}}}");
    check_value("_mapping_name", "\"hash\"");
    check_value("_mapping", "true");
    resolve("map");
    check_document("{\"level\": 1}");
}
END_TEST

START_TEST(a_child_inherits_what_its_parent_is_given_and_expands_it_itself)
{
    tempdir_write(".env", "TAP_A_VIA_VARIABLE=from .env\n");
    open_project("plugins:\n"
                 "  extractors:\n"
                 "  - name: tap-a\n"
                 "    namespace: tap_a\n"
                 "    settings: [{name: who, value: default}, {name: via_variable}, {name: both}]\n"
                 "    config: {who: $MELTANO_EXTRACTOR_NAME, m: {a: 1, b: 2}}\n"
                 "    env: {BOTH: parent}\n"
                 "  - name: tap-b\n"
                 "    inherit_from: tap-a\n"
                 "    config: {m: {b: 3}, both: $BOTH}\n",
                 NULL);
    resolve("tap-b");
    check_document("{\"who\": \"tap-b\", \"via_variable\": \"from .env\", \"both\": \"parent\", "
                   "\"m\": {\"a\": 1, \"b\": 3}}");
    ck_assert_int_eq(setting("who")->source, SOURCE_INHERITED);
    ck_assert_str_eq(setting("who")->inherited_from, "tap-a");
}
END_TEST

START_TEST(extras_can_be_given_on_the_command_line)
{
    auto_value struct value *overrides = value_new_map();
    struct error err = {0};

    value_set_string(overrides, "_catalog", "$HOME/catalog.json");
    open_project("plugins: {extractors: [{name: tap-x, namespace: x, catalog: other}]}\n", NULL);
    ck_assert_int_eq(config_resolve_plugin(config, find("tap-x"), NULL, overrides, &resolved, &err),
                     0);
    check_value("_catalog", "\"$HOME/catalog.json\"");
    ck_assert_int_eq(setting("_catalog")->source, SOURCE_OVERRIDE);
    ck_assert_ptr_null(plugin_config_extra(resolved, "_state"));
    ck_assert_ptr_null(plugin_config_extra(resolved, "_no_such"));
}
END_TEST

START_TEST(a_loader_sees_the_settings_of_the_extractor_before_it)
{
    auto_strmap struct strmap downstream = STRMAP_INIT;
    struct error err = {0};

    open_project(
        "plugins:\n"
        "  extractors: [{name: tap-x, namespace: my_tap, config: {a: 1}}]\n"
        "  loaders:\n"
        "  - {name: target-x, namespace: x, config: {schema: $MELTANO_EXTRACT__LOAD_SCHEMA,"
        " a: $TAP_X_A, name: $MELTANO_EXTRACTOR_NAME}}\n",
        NULL);
    resolve("tap-x");
    plugin_config_downstream(resolved, &downstream);
    plugin_config_free(take(resolved));
    ck_assert_int_eq(
        config_resolve_plugin(config, find("target-x"), &downstream, NULL, &resolved, &err), 0);
    check_document("{\"schema\": \"my_tap\", \"a\": \"1\", \"name\": \"tap-x\"}");
}
END_TEST

/* --- the environment of a process --------------------------------------------------------- */

#define STACKED                                                                                    \
    "env: {STACKED: '${STACKED}2', R2: $SHELLV-x}\n"                                               \
    "environments:\n"                                                                              \
    "- name: prod\n"                                                                               \
    "  env: {STACKED: '${STACKED}3', E3: $R2-e, E4: $P1-e, E5: $DOT-e}\n"                          \
    "  config:\n"                                                                                  \
    "    plugins:\n"                                                                               \
    "      utilities: [{name: show, env: {STACKED: '${STACKED}5', EP1: $P1-q, EP2: $E3-q}}]\n"     \
    "plugins:\n"                                                                                   \
    "  utilities:\n"                                                                               \
    "  - name: show\n"                                                                             \
    "    namespace: show\n"                                                                        \
    "    env: {STACKED: '${STACKED}4', P1: p, P3: $R2-p, NUMBER: 5, GONE: null}\n"                 \
    "    config: {stacked: $STACKED, list: [1]}\n"

static const struct {
    const char *active;
    const char *name, *value;
} process_rows[] = {
    {NULL, "STACKED", "4"},
    {NULL, "SHOW_STACKED", "${STACKED}4"},
    {NULL, "R2", "$SHELLV-x"},
    {NULL, "P3", "-p"},
    {NULL, "NUMBER", "5"},
    {NULL, "GONE", NULL},
    {NULL, "DOT", "d"},
    {NULL, "SHOW_LIST", "[1]"},
    {NULL, "MELTANO_UTILITIE_LIST", NULL},
    {NULL, "MELTANO_UTILIZE_LIST", "[1]"},
    {NULL, "MELTANO_UTILITY_NAME", "show"},
    {NULL, "MELTANO_ENVIRONMENT", ""},
    {NULL, "MELTANO_JOB_TRIGGER", "cli"},
    {NULL, "MELTANO_PROJECT_READONLY", "false"},
    {NULL, "MELTANO_SNOWPLOW_COLLECTOR_ENDPOINTS", "[\"https://sp.meltano.com\"]"},
    {NULL, "PYTHONWARNINGS", "once"},
    {NULL, "PYTHONPATH", NULL},
    {NULL, "VIRTUAL_ENV", NULL},
    {NULL, "PATH", "/bin"},
    {"prod", "STACKED", "12345"},
    {"prod", "SHOW_STACKED", "${STACKED}5"},
    {"prod", "E3", "s-x-e"},
    {"prod", "E4", "-e"},
    {"prod", "E5", "d-e"},
    {"prod", "EP1", "p-q"},
    {"prod", "EP2", "-q"},
    {"prod", "MELTANO_ENVIRONMENT", "prod"},
};

START_TEST(the_environment_of_a_process_has_its_layers)
{
    auto_strmap struct strmap env = STRMAP_INIT;
    struct error err = {0};

    strmap_set(&environment, "STACKED", "1");
    strmap_set(&environment, "SHELLV", "s");
    strmap_set(&environment, "PATH", "/bin");
    strmap_set(&environment, "PYTHONPATH", "/elsewhere");
    strmap_set(&environment, "VIRTUAL_ENV", "/elsewhere");
    tempdir_write(".env", "DOT=d\n");
    open_project(STACKED, process_rows[_i].active);
    resolve("show");
    ck_assert_int_eq(config_plugin_environment(config, resolved, &env, &err), 0);
    ck_assert_pstr_eq(strmap_get(&env, process_rows[_i].name), process_rows[_i].value);
    ck_assert_ptr_nonnull(strmap_get(&env, "MELTANO_PARENT_CONTEXT_UUID"));
}
END_TEST

START_TEST(a_plugin_with_a_virtual_environment_finds_it_first)
{
    auto_strmap struct strmap env = STRMAP_INIT;
    auto_free char *venv = xasprintf("%s/.meltano/utilities/u/venv", tempdir_path());
    auto_free char *path = xasprintf("%s/bin:/bin", venv);
    struct error err = {0};

    strmap_set(&environment, "PATH", "/bin");
    open_project("plugins: {utilities: [{name: u, namespace: u, pip_url: u}]}\n", NULL);
    resolve("u");
    ck_assert_int_eq(config_plugin_environment(config, resolved, &env, &err), 0);
    ck_assert_str_eq(strmap_get(&env, "VIRTUAL_ENV"), venv);
    ck_assert_str_eq(strmap_get(&env, "PATH"), path);
}
END_TEST

START_TEST(what_airflow_sets_for_itself_reaches_only_airflow)
{
    static const char *const names[] = {"AIRFLOW__CORE__X", "_AIRFLOW_X", "__AIRFLOW_X"};
    struct error err = {0};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        strmap_set(&environment, names[i], "x");
    strmap_set(&environment, "AIRFLOW_HOME", "x");
    open_project("plugins:\n"
                 "  utilities:\n"
                 "  - {name: u, namespace: u, env: {AIRFLOW__MEANT: 'yes'}}\n"
                 "  - {name: airflow, namespace: airflow}\n",
                 NULL);
    for (int is_airflow = 0; is_airflow < 2; is_airflow++) {
        auto_strmap struct strmap env = STRMAP_INIT;

        resolve(is_airflow ? "airflow" : "u");
        ck_assert_int_eq(config_plugin_environment(config, resolved, &env, &err), 0);
        for (size_t i = 0; i < ARRAY_LEN(names); i++)
            ck_assert_int_eq(strmap_has(&env, names[i]), is_airflow);
        ck_assert(strmap_has(&env, "AIRFLOW_HOME"));
        ck_assert_int_eq(strmap_has(&env, "AIRFLOW__MEANT"), !is_airflow);
    }
}
END_TEST

START_TEST(installers_see_the_project_and_the_plugins_env)
{
    auto_strmap struct strmap env = STRMAP_INIT;
    struct error err = {0};

    strmap_set(&environment, "SHELLV", "s");
    tempdir_write(".env", "DOT=$SHELLV-d\n");
    open_project("env: {ROOT: $SHELLV-r}\n"
                 "plugins: {utilities: [{name: u, namespace: u, env: {A: $ROOT-a, B: $DOT-b}}]}\n",
                 NULL);
    ck_assert_int_eq(config_pip_environment(config, find("u"), &env, &err), 0);
    ck_assert_str_eq(strmap_get(&env, "ROOT"), "s-r");
    ck_assert_str_eq(strmap_get(&env, "DOT"), "s-d");
    ck_assert_str_eq(strmap_get(&env, "A"), "s-r-a");
    ck_assert_str_eq(strmap_get(&env, "B"), "-b");
    ck_assert_str_eq(strmap_get(&env, "MELTANO_UTILITY_NAME"), "u");
}
END_TEST

START_TEST(secrets_are_masked_once_they_are_registered)
{
    auto_free char *masked = NULL;

    open_project("plugins: {extractors: [{name: tap-x, namespace: x, settings: [{name: a, "
                 "sensitive: true}], config: {a: hunter2-hunter2}}]}\n",
                 NULL);
    resolve("tap-x");
    plugin_config_register_secrets(resolved);
    masked = redact_text("the password is hunter2-hunter2!");
    ck_assert_str_eq(masked, "the password is (redacted)!");
}
END_TEST

/* --- the project -------------------------------------------------------------------------- */

START_TEST(project_settings_have_the_same_layers_without_environments)
{
    struct config_options options = {0};
    auto_strmap struct strmap overrides = STRMAP_INIT;
    auto_free char *level = NULL, *uri = NULL, *expected = NULL, *hub = NULL, *nothing = NULL;
    struct error err = {0};
    int retries = 0, timeout_s = 0;
    bool is_readonly;

    strmap_set(&overrides, "cli.log_level", "debug");
    strmap_set(&environment, "MELTANO_CLI_LOG_LEVEL", "error");
    strmap_set(&environment, "MELTANO_PROJECT_READONLY", "yes");
    tempdir_write(".env", "MELTANO_DATABASE_MAX_RETRIES=9\n"
                          "MELTANO_DATABASE_RETRY_TIMEOUT=2147483648\n");
    tempdir_write("meltano.yml", "env: {MELTANO_HUB_URL: 'http://h'}\nhub_url: no\n");
    options.overrides = &overrides;
    ck_assert_int_eq(project_load(tempdir_path(), &project, &err), 0);
    ck_assert_int_eq(config_open(project, &environment, &options, &config, &err), 0);

    ck_assert_int_eq(config_project_text(config, "cli.log_level", &level, &err), 0);
    ck_assert_str_eq(level, "debug");
    ck_assert_int_eq(config_project_text(config, "hub_url", &hub, &err), 0);
    ck_assert_str_eq(hub, "http://h");
    ck_assert_int_eq(config_project_int(config, "database_max_retries", &retries, &err), 0);
    ck_assert_int_eq(retries, 9);
    ck_assert_int_eq(config_project_int(config, "database_retry_timeout", &timeout_s, &err), -1);
    ck_assert_str_eq(err.message, "setting 'database_retry_timeout' of Meltano is no integer of at "
                                  "most 32 bits");
    ck_assert_int_eq(config_project_bool(config, "project_readonly", &is_readonly, &err), 0);
    ck_assert(is_readonly);
    ck_assert_int_eq(config_project_text(config, "database_uri", &uri, &err), 0);
    expected = xasprintf("sqlite:///%s/.meltano/meltano.db", tempdir_path());
    ck_assert_str_eq(uri, expected);
    ck_assert_int_eq(config_project_text(config, "python", &nothing, &err), 0);
    ck_assert_ptr_null(nothing);
}
END_TEST

START_TEST(a_bad_project_setting_is_refused_with_its_choices)
{
    char *level = NULL;
    struct error err = {0};

    strmap_set(&environment, "MELTANO_CLI_LOG_LEVEL", "bad");
    open_project("version: 1\n", NULL);
    ck_assert_int_eq(config_project_text(config, "cli.log_level", &level, &err), -1);
    ck_assert_str_eq(err.message, "setting 'cli.log_level' of Meltano, from the variable "
                                  "MELTANO_CLI_LOG_LEVEL: 'bad' is not a valid choice for "
                                  "'cli.log_level'");
    ck_assert_str_eq(err.hint, "Choose one of: debug, info, warning, error, critical, disabled.");
}
END_TEST

static const struct {
    const char *option, *variable, *dotenv;
    bool none, use_default;
    const char *chosen;
    bool is_default;
} choices[] = {
    {"prod", "dev", "dev", false, true, "prod", false},
    {"prod", NULL, NULL, true, true, NULL, false},
    {"NULL", NULL, NULL, false, true, NULL, false},
    {NULL, "prod", "dev", false, true, "prod", false},
    {NULL, "null", "dev", false, true, NULL, false},
    {NULL, "", "prod", false, true, "dev", true},
    {NULL, NULL, "prod", false, true, "prod", false},
    {NULL, NULL, "Null", false, true, NULL, false},
    {NULL, NULL, NULL, false, true, "dev", true},
    {NULL, NULL, NULL, false, false, NULL, false},
};

START_TEST(the_environment_is_chosen_as_in_meltano)
{
    auto_free char *name = NULL;
    bool is_default;
    struct error err = {0};

    if (choices[_i].variable)
        strmap_set(&environment, "MELTANO_ENVIRONMENT", choices[_i].variable);
    if (choices[_i].dotenv) {
        auto_free char *line = xasprintf("MELTANO_ENVIRONMENT=%s\n", choices[_i].dotenv);

        tempdir_write(".env", line);
    }
    open_project("default_environment: dev\nenvironments: [{name: dev}, {name: prod}]\n", NULL);
    ck_assert_int_eq(config_choose_environment(config, choices[_i].option, choices[_i].none,
                                               choices[_i].use_default, &name, &is_default, &err),
                     0);
    ck_assert_pstr_eq(name, choices[_i].chosen);
    ck_assert_int_eq(is_default, choices[_i].is_default);
}
END_TEST

START_TEST(an_unknown_environment_is_refused_when_it_is_activated)
{
    struct error err = {0};

    open_project("environments: [{name: dev}, {name: prod}]\n", NULL);
    ck_assert_int_eq(config_activate_environment(config, "nope", false, &err), -1);
    ck_assert_str_eq(err.message, "Environment 'nope' was not found");
    ck_assert_str_eq(err.hint, "The project has: dev, prod.");
    ck_assert_int_eq(config_activate_environment(config, "nope", true, &err), -1);
    ck_assert_str_eq(err.hint,
                     "It is the project's default_environment. The project has: dev, prod.");
}
END_TEST

START_TEST(activating_an_environment_changes_what_was_resolved_before)
{
    auto_free char *before = NULL, *after = NULL;
    struct error err = {0};

    open_project("hub_url: http://$MELTANO_ENVIRONMENT\nenvironments: [{name: dev}]\n", NULL);
    ck_assert_int_eq(config_project_text(config, "hub_url", &before, &err), 0);
    ck_assert_str_eq(before, "http://");
    ck_assert_int_eq(config_activate_environment(config, "dev", false, &err), 0);
    ck_assert_int_eq(config_project_text(config, "hub_url", &after, &err), 0);
    ck_assert_str_eq(after, "http://dev");
}
END_TEST

START_TEST(the_suffix_of_state_ids_is_expanded_or_taken_as_given)
{
    auto_free char *own = NULL, *given = NULL;
    struct error err = {0};

    tempdir_write(".env", "DOT=d\n");
    open_project("environments: [{name: dev, state_id_suffix: $DOT-$MELTANO_ENVIRONMENT}]\n",
                 "dev");
    ck_assert_int_eq(config_state_id_suffix(config, NULL, &own, &err), 0);
    ck_assert_str_eq(own, "d-dev");
    ck_assert_int_eq(config_state_id_suffix(config, "$DOT", &given, &err), 0);
    ck_assert_str_eq(given, "$DOT");
}
END_TEST

Suite *config_config_suite(void)
{
    Suite *suite = suite_create("config/config");
    TCase *layers = tcase_create("layers");
    TCase *documents = tcase_create("documents");
    TCase *processes = tcase_create("processes");
    TCase *projects = tcase_create("project");

    tcase_add_checked_fixture(layers, set_up, tear_down);
    tcase_add_test(layers, the_highest_layer_that_has_a_value_wins);
    tcase_add_test(layers, the_system_database_comes_after_meltano_yml_and_is_cast);
    tcase_add_loop_test(layers, a_setting_is_read_from_the_variables_of_its_names, 0,
                        ARRAY_LEN(names_read));
    tcase_add_test(layers, a_setting_is_written_to_its_own_names_and_the_generic_one);
    tcase_add_test(layers, two_variables_for_one_setting_are_refused);
    tcase_add_test(layers, a_name_and_its_alias_in_one_config_are_refused);
    tcase_add_test(layers, a_value_that_is_no_number_does_not_conflict_with_itself);
    tcase_add_test(layers, a_value_of_the_wrong_kind_is_refused_with_its_place);
    tcase_add_test(layers, a_value_of_the_wrong_kind_is_refused_with_its_variable);
    tcase_add_test(layers, only_values_from_files_are_expanded);
    tcase_add_test(layers, strict_mode_refuses_what_is_not_set);
    suite_add_tcase(suite, layers);

    tcase_add_checked_fixture(documents, set_up, tear_down);
    tcase_add_test(documents, a_singer_plugin_gets_a_tree_and_others_a_flat_map);
    tcase_add_test(documents, an_object_is_put_together_from_its_leaves);
    tcase_add_test(documents, a_mapping_takes_the_place_of_its_mappers_config);
    tcase_add_test(documents, a_child_inherits_what_its_parent_is_given_and_expands_it_itself);
    tcase_add_test(documents, extras_can_be_given_on_the_command_line);
    tcase_add_test(documents, a_loader_sees_the_settings_of_the_extractor_before_it);
    suite_add_tcase(suite, documents);

    tcase_add_checked_fixture(processes, set_up, tear_down);
    tcase_add_loop_test(processes, the_environment_of_a_process_has_its_layers, 0,
                        ARRAY_LEN(process_rows));
    tcase_add_test(processes, a_plugin_with_a_virtual_environment_finds_it_first);
    tcase_add_test(processes, what_airflow_sets_for_itself_reaches_only_airflow);
    tcase_add_test(processes, installers_see_the_project_and_the_plugins_env);
    tcase_add_test(processes, secrets_are_masked_once_they_are_registered);
    suite_add_tcase(suite, processes);

    tcase_add_checked_fixture(projects, set_up, tear_down);
    tcase_add_test(projects, project_settings_have_the_same_layers_without_environments);
    tcase_add_test(projects, a_bad_project_setting_is_refused_with_its_choices);
    tcase_add_loop_test(projects, the_environment_is_chosen_as_in_meltano, 0, ARRAY_LEN(choices));
    tcase_add_test(projects, an_unknown_environment_is_refused_when_it_is_activated);
    tcase_add_test(projects, activating_an_environment_changes_what_was_resolved_before);
    tcase_add_test(projects, the_suffix_of_state_ids_is_expanded_or_taken_as_given);
    suite_add_tcase(suite, projects);
    return suite;
}
