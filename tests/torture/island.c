#include "tests/torture/island.h"

#include <fcntl.h>
#include <glob.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/proc.h"
#include "tests/support/wait.h"

#define DISK      "/tmp"
#define DISK_SIZE "size=512m,mode=1777"
#define FILLER    DISK "/filler"
#define PATIENCE  5000

static const char *const sets[] = {[CUT_ALL] = "cut", [CUT_ANSWERS] = "mute", [CUT_REFUSED] = "shut"};

static const char rules[] = "table inet torture {\n"
			    "set cut { type inet_service; }\n"
			    "set mute { type inet_service; }\n"
			    "set shut { type inet_service; }\n"
			    "chain out {\n"
			    "type filter hook output priority 0;\n"
			    "tcp dport @cut drop\n"
			    "tcp sport @cut drop\n"
			    "tcp sport @mute drop\n"
			    "tcp dport @shut reject with tcp reset\n"
			    "}\n}\n";

static bool has_ended(void *ctx)
{
	return !proc_alive(ctx);
}

static bool run(const char *log_path, const char *const *argv)
{
	struct proc proc;

	if (!proc_start(&proc, argv, NULL, log_path))
		return false;
	if (!wait_until(has_ended, &proc, PATIENCE)) {
		proc_kill9(&proc);
		return false;
	}
	return proc.wait_status == 0;
}

static bool raise_loopback(void)
{
	struct ifreq request = {.ifr_flags = IFF_UP};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool good;

	snprintf(request.ifr_name, sizeof(request.ifr_name), "lo");
	good = fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &request) == 0;
	if (fd >= 0)
		close(fd);
	return good;
}

static void find_clock(struct island *island)
{
	glob_t found;

	if (glob("/usr/lib/*/faketime/libfaketimeMT.so.1", 0, NULL, &found) == 0) {
		snprintf(island->clock_path, sizeof(island->clock_path), "%s", found.gl_pathv[0]);
		island->clock = island->clock_path;
	}
	globfree(&found);
}

void island_make(struct island *island, const char *log_path)
{
	const char *const argv[] = {"nft", rules, NULL};

	find_clock(island);
	if (unshare(CLONE_NEWNET) == 0)
		island->has_filter = raise_loopback() && run(log_path, argv);
	/* What is below it would be hidden. */
	if (strncmp(log_path, DISK "/", strlen(DISK "/")) != 0 && unshare(CLONE_NEWNS) == 0 &&
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0)
		island->has_disk = mount("torture", DISK, "tmpfs", MS_NOSUID | MS_NODEV, DISK_SIZE) == 0;
	printf("Packet filter: %s. Disk of its own: %s. Clocks that jump: %s.\n",
	       island->has_filter ? "yes" : "no", island->has_disk ? "yes" : "no",
	       island->clock != NULL ? "yes" : "no");
}

bool island_cut(const char *log_path, enum island_cut cut, int port, bool begin)
{
	char command[128];
	const char *const argv[] = {"nft", command, NULL};

	snprintf(command, sizeof(command), "%s element inet torture %s { %d }", begin ? "add" : "delete",
		 sets[cut], port);
	return run(log_path, argv);
}

void island_fill_disk(void)
{
	int fd = open(FILLER, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	off_t at = 0;

	/* In smaller and smaller pieces: others write meanwhile. */
	for (off_t piece = 1 << 20; fd >= 0 && piece >= 4096; piece /= 4)
		while (fallocate(fd, 0, at, piece) == 0)
			at += piece;
	if (fd >= 0)
		close(fd);
}

bool island_free_disk(void)
{
	return unlink(FILLER) == 0;
}
