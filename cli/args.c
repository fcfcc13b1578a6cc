/* Taking a command line apart by the table in verbs.c. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "cli/verb.h"

int complain(int exit_code, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	fputs("fairlead: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	return exit_code;
}

/* ---------------------------------------------------------------------------------------------- which verb */

static bool is_noun(const char *word)
{
	for (size_t i = 0; i < n_verbs; i++)
		if (str_equal(verbs[i].noun, word))
			return true;
	return false;
}

static void complain_noun(const char *noun)
{
	fprintf(stderr, "fairlead: '%s' needs a verb:", noun);
	for (size_t i = 0; i < n_verbs; i++)
		if (str_equal(verbs[i].noun, noun))
			fprintf(stderr, " %s", verbs[i].name);
	fprintf(stderr, "\nTry 'fairlead help %s'.\n", noun);
}

static const char *nearest_word(const char *word)
{
	const char *best = NULL;
	int best_distance = 3;
	for (size_t i = 0; i < n_verbs; i++) {
		const char *candidate = verbs[i].noun ? verbs[i].noun : verbs[i].name;
		int d = str_distance(word, candidate);
		if (d < best_distance) {
			best_distance = d;
			best = candidate;
		}
	}
	return best;
}

/* The verb at the start of argv, and how many words it takes; NULL after telling stderr what is wrong. */
static const struct verb *verb_find(int argc, char **argv, int *ret_words)
{
	for (size_t i = 0; i < n_verbs && argc > 0; i++) {
		const struct verb *v = &verbs[i];
		if (!v->noun && str_equal(v->name, argv[0])) {
			*ret_words = 1;
			return v;
		}
		if (v->noun && argc > 1 && str_equal(v->noun, argv[0]) && str_equal(v->name, argv[1])) {
			*ret_words = 2;
			return v;
		}
	}
	if (argc > 0 && is_noun(argv[0])) {
		complain_noun(argv[0]);
	} else if (argc > 0) {
		const char *near = nearest_word(argv[0]);
		complain(EXIT_USAGE, "unknown verb '%s'%s%s%s Try 'fairlead help'.", argv[0],
		         near ? "; did you mean '" : "", near ? near : "", near ? "'?" : ".");
	}
	return NULL;
}

/* ---------------------------------------------------------------------------------------------- its options */

static size_t count_opts(const struct opt *opts)
{
	size_t n = 0;
	while (opts[n].name)
		n++;
	return n;
}

static struct opt_value *find_option(struct args *a, const char *name, size_t len, char letter)
{
	for (size_t i = 0; i < a->n_options; i++) {
		const struct opt *o = a->options[i].opt;
		if (letter ? o->letter == letter : strlen(o->name) == len && strncmp(o->name, name, len) == 0)
			return &a->options[i];
	}
	return NULL;
}

static int set_option(struct opt_value *v, const char *value)
{
	if (v->n > 0 && !v->opt->repeated)
		v->n = 0; /* the last one counts */
	if (v->n == MAX_OPT_VALUES)
		return complain(EXIT_USAGE, "--%s is given more than %d times", v->opt->name, MAX_OPT_VALUES);
	v->values[v->n++] = value;
	return 0;
}

static int complain_option(const struct args *a, const char *word)
{
	const struct verb *v = a->verb;
	return complain(EXIT_USAGE, "unknown option '%s'. Try 'fairlead help %s%s%s'.", word, v->noun ? v->noun : "",
	                v->noun ? " " : "", v->name);
}

/* Takes the value from behind the '=' or the letter, else the next word; *i is moved past it. */
static int take_value(struct opt_value *v, const char *value, int argc, char **argv, int *i)
{
	if (!value && *i + 1 < argc)
		value = argv[++*i];
	if (!value)
		return complain(EXIT_USAGE, "--%s needs a value: %s", v->opt->name, v->opt->metavar);
	return set_option(v, value);
}

static int parse_long(struct args *a, int argc, char **argv, int *i)
{
	const char *word = argv[*i], *name = word + 2, *equals = strchr(name, '=');
	struct opt_value *v = find_option(a, name, equals ? (size_t)(equals - name) : strlen(name), 0);

	if (!v)
		return complain_option(a, word);
	if (v->opt->metavar)
		return take_value(v, equals ? equals + 1 : NULL, argc, argv, i);
	return equals ? complain(EXIT_USAGE, "--%s takes no value", v->opt->name) : set_option(v, "");
}

/* -a, -aq, -o json, -ojson, -aojson */
static int parse_letters(struct args *a, int argc, char **argv, int *i)
{
	const char *word = argv[*i];

	for (const char *letter = word + 1; *letter; letter++) {
		struct opt_value *v = find_option(a, NULL, 0, *letter);
		if (!v)
			return complain_option(a, word);
		if (v->opt->metavar)
			return take_value(v, letter[1] ? letter + 1 : NULL, argc, argv, i);
		set_option(v, "");
	}
	return 0;
}

static bool is_option(const char *word)
{
	return word[0] == '-' && word[1];
}

static int parse_words(struct args *a, int argc, char **argv)
{
	int r = 0;

	for (int i = 0; i < argc && r == 0; i++) {
		bool rest = str_equal(argv[i], "--");
		/* After "--", and after the first word of a command to run, everything is an operand. */
		if (rest || (a->verb->max_operands < 0 && !is_option(argv[i]))) {
			for (i += rest; i < argc; i++)
				a->operands[a->n_operands++] = argv[i];
		} else if (!is_option(argv[i])) {
			a->operands[a->n_operands++] = argv[i];
		} else {
			r = argv[i][1] == '-' ? parse_long(a, argc, argv, &i) : parse_letters(a, argc, argv, &i);
		}
	}
	return r;
}

static int parse(struct args *a, const struct verb *verb, int argc, char **argv)
{
	size_t n = count_opts(verb->opts), n_global = count_opts(global_opts);

	a->verb = verb;
	a->n_options = n + n_global;
	a->options = xcalloc(a->n_options, sizeof(*a->options));
	for (size_t i = 0; i < a->n_options; i++)
		a->options[i].opt = i < n ? &verb->opts[i] : &global_opts[i - n];
	a->operands = xcalloc((size_t)argc + 1, sizeof(*a->operands));
	int r = parse_words(a, argc, argv);
	if (r || args_has(a, "help"))
		return r;
	if (a->n_operands < verb->min_operands || (verb->max_operands >= 0 && a->n_operands > verb->max_operands))
		return complain(EXIT_USAGE, "usage: fairlead %s%s%s%s%s%s", verb->noun ? verb->noun : "",
		                verb->noun ? " " : "", verb->name, verb->opts->name ? " [OPTION…]" : "",
		                verb->operands[0] ? " " : "", verb->operands);
	return 0;
}

/* ---------------------------------------------------------------------------------------------- the whole line */

static bool takes_value(const char *word)
{
	for (const struct opt *o = global_opts; o->name; o++)
		if (o->metavar && (word[1] == '-' ? str_equal(word + 2, o->name) : word[1] == o->letter && !word[2]))
			return true;
	return false;
}

/* How many words are options for every verb that stand before it. */
static int leading_options(int argc, char **argv)
{
	int n = 0;

	while (n < argc && is_option(argv[n]))
		n += takes_value(argv[n]) && n + 1 < argc ? 2 : 1;
	return n;
}

int args_read(struct args *a, int argc, char **argv)
{
	int leading = leading_options(argc, argv), words = 0;

	if (leading >= argc)
		return complain(EXIT_USAGE, "which verb? 'fairlead help' lists all");
	const struct verb *verb = verb_find(argc - leading, argv + leading, &words);
	if (!verb)
		return EXIT_USAGE;
	a->words = xcalloc((size_t)argc, sizeof(*a->words));
	int n = argc - leading - words;
	memcpy(a->words, argv, (size_t)leading * sizeof(*argv));
	memcpy(a->words + leading, argv + leading + words, (size_t)n * sizeof(*argv));
	return parse(a, verb, leading + n, a->words);
}

void args_fini(struct args *a)
{
	free(a->options);
	free(a->operands);
	free(a->words);
}

const struct opt_value *args_all(const struct args *a, const char *name)
{
	return find_option((struct args *)a, name, strlen(name), 0);
}

const char *args_get(const struct args *a, const char *name)
{
	const struct opt_value *v = args_all(a, name);
	return v && v->n > 0 ? v->values[v->n - 1] : NULL;
}

bool args_has(const struct args *a, const char *name)
{
	return args_get(a, name) != NULL;
}
