/* SPDX-License-Identifier: MIT */
/* Stream sockets by name: HOST:PORT, or the path of a UNIX socket, which has a slash. */
#ifndef EXAMPLES_NET_H
#define EXAMPLES_NET_H

/* seconds that the other side may be silent while a protocol is under way */
#define NET_PATIENCE	60

/* Each: a descriptor, closed on exec; or -1, and why is on stderr */
int net_connect(const char *name);
/* of this accept() does not wait, as for somebody who has gone again since poll() */
int net_listen(const char *name);

/* reads and writes fail after so long without a byte; 0: never */
void net_patience(int fd, int seconds);

#endif /* EXAMPLES_NET_H */
