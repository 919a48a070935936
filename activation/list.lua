-- Read-only functions: one request, lists, the application's and the lane's condition.

-- jit_get. ARGV 3 request id.
-- Answers {'ok', now, next, request} or {'none', ...}.
local function jit_get(keys, args)
	local c = context(keys, args)
	local r = get_request(c, args[3])
	if not r then
		return answer(c, 'none')
	end
	local out = view(c, r)
	out[#out + 1] = 'person'
	out[#out + 1] = redis.call('GET', c.pre .. 'u:' .. r.p) or '{}'
	return answer(c, 'ok', out)
end

local function split(text)
	local set, any = {}, false
	for word in string.gmatch(text, '[^,]+') do
		set[word] = true
		any = true
	end
	return any and set or nil
end

-- jit_list: requests of one person or one group, or those that wait for an approver, newest first.
-- ARGV 3 'p', 'g' or 'a', 4 its id ('' with 'a'), 5 created before or at, Unix ms ('+inf': from the newest), 6 with an id below this
-- when created at that very time ('' = none), 7 most, then filters, '' = any: 8 states (comma), 9 action, 10 group,
-- 11 person. Answers {'ok', now, next, where it stopped looking: created and id ('' = at the end), request ...}.
local function jit_list(keys, args)
	local c = context(keys, args)
	local most, states = tonumber(args[7]), split(args[8])
	local key = c.pre .. 'i' .. args[3] .. ':' .. args[4]
	local out, looked, offset = {}, 0, 0
	local last_created, last_id = '', ''
	repeat
		local page = redis.call('ZRANGE', key, args[5], '-inf', 'BYSCORE', 'REV', 'LIMIT', offset, 100, 'WITHSCORES')
		for i = 1, #page, 2 do
			local id, created = page[i], page[i + 1]
			if args[6] == '' or created ~= args[5] or id < args[6] then
				local r = get_request(c, id)
				last_created, last_id = created, id
				looked = looked + 1
				if r and (not states or states[r.st]) and (args[9] == '' or r.ac == args[9])
					and (args[10] == '' or r.g == args[10]) and (args[11] == '' or r.p == args[11]) then
					out[#out + 1] = view(c, r)
				end
			end
			if #out >= most or looked >= 1000 then
				return { 'ok', c.now, 0, last_created, last_id, unpack(out) }
			end
		end
		offset = offset + 100
	until #page < 200
	return { 'ok', c.now, 0, '', '', unpack(out) }
end

-- jit_application. ARGV 3 terms. Answers name, value pairs.
local function jit_application(keys, args)
	local c = context(keys, args)
	local t = read_terms(args[3])
	local v = redis.call('HGETALL', c.pre .. 'c:' .. t.app)
	local function add(name, value)
		v[#v + 1] = name
		v[#v + 1] = string.format('%.0f', value)
	end
	local cycle = cycle_get(c, t.app)
	local free = bucket_free(c, t)
	add('free', free)
	add('token_at', free < t.limit and bucket_when(c, t, math.min(free + 1, t.limit)) or 0)
	add('closed_until', tonumber(redis.call('GET', c.pre .. 'bc:' .. t.app) or '0'))
	add('waiting', queue_count(c, 'w', t.app, '+inf') + queue_count(c, 'r', t.app, '+inf'))
	add('deferred', deferred_count(c, t.app, '+inf'))
	add('removals', queue_count(c, 'x', t.app, '+inf'))
	add('next_cycle', cycle_get(c, t.app).next)
	if cycle.started > 0 and cycle.ended == 0 then
		add('left', deferred_count(c, t.app, cycle.started) + cycle.flying)
	end
	return { 'ok', c.now, 0, v }
end

-- jit_lane: figures of the whole lane, for the metrics.
-- Answers {'ok', now, next, entries in the timetable, removals not confirmed, since when the oldest of them, notices
-- that wait, since when the oldest of them, notices that are parked}.
local function jit_lane(keys, args)
	local c = context(keys, args)
	local oldest = redis.call('ZRANGE', c.pre .. 'x', 0, 0, 'WITHSCORES')
	local notice = redis.call('ZRANGE', c.pre .. 'na', 0, 0, 'WITHSCORES')
	return { 'ok', c.now, 0, redis.call('ZCARD', c.pre .. 'tt'), redis.call('ZCARD', c.pre .. 'x'),
		tonumber(oldest[2] or '0'), redis.call('ZCARD', c.pre .. 'na') + redis.call('ZCARD', c.pre .. 'no'),
		tonumber(notice[2] or '0'), redis.call('ZCARD', c.pre .. 'np') }
end
