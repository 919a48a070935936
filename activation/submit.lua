-- What people ask for: activate, withdraw, deactivate.

local OPEN_MAX = 32 -- open requests of one membership; each is looked at whenever the membership changes

-- Whose time has come: it joins a membership that is there, or a push brings it, now or later.
local function activate(c, t, r, m, push_id)
	local by = r.st == 'new' and r.by or nil
	if m.s == 1 and not m.u then
		move(c, r, 'join', by)
	elseif m.u then
		move(c, r, 'wait', by)
	elseif token_for_activation(c, t) then
		move(c, r, 'push', by)
		return push_begin(c, t, push_id, 'add', m.g, { m })
	elseif t.wait > 0 then
		move(c, r, 'wait', by)
	else
		if cycle_get(c, t.app).next == 0 then
			plan_cycle(c, t)
		end
		move(c, r, 'defer', by)
	end
	settle(c, m)
end

-- Nothing would be gained: another request gives all of this time already.
local function covered(c, m, start, finish_ms)
	for _, r in ipairs(requests_of(c, m)) do
		if (WANTS[r.st] or r.st == 'scheduled') and r.s <= start and r.e >= finish_ms then
			return r
		end
	end
end

-- The request's fields come as name, value pairs; these are numbers.
local NUMBERS = { a = true, d = true, e = true }

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
end

-- What a new request would come to: 'ok', or why it cannot be, and the request that stands in its way.
local function admit(c, r)
	r.s = math.max(r.a or 0, c.now)
	r.e = r.d and r.s + r.d or r.e
	local m = get_member(c, r.g, r.p, r.ap)
	if r.e <= r.s then
		return 'past', m
	end
	local other = covered(c, m, r.s, r.e)
	if other then
		return other.st == 'in_force' and 'exists' or 'pending', m, other
	end
	if #m.r >= OPEN_MAX then
		return 'many', m
	end
	return 'ok', m
end

-- jit_submit: an activation that policy has allowed.
-- ARGV 3 terms, 4 request id, 5 push id, 6 names for SCIM (JSON), 7 the group's name in the
-- application, 8 only try (1): answer, change nothing; then name, value pairs of the request (request.lua), with `h` the hash that tells a repetition.
-- Answers {word, now, next, request, order or ''}: 'ok' made, 'same' it was made before, 'reused' the id was used
-- for something else, 'past' 'exists' 'pending' 'many' refused (with the request that is in the way).
local function jit_submit(keys, args)
	local c = context(keys, args)
	local t = read_terms(args[3])
	local r = read_request(c, args, 9)
	r.id = args[4]
	local before = get_request(c, r.id)
	if before then
		local push = get_push(c, args[5])
		return answer(c, before.h == r.h and 'same' or 'reused', view(c, before),
			push and push_order(c, args[5], push) or '')
	end
	local word, m, other = admit(c, r)
	if word ~= 'ok' then
		return answer(c, word, other and view(c, other) or '', '')
	end
	if args[8] == '1' then
		r.changed = nil
		m.changed = nil
		if r.s > c.now then
			r.st = 'scheduled'
		elseif m.s == 1 and not m.u then
			r.st = 'in_force'
		elseif m.u or (t.wait > 0 and not token_for_activation(c, t)) then
			r.st = 'waiting'
		else
			r.st = token_for_activation(c, t) and 'provisioning' or 'deferred'
		end
		return answer(c, 'ok', view(c, r), '')
	end
	c.requests[r.id] = r
	redis.call('SET', c.pre .. 'u:' .. r.p, args[6])
	redis.call('SET', c.pre .. 'gn:' .. r.g, args[7])
	index(c, r)
	m.r[#m.r + 1] = r.id
	m.changed = true
	local order
	if r.s > c.now then
		move(c, r, 'schedule', r.by)
	else
		order = activate(c, t, r, m, args[5])
	end
	return answer(c, 'ok', view(c, r), order or '')
end

-- jit_start: a scheduled request whose time has come and which policy still allows.
-- ARGV 3 terms, 4 request id, 5 push id. Answers {'ok'|'gone', now, next, order or ''}.
local function jit_start(keys, args)
	local c = context(keys, args)
	local t = read_terms(args[3])
	local r = get_request(c, args[4])
	if not r or r.st ~= 'scheduled' then
		local push = get_push(c, args[5])
		if not r then
			off(c, 's:' .. args[4])
		end
		return answer(c, 'gone', push and push_order(c, args[5], push) or '')
	end
	if r.s > c.now then
		at(c, 's:' .. r.id, r.s)
		return answer(c, 'gone', '')
	end
	local m = get_member(c, r.g, r.p, r.ap)
	if r.e <= c.now then
		r.er = 'The assignment ended before it could begin.'
		move(c, r, 'lapse')
		settle(c, m)
		return answer(c, 'ok', '')
	end
	return answer(c, 'ok', activate(c, t, r, m, args[5]) or '')
end

-- jit_refuse: policy no longer allows a scheduled request at its start.
-- ARGV 3 request id, 4 why. Answers 'ok', or 'gone' when it is not scheduled any more.
local function jit_refuse(keys, args)
	local c = context(keys, args)
	local r = get_request(c, args[3])
	if not r or r.st ~= 'scheduled' then
		return answer(c, 'gone')
	end
	r.er = args[4]
	move(c, r, 'refuse')
	settle(c, get_member(c, r.g, r.p, r.ap))
	return answer(c, 'ok')
end

-- jit_cancel: withdraws a request that has not given access. ARGV 3 request id, 4 who asks, 5 an operator, who
-- may withdraw anybody's (1). Answers 'ok' (also when it was cancelled before), 'none', 'denied' or 'state'.
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
		return answer(c, 'state')
	end
	move(c, r, 'cancel', args[4])
	settle(c, get_member(c, r.g, r.p, r.ap))
	return answer(c, 'ok')
end

-- jit_deactivate: ends all that the person has running in the group, and keeps the wish as a request of its own.
-- ARGV 3 terms, 4 request id, 5 only try (1), then name, value pairs of the request.
-- Answers {word, now, next, request}: 'ok', 'same', 'reused', or 'none' when nothing is running.
local function jit_deactivate(keys, args)
	local c = context(keys, args)
	local t = read_terms(args[3])
	local r = read_request(c, args, 6)
	r.id = args[4]
	local before = get_request(c, r.id)
	if before then
		return answer(c, before.h == r.h and 'same' or 'reused', view(c, before))
	end
	local m = get_member(c, r.g, r.p, r.ap)
	local running = {}
	for _, other in ipairs(requests_of(c, m)) do
		if WANTS[other.st] then
			running[#running + 1] = other
		end
	end
	if #running == 0 then
		return answer(c, 'none', '')
	end
	r.s, r.e = c.now, c.now
	if args[5] == '1' then
		r.st, r.changed = 'revoked', nil
		return answer(c, 'ok', view(c, r))
	end
	for _, other in ipairs(running) do
		if not other.en then
			finish(c, other, 'revoke', r.by)
		end
	end
	c.requests[r.id] = r
	index(c, r)
	move(c, r, 'record', r.by)
	return answer(c, 'ok', view(c, r))
end
