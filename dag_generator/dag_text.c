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
