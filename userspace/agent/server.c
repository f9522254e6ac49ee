// SPDX-License-Identifier: MIT
/* Connections, and the one loop that everything happens in. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent.h"
#include "common/util.h"

/* what an event is about; listeners have their index behind LISTENER */
enum { SIGNAL, EVIDENCE, HTTP, LISTENER };

/* ---- connections */

/* By SO_PEERCRED, which is what the kernel saw when it connected */
static uint32_t uid_of(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);
	struct sockaddr_storage own = { 0 };
	socklen_t own_len = sizeof(own);

	if (getsockname(fd, (struct sockaddr *)&own, &own_len) || own.ss_family != AF_UNIX ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len))
		return AGENT_PEER_TCP;
	return peer.uid;
}

static void connected(struct agent *agent, struct MHD_Connection *connection, void **context)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct agent_client *client = calloc(1, sizeof(*client));
	struct agent_peers *peers = &agent->peers;

	/* without it no request of this connection is answered */
	*context = client;
	if (!client)
		return;
	client->peer = agent_peer_get(peers, uid_of(info->connect_fd));
	if (!client->peer) {
		free(client);
		*context = NULL;
		return;
	}
	client->fd = info->connect_fd;
	client->refused = !agent_peer_may_connect(peers, client->peer);
	client->peer->connections += !client->refused;
	peers->connections += !client->refused;
	peers->refused += client->refused;
	if (client->refused)
		MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT,
					  AGENT_REFUSED_S);
	agent_deadline_begin(agent, client);
}

static void disconnected(struct agent *agent, void **context)
{
	struct agent_client *client = *context;
	struct agent_peers *peers = &agent->peers;

	if (!client)
		return;
	client->peer->connections -= !client->refused;
	peers->connections -= !client->refused;
	peers->refused -= client->refused;
	agent_peer_put(peers, client->peer);
	agent_deadline_end(client);
	free(client);
	*context = NULL;
	if (!peers->connections)
		agent->idle_since_us = agent_now_us();
}

static void notify_connection(void *cls, struct MHD_Connection *connection, void **context,
			      enum MHD_ConnectionNotificationCode what)
{
	if (what == MHD_CONNECTION_NOTIFY_STARTED)
		connected(cls, connection, context);
	else
		disconnected(cls, context);
}

/* Either it may stay, or it can be told in its turn that it may not. */
static bool has_room(struct agent *agent, int fd)
{
	struct agent_peers *peers = &agent->peers;
	struct agent_peer *peer = agent_peer_get(peers, uid_of(fd));
	bool room;

	if (!peer)
		return false;
	room = peers->refused < AGENT_MAX_REFUSED || agent_peer_may_connect(peers, peer);
	agent_peer_put(peers, peer);
	return room;
}

/* There are too many to tell each in its turn: it may read this or not. */
static void turn_away(struct agent *agent, int fd)
{
	size_t len;
	const char *text = agent_reply_raw(AGENT_REFUSED_FULL, &len);

	agent->metrics.refused[AGENT_REFUSED_FULL]++;
	(void)!send(fd, text, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	close(fd);
}

static void accept_some(struct agent *agent, int listener)
{
	for (int i = 0; i < AGENT_ACCEPTS; i++) {
		struct sockaddr_storage address;
		socklen_t len = sizeof(address);
		int fd = accept4(listener, (struct sockaddr *)&address, &len,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0)
			return;
		agent->metrics.connections++;
		if (!has_room(agent, fd))
			turn_away(agent, fd);
		else
			MHD_add_connection(agent->daemon, fd, (struct sockaddr *)&address, len);
	}
}

/* ---- start and stop */

static int watch(struct agent *agent, int fd, uint32_t what)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = what };

	return epoll_ctl(agent->epoll, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

static int watch_all(struct agent *agent)
{
	const union MHD_DaemonInfo *info =
		MHD_get_daemon_info(agent->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	int rc = watch(agent, agent->signals, SIGNAL);

	if (!rc)
		rc = watch(agent, info->epoll_fd, HTTP);
	if (!rc && agent->async)
		rc = watch(agent, cvm_async_fd(agent->async), EVIDENCE);
	for (size_t i = 0; !rc && i < agent->listener_count; i++)
		rc = watch(agent, agent->listener[i], LISTENER + (uint32_t)i);
	return rc;
}

/* Its log has nothing that no client can cause, at any rate: it is left off. */
static struct MHD_Daemon *start_daemon(struct agent *agent)
{
	return MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET |
				MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL,
				agent_request_handle, agent,
				MHD_OPTION_CONNECTION_LIMIT,
				AGENT_MAX_CONNECTIONS + AGENT_MAX_REFUSED + AGENT_ACCEPTS,
				MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)AGENT_MAX_HEADERS,
				MHD_OPTION_CONNECTION_TIMEOUT, AGENT_IDLE_S,
				MHD_OPTION_URI_LOG_CALLBACK, agent_request_uri, agent,
				MHD_OPTION_NOTIFY_CONNECTION, notify_connection, agent,
				MHD_OPTION_NOTIFY_COMPLETED, agent_request_end, agent,
				MHD_OPTION_END);
}

/* Each connection is a file. */
static int raise_files(void)
{
	struct rlimit files;
	rlim_t wanted = AGENT_MAX_CONNECTIONS + AGENT_MAX_REFUSED + AGENT_ACCEPTS +
			AGENT_OTHER_FILES;

	if (getrlimit(RLIMIT_NOFILE, &files))
		return -errno;
	if (files.rlim_cur >= wanted)
		return 0;
	if (files.rlim_max < wanted)
		return -EMFILE;
	files.rlim_cur = wanted;
	return setrlimit(RLIMIT_NOFILE, &files) ? -errno : 0;
}

int agent_server_start(struct agent *agent)
{
	sigset_t ends;
	int rc = raise_files();

	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	/* the source's thread takes none */
	sigprocmask(SIG_BLOCK, &ends, NULL);
	signal(SIGPIPE, SIG_IGN);
	agent->signals = signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK);
	agent->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (!rc && (agent->signals < 0 || agent->epoll < 0))
		rc = -errno;
	if (!rc) {
		agent->daemon = start_daemon(agent);
		rc = agent->daemon ? watch_all(agent) : -ENOMEM;
	}
	agent->started_us = agent->idle_since_us = agent_now_us();
	if (rc)
		agent_log("error", "start", "ss", "message", strerror(-rc));
	return rc;
}

/* Who waits to be accepted is taken by whoever listens next. */
static void begin_stop(struct agent *agent, const char *why)
{
	if (agent->stopping)
		return;
	agent_log("info", "stop", "ss si", "why", why, "under_way", (int)agent->active);
	agent->stopping = true;
	agent->stop_at_us = agent_now_us() + AGENT_DRAIN_S * 1000000ULL;
	agent->linger_us = agent_now_us() + AGENT_LINGER_MS * 1000ULL;
	for (size_t i = 0; i < agent->listener_count; i++) {
		epoll_ctl(agent->epoll, EPOLL_CTL_DEL, agent->listener[i], NULL);
		close(agent->listener[i]);
	}
	agent->listener_count = 0;
}

/*
 * Who is connected sends no more from here on, and is told so at once (EPIPE; by TCP he is
 * not): what has come by then is read, and has its answer.
 */
static void end_connections(struct agent *agent)
{
	uint64_t end = agent_now_us() + AGENT_FAREWELL_MS * 1000ULL;
	struct pollfd ready = {
		.fd = MHD_get_daemon_info(agent->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd,
		.events = POLLIN,
	};

	for (struct agent_client *client = agent->clients; client; client = client->next)
		shutdown(client->fd, SHUT_RD);
	do {
		MHD_run(agent->daemon);
		poll(&ready, 1, agent->clients ? AGENT_FAREWELL_MS / 100 : 0);
	} while (agent->clients && agent_now_us() < end);
}

void agent_server_stop(struct agent *agent)
{
	/*
	 * With a source that answers no more they would hold it up. libmicrohttpd must not end
	 * while one is suspended: from here on none is.
	 */
	agent->stopping = true;
	agent_source_give_up(agent);
	if (agent->daemon) {
		end_connections(agent);
		MHD_stop_daemon(agent->daemon);
	}
	for (size_t i = 0; i < agent->listener_count; i++)
		close(agent->listener[i]);
	if (agent->epoll >= 0)
		close(agent->epoll);
	if (agent->signals >= 0)
		close(agent->signals);
}

/* ---- the loop */

/* When the agent ends although nothing has happened; UINT64_MAX: never */
static uint64_t end_us(const struct agent *agent)
{
	if (agent->stopping)
		return agent->active ? agent->stop_at_us : agent->linger_us;
	/* whoever is connected: only another start can find one */
	if (!agent->async)
		return agent->started_us + AGENT_NO_SOURCE_S * 1000000ULL;
	if (agent->peers.connections || !agent->options->idle_s)
		return UINT64_MAX;
	return agent->idle_since_us + agent->options->idle_s * 1000000ULL;
}

static int timeout_ms(struct agent *agent)
{
	uint64_t now = agent_now_us(), next = end_us(agent), late = agent_source_next_us(agent);
	uint64_t slow = agent_deadline_next_us(agent);
	MHD_UNSIGNED_LONG_LONG http = 0;
	uint64_t ms;

	if (late < next)
		next = late;
	if (slow < next)
		next = slow;
	ms = next == UINT64_MAX ? INT32_MAX : next <= now ? 0 : (next - now) / 1000 + 1;
	if (MHD_get_timeout(agent->daemon, &http) == MHD_YES && http < ms)
		ms = http;
	return ms > INT32_MAX ? INT32_MAX : (int)ms;
}

static void handle(struct agent *agent, uint32_t what)
{
	struct signalfd_siginfo info;

	switch (what) {
	case SIGNAL:
		if (read(agent->signals, &info, sizeof(info)) == sizeof(info))
			begin_stop(agent, "signal");
		break;
	case EVIDENCE:
		agent_source_collect(agent);
		break;
	case HTTP:
		break;
	default:
		if (what - LISTENER < agent->listener_count)
			accept_some(agent, agent->listener[what - LISTENER]);
	}
}

static void check_time(struct agent *agent)
{
	agent_source_check_time(agent);
	agent_deadline_check(agent);
	if (agent->failed)
		begin_stop(agent, "source");
	else if (!agent->stopping && agent_now_us() >= end_us(agent))
		begin_stop(agent, agent->async ? "idle" : "no source");
}

/* Somebody is still to be answered, or may be about to ask. */
static bool is_needed(const struct agent *agent)
{
	if (!agent->stopping)
		return true;
	return !agent->failed && agent->peers.connections && agent_now_us() < end_us(agent);
}

int agent_server_run(struct agent *agent)
{
	struct epoll_event events[AGENT_EVENTS];

	while (is_needed(agent)) {
		int count = epoll_wait(agent->epoll, events, AGENT_EVENTS, timeout_ms(agent));

		for (int i = 0; i < count; i++)
			handle(agent, events[i].data.u32);
		check_time(agent);
		MHD_run(agent->daemon);
	}
	return agent->failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
