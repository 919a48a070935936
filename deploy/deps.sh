#!/bin/sh
# Installs the Debian packages (12 and 13) that the named steps need and that are missing: deps.sh build [test]
# [valgrind].
# Asks dpkg first, so that it is quick and needs no network when everything is there.
set -eu

build="gcc make pkgconf libc6-dev libmicrohttpd-dev libcjson-dev libhiredis-dev libcurl4-openssl-dev libuv1-dev
libyaml-dev libssl-dev libseccomp-dev redis-server tzdata curl jq"
test="perl python3-aiosmtpd libcmocka-dev clang libclang-rt-dev clang-format clang-tidy cppcheck shellcheck lua5.1 openssl universal-ctags chromium libfaketime nftables systemd systemd-container"

wanted=
for step in "$@"; do
	case $step in
	build) wanted="$wanted $build" ;;
	test)
		wanted="$wanted $test"
		# Node.js also comes in packages of other makers, whose nodejs brings npm with it and excludes Debian's.
		for program in node:nodejs npm:npm; do
			command -v "${program%:*}" >/dev/null || wanted="$wanted ${program#*:}"
		done
		# Tests of the store and of the function library, and some whole stories, run on each engine that is installed;
		# Valkey is in Debian from 13 on.
		[ "$(sed -n 's/^VERSION_ID="\{0,1\}\([0-9]*\).*/\1/p' /etc/os-release)" -lt 13 ] ||
			wanted="$wanted valkey-server"
		;;
	valgrind) wanted="$wanted valgrind" ;;
	*)
		echo "usage: $0 build [test] [valgrind]" >&2
		exit 2
		;;
	esac
done

if ! command -v dpkg-query >/dev/null; then
	# shellcheck disable=SC2086 # a list of words
	echo "This is no Debian: what is missing of these is for you to install:" $wanted >&2
	exit 0
fi
# shellcheck disable=SC2086 # a list of words
installed=$(dpkg-query -W -f '${Package}=${db:Status-Status} ' $wanted 2>/dev/null || true)
missing=
for package in $wanted; do
	case " $installed" in
	*" $package=installed "*) ;;
	*) missing="$missing $package" ;;
	esac
done
[ -n "$missing" ] || exit 0

as_root=
if [ "$(id -u)" -ne 0 ]; then
	as_root=sudo
fi
if ! command -v apt-get >/dev/null || { [ -n "$as_root" ] && ! command -v sudo >/dev/null; }; then
	echo "These packages are missing; install them, then try again:$missing" >&2
	exit 1
fi

echo "Installing:$missing" >&2
# The servers among them are started by the tests and the demonstration themselves, never by the package.
install() {
	# shellcheck disable=SC2086 # a list of words
	$as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
		apt-get install -y -qq --no-install-recommends $missing >&2
}
# The package lists of a fresh machine are empty, those of an old one point at packages that are gone.
if ! install; then
	$as_root apt-get update -qq >&2
	install || {
		echo "apt-get could not install:$missing" >&2
		exit 1
	}
fi
