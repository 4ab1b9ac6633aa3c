/* config/env_name.h - the names of environment variables that stand for settings. */
#ifndef CONFIG_ENV_NAME_H
#define CONFIG_ENV_NAME_H

#include "base/strbuf.h"

/* Appends text in capitals, every character that is no ASCII letter or digit as one '_'. */
void strbuf_add_env_name(struct strbuf *out, const char *text);
/* "tap-x" and "auth.token" give TAP_X_AUTH_TOKEN. The caller frees it. */
char *env_name(const char *prefix, const char *setting);

#endif
