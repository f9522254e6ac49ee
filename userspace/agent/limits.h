/* SPDX-License-Identifier: MIT */
/*
 * Every limit of the agent. What a peer costs it until a request has its answer is
 * bounded by them, and so is the number of answers; their length is the source's.
 */
#ifndef CVM_AGENT_LIMITS_H
#define CVM_AGENT_LIMITS_H

/*
 * Connections, of all and of one user. Nobody gets more than are free besides
 * (AGENT_FAIR): 256 for the first three users, then half of those that are left for
 * each, and none after the twelfth.
 */
#define AGENT_MAX_CONNECTIONS		1024U
#define AGENT_MAX_PEER_CONNECTIONS	256U

/* Beyond them: connections that are told so by HTTP, and have this long to ask */
#define AGENT_MAX_REFUSED		64U
#define AGENT_REFUSED_S			2U

/* Requests for evidence that have no answer yet; the driver's own limit is as high */
#define AGENT_MAX_REQUESTS		1024U
#define AGENT_MAX_PEER_REQUESTS		256U

/*
 * Of direct evidence each is a report of its own, and the source gives them in the order
 * it is asked: it is asked for so many of one user, and for the next when one has come.
 */
#define AGENT_MAX_PEER_DIRECT		4U

/*
 * Milliseconds that a request waits, at most, and that a source which knows deadlines is
 * given for any. A client's own limit is kept here: a source that takes those together
 * which want the same would else give a report to each length of time.
 */
#define AGENT_SOURCE_MS			60000U

/* One more for a user who has @own of @all, of which there may be @max */
#define AGENT_FAIR(own, all, max)	((all) < (max) && (own) < (max) - (all))

/* Bytes: of a request's line and headers with what answering it takes, and of its body */
#define AGENT_MAX_HEADERS		(16U << 10)
#define AGENT_MAX_BODY			(8U << 10)
/* What is read and thrown away of a longer body, before the connection is closed */
#define AGENT_MAX_DISCARDED		(64U << 10)

/* Bytes of what evidence is bound to */
#define AGENT_MAX_AUDIENCE		255U
#define AGENT_MIN_NONCE			16U
#define AGENT_MAX_NONCE			128U
#define AGENT_MAX_CHANNEL_KEY		1024U

/* Seconds without a byte in either direction before a connection is closed */
#define AGENT_IDLE_S			30U

/* Seconds that requests under way have to be answered in after SIGTERM */
#define AGENT_DRAIN_S			10U

/* Milliseconds after SIGTERM in which who asks on a connection that was idle is told so */
#define AGENT_LINGER_MS			200U

/* Seconds after which a client that was refused for now may ask again */
#define AGENT_RETRY_S			1U

/* Without a source of evidence: seconds until it ends, so that the next start looks for one */
#define AGENT_NO_SOURCE_S		2U

/* At a time: connections taken, events looked at, sockets listened on */
#define AGENT_ACCEPTS			64
#define AGENT_EVENTS			16
#define AGENT_MAX_LISTENERS		8

/* Files besides connections */
#define AGENT_OTHER_FILES		64U

/* Bytes of a file with certificates */
#define AGENT_MAX_CERTS			(256U << 10)

#endif /* CVM_AGENT_LIMITS_H */
