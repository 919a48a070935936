#!/bin/bash
# shellcheck disable=SC2034,SC2154 # the files of this folder share their variables
# What the demonstration's output looks like: lines of at most 84 columns, colour and a live line on a terminal only.

# Texts and times look alike everywhere: UTC as in the API and the logs, and a dot in fractions of a second.
case ${LC_ALL:-${LC_CTYPE:-${LANG:-}}} in
*[Uu][Tt][Ff]*8*) full=● empty=○ dash=─ tick=✓ dots=… ;;
*) full='#' empty=. dash=- tick=ok dots=... ;;
esac
export LC_ALL=C.UTF-8 TZ=UTC0

bold='' dim='' green='' yellow='' red='' plain='' live=
if [[ -t 1 && ${TERM:-dumb} != dumb ]]; then
	live=1
	if [[ -z ${NO_COLOR:-} ]]; then
		bold=$'\e[1m' dim=$'\e[2m' green=$'\e[32m' yellow=$'\e[33m' red=$'\e[31m' plain=$'\e[0m'
	fi
fi

# Unix time in milliseconds.
now_ms() {
	local us=${EPOCHREALTIME/./}
	echo $((us / 1000))
}

# clock MS: the time of day, 12:34:56.789.
clock() {
	printf '%(%H:%M:%S)T.%03d' $(($1 / 1000)) $(($1 % 1000))
}

# seconds MS: 12.3
seconds() {
	printf '%d.%d' $(($1 / 1000)) $(($1 % 1000 / 100))
}

# within MS: how far from now that is, in words.
within() {
	local left=$(($1 - $(now_ms)))
	if ((left > 0)); then
		echo "in $(seconds "$left") s"
	else
		echo now
	fi
}

# Where the story stands: seconds since its first word.
stamp() {
	printf '%s%5s s%s  ' "$dim" "$(seconds $(($1 - story_ms)))" "$plain"
}

say() {
	printf '%s\n' "$*"
}

note() {
	printf '         %s%s%s\n' "$dim" "$*" "$plain"
}

chapter() {
	local line
	printf -v line '%*s' 80 ''
	printf '\n%s%s%s\n%s%s%s\n' "$bold" "$1" "$plain" "$dim" "${line// /$dash}" "$plain"
}

# good TEXT, later TEXT: a word that the eye should find.
good() {
	printf '%s%s%s' "$green" "$1" "$plain"
}

later() {
	printf '%s%s%s' "$yellow" "$1" "$plain"
}

# beads FREE ALL: the bucket, a full bead for each free token.
beads() {
	local i out=
	for ((i = 1; i <= $2; i++)); do
		if ((i <= $1)); then out+=$full; else out+=$empty; fi
	done
	printf '%s' "$out"
}

# One line that is written over; it is only there on a terminal.
live_line() {
	[[ -z $live ]] || printf '\r\e[K%s%s%s' "$dim" "$*" "$plain"
}

live_end() {
	[[ -z $live ]] || printf '\r\e[K'
}

# wait_till MS WHAT: sleeps until that moment, which the story knows, and shows how long it still is.
wait_till() {
	local left
	while left=$(($1 - $(now_ms))) && ((left > 0)); do
		live_line "         $2 $dots $(seconds "$left") s"
		if [[ -n $live ]] && ((left > 100)); then left=100; fi
		sleep "$((left / 1000)).$(printf '%03d' $((left % 1000)))"
	done
	live_end
}

# poll MS COMMAND...: tries until the command succeeds; fails after so many milliseconds.
poll() {
	local till=$(($(now_ms) + $1))
	shift
	until "$@"; do
		(($(now_ms) < till)) || return 1
		sleep 0.02
	done
}
