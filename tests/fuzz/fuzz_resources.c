/* Resources as text. What is accepted must print as text that reads as the same, and obey the arithmetic. */
#include <assert.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "msg/resources.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text _cleanup_free_ = xstrndup((const char *)data, size);
	struct resources r = {0}, again = {0}, sum = {0};
	struct buf out _cleanup_buf_ = {0};
	struct err err;

	if (resources_parse(text, &r, &err) < 0)
		return 0;
	resources_print(&r, &out);
	int status = resources_parse(buf_cstr(&out), &again, &err);
	assert(status == 0 && resources_equal(&r, &again) && resources_contains(&r, &again));
	resources_copy(&sum, &r);
	resources_intersect(&sum, &again);
	assert(resources_equal(&sum, &r));
	resources_add(&sum, &again);
	assert(resources_contains(&sum, &r));
	resources_sub(&again, &r);
	assert(resources_empty(&again));
	resources_fini(&r);
	resources_fini(&again);
	resources_fini(&sum);
	return 0;
}
