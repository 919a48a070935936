-- jit_due: does what is due and needs nobody else, and claims what a broker has to do, by moving its time forward
-- by the lease: were that broker to die, the next one finds it there.
-- ARGV 3 lease in ms, 4 most entries. Answers {'ok', now, next, kind, id, ...}: 's' requests to start, 'q'
-- applications to pump, 'c' applications whose cycle begins, 'n' the outbox, 'd' targets of notices.

local function due_expire(c, id)
	local r = get_request(c, id)
	if r and WANTS[r.st] then
		if r.st ~= 'in_force' then
			r.er = r.er or 'The assignment ended before the application was reached.'
		end
		finish(c, r, 'expire')
	end
	off(c, 'e:' .. id)
end

local function due_time_out(c, id)
	local r = get_request(c, id)
	if r and r.st == 'awaiting' then
		r.er = 'Nobody decided in time.'
		move(c, r, 'time_out')
		settle(c, get_member(c, r.g, r.p, r.ap))
	end
	off(c, 'a:' .. id)
end

-- The end is near, and no other request gives more.
local function due_near(c, id)
	local r = get_request(c, id)
	off(c, 'w:' .. id)
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
local function due_overdue(c, id)
	local g, p = string.match(id, '^([^:]*):(.*)$')
	local m = get_member(c, g, p)
	off(c, 'o:' .. id)
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

local function jit_due(keys, args)
	local c = context(keys, args)
	local lease, most = tonumber(args[3]), tonumber(args[4])
	local claimed, seen, done = {}, {}, 0
	repeat
		local entries = redis.call('ZRANGE', c.pre .. 'tt', '-inf', c.now, 'BYSCORE', 'LIMIT', 0, most - done)
		for _, entry in ipairs(entries) do
			local kind, id = entry:sub(1, 1), entry:sub(3)
			if kind == 'e' then
				due_expire(c, id)
			elseif kind == 'a' then
				due_time_out(c, id)
			elseif kind == 'p' then
				push_lost(c, id)
			elseif kind == 'k' then
				purge(c, id)
			elseif kind == 'w' then
				due_near(c, id)
			elseif kind == 'o' then
				due_overdue(c, id)
			elseif kind == 'g' then
				due_guard(c, id)
			elseif kind == 't' then
				token_look(c, id)
			elseif kind == 'l' then
				due_eligibility(c, id)
			else
				at(c, entry, c.now + lease)
				if not seen[entry] then
					claimed[#claimed + 1] = kind
					claimed[#claimed + 1] = id
					seen[entry] = true
				end
			end
		end
		done = done + #entries
	until #entries == 0 or done >= most
	return answer(c, 'ok', unpack(claimed))
end

-- jit_leave: gives back a claim that this broker cannot carry out, for another one to take up at once.
-- ARGV 3 the entry's kind, 4 its id. Answers 'ok'.
local function jit_leave(keys, args)
	local c = context(keys, args)
	redis.call('ZADD', c.pre .. 'tt', 'XX', 'LT', c.now, args[3] .. ':' .. args[4])
	return answer(c, 'ok')
end
