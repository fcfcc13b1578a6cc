/* Background processes of a local cluster: started with a log file, known by a pid file, ended by pid. */
#ifndef FL_CLI_DAEMON_H
#define FL_CLI_DAEMON_H

#include <stdbool.h>

struct err;

/* Starts argv[0] (found beside this program, else on PATH) as a session of its own, output to HOME/NAME.log, pid and start
 * time to HOME/NAME.pid. Returns 0 or -errno. */
int daemon_start(const char *home, const char *name, char *const argv[], struct err *err);
/* True when the process of HOME/NAME.pid is still the one that was started. */
bool daemon_alive(const char *home, const char *name);
/* SIGTERM, up to patience_ms, then SIGKILL; removes the pid file. False when there was none alive. */
bool daemon_stop(const char *home, const char *name, int patience_ms);
/* The last lines of its log, to stderr. */
void daemon_show_log(const char *home, const char *name);

#endif
