-- The application's sync cycle and the handing out of tokens to what waits.
-- c:APP holds the cycle: next, started, ended (0 while it runs), total, pushes, failures, flying (members in
-- pushes under way), last_started, last_ended, last_total, last_pushes, last_failures of the last one that had
-- something to do.

-- Cycles lie on a grid that the application's name shifts, so that their times are known in advance.
local function next_slot(c, t)
	return (math.floor((c.now - t.phase) / t.cycle) + 1) * t.cycle + t.phase
end

local function cycle_get(c, app)
	local v = redis.call('HMGET', c.pre .. 'c:' .. app, 'started', 'ended', 'flying', 'next')
	return { started = tonumber(v[1]) or 0, ended = tonumber(v[2]) or 0, flying = tonumber(v[3]) or 0,
		next = tonumber(v[4]) or 0 }
end

-- Makes sure that the application's next cycle is in the timetable.
local function plan_cycle(c, t)
	local slot = next_slot(c, t)
	local planned = cycle_get(c, t.app).next
	if planned == 0 or planned > slot or not redis.call('ZSCORE', c.pre .. 'tt', 'c:' .. t.app) then
		redis.call('HSET', c.pre .. 'c:' .. t.app, 'next', slot)
		at(c, 'c:' .. t.app, slot)
	end
end

-- A token for an activation: only beyond those that the removals need which are due.
local function token_for_activation(c, t)
	local free = bucket_free(c, t)
	return free > 0 and free > removals_need(c, t, free)
end

-- Up to t.batch members of the group that wait in this queue and are due, bound to a new push. Those whose end has
-- come before the timetable was looked at leave the queue instead; nil when nobody is left.
local function push_batch(c, t, id, kind, g, till)
	local members = {}
	for _, p in ipairs(queue_due(c, kind, g, till, t.batch)) do
		local m = get_member(c, g, p, t.app)
		if wanted(c, m) == (kind ~= 'x') then
			members[#members + 1] = m
		else
			settle(c, m)
		end
	end
	if #members == 0 then
		queue_settle(c, kind, t.app, g)
		return nil
	end
	local cycle = kind == 'd' and till or nil
	if cycle then
		redis.call('HINCRBY', c.pre .. 'c:' .. t.app, 'pushes', 1)
		redis.call('HINCRBY', c.pre .. 'c:' .. t.app, 'flying', #members)
	end
	return push_begin(c, t, id, kind == 'x' and 'remove' or 'add', g, members, cycle)
end

-- Whose turn it is: removals, activations (those that failed before first), the cycle. Answers the queue, the group,
-- and by when its members must have been due; or nil.
local function next_group(c, t, free)
	for _, kind in ipairs({ 'x', 'r', 'w' }) do
		local g, due = queue_first(c, kind, t.app)
		if g and due <= c.now then
			return kind, g, c.now
		end
	end
	local cycle = cycle_get(c, t.app)
	if cycle.ended == 0 and cycle.started > 0 and free > t.reserve then
		local g, due = queue_first(c, 'd', t.app)
		if g and due <= cycle.started then
			return 'd', g, cycle.started
		end
	end
end

-- Batches in which nobody is wanted any more, looked through in one call; what is left is for the next call.
local EMPTY_BATCHES = 5

-- The next push that may be made now, or nil. Bounded: whatever the store holds, Redis is not kept busy for long.
local function next_push(c, t, id)
	local free = bucket_free(c, t)
	for _ = 1, free > 0 and EMPTY_BATCHES or 0 do
		local kind, g, till = next_group(c, t, free)
		local order = kind and push_batch(c, t, id, kind, g, till)
		if order or not kind then
			return order
		end
	end
end

-- Activations that have waited as long as they may go to the next cycle.
local function give_up_waiting(c, t)
	local groups = redis.call('ZRANGE', c.pre .. 'wg:' .. t.app, '-inf', c.now - t.wait, 'BYSCORE', 'LIMIT', 0, 100)
	for _, g in ipairs(groups) do
		for _, p in ipairs(queue_due(c, 'w', g, c.now - t.wait, 100)) do
			local m = get_member(c, g, p, t.app)
			move_all(c, m, { waiting = true }, 'defer')
			settle(c, m)
		end
	end
end

-- The cycle is over when all that was deferred before it began has been pushed or is no longer wanted.
local function cycle_close_if_done(c, t)
	local cycle = cycle_get(c, t.app)
	if cycle.started == 0 or cycle.ended > 0 or cycle.flying > 0 then
		return
	end
	local g, due = queue_first(c, 'd', t.app)
	if g and due <= cycle.started then
		return
	end
	local key = c.pre .. 'c:' .. t.app
	local v = redis.call('HMGET', key, 'total', 'pushes', 'failures')
	redis.call('HSET', key, 'ended', c.now, 'last_started', cycle.started, 'last_ended', c.now, 'last_total', v[1],
		'last_pushes', v[2], 'last_failures', v[3])
end

-- When the application is to be looked at again: the earliest of what waits, once a token is there for it.
local function plan(c, t)
	local when
	local function earlier(time)
		when = when and math.min(when, time) or time
	end
	local g, due
	for _, kind in ipairs({ 'x', 'r' }) do
		g, due = queue_first(c, kind, t.app)
		if g then
			earlier(math.max(due, bucket_when(c, t, 1)))
		end
	end
	g, due = queue_first(c, 'w', t.app)
	if g then
		earlier(math.max(due, math.min(bucket_when(c, t, 1), due + t.wait)))
	end
	local cycle = cycle_get(c, t.app)
	g, due = queue_first(c, 'd', t.app)
	if g and cycle.started > 0 and cycle.ended == 0 and due <= cycle.started then
		earlier(bucket_when(c, t, t.reserve + 1))
	end
	if when then
		at(c, 'q:' .. t.app, when)
	else
		off(c, 'q:' .. t.app)
	end
end

-- jit_pump: one push of what waits for this application, if a token is free; called again until there is none.
-- ARGV 3 terms, 4 id for the push. Answers {'push', now, next, order} or {'idle', now, next}.
local function jit_pump(keys, args)
	local c = context(keys, args)
	local t = read_terms(args[3])
	local under_way = get_push(c, args[4])
	if under_way then
		return answer(c, 'push', push_order(c, args[4], under_way))
	end
	local order = next_push(c, t, args[4])
	if not order then
		give_up_waiting(c, t)
		cycle_close_if_done(c, t)
	end
	plan(c, t)
	if order then
		return answer(c, 'push', order)
	end
	return answer(c, 'idle')
end

-- jit_plan_cycle: at the broker's start and after a change of the configuration. ARGV 3 terms. Answers 'ok'.
local function jit_plan_cycle(keys, args)
	local c = context(keys, args)
	plan_cycle(c, read_terms(args[3]))
	return answer(c, 'ok')
end

-- jit_cycle: the application's cycle is due. It takes what is deferred now; what is deferred later waits for the
-- next one. Never two at once: while one runs, its successor is put off by a slot.
-- ARGV 3 terms. Answers 'started' with the number of memberships, 'empty', 'running', or 'early' when it was begun already by another broker.
local function jit_cycle(keys, args)
	local c = context(keys, args)
	local t = read_terms(args[3])
	local key = c.pre .. 'c:' .. t.app
	local cycle = cycle_get(c, t.app)
	local slot = next_slot(c, t)
	if cycle.next > c.now then
		at(c, 'c:' .. t.app, cycle.next)
		return answer(c, 'early')
	end
	redis.call('HSET', key, 'next', slot)
	at(c, 'c:' .. t.app, slot)
	if cycle.started > 0 and cycle.ended == 0 then
		wake(c, t.app, c.now)
		return answer(c, 'running')
	end
	local total = deferred_count(c, t.app, c.now)
	redis.call('HSET', key, 'started', c.now, 'ended', 0, 'total', total, 'pushes', 0, 'failures', 0, 'flying', 0)
	if total == 0 then
		redis.call('HSET', key, 'ended', c.now)
		return answer(c, 'empty')
	end
	wake(c, t.app, c.now)
	return answer(c, 'started', total)
end
