#include "dag_generator/dag_text.h"

#include "base/attrs.h"

#include <string.h>

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), end_length = strlen(end);

    return length >= end_length && !strcmp(text + length - end_length, end);
}

static bool has_risky_end(const char *text, bool for_pod)
{
    static const char *const of_bash[] = {"\n", "\r", ".sh", ".bash", NULL};
    static const char *const of_pod[] = {"\n", "\r", ".json", ".yaml", ".yml", NULL};

    for (const char *const *end = for_pod ? of_pod : of_bash; *end; end++)
        if (ends_with(text, *end))
            return true;
    return false;
}

bool dag_text_is_template(const char *text, bool for_pod)
{
    static const char *const marks[] = {"{{", "{%", "{#", "\r"};

    for (size_t i = 0; i < ARRAY_LEN(marks); i++)
        if (strstr(text, marks[i]))
            return true;
    return has_risky_end(text, for_pod);
}

void strbuf_add_jinja_text(struct strbuf *out, const char *text, bool for_pod)
{
    if (!dag_text_is_template(text, for_pod)) {
        strbuf_add(out, text);
        return;
    }
    strbuf_add(out, "{{ '");
    for (; *text; text++) {
        if (*text == '\\' || *text == '\'')
            strbuf_addf(out, "\\%c", *text);
        else if (*text == '\n')
            strbuf_add(out, "\\n");
        else if (*text == '\r')
            strbuf_add(out, "\\r");
        else
            strbuf_add_char(out, *text);
    }
    strbuf_add(out, "' }}");
}

void strbuf_add_jinja_template(struct strbuf *out, const char *template, bool for_pod)
{
    strbuf_add(out, template);
    if (has_risky_end(template, for_pod))
        strbuf_add(out, "{{ '' }}");
}

/* Behind the mark that closes a tag, which counts only outside of quotes; NULL: there is none. */
static const char *find_tag_end(const char *at, const char *mark)
{
    while (*at && strncmp(at, mark, 2) != 0) {
        char quote = *at++;

        if (quote != '\'' && quote != '"')
            continue;
        while (*at && *at != quote)
            at += at[0] == '\\' && at[1] ? 2 : 1;
        at += *at != '\0';
    }
    return *at ? at + 2 : NULL;
}

static bool is_raw_tag(const char *tag)
{
    tag += strspn(tag, "-+ \t\n");
    return !strncmp(tag, "raw", 3) && strchr(" -+%\t\n", tag[3]);
}

/* Behind the tag that begins here; NULL when nothing closes it. */
static const char *skip_tag(const char *tag)
{
    const char *end;

    if (tag[1] == '#') {
        end = strstr(tag + 2, "#}");
        return end ? end + 2 : NULL;
    }
    end = find_tag_end(tag + 2, tag[1] == '{' ? "}}" : "%}");
    /* What stands in a raw block are no tags. */
    return end && tag[1] == '%' && is_raw_tag(tag + 2) ? strstr(end, "endraw") : end;
}

const char *dag_text_find_open_tag(const char *template)
{
    const char *at = template;

    while ((at = strchr(at, '{'))) {
        const char *end = at + 1;

        if (*end && strchr("{%#", *end))
            end = skip_tag(at);
        if (!end)
            return at;
        at = end;
    }
    return NULL;
}

static bool is_among(const char *const *words, size_t count, const char *word, size_t length)
{
    for (size_t i = 0; i < count; i++)
        if (strlen(words[i]) == length && !memcmp(words[i], word, length))
            return true;
    return false;
}

bool dag_text_is_identifier(const char *word, size_t length)
{
    static const char *const keywords[] = {
        "False", "None",     "True",  "and",    "as",   "assert", "async",  "await",    "break",
        "class", "continue", "def",   "del",    "elif", "else",   "except", "finally",  "for",
        "from",  "global",   "if",    "import", "in",   "is",     "lambda", "nonlocal", "not",
        "or",    "pass",     "raise", "return", "try",  "while",  "with",   "yield",
    };
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";

    if (!length || strspn(word, letters) < length || (*word >= '0' && *word <= '9'))
        return false;
    return !is_among(keywords, ARRAY_LEN(keywords), word, length);
}

static const char *const imported[] = {
    "Asset",
    "AssetOrTimeSchedule",
    "BashOperator",
    "CronTriggerTimetable",
    "DAG",
    "DatasetOrTimeSchedule",
    "KubernetesPodOperator",
    "TaskGroup",
    "k8s",
    "timedelta",
};

bool dag_text_is_imported(const char *word, size_t length)
{
    return is_among(imported, ARRAY_LEN(imported), word, length);
}
