-- What administrators ask for about eligibility: give, change, extend, take away, withdraw.

local function eligibility_view(_, e)
	local out = {}
	for name, value in pairs(e) do
		out[#out + 1] = name
		out[#out + 1] = type(value) == 'number' and string.format('%.0f', value) or value
	end
	return out
end

-- 'ok', or why it cannot be, and the eligibility that stands in its way.
local function admit_eligibility(c, e, list)
	local others = 0
	for _, x in ipairs(list) do
		if x[3] > c.now then
			others = others + 1
		end
	end
	if e.ac ~= 'adminAssign' and e.ac ~= 'adminRenew' and others == 0 then
		return 'none'
	elseif e.ac == 'adminRemove' or e.ac == 'adminUpdate' then
		return e.ac == 'adminUpdate' and e.e <= e.s and 'past' or 'ok'
	elseif e.e <= e.s then
		return 'past'
	end
	for _, x in ipairs(list) do
		if x[2] <= e.s and x[3] >= e.e then
			return 'exists', get_eligibility(c, x[1])
		end
	end
	return others < ELIGIBILITY_MAX and 'ok' or 'many'
end

-- What there is makes room: all of it for a removal, and for a new schedule what lies behind its start.
local function make_room(c, e, list)
	for _, x in ipairs(list) do
		local other = get_eligibility(c, x[1])
		if other and (e.s <= c.now or other.s >= e.s) then
			close_eligibility(c, other, other.e > c.now and 'revoked' or 'expired', e.by)
		elseif other and other.e > e.s then
			other.e, other.d = e.s, nil
			write_eligibility(c, other)
			trace_eligibility(c, other, 'eligibility_cut', other.st, e.by)
			at(c, 'l:' .. other.id, other.e, other.ap)
			x[3] = other.e
		end
	end
end

local function keep_eligibility(c, e, list)
	if e.ac == 'adminRemove' or e.ac == 'adminUpdate' then
		make_room(c, e, list)
	end
	if e.ac == 'adminRemove' then
		e.st, e.en = 'revoked', c.now
		at(c, 'l:' .. e.id, c.now + c.keep, e.ap)
	else
		local open = {}
		for _, x in ipairs(list) do
			local other = get_eligibility(c, x[1])
			if other and not other.en then
				open[#open + 1] = x
			end
		end
		open[#open + 1] = { e.id, e.s, e.e }
		write_eligibilities(c, e.g, e.p, open)
		e.st = e.s > c.now and 'scheduled' or 'in_force'
		at(c, 'l:' .. e.id, e.e, e.ap)
	end
	write_eligibility(c, e)
	trace_eligibility(c, e, 'eligibility_' .. e.ac, 'new', e.by)
	redis.call('ZADD', c.pre .. 'ep:' .. e.p, e.c, e.id)
	redis.call('ZADD', c.pre .. 'eg:' .. e.g, e.c, e.id)
	redis.call('ZADD', c.pre .. 'eb:' .. e.by, e.c, e.id)
end

-- jit_eligibility: an administrator gives, changes or takes away eligibility.
-- ARGV 3 request id, 4 only try (1), then name, value pairs of the request, with `h` the hash that tells a repetition.
-- Answers {word, now, next, request}: 'ok' made, 'same' it was made before, 'reused' the id was used for something
-- else, 'past' 'exists' 'many' 'none' refused (with the one that is in the way).
local function jit_eligibility(keys, args)
	local c = context(keys, args)
	local e = read_request(c, args, 5)
	e.id, e.changed = args[3], nil
	c.why = e.j
	local before = get_eligibility(c, e.id)
	if before then
		return answer(c, before.h == e.h and 'same' or 'reused', eligibility_view(c, before))
	end
	e.s = math.max(e.a or 0, c.now)
	if e.ac == 'adminRemove' then
		e.s, e.e = c.now, c.now
	elseif e.d then
		e.e = e.s + e.d
	end
	local list = eligibilities_of(c, e.g, e.p)
	local word, other = admit_eligibility(c, e, list)
	if word ~= 'ok' then
		return answer(c, word, other and eligibility_view(c, other) or '')
	end
	if args[4] == '1' then
		e.st = e.ac == 'adminRemove' and 'revoked' or e.s > c.now and 'scheduled' or 'in_force'
	else
		keep_eligibility(c, e, list)
	end
	return answer(c, 'ok', eligibility_view(c, e))
end

-- jit_eligibility_cancel: withdraws one that has not begun. ARGV 3 request id, 4 who asks.
-- Answers 'ok' (also when it was cancelled before), 'none' or 'state'.
local function jit_eligibility_cancel(keys, args)
	local c = context(keys, args)
	local e = get_eligibility(c, args[3])
	if not e then
		return answer(c, 'none')
	elseif e.st == 'canceled' then
		return answer(c, 'ok')
	elseif e.st ~= 'scheduled' then
		return answer(c, 'state')
	end
	close_eligibility(c, e, 'canceled', args[4])
	return answer(c, 'ok')
end

-- jit_eligibility_get. ARGV 3 request id. Answers {'ok', now, next, request} or {'none', ...}.
local function jit_eligibility_get(keys, args)
	local c = context(keys, args)
	local e = get_eligibility(c, args[3])
	if not e then
		return answer(c, 'none')
	end
	return answer(c, 'ok', eligibility_view(c, e))
end

-- jit_eligible: is the person eligible by an administrator's word? ARGV 3 group, 4 person, 5 when, Unix ms; what lies
-- in the past means now. Answers {'ok', now, next, 1 or 0}.
local function jit_eligible(keys, args)
	local c = context(keys, args)
	local t = math.max(c.now, tonumber(args[5]))
	return answer(c, 'ok', eligible_at(c, args[3], args[4], t) and 1 or 0)
end
