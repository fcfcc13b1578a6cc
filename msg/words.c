/* Word sets: like ranges, walks along two sorted arrays. */
#include "msg/words.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void words_fini(char **words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(words[i]);
	free(words);
}

char **words_copy(char *const *words, size_t n)
{
	if (!n)
		return NULL;
	char **copy = xmalloc(n * sizeof(*copy));
	for (size_t i = 0; i < n; i++)
		copy[i] = xstrdup(words[i]);
	return copy;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int words_normalize(char **words, size_t n)
{
	if (n > 1)
		qsort(words, n, sizeof(*words), compare);
	for (size_t i = 1; i < n; i++)
		if (!strcmp(words[i - 1], words[i]))
			return -EEXIST;
	return 0;
}

bool words_equal(char *const *a, size_t n_a, char *const *b, size_t n_b)
{
	return n_a == n_b && words_contain(a, n_a, b, n_b);
}

/* Moves *i on to the first word of a that is not before word; true when it is word. */
static bool seek(char *const *a, size_t n_a, size_t *i, const char *word)
{
	int order = -1;

	while (*i < n_a && (order = strcmp(a[*i], word)) < 0)
		++*i;
	return order == 0;
}

bool words_contain(char *const *a, size_t n_a, char *const *b, size_t n_b)
{
	size_t i = 0;

	for (size_t j = 0; j < n_b; j++)
		if (!seek(a, n_a, &i, b[j]) || i == n_a)
			return false;
	return true;
}

bool words_meet(char *const *a, size_t n_a, char *const *b, size_t n_b)
{
	size_t i = 0;

	for (size_t j = 0; j < n_b && i < n_a; j++)
		if (seek(a, n_a, &i, b[j]))
			return true;
	return false;
}

char **words_union(char **a, size_t n_a, char *const *b, size_t n_b, size_t *ret_n)
{
	char **out = xmalloc((n_a + n_b) * sizeof(*out));
	size_t n = 0;

	for (size_t i = 0, j = 0; i < n_a || j < n_b;) {
		int order = i == n_a ? 1 : j == n_b ? -1 : strcmp(a[i], b[j]);
		out[n++] = order <= 0 ? a[i++] : xstrdup(b[j]);
		j += order >= 0;
	}
	free(a);
	*ret_n = n;
	return out;
}

size_t words_filter(char **a, size_t n_a, char *const *b, size_t n_b, bool keep)
{
	size_t n = 0, j = 0;

	for (size_t i = 0; i < n_a; i++) {
		bool found = seek(b, n_b, &j, a[i]);
		if (found == keep)
			a[n++] = a[i];
		else
			free(a[i]);
	}
	return n;
}
