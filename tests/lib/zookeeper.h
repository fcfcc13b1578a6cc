/* A private ZooKeeper server for one test program: Debian's jar, a folder below /tmp, a free port on the loopback.
 *
 * Minimum session 1 s (tickTime 500). zookeeper_skip() tells why a test cannot run; the program then exits with 77. The
 * server dies with the test program, however that ends. */
#ifndef FL_TESTS_LIB_ZOOKEEPER_H
#define FL_TESTS_LIB_ZOOKEEPER_H

#include <arpa/inet.h>
#include <assert.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define ZOOKEEPER_JAR "/usr/share/java/zookeeper.jar"
#define ZOOKEEPER_JAVA "/usr/bin/java"

struct zookeeper {
	char folder[64];
	char hosts[32]; /* "127.0.0.1:port" */
	int port;
	pid_t pid; /* 0: not running */
};

static inline const char *zookeeper_skip(void)
{
	if (access(ZOOKEEPER_JAR, R_OK) != 0)
		return ZOOKEEPER_JAR " is missing (apt install zookeeper)";
	if (access(ZOOKEEPER_JAVA, X_OK) != 0)
		return ZOOKEEPER_JAVA " is missing (apt install default-jre-headless)";
	return NULL;
}

/* Below the range that outgoing connections take theirs from: while the server is down, a client that connects to its
 * port could otherwise meet itself there, and the server would not get the port back. */
static inline int zookeeper_free_port(void)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	unsigned start;

	assert(getentropy(&start, sizeof(start)) == 0);
	for (unsigned i = 0; i < 1000; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		in.sin_port = htons((uint16_t)(20000 + (start + 7 * i) % 12000));
		int rc = bind(fd, (struct sockaddr *)&in, sizeof(in));
		close(fd);
		if (rc == 0)
			return ntohs(in.sin_port);
	}
	assert(!"no free port");
	return 0;
}

static inline void zookeeper_run(char *const argv[])
{
	pid_t pid = fork();

	assert(pid >= 0);
	if (pid == 0) {
		execv(argv[0], argv);
		_exit(127);
	}
	waitpid(pid, NULL, 0);
}

/* Forgets all data; only while the server is not running. */
static inline void zookeeper_wipe(struct zookeeper *z)
{
	char data[96];
	char *argv[] = {"/bin/rm", "-rf", data, NULL};

	assert(z->pid == 0);
	snprintf(data, sizeof(data), "%s/version-2", z->folder);
	zookeeper_run(argv);
}

/* A folder and a port; starts nothing yet. */
static inline void zookeeper_init(struct zookeeper *z)
{
	char path[96];

	memset(z, 0, sizeof(*z));
	snprintf(z->folder, sizeof(z->folder), "/tmp/fairlead-zk-XXXXXX");
	assert(mkdtemp(z->folder));
	z->port = zookeeper_free_port();
	snprintf(z->hosts, sizeof(z->hosts), "127.0.0.1:%d", z->port);
	snprintf(path, sizeof(path), "%s/zoo.cfg", z->folder);
	FILE *f = fopen(path, "we");
	assert(f);
	fprintf(f,
	        "tickTime=500\ndataDir=%s\nclientPort=%d\nclientPortAddress=127.0.0.1\nmaxClientCnxns=0\n"
	        "admin.enableServer=false\n",
	        z->folder, z->port);
	assert(fclose(f) == 0);
}

static inline void zookeeper_exec(const struct zookeeper *z)
{
	char config[96], log[96];

	snprintf(config, sizeof(config), "%s/zoo.cfg", z->folder);
	snprintf(log, sizeof(log), "%s/log", z->folder);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
	if (fd >= 0) {
		dup2(fd, 1);
		dup2(fd, 2);
	}
	execl(ZOOKEEPER_JAVA, ZOOKEEPER_JAVA, "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto",
	      "-Dzookeeper.admin.enableServer=false", "-Dzookeeper.forceSync=no", "-cp", ZOOKEEPER_JAR,
	      "org.apache.zookeeper.server.ZooKeeperServerMain", config, (char *)NULL);
	_exit(127);
}

static inline int zookeeper_answers(const struct zookeeper *z)
{
	struct sockaddr_in in = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)z->port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int rc = connect(fd, (struct sockaddr *)&in, sizeof(in));

	close(fd);
	return rc == 0;
}

/* Starts the server without waiting for it. */
static inline void zookeeper_launch(struct zookeeper *z)
{
	assert(z->pid == 0);
	z->pid = fork();
	assert(z->pid >= 0);
	if (z->pid == 0)
		zookeeper_exec(z);
}

/* Starts the server and waits (at most 20 s) until it takes connections. */
static inline void zookeeper_start(struct zookeeper *z)
{
	zookeeper_launch(z);
	for (int i = 0; i < 400 && !zookeeper_answers(z); i++)
		poll(NULL, 0, 50);
	assert(zookeeper_answers(z));
}

static inline void zookeeper_kill(struct zookeeper *z)
{
	if (z->pid == 0)
		return;
	kill(z->pid, SIGKILL);
	waitpid(z->pid, NULL, 0);
	z->pid = 0;
}

static inline void zookeeper_fini(struct zookeeper *z)
{
	char *argv[] = {"/bin/rm", "-rf", z->folder, NULL};

	zookeeper_kill(z);
	if (z->folder[0])
		zookeeper_run(argv);
}

#endif
