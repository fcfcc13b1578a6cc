/* One line an event: `module.event key=value`, to stderr (with journald's <N> prefix when $JOURNAL_STREAM is our stderr).
 * Levels: error (a human must act), warn (we coped), info (a noun was born, moved or died), debug.
 * The sink is the one mutable global of the project. */
#ifndef FL_BASE_LOG_H
#define FL_BASE_LOG_H

#include <stdbool.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

typedef void (*log_sink_fn)(void *user, enum log_level level, const char *line);

void log_set_level(enum log_level level);
enum log_level log_level(void);
int log_level_parse(const char *name, enum log_level *ret); /* "error" … "debug"; -EINVAL */
/* NULL restores stderr. */
void log_set_sink(log_sink_fn fn, void *user);
void log_line(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)
#define log_warn(...) log_line(LOG_WARN, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...)                                    \
	do {                                              \
		if (log_level() >= LOG_DEBUG)             \
			log_line(LOG_DEBUG, __VA_ARGS__); \
	} while (0)

#endif
