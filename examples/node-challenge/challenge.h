/* SPDX-License-Identifier: MIT */
/*
 * What an agent of a node and its server say to each other. It is SPIRE's node attestation
 * (AttestRequest and AttestResponse of its plugins), with a JSON object a line in the place
 * of gRPC messages:
 *
 *	agent	{"payload": {"type": "cvm-guest"}}
 *	server	{"challenge": "<nonce in hexadecimal>"}
 *	agent	{"challenge_response": <evidence and proof: a CMW, RFC 9999>}
 *	server	{"agent_attributes": {"spiffe_id": ..., "selector_values": [...],
 *				      "can_reattest": true}}
 *	or	{"error": "<why>"}
 *
 * The proof must be about cvm_user_data(audience, nonce, ""): the audience is the trust
 * domain, so that no other domain's server can have its own challenge answered with it.
 */
#ifndef EXAMPLES_CHALLENGE_H
#define EXAMPLES_CHALLENGE_H

#define CHALLENGE_TYPE		"cvm-guest"
#define CHALLENGE_NONCE		32

#endif /* EXAMPLES_CHALLENGE_H */
