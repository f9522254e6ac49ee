/* SPDX-License-Identifier: MIT */
/*
 * RA-TLS: a certificate that needs no authority, for it carries evidence that its key was
 * made in a VM of a known kind.
 *
 * Evidence and proof are in the extension id-pe-cmw, 1.3.6.1.5.5.7.1.35, of RFC 9999, "RATS
 * Conceptual Message Wrapper", whose value is
 *
 *	CMW ::= CHOICE { json UTF8String, cbor OCTET STRING }
 *
 * here the first. The proof is about
 *
 *	cvm_user_data("cvm-guest ratls 1", notBefore, notAfter, SubjectPublicKeyInfo)
 *
 * times and key in DER, as the certificate has them.
 * That is what stops each of these:
 * - evidence taken out of a certificate and put beside another key: the key is in it;
 * - a certificate without its key: TLS asks for a signature by that key, as of any server;
 * - a key that was stolen, with a new certificate about it: how long it holds is in it, and a
 *   client takes none that holds for longer than RATLS_MAX_LIFETIME;
 * - a neighbour in the same VM: the scope of the proof, which is the driver's word.
 * The name and all else in the certificate is in no evidence, and nothing to go by. The
 * evidence is older than the connection: whoever wants a VM's state of this moment sends a
 * nonce, through the connection, and asks for evidence about that and the channel.
 */
#ifndef EXAMPLES_RATLS_H
#define EXAMPLES_RATLS_H

#include <cvmguest.h>
#include <openssl/x509.h>

#include "../common/relying_party.h"

#define RATLS_OID		"1.3.6.1.5.5.7.1.35"
#define RATLS_MAX_LIFETIME	(24 * 3600)

/* what the certificate's proof must be about; 0 or -1 */
int ratls_user_data(const X509 *cert, uint8_t user_data[CVM_USER_DATA_LEN]);

/* 0 or -1 */
int ratls_add_evidence(X509 *cert, const struct cvm_evidence *evidence);

/* Would this relying party talk to whoever has this certificate's key? 0, or -1 and @why */
int ratls_verify(const X509 *cert, const struct relying_party *rp, char *why, size_t size);

#endif /* EXAMPLES_RATLS_H */
