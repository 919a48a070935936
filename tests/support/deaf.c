/* A listener whose queue is full: Linux drops what comes then. */
#include "tests/support/deaf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

bool deaf_open(struct deaf *deaf)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr *any = (struct sockaddr *)&address;
	socklen_t len = sizeof(address);
	int on = 1;

	deaf->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	deaf->waiting = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (deaf->listener >= 0 && deaf->waiting >= 0 &&
	    setsockopt(deaf->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
	    bind(deaf->listener, any, len) == 0 && listen(deaf->listener, 0) == 0 &&
	    getsockname(deaf->listener, any, &len) == 0 && connect(deaf->waiting, any, len) == 0) {
		deaf->port = ntohs(address.sin_port);
		return true;
	}
	fprintf(stderr, "no deaf port: %s\n", strerror(errno));
	deaf_close(deaf);
	return false;
}

void deaf_close(struct deaf *deaf)
{
	int *const sockets[] = {&deaf->waiting, &deaf->listener};

	for (size_t i = 0; i < 2; i++) {
		if (*sockets[i] >= 0)
			close(*sockets[i]);
		*sockets[i] = -1;
	}
}
