#include "project/hub.h"

#include "base/memory.h"
#include "base/path.h"
#include "tests/unit/http_server.h"
#include "tests/unit/tempdir.h"

#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

Suite *project_hub_suite(void);

#define INDEX                                                                                      \
    "{\"tap-orders\": {\"default_variant\": \"acme\", \"logo_url\": null, \"variants\": "          \
    "{\"other\": {\"ref\": \"http://127.0.0.1:1/none\"}, \"acme\": {\"ref\": \"%s/def\"}}}}"
#define DEFINITION                                                                                 \
    "{\"namespace\": \"tap_orders\", \"name\": \"tap-orders\", \"variant\": \"acme\", "            \
    "\"settings\": [{\"name\": \"key\", \"kind\": \"password\"}]}"
#define LOCK_FILE                                                                                  \
    "{\n  \"plugin_type\": \"extractors\",\n  \"name\": \"tap-orders\",\n"                         \
    "  \"namespace\": \"tap_orders\",\n  \"variant\": \"acme\",\n  \"label\": \"tap-orders\",\n"   \
    "  \"settings\": [\n    {\n      \"name\": \"key\",\n      \"kind\": \"password\",\n"          \
    "      \"sensitive\": true\n    }\n  ]\n}\n"

static const struct http_answer answers[] = {
    {"/api/plugins/extractors/index", 0, 200, NULL, INDEX},
    {"/def", 0, 200, NULL, DEFINITION},
    {"/api/plugins/loaders/index", 2, 503, NULL, "busy"},
    {"/api/plugins/loaders/index", 0, 200, NULL, "{}"},
    {"/api/plugins/utilities/index", 0, 503, NULL, "busy"},
    {"/api/plugins/mappers/index", 0, 401, NULL, "who are you"},
    {"/api/plugins/files/index", 0, 200, NULL, "<html>"},
    {0},
};

static char *api_root;

static void set_up(void)
{
    tempdir_make();
    setenv("XDG_CACHE_HOME", tempdir_join("cache"), 1);
    api_root = xasprintf("%s/api", http_server_start(answers, tempdir_join("log")));
}

static void tear_down(void)
{
    free(take(api_root));
    http_server_stop();
    tempdir_remove();
}

static struct hub *open_hub(const char *root, bool refresh)
{
    return hub_new(&(struct hub_options){.api_root = root,
                                         .user_agent = "Meltano/4.4.1",
                                         .authorization = "Bearer x",
                                         .command = "meltano lock",
                                         .project_id = "id",
                                         .refresh = refresh});
}

static struct project *load_project(const char *yaml)
{
    struct error err = {0};
    struct project *project = NULL;

    tempdir_write("p/meltano.yml", yaml);
    ck_assert_msg(!project_load(tempdir_join("p"), &project, &err), "%s", err.message);
    return project;
}

static int count_requests(void)
{
    auto_free char *log = tempdir_read("log");
    int count = 0;

    for (const char *at = log; (at = strstr(at, "GET ")); at++)
        count++;
    return count;
}

START_TEST(a_missing_definition_is_fetched_locked_and_used)
{
    auto_project struct project *project =
        load_project("plugins: {extractors: [{name: tap-orders}]}\n");
    auto_hub struct hub *hub = open_hub(api_root, false);
    auto_free char *lock = NULL;
    auto_free char *log = NULL;
    struct error err = {0};

    project_set_definition_source(project, hub_definition_source, hub);
    ck_assert_msg(!plugin_resolve(project->plugins[0], &err), "%s", err.message);
    ck_assert_str_eq(project->plugins[0]->namespace, "tap_orders");
    ck_assert_str_eq(project->plugins[0]->variant, "acme");
    ck_assert(project->plugins[0]->settings.items[0]->sensitive);
    lock = tempdir_read("p/plugins/extractors/tap-orders--acme.lock");
    ck_assert_str_eq(lock, LOCK_FILE);
    log = tempdir_read("log");
    ck_assert_ptr_nonnull(strstr(log, "Accept: application/json\r\n"));
    ck_assert_ptr_nonnull(strstr(log, "User-Agent: Meltano/4.4.1\r\n"));
    ck_assert_ptr_nonnull(strstr(log, "X-Meltano-Command: meltano lock\r\n"));
    ck_assert_ptr_nonnull(strstr(log, "X-Project-ID: id\r\n"));
    ck_assert_ptr_nonnull(strstr(log, "Authorization: Bearer x\r\n"));
}
END_TEST

START_TEST(a_fresh_answer_comes_from_the_cache)
{
    auto_hub struct hub *first = open_hub(api_root, true);
    auto_hub struct hub *second = open_hub(api_root, false);
    auto_hub struct hub *third = open_hub(api_root, true);
    auto_value struct value *a = NULL;
    auto_value struct value *b = NULL;
    auto_value struct value *c = NULL;
    struct error err = {0};

    ck_assert_int_eq(hub_find_definition(first, PLUGIN_EXTRACTOR, "tap-orders", NULL, &a, &err), 0);
    ck_assert_int_eq(count_requests(), 2);
    ck_assert_int_eq(hub_find_definition(second, PLUGIN_EXTRACTOR, "tap-orders", "acme", &b, &err),
                     0);
    ck_assert_int_eq(count_requests(), 2);
    ck_assert(value_is_equal(a, b));
    ck_assert_int_eq(
        hub_find_definition(third, PLUGIN_EXTRACTOR, "tap-orders", "original", &c, &err), 0);
    ck_assert_int_eq(count_requests(), 4);
}
END_TEST

/* Makes everything in the cache two hours old. */
static void age_cache(void)
{
    auto_free char *dir = xstrdup(tempdir_join("cache/meltano/hub"));
    DIR *stream = opendir(dir);
    struct dirent *entry;

    ck_assert_ptr_nonnull(stream);
    while ((entry = readdir(stream))) {
        auto_free char *path = path_join(dir, entry->d_name);
        const struct timespec times[2] = {{.tv_sec = time(NULL) - 7200},
                                          {.tv_sec = time(NULL) - 7200}};

        ck_assert_int_eq(utimensat(AT_FDCWD, path, times, 0), 0);
    }
    closedir(stream);
}

START_TEST(an_old_answer_is_asked_for_again_and_serves_when_the_hub_is_gone)
{
    auto_hub struct hub *first = open_hub(api_root, false);
    auto_hub struct hub *second = open_hub(api_root, false);
    auto_hub struct hub *third = open_hub(api_root, false);
    auto_hub struct hub *strict = open_hub(api_root, true);
    const struct value *index;
    struct error err = {0};

    ck_assert_int_eq(hub_index(first, PLUGIN_EXTRACTOR, &index, &err), 0);
    age_cache();
    ck_assert_int_eq(hub_index(second, PLUGIN_EXTRACTOR, &index, &err), 0);
    ck_assert_int_eq(count_requests(), 2);
    age_cache();
    http_server_stop();
    ck_assert_msg(!hub_index(third, PLUGIN_EXTRACTOR, &index, &err), "%s", err.message);
    ck_assert(value_find(index, "tap-orders") != NULL);
    ck_assert_int_eq(hub_index(strict, PLUGIN_EXTRACTOR, &index, &err), -1);
}
END_TEST

START_TEST(a_lock_file_that_cannot_be_written_stops_nobody)
{
    auto_project struct project *project =
        load_project("plugins: {extractors: [{name: tap-orders}]}\n");
    auto_hub struct hub *hub = open_hub(api_root, false);
    struct error err = {0};

    ck_assert_int_eq(symlink("nowhere", tempdir_join("p/plugins")), 0);
    project_set_definition_source(project, hub_definition_source, hub);
    ck_assert_msg(!plugin_resolve(project->plugins[0], &err), "%s", err.message);
    ck_assert_str_eq(project->plugins[0]->namespace, "tap_orders");
    ck_assert_int_eq(
        hub_lock_plugin(hub, project, PLUGIN_EXTRACTOR, "tap-orders", NULL, NULL, NULL, &err), -1);
    ck_assert_int_eq(err.code, ERR_IO);
}
END_TEST

START_TEST(an_unknown_plugin_suggests_the_nearest)
{
    auto_hub struct hub *hub = open_hub(api_root, false);
    struct value *definition = NULL;
    struct error err = {0};

    ck_assert_int_eq(
        hub_find_definition(hub, PLUGIN_EXTRACTOR, "tap-order", NULL, &definition, &err), -1);
    ck_assert_str_eq(err.message, "Extractor 'tap-order' is not known to Meltano");
    ck_assert_str_eq(err.hint,
                     "Did you mean 'tap-orders'? All plugins are at https://hub.meltano.com/.");
}
END_TEST

START_TEST(an_unknown_variant_lists_the_known_ones)
{
    auto_hub struct hub *hub = open_hub(api_root, false);
    struct value *definition = NULL;
    struct error err = {0};

    ck_assert_int_eq(
        hub_find_definition(hub, PLUGIN_EXTRACTOR, "tap-orders", "acne", &definition, &err), -1);
    ck_assert_str_eq(err.message, "Extractor 'tap-orders' variant 'acne' is not known to Meltano. "
                                  "Variants: ['acme (default)', 'other']");
    ck_assert_str_eq(err.hint, "Did you mean 'acme'?");
}
END_TEST

START_TEST(a_busy_hub_is_asked_again)
{
    auto_hub struct hub *hub = open_hub(api_root, false);
    const struct value *index;
    struct error err = {0};

    ck_assert_msg(!hub_index(hub, PLUGIN_LOADER, &index, &err), "%s", err.message);
    ck_assert_int_eq(count_requests(), 3);
}
END_TEST

static const struct {
    enum plugin_type type;
    const char *message; /* %s: the API's address */
    const char *hint;
    int requests;
} failures[] = {
    {PLUGIN_UTILITY, "Meltano Hub answered with HTTP status 503 for %s/plugins/utilities/index",
     "Try again later, or check the setting hub_url.", 4},
    {PLUGIN_MAPPER, "Meltano Hub answered with HTTP status 401 for %s/plugins/mappers/index",
     "The hub wants to know who asks: correct the setting hub_url_auth.", 1},
    {PLUGIN_TRANSFORM,
     "Transform is not supported in Meltano Hub (there is no %s/plugins/transforms/index)",
     "Check the setting hub_url, or define the plugin in meltano.yml with a 'namespace:'.", 1},
    {PLUGIN_FILE,
     "the answer of Meltano Hub for %s/plugins/files/index: invalid JSON at line 1, column 1: a "
     "value was expected",
     "Check the setting hub_url: this does not look like a hub.", 1},
};

START_TEST(a_failing_hub_says_what_it_answered)
{
    auto_hub struct hub *hub = open_hub(api_root, false);
    const char *format = failures[_i].message, *mark = strstr(format, "%s");
    auto_free char *message =
        xasprintf("%.*s%s%s", (int)(mark - format), format, api_root, mark + 2);
    const struct value *index;
    struct error err = {0};

    ck_assert_int_eq(hub_index(hub, failures[_i].type, &index, &err), -1);
    ck_assert_str_eq(err.message, message);
    ck_assert_str_eq(err.hint, failures[_i].hint);
    ck_assert_int_eq(err.code, ERR_HUB);
    ck_assert_int_eq(count_requests(), failures[_i].requests);
}
END_TEST

START_TEST(a_hub_that_is_not_there_is_named_with_the_plugin)
{
    auto_project struct project *project =
        load_project("plugins:\n  extractors:\n  - name: tap-orders\n");
    auto_hub struct hub *hub = open_hub("http://127.0.0.1:1/api", false);
    struct error err = {0};

    project_set_definition_source(project, hub_definition_source, hub);
    ck_assert_int_eq(plugin_resolve(project->plugins[0], &err), -1);
    ck_assert_ptr_nonnull(
        strstr(err.message,
               "meltano.yml:3:5: no definition of extractor 'tap-orders': Could not connect to "
               "Meltano Hub at http://127.0.0.1:1/api/plugins/extractors/index: "));
    ck_assert_str_eq(err.hint, "Check the network and the setting hub_url. A plugin whose lock "
                               "file is below plugins/ needs no hub.");
}
END_TEST

Suite *project_hub_suite(void)
{
    Suite *suite = suite_create("project/hub");
    TCase *tcase = tcase_create("hub");

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_missing_definition_is_fetched_locked_and_used);
    tcase_add_test(tcase, a_fresh_answer_comes_from_the_cache);
    tcase_add_test(tcase, an_old_answer_is_asked_for_again_and_serves_when_the_hub_is_gone);
    tcase_add_test(tcase, a_lock_file_that_cannot_be_written_stops_nobody);
    tcase_add_test(tcase, an_unknown_plugin_suggests_the_nearest);
    tcase_add_test(tcase, an_unknown_variant_lists_the_known_ones);
    tcase_add_test(tcase, a_busy_hub_is_asked_again);
    tcase_add_loop_test(tcase, a_failing_hub_says_what_it_answered, 0, ARRAY_LEN(failures));
    tcase_add_test(tcase, a_hub_that_is_not_there_is_named_with_the_plugin);
    suite_add_tcase(suite, tcase);
    return suite;
}
