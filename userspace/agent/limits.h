/* SPDX-License-Identifier: MIT */
/*
 * Every limit of the agent. What a peer costs it is bounded by them, and so is what all of
 * them do: MemoryMax= of its units is more than that.
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

/* Beyond them: connections that are told so by HTTP, and how long each has for all of it */
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
 * Bytes of answers with evidence that have not been sent, of one user and of all, by the
 * same rule: beyond them who asks is told to read first. One more may go over each. What
 * the kernel has of an answer in a socket's buffer is no longer among them.
 */
#define AGENT_MAX_UNSENT		(96U << 20)
#define AGENT_MAX_PEER_UNSENT		(32U << 20)

/*
 * Milliseconds that a request waits, at most, and that a source which knows deadlines is
 * given for any. A client's own limit is kept here: a source that takes those together
 * which want the same would else give a report to each length of time.
 */
#define AGENT_SOURCE_MS			60000U

/* One more for a user who has @own of @all, of which there may be @max */
#define AGENT_FAIR(own, all, max)	((all) < (max) && (own) < (max) - (all))

/*
 * Of a request: bytes of its line and headers, with what answering it takes; arguments; bytes
 * of its body
 */
#define AGENT_MAX_HEADERS		(16U << 10)
#define AGENT_MAX_ARGUMENTS		32U
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

/*
 * Seconds, whatever comes meanwhile: from the connection to the end of the first request's
 * headers, or of a body from there; from the end of an answer to that of the next request's
 * headers; and for an answer to be taken. How often they are looked at, in milliseconds
 */
#define AGENT_READ_S			12U
#define AGENT_NEXT_S			(AGENT_IDLE_S + AGENT_READ_S)
#define AGENT_SEND_S			20U
#define AGENT_DEADLINE_MS		250U

/* Seconds that requests under way have to be answered in after SIGTERM */
#define AGENT_DRAIN_S			10U

/* Milliseconds after SIGTERM in which who asks on a connection that was idle is told so */
#define AGENT_LINGER_MS			200U

/* Milliseconds at its end for what has been asked by then to be read and answered */
#define AGENT_FAREWELL_MS		1000U

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

/*
 * Bytes of a file with certificates, and of the firmware's log of what it has measured. An answer
 * with the longest log has 370 KiB beside its certificates: of 90 that a user has not read the next
 * one is refused, by AGENT_MAX_PEER_UNSENT
 */
#define AGENT_MAX_CERTS			(256U << 10)
#define AGENT_MAX_EVENT_LOG		(256U << 10)

/*
 * Bytes of certificates that are written as lists of numbers, of which each takes some 20 in
 * memory and four in the answer. A table with all of AMD's has 6 KiB.
 */
#define AGENT_MAX_LISTED		(64U << 10)

#endif /* CVM_AGENT_LIMITS_H */
