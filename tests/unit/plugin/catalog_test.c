#include "plugin/catalog.h"

#include "base/json.h"
#include "base/memory.h"

#include <check.h>
#include <string.h>

Suite *plugin_catalog_suite(void);

static struct value *parse(const char *text)
{
    struct error err = {0};
    struct value *value = NULL;

    ck_assert_msg(!json_parse(text, strlen(text), NULL, &value, &err), "%s", err.message);
    return value;
}

/* Rules are given as one object with the names of the extras. */
static int apply(struct value *catalog, const char *rules_text, struct error *err)
{
    auto_value struct value *all = parse(rules_text);
    struct catalog_rules rules = {
        .select = value_get(all, "select"),
        .metadata = value_get(all, "metadata"),
        .schema = value_get(all, "schema"),
        .select_filter = value_get(all, "select_filter"),
    };

    return catalog_apply_rules(catalog, &rules, err);
}

static struct value *applied(const char *catalog_text, const char *rules_text)
{
    struct error err = {0};
    struct value *catalog = parse(catalog_text);

    ck_assert_msg(!apply(catalog, rules_text, &err), "%s", err.message);
    return catalog;
}

static void assert_json(const struct value *value, const char *expected)
{
    auto_free char *text = json_to_text(value, &json_python);

    ck_assert_str_eq(text, expected);
}

static const struct value *metadata_of(const struct value *catalog, size_t stream, size_t entry)
{
    const struct value *streams = value_get(catalog, "streams");

    return value_get(value_at(value_get(value_at(streams, stream), "metadata"), entry), "metadata");
}

static const char users_and_orders[] =
    "{\"streams\": ["
    "{\"tap_stream_id\": \"users\", \"schema\": {\"properties\": {\"id\": {}, \"email\": {},"
    " \"updated_at\": {}, \"addr\": {\"properties\": {\"zip\": {}}}}},"
    " \"metadata\": [{\"breadcrumb\": [], \"metadata\": {\"table-key-properties\": [\"id\"]}},"
    " {\"breadcrumb\": [\"properties\", \"id\"], \"metadata\": {\"inclusion\": \"automatic\"}},"
    " {\"breadcrumb\": [\"properties\", \"email\"], \"metadata\": {\"inclusion\": "
    "\"available\"}}]},"
    "{\"tap_stream_id\": \"orders\", \"schema\": {\"properties\": {\"id\": {}}}}]}";

START_TEST(selection_and_metadata_are_set_where_taps_look_for_them)
{
    auto_value struct value *catalog =
        applied(users_and_orders, "{\"select\": [\"users.*\", \"!users.email\"], \"metadata\": "
                                  "{\"users\": {\"replication-method\": \"INCREMENTAL\","
                                  " \"replication-key\": \"updated_at\"}}}");
    const struct value *users = value_at(value_get(catalog, "streams"), 0);

    assert_json(metadata_of(catalog, 0, 0),
                "{\"table-key-properties\": [\"id\"], \"selected\": true, "
                "\"replication-method\": \"INCREMENTAL\", \"replication-key\": \"updated_at\"}");
    assert_json(metadata_of(catalog, 0, 1), "{\"inclusion\": \"automatic\", \"selected\": true}");
    assert_json(metadata_of(catalog, 0, 2), "{\"inclusion\": \"available\", \"selected\": false}");
    assert_json(metadata_of(catalog, 0, 3), "{\"inclusion\": \"automatic\", \"selected\": true}");
    assert_json(metadata_of(catalog, 0, 5), "{\"inclusion\": \"available\", \"selected\": true}");
    assert_json(metadata_of(catalog, 1, 0), "{\"inclusion\": \"automatic\", \"selected\": false}");
    assert_json(metadata_of(catalog, 1, 1), "{\"inclusion\": \"automatic\", \"selected\": false}");
    assert_json(value_get(users, "selected"), "true");
    assert_json(value_get(users, "replication_method"), "\"INCREMENTAL\"");
    ck_assert_ptr_null(value_find(users, "replication-method"));
}
END_TEST

START_TEST(a_negative_pattern_wins_over_a_later_positive_one)
{
    auto_value struct value *catalog =
        applied(users_and_orders, "{\"select\": [\"!users.email\", \"users.email\"]}");

    assert_json(metadata_of(catalog, 0, 2), "{\"inclusion\": \"available\", \"selected\": false}");
}
END_TEST

START_TEST(a_nested_pattern_selects_the_parents)
{
    auto_value struct value *catalog =
        applied(users_and_orders, "{\"select\": [\"users.addr.zip\"]}");

    assert_json(metadata_of(catalog, 0, 3), "{\"inclusion\": \"automatic\", \"selected\": false}");
    assert_json(metadata_of(catalog, 0, 4), "{\"inclusion\": \"automatic\", \"selected\": true}");
    assert_json(metadata_of(catalog, 0, 5), "{\"inclusion\": \"available\", \"selected\": true}");
}
END_TEST

START_TEST(what_is_unsupported_is_not_selected)
{
    auto_value struct value *catalog =
        applied("{\"streams\": [{\"tap_stream_id\": \"a\", \"metadata\": [{\"breadcrumb\": "
                "[\"properties\", \"x\"], \"metadata\": {\"inclusion\": \"unsupported\"}}]}]}",
                "{\"select\": [\"*.*\"]}");

    assert_json(metadata_of(catalog, 0, 0),
                "{\"inclusion\": \"unsupported\", \"selected\": false}");
}
END_TEST

START_TEST(a_dot_in_a_stream_name_is_written_with_a_backslash)
{
    auto_value struct value *catalog =
        applied("{\"streams\": [{\"tap_stream_id\": \"a.b\"}, {\"tap_stream_id\": \"a\"}]}",
                "{\"select\": [\"a\\\\.b\"]}");

    assert_json(value_at(value_get(catalog, "streams"), 0),
                "{\"tap_stream_id\": \"a.b\", \"metadata\": [{\"breadcrumb\": [], \"metadata\": "
                "{\"inclusion\": \"automatic\", \"selected\": true}}], \"selected\": true}");
    assert_json(value_get(value_at(value_get(catalog, "streams"), 1), "selected"), "false");
}
END_TEST

START_TEST(a_deselected_property_stays_deselected_when_metadata_stands_before_schema)
{
    auto_value struct value *catalog =
        applied("{\"streams\": [{\"tap_stream_id\": \"a\", \"metadata\": [], \"schema\": "
                "{\"properties\": {\"x\": {\"properties\": {\"y\": {}}}, \"z\": {}}}}]}",
                "{\"select\": [\"a.*\", \"!a.x.y\"]}");

    assert_json(value_get(value_at(value_get(catalog, "streams"), 0), "metadata"),
                "[{\"breadcrumb\": [], \"metadata\": {\"inclusion\": \"automatic\", "
                "\"selected\": true}}, {\"breadcrumb\": [\"properties\", \"x\"], \"metadata\": "
                "{\"inclusion\": \"automatic\"}}, {\"breadcrumb\": [\"properties\", \"x\", "
                "\"properties\", \"y\"], \"metadata\": {\"inclusion\": \"available\", "
                "\"selected\": false}}, {\"breadcrumb\": [\"properties\", \"z\"], \"metadata\": "
                "{\"inclusion\": \"automatic\"}}]");
}
END_TEST

START_TEST(schema_rules_replace_and_create_properties)
{
    auto_value struct value *catalog =
        applied("{\"streams\": [{\"tap_stream_id\": \"a\", \"schema\": {\"properties\": {\"x\": "
                "{\"type\": \"string\", \"format\": \"date\"}}}}, {\"tap_stream_id\": \"b\"}]}",
                "{\"select\": [], \"schema\": {\"*\": {\"x\": {\"type\": \"integer\"}, "
                "\"?y\": {\"type\": \"null\"}}}}");
    const struct value *streams = value_get(catalog, "streams");

    assert_json(value_get(value_at(streams, 0), "schema"),
                "{\"properties\": {\"x\": {\"type\": \"integer\"}}}");
    assert_json(value_get(value_at(streams, 1), "schema"),
                "{\"type\": \"object\", \"properties\": {\"x\": {\"type\": \"integer\"}}}");
}
END_TEST

START_TEST(a_filter_only_deselects_streams)
{
    auto_value struct value *catalog = applied(
        users_and_orders, "{\"select\": [\"*.*\"], \"select_filter\": [\"users.id\", \"!x\"]}");

    assert_json(value_get(value_at(value_get(catalog, "streams"), 0), "selected"), "true");
    assert_json(value_get(value_at(value_get(catalog, "streams"), 1), "selected"), "false");
    assert_json(metadata_of(catalog, 0, 2), "{\"inclusion\": \"available\", \"selected\": true}");
}
END_TEST

START_TEST(without_select_a_catalog_is_only_filtered)
{
    auto_value struct value *untouched = applied(users_and_orders, "{}");
    auto_value struct value *filtered =
        applied(users_and_orders, "{\"select_filter\": [\"!orders\"]}");
    auto_value struct value *before = parse(users_and_orders);

    ck_assert(value_is_equal(untouched, before));
    ck_assert_ptr_null(value_find(value_at(value_get(filtered, "streams"), 0), "selected"));
    assert_json(value_get(value_at(value_get(filtered, "streams"), 1), "selected"), "false");
}
END_TEST

static const struct {
    const char *catalog, *rules, *message;
} failures[] = {
    {"[]", "{\"select\": []}", "the catalog is a list instead of an object"},
    {"{\"streams\": {}}", "{\"select\": []}",
     "'streams' of the catalog is a mapping instead of a list"},
    {"{\"streams\": [{\"tap_stream_id\": 5}]}", "{\"select\": []}",
     "streams[0]: tap_stream_id is an integer instead of a string"},
    {"{\"streams\": [{\"tap_stream_id\": \"a\", \"metadata\": null}]}", "{\"select\": []}",
     "streams[0]: the metadata of its stream is null instead of a list"},
    {"{\"streams\": [{\"tap_stream_id\": \"a\", \"metadata\": [{\"breadcrumb\": \"x\", "
     "\"metadata\": {}}]}]}",
     "{\"select\": []}", "streams[0].metadata[0]: the breadcrumb is a string instead of a list"},
    {"{\"streams\": [{\"tap_stream_id\": \"a\", \"metadata\": [{\"breadcrumb\": [], "
     "\"metadata\": 1}]}]}",
     "{\"select\": []}", "streams[0].metadata[0]: its metadata is an integer instead of an object"},
    {"{\"schema\": {\"properties\": {\"x\": {}}}}", "{\"select\": []}",
     "schema.properties.x: a property stands outside of a stream"},
    {"{\"streams\": [{\"tap_stream_id\": \"a\", \"schema\": 1}]}",
     "{\"select\": [], \"schema\": {\"a\": {\"x\": {}}}}",
     "streams[0]: its schema is an integer instead of an object"},
    {"{\"streams\": [{\"tap_stream_id\": \"a\"}]}",
     "{\"select\": [], \"schema\": {\"a\": {\"x\": {}, \"*\": {\"properties\": {\"y\": {}}}}}}",
     "the schema of a stream is nested too deeply"},
    {"{}", "{\"select\": [5]}", "an entry of 'select' is an integer instead of a pattern"},
    {"{}", "{\"select\": \"users.*\"}", "'select' is a string instead of a list of patterns"},
    {"{}", "{\"select\": [], \"metadata\": {\"selected\": true}}",
     "'metadata' has the key 'selected', which belongs to no stream"},
    {"{}", "{\"select\": [], \"metadata\": []}", "'metadata' is a list instead of a mapping"},
    {"{}", "{\"select\": [], \"schema\": {\"a\": 1}}",
     "'schema' has an integer for the stream 'a' instead of a mapping"},
    {"{}", "{\"select\": [], \"schema\": {\"a\": {\"x\": \"string\"}}}",
     "'schema' has a string for 'a.x' instead of a JSON schema"},
};

START_TEST(what_is_wrong_is_named_with_its_place)
{
    struct error err = {0};
    auto_value struct value *catalog = parse(failures[_i].catalog);

    ck_assert_int_eq(apply(catalog, failures[_i].rules, &err), -1);
    ck_assert_str_eq(err.message, failures[_i].message);
}
END_TEST

START_TEST(the_listing_combines_stream_and_property)
{
    struct error err = {0};
    auto_value struct value *list = NULL;
    auto_value struct value *catalog =
        parse("{\"streams\": [{\"tap_stream_id\": \"b\", \"metadata\": ["
              "{\"breadcrumb\": [], \"metadata\": {\"selected\": false}},"
              "{\"breadcrumb\": [\"properties\", \"x\"], \"metadata\": {\"selected\": true}}]},"
              "{\"tap_stream_id\": \"a\", \"metadata\": ["
              "{\"breadcrumb\": [], \"metadata\": {\"selected-by-default\": true}},"
              "{\"breadcrumb\": [\"properties\", \"y\", \"properties\", \"z\"],"
              " \"metadata\": {\"inclusion\": \"automatic\"}},"
              "{\"breadcrumb\": [\"properties\", \"y\"], \"metadata\": {\"inclusion\":"
              " \"unsupported\", \"selected\": true}},"
              "{\"breadcrumb\": [\"properties\", \"w\"], \"metadata\": {\"selected\": true}},"
              "{\"breadcrumb\": [\"properties\", \"v\"]}]}]}");

    ck_assert_int_eq(catalog_list_selection(catalog, &list, &err), 0);
    assert_json(list, "[{\"stream\": \"a\", \"property\": \"v\", \"selection\": \"excluded\"}, "
                      "{\"stream\": \"a\", \"property\": \"w\", \"selection\": \"selected\"}, "
                      "{\"stream\": \"a\", \"property\": \"y\", \"selection\": \"unsupported\"}, "
                      "{\"stream\": \"a\", \"property\": \"y.z\", \"selection\": \"automatic\"}, "
                      "{\"stream\": \"b\", \"property\": \"x\", \"selection\": \"excluded\"}]");
}
END_TEST

Suite *plugin_catalog_suite(void)
{
    Suite *suite = suite_create("plugin/catalog");
    TCase *tcase = tcase_create("catalog");

    tcase_add_test(tcase, selection_and_metadata_are_set_where_taps_look_for_them);
    tcase_add_test(tcase, a_negative_pattern_wins_over_a_later_positive_one);
    tcase_add_test(tcase, a_nested_pattern_selects_the_parents);
    tcase_add_test(tcase, what_is_unsupported_is_not_selected);
    tcase_add_test(tcase, a_dot_in_a_stream_name_is_written_with_a_backslash);
    tcase_add_test(tcase,
                   a_deselected_property_stays_deselected_when_metadata_stands_before_schema);
    tcase_add_test(tcase, schema_rules_replace_and_create_properties);
    tcase_add_test(tcase, a_filter_only_deselects_streams);
    tcase_add_test(tcase, without_select_a_catalog_is_only_filtered);
    tcase_add_loop_test(tcase, what_is_wrong_is_named_with_its_place, 0, ARRAY_LEN(failures));
    tcase_add_test(tcase, the_listing_combines_stream_and_property);
    suite_add_tcase(suite, tcase);
    return suite;
}
