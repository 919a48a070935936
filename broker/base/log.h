/*
 * Structured log: one line per fact on standard error, `level=info event=push_done app=aws ms=12`.
 * The format string is a list of `key=%spec` separated by single spaces; each value is formatted on its own and
 * quoted where it holds blanks, quotes, '=' or control characters, so that no value can forge a field or a line.
 * Supported conversions: %s %d %i %u %ld %lu %lld %llu %zu %.Nf. A NULL string prints as "-".
 * Never pass tokens, request bodies or justification texts.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

void log_set_level(enum log_level level); /* lines above it are dropped; LOG_INFO at the start */
void log_event(enum log_level level, const char *event, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#define log_error(event, ...) log_event(LOG_ERROR, event, __VA_ARGS__)
#define log_warn(event, ...)  log_event(LOG_WARN, event, __VA_ARGS__)
#define log_info(event, ...)  log_event(LOG_INFO, event, __VA_ARGS__)
#define log_debug(event, ...) log_event(LOG_DEBUG, event, __VA_ARGS__)

#endif
