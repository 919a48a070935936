-- jit_due: does what is due and needs nobody else, and claims what a broker has to do, by moving its time forward
-- by the lease: were that broker to die, the next one finds it there. Each application gets an equal share of a call,
-- whatever the others have to do, and what waits to be pumped is in the call after its first end.
-- What cannot be worked on is set aside (aside.lua).
-- ARGV 3 lease in ms, 4 most entries. Answers {'ok', now, next, kind, id, ...}: 's' requests to start, 'q'
-- applications to pump, 'c' applications whose cycle begins, 'n' the outbox, 'd' targets of notices; 'z' with what was set
-- aside, and why.

local function due_expire(c, id, app)
	local r = get_request(c, id)
	if r and WANTS[r.st] then
		if r.st ~= 'in_force' then
			r.er = r.er or 'The assignment ended before the application was reached.'
		end
		finish(c, r, 'expire')
	end
	off(c, 'e:' .. id, app)
end

local function due_time_out(c, id, app)
	local r = get_request(c, id)
	if r and r.st == 'awaiting' then
		read_member(c, r.g, r.p, r.ap)
		r.er = 'Nobody decided in time.'
		move(c, r, 'time_out')
		settle(c, get_member(c, r.g, r.p, r.ap))
	end
	off(c, 'a:' .. id, app)
end

-- The end is near, and no other request gives more.
local function due_near(c, id, app)
	local r = get_request(c, id)
	off(c, 'w:' .. id, app)
	if not r or r.st ~= 'in_force' or r.e <= c.now then
		return
	end
	for _, other in ipairs(requests_of(c, get_member(c, r.g, r.p, r.ap))) do
		if WANTS[other.st] and other.e > r.e then
			return
		end
	end
	tell(c, 'activation.ending', r)
end

-- The removal has not been confirmed for long: the audit says so, and whoever wants to be told is; once.
local function due_overdue(c, id, app)
	local g, p = string.match(id, '^([^:]*):(.*)$')
	local m = get_member(c, g, p)
	off(c, 'o:' .. id, app)
	if not m.x then
		return
	end
	local last = { ap = m.ap, g = g, p = p, er = m.er }
	for _, r in ipairs(requests_of(c, m)) do
		if ENDS[r.st] then
			last = r
		end
	end
	audit(c, 'removal_overdue', { r = last.id, b = 'time', g = g, p = p, u = user_name(c, p),
		a = m.ap, y = m.er, d = cjson.encode({ outlivedMilliseconds = outlived(c, g, p) }) })
	tell(c, 'removal.overdue', last, tonumber(redis.call('ZSCORE', c.pre .. 'x', id)))
end

-- What is done at once, by the entry's kind; `app` is the application whose own entry it is.
local DUE = { e = due_expire, a = due_time_out, k = purge, w = due_near, o = due_overdue, l = due_eligibility,
	p = push_lost, g = due_guard, t = token_look }

-- An older version had the applications' own entries in the timetable itself: this one goes to its application.
local function due_elsewhere(c, entry)
	local kind, id = entry:sub(1, 1), entry:sub(3)
	local g, p = string.match(id, '^([^:]*):(.*)$')
	local owner = kind == 'l' and get_eligibility(c, id) or kind == 'o' and get_member(c, g, p) or get_request(c, id)
	off(c, entry)
	if owner and owner.ap then
		redis.call('ZADD', timetable_of(c, entry, owner.ap), 'NX', c.now, entry)
	end
end

local OWNED = { s = true, e = true, k = true, a = true, w = true, o = true, l = true }

-- Does or claims what the entry says.
local function due_entry(c, entry, app, claims)
	local kind, id = entry:sub(1, 1), entry:sub(3)
	if OWNED[kind] and not app then
		due_elsewhere(c, entry)
	elseif DUE[kind] then
		DUE[kind](c, id, app)
	else
		at(c, entry, c.now + claims.lease, app)
		if not claims.seen[entry] then
			claims[#claims + 1] = kind
			claims[#claims + 1] = id
			claims.seen[entry] = true
		end
	end
end

-- One round over what is due: everything that stands in the timetable itself, and of each application's own entries an
-- equal share of what is left of `most`; ends first. How many entries it took, and whether there were any at all.
local function due_round(c, most, claims)
	local ends, lane, others = {}, {}, {}
	local stands = redis.call('ZRANGE', c.pre .. 'tt', '-inf', c.now, 'BYSCORE', 'LIMIT', 0, most)
	for _, entry in ipairs(stands) do
		local kind = entry:sub(1, 1)
		local list = kind == 'x' and ends or kind == 'y' and others or lane
		list[#list + 1] = entry
	end
	local share, taken = math.floor((most - #lane) / (#ends + #others)), #lane
	local function work(key, entry, app)
		try(c, key, entry, app, function()
			local done, why = alone(c, function()
				due_entry(c, entry, app, claims)
			end)
			return done or error(why, 0)
		end)
	end
	local function serve(list)
		for _, own in ipairs(list) do
			local app = own:sub(3)
			local entries = try(c, 'tt', own, app, function()
				return redis.call('ZRANGE', c.pre .. 't' .. own, '-inf', c.now, 'BYSCORE', 'LIMIT', 0, share)
			end)
			for _, entry in ipairs(entries or {}) do
				work('t' .. own, entry, app)
			end
			taken = taken + #(entries or {})
			c.own[own] = entries and 'XX'
		end
	end
	serve(ends)
	for _, entry in ipairs(lane) do
		work('tt', entry, nil)
	end
	serve(others)
	settle_own(c)
	return taken, #stands > 0
end

local function jit_due(keys, args)
	local c = context(keys, args)
	local most, done = tonumber(args[4]), 0
	local claims = { lease = tonumber(args[3]), seen = {} }
	put_away(c)
	c.any_aside = tidy_aside(c)
	repeat
		local taken, any = due_round(c, most - done, claims)
		done = done + taken
	until not any or done >= most
	for _, what in ipairs(c.failed) do
		claims[#claims + 1] = 'z'
		claims[#claims + 1] = what
	end
	return answer(c, 'ok', unpack(claims))
end

-- jit_leave: gives back a claim that this broker cannot carry out, for another one to take up at once.
-- ARGV 3 the entry's kind, 4 its id, 5 the application whose own entry it is ('' = none's), 6 let it be, because this broker
-- has given it back before (1). Answers 'ok', with 1 when it has just been said (unknown.lua) that nobody knows the
-- application.
local function jit_leave(keys, args)
	local c = context(keys, args)
	local entry, app = args[3] .. ':' .. args[4], args[5] ~= '' and args[5] or nil
	if args[6] ~= '1' then
		redis.call('ZADD', timetable_of(c, entry, app), 'XX', 'LT', c.now, entry)
	end
	return answer(c, 'ok', (args[3] == 'q' or args[3] == 'c') and unknown_note(c, args[4]) or 0)
end
