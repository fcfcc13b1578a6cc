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

const struct verb *verb_find(int argc, char **argv, int *ret_words)
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
		complain(EXIT_USAGE, "unknown verb '%s'%s%s%s. Try 'fairlead help'.", argv[0], near ? "; did you mean '" : "",
		         near ? near : "", near ? "'?" : "");
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

/* One word that begins with a dash; *i is moved past the value it takes. */
static int parse_option(struct args *a, int argc, char **argv, int *i)
{
	const char *word = argv[*i];
	bool is_long = word[1] == '-';
	const char *name = word + (is_long ? 2 : 1);
	const char *equals = is_long ? strchr(name, '=') : NULL;
	size_t len = equals ? (size_t)(equals - name) : strlen(name);
	struct opt_value *v = find_option(a, name, len, is_long ? 0 : name[0]);
	const char *value = equals ? equals + 1 : NULL;

	if (!v)
		return complain(EXIT_USAGE, "unknown option '%s'. Try 'fairlead help %s%s%s'.", word,
		                a->verb->noun ? a->verb->noun : "", a->verb->noun ? " " : "", a->verb->name);
	if (!is_long && name[1])
		value = name + 1; /* -ojson */
	if (!v->opt->metavar)
		return value ? complain(EXIT_USAGE, "--%s takes no value", v->opt->name) : set_option(v, "");
	if (!value && *i + 1 < argc)
		value = argv[++*i];
	if (!value)
		return complain(EXIT_USAGE, "--%s needs a value: %s", v->opt->name, v->opt->metavar);
	return set_option(v, value);
}

int args_parse(struct args *a, const struct verb *verb, int argc, char **argv)
{
	size_t n = count_opts(verb->opts), n_global = count_opts(global_opts);

	a->verb = verb;
	a->n_options = n + n_global;
	a->options = xcalloc(a->n_options, sizeof(*a->options));
	for (size_t i = 0; i < a->n_options; i++)
		a->options[i].opt = i < n ? &verb->opts[i] : &global_opts[i - n];
	a->operands = xcalloc((size_t)argc + 1, sizeof(*a->operands));
	for (int i = 0; i < argc; i++) {
		bool rest = str_equal(argv[i], "--");
		if (rest)
			i++;
		if (!rest && argv[i][0] == '-' && argv[i][1]) {
			int r = parse_option(a, argc, argv, &i);
			if (r)
				return r;
			continue;
		}
		/* After "--", and after the first word of a command to run, everything is an operand. */
		if (rest || verb->max_operands < 0) {
			for (; i < argc; i++)
				a->operands[a->n_operands++] = argv[i];
			break;
		}
		a->operands[a->n_operands++] = argv[i];
	}
	if (args_has(a, "help"))
		return 0;
	if (a->n_operands < verb->min_operands || (verb->max_operands >= 0 && a->n_operands > verb->max_operands))
		return complain(EXIT_USAGE, "usage: fairlead %s%s%s [OPTION…] %s", verb->noun ? verb->noun : "",
		                verb->noun ? " " : "", verb->name, verb->operands);
	return 0;
}

void args_fini(struct args *a)
{
	free(a->options);
	free(a->operands);
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
