-- What operators see of an application and of a lane. Read only.

local ETA_GROUPS = 1000 -- more are counted as one push each

-- When the running cycle will be over if all goes well: the pushes that are left, at the bucket's rate.
local function cycle_eta(c, t, cycle)
	local pushes = 0
	local groups = redis.call('ZRANGE', c.pre .. 'dg:' .. t.app, '-inf', cycle.started, 'BYSCORE')
	for i = 1, #groups do
		pushes = pushes + (i > ETA_GROUPS and 1
			or math.ceil(redis.call('ZCOUNT', c.pre .. 'd:' .. groups[i], '-inf', cycle.started) / t.batch))
	end
	pushes = pushes + steps_left(c, t.app)
	if pushes == 0 then
		return c.now
	end
	local rate = t.limit - t.reserve
	return bucket_when(c, t, t.reserve + 1) + math.floor((pushes - 1) / rate) * t.window
end

local function add_condition(c, app, v)
	local h = condition(c, app)
	local function add(name, value)
		v[#v + 1] = name
		v[#v + 1] = type(value) == 'number' and string.format('%.0f', value) or value
	end
	add('paused', h.paused or 0)
	add('rest', h.rest and 1 or 0)
	add('quarantined', h.quarantined or 0)
	add('why', h.why)
	add('text', h.text)
	add('trials', h.trials)
	add('failed', h.failed)
	add('passed', h.passed)
	add('hold', h.hold)
	local test = redis.call('HMGET', c.pre .. 'pv:' .. app, 'needs', 'proof', 'at')
	add('needs', test[1] or '')
	add('proof', test[2] or '')
	add('proved_at', test[3] or 0)
end

-- jit_cycles, read only: the last cycles of an application that had something to do, newest first. ARGV 3 application.
-- Answers {'ok', now, 0, name, value pairs ...}.
local function jit_cycles(keys, args)
	local c = context(keys, args)
	local out = {}
	for i, packed in ipairs(redis.call('LRANGE', c.pre .. 'ch:' .. args[3], 0, -1)) do
		out[i] = cmsgpack.unpack(packed)
	end
	return { 'ok', c.now, 0, unpack(out) }
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
		add('left', cycle_left(c, t.app, cycle.started))
		add('eta', cycle_eta(c, t, cycle))
	end
	local held, since = guard_held(c, t.app)
	add('held', held)
	add('held_since', since)
	add('members', tonumber(redis.call('HGET', c.pre .. 'la', t.app) or '0'))
	local changed = redis.call('HGETALL', c.pre .. 'uc:' .. t.app)
	for i = 1, #changed, 2 do
		v[#v + 1] = 'users_' .. changed[i]
		v[#v + 1] = changed[i + 1]
	end
	add_condition(c, t.app, v)
	return { 'ok', c.now, 0, v }
end

-- The timetable with the applications' own entries: how many there are, how many are due and nobody has claimed, and since
-- when the oldest of those (0 = none is).
local function timetable_figures(c)
	local all, due, oldest = 0, 0, c.now + 1
	local function add(key)
		local first = redis.pcall('ZRANGE', key, 0, 0, 'WITHSCORES')
		if first.err then
			return -- it is set aside
		end
		all = all + redis.call('ZCARD', key)
		due = due + redis.call('ZCOUNT', key, '-inf', c.now)
		oldest = math.min(oldest, tonumber(first[2]) or oldest)
	end
	local stands = redis.call('ZRANGE', c.pre .. 'tt', 0, -1, 'WITHSCORES')
	for i = 1, #stands, 2 do
		local score = tonumber(stands[i + 1])
		if OWN[stands[i]:sub(1, 1)] then
			add(c.pre .. 't' .. stands[i])
		else
			all = all + 1
			due = due + (score <= c.now and 1 or 0)
			oldest = math.min(oldest, score)
		end
	end
	return all, due, due > 0 and oldest or 0
end

-- jit_lane: figures of the whole lane, for the metrics.
-- Answers {'ok', now, next, entries in the timetable, removals not confirmed, since when the oldest of them, notices
-- that wait, since when the oldest of them, notices that are parked, entries of the timetable that are due and that
-- nobody has claimed, since when the oldest of them, events of the audit, those not sealed,
-- not exported (-1: nobody seals, exports), memberships that guards hold, removals in applications that no broker knows,
-- what is set aside, since when the first of it}.
local function jit_lane(keys, args)
	local c = context(keys, args)
	local oldest = redis.call('ZRANGE', c.pre .. 'x', 0, 0, 'WITHSCORES')
	local notice = redis.call('ZRANGE', c.pre .. 'na', 0, 0, 'WITHSCORES')
	local entries, due, due_since = timetable_figures(c)
	local audit = audit_figures(c)
	local aside, aside_since = aside_figures(c)
	return { 'ok', c.now, 0, entries, redis.call('ZCARD', c.pre .. 'x'),
		tonumber(oldest[2] or '0'), redis.call('ZCARD', c.pre .. 'na') + redis.call('ZCARD', c.pre .. 'no'),
		tonumber(notice[2] or '0'), redis.call('ZCARD', c.pre .. 'np'), due, due_since, audit[1], audit[2], audit[3],
		guard_held_in_lane(c), unknown_in_lane(c), aside, aside_since }
end
