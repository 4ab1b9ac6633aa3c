/* store/file_lock.h - a lock per name in a directory, which the kernel frees when its owner dies.
 *
 * An open-file-description lock on one file per name. The file belongs to the lock only while it
 * is the one that the path names: the owner removes it before letting go, so a file that stays
 * behind tells of an owner that was killed. The descriptor is close-on-exec; a child that is forked
 * without exec must close it, or it keeps the lock beyond its parent's death. */
#ifndef STORE_FILE_LOCK_H
#define STORE_FILE_LOCK_H

#include "base/error.h"
#include "store/store.h"

struct file_lock;

/* Tries once. *out is NULL when somebody else has the lock. dir is created when it is missing. */
int file_lock_try(const char *dir, const char *name, struct file_lock **out, struct error *err);
void file_lock_release(struct file_lock *lock);

/* For messages only: what is written may be lost or half there when read. */
void file_lock_write_owner(struct file_lock *lock, const struct lock_owner *owner);
bool file_lock_read_owner(const char *dir, const char *name, struct lock_owner *owner);

/* The lock file of a name: any bytes become a file name of at most 255 bytes. */
char *file_lock_path(const char *dir, const char *name);

#endif
