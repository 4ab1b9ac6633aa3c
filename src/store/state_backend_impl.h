/* store/state_backend_impl.h - what the backends share. */
#ifndef STORE_STATE_BACKEND_IMPL_H
#define STORE_STATE_BACKEND_IMPL_H

#include "base/strbuf.h"
#include "store/state_backend.h"
#include "store/state_change.h"

struct state_backend {
    struct store *store;
    struct state_medium medium;
    int (*list)(void *context, struct strlist *out, struct error *err);
    void (*close)(void *context);
};

/* Fill in everything but store. */
int file_backend_init(const struct state_backend_options *options, struct state_backend *out,
                      struct error *err);
int s3_backend_init(const struct state_backend_options *options, struct state_backend *out,
                    struct error *err);

/* The text of a state file: {"completed": {...}, "partial": {...}}. place names it for messages. */
int state_document_parse(const char *text, size_t length, const char *place,
                         struct state_parts *out, struct error *err);
void state_document_render(struct strbuf *out, const struct state_parts *parts);

/* An id that becomes part of a path; one that leads elsewhere is refused. */
int state_id_check_path(const char *state_id, struct error *err);

int64_t state_lock_timeout_us(const struct state_backend_options *options);
/* The content of a lock: Unix time with decimals, as Python's str() prints it. */
void state_lock_render(struct strbuf *out, int64_t now_us);
int state_lock_parse(const char *text, size_t length, int64_t *time_us);

#endif
