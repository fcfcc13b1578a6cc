/* TEARDOWN over HTTP: the framework ends at once, the answer waits until the registry has it. */
#ifndef FL_MASTER_TEARDOWN_H
#define FL_MASTER_TEARDOWN_H

#include <stdint.h>

struct fl_api_call;
struct http_request;
struct master;

void teardown_call(struct master *m, struct http_request *req, const struct fl_api_call *call);
/* The registry has the write of this number of the framework; framework may be gone by now. */
void teardowns_on_written(struct master *m, const char *framework_id, uint64_t seq);
void teardowns_refuse(struct master *m); /* office is lost: nobody here can tell any more */
void teardowns_forget(struct master *m); /* nobody is there to be answered */

#endif
