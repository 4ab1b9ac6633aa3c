#include "pipeline/spooled_state.h"

#include "base/log.h"
#include "base/memory.h"
#include "base/path.h"
#include "base/strbuf.h"

char *spooled_state_directory(const struct project *project)
{
    return path_join(project->sys_dir, "run/spool");
}

static void log_outcome(const char *path, const struct state_spool *spool,
                        enum spool_outcome outcome)
{
    const char *what = spool->state ? "The last state" : "The end";

    switch (outcome) {
    case SPOOL_COMMITTED:
        log_info("%s of run %s, which could not be saved then, is committed to '%s'", what,
                 spool->run_id, spool->state_id);
        break;
    case SPOOL_WAS_COMMITTED:
        log_debug("What run %s had spooled for '%s' was committed already", spool->run_id,
                  spool->state_id);
        break;
    case SPOOL_IS_OUTDATED:
        log_warning("The state that run %s spooled is left alone, because '%s' was written since. "
                    "Remove '%s', or commit it nevertheless with 'meltshim state commit --force'.",
                    spool->run_id, spool->state_id, path);
        break;
    }
}

static int commit(const char *path, const struct state_spool *spool, struct state_backend *backend,
                  const struct store_lock *lock, bool force, enum spool_outcome *out,
                  struct error *err)
{
    if (state_spool_commit(backend, lock, spool, force, out, err) < 0)
        return error_wrap(err, "cannot commit the spooled state '%s'", path);
    log_outcome(path, spool, *out);
    return *out == SPOOL_IS_OUTDATED ? 0 : state_spool_remove(path, err);
}

int spooled_state_commit(const char *path, struct state_backend *backend,
                         const struct store_lock *lock, bool force, enum spool_outcome *out,
                         struct error *err)
{
    auto_state_spool struct state_spool spool = {0};

    if (state_spool_read(path, &spool, err) < 0)
        return -1;
    return commit(path, &spool, backend, lock, force, out, err);
}

int spooled_state_commit_all(const char *dir, struct state_backend *backend,
                             const struct store_lock *lock, const char *state_id, struct error *err)
{
    auto_strlist struct strlist paths = STRLIST_INIT;

    if (state_spool_list(dir, state_id, &paths, err) < 0)
        return -1;
    for (size_t i = 0; i < paths.count; i++) {
        struct error read_error = {0};
        auto_state_spool struct state_spool spool = {0};
        enum spool_outcome outcome;

        if (state_spool_read(paths.items[i], &spool, &read_error) < 0)
            log_warning("%s", read_error.message);
        else if (commit(paths.items[i], &spool, backend, lock, false, &outcome, err) < 0)
            return -1;
    }
    return 0;
}
