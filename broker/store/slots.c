/* The slots of a Redis Cluster. A node may leave its own host out; then it is the one that was asked. */
#include "store/slots.h"

#include <stdio.h>
#include <string.h>

#define KEY_SIZE 24

/* CRC-16/XMODEM, bit by bit: keys are asked for seldom and are short. */
static unsigned crc16(const char *bytes, size_t len)
{
	unsigned crc = 0;
	for (size_t i = 0; i < len; i++) {
		crc ^= (unsigned)(unsigned char)bytes[i] << 8;
		for (int bit = 0; bit < 8; bit++)
			crc = (crc & 0x8000u) != 0 ? (crc << 1) ^ 0x1021u : crc << 1;
		crc &= 0xffffu;
	}
	return crc;
}

unsigned slot_of_key(const char *key)
{
	const char *open = strchr(key, '{');
	const char *close = open != NULL ? strchr(open, '}') : NULL;
	if (close != NULL && close > open + 1)
		return crc16(open + 1, (size_t)(close - open - 1)) % SLOTS;
	return crc16(key, strlen(key)) % SLOTS;
}

unsigned slot_of_lane(unsigned lane)
{
	char key[KEY_SIZE];
	(void)snprintf(key, sizeof(key), "{j%u}:", lane);
	return slot_of_key(key);
}

/* The index of the master at this address, which is added when it is new; MASTER_NONE when there is no room. */
static uint8_t master_index(struct slots *slots, const struct address *address)
{
	for (size_t i = 0; i < slots->count; i++)
		if (address_same(&slots->masters[i], address))
			return (uint8_t)i;
	if (slots->count >= MASTERS_MAX)
		return MASTER_NONE;
	slots->masters[slots->count] = *address;
	return (uint8_t)slots->count++;
}

/* One row: first slot, last slot, {host, port, ...} of the master, then its replicas. */
static bool read_row(struct slots *slots, const struct reply *row, const struct address *asked)
{
	const struct reply *master = reply_at(row, 2);
	int64_t first = reply_int(reply_at(row, 0)), last = reply_int(reply_at(row, 1));
	const char *host = reply_text(reply_at(master, 0));
	struct address address;
	char port[KEY_SIZE];
	if (reply_count(row) < 3 || reply_count(master) < 2 || first < 0 || last >= SLOTS || first > last)
		return false;
	(void)snprintf(port, sizeof(port), "%lld", (long long)reply_int(reply_at(master, 1)));
	/* "?" is a node that does not know the name of another. */
	if (strcmp(host, "?") == 0)
		return true;
	if (!address_make(&address, host[0] != '\0' ? host : asked->host, port, asked))
		return false;
	memset(slots->master_of + first, master_index(slots, &address), (size_t)(last - first + 1));
	return true;
}

bool slots_read(struct slots *slots, const struct reply *reply, const struct address *asked)
{
	slots->count = 0;
	memset(slots->master_of, MASTER_NONE, sizeof(slots->master_of));
	for (size_t i = 0; i < reply_count(reply); i++)
		if (!read_row(slots, reply_at(reply, i), asked))
			return false;
	return slots->count > 0;
}

bool slots_read_moved(const char *text, const struct address *from, unsigned *slot, struct address *to)
{
	static const char word[] = "MOVED ";
	char host[ADDRESS_HOST_SIZE];
	unsigned number = 0;
	if (strncmp(text, word, strlen(word)) != 0)
		return false;
	const char *at = text + strlen(word);
	if (*at < '0' || *at > '9')
		return false;
	for (; *at >= '0' && *at <= '9' && number < SLOTS; at++)
		number = number * 10 + (unsigned)(*at - '0');
	const char *port = strrchr(at, ':'); /* an IPv6 address has more of them */
	if (*at != ' ' || number >= SLOTS || port == NULL || (size_t)(port - at - 1) >= sizeof(host))
		return false;
	memcpy(host, at + 1, (size_t)(port - at - 1));
	host[port - at - 1] = '\0';
	*slot = number;
	return address_make(to, host[0] != '\0' ? host : from->host, port + 1, from);
}
