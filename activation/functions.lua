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

-- Registers functions under their names; `flags` are Redis' own. Lua's own functions are not there while a library is loaded.
local function register(flags, functions)
	for i = 1, #functions do
		redis.register_function({ function_name = functions[i][1], callback = functions[i][2], flags = flags })
	end
end

register({ 'no-writes' }, {
	{ 'jit_store', jit_store },
	{ 'jit_version', jit_version },
	{ 'jit_denied', jit_denied },
	{ 'jit_review', jit_review },
	{ 'jit_drift_page', jit_drift_page },
	{ 'jit_push_check', jit_push_check },
	{ 'jit_check_groups', jit_check_groups },
	{ 'jit_check', jit_check },
	{ 'jit_held', jit_held },
	{ 'jit_cycles', jit_cycles },
	{ 'jit_log', jit_log },
	{ 'jit_get', jit_get },
	{ 'jit_list', jit_list },
	{ 'jit_count', jit_count },
	{ 'jit_application', jit_application },
	{ 'jit_notice_list', jit_notice_list },
	{ 'jit_lane', jit_lane },
	{ 'jit_eligibility_get', jit_eligibility_get },
	{ 'jit_eligibility_list', jit_eligibility_list },
	{ 'jit_eligibility_count', jit_eligibility_count },
	{ 'jit_eligible', jit_eligible },
	{ 'jit_audit_read', jit_audit_read },
	{ 'jit_audit_oldest', jit_audit_oldest },
})

-- What takes access away, or only carries out or ends what has begun, also runs when Redis' memory is full: access ends when
-- it should. It leaves behind an audit event and a closed request at most.
register({ 'allow-oom' }, {
	{ 'jit_refuse', jit_refuse },
	{ 'jit_policies', jit_policies },
	{ 'jit_plan_review', jit_plan_review },
	{ 'jit_reviewed', jit_reviewed },
	{ 'jit_lose', jit_lose },
	{ 'jit_guard', jit_guard },
	{ 'jit_cancel', jit_cancel },
	{ 'jit_deactivate', jit_deactivate },
	{ 'jit_due', jit_due },
	{ 'jit_leave', jit_leave },
	{ 'jit_pump', jit_pump },
	{ 'jit_step_end', jit_step_end },
	{ 'jit_drift_end', jit_drift_end },
	{ 'jit_push_order', jit_push_order },
	{ 'jit_push_end', jit_push_end },
	{ 'jit_users_take', jit_users_take },
	{ 'jit_users_go', jit_users_go },
	{ 'jit_users_end', jit_users_end },
	{ 'jit_operate', jit_operate },
	{ 'jit_test_end', jit_test_end },
	{ 'jit_notice_spread', jit_notice_spread },
	{ 'jit_notice_take', jit_notice_take },
	{ 'jit_notice_end', jit_notice_end },
	{ 'jit_notice_order', jit_notice_order },
	{ 'jit_mailbox', jit_mailbox },
	{ 'jit_key_end', jit_key_end },
	{ 'jit_eligibility_cancel', jit_eligibility_cancel },
	{ 'jit_audit_seal', jit_audit_seal },
	{ 'jit_audit_exported', jit_audit_exported },
	{ 'jit_audit_later', jit_audit_later },
	{ 'jit_audit_forget', jit_audit_forget },
})

-- What gives access, or keeps what anybody sends, does not.
register({}, {
	{ 'jit_submit', jit_submit },
	{ 'jit_start', jit_start },
	{ 'jit_decide', jit_decide },
	{ 'jit_message_refused', jit_message_refused },
	{ 'jit_plan_cycle', jit_plan_cycle },
	{ 'jit_cycle', jit_cycle },
	{ 'jit_drift_find', jit_drift_find },
	{ 'jit_drift_found', jit_drift_found },
	{ 'jit_test_take', jit_test_take },
	{ 'jit_test_passed', jit_test_passed },
	{ 'jit_provision', jit_provision },
	{ 'jit_notices', jit_notices },
	{ 'jit_key_take', jit_key_take },
	{ 'jit_eligibility', jit_eligibility },
	{ 'jit_audit_plan', jit_audit_plan },
	{ 'jit_audit_note', jit_audit_note },
	{ 'jit_refused', jit_refused },
})
