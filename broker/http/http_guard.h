/* May a request that somebody outside could have directed go to this address? Pure. */
#ifndef BROKER_HTTP_GUARD_H
#define BROKER_HTTP_GUARD_H

#include <stdbool.h>

#include <sys/socket.h>

/*
 * False for what is not reached over the public network: loopback, private and link-local ranges, carriers' shared
 * ones, multicast, reserved and unspecified addresses, also where IPv6 carries one of IPv4, and other families.
 */
bool http_guard_is_public(const struct sockaddr *address);

#endif
