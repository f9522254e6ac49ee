/* SPDX-License-Identifier: MIT */
/*
 * Whom systemd asks for: a unit with LoadCredential=ID:SOCKET has it connect from an address
 * in the abstract namespace that names the unit and the credential (systemd.exec(5)):
 *	00 || RANDOM || "/unit/" || UNIT || "/" || ID
 *
 * Anybody may bind to such an address who is in the network namespace. It says what is asked
 * for, and nothing about who asks: his cgroup does.
 */
#ifndef CVM_KEYS_CREDENTIAL_H
#define CVM_KEYS_CREDENTIAL_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "cvmguest.h"

/* neither is longer than the address, with a zero byte behind */
#define CVM_CREDENTIAL_NAME	sizeof(((struct sockaddr_un *)0)->sun_path)

/**
 * struct cvm_credential - what is asked for, of whom
 * @unit: its full name
 * @id: of the credential
 */
struct cvm_credential {
	char unit[CVM_CREDENTIAL_NAME];
	char id[CVM_CREDENTIAL_NAME];
};

/**
 * cvm_credential_parse() - an address, of which nothing is believed
 * @address: as getpeername() has it
 * @len: bytes of it
 * @credential: out: names that systemd would take, both printable ASCII without '/'
 * @error: or NULL
 *
 * Return: 0 or -EBADMSG; @error has no byte of the address.
 */
int cvm_credential_parse(const struct sockaddr_un *address, socklen_t len,
			 struct cvm_credential *credential, struct cvm_error *error);

/*
 * Whether @cgroups, the text of /proc/PID/cgroup, is that of a process in @unit of the system's
 * manager, which is the first part of the path that is no slice. Units of users' managers are
 * below user@UID.service, containers below a scope, or a service that keeps them.
 */
bool cvm_credential_in_unit(const char *cgroups, const char *unit);

#define CVM_CREDENTIAL_LABEL	(sizeof("credential//") + 2 * CVM_CREDENTIAL_NAME)

/*
 * "credential/UNIT/ID", the HKDF label: as no name has a '/', two credentials never have
 * the same, nor does a disk, whose names have none.
 */
const char *cvm_credential_label(const struct cvm_credential *credential,
				 char label[CVM_CREDENTIAL_LABEL]);

#endif /* CVM_KEYS_CREDENTIAL_H */
