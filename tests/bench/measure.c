/*
 * measure RESULT COMMAND...: runs COMMAND and writes to the file RESULT how long it took, its CPU
 * time, the largest memory of it or one of its descendants, and how it ended. Small itself, because
 * a child's peak memory is at least that of the process it was forked from.
 */
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

static double seconds(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    struct rusage usage;
    double started, wall;
    int status, error;
    FILE *result;
    pid_t child;

    if (argc < 3) {
        fputs("usage: measure RESULT COMMAND...\n", stderr);
        return 2;
    }
    started = now();
    error = posix_spawnp(&child, argv[2], NULL, NULL, argv + 2, environ);
    if (error) {
        fprintf(stderr, "measure: %s: %s\n", argv[2], strerror(error));
        return 2;
    }
    while (wait4(child, &status, 0, &usage) < 0) {
        if (errno != EINTR) {
            perror("wait4");
            return 2;
        }
    }
    wall = now() - started;

    result = fopen(argv[1], "w");
    if (!result) {
        perror(argv[1]);
        return 2;
    }
    fprintf(result, "{\"wall_s\": %.6f, \"cpu_s\": %.6f, \"peak_kib\": %ld, \"status\": %d}\n",
            wall, seconds(usage.ru_utime) + seconds(usage.ru_stime), usage.ru_maxrss,
            WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    return fclose(result) == 0 ? 0 : 2;
}
