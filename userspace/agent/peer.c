// SPDX-License-Identifier: MIT
/*
 * Who is connected. A user who opens as many connections, or asks as much, as he can
 * leaves as much for the others. Each of them may do the same: twelve leave nothing, and
 * whoever has so many uids is not kept from it here.
 */
#include <stdlib.h>

#include "agent.h"

struct agent_peer *agent_peer_get(struct agent_peers *peers, uint32_t uid)
{
	struct agent_peer *peer = peers->first;

	while (peer && peer->uid != uid)
		peer = peer->next;
	if (!peer) {
		peer = calloc(1, sizeof(*peer));
		if (!peer)
			return NULL;
		peer->uid = uid;
		peer->next = peers->first;
		peers->first = peer;
	}
	peer->users++;
	return peer;
}

void agent_peer_put(struct agent_peers *peers, struct agent_peer *peer)
{
	struct agent_peer **link = &peers->first;

	if (--peer->users)
		return;
	while (*link != peer)
		link = &(*link)->next;
	*link = peer->next;
	free(peer);
}

bool agent_peer_may_connect(const struct agent_peers *peers, const struct agent_peer *peer)
{
	return peer->connections < AGENT_MAX_PEER_CONNECTIONS &&
	       AGENT_FAIR(peer->connections, peers->connections, AGENT_MAX_CONNECTIONS);
}

bool agent_peer_may_leave(const struct agent_peers *peers, const struct agent_peer *peer)
{
	return peer->unsent < AGENT_MAX_PEER_UNSENT &&
	       AGENT_FAIR(peer->unsent, peers->unsent, AGENT_MAX_UNSENT);
}

bool agent_peer_may_ask(const struct agent_peers *peers, const struct agent_peer *peer)
{
	return peer->requests < AGENT_MAX_PEER_REQUESTS &&
	       AGENT_FAIR(peer->requests, peers->requests, AGENT_MAX_REQUESTS);
}
