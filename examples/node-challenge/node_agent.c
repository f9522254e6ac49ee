// SPDX-License-Identifier: MIT
/*
 * node_agent SERVER AUDIENCE SOCKET: an agent proves to its server on which VM it runs, and
 * prints the identity that it gets. SERVER is HOST:PORT or a path, SOCKET that of
 * cvm-agent(8), such as /run/cvm-agent/label/spire-agent.sock.
 *
 * It needs neither privileges nor a device node nor our library. However many agents of one
 * VM are challenged at once, cvm-agent answers them with few reports.
 */
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../common/cmw.h"
#include "../common/message.h"
#include "../common/net.h"
#include "challenge.h"

/* how often, and after how long at most, cvm-agent is asked again where it says so */
#define MAX_TRIES	10
#define MAX_RETRY_S	5
/* seconds that cvm-agent may take for one answer, and the server for all of its own */
#define AGENT_PATIENCE	90

#define PATIENCE	300

struct answer {
	char *text;
	size_t len;
};

static size_t keep(char *data, size_t size, size_t count, void *arg)
{
	struct answer *answer = arg;
	size_t len = size * count;
	char *text = answer->len + len <= CMW_MAX ? realloc(answer->text, answer->len + len + 1) :
		     NULL;

	if (!text)
		return 0;
	memcpy(text + answer->len, data, len);
	answer->text = text;
	answer->len += len;
	text[answer->len] = '\0';
	return len;
}

/* How long to wait before asking again, or -1 */
static long retry_after(CURL *curl)
{
	curl_off_t seconds = 0;
	long status = 0;

	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	if (status != 429 && status != 503 && status != 504)
		return -1;
	curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &seconds);
	return seconds < MAX_RETRY_S ? (long)seconds : MAX_RETRY_S;
}

/* The body of an answer of 200, or NULL and the last answer is on stderr */
static char *get(CURL *curl, const char *url)
{
	struct answer answer = { 0 };
	long status, wait;
	CURLcode rc;

	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)AGENT_PATIENCE);
	for (int tries = 0; tries < MAX_TRIES; tries++) {
		/* nothing of an answer before is left in one without a body */
		free(answer.text);
		answer = (struct answer){ 0 };
		rc = curl_easy_perform(curl);
		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
		if (!rc && status == 200)
			return answer.text;
		/* a connection that ends without an answer means as much as a 503 */
		wait = rc == CURLE_GOT_NOTHING || rc == CURLE_RECV_ERROR ? 0 : retry_after(curl);
		if (wait < 0)
			break;
		sleep((unsigned int)wait);
	}
	fprintf(stderr, "cvm-agent: %s\n", rc ? curl_easy_strerror(rc) : answer.text ?: "");
	free(answer.text);
	return NULL;
}

/* A CMW, or NULL and why is on stderr. @nonce: hexadecimal, from the server */
static json_t *evidence_about(const char *socket, const char *audience, const char *nonce)
{
	CURL *curl = curl_easy_init();
	char *name = curl ? curl_easy_escape(curl, audience, 0) : NULL;
	char *text, url[2048];
	json_t *cmw = NULL;

	if (!name || strspn(nonce, "0123456789abcdef") != strlen(nonce) || strlen(nonce) > 256 ||
	    snprintf(url, sizeof(url),
		     "http://localhost/v1/evidence?audience=%s&nonce=%s&certs=true&format=cmw",
		     name, nonce) >= (int)sizeof(url))
		fprintf(stderr, "no such audience or nonce\n");
	else if (!curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, socket) &&
		 (text = get(curl, url))) {
		cmw = json_loads(text, 0, NULL);
		free(text);
	}
	curl_free(name);
	curl_easy_cleanup(curl);
	return cmw;
}

static int print_identity(const json_t *message)
{
	const char *id, *error = "no answer";

	if (!json_unpack((json_t *)message, "{s: {s: s}}", "agent_attributes", "spiffe_id", &id)) {
		printf("%s\n", id);
		return 0;
	}
	json_unpack((json_t *)message, "{s: s}", "error", &error);
	fprintf(stderr, "server: %s\n", error);
	return 3;
}

/* 0; 1: it could not be asked; 3: the server refuses */
static int attest(FILE *in, FILE *out, const char *audience, const char *socket)
{
	json_t *message, *cmw = NULL;
	const char *nonce;
	int rc = 1;

	if (message_write(out, json_pack("{s: {s: s}}", "payload", "type", CHALLENGE_TYPE)))
		return 1;
	message = message_read(in);
	if (json_unpack(message, "{s: s}", "challenge", &nonce))
		fprintf(stderr, "server: no challenge\n");
	else
		cmw = evidence_about(socket, audience, nonce);
	json_decref(message);
	if (cmw && !message_write(out, json_pack("{s: o}", "challenge_response", cmw))) {
		message = message_read(in);
		rc = print_identity(message);
		json_decref(message);
	}
	return rc;
}

int main(int argc, char **argv)
{
	FILE *in, *out;
	int fd, rc;

	if (argc != 4) {
		fprintf(stderr, "usage: node_agent SERVER AUDIENCE SOCKET\n");
		return 2;
	}
	/* a real agent does this by TLS, and knows that it is its own domain's server: that is
	 * what keeps somebody in between from having another server's challenge answered here */
	fd = net_connect(argv[1]);
	if (fd < 0)
		return 1;
	net_patience(fd, PATIENCE);
	curl_global_init(CURL_GLOBAL_DEFAULT);
	in = fdopen(fd, "r");
	out = fdopen(dup(fd), "w");
	rc = in && out ? attest(in, out, argv[2], argv[3]) : 1;
	curl_global_cleanup();
	return rc;
}
