#include "project/lock_file.h"

#include "base/json.h"
#include "base/memory.h"

#include <check.h>
#include <string.h>

Suite *project_lock_file_suite(void);

static int convert(const char *json, struct strbuf *out, struct error *err)
{
    auto_value struct value *definition = NULL;
    auto_value struct value *lock = NULL;

    ck_assert_int_eq(json_parse(json, strlen(json), NULL, &definition, err), 0);
    if (lock_file_from_definition(PLUGIN_EXTRACTOR, definition, "a definition", &lock, err) < 0)
        return -1;
    lock_file_render(out, lock);
    return 0;
}

/* A definition, and the lock file that Meltano 4.4.1 makes of it. */
static const char definition[] =
    "{\"zeta\": null, \"select\": [], \"commands\": {\"b\": {\"args\": \"x\"}, \"a\": "
    "{\"description\": \"d\", \"args\": \"\", \"container_spec\": {\"env\": {\"A\": 1}, \"ports\": "
    "{}, \"image\": \"i\"}}, \"c\": \"y\"}, \"variant\": \"acme\", \"name\": \"tap-x\", "
    "\"namespace\": \"tap_x\", \"hidden\": true, \"repo\": \"\", \"capabilities\": [\"state\"], "
    "\"settings\": [{\"description\": \"caf\xc3\xa9\", \"name\": \"p\", \"kind\": \"password\"}, "
    "{\"name\": \"q\", \"kind\": \"password\", \"sensitive\": true, \"value\": 0}, {\"name\": "
    "\"r\", "
    "\"kind\": \"hidden\", \"value\": null, \"extra\": 1e5, \"none\": 0}, {\"name\": \"s\", "
    "\"sensitive\": false, \"value\": \"\", \"options\": []}], \"requires\": {\"files\": "
    "[{\"variant\": \"v\", \"name\": \"f\"}]}, \"settings_group_validation\": [[\"p\", \"q\"]]}";

static const char lock_file[] = "{\n"
                                "  \"plugin_type\": \"extractors\",\n"
                                "  \"name\": \"tap-x\",\n"
                                "  \"namespace\": \"tap_x\",\n"
                                "  \"variant\": \"acme\",\n"
                                "  \"label\": \"tap-x\",\n"
                                "  \"capabilities\": [\n"
                                "    \"state\"\n"
                                "  ],\n"
                                "  \"settings_group_validation\": [\n"
                                "    [\n"
                                "      \"p\",\n"
                                "      \"q\"\n"
                                "    ]\n"
                                "  ],\n"
                                "  \"settings\": [\n"
                                "    {\n"
                                "      \"name\": \"p\",\n"
                                "      \"kind\": \"password\",\n"
                                "      \"description\": \"caf\\u00e9\",\n"
                                "      \"sensitive\": true\n"
                                "    },\n"
                                "    {\n"
                                "      \"name\": \"q\",\n"
                                "      \"kind\": \"string\",\n"
                                "      \"value\": 0,\n"
                                "      \"sensitive\": true\n"
                                "    },\n"
                                "    {\n"
                                "      \"name\": \"r\",\n"
                                "      \"kind\": \"hidden\",\n"
                                "      \"hidden\": true,\n"
                                "      \"extra\": 100000.0\n"
                                "    },\n"
                                "    {\n"
                                "      \"name\": \"s\",\n"
                                "      \"value\": \"\",\n"
                                "      \"sensitive\": false\n"
                                "    }\n"
                                "  ],\n"
                                "  \"commands\": {\n"
                                "    \"b\": \"x\",\n"
                                "    \"a\": {\n"
                                "      \"description\": \"d\",\n"
                                "      \"container_spec\": {\n"
                                "        \"image\": \"i\",\n"
                                "        \"env\": {\n"
                                "          \"A\": 1\n"
                                "        }\n"
                                "      }\n"
                                "    },\n"
                                "    \"c\": \"y\"\n"
                                "  },\n"
                                "  \"requires\": {\n"
                                "    \"files\": [\n"
                                "      {\n"
                                "        \"name\": \"f\",\n"
                                "        \"variant\": \"v\"\n"
                                "      }\n"
                                "    ]\n"
                                "  },\n"
                                "  \"zeta\": null,\n"
                                "  \"select\": []\n"
                                "}\n";

START_TEST(a_lock_file_has_the_form_that_meltano_gives_it)
{
    auto_strbuf struct strbuf text = STRBUF_INIT;
    struct error err = {0};

    ck_assert_msg(!convert(definition, &text, &err), "%s", err.message);
    ck_assert_str_eq(strbuf_text(&text), lock_file);
}
END_TEST

static const struct {
    const char *json;
    const char *message;
} refused[] = {
    {"[]", "a definition must be a mapping, not a list"},
    {"{\"name\": \"x\"}", "a definition has no 'namespace'"},
    {"{\"namespace\": \"x\"}", "an entry of extractors has no name"},
    {"{\"name\": \"x\", \"namespace\": \"x\", \"settings\": [{\"name\": \"a\", \"kind\": \"b\"}]}",
     "'b' is not a kind of setting (setting 'a')"},
};

START_TEST(a_bad_definition_is_refused)
{
    auto_strbuf struct strbuf text = STRBUF_INIT;
    struct error err = {0};

    ck_assert_int_eq(convert(refused[_i].json, &text, &err), -1);
    ck_assert_str_eq(err.message, refused[_i].message);
}
END_TEST

Suite *project_lock_file_suite(void)
{
    Suite *suite = suite_create("project/lock_file");
    TCase *tcase = tcase_create("lock_file");

    tcase_add_test(tcase, a_lock_file_has_the_form_that_meltano_gives_it);
    tcase_add_loop_test(tcase, a_bad_definition_is_refused, 0, ARRAY_LEN(refused));
    suite_add_tcase(suite, tcase);
    return suite;
}
