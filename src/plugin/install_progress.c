#include "plugin/install_progress.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/strbuf.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define ERASE_LINE "\r\033[2K"
#define LINE_UP    "\033[1A"

void install_progress_init(struct install_progress *progress)
{
    const char *terminal = getenv("TERM");
    enum log_format format = log_get_format();

    progress->lines = 0;
    progress->is_live = isatty(STDERR_FILENO) && terminal && strcmp(terminal, "dumb") != 0 &&
                        log_get_level() <= LOG_INFO &&
                        (format == LOG_COLORED || format == LOG_UNCOLORED || format == LOG_PLAIN);
}

/* The text up to width columns; what would move the cursor becomes a blank. */
static void add_cut(struct strbuf *out, const char *text, size_t width)
{
    size_t size = strlen(text);
    unsigned code_point;

    for (size_t at = 0, length; at < size && width; at += length, width--) {
        length = utf8_decode(text + at, size - at, &code_point);
        if (length && utf8_is_printable(code_point))
            strbuf_add_bytes(out, text + at, length);
        else
            strbuf_add_char(out, ' ');
        length += !length;
    }
}

static void add_job(struct strbuf *out, const struct install_job *job, size_t width)
{
    auto_strbuf struct strbuf line = STRBUF_INIT;
    char what[256];

    strbuf_addf(&line, "  %s  %llds  %s", plugin_describe(job->plugin, what, sizeof what),
                (long long)(clock_monotonic_ms() - job->started_ms) / 1000,
                job->waits_for_lock   ? "waiting for another installation of it"
                : job->tail.count > 0 ? job->tail.items[job->tail.count - 1]
                                      : "...");
    add_cut(out, strbuf_text(&line), width);
    strbuf_add_char(out, '\n');
}

static void add_erase(const struct install_progress *progress, struct strbuf *out)
{
    for (size_t i = 0; i < progress->lines; i++)
        strbuf_add(out, LINE_UP ERASE_LINE);
}

void install_progress_draw(struct install_progress *progress, const struct install_job *jobs,
                           size_t count)
{
    auto_strbuf struct strbuf out = STRBUF_INIT;
    struct winsize size = {0};
    size_t rows, columns, lines = 0;

    if (!progress->is_live)
        return;
    ioctl(STDERR_FILENO, TIOCGWINSZ, &size);
    rows = size.ws_row ? size.ws_row : 24;
    columns = size.ws_col ? size.ws_col : 80;
    add_erase(progress, &out);
    for (size_t i = 0; i < count && lines + 1 < rows; i++) {
        if (jobs[i].state == INSTALL_RUNNING || jobs[i].waits_for_lock) {
            add_job(&out, &jobs[i], columns - 1);
            lines++;
        }
    }
    progress->lines = lines;
    fd_write_all(STDERR_FILENO, strbuf_text(&out), out.length);
}

void install_progress_erase(struct install_progress *progress)
{
    auto_strbuf struct strbuf out = STRBUF_INIT;

    if (!progress->lines)
        return;
    add_erase(progress, &out);
    progress->lines = 0;
    fd_write_all(STDERR_FILENO, strbuf_text(&out), out.length);
}
