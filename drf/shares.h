/* Shares as exact fractions. Quantities are at most 2^50 and weights at most 2^20 thousandths (held at the door), so
 * that every product below fits 128 bits unsigned. No floating point. */
#ifndef FL_DRF_SHARES_H
#define FL_DRF_SHARES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHARE_WEIGHT_ONE 1000 /* thousandths */

/* held/total of one resource. Nothing held, or nothing there to hold: 0/1. */
struct share {
	int64_t held, total;
};

/* The dominant share: the largest held[i]/total[i] over those n scalars of which the cluster has any; held may be
 * shorter than total. */
struct share share_dominant(const int64_t *held, size_t n_held, const int64_t *total, size_t n_total);
/* Below, at or above zero as a/weight_a is less than, equal to or greater than b/weight_b. */
int share_compare(struct share a, uint32_t weight_a, struct share b, uint32_t weight_b);
/* share/weight as one fraction in lowest terms: exact where numerator and denominator fit 63 bits (always below totals
 * of 2^43 thousandths), else cut to that. */
void share_weighted(struct share s, uint32_t weight, int64_t *ret_num, int64_t *ret_den);

#endif
