#!/bin/bash
# shellcheck disable=SC2034,SC2154 # the files of this folder share their variables
# The story, chapter by chapter. Every step is checked; the first that is not as it should be ends the demonstration.

# Short times, said so to the reader; limit and window are the real ones.
cycle_s=12
amira_s=20 # her activation, and so on
early_s=40 # boris has so long, and gives it back
admins_s=32
billing_s=26 # all three end in the same moment, so long after the story's beginning
at_once_ms=1000 # "at once", also on a machine that is busy

declare -A body_of=() request_id=() user_id=() asked_ms=() end_ms=() http_of=() state_of=()
first_five=(amira boris chen dana elif)
checks=0

# sure TEXT EXPRESSION: counts a check; the expression is arithmetic.
sure() {
	checks=$((checks + 1))
	(($2)) || broken "$1 ($2)"
}

# same TEXT WANTED GIVEN
same() {
	checks=$((checks + 1))
	[[ $2 == "$3" ]] || broken "$1: '$3' instead of '$2'"
}

introduce() {
	local person version
	version=$(redis-server --version)
	version=${version#*v=}
	chapter "Group membership for as long as it is needed: the whole path, on real parts"
	printf '  %-13s %-33s %s\n' redis-server "${version%% *}, on a private socket" 'what is acknowledged is on disk' \
		scim-sandbox "$scim_url" 'as strict as AWS Identity Center' \
		jit-broker "$broker_url" "as ${demo#"$PWD"/}/jit-broker.yaml says"
	say
	say "  As in earnest: real SCIM over HTTP; 5 pushes at most in any 10 seconds."
	say "  Shortened:     the sync cycle, ${cycle_s} seconds instead of 40 minutes; activations,"
	say "                 seconds instead of hours. Times of day are UTC."
	say
	printf '  %s%-14s %-20s %s%s\n' "$dim" person 'may activate' 'token, new at every start' "$plain"
	for person in "${people[@]}"; do
		printf '  %-14s %-20s %s\n' "${full_name[$person]}" "${may[$person]}" "${token_of[$person]}"
	done
}

# Who is known in the application already is looked up before the story, so that its log holds the story alone.
know_users() {
	local person
	for person in boris chen dana elif farid; do
		user_id[$person]=$(scim_id "$person")
		[[ -n ${user_id[$person]} ]] || broken "the application does not know $person"
	done
}

# Waits until the next cycle is some seconds away: then the five tokens are still out when it begins, and its waiting
# for them can be seen.
wait_for_good_moment() {
	local left
	look_at_application
	left=$((cycle_next - $(now_ms)))
	if ((left > 8500)); then
		wait_till $((cycle_next - 8500)) "the next cycle comes at $(clock "$cycle_next"); the story begins in"
	elif ((left < 4500)); then
		wait_till $((cycle_next + cycle_s * 1000 - 8500)) "the story begins in"
	fi
	look_at_application
}

# ask PERSON: sends what the person is about to ask for, keeps the answer in a file.
ask() {
	asked_ms[$1]=$(now_ms)
	call "$1" POST "$graph/assignmentScheduleRequests" "$1.json" "${body_of[$1]}"
	http_of[$1]=$http_status
}

# The answer of a person who was granted what they asked for.
read_answer() {
	local status
	same "the answer to $1" 201 "${http_of[$1]}"
	IFS=$'\t' read -r "request_id[$1]" status "state_of[$1]" "end_ms[$1]" \
		< <(get "$1.json" '[.id, .status, .provisioning.state, (.provisioning.endDateTime | ms)] | @tsv')
	same "the status of $1's request" PendingProvisioning "$status"
}

# row PERSON GROUP LENGTH STATUS STATE ARRIVAL
row() {
	local state pad=$((10 - ${#5}))
	case $5 in
	pushing) state=$(good "$5") ;;
	*) state=$(later "$5") ;;
	esac
	printf '%s%-6s %-12s %-5s %s %s%*s %s\n' "$(stamp "${asked_ms[$1]}")" "$1" "$2" "$3" "$4" "$state" "$pad" '' "$6"
}

show_first_five() {
	local person length last=0
	printf '%s%9s%-6s %-12s %-5s %-14s %s%s\n' "$dim" '' who 'asks for' for answer 'at the application' "$plain"
	for person in "${first_five[@]}"; do
		read_answer "$person"
		same "$person's activation" pushing "${state_of[$person]}"
		poll 5000 arrived add "$person" "${asked_ms[$person]}" || broken "no PATCH arrived for $person"
		length="$(((end_ms[$person] - asked_ms[$person] + 500) / 1000)) s"
		row "$person" "${may[$person]}" "$length" 201 pushing \
			"PATCH $(good "$((patch_ms - asked_ms[$person])) ms") after the asking, $patch_status"
		sure "$person's PATCH arrived at once" "$patch_ms - ${asked_ms[$person]} <= $at_once_ms"
		same "the application's answer" 204 "$patch_status"
		last=$((patch_ms > last ? patch_ms : last))
	done
	five_ms=$((last - asked_ms[amira]))
	# The line above says how fast it was; a machine that is busy is no reason to stop.
	sure "five were pushed at once" "$five_ms <= 5 * $at_once_ms"
}

show_sixth() {
	local place
	read_answer farid
	same "the sixth activation" deferred "${state_of[farid]}"
	IFS=$'\t' read -r told_cycle place < <(get farid.json '[(.provisioning.nextCycleDateTime | ms),
		.provisioning.placeInQueue] | @tsv')
	same "the cycle that farid is told" "$cycle_next" "$told_cycle"
	same "farid's place in the queue" 1 "$place"
	! arrived add farid "${asked_ms[farid]}" || broken "farid was pushed without a token"
	row farid aws-admins "$admins_s s" 201 deferred "cycle at $(clock "$told_cycle"), place $place"
}

show_refused() {
	local code rule
	IFS=$'\t' read -r code rule < <(get grace.json '[.error.code, .error.details[0].rule // ""] | @tsv')
	same "the answer to grace" "400 RoleAssignmentRequestPolicyValidationFailed" "${http_of[grace]} $code"
	row grace aws-admins "60 s" 400 refused "$rule: nothing is pushed"
}

# What everybody is about to ask for, ready to be sent.
prepare_asking() {
	local person billing_end
	billing_end=$(($(now_ms) + billing_s * 1000))
	billing_end=$(printf '%(%FT%T)T.%03dZ' $((billing_end / 1000)) $((billing_end % 1000)))
	body_of[amira]=$(activation amira aws-admins "{\"type\":\"afterDuration\",\"duration\":\"PT${amira_s}S\"}")
	body_of[boris]=$(activation boris aws-admins "{\"type\":\"afterDuration\",\"duration\":\"PT${early_s}S\"}")
	for person in chen dana elif; do
		body_of[$person]=$(activation "$person" aws-billing \
			"{\"type\":\"afterDateTime\",\"endDateTime\":\"$billing_end\"}")
	done
	body_of[farid]=$(activation farid aws-admins "{\"type\":\"afterDuration\",\"duration\":\"PT${admins_s}S\"}")
	body_of[grace]=$(activation grace aws-admins '{"type":"afterDuration","duration":"PT1M"}')
}

people_ask() {
	chapter "1. Six people ask at once, and a seventh who may not"
	wait_for_good_moment
	prepare_asking
	story_ms=$(now_ms)
	for person in "${first_five[@]}" farid grace; do
		ask "$person"
	done
	show_first_five
	show_sixth
	show_refused
	say
	note "Five pushed within $five_ms ms, counted from before the first \`curl\` was started."
	note "Every answer was PendingProvisioning; the application has confirmed since:"
	for person in "${first_five[@]}"; do
		poll 5000 stands_at "$person" provisioned || broken "$person's request is $request_state"
		same "$person's status" Provisioned "$request_status"
	done
	show_members "boris amira" "chen dana elif"
}

# show_members ADMINS BILLING: checks and shows who is in the groups, as the application has it.
show_members() {
	local group wanted have
	for group in aws-admins aws-billing; do
		wanted=$(if [[ $group == aws-admins ]]; then echo "$1"; else echo "$2"; fi | tr ' ' '\n' | sort | xargs)
		have=$(members_of "$group")
		same "the members of $group" "$wanted" "$have"
		printf '           %-12s %s\n' "$group" "${have:-$(later 'nobody')}"
	done
}

show_requests() {
	local ms method path status count=0
	say
	note "The application did not know amira. Its log of her push:"
	while IFS=$'\t' read -r ms method path status; do
		printf '         %4s ms  %-5s %s  %s\n' "$ms" "$method" "$status" "$path"
		count=$((count + 1))
	done < <(requests_of_first_push)
	sure "amira's push looked up, created, added and confirmed" "$count >= 5"
}

show_bucket() {
	chapter "2. The bucket, as an operator sees it: GET /api/applications/aws"
	look_at_application
	printf '%s%s  %s of 5 tokens free; the next returns at %s (%s)\n' "$(stamp "$(now_ms)")" "$(beads "$bucket_free" 5)" \
		"$bucket_free" "$(clock "$bucket_next")" "$(within "$bucket_next")"
	printf '%9s  %d deferred, %d removals waiting; next cycle at %s (%s)\n' '' "$deferred" "$removals" \
		"$(clock "$cycle_next")" "$(within "$cycle_next")"
	same "free tokens after five pushes" 0 "$bucket_free"
	same "deferred activations" 1 "$deferred"
	sure "the next token returns ten seconds after a push has ended" \
		"$bucket_next >= $story_ms + 10000 && $bucket_next <= $story_ms + 10000 + 2 * $at_once_ms"
	note "A token returns ten seconds after its push has ended, so no ten seconds can"
	note "hold a sixth."
}

cycle_runs() {
	look_at_application
	((cycle_began > 0))
}

# Follows the bucket and the cycle on one line until farid's PATCH has arrived.
sixth_has_arrived() {
	if arrived add farid "${asked_ms[farid]}"; then
		return 0
	fi
	look_at_application
	live_line "         $(beads "$bucket_free" 5)  $bucket_free free, the cycle has done $cycle_done of $cycle_total; next token" \
		"$(within "$bucket_next")"
	return 1
}

deliver_sixth() {
	chapter "3. The sync cycle delivers the sixth"
	wait_till "$told_cycle" "the cycle begins in"
	poll 3000 cycle_runs || broken "the cycle of $(clock "$told_cycle") did not begin"
	printf '%scycle began at %s: %d of %d done, %d tokens free\n' "$(stamp "$cycle_began")" \
		"$(clock "$cycle_began")" "$cycle_done" "$cycle_total" "$bucket_free"
	sure "the cycle began when it was planned" "$cycle_began >= $told_cycle && $cycle_began <= $told_cycle + $at_once_ms"
	same "the cycle's progress" "0 of 1" "$cycle_done of $cycle_total"
	local began=$cycle_began # who looks once it is over sees none
	note "It pushes only while more than 3 tokens are free: who asks now comes first."
	poll 15000 sixth_has_arrived || broken "farid was not pushed by the cycle"
	live_end
	printf '%sfarid: PATCH arrived, %s; %s s after he asked, without asking again\n' "$(stamp "$patch_ms")" \
		"$patch_status" "$(good "$(seconds $((patch_ms - asked_ms[farid])))")"
	sure "the cycle waited for its tokens" "$patch_ms >= ${asked_ms[amira]} + 10000"
	sure "the cycle pushed as soon as it had them" "$patch_ms <= $story_ms + $five_ms + 10000 + 2 * $at_once_ms"
	poll 5000 stands_at farid provisioned || broken "farid's request is $request_state"
	poll 3000 cycle_is_over || broken "the cycle is not over"
	printf '%scycle over at %s: %d of %d done by %d push, %d failures\n' "$(stamp "$last_ended")" \
		"$(clock "$last_ended")" "$last_total" "$last_total" "$last_pushes" "$last_failures"
	same "what the cycle did" "1 1 0" "$last_total $last_pushes $last_failures"
}

cycle_is_over() {
	look_at_last_cycle
	((last_began == began))
}

deactivate_early() {
	local status state asked body
	chapter "4. Boris is done early: selfDeactivate"
	body=$(deactivation boris aws-admins)
	asked=$(now_ms)
	call boris POST "$graph/assignmentScheduleRequests" deactivate.json "$body"
	IFS=$'\t' read -r status state < <(get deactivate.json '[.status, .provisioning.state] | @tsv')
	same "the answer to boris" "201 Revoked" "$http_status $status"
	poll 5000 arrived remove boris "$asked" || broken "boris was not removed"
	printf '%sboris: %s %s; removal PATCH arrived %s after he asked, %s\n' "$(stamp "$asked")" "$http_status" "$status" \
		"$(good "$((patch_ms - asked)) ms")" "$patch_status"
	same "the application's answer" 204 "$patch_status"
	sure "boris was removed at once" "$patch_ms - $asked <= $at_once_ms"
	poll 5000 stands_at boris removed || broken "boris' request is $request_state"
	same "the status of boris' activation" Revoked "$request_status"
	show_members "amira farid" "chen dana elif"
}

# expect_end PERSON...: who end in the same moment. Shows their removal when it has arrived.
expect_end() {
	local person first=$1 end=${end_ms[$1]} names="$*" patches=() late=0
	wait_till "$end" "$names: the time ends in"
	for person in "$@"; do
		poll 5000 arrived remove "$person" "${asked_ms[$person]}" || broken "$person was not removed at the end"
		sure "$person was not removed before the end" "$patch_ms >= $end"
		same "the application's answer" 204 "$patch_status"
		late=$((patch_ms - end > late ? patch_ms - end : late))
		patches+=("$patch_ms")
	done
	sure "${names// /, }: removed within a second of the end" "$late <= 1000"
	same "members in the removal PATCH" $# "$patch_members"
	printf '%s%-15s %-12s %s   PATCH %s after the end, %d member%s\n' "$(stamp "$end")" "$names" "${may[$first]}" \
		"$(clock "$end")" "$(good "$late ms")" "$patch_members" "$( (($# == 1)) || echo s)"
	for person in "$@"; do
		poll 5000 stands_at "$person" removed || broken "$person's request is $request_state"
	done
}

times_end() {
	chapter "5. Time ends"
	printf '%s%9s%-15s %-12s %-14s %s%s\n' "$dim" '' who group 'ends at' 'at the application' "$plain"
	expect_end amira
	expect_end chen dana elif
	expect_end farid
	note "Farid's time began when he asked, as in Graph; his wait is part of it."
}

what_is_left() {
	local most all
	chapter "6. What is left"
	show_members '' ''
	IFS=$'\t' read -r most all < <(count_pushes)
	sure "no more than five pushes began or ended within ten seconds" "$most <= 5"
	sure "the pushes of this story" "$all == 10"
	say
	printf '         %d pushes gave and took 6 memberships. The most that began or ended in any ten\n' "$all"
	printf '         seconds: %s, of 5 that are allowed.\n' "$(good "$most")"
	# That it runs as root is the reader's doing, not the story's.
	same "warnings and errors in the broker's log" '' \
		"$(grep -E 'level=(warn|error)' "$demo/jit-broker.log" | grep -v ' event=root ')"
}

all_well() {
	printf '\n%s%s%s  All as it should be: %d checks, %s seconds.\n' "$green" "$tick" "$plain" "$checks" \
		"$(seconds $(($(now_ms) - story_ms)))"
}

play() {
	local person five_ms=0 told_cycle=0
	know_users
	people_ask
	show_requests
	show_bucket
	deliver_sixth
	deactivate_early
	times_end
	what_is_left
}
