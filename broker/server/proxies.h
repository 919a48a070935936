/*
 * The balancers in front of the broker, and whom they speak for. What anybody else says about that is not believed: a header
 * field is easily written.
 */
#ifndef SERVER_PROXIES_H
#define SERVER_PROXIES_H

#include <stdbool.h>
#include <stddef.h>

#define PEER_SIZE 46 /* an address as text; "unix" for a peer on a socket of this machine */

struct proxies;

/* Each word is "unix", an address or a network ("10.0.0.0/8"); they are not kept. NULL without memory. */
struct proxies *proxies_new(const char *const *words, size_t count);
void proxies_free(struct proxies *proxies); /* NULL is fine */

/* Is that peer one of them? */
bool proxies_trust(const struct proxies *proxies, const char *peer);

/*
 * Reads one X-Forwarded-For, after those that came before it: `caller`, at first the peer, becomes the last address that is no
 * proxy of ours. Each proxy adds whom it has seen at the end, so that only what stands behind a lie is true. What is not an
 * address ends in `peer`: nothing before it is believed.
 */
void proxies_follow(const struct proxies *proxies, const char *field, const char *peer,
		    char caller[PEER_SIZE]);

#endif
