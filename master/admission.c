#include "master/admission.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/str.h"
#include "master/core.h"
#include "master/link.h"
#include "master/registry.h"
#include "master/slave.h"
#include "master/validate.h"
#include "net/peer.h"

#define MAX_NONCE 128

/* What it says of itself, with the address that its link shows where it does not know its own. */
static struct fl_slave_info completed(const struct link *k, const struct fl_slave_info *info, const char *id)
{
	struct fl_slave_info out = *info;

	out.id = id;
	if (!out.ip || !*out.ip || strcmp(out.ip, "0.0.0.0") == 0 || strcmp(out.ip, "::") == 0)
		out.ip = peer_ip(k->peer);
	if (!out.has_port)
		out.port = 5051;
	out.has_port = true;
	return out;
}

static void set_version(struct slave *s, const char *version)
{
	free(s->version);
	s->version = version ? xstrndup(version, 64) : NULL;
}

static void refresh(struct slave *s, const struct fl_slave_info *info, const char *version)
{
	set_version(s, version);
	if (slave_set_info(s, info) && sm_state(&s->sm) != SLAVE_GONE)
		registry_put_slave(s);
}

void admission_register(struct master *m, struct link *k, const struct fl_slave_register *msg)
{
	struct slave *s = slave_find_nonce(m, msg->nonce);
	char id[64];
	struct fl_slave_info info;
	struct err err = {0};

	if (k->slave_id && (!s || strcmp(s->id, k->slave_id) != 0)) {
		link_refuse(k, FL_REFUSAL_INVALID, "this connection is slave %s already", k->slave_id);
		return;
	}
	if (k->slave_id)
		return; /* said twice */
	if (!*msg->nonce || strlen(msg->nonce) > MAX_NONCE)
		err_set(&err, EINVAL, "nonce must have 1 to %d bytes", MAX_NONCE);
	else
		validate_slave(msg->slave, &err);
	if (err.code) {
		link_refuse(k, FL_REFUSAL_INVALID, "%s", err.text);
		return;
	}
	if (!s) {
		snprintf(id, sizeof(id), "%s-S%llu", m->uuid, (unsigned long long)m->next_slave++);
		info = completed(k, msg->slave, id);
		if (msg->slave->has_port) /* else it has no address of its own */
			slaves_replace(m, info.ip, info.port);
		s = slave_create(m, &info, msg->nonce, SLAVE_ADMITTING);
		set_version(s, msg->version);
		registry_put_slave(s);
	} else {
		info = completed(k, msg->slave, s->id);
		refresh(s, &info, msg->version);
	}
	link_drop_report(k);
	k->reported = true; /* that it has nothing */
	slave_attach(s, k);
}

/* Its epoch against ours: a higher term of our registry means that we are deposed and do not know it yet. */
static bool epoch_fits(struct master *m, struct link *k, const struct fl_epoch *seen)
{
	const struct fl_epoch *ours = m->epoch.rec;

	if (!seen)
		return true;
	if (strcmp(seen->incarnation, ours->incarnation) != 0) {
		log_error("admission.other_incarnation peer=%s theirs=%s ours=%s", peer_address(k->peer),
		          seen->incarnation, ours->incarnation);
		link_refuse(k, FL_REFUSAL_INCARNATION, "%s", enum_doc(&enum_refusal, FL_REFUSAL_INCARNATION));
		return false;
	}
	if (seen->term > ours->term) {
		log_error("admission.deposed peer=%s theirs=%llu ours=%llu", peer_address(k->peer),
		          (unsigned long long)seen->term, (unsigned long long)ours->term);
		link_refuse(k, FL_REFUSAL_NOT_LEADER, "you have seen a newer term than this master's");
		return false;
	}
	return true;
}

static void take_effect(struct master *m, struct link *k)
{
	const struct fl_slave_reregister *first = CONTAINER_OF(list_first(&k->report), struct link_part, node)->msg.rec;
	struct fl_slave_info info = {0};
	struct slave *s;
	struct err err = {0};

	if (!first->slave || !first->slave->id || !str_valid_id(first->slave->id))
		err_set(&err, EINVAL, "the first part must say which slave it is");
	else if (k->slave_id && strcmp(k->slave_id, first->slave->id) != 0)
		err_set(&err, EINVAL, "this connection is slave %s already", k->slave_id);
	else
		validate_slave(first->slave, &err);
	if (err.code) {
		link_refuse(k, FL_REFUSAL_INVALID, "%s", err.text);
		return;
	}
	if (!epoch_fits(m, k, first->epoch))
		return;
	s = slave_find(m, first->slave->id);
	info = completed(k, first->slave, first->slave->id);
	if (!s) {
		s = slave_create(m, &info, NULL, SLAVE_RETURNING);
		set_version(s, first->version);
		registry_put_slave(s);
	} else {
		refresh(s, &info, first->version);
	}
	k->reported = true;
	slave_attach(s, k);
}

void admission_reregister(struct master *m, struct link *k, const struct fl_slave_reregister *msg)
{
	if (k->slave_id) /* it reports once a connection: what comes again is old by now */
		return;
	if (link_keep_part(k, msg) && msg->last)
		take_effect(m, k);
}
