/* One thread, one poll loop; the test's calls change its state under the lock and wake it. */
#include "tests/support/redis_gate.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "tests/support/wait.h"

#define LINKS_MAX   16
#define PENDING_MAX (64 * 1024 * 1024)
#define CHUNK       65536
#define TEXT_MAX    64

/* One direction of a connection: what was read at `from` waits here for `to`. */
struct way {
	int from, to;
	struct buf pending;
	size_t written;
};

struct link {
	bool open;
	struct way ways[2]; /* by enum gate_way */
};

struct gate_work {
	pthread_t thread;
	pthread_mutex_t lock;
	int listener, wake[2];
	char target[96];
	bool stop;
	bool armed;   /* looks for `text` in requests */
	bool holding; /* has found it */
	enum gate_way way;
	char text[TEXT_MAX];
	char tail[TEXT_MAX]; /* the end of what was read last: `text` may be cut in two */
	size_t tail_len;
	struct link links[LINKS_MAX];
};

/* -- connections ------------------------------------------------------------------------------------------- */

static bool set_address(struct sockaddr_un *address, const char *path)
{
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	return (size_t)snprintf(address->sun_path, sizeof(address->sun_path), "%s", path) <
	       sizeof(address->sun_path);
}

static int connect_to(const char *path)
{
	struct sockaddr_un address;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && set_address(&address, path) &&
	    connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
	    fcntl(fd, F_SETFL, O_NONBLOCK) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

static void link_close(struct link *link)
{
	if (!link->open)
		return;
	close(link->ways[GATE_REQUESTS].from);
	close(link->ways[GATE_REPLIES].from);
	buf_release(&link->ways[GATE_REQUESTS].pending);
	buf_release(&link->ways[GATE_REPLIES].pending);
	link->open = false;
}

static void link_open(struct link *link, int client, int server)
{
	link->open = true;
	link->ways[GATE_REQUESTS] = (struct way){.from = client, .to = server};
	link->ways[GATE_REPLIES] = (struct way){.from = server, .to = client};
	buf_init(&link->ways[GATE_REQUESTS].pending, PENDING_MAX);
	buf_init(&link->ways[GATE_REPLIES].pending, PENDING_MAX);
}

/* Redis that is away is a connection that closes, as it would be without the gate. */
static void accept_one(struct gate_work *work)
{
	int client = accept4(work->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	int server = client < 0 ? -1 : connect_to(work->target);

	for (size_t i = 0; server >= 0 && i < LINKS_MAX; i++) {
		if (!work->links[i].open) {
			link_open(&work->links[i], client, server);
			return;
		}
	}
	if (client >= 0)
		close(client);
	if (server >= 0)
		close(server);
}

/* -- bytes ------------------------------------------------------------------------------------------------- */

static bool is_held(const struct gate_work *work, enum gate_way way)
{
	return work->holding && work->way == way;
}

/* Is `text` in these bytes, or across their beginning? Keeps their end for the next. */
static bool finds_text(struct gate_work *work, const char *bytes, size_t len)
{
	char joint[TEXT_MAX * 2];
	size_t head = len < TEXT_MAX ? len : TEXT_MAX;
	size_t text_len = strlen(work->text), keep = len < text_len ? len : text_len;
	bool found;

	memcpy(joint, work->tail, work->tail_len);
	memcpy(joint + work->tail_len, bytes, head);
	found = memmem(joint, work->tail_len + head, work->text, text_len) != NULL ||
		memmem(bytes, len, work->text, text_len) != NULL;
	memcpy(work->tail, bytes + len - keep, keep);
	work->tail_len = keep;
	return found;
}

/* False when the connection has ended. */
static bool take_in(struct gate_work *work, struct link *link, enum gate_way way)
{
	char bytes[CHUNK];
	ssize_t len = read(link->ways[way].from, bytes, sizeof(bytes));

	if (len <= 0)
		return len < 0 && (errno == EAGAIN || errno == EINTR);
	if (way == GATE_REQUESTS && work->armed && !work->holding && finds_text(work, bytes, (size_t)len))
		work->holding = true;
	buf_add(&link->ways[way].pending, bytes, (size_t)len);
	return !buf_failed(&link->ways[way].pending);
}

/* False when the connection has ended. */
static bool give_out(struct way *way)
{
	ssize_t len = send(way->to, way->pending.data + way->written, way->pending.len - way->written,
			   MSG_NOSIGNAL);

	if (len < 0)
		return errno == EAGAIN || errno == EINTR;
	way->written += (size_t)len;
	if (way->written == way->pending.len) {
		buf_clear(&way->pending);
		way->written = 0;
	}
	return true;
}

static bool has_to_give(const struct gate_work *work, const struct link *link, enum gate_way way)
{
	return link->ways[way].pending.len > 0 && !is_held(work, way);
}

static void serve_link(struct gate_work *work, struct link *link, const struct pollfd polls[2])
{
	const short ended = POLLERR | POLLHUP;
	bool ok = true;

	for (int way = 0; way < 2; way++)
		if (polls[way].revents & (POLLIN | ended))
			ok = ok && take_in(work, link, (enum gate_way)way);
	for (int way = 0; way < 2; way++)
		if (ok && has_to_give(work, link, (enum gate_way)way))
			ok = give_out(&link->ways[way]);
	if (!ok)
		link_close(link);
}

/* -- the thread -------------------------------------------------------------------------------------------- */

struct polls {
	struct pollfd fds[2 + 2 * LINKS_MAX];
	struct link *links[LINKS_MAX];
	size_t count; /* links */
};

static void collect(struct gate_work *work, struct polls *polls)
{
	polls->fds[0] = (struct pollfd){.fd = work->wake[0], .events = POLLIN};
	polls->fds[1] = (struct pollfd){.fd = work->listener, .events = POLLIN};
	polls->count = 0;
	for (size_t i = 0; i < LINKS_MAX; i++) {
		struct link *link = &work->links[i];
		struct pollfd *fds = &polls->fds[2 + 2 * polls->count];

		if (!link->open)
			continue;
		for (int way = 0; way < 2; way++) {
			/* Each end is read for one way and written to for the other. */
			bool gives = has_to_give(work, link, (enum gate_way)(1 - way));

			fds[way] = (struct pollfd){.fd = link->ways[way].from,
						   .events = (short)(POLLIN | (gives ? POLLOUT : 0))};
		}
		polls->links[polls->count++] = link;
	}
}

static void *run(void *ctx)
{
	struct gate_work *work = ctx;
	struct polls polls;
	char drain[64];
	bool stop = false;

	while (!stop) {
		pthread_mutex_lock(&work->lock);
		collect(work, &polls);
		pthread_mutex_unlock(&work->lock);
		(void)poll(polls.fds, (nfds_t)(2 + 2 * polls.count), -1);
		pthread_mutex_lock(&work->lock);
		if (polls.fds[0].revents & POLLIN)
			(void)!read(work->wake[0], drain, sizeof(drain));
		for (size_t i = 0; i < polls.count; i++)
			if (polls.links[i]->open)
				serve_link(work, polls.links[i], &polls.fds[2 + 2 * i]);
		if (polls.fds[1].revents & POLLIN)
			accept_one(work);
		stop = work->stop;
		pthread_mutex_unlock(&work->lock);
	}
	return NULL;
}

static void wake(struct gate_work *work)
{
	(void)!write(work->wake[1], "", 1);
}

/* -- what the test calls ----------------------------------------------------------------------------------- */

static bool listen_at(struct gate_work *work, const char *path)
{
	struct sockaddr_un address;

	work->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return work->listener >= 0 && set_address(&address, path) &&
	       bind(work->listener, (struct sockaddr *)&address, sizeof(address)) == 0 &&
	       listen(work->listener, LINKS_MAX) == 0 && pipe2(work->wake, O_CLOEXEC | O_NONBLOCK) == 0;
}

bool redis_gate_start(struct redis_gate *gate, const char *dir, const char *target)
{
	struct gate_work *work = calloc(1, sizeof(*work));

	*gate = (struct redis_gate){.work = work};
	if (work == NULL)
		return false;
	pthread_mutex_init(&work->lock, NULL);
	if ((size_t)snprintf(gate->path, sizeof(gate->path), "%s/gate", dir) < sizeof(gate->path) &&
	    (size_t)snprintf(work->target, sizeof(work->target), "%s", target) < sizeof(work->target) &&
	    listen_at(work, gate->path) && pthread_create(&work->thread, NULL, run, work) == 0) {
		(void)snprintf(gate->url, sizeof(gate->url), "unix:%s", gate->path);
		return true;
	}
	perror(gate->path);
	pthread_mutex_destroy(&work->lock);
	free(work);
	gate->work = NULL;
	return false;
}

void redis_gate_stop(struct redis_gate *gate)
{
	struct gate_work *work = gate->work;

	if (work == NULL)
		return;
	pthread_mutex_lock(&work->lock);
	work->stop = true;
	pthread_mutex_unlock(&work->lock);
	wake(work);
	pthread_join(work->thread, NULL);
	for (size_t i = 0; i < LINKS_MAX; i++)
		link_close(&work->links[i]);
	close(work->listener);
	close(work->wake[0]);
	close(work->wake[1]);
	unlink(gate->path);
	pthread_mutex_destroy(&work->lock);
	free(work);
	gate->work = NULL;
}

void redis_gate_hold(struct redis_gate *gate, enum gate_way way, const char *text)
{
	struct gate_work *work = gate->work;

	pthread_mutex_lock(&work->lock);
	work->armed = true;
	work->holding = false;
	work->way = way;
	work->tail_len = 0;
	(void)snprintf(work->text, sizeof(work->text), "%s", text);
	pthread_mutex_unlock(&work->lock);
	wake(work);
}

static bool holds_something(void *ctx)
{
	struct gate_work *work = ctx;
	bool holds = false;

	pthread_mutex_lock(&work->lock);
	for (size_t i = 0; i < LINKS_MAX; i++)
		holds = holds || (work->links[i].open && work->holding &&
				  work->links[i].ways[work->way].pending.len > 0);
	pthread_mutex_unlock(&work->lock);
	return holds;
}

bool redis_gate_wait_held(struct redis_gate *gate, int64_t timeout_ms)
{
	return wait_until(holds_something, gate->work, timeout_ms);
}

void redis_gate_release(struct redis_gate *gate)
{
	pthread_mutex_lock(&gate->work->lock);
	gate->work->armed = gate->work->holding = false;
	pthread_mutex_unlock(&gate->work->lock);
	wake(gate->work);
}

void redis_gate_cut(struct redis_gate *gate)
{
	struct gate_work *work = gate->work;

	pthread_mutex_lock(&work->lock);
	work->armed = work->holding = false;
	for (size_t i = 0; i < LINKS_MAX; i++)
		link_close(&work->links[i]);
	pthread_mutex_unlock(&work->lock);
	wake(work);
}
