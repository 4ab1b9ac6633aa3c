#include "store/db_uri.h"

#include "base/memory.h"
#include "base/redact.h"

#include <check.h>

Suite *store_db_uri_suite(void);

static const struct {
    const char *text;
    const char *dialect, *user, *password, *host, *port, *database;
} uris[] = {
    {"sqlite:////abs/.meltano/meltano.db", "sqlite", NULL, NULL, NULL, NULL,
     "/abs/.meltano/meltano.db"},
    {"sqlite:///rel%20ative.db", "sqlite", NULL, NULL, NULL, NULL, "rel%20ative.db"},
    {"sqlite://", "sqlite", NULL, NULL, NULL, NULL, NULL},
    {"postgresql+psycopg2://u:secret@db.example:5433/meltano", "postgresql", "u", "secret",
     "db.example", "5433", "meltano"},
    {"postgresql://u%40corp:p%40ss%25%2F@host/db", "postgresql", "u@corp", "p@ss%/", "host", NULL,
     "db"},
    {"postgresql://u:sl/ash?es@host/db", "postgresql", "u", "sl/ash?es", "host", NULL, "db"},
    {"postgresql://u@host:5432/db", "postgresql", "u", NULL, "host", "5432", "db"},
    {"postgresql://[::1]:5432/db", "postgresql", NULL, NULL, "::1", "5432", "db"},
    {"postgresql://host:5432", "postgresql", NULL, NULL, "host", "5432", NULL},
    {"postgres://:word@/db", "postgres", "", "word", NULL, NULL, "db"},
    {"postgresql+psycopg:///db", "postgresql", NULL, NULL, NULL, NULL, "db"},
    {"postgresql://u:100%@host/db", "postgresql", "u", "100%", "host", NULL, "db"},
};

static void check_text(const char *found, const char *expected)
{
    if (expected)
        ck_assert_str_eq(found ? found : "(null)", expected);
    else
        ck_assert_ptr_null(found);
}

START_TEST(a_url_is_taken_apart_as_sqlalchemy_does)
{
    struct error err = {0};
    auto_db_uri struct db_uri *uri = db_uri_parse(uris[_i].text, &err);

    ck_assert_msg(uri, "%s", err.message);
    check_text(uri->dialect, uris[_i].dialect);
    check_text(uri->user, uris[_i].user);
    check_text(uri->password, uris[_i].password);
    check_text(uri->host, uris[_i].host);
    check_text(uri->port, uris[_i].port);
    check_text(uri->database, uris[_i].database);
}
END_TEST

START_TEST(parameters_are_decoded_and_repeated_ones_joined)
{
    struct error err = {0};
    auto_db_uri struct db_uri *uri =
        db_uri_parse("postgresql:///db?options=-csearch_path%3Da+b&host=h1:1&host=h2&flag", &err);

    ck_assert_uint_eq(uri->query.count, 2);
    ck_assert_str_eq(strmap_get(&uri->query, "options"), "-csearch_path=a b");
    ck_assert_str_eq(strmap_get(&uri->query, "host"), "h1:1,h2");
}
END_TEST

static const struct {
    const char *text;
    const char *problem;
} wrong_uris[] = {
    {"meltano.db", "it does not begin with a scheme and '://'"},
    {"://x", "it does not begin with a scheme and '://'"},
    {"postgresql://u:se@cret@host/db",
     "there are two '@' before the host; one in a password is %40"},
    {"postgresql://host:none/db", "the port is not a number"},
    {"postgresql://host:123456/db", "the port is not a number"},
    {"postgresql://[::1/db", "the '[' of an IPv6 address is not closed"},
};

START_TEST(what_is_no_url_is_refused_without_being_shown)
{
    struct error err = {0};
    auto_free char *message =
        xasprintf("the setting database_uri is not a database URL: %s", wrong_uris[_i].problem);

    ck_assert_ptr_null(db_uri_parse(wrong_uris[_i].text, &err));
    ck_assert_str_eq(err.message, message);
    ck_assert_int_eq(err.code, ERR_CONFIG);
}
END_TEST

START_TEST(a_password_is_masked_from_then_on)
{
    struct error err = {0};
    auto_db_uri struct db_uri *uri = db_uri_parse("postgresql://u:hunter%2F2@host/db", &err);
    auto_free char *masked = redact_text("password=hunter/2");

    ck_assert_ptr_nonnull(uri);
    ck_assert_str_eq(masked, "password=(redacted)");
}
END_TEST

Suite *store_db_uri_suite(void)
{
    Suite *suite = suite_create("store/db_uri");
    TCase *tcase = tcase_create("db_uri");

    tcase_add_loop_test(tcase, a_url_is_taken_apart_as_sqlalchemy_does, 0, ARRAY_LEN(uris));
    tcase_add_test(tcase, parameters_are_decoded_and_repeated_ones_joined);
    tcase_add_loop_test(tcase, what_is_no_url_is_refused_without_being_shown, 0,
                        ARRAY_LEN(wrong_uris));
    tcase_add_test(tcase, a_password_is_masked_from_then_on);
    suite_add_tcase(suite, tcase);
    return suite;
}
