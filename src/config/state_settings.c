#include "config/state_settings.h"

#include "base/memory.h"
#include "base/redact.h"

int config_open_state_backend(struct config *config, struct store *store,
                              struct state_backend **out, struct error *err)
{
    auto_free char *uri = NULL, *key_id = NULL, *secret = NULL, *endpoint = NULL;
    struct state_backend_options options = {0};

    if (config_project_text(config, "state_backend.uri", &uri, err) < 0 ||
        config_project_int(config, "state_backend.lock_timeout_seconds", &options.lock_timeout_s,
                           err) < 0 ||
        config_project_text(config, "state_backend.s3.aws_access_key_id", &key_id, err) < 0 ||
        config_project_text(config, "state_backend.s3.aws_secret_access_key", &secret, err) < 0 ||
        config_project_text(config, "state_backend.s3.endpoint_url", &endpoint, err) < 0)
        return -1;
    if (secret)
        redact_add_secret(secret);
    options.uri = uri;
    options.s3_access_key_id = key_id;
    options.s3_secret_access_key = secret;
    options.s3_endpoint_url = endpoint;
    return state_backend_open(&options, store, out, err);
}

int config_state_backend_is_foreign(struct config *config, bool *out, struct error *err)
{
    auto_free char *uri = NULL;

    if (config_project_text(config, "state_backend.uri", &uri, err) < 0)
        return -1;
    *out = !state_backend_is_built_in(uri);
    return 0;
}
