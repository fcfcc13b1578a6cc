/* noop: subscribes and declines everything. For seeing that a cluster offers, and as an idle load in tests. */
#include <fairlead/fairlead.h>
#include <signal.h>
#include <stdio.h>

static volatile sig_atomic_t interrupted;

static void on_signal(int signo)
{
	(void)signo;
	interrupted = 1;
}

static void on_offers(fl_scheduler *s, void *user, const struct fl_offer *offers, size_t n)
{
	(void)user;
	for (size_t i = 0; i < n; i++) {
		printf("declined %s of %s\n", offers[i].id, offers[i].hostname);
		fl_decline(s, offers[i].id, -1);
	}
	fflush(stdout);
}

int main(void)
{
	struct fl_framework_info framework = {.name = "noop"};
	struct fl_scheduler_options options = {.struct_size = sizeof(options), .framework = &framework};
	struct fl_scheduler_callbacks callbacks = {.struct_size = sizeof(callbacks), .offers = on_offers};
	char error[256];
	int r;

	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	fl_scheduler *s = fl_scheduler_create(&options, &callbacks, NULL, error, sizeof(error));
	if (!s) {
		fprintf(stderr, "noop: %s\n", error);
		return 1;
	}
	while ((r = fl_step(s, 100)) == 1 && !interrupted)
		;
	if (interrupted && fl_teardown(s) == 0)
		r = fl_run(s);
	fl_scheduler_destroy(s);
	return r < 0;
}
