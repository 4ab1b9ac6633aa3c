#include "pipeline/run_settings.h"

#include "base/attrs.h"
#include "base/position.h"

#include <stddef.h>
#include <string.h>

#define PLACE "annotations.meltshim.run"

/* The most seconds that make sense: ten years, which also keeps milliseconds from overflowing. */
#define MAX_SECONDS (10LL * 366 * 24 * 60 * 60)

int64_t run_seconds_to_ms(int64_t seconds)
{
    return (seconds < MAX_SECONDS ? seconds : MAX_SECONDS) * 1000;
}

static const struct number_key {
    const char *name;
    size_t offset; /* of int64_t in struct run_settings */
    long minimum;
    int unit; /* what one means there: 1000 for seconds */
} number_keys[] = {
    {"idle_timeout", offsetof(struct run_settings, idle_timeout_ms), 0, 1000},
    {"stop_grace", offsetof(struct run_settings, stop_grace_ms), 1, 1000},
    {"database_patience", offsetof(struct run_settings, database_patience_ms), 0, 1000},
    {"state_versions", offsetof(struct run_settings, state_versions), 0, 1},
};

static int read_number(const struct number_key *key, const struct value *value,
                       struct run_settings *out, struct error *err)
{
    long long number = value_kind(value) == VALUE_INT ? value_to_int(value, -1) : -1;

    if (number < key->minimum || number > MAX_SECONDS)
        return error_set_at(err, ERR_CONFIG, value,
                            PLACE ".%s must be a whole number%s, %ld or more", key->name,
                            key->unit == 1000 ? " of seconds" : "", key->minimum);
    *(int64_t *)((char *)out + key->offset) = number * key->unit;
    return 0;
}

static int read_member(const struct value *map, const struct value_member *member,
                       struct run_settings *out, struct error *err)
{
    for (size_t i = 0; i < ARRAY_LEN(number_keys); i++)
        if (!strcmp(member->key, number_keys[i].name))
            return read_number(&number_keys[i], member->value, out, err);
    if (strcmp(member->key, "flight_recorder") != 0) {
        error_set_at_key(err, ERR_CONFIG, map, member->key, "unknown key '%s' in " PLACE,
                         member->key);
        return error_hint(err, "Known are 'idle_timeout', 'stop_grace', 'database_patience', "
                               "'state_versions' and 'flight_recorder'.");
    }
    if (value_kind(member->value) != VALUE_BOOL)
        return error_set_at(err, ERR_CONFIG, member->value,
                            PLACE ".flight_recorder must be true or false, not %s",
                            value_kind_name(value_kind(member->value)));
    out->flight_recorder = member->value->boolean;
    return 0;
}

static int read_annotations(const struct value *annotations, struct run_settings *out,
                            struct error *err)
{
    const struct value *map = value_get(value_get(annotations, "meltshim"), "run");

    if (!value_is_null(map) && !value_is_map(map))
        return error_set_at(err, ERR_CONFIG, map, PLACE " must be a map, not %s",
                            value_kind_name(value_kind(map)));
    for (size_t i = 0; i < value_count(map); i++)
        if (read_member(map, value_member_at(map, i), out, err) < 0)
            return -1;
    return 0;
}

int run_settings_read(const struct project *project, const struct run_options *options,
                      struct run_settings *out, struct error *err)
{
    /* Airflow 3 kills the runner of its task five seconds after it has told it to end. */
    struct run_settings settings = {
        .stop_grace_ms = 5000,
        .database_patience_ms = 30000,
        .state_versions = 10000,
        .flight_recorder = true,
    };

    if (read_annotations(project->annotations, &settings, err) < 0)
        return -1;
    if (options->idle_timeout_s >= 0)
        settings.idle_timeout_ms = run_seconds_to_ms(options->idle_timeout_s);
    if (options->stop_grace_s >= 0)
        settings.stop_grace_ms = run_seconds_to_ms(options->stop_grace_s);
    if (options->flight_recorder != RECORDER_BY_PROJECT)
        settings.flight_recorder = options->flight_recorder == RECORDER_ON;
    *out = settings;
    return 0;
}
