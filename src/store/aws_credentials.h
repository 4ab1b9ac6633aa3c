/* store/aws_credentials.h - the keys and the region of AWS, where its own tools look for them.
 *
 * Keys: the environment, the shared credentials file, a web identity (Kubernetes), the container's
 * or the machine's metadata service. */
#ifndef STORE_AWS_CREDENTIALS_H
#define STORE_AWS_CREDENTIALS_H

#include "base/attrs.h"
#include "base/error.h"

#include <stdint.h>

struct aws_credentials {
    char *access_key_id;
    char *secret_access_key;
    char *session_token;   /* NULL: none */
    int64_t expires_at_us; /* 0: never */
};

void aws_credentials_clear(struct aws_credentials *credentials);

/* ERR_CONFIG when there are none anywhere. The secret parts are masked from then on. */
int aws_credentials_find(const char *region, struct aws_credentials *out, struct error *err);
/* AWS_REGION, AWS_DEFAULT_REGION or the one of the profile; NULL when there is none. The caller
 * frees it. */
char *aws_region_find(void);

#endif
