/* plugin/run_dir.h - a directory for the files of one start of a plugin.
 *
 * Meltano keeps the files of all runs of a plugin in <sys>/run/<plugin>, where two runs at a time
 * read each other's state and catalog. Here every start has a directory of its own in there, mode
 * 0700, which is removed at its end. Its owner holds a lock that dies with it, so that the next
 * start of the plugin removes what a killed one has left: configurations with secrets. */
#ifndef PLUGIN_RUN_DIR_H
#define PLUGIN_RUN_DIR_H

#include "base/error.h"

struct run_dir {
    char *path;
    char *shared; /* <sys>/run/<plugin>: the catalog cache */
    int lock_fd;
};

#define RUN_DIR_INIT                                                                               \
    {                                                                                              \
        NULL, NULL, -1                                                                             \
    }

/* Makes a new directory in shared, which is made too, and removes what dead owners left there. Its
 * name is the UUID id if that is free, else (or when id is NULL) a new one. */
int run_dir_open(const char *shared, const char *id, struct run_dir *out, struct error *err);
/* Removes the directory. */
void run_dir_close(struct run_dir *dir);

/* Keeps others out of the files in shared until the descriptor is closed. -1 where the file system
 * has no locks: one does without then. */
int run_dir_lock_shared(const struct run_dir *dir);

#endif
