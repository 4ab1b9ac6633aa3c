#include "plugin/plugin_run.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/path.h"
#include "tests/unit/plugin/plugin_fixture.h"
#include "tests/unit/tempdir.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

Suite *plugin_plugin_run_suite(void);

/* Writes each call down, and prints what the test has put ready on --discover. */
static const char tap_script[] = "#!/bin/sh\n"
                                 "root=$(dirname \"$0\")\n"
                                 "echo \"$*\" >> \"$root/calls\"\n"
                                 "case \"$*\" in *--discover*)\n"
                                 "    cat \"$root/discovered.json\"\n"
                                 "    cat \"$root/complaint\" >&2\n"
                                 "    exit $(cat \"$root/status\") ;;\n"
                                 "esac\n";

static const char catalog[] =
    "{\"streams\": [{\"tap_stream_id\": \"users\", \"schema\": {\"properties\": {\"id\": "
    "{\"type\": \"integer\"}}}, \"metadata\": []}]}";

static struct plugin_fixture fixture;
static struct invocation invocation;
static struct error err;

static void set_up(void)
{
    plugin_fixture_make(&fixture);
    memset(&err, 0, sizeof err);
    invocation = (struct invocation){.own_dir = RUN_DIR_INIT};
    strmap_set(&fixture.environment, "TOKEN", "s3cret");
    plugin_fixture_write_program("tap.sh", tap_script);
    plugin_fixture_write_program("target.sh", "#!/bin/sh\n");
    tempdir_write("discovered.json", catalog);
    tempdir_write("complaint", "");
    tempdir_write("status", "0");
    tempdir_write("calls", "");
}

static void tear_down(void)
{
    invocation_end(&invocation);
    plugin_fixture_remove(&fixture);
}

static void open_tap(const char *capabilities, const char *more)
{
    auto_free char *yaml = xasprintf("plugins:\n"
                                     "  extractors:\n"
                                     "  - name: tap-x\n"
                                     "    namespace: tap_x\n"
                                     "    executable: ./tap.sh\n"
                                     "    capabilities: [%s]\n"
                                     "    settings: [{name: token, sensitive: true}]\n"
                                     "    config: {token: $TOKEN, auth.user: bob}\n"
                                     "%s",
                                     capabilities, more);

    plugin_fixture_open(&fixture, yaml);
}

static int prepare(const char *name, const struct invocation_options *options)
{
    static const struct invocation_options none = {.is_stateless = true};
    return invocation_prepare(fixture.config, plugin_fixture_plugin(&fixture, name),
                              options ? options : &none, &invocation, &err);
}

/* As a run does it. */
static int prepare_tap(const struct invocation_options *options)
{
    static const struct invocation_options none = {.is_stateless = true};

    ck_assert_msg(!prepare("tap-x", options), "%s", err.message);
    return invocation_prepare_sync(fixture.config, &invocation, options ? options : &none, &err);
}

static void assert_text(const char *path, const char *expected)
{
    auto_strbuf struct strbuf text = STRBUF_INIT;
    struct error read_err = {0};

    ck_assert_msg(!file_read(path, &text, &read_err), "%s", read_err.message);
    ck_assert_str_eq(strbuf_text(&text), expected);
}

static const char *variable(const char *name)
{
    size_t length = strlen(name);

    for (size_t i = 0; i < invocation.env.count; i++)
        if (!strncmp(invocation.env.items[i], name, length) &&
            invocation.env.items[i][length] == '=')
            return invocation.env.items[i] + length + 1;
    return NULL;
}

/* The arguments after the program, with the paths cut down to names. */
static char *short_argv(void)
{
    auto_strlist struct strlist words = STRLIST_INIT;

    for (size_t i = 1; i < invocation.argv.count; i++)
        strlist_add(&words, path_name(invocation.argv.items[i]));
    return strlist_join(&words, " ");
}

/* --- files ---------------------------------------------------------------------------------- */

START_TEST(the_configuration_is_private_and_gone_at_the_end)
{
    auto_free char *path = NULL;
    struct stat info;

    open_tap("", "");
    ck_assert_msg(!prepare("tap-x", NULL), "%s", err.message);
    path = xstrdup(invocation.config_path);
    ck_assert_int_eq(stat(path, &info), 0);
    ck_assert_int_eq(info.st_mode & 0777, 0600);
    assert_text(path, "{\n  \"token\": \"s3cret\",\n  \"auth\": {\n    \"user\": \"bob\"\n  }\n}");
    invocation_end(&invocation);
    ck_assert(!file_exists(path));
}
END_TEST

START_TEST(two_starts_share_no_file)
{
    struct invocation first;

    open_tap("catalog, discover, state", "");
    ck_assert(!prepare_tap(NULL));
    first = invocation;
    ck_assert(!prepare_tap(NULL));
    ck_assert_str_ne(first.config_path, invocation.config_path);
    ck_assert_str_ne(first.catalog_path, invocation.catalog_path);
    ck_assert_str_ne(first.run_dir, invocation.run_dir);
    invocation_end(&first);
    ck_assert(file_exists(invocation.catalog_path));
}
END_TEST

START_TEST(logging_is_configured_by_two_files)
{
    auto_free char *sdk = NULL;

    open_tap("structured-logging", "");
    ck_assert(!prepare("tap-x", NULL));
    sdk = path_join(invocation.run_dir, "tap.singer_sdk_logging.json");
    ck_assert_str_eq(variable("SINGER_SDK_LOG_CONFIG"), sdk);
    assert_text(sdk, "{\n"
                     "  \"version\": 1,\n"
                     "  \"disable_existing_loggers\": false,\n"
                     "  \"formatters\": {\n"
                     "    \"singer_formatter\": {\n"
                     "      \"()\": \"singer_sdk.logging.StructuredFormatter\"\n"
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
                     "    \"level\": \"CRITICAL\"\n"
                     "  }\n"
                     "}");
    ck_assert_str_eq(path_name(variable("LOGGING_CONF_FILE")), "tap.pipelinewise_logging.conf");
    ck_assert(file_exists(variable("LOGGING_CONF_FILE")));
}
END_TEST

START_TEST(a_logging_file_of_the_user_is_left_alone)
{
    strmap_set(&fixture.environment, "SINGER_SDK_LOG_CONFIG", "mine.json");
    open_tap("", "");
    ck_assert(!prepare("tap-x", NULL));
    ck_assert_str_eq(variable("SINGER_SDK_LOG_CONFIG"), "mine.json");
}
END_TEST

START_TEST(a_given_directory_keeps_the_catalog_but_no_secret)
{
    auto_free char *dir = xstrdup(tempdir_join("run/elt/id/1"));
    struct invocation_options options = {.run_dir = dir, .is_stateless = true};
    auto_free char *path = path_join(dir, "tap.properties.json");

    open_tap("catalog, discover", "");
    ck_assert_msg(!prepare_tap(&options), "%s", err.message);
    ck_assert_str_eq(invocation.catalog_path, path);
    ck_assert(!path_is_inside(invocation.config_path, dir));
    invocation_end(&invocation);
    ck_assert(file_exists(path));
}
END_TEST

/* --- arguments by capability ---------------------------------------------------------------- */

static const struct {
    const char *capabilities;
    bool has_catalog; /* in the plugin's own directory */
    const char *argv; /* what follows --config FILE; NULL: it fails */
    bool discovers;
} rows[] = {
    {"", false, "", false},
    {"state", false, "", false},
    {"discover", false, "", true},
    {"catalog, discover", false, " --catalog tap.properties.json", true},
    {"properties, discover", false, " --properties tap.properties.json", true},
    {"catalog, properties, discover", false, " --catalog tap.properties.json", true},
    {"catalog", false, NULL, false},
    {"properties", false, NULL, false},
    {"catalog", true, " --catalog tap.properties.json", false},
    {"properties", true, " --properties tap.properties.json", false},
    {"", true, "", false},
    {"catalog, discover, state", false, " --catalog tap.properties.json --state state.json", true},
    {"catalog, discover, about, test, batch, stream-maps", true, " --catalog tap.properties.json",
     true},
};

START_TEST(arguments_go_by_capability)
{
    struct invocation_options options = {
        .state_json = "{\"singer_state\": {\"bookmarks\": {\"users\": 0.10}}}",
    };
    auto_free char *argv = NULL;
    auto_free char *calls = NULL;
    auto_free char *expected = NULL;

    open_tap(rows[_i].capabilities, "");
    if (rows[_i].has_catalog)
        tempdir_write(".meltano/extractors/tap-x/tap.properties.json", catalog);
    if (!rows[_i].argv) {
        ck_assert_int_eq(prepare_tap(&options), -1);
        ck_assert_str_eq(err.message, "applying catalog rules failed: 'tap-x' has no catalog");
        return;
    }
    ck_assert_msg(!prepare_tap(&options), "%s", err.message);
    argv = short_argv();
    expected = xasprintf("--config %s%s", path_name(invocation.config_path),
                         strstr(rows[_i].capabilities, "state") && !strstr(rows[_i].argv, "--state")
                             ? " --state state.json"
                             : rows[_i].argv);
    ck_assert_str_eq(argv, expected);
    calls = tempdir_read("calls");
    ck_assert(!*calls == !rows[_i].discovers);
}
END_TEST

START_TEST(the_state_is_handed_on_with_its_numbers)
{
    struct invocation_options options = {
        .state_json = "{\"singer_state\": {\"a\": 0.10, \"b\": 12345678901234567890123}}",
    };

    open_tap("state", "");
    ck_assert(!prepare_tap(&options));
    assert_text(invocation.state_path, "{\n  \"a\": 0.10,\n  \"b\": 12345678901234567890123\n}");
}
END_TEST

static const struct {
    const char *state_json;
    bool is_stateless, full_refresh;
} stateless_rows[] = {
    {NULL, false, false},
    {"{\"singer_state\": {}}", false, false},
    {"{}", false, false},
    {"{\"singer_state\": {\"a\": 1}}", true, false},
    {"{\"singer_state\": {\"a\": 1}}", false, true},
};

START_TEST(without_state_none_is_passed_although_a_file_lies_ready)
{
    struct invocation_options options = {
        .state_json = stateless_rows[_i].state_json,
        .is_stateless = stateless_rows[_i].is_stateless,
        .full_refresh = stateless_rows[_i].full_refresh,
    };

    tempdir_write(".meltano/extractors/tap-x/state.json", "{\"old\": 1}");
    open_tap("state", "");
    ck_assert(!prepare_tap(&options));
    ck_assert_ptr_null(invocation.state_path);
    ck_assert_uint_eq(invocation.argv.count, 3);
}
END_TEST

START_TEST(with_arguments_of_its_own_a_tap_gets_the_files_that_lie_ready)
{
    auto_free char *argv = NULL;
    auto_free char *expected = NULL;

    tempdir_write(".meltano/extractors/tap-x/state.json", "{\"old\": 1}");
    tempdir_write(".meltano/run/tap-x/tap.properties.json", catalog);
    open_tap("catalog, discover, state", "");
    ck_assert(!prepare("tap-x", NULL));
    argv = short_argv();
    expected = xasprintf("--config %s --catalog tap.properties.json --state state.json",
                         path_name(invocation.config_path));
    ck_assert_str_eq(argv, expected);
}
END_TEST

START_TEST(a_state_file_of_the_user_takes_the_place_of_the_stored_state)
{
    struct invocation_options options = {.state_json = "{\"singer_state\": {\"a\": 1}}"};

    tempdir_write("mine.json", "{\"mine\": 1}");
    open_tap("state", "    state: mine.json\n");
    ck_assert(!prepare_tap(&options));
    assert_text(invocation.state_path, "{\"mine\": 1}");
}
END_TEST

START_TEST(a_state_file_that_is_missing_is_named)
{
    struct invocation_options options = {.is_stateless = false};
    auto_free char *expected = xasprintf("could not find state file %s", tempdir_join("mine.json"));

    open_tap("state", "    state: mine.json\n");
    ck_assert_int_eq(prepare_tap(&options), -1);
    ck_assert_str_eq(err.message, expected);
}
END_TEST

/* --- catalog -------------------------------------------------------------------------------- */

START_TEST(a_catalog_of_the_user_keeps_its_bytes)
{
    tempdir_write("mine.json", "{\"streams\":   []}\n");
    open_tap("catalog, discover", "    catalog: mine.json\n");
    ck_assert_msg(!prepare_tap(NULL), "%s", err.message);
    assert_text(invocation.catalog_path, "{\"streams\":   []}\n");
    ck_assert(!file_exists(tempdir_join(".meltano/run/tap-x/tap.properties.json")));
}
END_TEST

START_TEST(a_catalog_of_the_user_that_is_missing_is_named)
{
    auto_free char *expected =
        xasprintf("failed to copy the catalog file: cannot read %s: No such file or directory",
                  tempdir_join("mine.json"));

    open_tap("catalog, discover", "    catalog: mine.json\n");
    ck_assert_int_eq(prepare_tap(NULL), -1);
    ck_assert_int_eq(err.code, ERR_CONFIG);
    ck_assert_str_eq(err.message, expected);
}
END_TEST

START_TEST(a_failed_discovery_says_how_and_shows_the_last_lines)
{
    tempdir_write("complaint", "first\nno such host\n");
    tempdir_write("status", "3");
    open_tap("catalog, discover", "");
    ck_assert_int_eq(prepare_tap(NULL), -1);
    ck_assert_int_eq(err.code, ERR_TAP);
    ck_assert_str_eq(err.message, "catalog discovery of 'tap-x' failed: exit status 3:\n"
                                  "first\nno such host");
    ck_assert_str_eq(err.hint, "Run 'meltshim invoke tap-x --discover' to see it alone.");
    ck_assert(!file_exists(tempdir_join(".meltano/run/tap-x/tap.properties.json")));
}
END_TEST

START_TEST(a_catalog_that_is_no_json_is_refused)
{
    tempdir_write("discovered.json", "{\"streams\": [}");
    open_tap("discover", "");
    ck_assert_int_eq(prepare_tap(NULL), -1);
    ck_assert_int_eq(err.code, ERR_TAP);
    ck_assert_str_eq(err.message, "the catalog of 'tap-x' is invalid: invalid JSON at line 1, "
                                  "column 14: a value was expected");
}
END_TEST

#define INSTALLED "    pip_url: tap-x\n"

/* A program in an environment, as if it had been installed. */
static void install_tap(void)
{
    auto_free char *script = xasprintf("#!/bin/sh\nexec \"%s\" \"$@\"\n", tempdir_join("tap.sh"));

    plugin_fixture_write_program(".meltano/extractors/tap-x/venv/bin/tap.sh", script);
}

static size_t count_calls(void)
{
    auto_free char *calls = tempdir_read("calls");
    size_t count = 0;

    for (const char *at = calls; *at; at++)
        count += *at == '\n';
    return count;
}

static void sync_once(const struct invocation_options *options)
{
    ck_assert_msg(!prepare_tap(options), "%s", err.message);
    invocation_end(&invocation);
}

START_TEST(the_cached_catalog_is_used_until_what_it_depends_on_changes)
{
    struct invocation_options refresh = {.is_stateless = true, .refresh_catalog = true};
    struct invocation_options full = {.full_refresh = true};

    install_tap();
    open_tap("catalog, discover", INSTALLED);
    sync_once(NULL);
    ck_assert_uint_eq(count_calls(), 1);
    sync_once(NULL);
    ck_assert_uint_eq(count_calls(), 1);
    sync_once(&refresh);
    ck_assert_uint_eq(count_calls(), 2);
    sync_once(&full);
    ck_assert_uint_eq(count_calls(), 3);
    tempdir_write(".meltano/run/tap-x/tap.properties.cache_key", "of another run");
    sync_once(NULL);
    ck_assert_uint_eq(count_calls(), 4);
}
END_TEST

/* The text was hashed by Meltano 4.4.1 for the same settings. */
START_TEST(the_cache_has_the_key_of_meltano)
{
    strmap_set(&fixture.environment, "TAP_X_TOKEN", "s3cret");
    install_tap();
    open_tap("catalog, discover",
             INSTALLED "    metadata: {users: {replication-method: INCREMENTAL, replication-key: "
                       "updated_at}}\n");
    sync_once(NULL);
    assert_text(tempdir_join(".meltano/run/tap-x/tap.properties.cache_key"),
                "a7d411c6fee136b6fe9dd78fcedb2a83620134b5");
}
END_TEST

START_TEST(a_tap_that_is_not_installed_by_pip_is_never_cached)
{
    open_tap("catalog, discover", "");
    sync_once(NULL);
    sync_once(NULL);
    ck_assert_uint_eq(count_calls(), 2);
    ck_assert(!file_exists(tempdir_join(".meltano/run/tap-x/tap.properties.cache_key")));
}
END_TEST

START_TEST(a_failed_refresh_drops_the_cached_catalog)
{
    struct invocation_options refresh = {.is_stateless = true, .refresh_catalog = true};

    install_tap();
    open_tap("catalog, discover", INSTALLED);
    sync_once(NULL);
    tempdir_write("status", "1");
    ck_assert_int_eq(prepare_tap(&refresh), -1);
    invocation_end(&invocation);
    tempdir_write("status", "0");
    sync_once(NULL);
    ck_assert_uint_eq(count_calls(), 3);
}
END_TEST

/* --- executables and commands --------------------------------------------------------------- */

static const struct {
    const char *entry, *executable, *message, *hint;
} executables[] = {
    {"executable: ./target.sh", "%s/target.sh", NULL, NULL},
    {"executable: sub/../target.sh", "%s/sub/../target.sh", NULL, NULL},
    {"executable: sh", "sh", NULL, NULL},
    {"executable: nosuch", NULL, "executable 'nosuch' could not be found",
     "Loader 'target-x' has no 'pip_url', so nothing is installed for it: give it one, or correct "
     "its 'executable'."},
    {"executable: ./nosuch", NULL, "executable './nosuch' could not be found",
     "Loader 'target-x' has no 'pip_url', so nothing is installed for it: give it one, or correct "
     "its 'executable'."},
    {"pip_url: x", NULL, "executable 'target-x' could not be found",
     "Install it with 'meltshim install target-x'; if that has been done, correct the 'executable' "
     "of loader 'target-x'."},
    {"executable: ./calls", NULL, "'%s/calls' is not an executable file",
     "Run 'chmod +x %s/calls', or correct the 'executable' of 'target-x'."},
};

static void assert_with_root(const char *actual, const char *expected)
{
    auto_free char *text = xstrdup(expected);
    char *at = strstr(text, "%s");

    if (at) {
        char *joined = xasprintf("%.*s%s%s", (int)(at - text), text, tempdir_path(), at + 2);

        free(text);
        text = joined;
    }
    ck_assert_str_eq(actual, text);
}

START_TEST(an_executable_is_found_where_meltano_looks_or_refused)
{
    auto_free char *yaml = xasprintf("plugins:\n  loaders:\n  - name: target-x\n"
                                     "    namespace: target_x\n    %s\n",
                                     executables[_i].entry);

    tempdir_write("sub/file", "");
    plugin_fixture_open(&fixture, yaml);
    if (executables[_i].executable) {
        ck_assert_msg(!prepare("target-x", NULL), "%s", err.message);
        assert_with_root(invocation.argv.items[0], executables[_i].executable);
        return;
    }
    ck_assert_int_eq(prepare("target-x", NULL), -1);
    ck_assert_int_eq(err.code, ERR_START);
    assert_with_root(err.message, executables[_i].message);
    assert_with_root(err.hint, executables[_i].hint);
}
END_TEST

START_TEST(a_plugin_for_another_meltano_is_refused)
{
    open_tap("", "    requires_meltano: '>=9'\n");
    ck_assert_int_eq(prepare("tap-x", NULL), -1);
    ck_assert_int_eq(err.code, ERR_VERSION);
    ck_assert_str_eq(err.message, "extractor 'tap-x' requires Meltano >=9, but this program "
                                  "behaves like 4.4.1");
}
END_TEST

static const char utility[] = "plugins:\n"
                              "  utilities:\n"
                              "  - name: util\n"
                              "    namespace: util\n"
                              "    executable: ./target.sh\n"
                              "    commands:\n"
                              "      hello: \"hi '$TOKEN x' a$NOPE\"\n"
                              "      unset: x $NOPE\n"
                              "      open: \"'x\"\n"
                              "      other: {args: -c y, executable: sh}\n";

START_TEST(a_command_is_split_first_and_expanded_then)
{
    auto_strlist struct strlist args = STRLIST_INIT;
    auto_free char *argv = NULL;

    strlist_add(&args, "$TOKEN");
    plugin_fixture_open(&fixture, utility);
    ck_assert(!prepare("util", NULL));
    ck_assert_msg(!invocation_set_command(&invocation, "hello", &args, &err), "%s", err.message);
    argv = strlist_join(&invocation.argv, "|");
    assert_with_root(argv, "%s/target.sh|hi|s3cret x|a|$TOKEN");
}
END_TEST

START_TEST(a_command_can_bring_its_own_program)
{
    auto_free char *argv = NULL;

    plugin_fixture_open(&fixture, utility);
    ck_assert(!prepare("util", NULL));
    ck_assert(!invocation_set_command(&invocation, "other", NULL, &err));
    argv = strlist_join(&invocation.argv, "|");
    ck_assert_str_eq(argv, "sh|-c|y");
}
END_TEST

static const struct {
    const char *name, *message, *hint;
} bad_commands[] = {
    {"nope", "command 'nope' could not be found",
     "Utility 'util' supports the following commands: hello, unset, open, other."},
    {"unset", "command 'unset' referenced unset environment variable '$NOPE' in an argument",
     "Set the environment variable or update the command definition."},
    {"open", "the arguments of command 'open' cannot be split: 'x",
     "Close every quote, and do not end with a backslash."},
};

START_TEST(a_command_that_cannot_be_run_is_refused)
{
    plugin_fixture_open(&fixture, utility);
    ck_assert(!prepare("util", NULL));
    ck_assert_int_eq(invocation_set_command(&invocation, bad_commands[_i].name, NULL, &err), -1);
    ck_assert_str_eq(err.message, bad_commands[_i].message);
    ck_assert_str_eq(err.hint, bad_commands[_i].hint);
}
END_TEST

/* --- mappers -------------------------------------------------------------------------------- */

START_TEST(a_mapping_has_its_own_configuration_and_its_mappers_place)
{
    plugin_fixture_open(&fixture,
                        "plugins:\n"
                        "  mappers:\n"
                        "  - name: mapper-x\n"
                        "    namespace: mapper_x\n"
                        "    executable: ./target.sh\n"
                        "    config: {who: nobody, kept: 1}\n"
                        "    mappings:\n"
                        "    - name: m1\n"
                        "      config: {who: $TOKEN, none: $NOPE, deep: {list: [$NOPE, 1]}}\n");
    ck_assert_msg(!prepare("m1", NULL), "%s", err.message);
    assert_text(invocation.config_path, "{\n  \"who\": \"s3cret\",\n  \"deep\": {\n"
                                        "    \"list\": [\n      \"\",\n      1\n    ]\n  },\n"
                                        "  \"none\": \"\"\n}");
    ck_assert_ptr_nonnull(strstr(invocation.run_dir, "/run/mapper-x/"));
    ck_assert_int_eq(strncmp(path_name(invocation.config_path), "mapper.", 7), 0);
}
END_TEST

Suite *plugin_plugin_run_suite(void)
{
    Suite *suite = suite_create("plugin/plugin_run");
    TCase *files = tcase_create("files");
    TCase *arguments = tcase_create("arguments");
    TCase *catalogs = tcase_create("catalog");
    TCase *programs = tcase_create("programs");

    tcase_add_checked_fixture(files, set_up, tear_down);
    tcase_add_test(files, the_configuration_is_private_and_gone_at_the_end);
    tcase_add_test(files, two_starts_share_no_file);
    tcase_add_test(files, logging_is_configured_by_two_files);
    tcase_add_test(files, a_logging_file_of_the_user_is_left_alone);
    tcase_add_test(files, a_given_directory_keeps_the_catalog_but_no_secret);
    suite_add_tcase(suite, files);

    tcase_add_checked_fixture(arguments, set_up, tear_down);
    tcase_add_loop_test(arguments, arguments_go_by_capability, 0, ARRAY_LEN(rows));
    tcase_add_test(arguments, the_state_is_handed_on_with_its_numbers);
    tcase_add_loop_test(arguments, without_state_none_is_passed_although_a_file_lies_ready, 0,
                        ARRAY_LEN(stateless_rows));
    tcase_add_test(arguments, with_arguments_of_its_own_a_tap_gets_the_files_that_lie_ready);
    tcase_add_test(arguments, a_state_file_of_the_user_takes_the_place_of_the_stored_state);
    tcase_add_test(arguments, a_state_file_that_is_missing_is_named);
    suite_add_tcase(suite, arguments);

    tcase_add_checked_fixture(catalogs, set_up, tear_down);
    tcase_add_test(catalogs, a_catalog_of_the_user_keeps_its_bytes);
    tcase_add_test(catalogs, a_catalog_of_the_user_that_is_missing_is_named);
    tcase_add_test(catalogs, a_failed_discovery_says_how_and_shows_the_last_lines);
    tcase_add_test(catalogs, a_catalog_that_is_no_json_is_refused);
    tcase_add_test(catalogs, the_cached_catalog_is_used_until_what_it_depends_on_changes);
    tcase_add_test(catalogs, the_cache_has_the_key_of_meltano);
    tcase_add_test(catalogs, a_tap_that_is_not_installed_by_pip_is_never_cached);
    tcase_add_test(catalogs, a_failed_refresh_drops_the_cached_catalog);
    suite_add_tcase(suite, catalogs);

    tcase_add_checked_fixture(programs, set_up, tear_down);
    tcase_add_loop_test(programs, an_executable_is_found_where_meltano_looks_or_refused, 0,
                        ARRAY_LEN(executables));
    tcase_add_test(programs, a_plugin_for_another_meltano_is_refused);
    tcase_add_test(programs, a_command_is_split_first_and_expanded_then);
    tcase_add_test(programs, a_command_can_bring_its_own_program);
    tcase_add_loop_test(programs, a_command_that_cannot_be_run_is_refused, 0,
                        ARRAY_LEN(bad_commands));
    tcase_add_test(programs, a_mapping_has_its_own_configuration_and_its_mappers_place);
    suite_add_tcase(suite, programs);
    return suite;
}
