#!/bin/bash
# shellcheck disable=SC2034,SC2154 # the files of this folder share their variables
# After the story: calls for the reader to try, until Ctrl-C.

show_calls() {
	local folder=${demo#"$PWD"/}
	chapter "Now you: all three stay up until Ctrl-C. Lines for another terminal, here:"
	cat <<-END
		B=$broker_url G=\$B$graph
		AMIRA='Authorization: Bearer ${token_of[amira]}'
		OLGA='Authorization: Bearer ${token_of[olga]}'

		${dim}# Amira activates aws-admins for a minute (5 s to 10 min are allowed):$plain
		curl -s -H "\$AMIRA" \$G/assignmentScheduleRequests --json '{
		  "action": "selfActivate", "accessId": "member", "justification": "trying it out",
		  "groupId": "$admins",
		  "scheduleInfo": {"expiration": {"type": "afterDuration", "duration": "PT1M"}}}' | jq

		${dim}# What she has now, and what she has asked for:$plain
		curl -s -H "\$AMIRA" "\$G/assignmentScheduleInstances/filterByCurrentUser(on='principal')" | jq
		curl -s -H "\$AMIRA" "\$G/assignmentScheduleRequests/filterByCurrentUser(on='principal')" | jq

		${dim}# She gives it back:$plain
		curl -s -H "\$AMIRA" \$G/assignmentScheduleRequests --json '{
		  "action": "selfDeactivate", "accessId": "member",
		  "groupId": "$admins"}' | jq

		${dim}# The bucket, the queue and the cycle; the broker's figures:$plain
		curl -s -H "\$OLGA" \$B/api/applications/aws | jq
		curl -s \$B/metrics

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
