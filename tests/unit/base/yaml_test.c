#include "base/yaml.h"

#include "base/json.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "base/yaml_scalar.h"

#include <check.h>
#include <string.h>

Suite *base_yaml_suite(void);

static struct value *parse(const char *text)
{
    struct error err = {0};
    struct value *value = NULL;

    ck_assert_msg(!value_from_yaml(text, strlen(text), "t.yml", &value, &err), "%s: %s", text,
                  err.message);
    return value;
}

/* What Meltano 4.4.1 reads, with ruamel.yaml 0.19.1, for a value in a configuration. Booleans are
 * given as true and false. */
static const struct {
    const char *yaml;
    enum value_kind kind;
    const char *text;
} scalars[] = {
    {"yes", VALUE_STRING, "yes"},
    {"no", VALUE_STRING, "no"},
    {"on", VALUE_STRING, "on"},
    {"off", VALUE_STRING, "off"},
    {"Yes", VALUE_STRING, "Yes"},
    {"y", VALUE_STRING, "y"},
    {"true", VALUE_BOOL, "true"},
    {"True", VALUE_BOOL, "true"},
    {"TRUE", VALUE_BOOL, "true"},
    {"tRUE", VALUE_STRING, "tRUE"},
    {"false", VALUE_BOOL, "false"},
    {"False", VALUE_BOOL, "false"},
    {"FALSE", VALUE_BOOL, "false"},
    {"~", VALUE_NULL, ""},
    {"", VALUE_NULL, ""},
    {"null", VALUE_NULL, ""},
    {"Null", VALUE_NULL, ""},
    {"NULL", VALUE_NULL, ""},
    {"nULL", VALUE_STRING, "nULL"},
    {"none", VALUE_STRING, "none"},
    {"None", VALUE_STRING, "None"},
    {"012", VALUE_INT, "12"},
    {"0012", VALUE_INT, "12"},
    {"00", VALUE_INT, "0"},
    {"0", VALUE_INT, "0"},
    {"-0", VALUE_INT, "0"},
    {"+0", VALUE_INT, "0"},
    {"+12", VALUE_INT, "12"},
    {"-12", VALUE_INT, "-12"},
    {"+012", VALUE_INT, "12"},
    {"-012", VALUE_INT, "-12"},
    {"0o14", VALUE_INT, "12"},
    {"0O14", VALUE_STRING, "0O14"},
    {"-0o14", VALUE_INT, "-12"},
    {"+0o14", VALUE_INT, "12"},
    {"0o8", VALUE_STRING, "0o8"},
    {"0o", VALUE_STRING, "0o"},
    {"08", VALUE_INT, "8"},
    {"0x1f", VALUE_INT, "31"},
    {"0X1f", VALUE_STRING, "0X1f"},
    {"-0x1F", VALUE_INT, "-31"},
    {"0xAB_CD", VALUE_INT, "43981"},
    {"0x", VALUE_STRING, "0x"},
    {"0b101", VALUE_INT, "5"},
    {"0b12", VALUE_STRING, "0b12"},
    {"-0b11", VALUE_INT, "-3"},
    {"1_000", VALUE_INT, "1000"},
    {"1__0", VALUE_INT, "10"},
    {"_1", VALUE_STRING, "_1"},
    {"1_", VALUE_INT, "1"},
    {"0_1", VALUE_INT, "1"},
    {"_", VALUE_STRING, "_"},
    {"+_1", VALUE_INT, "1"},
    {"+", VALUE_STRING, "+"},
    {"123456789012345678901234567890", VALUE_INT, "123456789012345678901234567890"},
    {"-123456789012345678901234567890", VALUE_INT, "-123456789012345678901234567890"},
    {"0x123456789abcdef0123456789", VALUE_INT, "90144042682896311822508713865"},
    {"0o1234567012345670123456701234567", VALUE_INT, "1616895878810725189668911479"},
    {"0b11111111111111111111111111111111111111111111111111111111111111111111111", VALUE_INT,
     "2361183241434822606847"},
    {"1e3", VALUE_REAL, "1000.0"},
    {"1E3", VALUE_REAL, "1000.0"},
    {"1e+3", VALUE_REAL, "1000.0"},
    {"1e-3", VALUE_REAL, "0.001"},
    {"1e400", VALUE_REAL, "Infinity"},
    {"-1e400", VALUE_REAL, "-Infinity"},
    {"1.0", VALUE_REAL, "1.0"},
    {"1.", VALUE_REAL, "1.0"},
    {".5", VALUE_REAL, "0.5"},
    {"-.5", VALUE_REAL, "-0.5"},
    {"+.5", VALUE_REAL, "0.5"},
    {".5e3", VALUE_STRING, ".5e3"},
    {".5e+3", VALUE_REAL, "500.0"},
    {".5e-3", VALUE_REAL, "0.0005"},
    {"._5", VALUE_REAL, "0.5"},
    {".", VALUE_STRING, "."},
    {"..", VALUE_STRING, ".."},
    {"...x", VALUE_STRING, "...x"},
    {"1.5e3", VALUE_REAL, "1500.0"},
    {"1_0.5_0", VALUE_REAL, "10.5"},
    {"1._", VALUE_REAL, "1.0"},
    {"1.e5", VALUE_REAL, "100000.0"},
    {"1_0e1_0", VALUE_STRING, "1_0e1_0"},
    {"1_0e10", VALUE_REAL, "100000000000.0"},
    {"0.1", VALUE_REAL, "0.1"},
    {"3.10", VALUE_REAL, "3.1"},
    {"1e16", VALUE_REAL, "1e+16"},
    {"1e15", VALUE_REAL, "1000000000000000.0"},
    {"123456789012345.678", VALUE_REAL, "123456789012345.67"},
    {"1e22", VALUE_REAL, "1e+22"},
    {"1e23", VALUE_REAL, "1e+23"},
    {"0.0001", VALUE_REAL, "0.0001"},
    {"0.00001", VALUE_REAL, "1e-05"},
    {"5e-324", VALUE_REAL, "5e-324"},
    {"1.7976931348623157e308", VALUE_REAL, "1.7976931348623157e+308"},
    {"9007199254740993.0", VALUE_REAL, "9007199254740992.0"},
    {"-0.0", VALUE_REAL, "-0.0"},
    {"012.5", VALUE_REAL, "12.5"},
    {"00.5", VALUE_REAL, "0.5"},
    {"0e0", VALUE_REAL, "0.0"},
    {".inf", VALUE_REAL, "Infinity"},
    {".Inf", VALUE_REAL, "Infinity"},
    {".INF", VALUE_REAL, "Infinity"},
    {"-.inf", VALUE_REAL, "-Infinity"},
    {"+.inf", VALUE_REAL, "Infinity"},
    {".iNf", VALUE_STRING, ".iNf"},
    {".nan", VALUE_REAL, "NaN"},
    {".NaN", VALUE_REAL, "NaN"},
    {".NAN", VALUE_REAL, "NaN"},
    {"-.nan", VALUE_STRING, "-.nan"},
    {"inf", VALUE_STRING, "inf"},
    {"nan", VALUE_STRING, "nan"},
    {"1:30", VALUE_STRING, "1:30"},
    {"1:30:45", VALUE_STRING, "1:30:45"},
    {"12:30:45.5", VALUE_STRING, "12:30:45.5"},
    {"190:20:30", VALUE_STRING, "190:20:30"},
    {"2023-02-05", VALUE_DATE, "2023-02-05"},
    {"2023-2-5", VALUE_STRING, "2023-2-5"},
    {"2023-02-05T10:00:00", VALUE_DATE, "2023-02-05T10:00:00"},
    {"2023-02-05t10:00:00", VALUE_DATE, "2023-02-05T10:00:00"},
    {"2023-02-05 10:00:00", VALUE_DATE, "2023-02-05T10:00:00"},
    {"2023-02-05  10:00:00", VALUE_DATE, "2023-02-05T10:00:00"},
    {"2023-02-05T10:00:00Z", VALUE_DATE, "2023-02-05T10:00:00"},
    {"2023-02-05 10:00:00Z", VALUE_DATE, "2023-02-05T10:00:00+00:00"},
    {"2023-02-05 10:00:00 Z", VALUE_DATE, "2023-02-05T10:00:00+00:00"},
    {"2023-02-05T10:00:00+02:00", VALUE_DATE, "2023-02-05T10:00:00"},
    {"2023-02-05T10:00:00-0230", VALUE_STRING, "2023-02-05T10:00:00-0230"},
    {"2023-02-05T10:00:00 +2", VALUE_DATE, "2023-02-05T10:00:00"},
    {"2023-02-05 10:00:00 +2", VALUE_DATE, "2023-02-05T10:00:00"},
    {"2023-02-05T10:00:00-02", VALUE_DATE, "2023-02-05T10:00:00"},
    {"2023-02-05T10:00:00.5", VALUE_DATE, "2023-02-05T10:00:00"},
    {"2023-02-05T10:00:00.123456", VALUE_DATE, "2023-02-05T10:00:00"},
    {"2023-02-05T10:00:00.1234567", VALUE_DATE, "2023-02-05T10:00:00"},
    {"2023-02-05T10:00:00.9999999", VALUE_DATE, "2023-02-05T10:00:01"},
    {"2023-02-05T10:00:00.5Z", VALUE_DATE, "2023-02-05T10:00:00"},
    {"2023-02-05 10:00:00.250", VALUE_DATE, "2023-02-05T10:00:00.250000"},
    {"2023-02-05T10:00:00.", VALUE_DATE, "2023-02-05T10:00:00"},
    {"2023-2-5T1:00:00", VALUE_DATE, "2023-02-05T01:00:00"},
    {"2023-2-5 1:00:00", VALUE_DATE, "2023-02-05T01:00:00"},
    {"2023-02-05T10:00", VALUE_STRING, "2023-02-05T10:00"},
    {"2023-02-05T10:00:00+23:59", VALUE_DATE, "2023-02-05T10:00:00"},
    {"20230205", VALUE_INT, "20230205"},
    {"2023-02", VALUE_STRING, "2023-02"},
    {"<", VALUE_STRING, "<"},
    {"'012'", VALUE_STRING, "012"},
    {"\"yes\"", VALUE_STRING, "yes"},
    {"'2023-02-05'", VALUE_STRING, "2023-02-05"},
    {"!!str 012", VALUE_STRING, "012"},
    {"!!str 2023-02-05", VALUE_STRING, "2023-02-05"},
    {"!!str", VALUE_STRING, ""},
    {"!!int 012", VALUE_INT, "12"},
    {"!!int '12'", VALUE_INT, "12"},
    {"!!int \"0x1f\"", VALUE_INT, "31"},
    {"!!float 1", VALUE_REAL, "1.0"},
    {"!!float '1.5'", VALUE_REAL, "1.5"},
    {"!!float 1e3", VALUE_REAL, "1000.0"},
    {"!!float .inf", VALUE_REAL, "Infinity"},
    {"!!bool true", VALUE_BOOL, "true"},
    {"!!bool yes", VALUE_BOOL, "true"},
    {"!!bool 'on'", VALUE_BOOL, "true"},
    {"!!bool off", VALUE_BOOL, "false"},
    {"!!bool y", VALUE_BOOL, "true"},
    {"!!bool n", VALUE_BOOL, "false"},
    {"!!null x", VALUE_NULL, ""},
    {"!!null ''", VALUE_NULL, ""},
    {"!!timestamp 2023-02-05", VALUE_DATE, "2023-02-05"},
    {"!!timestamp '2023-02-05T10:00:00Z'", VALUE_DATE, "2023-02-05T10:00:00"},
    {"!foo bar", VALUE_STRING, "bar"},
    {"!foo 12", VALUE_STRING, "12"},
    {"!env VAR", VALUE_STRING, "VAR"},
    {"!!foo bar", VALUE_STRING, "bar"},
    {"!!python/none x", VALUE_STRING, "x"},
    {"a #b", VALUE_STRING, "a"},
    {"a#b", VALUE_STRING, "a#b"},
    {"'it''s'", VALUE_STRING, "it's"},
    {"\"a\\tb\\u00e9\\x41\\N\"", VALUE_STRING, "a\011b\303\251A\302\205"},
    {"\303\251", VALUE_STRING, "\303\251"},
    {"&a", VALUE_NULL, ""},
    {"&a x", VALUE_STRING, "x"},
    {"1,000", VALUE_STRING, "1,000"},
    {"$12", VALUE_STRING, "$12"},
    {"12$", VALUE_STRING, "12$"},
    {"+1.5", VALUE_REAL, "1.5"},
    {"+1e3", VALUE_REAL, "1000.0"},
    {"1e3.5", VALUE_STRING, "1e3.5"},
    {"1.2.3", VALUE_STRING, "1.2.3"},
    {"0.", VALUE_REAL, "0.0"},
    {"-1", VALUE_INT, "-1"},
    {"~x", VALUE_STRING, "~x"},
};

START_TEST(a_scalar_means_what_it_means_to_meltano)
{
    auto_free char *text = xasprintf("k: %s\n", scalars[_i].yaml);
    auto_value struct value *document = parse(text);
    const struct value *value = value_get(document, "k");

    ck_assert_msg(value_kind(value) == scalars[_i].kind, "%s is %s", text,
                  value_kind_name(value_kind(value)));
    if (value_kind(value) == VALUE_BOOL)
        ck_assert_str_eq(value->boolean ? "true" : "false", scalars[_i].text);
    else if (value_kind(value) != VALUE_NULL)
        ck_assert_str_eq(value_text(value), scalars[_i].text);
}
END_TEST

/* Documents as a whole, as JSON. */
static const struct {
    const char *yaml;
    const char *json;
} documents[] = {
    {"", "null"},
    {"# only a comment\n", "null"},
    {"--- \na: 1\n...\n", "{\"a\":1}"},
    {"\xef\xbb\xbf"
     "a: 1\nb: 2\n",
     "{\"a\":1,\"b\":2}"},
    {"a: |\r\n  x\r\n  y\r\nb: [1,\r\n2]\r\n", "{\"a\":\"x\\ny\\n\",\"b\":[1,2]}"},
    {"a: >\n  x\n  y\n\n  z\n", "{\"a\":\"x y\\nz\\n\"}"},
    {"a: &x {p: 1, q: [y, no]}\nb: *x\n",
     "{\"a\":{\"p\":1,\"q\":[\"y\",\"no\"]},\"b\":{\"p\":1,\"q\":[\"y\",\"no\"]}}"},
    {"a: &x 1\nb: &x 2\nc: *x\n", "{\"a\":1,\"b\":2,\"c\":2}"},
    {"a: &x {x: &x 1, y: *x}\nb: *x\n", "{\"a\":{\"x\":1,\"y\":1},\"b\":1}"},
    {"a: &a {x: 1, y: 2}\nb:\n  p: 0\n  <<: *a\n  q: 3\n  y: 9\n",
     "{\"a\":{\"x\":1,\"y\":2},\"b\":{\"p\":0,\"q\":3,\"y\":9,\"x\":1}}"},
    {"a: &a {x: 1, y: 2}\nc: &c {y: 5, z: 6}\nb:\n  <<: [*a, *c]\n  q: 3\n",
     "{\"a\":{\"x\":1,\"y\":2},\"c\":{\"y\":5,\"z\":6},\"b\":{\"q\":3,\"x\":1,\"y\":2,\"z\":6}}"},
    {"b:\n  q: 3\n  <<: {x: 1, &k l: 2}\n  z: *k\n",
     "{\"b\":{\"q\":3,\"z\":\"l\",\"x\":1,\"l\":2}}"},
    {"b:\n  '<<': 3\n", "{\"b\":{\"<<\":3}}"},
    {"b:\n  <<: []\n  x: 1\n", "{\"b\":{\"x\":1}}"},
    {"{1: a, 012: b, true: c, ~: d, 1.50: e, 2023-02-05: f}",
     "{\"1\":\"a\",\"12\":\"b\",\"True\":\"c\",\"None\":\"d\",\"1.5\":\"e\",\"2023-02-05\":\"f\"}"},
    {"a: {b:c, d: [e, {f: g}], h: }\n",
     "{\"a\":{\"b:c\":null,\"d\":[\"e\",{\"f\":\"g\"}],\"h\":null}}"},
    {"a: \"\\0\\u00e9\\x41\"\n", "{\"a\":\"\\u0000\xc3\xa9"
                                 "A\"}"},
    {"%YAML 1.2\n---\na: yes\n", "{\"a\":\"yes\"}"},
};

START_TEST(a_document_becomes_a_tree)
{
    auto_value struct value *document = parse(documents[_i].yaml);
    auto_free char *text = json_to_text(document, &json_compact);

    ck_assert_str_eq(text, documents[_i].json);
}
END_TEST

static const struct {
    const char *yaml;
    const char *message;
    const char *hint;
} refused[] = {
    {"a: 1\nb: 2\n a: 3\n", "t.yml:3:3: mapping values are not allowed in this context",
     "Put a text that contains ': ' in quotes, or correct the indentation."},
    {"a: 1\nb: {c: 1,\n  c: 2}\n", "t.yml:3:3: duplicate key 'c', first given on line 2, column 5",
     "Keep one of the two."},
    {"1: a\n'1': b\n", "t.yml:2:1: duplicate key '1', first given on line 1, column 1",
     "Keep one of the two."},
    {"a: @b\n",
     "t.yml:1:4: found character that cannot start any token while scanning for the next token",
     "Indent with blanks, not tabs; put a text that begins with @, % or ` in quotes."},
    {"a:\n\t- b\n",
     "t.yml:2:1: found character that cannot start any token while scanning for the next token",
     "Indent with blanks, not tabs; put a text that begins with @, % or ` in quotes."},
    {"a: *b\n", "t.yml:1:4: there is no anchor 'b' before this alias",
     "Define the anchor further up with '&', or put a text that begins with * in quotes."},
    {"a: &x [1, *x]\n", "t.yml:1:11: the value with the anchor 'x' contains itself",
     "Remove this alias."},
    {"a: 1\n---\nb: 2\n", "t.yml:2:1: a second document begins here",
     "Keep one document per file: remove the line '---' or '...'."},
    {"a: &a {x: 1}\nb:\n  <<: *a\n  <<: *a\n", "t.yml:4:3: duplicate merge key '<<'",
     "Write one: '<<: [*first, *second]'."},
    {"b:\n  <<: 3\n", "t.yml:2:3: '<<' needs a mapping or a list of mappings",
     "Give it an alias such as '*defaults', or put << in quotes."},
    {"b:\n  <<: [{a: 1}, 2]\n", "t.yml:2:3: '<<' needs a mapping or a list of mappings",
     "Give it an alias such as '*defaults', or put << in quotes."},
    {"? [a]\n: 1\n", "t.yml:1:3: a mapping or a list cannot be a key",
     "Put a text that begins with [, { or ? in quotes."},
    {"a: 2023-02-30\n", "t.yml:1:4: '2023-02-30': the month has no such day",
     "Put the value in quotes to make it text."},
    {"a: 2023-13-01\n", "t.yml:1:4: '2023-13-01': the month of a date must be 1 to 12",
     "Put the value in quotes to make it text."},
    {"a: 0000-01-01\n", "t.yml:1:4: '0000-01-01': the year of a date must be 1 or later",
     "Put the value in quotes to make it text."},
    {"a: 2023-02-05T25:00:00\n", "t.yml:1:4: '2023-02-05T25:00:00': there is no such time of day",
     "Put the value in quotes to make it text."},
    {"a: 2023-02-05 10:00:00+25:00\n",
     "t.yml:1:4: '2023-02-05 10:00:00+25:00': the offset of a time zone must be less than 24 hours",
     "Put the value in quotes to make it text."},
    {"a: -_\n", "t.yml:1:4: '-_': this is not an integer",
     "Put the value in quotes to make it text."},
    {"a: ._\n", "t.yml:1:4: '._': this is not a number",
     "Put the value in quotes to make it text."},
    {"a: !!int 1.5\n", "t.yml:1:4: '1.5': this is not an integer",
     "Put the value in quotes to make it text."},
    {"a: !!float 0x10\n", "t.yml:1:4: '0x10': this is not a number",
     "Put the value in quotes to make it text."},
    {"a: !!bool maybe\n", "t.yml:1:4: 'maybe': this is not a boolean",
     "Put the value in quotes to make it text."},
    {"a: !!set {b}\n", "t.yml:1:4: the tag !!set cannot be used here", "Remove the tag."},
    {"a: !!map x\n", "t.yml:1:4: 'x': a value with this tag cannot be used here",
     "Put the value in quotes to make it text."},
    {"%YAML 1.1\n---\na: yes\n", "t.yml:1:1: YAML 1.1 is not supported",
     "Remove the line '%YAML 1.1'."},
    {"a: \xff\n", "t.yml:1:4: the text is not UTF-8", "Save the file as UTF-8."},
    {"a: 1\nb: \x01\n", "t.yml:2:4: the character U+0001 is not allowed in YAML",
     "Remove it, or write it as an escape in double quotes."},
    {"\"a\\0b\": 1\n", "t.yml:1:1: a key must not contain a NUL character", ""},
    {"a: [1, 2\n",
     "t.yml:2:1: did not find expected ',' or ']' while parsing a flow sequence that began on line "
     "1",
     "Close the list with ']'."},
    {"a: \"b\n",
     "t.yml:2:1: found unexpected end of stream while scanning a quoted scalar that began on line "
     "1",
     "Close the quotes."},
    {"a:\n  b: 1\n c: 2\n",
     "t.yml:3:2: did not find expected key while parsing a block mapping that began on line 1",
     "Correct the indentation of this line or the one before."},
};

START_TEST(a_bad_document_is_refused_with_place_and_remedy)
{
    struct error err = {0};
    struct value *value = NULL;
    const char *text = refused[_i].yaml;

    ck_assert_int_eq(value_from_yaml(text, strlen(text), "t.yml", &value, &err), -1);
    ck_assert_str_eq(err.message, refused[_i].message);
    ck_assert_str_eq(err.hint, refused[_i].hint);
    ck_assert_int_eq(err.code, ERR_CONFIG);
    ck_assert_ptr_null(value);
}
END_TEST

START_TEST(values_and_keys_know_their_place)
{
    auto_value struct value *document = parse("a: x\n\xc3\xa9:\n  - \xc3\xa9: 'y'\n    c: [z]\n");
    const struct value *list = value_get(document, "\xc3\xa9");
    const struct value *item = value_at(list, 0);
    const struct value_member *member = value_find(item, "c");
    const struct value *z = value_at(member->value, 0);

    ck_assert_uint_eq(value_find(document, "\xc3\xa9")->line, 2);
    ck_assert_uint_eq(list->line, 3);
    ck_assert_uint_eq(list->column, 3);
    ck_assert_uint_eq(value_get(item, "\xc3\xa9")->column, 8);
    ck_assert_uint_eq(member->line, 4);
    ck_assert_uint_eq(member->column, 5);
    ck_assert_uint_eq(z->line, 4);
    ck_assert_uint_eq(z->column, 9);
    ck_assert_str_eq(z->file, "t.yml");
}
END_TEST

START_TEST(a_document_may_be_long)
{
    auto_strbuf struct strbuf text = STRBUF_INIT;
    auto_value struct value *value = NULL;
    struct error err = {0};

    for (int i = 0; i < 600000; i++)
        strbuf_add(&text, "- x\n");
    ck_assert_msg(!value_from_yaml(text.text, text.length, "t.yml", &value, &err), "%s",
                  err.message);
    ck_assert_uint_eq(value_count(value), 600000);
}
END_TEST

START_TEST(aliases_cannot_blow_up_a_document)
{
    auto_strbuf struct strbuf text = STRBUF_INIT;
    struct error err = {0};
    struct value *value = NULL;

    strbuf_add(&text, "a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for (int i = 1; i < 12; i++) {
        strbuf_addf(&text, "a%d: &a%d [", i, i);
        for (int k = 0; k < 9; k++)
            strbuf_addf(&text, "*a%d, ", i - 1);
        strbuf_add(&text, "]\n");
    }
    ck_assert_int_eq(value_from_yaml(text.text, text.length, "t.yml", &value, &err), -1);
    ck_assert_str_eq(err.message,
                     "t.yml:6:40: the aliases up to here stand for more than 500,000 values");
}
END_TEST

START_TEST(nesting_has_a_limit)
{
    struct error err = {0};
    struct value *value = NULL;
    char text[2 * YAML_MAX_DEPTH];

    memset(text, '[', sizeof text);
    ck_assert_int_eq(value_from_yaml(text, sizeof text, "t.yml", &value, &err), -1);
    ck_assert_str_eq(err.message, "t.yml:1:201: nested too deeply");
}
END_TEST

START_TEST(nesting_through_aliases_has_the_same_limit)
{
    auto_strbuf struct strbuf text = STRBUF_INIT;
    struct error err = {0};
    struct value *value = NULL;

    strbuf_add(&text, "a0: &a0 [x]\n");
    for (int i = 1; i < 300; i++)
        strbuf_addf(&text, "a%d: &a%d [*a%d]\n", i, i, i - 1);
    ck_assert_int_eq(value_from_yaml(text.text, text.length, "t.yml", &value, &err), -1);
    ck_assert_str_eq(err.message, "t.yml:199:14: nested too deeply");
}
END_TEST

START_TEST(an_integer_has_at_most_4300_digits)
{
    auto_strbuf struct strbuf text = STRBUF_INIT;
    struct error err = {0};
    struct value *value = NULL;

    strbuf_add_repeat(&text, '9', 4301);
    ck_assert_int_eq(value_from_yaml(text.text, text.length, "t.yml", &value, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.message, "an integer may have 4300 digits at most"));
    strbuf_truncate(&text, 4300);
    value = parse(text.text);
    ck_assert_str_eq(value_text(value), text.text);
    value_free(value);
}
END_TEST

Suite *base_yaml_suite(void)
{
    Suite *suite = suite_create("base/yaml");
    TCase *tcase = tcase_create("yaml");

    tcase_add_loop_test(tcase, a_scalar_means_what_it_means_to_meltano, 0, ARRAY_LEN(scalars));
    tcase_add_loop_test(tcase, a_document_becomes_a_tree, 0, ARRAY_LEN(documents));
    tcase_add_loop_test(tcase, a_bad_document_is_refused_with_place_and_remedy, 0,
                        ARRAY_LEN(refused));
    tcase_add_test(tcase, values_and_keys_know_their_place);
    tcase_add_test(tcase, a_document_may_be_long);
    tcase_add_test(tcase, aliases_cannot_blow_up_a_document);
    tcase_add_test(tcase, nesting_has_a_limit);
    tcase_add_test(tcase, nesting_through_aliases_has_the_same_limit);
    tcase_add_test(tcase, an_integer_has_at_most_4300_digits);
    suite_add_tcase(suite, tcase);
    return suite;
}
