#!/bin/bash
# shellcheck disable=SC2034,SC2154 # the files of this folder share their variables
# Calls of the broker's API and looks into the application's log. Tokens are read from files, so that no process
# has one among its arguments.

graph=/v1.0/identityGovernance/privilegedAccess/group

# Times of the API in Unix milliseconds; 0 where there is none.
jq_times='def ms: if . == null then 0 else (sub("\\.[0-9]+Z$"; "Z") | fromdateiso8601) * 1000
	+ ((capture("\\.(?<f>[0-9]{3})[0-9]*Z$") | .f | tonumber) // 0) end;'

# call PERSON METHOD PATH ANSWER [BODY]: the answer goes to that file; sets http_status.
call() {
	local body=()
	[[ $# -lt 5 ]] || body=(-H 'Content-Type: application/json' --data "$5")
	http_status=$(curl -sS --max-time 10 -X "$2" -H "@$demo/tokens/$1" "${body[@]}" -o "$demo/answers/$4" \
		-w '%{http_code}' "$broker_url$3" 2>>"$demo/answers/curl.log")
}

# get ANSWER FILTER: one value or several, separated by tabs.
get() {
	jq -r "$jq_times $2" "$demo/answers/$1" 2>>"$demo/answers/curl.log"
}

# activation PERSON GROUP EXPIRATION: the body of an activation.
activation() {
	jq -cn --arg principal "${person_id[$1]}" --arg group "${group_id[$2]}" --argjson expiration "$3" \
		'{action: "selfActivate", accessId: "member", principalId: $principal, groupId: $group,
		justification: "Shown in the demonstration", scheduleInfo: {expiration: $expiration}}'
}

deactivation() {
	jq -cn --arg principal "${person_id[$1]}" --arg group "${group_id[$2]}" \
		'{action: "selfDeactivate", accessId: "member", principalId: $principal, groupId: $group}'
}

# How the person's request stands now: sets request_status and request_state.
look_at() {
	call "$1" GET "$graph/assignmentScheduleRequests/${request_id[$1]}" "now-$1.json"
	IFS=$'\t' read -r request_status request_state < <(get "now-$1.json" '[.status, .provisioning.state] | @tsv')
}

stands_at() {
	look_at "$1" && [[ $request_state == "$2" ]]
}

# The application as the operator sees it: sets bucket_free, bucket_next, deferred, removals, cycle_next, and of the
# cycle that runs cycle_began (0 when none does), cycle_total, cycle_done.
look_at_application() {
	call olga GET /api/applications/aws application.json
	[[ $http_status == 200 ]] || broken "GET /api/applications/aws answered $http_status"
	IFS=$'\t' read -r bucket_free bucket_next deferred removals cycle_next cycle_began cycle_total cycle_done \
		< <(get application.json '[.throttle.tokensFree, (.throttle.nextTokenDateTime | ms), .deferred,
			.removalsWaiting, (.cycle.nextDateTime | ms), (.cycle.current.startedDateTime | ms),
			.cycle.current.total // 0, .cycle.current.done // 0] | @tsv')
}

# The cycle that ran last: sets last_began, last_ended, last_total, last_pushes, last_failures.
look_at_last_cycle() {
	call olga GET /api/applications/aws application.json
	IFS=$'\t' read -r last_began last_ended last_total last_pushes last_failures \
		< <(get application.json '.cycle.last // {} | [(.startedDateTime | ms), (.endedDateTime | ms),
			.total // 0, .pushes // 0, .failures // 0] | @tsv')
}

# The person's id in the application, by the application's own look-up.
scim_id() {
	curl -sS --max-time 10 -G -H "@$demo/tokens/scim" "$scim_url/Users" \
		--data-urlencode "filter=userName eq \"$1@example.com\"" | jq -r '.Resources[0].id // empty'
}

scim_group_id() {
	curl -sS --max-time 10 -G -H "@$demo/tokens/scim" "$scim_url/Groups" \
		--data-urlencode "filter=displayName eq \"$1\"" | jq -r '.Resources[0].id // empty'
}

# arrived add|remove PERSON SINCE: the first PATCH since then, in the application's log, that adds or removes this
# person; sets patch_ms (received), patch_status and patch_members.
arrived() {
	patch_ms=
	[[ -n ${user_id[$2]:-} ]] || user_id[$2]=$(scim_id "$2")
	IFS=$'\t' read -r patch_ms patch_status patch_members < <(
		jq -rR --arg op "$1" --arg id "${user_id[$2]}" --argjson since "$3" 'fromjson?
			| select(.method == "PATCH" and .received_ms >= $since)
			| select(any(.body.Operations[]?; .op == $op and any(.value[]?; .value == $id)))
			| [.received_ms, .status, (.body.Operations[0].value | length)] | @tsv' "$demo/sandbox.jsonl"
	)
	[[ -n $patch_ms ]]
}

# Who is in the group, as the application knows it, on one line.
members_of() {
	curl -sS --max-time 10 "$sandbox_url/sandbox/state" |
		jq -r --arg group "$1" '.groups[$group] | if . == null then "no such group" else
			map(sub("@example.com$"; "")) | sort | join(" ") end'
}

# The most pushes that began or ended in one stretch of ten seconds, wherever it starts, and how many there were
# in all. The fullest stretch can be moved until it starts where a push begins or ends.
count_pushes() {
	jq -nrR '[inputs | fromjson? | select(.method == "PATCH" and (.path | contains("/Groups/")))
			| [.received_ms, .answered_ms]] as $pushes
		| [$pushes[][] as $from | [$pushes[] | select(any(.[]; . >= $from and . < $from + 10000))] | length]
		| [max // 0, ($pushes | length)] | @tsv' "$demo/sandbox.jsonl"
}

# What came to the application for amira's first push, one request a line: milliseconds after she asked, request,
# status. The group's look-up is part of her push; the confirmation ends it.
requests_of_first_push() {
	jq -nrR --arg id "${user_id[amira]}" --argjson asked "${asked_ms[amira]}" --arg dots "$dots" '
		def decoded: gsub("%20"; " ") | gsub("%22"; "\"") | gsub("%40"; "@");
		def shortened: gsub("(?<a>[0-9a-f]{6})[0-9a-f]*-[0-9a-f-]{20,}"; .a + $dots);
		[inputs | fromjson? | select(.received_ms >= $asked)] as $all
		| ([$all[] | .method == "PATCH" and (.body | tostring | contains($id))] | index(true)) as $patch
		| [$all[:$patch][] | select(.path + (.body | tostring)
			| contains("amira") or contains("displayName%20eq%20%22aws-admins"))] +
		  [$all[$patch]] + [first($all[$patch:][] | select(.method == "GET" and (.path | contains($id))))]
		| .[] | [.received_ms - $asked, .method, (.path | decoded | shortened | sub("^/scim/v2"; "")), .status] | @tsv' \
		"$demo/sandbox.jsonl"
}
