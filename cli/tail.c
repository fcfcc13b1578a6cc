#include "cli/tail.h"

#include "cli/client.h"

#define PART (256u << 10)
#define PARTS_PER_POLL 16 /* a task may write faster than we read: others want their turn */

void tail_init(struct tail *t, const char *host, int port, const char *sandbox, const char *file)
{
	snprintf(t->host, sizeof(t->host), "%s", host);
	snprintf(t->path, sizeof(t->path), "%s/%s", sandbox, file);
	t->port = port;
	t->offset = 0;
}

static const struct fl_api_file_data *read_part(const struct tail *t, struct client *c, uint64_t length, bool quiet,
                                                int *ret_exit)
{
	struct fl_api_read_file read = {.path = t->path, .offset = t->offset, .has_length = true, .length = length};
	struct fl_api_call call = {.type = FL_API_READ_FILE, .read_file = &read};
	const struct fl_api_response *r = client_call_slave(c, t->host, t->port, &call, quiet, ret_exit);
	return r ? r->read_file : NULL;
}

int64_t tail_poll(struct tail *t, struct client *c, FILE *out, bool quiet, int *ret_exit)
{
	int64_t copied = 0;

	for (int i = 0; i < PARTS_PER_POLL; i++) {
		const struct fl_api_file_data *data = read_part(t, c, PART, quiet, ret_exit);
		if (!data)
			return copied > 0 ? copied : -1;
		if (data->size < t->offset) {
			t->offset = 0; /* it was cut, and begins anew */
			continue;
		}
		if (data->data.size == 0) {
			fflush(out);
			return copied;
		}
		fwrite(data->data.data, 1, data->data.size, out);
		t->offset += data->data.size;
		copied += (int64_t)data->data.size;
	}
	fflush(out);
	return copied;
}

int tail_seek_end(struct tail *t, struct client *c, uint64_t bytes, int *ret_exit)
{
	const struct fl_api_file_data *data = read_part(t, c, 0, false, ret_exit);
	if (!data)
		return -1;
	t->offset = data->size > bytes ? data->size - bytes : 0;
	return 0;
}
