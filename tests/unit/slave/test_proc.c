/* Containers, for real: needs root and cgroups. A story is a shell script that runs inside and says what it sees. */
#include "tests/unit/slave/container_fixture.h"

/* ---- running ---- */

static void test_true_and_false(void **state)
{
	struct story s;

	story_init(&s, *state);
	launch(&s, "true");
	until_over(&s);
	assert_string_equal(s.failed_step, "");
	assert_true(s.ready);
	assert_true(s.running);
	assert_true(s.exit.known);
	assert_int_equal(s.exit.exit_code, 0);
	assert_int_equal(s.exit.signal, 0);
	assert_false(s.exit.away);
	assert_false(s.exit.oom);
	assert_string_equal(s.message, "exited with status 0");
	finish(&s);

	story_init(&s, *state);
	launch(&s, "false");
	until_over(&s);
	assert_true(s.exit.known);
	assert_int_equal(s.exit.exit_code, 1);
	finish(&s);
}

static void test_exit_code_and_signal(void **state)
{
	struct story s;

	story_init(&s, *state);
	launch(&s, "exit 42");
	until_over(&s);
	assert_int_equal(s.exit.exit_code, 42);
	assert_string_equal(s.message, "exited with status 42");
	finish(&s);

	story_init(&s, *state);
	launch(&s, "kill -SEGV $$");
	until_over(&s);
	assert_true(s.exit.known);
	assert_int_equal(s.exit.signal, SIGSEGV);
	assert_string_equal(s.message, "killed by SIGSEGV");
	finish(&s);
}

static void test_missing_command(void **state)
{
	struct footprint before = footprint(*state);
	struct story s;
	struct fl_command_info c = {.value = "no-such-program", .has_shell = true};

	story_init(&s, *state);
	struct proc_spec spec = spec_of(&s, &c);
	assert_fails(&s, &spec, "exec", "exec no-such-program: No such file or directory");
	assert_false(s.running);
	story_init(&s, *state);
	spec = spec_of(&s, &c);
	c.value = "/etc/passwd";
	assert_fails(&s, &spec, "exec", "exec /etc/passwd: Permission denied");
	assert_no_trace(*state, &before);
}

static void test_arguments(void **state)
{
	const char *arguments[] = {"renamed", "-c", "echo \"$0\" \"$1\"", "zero", "one two"};
	struct fl_command_info c = {.value = "sh", .has_shell = true, .arguments = arguments, .n_arguments = 5};
	struct story s;

	story_init(&s, *state); /* found in PATH, argv[0] as given */
	struct proc_spec spec = spec_of(&s, &c);
	launch_spec(&s, &spec);
	until_over(&s);
	assert_string_equal(output(&s, "stdout"), "zero one two\n");
	finish(&s);

	story_init(&s, *state); /* without arguments the program itself is argv[0] */
	c = (struct fl_command_info){.value = "pwd", .has_shell = true};
	spec = spec_of(&s, &c);
	launch_spec(&s, &spec);
	until_over(&s);
	assert_string_equal(output(&s, "stdout"), "/sandbox\n");
	finish(&s);
}

static void test_output(void **state)
{
	struct story s;
	struct stat st;
	char path[256];

	story_init(&s, *state);
	snprintf(path, sizeof(path), "%s/stdout", s.sandbox);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, "before\n", 7), 7);
	close(fd);
	launch(&s, "echo out; echo err >&2; cat; readlink /proc/self/fd/0; echo file > here");
	until_over(&s);
	assert_string_equal(output(&s, "stdout"), "before\nout\n/dev/null\n");
	assert_string_equal(output(&s, "stderr"), "err\n");
	assert_string_equal(output(&s, "here"), "file\n");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_uid, 31337);
	finish(&s);
}

static void test_output_link(void **state)
{
	struct footprint before = footprint(*state);
	struct world *w = *state;
	struct story s;
	struct fl_command_info c = {.value = "echo gotcha"};
	char path[256], victim[128];

	story_init(&s, w);
	snprintf(victim, sizeof(victim), "%s/victim", w->folder);
	snprintf(path, sizeof(path), "%s/stdout", s.sandbox);
	assert_int_equal(symlink(victim, path), 0);
	struct proc_spec spec = spec_of(&s, &c);
	assert_fails(&s, &spec, "output", "Too many levels of symbolic links");
	assert_int_equal(access(victim, F_OK), -1);

	story_init(&s, w); /* a hard link to somebody's file */
	close(open(victim, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	snprintf(path, sizeof(path), "%s/stderr", s.sandbox);
	assert_int_equal(link(victim, path), 0);
	spec = spec_of(&s, &c);
	assert_fails(&s, &spec, "output", "Too many links");
	assert_no_trace(w, &before);
}

static void test_environment(void **state)
{
	const char *env[] = {"SANDBOX=/sandbox", "BOTH=spec", "PATH=/usr/bin", NULL};
	struct fl_variable variables[] = {{.name = "BOTH", .value = "command"}, {.name = "MORE", .value = "a=b c"}};
	struct fl_environment e = {variables, 2};
	struct fl_command_info c = {.value = "env", .has_shell = true, .environment = &e};
	struct story s;

	setenv("SECRET_OF_THE_SLAVE", "x", 1);
	story_init(&s, *state);
	struct proc_spec spec = spec_of(&s, &c);
	spec.env = env;
	launch_spec(&s, &spec);
	until_over(&s);
	assert_string_equal(output(&s, "stdout"),
	                    "PATH=/usr/bin\nHOME=/sandbox\nSANDBOX=/sandbox\nBOTH=command\nMORE=a=b c\n");
	finish(&s);
}

static void test_no_inherited_descriptors(void **state)
{
	int leak = open("/", O_RDONLY | O_DIRECTORY); /* not CLOEXEC */

	/* 3 is the folder being listed. */
	assert_tells(*state, "ls /proc/self/fd | tr '\\n' ' '", "0 1 2 3 ");
	assert_tells(*state, "readlink /proc/self/fd/1 /proc/self/fd/2", "/sandbox/stdout\n/sandbox/stderr\n");
	close(leak);
}

static void test_user(void **state)
{
	assert_tells(*state, "id -u; id -g; id -G; cut -d' ' -f1 /proc/self/oom_score_adj; umask",
	             "31337\n31337\n31337\n0\n0022\n");
	/* Signals: nothing blocked, nothing ignored. */
	assert_tells(*state, "grep -E '^(SigBlk|SigIgn)' /proc/self/status | cut -f2 | sort -u", "0000000000000000\n");
	assert_tells(*state, "ulimit -c", "0\n");
}

static void test_root_and_groups(void **state)
{
	struct fl_command_info c = {.value = "id -u; id -g; cat /proc/self/uid_map | tr -s ' '; echo x > /sandbox/y"};
	struct story s;

	story_init(&s, *state);
	struct proc_spec spec = spec_of(&s, &c);
	spec.user = NULL; /* the slave's own */
	launch_spec(&s, &spec);
	until_over(&s);
	assert_string_equal(output(&s, "stdout"), "0\n0\n 0 0 1\n2000000000 2000000000 1\n");
	assert_string_equal(output(&s, "y"), "x\n");
	finish(&s);

	story_init(&s, *state); /* by name, with groups from the host */
	spec = spec_of(&s, &c);
	c.value = "id -un; id -gn";
	spec.user = "nobody";
	launch_spec(&s, &spec);
	until_over(&s);
	assert_string_equal(output(&s, "stdout"), "nobody\nnogroup\n");
	finish(&s);
}

static void test_id_map(void **state)
{
	assert_tells(*state, "tr -s ' ' < /proc/self/uid_map; tr -s ' ' < /proc/self/gid_map",
	             " 31337 31337 1\n 0 2000000000 1\n 31337 31337 1\n 0 2000000000 1\n");
}

/* ---- hardening ---- */

static void test_privileges(void **state)
{
	assert_tells(*state, "grep -E '^(NoNewPrivs|Seccomp|Cap...):' /proc/self/status | tr '\\t' ' '",
	             "CapInh: 0000000000000000\nCapPrm: 0000000000000000\nCapEff: 0000000000000000\n"
	             "CapBnd: 0000000000000000\nCapAmb: 0000000000000000\nNoNewPrivs: 1\nSeccomp: 2\n");
}

static void test_capabilities_kept(void **state)
{
	const char *caps[] = {"NET_BIND_SERVICE", "SYS_PTRACE", NULL};
	struct fl_command_info c = {.value = "grep -E '^Cap...:' /proc/self/status | cut -f2"};
	struct story s;
	static const char *const users[] = {TASK_USER, "0"};

	for (size_t i = 0; i < ARRAY_SIZE(users); i++) {
		story_init(&s, *state);
		struct proc_spec spec = spec_of(&s, &c);
		spec.capabilities = caps;
		spec.user = users[i];
		launch_spec(&s, &spec);
		until_over(&s);
		assert_string_equal(output(&s, "stdout"), "0000000000080400\n0000000000080400\n0000000000080400\n"
		                                          "0000000000080400\n0000000000080400\n");
		finish(&s);
	}
}

/* By a program that tries each: prints the names of what was let through. */
static void test_system_calls(void **state)
{
	assert_tells(*state,
	             "perl -e '"
	             "sub t { my ($n, $want, $c, @a) = @_; my $r = syscall($c, @a); print \"$n \" if $r != -1 || $!+0 "
	             "!= $want; }"
	             "my $z = 0;"
	             "t(keyctl => 1, 250, 0, 0, 0, 0, 0); t(add_key => 1, 248, 0, 0, 0, 0, 0);"
	             "t(bpf => 1, 321, 0, 0, 0); t(userfaultfd => 1, 323, 0); t(perf => 1, 298, 0, 0, -1, -1, 0);"
	             "t(mount => 1, 165, 0, 0, 0, 0, 0); t(umount2 => 1, 166, 0, 0); t(fsopen => 1, 430, 0, 0);"
	             "t(open_tree => 1, 428, -100, 0, 0); t(setns => 1, 308, 0, 0);"
	             "t(unshare_user => 1, 272, 0x10000000); t(unshare_fsns => 1, 272, 0x20020000);"
	             "t(clone_user => 1, 56, 0x10000011, 0, 0, 0, 0); t(clone3 => 38, 435, 0, 0);"
	             "t(io_uring => 1, 425, 1, 0); t(kexec => 1, 246, 0, 0, 0, 0); t(module => 1, 175, 0, 0, 0);"
	             "t(chroot => 1, 161, 0); t(handle => 1, 304, 0, 0, 0); t(tiocsti => 1, 16, 0, 0x5412, 0);"
	             "t(tiocsti_high => 1, 16, 0, 0x100005412, 0); t(vsock => 97, 41, 40, 1, 0);"
	             "t(x32_getpid => 38, 0x40000027);"
	             "print \"end\"'",
	             "end");
	/* And what must work does. */
	assert_tells(*state, "perl -e 'my $p = fork; exit 0 unless $p; wait; print \"$?\"'", "0");
}

static void test_init_out_of_reach(void **state)
{
	static const char script[] =
		"for f in exe cwd root ns/pid; do readlink /proc/1/$f && echo bad $f; done\n"
		"ls /proc/1/fd 2>/dev/null && echo bad fd\n"
		"for f in mem environ maps auxv stack syscall; do head -c1 /proc/1/$f && echo bad $f; done\n"
		"perl -e 'print \"bad ptrace\" if syscall(101, 0x4206, 1, 0, 0) != -1;" /* PTRACE_SEIZE */
		"         my $b = \"x\" x 16; print \"bad kill\" if kill(9, 1); '\n"
		"ls -d /proc/1 2>/dev/null; cat /proc/1/comm 2>/dev/null; exit 0";
	const char *caps[] = {"SYS_PTRACE", "DAC_OVERRIDE", "DAC_READ_SEARCH", "KILL", "SETUID", NULL};
	struct fl_command_info c = {.value = script};
	struct story s;
	static const char *const users[] = {TASK_USER, "0"};

	for (size_t i = 0; i < ARRAY_SIZE(users); i++)
		for (int with_caps = 0; with_caps < 2; with_caps++) {
			story_init(&s, *state);
			struct proc_spec spec = spec_of(&s, &c);
			spec.user = users[i];
			spec.capabilities = with_caps ? caps : NULL;
			launch_spec(&s, &spec);
			until_over(&s);
			if (with_caps) /* may signal it, which the kernel then does not deliver to a pid 1 */
				assert_null(strstr(output(&s, "stdout"), "bad f"));
			else
				assert_string_equal(output(&s, "stdout"), "");
			assert_null(strstr(output(&s, "stdout"), "bad ptrace"));
			assert_null(strstr(output(&s, "stdout"), "bad exe"));
			assert_null(strstr(output(&s, "stdout"), "bad mem"));
			assert_true(s.exit.known);
			assert_int_equal(s.exit.exit_code, 0);
			finish(&s);
		}
}

static void test_namespaces(void **state)
{
	struct story s;
	char host[256], mine[64];

	story_init(&s, *state);
	launch(&s, "for n in pid mnt uts ipc user cgroup net; do readlink /proc/self/ns/$n; done; "
	           "ls /proc | grep -c '^[0-9]'; cat /proc/self/cgroup");
	until_over(&s);
	const char *inside = output(&s, "stdout");
	static const char *const own[] = {"pid", "mnt", "uts", "ipc", "user", "cgroup"};
	char copy[4096];
	snprintf(copy, sizeof(copy), "%.4000s", inside);
	for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
		snprintf(mine, sizeof(mine), "/proc/self/ns/%s", own[i]);
		ssize_t n = readlink(mine, host, sizeof(host) - 1);
		host[n > 0 ? n : 0] = 0;
		assert_non_null(strstr(copy, own[i]));
		assert_null(strstr(copy, host));
	}
	snprintf(mine, sizeof(mine), "/proc/self/ns/net");
	ssize_t n = readlink(mine, host, sizeof(host) - 1);
	host[n > 0 ? n : 0] = 0;
	assert_non_null(strstr(copy, host)); /* the host's network unless asked */
	assert_null(strstr(copy, "fairlead-test"));
	finish(&s);
}

static void test_network_namespace(void **state)
{
	struct fl_command_info c = {.value = "grep -c : /proc/net/dev; grep -o 'lo:' /proc/net/dev; "
	                                     "perl -MSocket -e 'socket(S, PF_INET, SOCK_STREAM, 0);"
	                                     "bind(S, sockaddr_in(80, inet_aton(\"127.0.0.1\"))) and print \"bound\"'"};
	const char *caps[] = {"NET_BIND_SERVICE", NULL};
	struct story s;

	story_init(&s, *state);
	struct proc_spec spec = spec_of(&s, &c);
	spec.network_namespace = true;
	spec.capabilities = caps;
	launch_spec(&s, &spec);
	until_over(&s);
	assert_string_equal(s.failed_step, "");
	assert_string_equal(output(&s, "stdout"), "1\nlo:\nbound");
	finish(&s);
}

static void test_hostname(void **state)
{
	struct fl_command_info c = {.value = "uname -n"};
	char host[128] = "", expected[160];
	struct story s;

	story_init(&s, *state);
	struct proc_spec spec = spec_of(&s, &c);
	spec.hostname = "deep-thought";
	launch_spec(&s, &spec);
	until_over(&s);
	assert_string_equal(output(&s, "stdout"), "deep-thought\n");
	finish(&s);
	gethostname(host, sizeof(host) - 1);
	assert_string_not_equal(host, "deep-thought");
	snprintf(expected, sizeof(expected), "%s\n", host);
	assert_tells(*state, "uname -n", expected);
}

/* ---- the file system ---- */

static void test_private_folders(void **state)
{
	assert_tells(*state,
	             "ls -A /tmp /run /var /dev/shm; for d in /tmp /run /var /dev/shm /sandbox; do "
	             "echo x > $d/mine && cat $d/mine; done",
	             "/dev/shm:\n\n/run:\n\n/tmp:\n\n/var:\nx\nx\nx\nx\nx\n");
	assert_tells(*state, "ls -A /tmp /run /var /dev/shm", "/dev/shm:\n\n/run:\n\n/tmp:\n\n/var:\n");
}

static void test_read_only(void **state)
{
	struct fl_command_info c = {
		.value = "for f in /x /usr/x /bin/x /etc/x /dev/x /proc/sys/kernel/x; do echo > $f && echo bad $f; "
			 "done\n"
			 "echo x >> /etc/passwd && echo bad passwd\n"
			 "echo 1 > /proc/sys/vm/drop_caches && echo bad sysctl\n"
			 "echo h > /proc/sysrq-trigger && echo bad sysrq\n"
			 "chmod 777 /dev/null && echo bad chmod\n"
			 "rm -f /etc/hosts /usr/bin/env 2>/dev/null; test -e /usr/bin/env || echo bad rm; exit 0"};
	struct story s;

	story_init(&s, *state);
	struct proc_spec spec = spec_of(&s, &c);
	spec.user = "0"; /* not even root's own files */
	launch_spec(&s, &spec);
	until_over(&s);
	assert_string_equal(output(&s, "stdout"), "");
	assert_int_equal(s.exit.exit_code, 0);
	finish(&s);
}

static void test_hidden(void **state)
{
	struct world *w = *state;
	char script[512];

	snprintf(script, sizeof(script),
	         "ls %s %s /root /home /boot /sys /mnt /opt /srv 2>/dev/null; cat /etc/shadow 2>/dev/null; "
	         "cat /proc/kcore /proc/keys /proc/timer_list 2>/dev/null; ls /proc/acpi /proc/scsi 2>/dev/null | grep "
	         "-v :; "
	         "grep -c -E 'cgroup|%s' /proc/self/mountinfo; ls -A /",
	         w->folder, w->runtime, w->folder + 1);
	const char *seen = tell(w, script);
	assert_null(strstr(seen, "root:"));
	assert_non_null(strstr(seen, "sandbox\n"));
	assert_null(strstr(seen, "home"));
	assert_null(strstr(seen, "sys\n"));
	/* No cgroup file system; the one mount with our path is the sandbox, of which the path shows, not the folder. */
	snprintf(script, sizeof(script), "grep -c -e '- cgroup' /proc/self/mountinfo; exit 0");
	assert_tells(w, script, "0\n");
	assert_tells(w,
	             "cat /proc/self/mounts | cut -d' ' -f2 | grep -v -E "
	             "'^/(proc|dev|etc|usr|tmp|run|var|sandbox|bin|sbin|lib[0-9x]*)(/|$)'",
	             "/\n");
	/* The slave's own process is none of his business either. */
	assert_tells(w, "ls -d /proc/[0-9]* | wc -l | tr -d ' ' | grep -c -E '^[1-9]$'", "1\n");
}

static void test_dev(void **state)
{
	assert_tells(*state,
	             "ls /dev | tr '\\n' ' '; echo x > /dev/null; head -c3 /dev/zero | od -An -tx1; "
	             "head -c4 /dev/urandom | wc -c; (echo x > /dev/full) 2>/dev/null || echo full; "
	             "stat -c %a /dev/null; ls /dev/pts",
	             "fd full null ptmx pts random shm stderr stdin stdout tty urandom zero  00 00 "
	             "00\n4\nfull\n666\nptmx\n");
}

static void test_host_etc(void **state)
{
	assert_tells(*state,
	             "getent passwd root | cut -d: -f1; test -r /etc/resolv.conf && echo dns; "
	             "test -e /etc/ssl/certs && echo certs; readlink /etc/mtab",
	             "root\ndns\ncerts\n/proc/self/mounts\n");
}

/* A folder of the host that is nobody's image: as root inside one would read what only root may. */
static void test_rootfs_elsewhere(void **state)
{
	static const char *const elsewhere[] = {"/usr", "/etc", "/dev", "/", "/tmp", "/no/such/folder"};
	struct fl_command_info c = {.value = "true"};

	for (size_t i = 0; i < ARRAY_SIZE(elsewhere); i++) {
		struct story s;
		story_init(&s, *state);
		struct proc_spec spec = spec_of(&s, &c);
		spec.rootfs = elsewhere[i];
		assert_fails(&s, &spec, "root filesystem", i < 5 ? "--image_dir" : "No such file");
	}
}

/* Made where it is missing, the folders above it too, and the user's. */
static void test_sandbox_made(void **state)
{
	struct fl_command_info c = {.value = "echo x > y && stat -c '%u %a' ."};
	struct story s;

	story_init(&s, *state);
	assert_int_equal(rmdir(s.sandbox), 0);
	snprintf(s.sandbox, sizeof(s.sandbox), "%s/fw/task/%s", s.world->work, s.id);
	struct proc_spec spec = spec_of(&s, &c);
	launch_spec(&s, &spec);
	until_over(&s);
	assert_string_equal(s.message, "exited with status 0");
	assert_string_equal(output(&s, "stdout"), TASK_USER " 700\n");
	finish(&s);
}

static void test_rootfs(void **state)
{
	struct world *w = *state;
	struct footprint before = footprint(w);
	struct fl_command_info c = {
		.value = "cat /marker /data/deep; ls -A / | tr '\\n' ' '; echo > /data/x && echo bad; "
			 "echo ok > /tmp/x && cat /tmp/x; pwd"};
	char image[80], path[512];
	struct story s;

	snprintf(image, sizeof(image), "%s/image", w->folder);
	snprintf(path, sizeof(path),
	         "mkdir -p %s/data && cd %s && echo mark > marker && echo deep > data/deep && "
	         "ln -s usr/bin bin && mkdir usr && for d in /lib*; do ln -s usr$d .$d; done",
	         image, image);
	pid_t pid = fork();
	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", path, (char *)NULL);
		_exit(1);
	}
	waitpid(pid, NULL, 0);
	/* The image's programs are the host's: bound where an image has its own. */
	snprintf(path, sizeof(path), "mount --bind /usr %s/usr", image);
	pid = fork();
	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", path, (char *)NULL);
		_exit(1);
	}
	waitpid(pid, NULL, 0);
	story_init(&s, w);
	struct proc_spec spec = spec_of(&s, &c);
	spec.rootfs = image;
	launch_spec(&s, &spec);
	until_over(&s);
	assert_string_equal(s.failed_step, "");
	const char *seen = output(&s, "stdout");
	assert_non_null(strstr(seen, "mark\ndeep\n"));
	assert_null(strstr(seen, "bad"));
	assert_non_null(strstr(seen, "ok\n/sandbox\n"));
	finish(&s);
	snprintf(path, sizeof(path), "umount %s/usr", image);
	pid = fork();
	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", path, (char *)NULL);
		_exit(1);
	}
	waitpid(pid, NULL, 0);
	assert_no_trace(w, &before);
	/* One that would show the slave's folders is refused. */
	story_init(&s, w);
	spec = spec_of(&s, &c);
	spec.rootfs = w->runtime;
	assert_fails(&s, &spec, "root filesystem", "would show the slave's own folders");
	assert_no_trace(w, &before);
}

/* ---- limits ---- */

static void test_pids_limit(void **state)
{
	struct fl_command_info c = {
		.value = "perl -e 'my $n = 0; while ($n < 50) { my $p = fork; last unless defined $p; "
			 "if (!$p) { sleep 30; exit } push @p, $p; $n++ } print $n; kill 9, @p; wait for @p'"};
	struct story s;

	story_init(&s, *state);
	struct proc_spec spec = spec_of(&s, &c);
	spec.pids = 10;
	launch_spec(&s, &spec);
	until_over(&s);
	int n = (int)strtol(output(&s, "stdout"), NULL, 10); /* sh may have executed perl or be beside it */
	assert_true(n == 8 || n == 9);
	finish(&s);
}

static void test_memory_limit(void **state)
{
	struct fl_command_info c = {.value = "perl -e '$x = \"x\" x (200 << 20); print length $x'"};
	struct story s;

	story_init(&s, *state);
	struct proc_spec spec = spec_of(&s, &c);
	spec.mem_bytes = 32 * MIB;
	spec.mem_request_bytes = 16 * MIB;
	launch_spec(&s, &spec);
	until_over(&s);
	assert_true(s.exit.oom);
	assert_true(s.exit.known);
	assert_true(s.exit.signal == SIGKILL || s.exit.exit_code == 128 + SIGKILL);
	assert_int_equal(s.exit.mem_limit_bytes, 32 * MIB);
	assert_in_range(s.exit.mem_peak_bytes, 31 * MIB, 32 * MIB + 65536);
	if (!strstr(s.message, "ran out of memory: used 3") || !strstr(s.message, " of 32.0 MiB"))
		fail_msg("%s", s.message);
	finish(&s);
}

static bool limit_is(struct story *s, const char *v1, const char *v2, const char *value1, const char *value2)
{
	char path[256];

	snprintf(path, sizeof(path), "/sys/fs/cgroup/%s", v1);
	char *slash = strrchr(path, '/'), file[64];
	snprintf(file, sizeof(file), "%s", slash + 1);
	snprintf(slash, sizeof(path) - (size_t)(slash - path), "%s/%s", s->identity.cgroup, file);
	const char *text = read_file(path), *expected = value1;
	if (!*text) {
		snprintf(path, sizeof(path), "/sys/fs/cgroup%s/%s", s->identity.cgroup, v2);
		text = read_file(path);
		expected = value2;
	}
	size_t n = strlen(expected);
	if (strncmp(text, expected, n) == 0 && (text[n] == '\n' || !text[n]))
		return true;
	print_error("%s: %s, not %s\n", path, text, expected);
	return false;
}

static void test_cpu_and_resize(void **state)
{
	struct fl_command_info c = {.value = "sleep 60"};
	struct err err = {0};
	struct story s;

	story_init(&s, *state);
	struct proc_spec spec = spec_of(&s, &c);
	spec.cpus_milli = 1500;
	spec.cpus_limit_milli = 2000;
	launch_spec(&s, &spec);
	WAIT(&s, s.running);
	assert_true(limit_is(&s, "cpu/cpu.shares", "cpu.weight", "1536", "150"));
	assert_true(limit_is(&s, "cpu/cpu.cfs_quota_us", "cpu.max", "200000", "200000 100000"));
	assert_true(limit_is(&s, "pids/pids.max", "pids.max", "101", "101"));
	assert_int_equal(proc_set_limits(s.proc, 250, 0, 128 * MIB, &err), 0);
	assert_true(limit_is(&s, "cpu/cpu.shares", "cpu.weight", "256", "25"));
	assert_true(limit_is(&s, "cpu/cpu.cfs_quota_us", "cpu.max", "-1", "max 100000"));
	assert_true(limit_is(&s, "memory/memory.limit_in_bytes", "memory.max", "134217728", "134217728"));
	assert_true(limit_is(&s, "memory/memory.memsw.limit_in_bytes", "memory.swap.max", "134217728", "0"));
	assert_int_equal(proc_set_limits(s.proc, 250, 500, 32 * MIB, &err), 0);
	assert_true(limit_is(&s, "memory/memory.limit_in_bytes", "memory.max", "33554432", "33554432"));
	assert_true(limit_is(&s, "pids/pids.max", "pids.max", "101", "101"));
	proc_kill(s.proc, 0);
	until_over(&s);
	finish(&s);
}

static void test_refuses_to_shrink_below_use(void **state)
{
	struct story s;
	struct err err = {0};
	struct proc_usage u;

	story_init(&s, *state);
	launch(&s, "perl -e '$x = \"x\" x (20 << 20); open F, \">/sandbox/ready\"; close F; sleep 60'");
	char path[256];
	snprintf(path, sizeof(path), "%s/ready", s.sandbox);
	WAIT(&s, access(path, F_OK) == 0);
	assert_int_equal(proc_usage(s.proc, &u), 0);
	assert_true(u.mem_bytes > 20 * MIB);
	assert_true(u.mem_peak_bytes >= u.mem_bytes);
	assert_true(u.cpu_ns > 0);
	assert_in_range(u.pids, 1, 2);
	assert_int_equal(proc_set_limits(s.proc, 1000, 0, 8 * MIB, &err), -EBUSY);
	if (!strstr(err.text, "memory: setting memory."))
		fail_msg("%s", err.text);
	assert_false(s.over);
	proc_kill(s.proc, 0);
	until_over(&s);
	assert_false(s.exit.oom);
	finish(&s);
}

/* ---- killing ---- */

static void test_kill_gently(void **state)
{
	struct story s;

	story_init(&s, *state);
	launch(&s, "trap 'echo bye; exit 3' TERM; echo up > up; while :; do sleep 0.05; done");
	char path[256];
	snprintf(path, sizeof(path), "%s/up", s.sandbox);
	WAIT(&s, access(path, F_OK) == 0);
	proc_kill(s.proc, 15000);
	proc_kill(s.proc, 16000); /* twice does not harm, longer does not count */
	until_over(&s);
	assert_int_equal(s.exit.exit_code, 3);
	assert_string_equal(output(&s, "stdout"), "bye\n");
	finish(&s);
}

static void test_kill_at_once_after_go(void **state)
{
	struct story s;

	story_init(&s, *state); /* the signal is there before anybody waits for it */
	s.hold = true;
	launch(&s, "sleep 60");
	WAIT(&s, s.ready);
	proc_go(s.proc);
	proc_kill(s.proc, 15000);
	until_over(&s);
	assert_true(s.exit.known);
	assert_int_equal(s.exit.signal, SIGTERM);
	finish(&s);
}

static void test_kill_hard(void **state)
{
	struct story s;
	char path[256];

	story_init(&s, *state);
	launch(&s, "trap '' TERM; echo up > up; while :; do sleep 0.05; done");
	snprintf(path, sizeof(path), "%s/up", s.sandbox);
	WAIT(&s, access(path, F_OK) == 0);
	int64_t begin = loop_now_ms(s.world->loop);
	proc_kill(s.proc, 60000);
	proc_kill(s.proc, 50); /* a shorter grace counts */
	until_over(&s);
	assert_in_range(loop_now_ms(s.world->loop) - begin, 49, 5000);
	assert_true(s.exit.known);
	assert_int_equal(s.exit.signal, SIGKILL);
	assert_string_equal(s.message, "killed by SIGKILL");
	finish(&s);
}

static void test_kill_tree(void **state)
{
	struct footprint before = footprint(*state);
	struct story s;
	char path[256];

	story_init(&s, *state);
	launch(&s, "perl -e 'use POSIX; for (1..4) { unless (fork) { setsid(); $SIG{TERM} = \"IGNORE\"; for (1..4) { "
	           "fork or last } sleep 60; exit } } open F, \">/sandbox/up\"; close F; sleep 60'");
	snprintf(path, sizeof(path), "%s/up", s.sandbox);
	WAIT(&s, access(path, F_OK) == 0);
	struct proc_usage u;
	assert_int_equal(proc_usage(s.proc, &u), 0);
	assert_true(u.pids >= 5);
	proc_kill(s.proc, 10000);
	until_over(&s); /* the task dies of SIGTERM, the rest with it */
	assert_int_equal(s.exit.signal, SIGTERM);
	finish(&s);
	assert_no_trace(*state, &before);
}

static bool freeze(struct story *s)
{
	char path[256];
	const char *word = "FROZEN";

	snprintf(path, sizeof(path), "/sys/fs/cgroup/freezer%s/freezer.state", s->identity.cgroup);
	if (access(path, F_OK) < 0) {
		snprintf(path, sizeof(path), "/sys/fs/cgroup%s/cgroup.freeze", s->identity.cgroup);
		word = "1";
	}
	_cleanup_fclose_ FILE *f = fopen(path, "we");
	return f && fputs(word, f) >= 0 && fflush(f) == 0;
}

static void test_kill_frozen(void **state)
{
	struct story s;

	for (int64_t grace = 0; grace <= 10000; grace += 10000) {
		story_init(&s, *state);
		launch(&s, "sleep 60");
		WAIT(&s, s.running);
		assert_true(freeze(&s));
		proc_kill(s.proc, grace);
		until_over(&s);
		assert_int_equal(s.exit.signal, grace ? SIGTERM : SIGKILL);
		finish(&s);
	}
}

static void test_kill_before_go(void **state)
{
	struct footprint before = footprint(*state);
	struct story s;

	story_init(&s, *state); /* at once, still waiting */
	launch(&s, "echo ran");
	proc_kill(s.proc, 1000);
	assert_false(s.over);
	until_over(&s);
	assert_string_equal(s.failed_step, "killed");
	assert_false(s.ready);
	finish(&s);

	story_init(&s, *state); /* recorded, before GO */
	s.hold = true;
	launch(&s, "echo ran");
	WAIT(&s, s.ready);
	assert_true(process_lives(s.identity.pid));
	proc_kill(s.proc, 1000);
	proc_go(s.proc); /* too late, no effect */
	until_over(&s);
	assert_string_equal(s.failed_step, "killed");
	assert_string_equal(s.message, "killed before it was started");
	assert_false(s.running);
	assert_string_equal(output(&s, "stdout"), "");
	finish(&s);
	assert_no_trace(*state, &before);
}

static void test_background_ends_with_task(void **state)
{
	struct footprint before = footprint(*state);
	struct story s;

	story_init(&s, *state);
	launch(&s, "sleep 60 & setsid sleep 60 & exit 7");
	until_over(&s);
	assert_int_equal(s.exit.exit_code, 7);
	finish(&s);
	assert_no_trace(*state, &before);
}

/* ---- failures leave nothing ---- */

static void test_failures(void **state)
{
	struct world *w = *state;
	struct footprint before = footprint(w);
	const char *wrong_caps[] = {"FLY", NULL};
	struct fl_variable bad_name = {.name = "a=b"};
	struct fl_environment bad_env = {&bad_name, 1};
	struct fl_command_info ok = {.value = "true"}, empty = {.value = NULL},
			       named = {.value = "true", .environment = &bad_env};
	char long_name[80];
	struct story s;

	memset(long_name, 'h', sizeof(long_name));
	long_name[sizeof(long_name) - 1] = 0;
#define FAILS(step, message, change)                      \
	do {                                              \
		story_init(&s, w);                        \
		struct proc_spec spec = spec_of(&s, &ok); \
		change;                                   \
		assert_fails(&s, &spec, step, message);   \
		assert_no_trace(w, &before);              \
	} while (0)
	FAILS("user", "there is no user nobody-at-all on this host", spec.user = "nobody-at-all");
	FAILS("capabilities", "there is no capability FLY", spec.capabilities = wrong_caps);
	FAILS("command", "the command has no value", spec.command = &empty);
	FAILS("environment", "environment variable a=b: not a name", spec.command = &named);
	FAILS("container id", "container id", spec.container_id = "../up");
	FAILS("sandbox", "Not a directory", spec.sandbox = "/etc/passwd");
	FAILS("root filesystem", "/no/such/image: No such file or directory", spec.rootfs = "/no/such/image");
	FAILS("cgroup", "memory: setting memory.", spec.mem_bytes = -1234567);
	FAILS("hostname", "hostname: Invalid argument", spec.hostname = long_name);
	FAILS("cgroup", "pids: setting pids.max", spec.pids = INT64_MIN);
#undef FAILS
}

static void test_same_id_twice(void **state)
{
	struct story s, t;
	struct fl_command_info c = {.value = "true"};

	story_init(&s, *state);
	launch(&s, "sleep 60");
	WAIT(&s, s.running);
	t = s;
	t.running = t.ready = false;
	struct proc_spec spec = spec_of(&t, &c);
	assert_fails(&t, &spec, "runtime folder", "File exists");
	assert_true(process_lives(s.identity.pid)); /* the first is not touched */
	proc_kill(s.proc, 0);
	until_over(&s);
	assert_true(s.exit.known);
	finish(&s);
}

static void test_child_dies_while_building(void **state)
{
	struct footprint before = footprint(*state);
	struct story s;

	story_init(&s, *state);
	s.hold = true;
	launch(&s, "true");
	WAIT(&s, s.ready);
	kill((pid_t)s.identity.pid, SIGKILL);
	until_over(&s);
	assert_string_equal(s.failed_step, "launch");
	finish(&s);
	assert_no_trace(*state, &before);
}

static void test_too_little_memory(void **state)
{
	struct footprint before = footprint(*state);
	struct fl_command_info c = {.value = "true"};
	struct story s;

	story_init(&s, *state);
	struct proc_spec spec = spec_of(&s, &c);
	spec.mem_bytes = 65536;
	launch_spec(&s, &spec);
	until_over(&s);
	assert_true(s.exit.oom); /* where it strikes depends on what the kernel charges */
	if (s.failed_step[0]) {
		assert_string_equal(s.failed_step, "memory");
		assert_string_equal(s.message, "64.0 KiB of memory are not enough to start");
	} else {
		assert_non_null(strstr(s.message, "ran out of memory: used "));
		assert_non_null(strstr(s.message, " of 64.0 KiB"));
	}
	finish(&s);
	assert_no_trace(*state, &before);
}

/* Orders that come when they cannot be meant. */
static void test_late_and_twice(void **state)
{
	struct footprint before = footprint(*state);
	struct story s;

	story_init(&s, *state);
	launch(&s, "sleep 60");
	proc_go(s.proc); /* before it is ready */
	WAIT(&s, s.running);
	proc_go(s.proc);
	proc_kill(s.proc, 0);
	proc_kill(s.proc, 0);
	proc_kill(s.proc, 1000);
	until_over(&s);
	proc_kill(s.proc, 0);
	proc_go(s.proc);
	assert_int_equal(s.exit.signal, SIGKILL);
	finish(&s);
	proc_destroy(NULL);

	story_init(&s, *state); /* let go of before it is started, and while it waits for GO: it ends */
	launch(&s, "echo ran");
	finish(&s);
	story_init(&s, *state);
	s.hold = true;
	launch(&s, "echo ran");
	WAIT(&s, s.ready);
	int64_t pid = s.identity.pid;
	finish(&s);
	WAIT(&s, !process_lives(pid));
	waitpid((pid_t)pid, NULL, __WALL);
	assert_false(s.over);
	assert_string_equal(output(&s, "stdout"), "");
	assert_int_equal(procs_sweep(s.world->procs, NULL, 0), 1);
	assert_no_trace(*state, &before);
}

static void test_privileged(void **state)
{
	struct fl_command_info c = {.value = "tr -s ' ' < /proc/self/uid_map; id -u; ls -d /proc/1"};
	struct story s;

	story_init(&s, *state);
	struct proc_spec spec = spec_of(&s, &c);
	spec.privileged = true;
	launch_spec(&s, &spec);
	until_over(&s);
	assert_string_equal(output(&s, "stdout"), " 0 0 4294967295\n31337\n");
	finish(&s);
}

/* ---- the slave goes and comes ---- */

/* Does as a slave would in a process of its own, that ends without a word. what: 0 before GO, 1 once it runs. */
static void slave_that_dies(struct world *w, struct story *s, const char *script, bool go, struct proc_identity *ret)
{
	int pipe_[2];

	assert_int_equal(pipe(pipe_), 0);
	pid_t pid = fork();
	if (pid == 0) {
		struct world other = *w;
		world_open(&other);
		s->world = &other;
		s->hold = !go;
		launch(s, script);
		WAIT(s, go ? s->running : s->ready);
		if (write(pipe_[1], &s->identity, sizeof(s->identity)) < 0)
			_exit(2);
		_exit(0); /* no destroy: as by kill -9 */
	}
	close(pipe_[1]);
	assert_int_equal(read(pipe_[0], ret, sizeof(*ret)), sizeof(*ret));
	close(pipe_[0]);
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void wait_dead(struct world *w, int64_t pid)
{
	int64_t until = loop_now_ms(w->loop) + DEADLINE_MS;

	while (process_lives(pid) && loop_now_ms(w->loop) < until)
		loop_step(w->loop, 5);
	assert_false(process_lives(pid));
}

static void adopt(struct story *s, const struct proc_identity *id)
{
	s->proc = proc_adopt(s->world->procs, s->id, id, &ops, s);
	assert_false(s->running || s->over);
	WAIT(s, s->running || s->over);
}

static void test_slave_dies_before_go(void **state)
{
	struct world *w = *state;
	struct footprint before = footprint(w);
	struct proc_identity id;
	struct story s;

	story_init(&s, w);
	slave_that_dies(w, &s, "echo ran", false, &id);
	wait_dead(w, id.pid);
	assert_string_equal(output(&s, "stdout"), "");
	assert_true(count_cgroups(w) > before.cgroups);
	assert_int_equal(procs_sweep(w->procs, NULL, 0), 1);
	assert_int_equal(procs_sweep(w->procs, NULL, 0), 0);
	assert_no_trace(w, &before);
}

static void test_adopt_living(void **state)
{
	struct world *w = *state;
	struct footprint before = footprint(w);
	struct proc_identity id;
	struct proc_usage u;
	struct story s;
	char path[256];

	story_init(&s, w);
	slave_that_dies(w, &s, "trap 'exit 5' TERM; echo up > up; while :; do sleep 0.05; done", true, &id);
	adopt(&s, &id);
	assert_true(s.running);
	const char *known[] = {s.id};
	assert_int_equal(procs_sweep(w->procs, known, 1), 0);
	assert_int_equal(procs_sweep(w->procs, NULL, 0), 0); /* it is one of ours */
	assert_int_equal(proc_usage(s.proc, &u), 0);
	assert_true(u.mem_bytes > 0);
	snprintf(path, sizeof(path), "%s/up", s.sandbox);
	WAIT(&s, access(path, F_OK) == 0);
	proc_kill(s.proc, 10000);
	until_over(&s);
	assert_true(s.exit.known);
	assert_int_equal(s.exit.exit_code, 5);
	assert_false(s.exit.away);
	finish(&s);
	assert_no_trace(w, &before);
}

static void test_adopt_ended_meanwhile(void **state)
{
	struct world *w = *state;
	struct footprint before = footprint(w);
	struct proc_identity id;
	struct story s;

	story_init(&s, w);
	slave_that_dies(w, &s, "exit 9", true, &id);
	wait_dead(w, id.pid);
	adopt(&s, &id);
	assert_true(s.over);
	assert_false(s.running);
	assert_true(s.exit.away);
	assert_true(s.exit.known);
	assert_int_equal(s.exit.exit_code, 9);
	assert_string_equal(s.message, "exited with status 9 while the slave was away");
	finish(&s);
	assert_no_trace(w, &before);
}

static void test_adopt_killed_meanwhile(void **state)
{
	struct world *w = *state;
	struct footprint before = footprint(w);
	struct proc_identity id;
	struct story s;

	story_init(&s, w);
	slave_that_dies(w, &s, "sleep 60", true, &id);
	kill((pid_t)id.pid, SIGKILL); /* init itself: no slot is written */
	wait_dead(w, id.pid);
	adopt(&s, &id);
	assert_true(s.over);
	assert_true(s.exit.away);
	assert_false(s.exit.known);
	assert_false(s.exit.oom);
	assert_string_equal(s.message, "ended while the slave was away; how is not known");
	finish(&s);
	assert_no_trace(w, &before);
}

static void test_adopt_out_of_memory_meanwhile(void **state)
{
	struct world *w = *state;
	struct proc_identity id;
	struct story s;

	story_init(&s, w);
	slave_that_dies(w, &s, "exec perl -e '$x = \"x\" x (200 << 20)'", true, &id);
	wait_dead(w, id.pid);
	adopt(&s, &id);
	assert_true(s.over);
	assert_true(s.exit.oom);
	assert_true(s.exit.away);
	assert_int_equal(s.exit.mem_limit_bytes, 64 * MIB);
	if (!strstr(s.message, "ran out of memory while the slave was away: used 6"))
		fail_msg("%s", s.message);
	finish(&s);
}

/* Another process has the number now. */
static void test_adopt_stranger(void **state)
{
	struct world *w = *state;
	struct proc_identity id;
	struct story s, t;

	story_init(&s, w);
	slave_that_dies(w, &s, "exit 0", true, &id);
	wait_dead(w, id.pid);
	struct proc_identity stranger = id;
	stranger.pid = getpid();
	adopt(&s, &stranger); /* the start time differs */
	assert_true(s.over);
	assert_true(s.exit.known); /* the slot tells all the same */
	finish(&s);

	story_init(&t, w);
	slave_that_dies(w, &t, "sleep 60", true, &id);
	struct proc_identity moved = id;
	snprintf(moved.boot_id, sizeof(moved.boot_id), "00000000-0000-0000-0000-000000000000");
	adopt(&t, &moved);
	assert_true(t.over);
	assert_false(t.exit.known);
	assert_non_null(strstr(t.message, "the machine was started anew since"));
	assert_true(process_lives(id.pid)); /* not ours: not touched */
	proc_destroy(t.proc);
	WAIT(&t, !process_lives(id.pid)); /* but its cgroup is, and goes */
}

static void test_destroy_lets_go(void **state)
{
	struct world *w = *state;
	struct footprint before = footprint(w);
	struct proc_identity id;
	struct story s;

	story_init(&s, w);
	launch(&s, "sleep 60");
	WAIT(&s, s.running);
	id = s.identity;
	proc_destroy(s.proc);
	world_close(w);
	world_open(w);
	assert_true(process_lives(id.pid));
	s.running = false;
	adopt(&s, &id);
	assert_true(s.running);
	proc_kill(s.proc, 0);
	until_over(&s);
	finish(&s);
	waitpid((pid_t)id.pid, NULL, __WALL); /* here the adopter is the parent by chance */
	before.mounts = footprint(w).mounts;
	assert_no_trace(w, &before);
}

static void test_sweep_living(void **state)
{
	struct world *w = *state;
	struct footprint before = footprint(w);
	struct proc_identity id[3];
	struct story s[3];

	for (int i = 0; i < 3; i++) {
		story_init(&s[i], w);
		slave_that_dies(w, &s[i], "trap '' TERM; (setsid sleep 60 &) ; sleep 60", true, &id[i]);
	}
	const char *known[] = {s[1].id};
	assert_int_equal(procs_sweep(w->procs, known, 1), 2);
	wait_dead(w, id[0].pid);
	wait_dead(w, id[2].pid);
	assert_true(process_lives(id[1].pid));
	assert_int_equal(procs_sweep(w->procs, NULL, 0), 1);
	wait_dead(w, id[1].pid);
	assert_no_trace(w, &before);
}

/* ---- many ---- */

static void test_many_at_once(void **state)
{
	enum { N = 30 };
	struct world *w = *state;
	struct footprint before = footprint(w);
	struct story *s = xcalloc(N, sizeof(*s));
	int64_t begin = loop_now_us(w->loop), longest = 0;

	for (int i = 0; i < N; i++) {
		story_init(&s[i], w);
		launch(&s[i], "exec true");
	}
	for (int done = 0; done < N;) {
		int64_t before_us = loop_now_us(w->loop);
		loop_step(w->loop, 1);
		int64_t took = loop_now_us(w->loop) - before_us;
		longest = took > longest ? took : longest;
		done = 0;
		for (int i = 0; i < N; i++)
			done += s[i].over;
		assert_true(loop_now_us(w->loop) - begin < 1000LL * DEADLINE_MS);
	}
	int64_t took = loop_now_us(w->loop) - begin;
	for (int i = 0; i < N; i++) {
		assert_string_equal(s[i].message, "exited with status 0");
		finish(&s[i]);
	}
	print_message("{\"containers\": %d, \"us_each\": %" PRId64 ", \"longest_turn_us\": %" PRId64 "}\n", N, took / N,
	              longest);
	assert_no_trace(w, &before);
	free(s);
}

/* ---- refusals ---- */

static void test_procs_create_refuses(void **state)
{
	struct world *w = *state;
	struct err err = {0};
	struct procs_conf conf = {
		.runtime_dir = w->runtime, .cgroup_root = "fairlead", .work_dir = w->work, .use_cgroups = true};

	assert_null(procs_create(w->loop, &conf, &err));
	assert_non_null(strstr(err.text, "cgroup root fairlead"));
	conf.cgroup_root = w->cgroup_root;
	conf.work_dir = "/usr/lib";
	assert_null(procs_create(w->loop, &conf, &err));
	assert_string_equal(err.text, "/usr/lib lies below /usr, which tasks see");
	assert_non_null(strstr(procs_describe(w->procs), "cgroup:v"));
	assert_non_null(strstr(procs_describe(w->procs), "userns:yes"));
}

static void test_without_cgroups(void **state)
{
	struct world *w = *state, other = *w;
	struct err err = {0};
	char runtime[128];
	struct story s;

	snprintf(runtime, sizeof(runtime), "%s/run2", w->folder);
	struct procs_conf conf = {
		.runtime_dir = runtime, .cgroup_root = "/x", .work_dir = w->work, .user_namespaces = false};
	other.procs = procs_create(w->loop, &conf, &err);
	assert_non_null(other.procs);
	other.n = 500;
	story_init(&s, &other);
	launch(&s, "tr -s ' ' < /proc/self/uid_map; id -u");
	until_over(&s);
	assert_string_equal(output(&s, "stdout"), " 0 0 4294967295\n31337\n");
	assert_string_equal(s.identity.cgroup, "");
	finish(&s);

	/* Without a user namespace a capability is one on the host. */
	const char *caps[] = {"NET_ADMIN", NULL};
	struct fl_command_info c = {.value = "true"};
	story_init(&s, &other);
	struct proc_spec spec = spec_of(&s, &c);
	spec.capabilities = caps;
	assert_fails(&s, &spec, "capabilities", "--allow_privileged");
	story_init(&s, &other);
	spec = spec_of(&s, &c);
	spec.privileged = true;
	assert_fails(&s, &spec, "privileged", "--allow_privileged");
	procs_destroy(other.procs);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_true_and_false),
		cmocka_unit_test(test_exit_code_and_signal),
		cmocka_unit_test(test_missing_command),
		cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_output),
		cmocka_unit_test(test_output_link),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_no_inherited_descriptors),
		cmocka_unit_test(test_user),
		cmocka_unit_test(test_root_and_groups),
		cmocka_unit_test(test_id_map),
		cmocka_unit_test(test_privileges),
		cmocka_unit_test(test_capabilities_kept),
		cmocka_unit_test(test_system_calls),
		cmocka_unit_test(test_init_out_of_reach),
		cmocka_unit_test(test_namespaces),
		cmocka_unit_test(test_network_namespace),
		cmocka_unit_test(test_hostname),
		cmocka_unit_test(test_private_folders),
		cmocka_unit_test(test_read_only),
		cmocka_unit_test(test_hidden),
		cmocka_unit_test(test_dev),
		cmocka_unit_test(test_host_etc),
		cmocka_unit_test(test_rootfs),
		cmocka_unit_test(test_rootfs_elsewhere),
		cmocka_unit_test(test_sandbox_made),
		cmocka_unit_test(test_pids_limit),
		cmocka_unit_test(test_memory_limit),
		cmocka_unit_test(test_cpu_and_resize),
		cmocka_unit_test(test_refuses_to_shrink_below_use),
		cmocka_unit_test(test_kill_gently),
		cmocka_unit_test(test_kill_at_once_after_go),
		cmocka_unit_test(test_kill_hard),
		cmocka_unit_test(test_kill_tree),
		cmocka_unit_test(test_kill_frozen),
		cmocka_unit_test(test_kill_before_go),
		cmocka_unit_test(test_background_ends_with_task),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_same_id_twice),
		cmocka_unit_test(test_child_dies_while_building),
		cmocka_unit_test(test_too_little_memory),
		cmocka_unit_test(test_late_and_twice),
		cmocka_unit_test(test_privileged),
		cmocka_unit_test(test_slave_dies_before_go),
		cmocka_unit_test(test_adopt_living),
		cmocka_unit_test(test_adopt_ended_meanwhile),
		cmocka_unit_test(test_adopt_killed_meanwhile),
		cmocka_unit_test(test_adopt_out_of_memory_meanwhile),
		cmocka_unit_test(test_adopt_stranger),
		cmocka_unit_test(test_destroy_lets_go),
		cmocka_unit_test(test_sweep_living),
		cmocka_unit_test(test_many_at_once),
		cmocka_unit_test(test_procs_create_refuses),
		cmocka_unit_test(test_without_cgroups),
	};

	if (containers_missing())
		return 77;
	log_set_level(LOG_ERROR);
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, setup, teardown);
}
