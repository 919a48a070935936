-- What people ask for: activate, withdraw, deactivate.

local LIMIT_WORDS = {
	ineligible = 'The person is no longer eligible.',
	full = 'As many people as the group may have at once have it.',
	excluded = 'The person holds a group that excludes this one.',
}

local OPEN_MAX = 32 -- open requests of one membership; each is looked at whenever the membership changes

-- What a group allows besides one person's own request: "MOST GROUP,GROUP", how many may have it at once (0 = any
-- number) and which groups of the application exclude it. "MOSTe": and only who is eligible by an administrator's word.
-- In a line of its own the user name of the person behind the account, where they have several (account.lua).
local function read_limits(text)
	local most, eligible, groups, person = string.match(text or '', '^(%d*)(e?) ?([^\n]*)\n?(.*)$')
	local limits = { most = tonumber(most) or 0, eligible = eligible == 'e', excludes = {}, person = string.lower(person) }
	for g in string.gmatch(groups or '', '[^,]+') do
		limits.excludes[#limits.excludes + 1] = g
	end
	return limits
end

-- Has the person the group, by whatever account, and do they count as one who has it? Until the timetable has looked,
-- the count still has whoever had it a moment ago.
local function holds(c, g, r, person)
	local accounts = accounts_in(c, g, person)
	accounts[#accounts + 1] = r.p
	local has, counted = false, false
	for _, p in ipairs(accounts) do
		local m = get_member(c, g, p, r.ap)
		has = has or wanted(c, m)
		counted = counted or m.l or false
	end
	return has, counted
end

-- The person behind the account. Whom an administrator gives something may be known from their own requests alone.
local function person_behind(c, r, limits)
	if limits.person == '' and is_assigned(r) then
		return redis.call('HGET', c.pre .. 'pb', r.p) or ''
	end
	return limits.person
end

local function holds_any(c, r, limits, person)
	for _, g in ipairs(limits.excludes) do
		if holds(c, g, r, person) then
			return true
		end
	end
	return false
end

-- How many memberships, or people, have the group; another account of somebody who has it is nobody else.
local function people_in(c, g)
	return tonumber(redis.call('HGET', c.pre .. 'lv', g) or '0') - tonumber(redis.call('HGET', c.pre .. 'ld', g) or '0')
end

-- The words for all that leaves no room for the person now.
local function exceeded(c, limits, r)
	local words, person = {}, person_behind(c, r, limits)
	if limits.eligible and not eligible_at(c, r.g, r.p, c.now) then
		words[#words + 1] = 'ineligible'
	end
	local has, counted = holds(c, r.g, r, person)
	if limits.most > 0 and not has and people_in(c, r.g) - (counted and 1 or 0) >= limits.most then
		words[#words + 1] = 'full'
	end
	if holds_any(c, r, limits, person) then
		words[#words + 1] = 'excluded'
	end
	return words
end

-- Does the application still have the person in a group that excludes this one, though nothing grants that any more?
-- Its removal is under way, and until it is confirmed they would have both. Who has this group already (`m`) gets nothing
-- that would have to wait: at most another end.
local LEAVES_TEXT = 'It waits until the person is removed from a group that excludes this one.'
local function leaves_other(c, limits, r, m)
	if wanted(c, m) then
		return false
	end
	for _, g in ipairs(limits.excludes) do
		local other = get_member(c, g, r.p, r.ap)
		if (other.s ~= 0 or other.u) and not other.st then
			return true
		end
	end
	return false
end

-- When it is looked at again: the longer the removal takes already, the later, since many may wait for an application that
-- is away; but no later than its end.
local LEAVES_SOONEST_MS, LEAVES_LATEST_MS = 250, 60000
local function looked_at_again(c, r)
	local pause = math.max(LEAVES_SOONEST_MS, math.floor((c.now - r.s) / 10))
	return math.min(c.now + math.min(pause, LEAVES_LATEST_MS), r.e)
end

-- nil when the limits leave room for the person now; otherwise the word for what does not.
local function exceeds(c, limits, r)
	return exceeded(c, limits, r)[1]
end

-- Whose time has come: it joins a membership that is there, or a push brings it, now or later. What an administrator
-- assigns is left to the cycle, like every membership that is given outside activation.
local function activate(c, t, r, m, push_id, by)
	local at_once = not is_assigned(r) and takes_additions(c, t.app)
	if m.s == 1 and not m.u then
		move(c, r, 'join', by)
	elseif m.u then
		move(c, r, 'wait', by)
	elseif at_once and addition_waits(c, m) then
		move(c, r, 'wait', by)
		addition_hold(c, m)
		return
	elseif at_once and token_for_activation(c, t) then
		move(c, r, 'push', by)
		count_live(c, m, true)
		return push_begin(c, t, push_id, 'add', m.g, { m })
	elseif at_once and t.wait > 0 then
		move(c, r, 'wait', by)
	else
		if cycle_get(c, t.app).next == 0 then
			plan_cycle(c, t)
		end
		move(c, r, 'defer', by)
	end
	settle(c, m)
end

-- Both wait for an approver, and their time counts from then: it is their lengths that can be compared.
local function waits_for_as_much(other, r)
	return other.d and r.d and not other.a and not r.a and other.d >= r.d
end

-- Nothing would be gained: another request gives all of this time already. One that waits for an approver gives
-- nothing to who need not wait: an administrator's assignment, or a broken glass.
local function covered(c, m, r)
	for _, other in ipairs(requests_of(c, m)) do
		local waits = other.st == 'awaiting' and r.aw
		if (WANTS[other.st] or other.st == 'scheduled' or waits) and other.s <= r.s
			and (other.e >= r.e or waits and waits_for_as_much(other, r)) then
			return other
		end
	end
end

-- The request's fields come as name, value pairs; these are numbers.
local NUMBERS = { a = true, d = true, e = true, aw = true, lu = true }

local function read_request(c, args, first)
	local r = { st = 'new', c = c.now, changed = true }
	for i = first, #args - 1, 2 do
		local value = args[i + 1]
		if value ~= '' then
			r[args[i]] = NUMBERS[args[i]] and tonumber(value) or value
		end
	end
	return r
end

local function index(c, r)
	redis.call('ZADD', c.pre .. 'ip:' .. r.p, r.c, r.id)
	redis.call('ZADD', c.pre .. 'ig:' .. r.g, r.c, r.id)
	if r.by and r.by ~= r.p then
		redis.call('ZADD', c.pre .. 'ib:' .. r.by, r.c, r.id)
	end
end

-- The request's start and end, if it is granted now. Where the time counts from the application's confirmation, the
-- end stands when that comes; until then it may wait for two cycles.
local function set_times(c, t, r)
	r.s = math.max(r.a or 0, c.now)
	if r.d then
		r.e = r.s + r.d + (r.ck and 2 * t.cycle or 0)
	end
end

local function is_running(c, m)
	for _, r in ipairs(requests_of(c, m)) do
		if WANTS[r.st] then
			return true
		end
	end
	return false
end

-- Has the person had the group, as far back as their requests are kept and looked through, and has it no more?
local RENEWS_OF = 200
local function has_had(c, r)
	for _, id in ipairs(redis.call('ZRANGE', c.pre .. 'ip:' .. r.p, 0, RENEWS_OF - 1, 'REV')) do
		local other = get_request(c, id)
		if other and other.g == r.g and (ENDS[other.st] or other.st == 'expired' or other.st == 'revoked') then
			return true
		end
	end
	return false
end

-- What a new request would come to: 'ok', or why it cannot be, and the request that stands in its way.
local function admit(c, t, r, limits)
	set_times(c, t, r)
	local m = get_member(c, r.g, r.p, r.ap)
	if r.e <= r.s then
		return 'past', m
	end
	-- The group was in another application when they got it: a push knows of one only, so that has to end first.
	if m.ap ~= r.ap then
		return 'exists', m, granted_by(c, m) or requests_of(c, m)[1]
	end
	if (r.ac == 'selfExtend' or r.ac == 'adminExtend' or r.ac == 'adminUpdate') and not is_running(c, m) then
		return 'none', m
	end
	if r.ac == 'selfRenew' then
		local running = granted_by(c, m)
		if running or not has_had(c, r) then
			return running and 'exists' or 'none', m, running
		end
	end
	local other = r.ac ~= 'adminUpdate' and covered(c, m, r)
	if other then
		return other.st == 'in_force' and 'exists' or 'pending', m, other
	end
	if #m.r >= OPEN_MAX then
		return 'many', m
	end
	return r.s <= c.now and exceeds(c, limits, r) or 'ok', m
end

-- The state that a request would take, were it made now.
local function foresee(c, t, r, m, limits)
	if r.aw then
		return 'awaiting'
	elseif r.s > c.now or leaves_other(c, limits, r, m) then
		return 'scheduled'
	elseif m.s == 1 and not m.u then
		return 'in_force'
	elseif not m.u and (is_assigned(r) or not takes_additions(c, t.app)) then
		return 'deferred'
	elseif m.u or addition_waits(c, m) or (t.wait > 0 and not token_for_activation(c, t)) then
		return 'waiting'
	end
	return token_for_activation(c, t) and 'provisioning' or 'deferred'
end

-- The answer to a trial: the word that the request would get, and with it (`beyond`) all limits that it would exceed now.
local function answer_trial(c, t, r, limits)
	local word, m, other = admit(c, t, r, limits)
	if word == 'ok' then
		r.st = foresee(c, t, r, m, limits)
	end
	r.changed, m.changed = nil, nil
	local out = view(c, other or r)
	out[#out + 1] = 'beyond'
	out[#out + 1] = r.s <= c.now and table.concat(exceeded(c, limits, r), ' ') or ''
	return answer(c, word, out, '')
end

-- An administrator's new schedule takes the place of the old one, without a gap.
local function replace_others(c, m, r)
	for _, other in ipairs(requests_of(c, m)) do
		if other.id ~= r.id and WANTS[other.st] then
			finish(c, other, 'revoke', r.by)
		end
	end
end

-- Whose account it is by the policy of now. What an administrator gives may be for somebody of whom it says nothing.
local function note_account(c, r, limits)
	if limits.person ~= '' or not is_assigned(r) then
		note_person(c, r.p, limits.person)
	end
end

-- Grants the request, now or from its start on. Gives the order when that took a token.
local function grant(c, t, r, m, limits, push_id, by)
	local waits = r.s <= c.now and leaves_other(c, limits, r, m)
	if waits then
		r.a, r.er = c.now, LEAVES_TEXT
	end
	if waits or r.s > c.now then
		move(c, r, 'schedule', by)
		return nil
	end
	local order = activate(c, t, r, m, push_id, by)
	if r.ac == 'adminUpdate' then
		replace_others(c, m, r)
	end
	return order
end

-- jit_submit: a request that policy has allowed.
-- ARGV 3 terms, 4 request id, 5 push id, 6 the person for SCIM and policy (JSON; '' = as they are kept; what somebody
-- else says of them does not replace what their own token said), 7 the group's name in the application, 8 only try
-- (1): answer, change nothing; then name, value pairs of the request (request.lua), with `h` the hash that tells a
-- repetition, and `limits` (read_limits), which is not kept.
-- Answers {word, now, next, request, order or '', end}, end as ends_at() says where no push will: 'ok' made, 'same' it
-- was made before, 'reused' the id was used for something else, 'past' 'exists' 'pending' 'many' 'none' 'full'
-- 'excluded' 'ineligible' 'unknown' refused (with the request that is in the way). A trial's answer has a request in
-- any case, and its `beyond` (answer_trial).
local function jit_submit(keys, args)
	local c = context(keys, args)
	local t = read_terms(args[3])
	local r = read_request(c, args, 9)
	local limits = read_limits(r.limits)
	r.limits = nil
	r.id = args[4]
	c.why = r.j
	local before = get_request(c, r.id)
	if before then
		local push = get_push(c, args[5])
		return answer(c, before.h == r.h and 'same' or 'reused', view(c, before),
			push and push_order(c, args[5], push) or '')
	end
	local known = redis.call('EXISTS', c.pre .. 'u:' .. r.p) == 1
	if not known and args[6] == '' then
		return answer(c, 'unknown', '', '')
	end
	if args[8] == '1' then
		return answer_trial(c, t, r, limits)
	end
	local word, m, other = admit(c, t, r, limits)
	if word ~= 'ok' then
		return answer(c, word, other and view(c, other) or '', '')
	end
	if args[6] ~= '' and not (known and is_assigned(r)) then
		redis.call('SET', c.pre .. 'u:' .. r.p, args[6])
	end
	c.requests[r.id] = r
	note_account(c, r, limits)
	redis.call('SET', c.pre .. 'gn:' .. r.g, args[7])
	index(c, r)
	m.r[#m.r + 1] = r.id
	m.changed = true
	local order
	if r.aw then
		r.sg, r.dc = 1, {}
		move(c, r, 'ask', r.by)
	else
		order = grant(c, t, r, m, limits, args[5], r.by)
	end
	return answer(c, 'ok', view(c, r), order or '', order and 0 or ends_at(c, m))
end

-- jit_start: a scheduled request whose time has come and which policy still allows.
-- ARGV 3 terms, 4 request id, 5 push id, 6 limits. Answers {'ok'|'gone', now, next, order or ''}, and where no push says
-- it, the end of the access that is there (ends_at), the application, group and person.
local function jit_start(keys, args)
	local c = context(keys, args)
	local t = read_terms(args[3])
	local r = get_request(c, args[4])
	if not r or r.st ~= 'scheduled' then
		local push = get_push(c, args[5])
		if not r then
			off(c, 's:' .. args[4], t.app)
		end
		return answer(c, 'gone', push and push_order(c, args[5], push) or '')
	end
	if r.s > c.now then
		at(c, 's:' .. r.id, r.s, r.ap)
		return answer(c, 'gone', '')
	end
	local m = get_member(c, r.g, r.p, r.ap)
	if r.e <= c.now then
		r.er = 'The assignment ended before it could begin.'
		move(c, r, 'lapse')
		settle(c, m)
		return answer(c, 'ok', '')
	end
	local limits = read_limits(args[6])
	note_account(c, r, limits)
	local word = exceeds(c, limits, r)
	if word then
		r.er = LIMIT_WORDS[word]
		move(c, r, 'refuse')
		settle(c, m)
		return answer(c, 'ok', '')
	end
	if leaves_other(c, limits, r, m) then
		r.changed = r.changed or r.er ~= LEAVES_TEXT
		r.er = LEAVES_TEXT
		at(c, 's:' .. r.id, looked_at_again(c, r), r.ap)
		return answer(c, 'gone', '')
	end
	r.er = nil
	local order = grant(c, t, r, m, limits, args[5])
	return answer(c, 'ok', order or '', order and 0 or ends_at(c, m), r.ap, r.g, r.p)
end

-- jit_cancel: withdraws a request that has not given access. ARGV 3 request id, 4 who asks, 5 an operator, who
-- may withdraw anybody's (1). Answers 'ok' (also when it was cancelled before), 'none', 'denied' or {'state', now,
-- next, request}.
local function jit_cancel(keys, args)
	local c = context(keys, args)
	local r = get_request(c, args[3])
	if not r then
		return answer(c, 'none')
	end
	if args[5] ~= '1' and r.p ~= args[4] then
		return answer(c, 'denied')
	end
	if r.st == 'canceled' then
		return answer(c, 'ok')
	end
	if not can(r, 'cancel') then
		return answer(c, 'state', view(c, r))
	end
	move(c, r, 'cancel', args[4])
	settle(c, get_member(c, r.g, r.p, r.ap))
	return answer(c, 'ok')
end

-- jit_deactivate: ends all that the person has running in the group, and withdraws what would only have made that longer,
-- for adminRemove all that is yet to come, and keeps the wish as a request of its own.
-- ARGV 3 request id, 4 only try (1), then name, value pairs of the request. It takes no terms: no configuration has to
-- know the group or its application any more.
-- Answers {word, now, next, request, '', end}: 'ok', 'same', 'reused', or 'none' when nothing is running.
local function jit_deactivate(keys, args)
	local c = context(keys, args)
	local r = read_request(c, args, 5)
	r.id = args[3]
	c.why = r.j
	local before = get_request(c, r.id)
	if before then
		return answer(c, before.h == r.h and 'same' or 'reused', view(c, before))
	end
	local m = get_member(c, r.g, r.p, r.ap)
	local running = {}
	for _, other in ipairs(requests_of(c, m)) do
		if WANTS[other.st] or ((r.ac == 'adminRemove' or other.ac == 'selfExtend') and can(other, 'cancel')) then
			running[#running + 1] = other
		end
	end
	if #running == 0 then
		return answer(c, 'none', '')
	end
	r.s, r.e = c.now, c.now
	if args[4] == '1' then
		r.st, r.changed = 'revoked', nil
		return answer(c, 'ok', view(c, r))
	end
	for _, other in ipairs(running) do
		if WANTS[other.st] then
			finish(c, other, 'revoke', r.by)
		elseif not other.en then
			move(c, other, 'cancel', r.by)
			settle(c, m)
		end
	end
	c.requests[r.id] = r
	index(c, r)
	move(c, r, 'record', r.by)
	return answer(c, 'ok', view(c, r), '', ends_at(c, m))
end
