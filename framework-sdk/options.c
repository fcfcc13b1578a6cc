#include "framework-sdk/options.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "msg/codec.h"

#define SPAN_MAX_NS 600000000000 /* of every option that is a span of time */
#define INFO_MAX_BYTES (1u << 20)
#define CLUSTER_MAX_BYTES 255

static int check_span(const char *name, int64_t ns, struct err *err)
{
	if (ns >= 0 && ns <= SPAN_MAX_NS)
		return 0;
	return err_set(err, EINVAL, "options.%s must be nanoseconds, from 0 to 10 minutes", name);
}

/* Everything that the first connection will say, so that no mistake of the caller's appears only there. */
static int check_words(const struct fl_scheduler_options *o, struct err *err)
{
	_cleanup_buf_ struct buf scratch = {0};
	struct fl_framework_info info = *o->framework;

	if (!info.user)
		info.user = "";
	if (o->cluster && (strlen(o->cluster) > CLUSTER_MAX_BYTES || !str_valid_utf8(o->cluster, strlen(o->cluster))))
		return err_set(err, EINVAL, "options.cluster is not a name");
	if (codec_encode(&rec_framework_info, &info, &scratch, err) < 0)
		return err_wrap(err, "options.framework");
	if (scratch.size > INFO_MAX_BYTES)
		return err_set(err, EMSGSIZE, "options.framework has %zu bytes, at most %u are possible", scratch.size,
		               INFO_MAX_BYTES);
	return 0;
}

static int check_options(const struct fl_scheduler_options *o, struct err *err)
{
	int r;

	if (!o->framework || !o->framework->name || !o->framework->name[0])
		return err_set(err, EINVAL, "options.framework needs a name");
	if ((r = check_span("zk_session_ns", o->zk_session_ns, err)) < 0 ||
	    (r = check_span("heartbeat_ns", o->heartbeat_ns, err)) < 0 ||
	    (r = check_span("backoff_ns", o->backoff_ns, err)) < 0)
		return r;
	return check_words(o, err);
}

int options_copy(const struct fl_scheduler_options *options, const struct fl_scheduler_callbacks *callbacks,
                 struct fl_scheduler_options *ret, struct fl_scheduler_callbacks *ret_callbacks, struct err *err)
{
	if (options->struct_size < offsetof(struct fl_scheduler_options, explicit_acknowledge))
		return err_set(err, EINVAL, "options.struct_size is not set to sizeof(struct fl_scheduler_options)");
	if (callbacks->struct_size < offsetof(struct fl_scheduler_callbacks, rescinded))
		return err_set(err, EINVAL,
		               "callbacks.struct_size is not set to sizeof(struct fl_scheduler_callbacks)");
	memcpy(ret, options, options->struct_size < sizeof(*ret) ? options->struct_size : sizeof(*ret));
	memcpy(ret_callbacks, callbacks,
	       callbacks->struct_size < sizeof(*ret_callbacks) ? callbacks->struct_size : sizeof(*ret_callbacks));
	return check_options(ret, err);
}
