/* help: the table of verbs, or one verb's options, printed. */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "cli/verb.h"

/* A column of this width, whatever its letters take in bytes. */
static void print_left(const char *text, int width)
{
	for (const char *p = text; *p; p++)
		width += (*p & 0xc0) == 0x80;
	printf("  %-*s ", width, text);
}

static void print_opts(const struct opt *opts)
{
	for (; opts->name; opts++) {
		char left[64];
		snprintf(left, sizeof(left), "%c%c%c --%s%s%s", opts->letter ? '-' : ' ',
		         opts->letter ? opts->letter : ' ', opts->letter ? ',' : ' ', opts->name,
		         opts->metavar ? " " : "", opts->metavar ? opts->metavar : "");
		print_left(left, 28);
		printf("%s%s\n", opts->help, opts->repeated ? " (may be repeated)" : "");
	}
}

static void print_verb(const struct verb *v)
{
	printf("fairlead %s%s%s%s%s%s\n  %s\n", v->noun ? v->noun : "", v->noun ? " " : "", v->name,
	       v->opts->name ? " [OPTION…]" : "", v->operands[0] ? " " : "", v->operands, v->help);
	if (v->opts->name) {
		printf("\nOptions:\n");
		print_opts(v->opts);
	}
	printf("\nFor every verb:\n");
	print_opts(global_opts);
}

static void print_line(const struct verb *v)
{
	char left[64];
	snprintf(left, sizeof(left), "%s%s%s%s%s", v->noun ? v->noun : "", v->noun ? " " : "", v->name,
	         v->operands[0] ? " " : "", v->operands);
	print_left(left, 32);
	puts(v->help);
}

static void print_all(void)
{
	printf("usage: fairlead VERB [OPTION…]  or  fairlead NOUN VERB [OPTION…]\n\nDaily verbs:\n");
	for (size_t i = 0; i < n_verbs; i++)
		if (!verbs[i].noun)
			print_line(&verbs[i]);
	printf("\nNouns and their verbs:\n");
	for (size_t i = 0; i < n_verbs; i++)
		if (verbs[i].noun)
			print_line(&verbs[i]);
	printf("\nFor every verb:\n");
	print_opts(global_opts);
	printf("\nThe masters are found from --master, FAIRLEAD_MASTER, $FAIRLEAD_HOME/cli.conf\n"
	       "(FAIRLEAD_HOME is ~/.fairlead unless set) or /etc/fairlead/cli.conf.\n"
	       "Any unambiguous start of an id will do.\n"
	       "Exit codes: 0 ok, 1 failed, 2 usage, 3 not found, 4 conflict, 5 not authorised,\n"
	       "6 no leader reachable, 7 timed out, 8 accepted but not placed; run exits as its\n"
	       "command does, 125 when Fairlead failed.\n");
}

int cmd_help(struct args *args)
{
	int found = 0;

	if (args_has(args, "completion")) {
		print_completion();
		return EXIT_OK;
	}
	if (args->n_operands == 0) {
		print_all();
		return EXIT_OK;
	}
	for (size_t i = 0; i < n_verbs; i++) {
		const struct verb *v = &verbs[i];
		bool by_noun = v->noun && str_equal(v->noun, args->operands[0]) &&
		               (args->n_operands == 1 || str_equal(v->name, args->operands[1]));
		bool by_name = !v->noun && str_equal(v->name, args->operands[0]) && args->n_operands == 1;
		if (!by_noun && !by_name)
			continue;
		if (by_noun && args->n_operands == 1)
			print_line(v);
		else
			print_verb(v);
		found++;
	}
	if (found == 0)
		return complain(EXIT_NOT_FOUND, "no help for '%s%s%s': 'fairlead help' lists all verbs",
		                args->operands[0], args->n_operands > 1 ? " " : "",
		                args->n_operands > 1 ? args->operands[1] : "");
	return EXIT_OK;
}
