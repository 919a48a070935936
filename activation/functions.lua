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

redis.register_function({ function_name = 'jit_version', callback = jit_version, flags = { 'no-writes' } })
redis.register_function({ function_name = 'jit_denied', callback = jit_denied, flags = { 'no-writes' } })
redis.register_function('jit_submit', jit_submit)
redis.register_function('jit_start', jit_start)
redis.register_function('jit_refuse', jit_refuse)
redis.register_function('jit_policies', jit_policies)
redis.register_function('jit_plan_review', jit_plan_review)
redis.register_function({ function_name = 'jit_review', callback = jit_review, flags = { 'no-writes' } })
redis.register_function('jit_reviewed', jit_reviewed)
redis.register_function('jit_lose', jit_lose)
redis.register_function('jit_guard', jit_guard)
redis.register_function('jit_cancel', jit_cancel)
redis.register_function('jit_decide', jit_decide)
redis.register_function('jit_message_refused', jit_message_refused)
redis.register_function('jit_deactivate', jit_deactivate)
redis.register_function('jit_due', jit_due)
redis.register_function('jit_leave', jit_leave)
redis.register_function('jit_pump', jit_pump)
redis.register_function('jit_plan_cycle', jit_plan_cycle)
redis.register_function('jit_cycle', jit_cycle)
redis.register_function('jit_step_end', jit_step_end)
redis.register_function('jit_drift_find', jit_drift_find)
redis.register_function({ function_name = 'jit_drift_page', callback = jit_drift_page, flags = { 'no-writes' } })
redis.register_function('jit_drift_found', jit_drift_found)
redis.register_function('jit_drift_end', jit_drift_end)
redis.register_function({ function_name = 'jit_push_check', callback = jit_push_check, flags = { 'no-writes' } })
redis.register_function({ function_name = 'jit_check_groups', callback = jit_check_groups, flags = { 'no-writes' } })
redis.register_function({ function_name = 'jit_check', callback = jit_check, flags = { 'no-writes' } })
redis.register_function({ function_name = 'jit_held', callback = jit_held, flags = { 'no-writes' } })
redis.register_function('jit_push_order', jit_push_order)
redis.register_function('jit_push_end', jit_push_end)
redis.register_function('jit_users_take', jit_users_take)
redis.register_function('jit_users_go', jit_users_go)
redis.register_function('jit_users_end', jit_users_end)
redis.register_function('jit_operate', jit_operate)
redis.register_function('jit_test_take', jit_test_take)
redis.register_function('jit_test_end', jit_test_end)
redis.register_function('jit_test_passed', jit_test_passed)
redis.register_function('jit_provision', jit_provision)
redis.register_function({ function_name = 'jit_cycles', callback = jit_cycles, flags = { 'no-writes' } })
redis.register_function({ function_name = 'jit_log', callback = jit_log, flags = { 'no-writes' } })
redis.register_function({ function_name = 'jit_get', callback = jit_get, flags = { 'no-writes' } })
redis.register_function({ function_name = 'jit_list', callback = jit_list, flags = { 'no-writes' } })
redis.register_function({ function_name = 'jit_count', callback = jit_count, flags = { 'no-writes' } })
redis.register_function({ function_name = 'jit_application', callback = jit_application, flags = { 'no-writes' } })
redis.register_function('jit_notices', jit_notices)
redis.register_function('jit_notice_spread', jit_notice_spread)
redis.register_function('jit_notice_take', jit_notice_take)
redis.register_function('jit_notice_end', jit_notice_end)
redis.register_function('jit_notice_order', jit_notice_order)
redis.register_function('jit_mailbox', jit_mailbox)
redis.register_function({ function_name = 'jit_notice_list', callback = jit_notice_list, flags = { 'no-writes' } })
redis.register_function({ function_name = 'jit_lane', callback = jit_lane, flags = { 'no-writes' } })
redis.register_function('jit_key_take', jit_key_take)
redis.register_function('jit_key_end', jit_key_end)
redis.register_function('jit_eligibility', jit_eligibility)
redis.register_function('jit_eligibility_cancel', jit_eligibility_cancel)
redis.register_function({ function_name = 'jit_eligibility_get', callback = jit_eligibility_get, flags = { 'no-writes' } })
redis.register_function({ function_name = 'jit_eligibility_list', callback = jit_eligibility_list, flags = { 'no-writes' } })
redis.register_function({ function_name = 'jit_eligibility_count', callback = jit_eligibility_count, flags = { 'no-writes' } })
redis.register_function({ function_name = 'jit_eligible', callback = jit_eligible, flags = { 'no-writes' } })
redis.register_function('jit_audit_plan', jit_audit_plan)
redis.register_function('jit_audit_note', jit_audit_note)
redis.register_function('jit_refused', jit_refused)
redis.register_function({ function_name = 'jit_audit_read', callback = jit_audit_read, flags = { 'no-writes' } })
redis.register_function('jit_audit_seal', jit_audit_seal)
redis.register_function('jit_audit_exported', jit_audit_exported)
redis.register_function('jit_audit_later', jit_audit_later)
redis.register_function({ function_name = 'jit_audit_oldest', callback = jit_audit_oldest, flags = { 'no-writes' } })
redis.register_function('jit_audit_forget', jit_audit_forget)
