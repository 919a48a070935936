local function jit_version()
	return VERSION
end

-- May the caller call that command on a key of a lane? Redis 8 wants as many words as the command takes, so they become
-- fewer until it knows the command; each is a key, because some commands take several.
local function is_permitted(command)
	local words = { unpack(command) }
	for _ = 1, 5 do
		words[#words + 1] = '{j0}:'
	end
	while #words >= #command do
		local known, permitted = pcall(redis.acl_check_cmd, unpack(words))
		if known then
			return permitted
		end
		words[#words] = nil
	end
	return false
end

-- The first command that the functions call and that Redis' access control denies the caller; '' when there is none. A
-- denied command would end a function half-way, and what it had written by then would stay.
local function jit_denied()
	for _, command in ipairs(COMMANDS) do
		if not is_permitted(command) then
			return table.concat(command, ' ')
		end
	end
	return ''
end

-- jit_store, read only: 1 = the lane has the data that ARGV[1] names (broker/store/setup.h); 0 = it is gone, or other data.
local function jit_store(keys, args)
	return redis.call('GET', keys[1] .. 'store') == args[1] and 1 or 0
end

-- What takes access away, or only carries out or ends what has begun, runs when Redis' memory is full (`allow-oom`): access
-- ends when it should. It leaves behind an audit event and a closed request at most. What gives access, or keeps what anybody
-- sends, does not.
redis.register_function({ function_name = 'jit_store', callback = jit_store, flags = { 'no-writes' } })
redis.register_function({ function_name = 'jit_version', callback = jit_version, flags = { 'no-writes' } })
redis.register_function({ function_name = 'jit_denied', callback = jit_denied, flags = { 'no-writes' } })
redis.register_function('jit_submit', jit_submit)
redis.register_function('jit_start', jit_start)
redis.register_function({ function_name = 'jit_refuse', callback = jit_refuse, flags = { 'allow-oom' } })
redis.register_function({ function_name = 'jit_policies', callback = jit_policies, flags = { 'allow-oom' } })
redis.register_function({ function_name = 'jit_plan_review', callback = jit_plan_review, flags = { 'allow-oom' } })
redis.register_function({ function_name = 'jit_review', callback = jit_review, flags = { 'no-writes' } })
redis.register_function({ function_name = 'jit_reviewed', callback = jit_reviewed, flags = { 'allow-oom' } })
redis.register_function({ function_name = 'jit_lose', callback = jit_lose, flags = { 'allow-oom' } })
redis.register_function({ function_name = 'jit_guard', callback = jit_guard, flags = { 'allow-oom' } })
redis.register_function({ function_name = 'jit_cancel', callback = jit_cancel, flags = { 'allow-oom' } })
redis.register_function('jit_decide', jit_decide)
redis.register_function('jit_message_refused', jit_message_refused)
redis.register_function({ function_name = 'jit_deactivate', callback = jit_deactivate, flags = { 'allow-oom' } })
redis.register_function({ function_name = 'jit_due', callback = jit_due, flags = { 'allow-oom' } })
redis.register_function({ function_name = 'jit_leave', callback = jit_leave, flags = { 'allow-oom' } })
redis.register_function({ function_name = 'jit_pump', callback = jit_pump, flags = { 'allow-oom' } })
redis.register_function('jit_plan_cycle', jit_plan_cycle)
redis.register_function('jit_cycle', jit_cycle)
redis.register_function({ function_name = 'jit_step_end', callback = jit_step_end, flags = { 'allow-oom' } })
redis.register_function('jit_drift_find', jit_drift_find)
redis.register_function({ function_name = 'jit_drift_page', callback = jit_drift_page, flags = { 'no-writes' } })
redis.register_function('jit_drift_found', jit_drift_found)
redis.register_function({ function_name = 'jit_drift_end', callback = jit_drift_end, flags = { 'allow-oom' } })
redis.register_function({ function_name = 'jit_push_check', callback = jit_push_check, flags = { 'no-writes' } })
redis.register_function({ function_name = 'jit_check_groups', callback = jit_check_groups, flags = { 'no-writes' } })
redis.register_function({ function_name = 'jit_check', callback = jit_check, flags = { 'no-writes' } })
redis.register_function({ function_name = 'jit_held', callback = jit_held, flags = { 'no-writes' } })
redis.register_function({ function_name = 'jit_push_order', callback = jit_push_order, flags = { 'allow-oom' } })
redis.register_function({ function_name = 'jit_push_end', callback = jit_push_end, flags = { 'allow-oom' } })
redis.register_function({ function_name = 'jit_users_take', callback = jit_users_take, flags = { 'allow-oom' } })
redis.register_function({ function_name = 'jit_users_go', callback = jit_users_go, flags = { 'allow-oom' } })
redis.register_function({ function_name = 'jit_users_end', callback = jit_users_end, flags = { 'allow-oom' } })
redis.register_function({ function_name = 'jit_operate', callback = jit_operate, flags = { 'allow-oom' } })
redis.register_function('jit_test_take', jit_test_take)
redis.register_function({ function_name = 'jit_test_end', callback = jit_test_end, flags = { 'allow-oom' } })
redis.register_function('jit_test_passed', jit_test_passed)
redis.register_function('jit_provision', jit_provision)
redis.register_function({ function_name = 'jit_cycles', callback = jit_cycles, flags = { 'no-writes' } })
redis.register_function({ function_name = 'jit_log', callback = jit_log, flags = { 'no-writes' } })
redis.register_function({ function_name = 'jit_get', callback = jit_get, flags = { 'no-writes' } })
redis.register_function({ function_name = 'jit_list', callback = jit_list, flags = { 'no-writes' } })
redis.register_function({ function_name = 'jit_count', callback = jit_count, flags = { 'no-writes' } })
redis.register_function({ function_name = 'jit_application', callback = jit_application, flags = { 'no-writes' } })
redis.register_function('jit_notices', jit_notices)
redis.register_function({ function_name = 'jit_notice_spread', callback = jit_notice_spread, flags = { 'allow-oom' } })
redis.register_function({ function_name = 'jit_notice_take', callback = jit_notice_take, flags = { 'allow-oom' } })
redis.register_function({ function_name = 'jit_notice_end', callback = jit_notice_end, flags = { 'allow-oom' } })
redis.register_function({ function_name = 'jit_notice_order', callback = jit_notice_order, flags = { 'allow-oom' } })
redis.register_function({ function_name = 'jit_mailbox', callback = jit_mailbox, flags = { 'allow-oom' } })
redis.register_function({ function_name = 'jit_notice_list', callback = jit_notice_list, flags = { 'no-writes' } })
redis.register_function({ function_name = 'jit_lane', callback = jit_lane, flags = { 'no-writes' } })
redis.register_function('jit_key_take', jit_key_take)
redis.register_function({ function_name = 'jit_key_end', callback = jit_key_end, flags = { 'allow-oom' } })
redis.register_function('jit_eligibility', jit_eligibility)
redis.register_function({ function_name = 'jit_eligibility_cancel', callback = jit_eligibility_cancel, flags = { 'allow-oom' } })
redis.register_function({ function_name = 'jit_eligibility_get', callback = jit_eligibility_get, flags = { 'no-writes' } })
redis.register_function({ function_name = 'jit_eligibility_list', callback = jit_eligibility_list, flags = { 'no-writes' } })
redis.register_function({ function_name = 'jit_eligibility_count', callback = jit_eligibility_count, flags = { 'no-writes' } })
redis.register_function({ function_name = 'jit_eligible', callback = jit_eligible, flags = { 'no-writes' } })
redis.register_function('jit_audit_plan', jit_audit_plan)
redis.register_function('jit_audit_note', jit_audit_note)
redis.register_function('jit_refused', jit_refused)
redis.register_function({ function_name = 'jit_audit_read', callback = jit_audit_read, flags = { 'no-writes' } })
redis.register_function({ function_name = 'jit_audit_seal', callback = jit_audit_seal, flags = { 'allow-oom' } })
redis.register_function({ function_name = 'jit_audit_exported', callback = jit_audit_exported, flags = { 'allow-oom' } })
redis.register_function({ function_name = 'jit_audit_later', callback = jit_audit_later, flags = { 'allow-oom' } })
redis.register_function({ function_name = 'jit_audit_oldest', callback = jit_audit_oldest, flags = { 'no-writes' } })
redis.register_function({ function_name = 'jit_audit_forget', callback = jit_audit_forget, flags = { 'allow-oom' } })
