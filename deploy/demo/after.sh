#!/bin/bash
# shellcheck disable=SC2034,SC2154 # the files of this folder share their variables
# After the story: calls for the reader to try, until Ctrl-C.

# The lines of deploy/demo/first-calls, which README.md shows too, for this demonstration's folder and programs.
first_calls() {
	sed "s|var/demo|${demo#"$PWD"/}|g; s|build/release|$build|g" deploy/demo/first-calls
}

# What a reader would do who copies them.
try_first_calls() {
	local answers=$demo/answers/first-calls.txt
	chapter "7. The lines of README.md"
	first_calls | bash -euo pipefail >"$answers" 2>&1 || broken "they fail: $(tail -n 3 "$answers")"
	sure "none of them is refused" "$(grep -c '"error"' "$answers") == 0"
	sure "the first is granted" "$(grep -c '"status": "PendingProvisioning"' "$answers") > 0"
	poll 15000 nobody_left || broken "somebody is left in the groups"
	say "         A request of its own, what came of it, its end; the same with jit: all as README.md says."
}

nobody_left() {
	[[ -z $(members_of aws-admins) ]]
}

show_calls() {
	local folder=${demo#"$PWD"/}
	chapter "Now you: all three stay up until Ctrl-C. Lines for another terminal, here:"
	first_calls | sed "s|^#.*|$dim&$plain|"
	cat <<-END

		${dim}# The bucket, the queue and the cycle; the broker's figures:$plain
		curl -s \$JIT_SERVER/api/applications/aws -H @$folder/tokens/olga | jq
		curl -s \$JIT_SERVER/metrics

		${dim}# Who is in the groups, and every request that the application has seen:$plain
		curl -s $sandbox_url/sandbox/state | jq
		tail $folder/sandbox.jsonl

		${dim}# Make the application refuse the next change for five seconds, then activate again:$plain
		curl -s $sandbox_url/sandbox/faults \\
		  --json '{"rule": "PATCH /Groups once -> status 429 retry-after 5"}'

		${dim}# Kill the broker while a membership is in force: it is started again, nothing is lost.$plain
		kill -9 \$(cat $folder/jit-broker.pid)

		${dim}From here on: what arrives at the application, as it arrives.$plain
	END
}

# Shows every change of memberships that arrives at the application from now on, with the names of those it concerns.
follow_changes() {
	local group person names='{}'
	user_id[grace]=$(scim_id grace)
	for person in "${!user_id[@]}"; do
		names=$(jq -c --arg id "${user_id[$person]}" --arg name "$person" '.[$id] = $name' <<<"$names")
	done
	for group in "${!group_id[@]}"; do
		names=$(jq -c --arg id "$(scim_group_id "$group")" --arg name "$group" '.[$id] = $name' <<<"$names")
	done
	# Both end by themselves when this script has.
	tail -n 0 -s 0.1 --pid=$$ -f "$demo/sandbox.jsonl" 2>/dev/null 9>&- | jq --unbuffered -rR --argjson names "$names" '
		fromjson? | select(.method == "PATCH" and (.path | contains("/Groups/")))
		| (.received_ms / 1000 | floor | strftime("%T")) + "." + ((.received_ms + 1000) % 1000 + 1000 | tostring[1:])
		+ "  the application: PATCH " + ($names[.path | split("/")[-1]] // "a group") + ", "
		+ ([.body.Operations[]? | .op + " " + ([.value[]?.value | $names[.] // .] | join(", "))] | join("; "))
		+ ": " + (.status | tostring)' 9>&- &
}

# A broker that dies is started again, as systemd would; without the other two there is nothing to show.
stay() {
	local ended
	trap 'interrupted 0' INT
	show_calls
	follow_changes
	while true; do
		# Bash's own word about a killed child is not for the reader.
		wait -n -p ended "${pid_of[@]}" 2>/dev/null
		if [[ ${ended:-} != "${pid_of[jit-broker]}" ]]; then
			broken "one of the processes has ended"
		fi
		say "$(clock "$(now_ms)")  the broker has ended; it is started again"
		start_broker
		say "$(clock "$(now_ms)")  the broker is ready again at $broker_url"
	done
}
