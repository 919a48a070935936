#!/bin/bash
# shellcheck disable=SC2034,SC2154 # the files of this folder share their variables
# The three processes of the demonstration: started as private children on ports that the kernel chooses, ended in
# the order in which they depend on each other. All that they leave lies in the demonstration's folder.

stop_ms=25000 # longer than the broker's own limit
declare -A pid_of=()

# The people. Amira is not yet known in the application: her first push creates her.
people=(amira boris chen dana elif farid grace olga)
declare -A full_name=([amira]='Amira Haddad' [boris]='Boris Novak' [chen]='Chen Wei' [dana]='Dana Okafor'
	[elif]='Elif Kaya' [farid]='Farid Rahimi' [grace]='Grace Moreau' [olga]='Olga Lind')
declare -A person_id=() token_of=()
admins=11111111-2222-4333-8444-555555555555
billing=66666666-7777-4888-8999-aaaaaaaaaaaa
declare -A group_id=([aws-admins]=$admins [aws-billing]=$billing)
declare -A may=([amira]=aws-admins [boris]=aws-admins [chen]=aws-billing [dana]=aws-billing [elif]=aws-billing
	[farid]=aws-admins [grace]='neither' [olga]='neither: an operator')

# The folder is this demonstration's alone as long as it, or one of its processes, lives.
take_folder() {
	mkdir -p "$demo" && demo=$(cd "$demo" && pwd) && exec 9<>"$demo/lock" || exit 2
	if ! flock -n 9; then
		echo "demo: another demonstration is running in $demo (process $(<"$demo/lock"))." >&2
		echo "      End it there with Ctrl-C, or play this one elsewhere: DEMO_DIR=var/demo2 make demo" >&2
		exit 2
	fi
	echo $$ >"$demo/lock"
	chmod 700 "$demo"
	rm -rf "$demo"/{redis,tokens,answers} "$demo"/*.{log,jsonl,yaml,conf,pid,token}
	mkdir -p "$demo"/{redis,tokens,answers}
	redis_socket=$demo/redis.sock
	# A socket's path has 107 bytes at most, and this checkout may lie deep.
	if ((${#redis_socket} > 107)); then
		socket_folder=$(mktemp -d) || exit 2
		redis_socket=$socket_folder/redis.sock
	fi
	rm -f "$redis_socket"
}

# launch NAME LOG COMMAND...: in a session of its own, so that Ctrl-C reaches this script alone, which then ends the
# parts in order; and ended by the kernel, should this script die without doing so.
launch() {
	local name=$1 log=$2
	shift 2
	setsid setpriv --pdeathsig TERM "$@" </dev/null >>"$log" 2>&1 &
	pid_of[$name]=$!
	echo $! >"$demo/$name.pid"
}

running() {
	[[ -n ${pid_of[$1]:-} ]] && kill -0 "${pid_of[$1]}" 2>/dev/null
}

random_hex() {
	od -An -v -N"$1" -tx1 /dev/urandom | tr -d ' \n'
}

make_uuid() {
	local h
	h=$(random_hex 16)
	echo "${h:0:8}-${h:8:4}-4${h:13:3}-8${h:17:3}-${h:20:12}"
}

redis_answers() {
	[[ $(redis-cli -s "$redis_socket" ping 2>/dev/null) == PONG ]]
}

# starts NAME CONDITION...: waits until the condition holds; says so when it does not, or when the process has ended.
starts() {
	local name=$1
	shift
	poll 15000 eval "$* || ! running $name"
	running "$name" || broken "$name has ended at its start"
	"$@" || broken "$name did not start"
}

# The settings of an earnest installation, but for the places.
start_redis() {
	{
		grep -vE '^(dir|unixsocket|unixsocketperm) ' deploy/redis.conf
		printf 'dir "%s"\nunixsocket "%s"\nunixsocketperm 700\n' "$demo/redis" "$redis_socket"
	} >"$demo/redis.conf"
	launch redis "$demo/redis.log" redis-server "$demo/redis.conf"
	starts redis redis_answers
}

# The sandbox says "listening on http://127.0.0.1:PORT/scim/v2".
read_scim_url() {
	scim_url=$(sed -n 's|.*listening on \(http://[^ ]*\).*|\1|p' "$demo/scim-sandbox.log" | tail -n 1)
	[[ -n $scim_url ]]
}

start_sandbox() {
	local person arguments=()
	for person in boris chen dana elif farid grace; do
		arguments+=(--user "$person@example.com")
	done
	(umask 077 && random_hex 24 >"$demo/sandbox.token")
	printf 'Authorization: Bearer %s\n' "$(<"$demo/sandbox.token")" >"$demo/tokens/scim"
	launch scim-sandbox "$demo/scim-sandbox.log" "$build/scim-sandbox" --listen 127.0.0.1:0 \
		--token-file "$demo/sandbox.token" --log "$demo/sandbox.jsonl" --group aws-admins --group aws-billing \
		"${arguments[@]}"
	starts scim-sandbox read_scim_url
	sandbox_url=${scim_url%/scim/v2}
}

write_person() {
	local person=$1 token given=${full_name[$1]% *} family=${full_name[$1]#* }
	token=$person-$(random_hex 12)
	person_id[$person]=$(make_uuid)
	token_of[$person]=$token
	printf 'Authorization: Bearer %s\n' "$token" >"$demo/tokens/$person"
	echo "$token" >"$demo/tokens/$person.token"
	cat <<-END
		  - id: ${person_id[$person]}
		    user_name: $person@example.com
		    display_name: ${full_name[$person]}
		    given_name: $given
		    family_name: $family
		    email: $person@example.com
		    token_sha256: $(printf %s "$token" | sha256sum | cut -d' ' -f1)
		    operator: $([[ $person == olga ]] && echo true || echo false)
	END
}

write_group() {
	local name=$1
	shift
	local IFS=,
	cat <<-END
		  - id: ${group_id[$name]}
		    application: aws
		    name: $name
		    eligible: {principals: [${*/%/@example.com}]}
		    activation: {max: 10m, min: 5s, default: 1m, justification: required}
	END
}

# Written by the demonstration; the broker that is started from it chooses a free port, which then stays.
write_configuration() {
	local person
	cat <<-END
		# Made by the demonstration; made anew each time. deploy/jit-broker.yaml explains every setting.
		environment: demo
		listen: 127.0.0.1:0
		redis: {url: "unix:$redis_socket"}
		applications:
		  - id: aws
		    scim: {url: "$scim_url", token: "file:sandbox.token"}
		    throttle: {pushes: 5, per: 10s}
		    cycle: ${cycle_s}s # 40m, were this not a demonstration
		    # What else a cycle does takes tokens too: left out, so that every token here is a push.
		    check_drift: false
		    users: {update: false}
		groups:
	END
	write_group aws-admins amira boris farid
	write_group aws-billing chen dana elif
	echo people:
	for person in "${people[@]}"; do
		write_person "$person"
	done
}

read_broker_port() {
	broker_port=$(sed -n 's/.*event=listening .*port=\([0-9]*\).*/\1/p' "$demo/jit-broker.log" | tail -n 1)
	[[ -n $broker_port ]]
}

broker_ready() {
	curl -sf -o "$demo/answers/ready.json" "$broker_url/readyz"
}

start_broker() {
	launch jit-broker "$demo/jit-broker.log" "$build/jit-broker" --config "$demo/jit-broker.yaml"
	starts jit-broker read_broker_port
	broker_url=http://127.0.0.1:$broker_port
	starts jit-broker broker_ready
}

start_parts() {
	umask 077
	start_redis
	start_sandbox
	write_configuration >"$demo/jit-broker.yaml"
	start_broker
	# A broker that is started again listens where the reader's lines point.
	sed -i "s/^listen: .*/listen: 127.0.0.1:$broker_port/" "$demo/jit-broker.yaml"
}

gone() {
	! running "$1"
}

# Ends the parts, the one that needs the others first; fails when one of them does not end well.
stop_parts() {
	local part status bad=0
	trap '' INT TERM HUP
	for part in jit-broker scim-sandbox redis; do
		if running "$part"; then
			kill -TERM "${pid_of[$part]}"
			poll "$stop_ms" gone "$part" || kill -KILL "${pid_of[$part]}"
		fi
		[[ -n ${pid_of[$part]:-} ]] || continue
		wait "${pid_of[$part]}"
		status=$?
		unset "pid_of[$part]"
		rm -f "$demo/$part.pid"
		if ((status != 0)); then
			echo "demo: $part ended with status $status" >&2
			bad=1
		fi
	done
	[[ -z ${socket_folder:-} ]] || rm -rf "$socket_folder"
	return $bad
}

# interrupted STATUS: ends everything, and the script with that status where all ended well.
interrupted() {
	live_end
	printf '\nStopping%s ' "$dots"
	stop_parts || set -- 1
	echo "stopped. What was written lies in ${demo#"$PWD"/}."
	exit "$1"
}

# broken WHAT: the story cannot go on; shows where to look.
broken() {
	local log
	live_end
	printf '\n%sNot as it should be:%s %s\n' "$red" "$plain" "$1" >&2
	for log in jit-broker.log scim-sandbox.log redis.log sandbox.jsonl; do
		[[ -s $demo/$log ]] || continue
		printf '\n--- the end of %s\n' "$demo/$log" >&2
		tail -n 12 "$demo/$log" | cut -c -400 >&2
	done
	exit 1
}
