/* hello: runs one task that says hello. The smallest complete framework; docs/framework-guide.md explains each line. */
#include <fairlead/fairlead.h>
#include <stdio.h>

static bool launched;

static void on_offers(fl_scheduler *s, void *user, const struct fl_offer *offers, size_t n)
{
	struct fl_command_info command = {.value = "echo Hello from $(hostname)"};
	struct fl_resource resources[] = {FL_CPUS(100), FL_MEM_MIB(32)};
	struct fl_task_info task = {
		.name = "hello",
		.task_id = "hello-1",
		.command = &command,
		.resources = resources,
		.n_resources = 2,
	};

	for (size_t i = 0; i < n; i++) {
		if (launched || fl_offer_scalar(&offers[i], "cpus") < 100 ||
		    fl_offer_scalar(&offers[i], "mem") < 32000) {
			fl_decline(s, offers[i].id, -1);
			continue;
		}
		launched = fl_launch(s, &offers[i], &task, 1, -1) == 0;
		printf("launched on %s\n", offers[i].hostname);
	}
}

static void on_update(fl_scheduler *s, void *user, const struct fl_task_status *status)
{
	printf("%s is %s %s\n", status->task_id, fl_task_state_name(status->state),
	       status->message ? status->message : "");
	if (fl_task_state_terminal(status->state))
		fl_teardown(s);
}

static void on_error(fl_scheduler *s, void *user, const char *message)
{
	fprintf(stderr, "hello: %s\n", message);
}

int main(void)
{
	struct fl_framework_info framework = {.name = "hello"};
	struct fl_scheduler_options options = {.struct_size = sizeof(options), .framework = &framework};
	struct fl_scheduler_callbacks callbacks = {sizeof(callbacks), .offers = on_offers, .update = on_update,
	                                           .error = on_error};
	char error[256];
	fl_scheduler *s = fl_scheduler_create(&options, &callbacks, NULL, error, sizeof(error));
	if (!s)
		return fprintf(stderr, "hello: %s\n", error), 1;
	int r = fl_run(s);
	fl_scheduler_destroy(s);
	return r < 0;
}
