#include "cli/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"

#define POLL_MS 10

/* Field 22 of /proc/PID/stat: with it a pid that was used again is not mistaken for ours. 0 when there is no such process. */
static unsigned long long start_time_of(long pid)
{
	char path[64], line[1024];
	unsigned long long start = 0;
	snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	const char *p = f && fgets(line, sizeof(line), f) ? strrchr(line, ')') : NULL;

	if (!p || p[2] == 'Z')
		return 0;
	for (int field = 2; field < 22 && p; field++)
		p = strchr(p + 1, ' ');
	if (p)
		sscanf(p, "%llu", &start);
	return start;
}

static char *file_of(const char *home, const char *name, const char *suffix)
{
	return xasprintf("%s/%s.%s", home, name, suffix);
}

/* pid of a living process of ours, or 0. */
static long read_pid(const char *home, const char *name)
{
	_cleanup_free_ char *path = file_of(home, name, "pid");
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	long pid = 0;
	unsigned long long start = 0;

	if (!f || fscanf(f, "%ld %llu", &pid, &start) != 2 || pid <= 1)
		return 0;
	return start_time_of(pid) == start && start ? pid : 0;
}

bool daemon_alive(const char *home, const char *name)
{
	return read_pid(home, name) != 0;
}

/* The program beside this one; else its bare name, for PATH. */
static char *program_path(const char *name)
{
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n > 0) {
		self[n] = '\0';
		_cleanup_free_ char *path = xasprintf("%s/%s", dirname(self), name);
		if (access(path, X_OK) == 0)
			return xstrdup(path);
	}
	return xstrdup(name);
}

/* In the child: reports a failing exec through the pipe, which a successful one closes. */
static void __attribute__((noreturn)) become(const char *log, const char *program, char *const argv[], int report)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC),
	    out = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	setsid();
	if (null >= 0 && out >= 0) {
		signal(SIGPIPE, SIG_DFL); /* a loop of ours may have it ignored */
		dup2(null, STDIN_FILENO);
		dup2(out, STDOUT_FILENO);
		dup2(out, STDERR_FILENO);
		execvp(program, argv);
	}
	int code = errno;
	if (write(report, &code, sizeof(code)) < 0)
		_exit(126);
	_exit(127);
}

int daemon_start(const char *home, const char *name, char *const argv[], struct err *err)
{
	_cleanup_free_ char *log = file_of(home, name, "log"), *pid_path = file_of(home, name, "pid");
	_cleanup_free_ char *program = program_path(argv[0]);
	int report[2], code = 0;

	if (pipe2(report, O_CLOEXEC) < 0)
		return err_set(err, errno, "pipe: %s", strerror(errno));
	pid_t pid = fork();
	if (pid == 0)
		become(log, program, argv, report[1]);
	if (pid < 0)
		code = errno;
	close(report[1]);
	if (pid > 0 && read(report[0], &code, sizeof(code)) != sizeof(code))
		code = 0;
	close(report[0]);
	if (pid > 0 && code)
		waitpid(pid, NULL, 0);
	if (code)
		return err_set(err, code, "cannot start %s: %s", program, strerror(code));
	_cleanup_fclose_ FILE *f = fopen(pid_path, "we");
	if (!f)
		return err_set(err, errno, "%s: %s", pid_path, strerror(errno));
	fprintf(f, "%d %llu\n", (int)pid, start_time_of(pid));
	return 0;
}

static bool await_end(const char *home, const char *name, pid_t pid, int patience_ms)
{
	struct timespec t = {.tv_nsec = POLL_MS * 1000000L};
	for (int waited = 0; waited < patience_ms; waited += POLL_MS) {
		waitpid(pid, NULL, WNOHANG); /* a child of this very process is a zombie until then */
		if (!daemon_alive(home, name))
			return true;
		nanosleep(&t, NULL);
	}
	return false;
}

bool daemon_stop(const char *home, const char *name, int patience_ms)
{
	_cleanup_free_ char *path = file_of(home, name, "pid");
	pid_t pid = (pid_t)read_pid(home, name);

	if (pid) {
		kill(pid, SIGTERM);
		if (!await_end(home, name, pid, patience_ms)) {
			kill(pid, SIGKILL);
			await_end(home, name, pid, 2000);
		}
	}
	unlink(path);
	return pid != 0;
}

void daemon_show_log(const char *home, const char *name)
{
	_cleanup_free_ char *path = file_of(home, name, "log");
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	char line[512];

	fprintf(stderr, "The end of %s:\n", path);
	if (!f)
		return;
	if (fseek(f, -2000, SEEK_END) < 0)
		rewind(f);
	else if (!fgets(line, sizeof(line), f))
		return; /* the cut line */
	while (fgets(line, sizeof(line), f))
		fprintf(stderr, "  %s", line);
}
