#include "project/plugin_type.h"

#include "base/attrs.h"

#include <check.h>

Suite *project_plugin_type_suite(void);

static const struct {
    const char *plural, *singular, *verb, *label;
} names[] = {
    {"extractors", "extractor", "EXTRACT", "extractor"},
    {"loaders", "loader", "LOAD", "loader"},
    {"transforms", "transform", "TRANSFORM", "transform"},
    {"orchestrators", "orchestrator", "ORCHESTRAT", "orchestrator"},
    {"transformers", "transformer", "TRANSFORM", "transformer"},
    {"files", "file", "FI", "file bundle"},
    {"utilities", "utility", "UTILIZE", "utility"},
    {"mappers", "mapper", "MAP", "mapper"},
};

START_TEST(a_type_has_the_names_that_meltano_gives_it)
{
    const struct plugin_type_info *info = plugin_type_info((enum plugin_type)_i);
    enum plugin_type type;

    ck_assert_str_eq(info->plural, names[_i].plural);
    ck_assert_str_eq(info->singular, names[_i].singular);
    ck_assert_str_eq(info->verb, names[_i].verb);
    ck_assert_str_eq(info->label, names[_i].label);
    ck_assert(plugin_type_parse(info->plural, &type) && (int)type == _i);
    ck_assert(plugin_type_parse(info->singular, &type) && (int)type == _i);
}
END_TEST

START_TEST(other_words_are_no_types)
{
    enum plugin_type type;

    ck_assert(!plugin_type_parse("mappings", &type));
    ck_assert(!plugin_type_parse("Extractors", &type));
    ck_assert(!plugin_type_parse("", &type));
}
END_TEST

START_TEST(taps_targets_and_mappers_speak_singer)
{
    ck_assert(plugin_type_is_singer(PLUGIN_EXTRACTOR));
    ck_assert(plugin_type_is_singer(PLUGIN_LOADER));
    ck_assert(plugin_type_is_singer(PLUGIN_MAPPER));
    ck_assert(!plugin_type_is_singer(PLUGIN_UTILITY));
}
END_TEST

Suite *project_plugin_type_suite(void)
{
    Suite *suite = suite_create("project/plugin_type");
    TCase *tcase = tcase_create("plugin_type");

    tcase_add_loop_test(tcase, a_type_has_the_names_that_meltano_gives_it, 0, ARRAY_LEN(names));
    tcase_add_test(tcase, other_words_are_no_types);
    tcase_add_test(tcase, taps_targets_and_mappers_speak_singer);
    suite_add_tcase(suite, tcase);
    return suite;
}
