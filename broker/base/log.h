/*
 * Structured log: one line per fact on standard error,
 * `ts=2026-11-24T09:00:00.123Z level=info event=push_done app=aws ms=12`.
 * The format string is a list of `key=%spec` separated by single spaces; each value is formatted on its own and
 * quoted where it holds blanks, quotes, '=' or control characters, so that no value can forge a field or a line.
 * Supported conversions: %s %d %i %u %ld %lu %lld %llu %zu %.Nf, also several or with plain text around them in
 * one value (`peer=%s:%u`). A NULL string prints as "-". An unknown conversion ends the line with log_bug=true.
 * A line is written with one write(2) and is lost when that fails: logging never blocks on a full pipe that is
 * non-blocking, never allocates, and leaves errno alone.
 * Never pass tokens, request bodies or justification texts.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#define LOG_LINE_MAX  4096 /* PIPE_BUF: a longer write could mix with another's. Fields beyond it: cut=true */
#define LOG_VALUE_MAX 1024 /* a longer value is cut and ends in "..." */

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO };

void log_event(enum log_level level, const char *event, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#define log_error(event, ...) log_event(LOG_ERROR, event, __VA_ARGS__)
#define log_warn(event, ...)  log_event(LOG_WARN, event, __VA_ARGS__)
#define log_info(event, ...)  log_event(LOG_INFO, event, __VA_ARGS__)

#endif
