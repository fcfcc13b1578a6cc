/* Completion for bash, made of the table of verbs. */
#include <stdio.h>

#include "base/str.h"
#include "cli/verb.h"

static void print_options(const struct opt *opts)
{
	for (; opts->name; opts++)
		printf(" --%s", opts->name);
}

/* Each noun once; they stand together in the table. */
static void print_first_words(void)
{
	printf("\t'') words='");
	for (size_t i = 0; i < n_verbs; i++)
		if (!verbs[i].noun || i == 0 || !str_equal(verbs[i].noun, verbs[i - 1].noun))
			printf(" %s", verbs[i].noun ? verbs[i].noun : verbs[i].name);
	print_options(global_opts);
	printf("' ;;\n");
}

static void print_noun(size_t first)
{
	printf("\t%s) words='", verbs[first].noun);
	for (size_t i = first; i < n_verbs && str_equal(verbs[i].noun, verbs[first].noun); i++)
		printf(" %s", verbs[i].name);
	printf("' ;;\n");
}

static void print_verb(const struct verb *v)
{
	if (v->noun)
		printf("\t'%s %s') words='", v->noun, v->name);
	else
		printf("\t%s | '%s '*) words='", v->name, v->name);
	print_options(v->opts);
	print_options(global_opts);
	printf("' ;;\n");
}

void print_completion(void)
{
	printf("# Completion of fairlead for bash:  source <(fairlead help --completion)\n"
	       "_fairlead() {\n"
	       "\tlocal words='' before=(\"${COMP_WORDS[@]:1:COMP_CWORD-1}\")\n"
	       "\tcase \"${before[*]:0:2}\" in\n");
	print_first_words();
	for (size_t i = 0; i < n_verbs; i++) {
		if (verbs[i].noun && (i == 0 || !str_equal(verbs[i].noun, verbs[i - 1].noun)))
			print_noun(i);
		print_verb(&verbs[i]);
	}
	printf("\tesac\n"
	       "\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\")\n"
	       "}\n"
	       "complete -o default -F _fairlead fairlead\n");
}
