#include "base/pep440.h"

#include "base/memory.h"
#include "base/strlist.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#define MOST_NUMBERS 16
#define NO_NUMBER    (-1)

enum pre_release { PRE_NONE, PRE_ALPHA, PRE_BETA, PRE_CANDIDATE };

struct version {
    int64_t epoch;
    int64_t release[MOST_NUMBERS];
    size_t release_count;
    enum pre_release pre;
    int64_t pre_number;
    int64_t post, dev; /* NO_NUMBER: none */
    const char *local; /* borrowed, "" when there is none */
};

static const struct {
    const char *spelling;
    enum pre_release pre;
} pre_spellings[] = {
    {"alpha", PRE_ALPHA},       {"a", PRE_ALPHA},       {"beta", PRE_BETA},    {"b", PRE_BETA},
    {"preview", PRE_CANDIDATE}, {"pre", PRE_CANDIDATE}, {"rc", PRE_CANDIDATE}, {"c", PRE_CANDIDATE},
};

static int64_t read_number(const char **at)
{
    int64_t number = 0;

    for (; isdigit((unsigned char)**at); (*at)++)
        if (number < INT64_MAX / 10 - 9)
            number = number * 10 + (**at - '0');
    return number;
}

static void skip_separator(const char **at)
{
    if (**at && strchr("-_.", **at))
        (*at)++;
}

/* A word such as "post" with an optional separator on either side and an optional number. */
static bool read_part(const char **at, const char *word, int64_t *number)
{
    const char *next = *at;

    skip_separator(&next);
    if (strncasecmp(next, word, strlen(word)) != 0)
        return false;
    next += strlen(word);
    if (*next && strchr("-_.", *next) && isdigit((unsigned char)next[1]))
        next++;
    *number = read_number(&next);
    *at = next;
    return true;
}

static void read_pre(const char **at, struct version *out)
{
    for (size_t i = 0; i < ARRAY_LEN(pre_spellings); i++)
        if (read_part(at, pre_spellings[i].spelling, &out->pre_number)) {
            out->pre = pre_spellings[i].pre;
            return;
        }
}

static void read_post(const char **at, struct version *out)
{
    if (**at == '-' && isdigit((unsigned char)(*at)[1])) {
        (*at)++;
        out->post = read_number(at);
    } else if (!read_part(at, "post", &out->post) && !read_part(at, "rev", &out->post)) {
        read_part(at, "r", &out->post);
    }
}

static bool read_local(const char *text)
{
    if (!*text)
        return false;
    for (; *text; text++)
        if (!isalnum((unsigned char)*text) &&
            (!strchr("-_.", *text) || !isalnum((unsigned char)text[1])))
            return false;
    return true;
}

static bool read_version(const char *text, struct version *out)
{
    *out = (struct version){.post = NO_NUMBER, .dev = NO_NUMBER, .local = ""};
    if (*text == 'v' || *text == 'V')
        text++;
    do {
        if (!isdigit((unsigned char)*text) || out->release_count == MOST_NUMBERS)
            return false;
        out->release[out->release_count++] = read_number(&text);
        if (*text == '!' && out->release_count == 1) {
            out->epoch = out->release[--out->release_count];
            text++;
            continue;
        }
        if (*text != '.' || !isdigit((unsigned char)text[1]))
            break;
        text++;
    } while (true);
    read_pre(&text, out);
    read_post(&text, out);
    read_part(&text, "dev", &out->dev);
    if (*text == '+') {
        out->local = text + 1;
        return read_local(out->local);
    }
    return !*text;
}

static int compare_numbers(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

/* Of the same release: dev releases come before alphas, those before the final, then posts. */
static int pre_rank(const struct version *version)
{
    if (version->pre != PRE_NONE)
        return (int)version->pre;
    if (version->post == NO_NUMBER && version->dev != NO_NUMBER)
        return PRE_NONE;
    return PRE_CANDIDATE + 1;
}

static int compare_releases(const struct version *a, const struct version *b, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int64_t left = i < a->release_count ? a->release[i] : 0;
        int64_t right = i < b->release_count ? b->release[i] : 0;

        if (left != right)
            return compare_numbers(left, right);
    }
    return 0;
}

/* Local versions by their parts: numbers by value and after words, words by letters. */
static int compare_locals(const char *a, const char *b)
{
    while (*a && *b) {
        size_t a_size = strcspn(a, "-_."), b_size = strcspn(b, "-_.");
        bool a_is_number = strspn(a, "0123456789") == a_size;
        bool b_is_number = strspn(b, "0123456789") == b_size;
        int order;

        if (a_is_number != b_is_number)
            return a_is_number ? 1 : -1;
        if (a_is_number) {
            order = compare_numbers(read_number(&a), read_number(&b));
        } else {
            order = strncasecmp(a, b, a_size < b_size ? a_size : b_size);
            if (!order)
                order = compare_numbers((int64_t)a_size, (int64_t)b_size);
            a += a_size;
            b += b_size;
        }
        if (order)
            return order;
        skip_separator(&a);
        skip_separator(&b);
    }
    return (*a != '\0') - (*b != '\0');
}

static int compare_public(const struct version *a, const struct version *b)
{
    int order = compare_numbers(a->epoch, b->epoch);

    if (!order)
        order = compare_releases(a, b, MOST_NUMBERS);
    if (!order)
        order = pre_rank(a) - pre_rank(b);
    if (!order && a->pre != PRE_NONE)
        order = compare_numbers(a->pre_number, b->pre_number);
    if (!order)
        order = compare_numbers(a->post, b->post);
    if (!order) /* no dev release comes after any */
        order = compare_numbers(a->dev == NO_NUMBER ? INT64_MAX : a->dev,
                                b->dev == NO_NUMBER ? INT64_MAX : b->dev);
    return order;
}

static int compare(const struct version *a, const struct version *b)
{
    int order = compare_public(a, b);

    return order ? order : compare_locals(a->local, b->local);
}

int pep440_compare(const char *a, const char *b)
{
    struct version left, right;

    read_version(a, &left);
    read_version(b, &right);
    return compare(&left, &right);
}

bool pep440_is_valid(const char *version)
{
    struct version ignored;

    return read_version(version, &ignored);
}

/* --- specifiers --------------------------------------------------------------------------- */

struct specifier {
    enum operation {
        OP_COMPATIBLE,
        OP_ARBITRARY,
        OP_EQUAL,
        OP_NOT_EQUAL,
        OP_AT_MOST,
        OP_AT_LEAST,
        OP_LESS,
        OP_GREATER,
    } operation;
    struct version version;
    bool is_prefix; /* ends in ".*" */
};

/* Longer spellings first. */
static const struct {
    const char *spelling;
    enum operation operation;
} operations[] = {
    {"===", OP_ARBITRARY}, {"~=", OP_COMPATIBLE}, {"==", OP_EQUAL}, {"!=", OP_NOT_EQUAL},
    {"<=", OP_AT_MOST},    {">=", OP_AT_LEAST},   {"<", OP_LESS},   {">", OP_GREATER},
};

/* text holds the version behind the operator, which the result borrows. */
static bool read_specifier(char *text, struct specifier *out, char **version)
{
    size_t length, i;

    for (i = 0; i < ARRAY_LEN(operations); i++)
        if (!strncmp(text, operations[i].spelling, strlen(operations[i].spelling)))
            break;
    if (i == ARRAY_LEN(operations))
        return false;
    out->operation = operations[i].operation;
    text += strlen(operations[i].spelling);
    *version = text += strspn(text, " ");
    length = strlen(text);
    out->is_prefix = length > 2 && !strcmp(text + length - 2, ".*");
    if (out->is_prefix) {
        if (out->operation != OP_EQUAL && out->operation != OP_NOT_EQUAL)
            return false;
        text[length - 2] = '\0';
    }
    if (out->operation == OP_ARBITRARY)
        return *text != '\0';
    return read_version(text, &out->version) &&
           (out->operation != OP_COMPATIBLE || out->version.release_count > 1);
}

static bool same_prefix(const struct version *version, const struct version *prefix, size_t count)
{
    return version->epoch == prefix->epoch && !compare_releases(version, prefix, count);
}

static bool is_equal(const struct version *version, const struct specifier *specifier)
{
    if (specifier->is_prefix)
        return same_prefix(version, &specifier->version, specifier->version.release_count);
    if (!*specifier->version.local)
        return !compare_public(version, &specifier->version);
    return !compare(version, &specifier->version);
}

static bool is_same_release(const struct version *a, const struct version *b)
{
    return same_prefix(a, b, MOST_NUMBERS);
}

static bool meets(const struct version *version, const struct specifier *specifier)
{
    const struct version *bound = &specifier->version;
    int order = compare_public(version, bound);

    switch (specifier->operation) {
    case OP_EQUAL:
        return is_equal(version, specifier);
    case OP_NOT_EQUAL:
        return !is_equal(version, specifier);
    case OP_AT_MOST:
        return order <= 0;
    case OP_AT_LEAST:
        return order >= 0;
    case OP_COMPATIBLE:
        return order >= 0 && same_prefix(version, bound, bound->release_count - 1);
    case OP_LESS: /* 3.1rc1 is not "<3.1", unless the bound is a pre-release itself */
        return order < 0 && !(pre_rank(version) <= PRE_CANDIDATE &&
                              pre_rank(bound) > PRE_CANDIDATE && is_same_release(version, bound));
    case OP_GREATER: /* 3.1.post1 is not ">3.1", unless the bound is a post-release itself */
        return order > 0 && !(version->post != NO_NUMBER && bound->post == NO_NUMBER &&
                              is_same_release(version, bound));
    case OP_ARBITRARY:
        break;
    }
    return false;
}

int pep440_matches(const char *version, const char *specifiers, bool *out, struct error *err)
{
    auto_strlist struct strlist parts = STRLIST_INIT;
    struct version subject;
    bool matches = true;

    if (!read_version(version, &subject))
        return error_set(err, ERR_CONFIG, "'%s' is not a version number", version);
    strlist_split(&parts, specifiers, ',');
    for (size_t i = 0; i < parts.count; i++) {
        char *part = parts.items[i] + strspn(parts.items[i], " \t\r\n"), *bound = part;
        size_t length = strlen(part);
        auto_free char *original = NULL;
        struct specifier specifier;

        while (length && isspace((unsigned char)part[length - 1]))
            part[--length] = '\0';
        if (!length)
            continue;
        original = xstrdup(part);
        if (!read_specifier(part, &specifier, &bound))
            return error_set(err, ERR_CONFIG, "'%s' is not a version specifier such as '>=4.0'",
                             original);
        if (specifier.operation == OP_ARBITRARY)
            matches &= !strcasecmp(version, bound);
        else
            matches &= meets(&subject, &specifier);
    }
    *out = matches;
    return 0;
}
