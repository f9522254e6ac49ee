// SPDX-License-Identifier: MIT
/*
 * libmicrohttpd ends a connection that is silent. One that is not, but sends a byte now and
 * then, or takes one, would have its place for as long as it likes: those are ended here.
 */
#include <sys/socket.h>

#include "agent.h"

void agent_deadline_begin(struct agent *agent, struct agent_client *client)
{
	client->link = &agent->clients;
	client->next = agent->clients;
	if (client->next)
		client->next->link = &client->next;
	agent->clients = client;
	agent_deadline_set(agent, client, client->refused ? AGENT_REFUSED_S : AGENT_READ_S);
}

void agent_deadline_end(struct agent_client *client)
{
	*client->link = client->next;
	if (client->next)
		client->next->link = client->link;
}

void agent_deadline_set(struct agent *agent, struct agent_client *client, uint32_t seconds)
{
	/* that of one too many is for all that it does */
	if (client->refused && client->deadline_us)
		return;
	client->deadline_us = seconds ? agent_now_us() + seconds * 1000000ULL : UINT64_MAX;
	if (client->deadline_us < agent->deadline_us)
		agent->deadline_us = client->deadline_us;
}

uint64_t agent_deadline_next_us(const struct agent *agent)
{
	return agent->clients ? agent->deadline_us : UINT64_MAX;
}

/* libmicrohttpd sees its end, and does the rest. Nothing of it is behind part of an answer. */
void agent_client_end(struct agent *agent, struct agent_client *client, enum agent_refusal why)
{
	const char *text;
	size_t len;

	agent->metrics.refused[why]++;
	if (!client->answering) {
		text = agent_reply_raw(why, &len);
		(void)!send(client->fd, text, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	}
	shutdown(client->fd, SHUT_RDWR);
	client->ended = true;
	client->deadline_us = UINT64_MAX;
}

/* They are gone through no more often than that: most have been put off meanwhile. */
void agent_deadline_check(struct agent *agent)
{
	uint64_t now = agent_now_us(), next = UINT64_MAX;

	if (!agent->clients || now < agent->deadline_us)
		return;
	for (struct agent_client *client = agent->clients; client; client = client->next) {
		if (client->deadline_us <= now)
			agent_client_end(agent, client, AGENT_REFUSED_SLOW);
		if (client->deadline_us < next)
			next = client->deadline_us;
	}
	now += AGENT_DEADLINE_MS * 1000ULL;
	agent->deadline_us = next > now ? next : now;
}
