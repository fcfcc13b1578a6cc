/* Sets of words: sorted arrays of owned strings, each once. */
#ifndef FL_MSG_WORDS_H
#define FL_MSG_WORDS_H

#include <stdbool.h>
#include <stddef.h>

void words_fini(char **words, size_t n);         /* frees the strings and the array */
char **words_copy(char *const *words, size_t n); /* NULL when n is 0 */
/* Sorts in place; -EEXIST when a word comes twice. */
int words_normalize(char **words, size_t n);

bool words_equal(char *const *a, size_t n_a, char *const *b, size_t n_b);
bool words_contain(char *const *a, size_t n_a, char *const *b, size_t n_b);
bool words_meet(char *const *a, size_t n_a, char *const *b, size_t n_b);

/* A new array with copies of b's words that a lacks, and a's own; a's array is freed. */
char **words_union(char **a, size_t n_a, char *const *b, size_t n_b, size_t *ret_n);
/* Keeps (keep true) or drops the words that are in b, in place; returns how many are left. */
size_t words_filter(char **a, size_t n_a, char *const *b, size_t n_b, bool keep);

#endif
