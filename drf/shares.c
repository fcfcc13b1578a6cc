/* Shares compared by cross-multiplication in 128 bits. */
#include "drf/shares.h"

__extension__ typedef unsigned __int128 u128;

struct share share_dominant(const int64_t *held, size_t n_held, const int64_t *total, size_t n_total)
{
	struct share best = {0, 1};
	size_t n = n_held < n_total ? n_held : n_total;

	/* NSDI'11, 4.1: "DRF computes the share of each resource allocated to that user. The maximum among all shares
	 * of a user is called that user's dominant share". Figure 1: s_i = max_j { u_i,j / r_j }. */
	for (size_t i = 0; i < n; i++) {
		if (total[i] <= 0 || held[i] <= 0)
			continue;
		if ((u128)held[i] * (u128)best.total > (u128)best.held * (u128)total[i])
			best = (struct share){held[i], total[i]};
	}
	return best;
}

int share_compare(struct share a, uint32_t weight_a, struct share b, uint32_t weight_b)
{
	/* NSDI'11, 4.3: "the dominant share of user i is s_i = max_j { u_i,j / w_i,j }", here with one weight for all
	 * resources of a node. a.held / (a.total * weight_a) against the same of b, 50 + 50 + 20 bits. */
	u128 left = (u128)a.held * ((u128)b.total * weight_b);
	u128 right = (u128)b.held * ((u128)a.total * weight_a);

	return (left > right) - (left < right);
}

static u128 gcd(u128 a, u128 b)
{
	while (b) {
		u128 rest = a % b;
		a = b;
		b = rest;
	}
	return a;
}

void share_weighted(struct share s, uint32_t weight, int64_t *ret_num, int64_t *ret_den)
{
	u128 num = (u128)s.held * SHARE_WEIGHT_ONE;
	u128 den = (u128)s.total * weight;
	u128 common = gcd(den, num);

	num /= common;
	den /= common;
	while (num > INT64_MAX || den > INT64_MAX) {
		num >>= 1;
		den >>= 1;
	}
	*ret_num = (int64_t)num;
	*ret_den = (int64_t)(den ? den : 1);
}
