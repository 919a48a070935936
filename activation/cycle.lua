-- The application's sync cycle and the handing out of tokens to what waits.
-- c:APP holds the cycle: next, started, ended (0 while it runs), total, pushes, failures, flying (members in
-- pushes under way), by (schedule or who began it), trial (pushes that it may make although the application is in
-- quarantine), count (cycles so far), last_started, last_ended, last_total, last_pushes, last_failures of the last one
-- that had something to do. ch:APP is a list of the last hundred of these, newest first.

-- Cycles lie on a grid that the application's name shifts, so that their times are known in advance.
local function next_slot(c, t)
	return (math.floor((c.now - t.phase) / t.cycle) + 1) * t.cycle + t.phase
end

local function cycle_get(c, app)
	local v = redis.call('HMGET', c.pre .. 'c:' .. app, 'started', 'ended', 'flying', 'next', 'trial')
	return { started = tonumber(v[1]) or 0, ended = tonumber(v[2]) or 0, flying = tonumber(v[3]) or 0,
		next = tonumber(v[4]) or 0, trial = tonumber(v[5]) or 0 }
end

-- How much of what the cycle took is not done yet.
local function cycle_left(c, app, started)
	local flying = tonumber(redis.call('HGET', c.pre .. 'c:' .. app, 'flying') or '0')
	return redis.call('ZCOUNT', c.pre .. 'dq:' .. app, '-inf', started) + queue_count(c, 'f', app, started) + flying
		+ steps_left(c, app)
end

-- Makes sure that the application's next cycle is in the timetable.
local function plan_cycle(c, t)
	local slot = next_slot(c, t)
	local planned = cycle_get(c, t.app).next
	local slowed = condition(c, t.app).quarantined
	if planned == 0 or (planned > slot and not slowed) or not redis.call('ZSCORE', c.pre .. 'tt', 'c:' .. t.app) then
		redis.call('HSET', c.pre .. 'c:' .. t.app, 'next', slot)
		at(c, 'c:' .. t.app, slot)
	end
end

-- A token for an activation: only beyond those that the removals need which are due.
local function token_for_activation(c, t)
	local free = bucket_free(c, t)
	return free > 0 and free > removals_need(c, t, free)
end

-- Up to t.batch members of the group that wait in this queue and are due, bound to a new push. Who cannot be read
-- waits. Those whose end has come before the timetable was looked at leave the queue instead; nil when nobody is left.
local function push_batch(c, t, id, kind, g, till)
	local adds = kind ~= 'x' and kind ~= 'f'
	local members, size = {}, nil
	for _, p in ipairs(queue_due(c, kind, g, till, t.batch)) do
		local m = try(c, kind .. ':' .. g, p, t.app, function()
			return read_member(c, g, p, t.app), adds and get_user(c, t.app, p)
		end)
		-- A removal whose end cannot be written is made all the same, alone: it holds up no other's.
		local most = m and (adds or is_user_readable(c, t.app, p)) and (m.b or t.batch) or 1
		if not m then
			queue_settle(c, kind, t.app, g)
		elseif wanted(c, m) ~= adds then
			settle(c, m)
		elseif adds and addition_waits(c, m) then
			addition_hold(c, m)
		elseif not size or (most == size and #members < size) then
			-- Parts of a batch that was refused are not mixed with others.
			size = most
			members[#members + 1] = m
		end
	end
	if #members == 0 then
		queue_settle(c, kind, t.app, g)
		return nil
	end
	local cycle = (kind == 'd' or kind == 'f') and till or nil
	if cycle then
		redis.call('HINCRBY', c.pre .. 'c:' .. t.app, 'pushes', 1)
		redis.call('HINCRBY', c.pre .. 'c:' .. t.app, 'flying', #members)
		redis.call('HINCRBY', c.pre .. 'c:' .. t.app, 'trial', -1)
	end
	return push_begin(c, t, id, adds and 'add' or 'remove', g, members, cycle)
end

-- Does a cycle run that may push now?
local function cycle_may_push(c, t, cycle)
	local h = condition(c, t.app)
	return cycle.started > 0 and cycle.ended == 0 and not h.paused and not h.unproved and (not h.quarantined or cycle.trial > 0)
end

-- What the cycle pushes next: the queue, the group, and by when its members must have been due; nil when all is pushed
-- or no longer wanted.
local function cycle_first(c, t, cycle)
	for _, kind in ipairs({ 'd', 'f' }) do
		local g, due = queue_first(c, kind, t.app)
		if g and due <= cycle.started then
			return kind, g, cycle.started
		end
	end
end

-- Whose turn it is: removals, activations (those that failed before first), the cycle. Answers the queue, the group,
-- and by when its members must have been due; or nil. An application that is closed to additions gets removals, and in
-- quarantine what its cycle may try. After failures in a row, what failed before and the cycle wait for a while.
local function next_group(c, t, free)
	local h = condition(c, t.app)
	local open = takes_additions(c, t.app)
	local turns = { { 'x', not (h.paused and h.rest) and not h.unproved }, { 'r', open and h.hold <= c.now }, { 'w', open } }
	for _, turn in ipairs(turns) do
		local g, due = queue_first(c, turn[1], t.app)
		if turn[2] and g and due <= c.now then
			return turn[1], g, c.now
		end
	end
	local cycle = cycle_get(c, t.app)
	if cycle_may_push(c, t, cycle) and h.hold <= c.now and free > t.reserve then
		return cycle_first(c, t, cycle)
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

local GIVE_UP_MOST = 100 -- activations that one call leaves to the cycle

-- Those of the queue that have waited since before `till` go to the next cycle; how many more may.
local function give_up(c, t, kind, till, most)
	local groups = redis.call('ZRANGE', c.pre .. kind .. 'g:' .. t.app, '-inf', till, 'BYSCORE', 'LIMIT', 0, most)
	for _, g in ipairs(groups) do
		for _, p in ipairs(queue_due(c, kind, g, till, most)) do
			local m = get_member(c, g, p, t.app)
			move_all(c, m, { waiting = true }, 'defer')
			settle(c, m)
			most = most - 1
		end
		if most <= 0 then
			return 0
		end
	end
	return most
end

-- Activations that have waited as long as they may; while the application is closed to additions, all of them.
local function give_up_waiting(c, t)
	if takes_additions(c, t.app) then
		give_up(c, t, 'w', c.now - t.wait, GIVE_UP_MOST)
	else
		local most = give_up(c, t, 'w', '+inf', GIVE_UP_MOST)
		if most > 0 then
			give_up(c, t, 'r', '+inf', most)
		end
	end
end

local HISTORY_MOST = 100

-- The cycle is over; one that had something to do is remembered.
local function cycle_close(c, t, result)
	local key = c.pre .. 'c:' .. t.app
	local v = redis.call('HMGET', key, 'started', 'total', 'pushes', 'failures', 'by', 'count', 'had', 'did')
	redis.call('HSET', key, 'ended', c.now)
	if tonumber(v[7] or v[2]) + tonumber(v[8] or '0') + tonumber(v[3]) == 0 then
		return
	end
	redis.call('HSET', key, 'last_started', v[1], 'last_ended', c.now, 'last_total', v[2],
		'last_pushes', v[3], 'last_failures', v[4])
	redis.call('LPUSH', c.pre .. 'ch:' .. t.app, cmsgpack.pack({ 'number', v[6], 'started', v[1], 'ended',
		string.format('%.0f', c.now), 'total', v[2], 'done', string.format('%.0f', v[2] - cycle_left(c, t.app, tonumber(v[1]))),
		'pushes', v[3], 'failures', v[4], 'by', v[5] or 'schedule', 'result', result }))
	redis.call('LTRIM', c.pre .. 'ch:' .. t.app, 0, HISTORY_MOST - 1)
end

-- Nothing is left to push of what the cycle took.
local function cycle_has_pushed(c, t, cycle)
	return cycle.flying <= 0 and not cycle_first(c, t, cycle)
end

-- The cycle is over when that is so and its steps have been taken; and in quarantine when it has tried what it may.
local function cycle_close_if_done(c, t)
	local cycle = cycle_get(c, t.app)
	if cycle.started == 0 or cycle.ended > 0 or cycle.flying > 0 then
		return
	end
	local pushed = cycle_has_pushed(c, t, cycle)
	if pushed and not step_get(c, t.app) then
		cycle_close(c, t, 'completed')
	elseif condition(c, t.app).quarantined and (pushed or cycle.trial <= 0) then
		cycle_close(c, t, 'quarantine')
		steps_end(c, t.app)
	end
end

-- May the cycle go on with its steps, as soon as a token is free?
local function cycle_may_step(c, t, cycle)
	return cycle_may_push(c, t, cycle) and not condition(c, t.app).quarantined and cycle_has_pushed(c, t, cycle)
end

-- The next piece of the cycle's steps for the broker, or nil.
local function next_piece(c, t, id)
	local cycle = cycle_get(c, t.app)
	if cycle_may_step(c, t, cycle) and condition(c, t.app).hold <= c.now and bucket_free(c, t) > t.reserve then
		return step_piece(c, t, id)
	end
end

-- When the application is to be looked at again: the earliest of what waits, once a token is there for it.
local function plan(c, t)
	local h, open = condition(c, t.app), takes_additions(c, t.app)
	local when
	local function earlier(time)
		when = when and math.min(when, time) or time
	end
	local g, due = queue_first(c, 'x', t.app)
	if g and not (h.paused and h.rest) then
		earlier(math.max(due, bucket_when(c, t, 1)))
	end
	g, due = queue_first(c, 'r', t.app)
	if g then
		earlier(open and math.max(due, h.hold, bucket_when(c, t, 1)) or c.now)
	end
	g, due = queue_first(c, 'w', t.app)
	if g then
		earlier(open and math.max(due, math.min(bucket_when(c, t, 1), due + t.wait)) or c.now)
	end
	local cycle = cycle_get(c, t.app)
	if cycle_may_push(c, t, cycle) and cycle_first(c, t, cycle) then
		earlier(math.max(h.hold, bucket_when(c, t, t.reserve + 1)))
	end
	local step = step_get(c, t.app)
	if step and cycle_may_step(c, t, cycle) then
		earlier(math.max(h.hold, bucket_when(c, t, t.reserve + 1), step.piece ~= '' and step.till or 0))
	end
	if when then
		at(c, 'q:' .. t.app, when)
	else
		off(c, 'q:' .. t.app)
	end
end

-- jit_pump: one push of what waits for this application, if a token is free; called again until there is none.
-- ARGV 3 terms, 4 id for the push. Answers {'push', now, next, order}, {'piece', now, next, a piece of one of the
-- cycle's steps}, or {'idle', now, next}.
local function jit_pump(keys, args)
	local c = context(keys, args)
	local t = read_terms(args[3])
	local under_way = get_push(c, args[4])
	if under_way then
		return answer(c, 'push', push_order(c, args[4], under_way))
	end
	unknown_over(c, t.app)
	local order = next_push(c, t, args[4])
	local piece
	if not order then
		give_up_waiting(c, t)
		piece = next_piece(c, t, args[4])
		cycle_close_if_done(c, t)
	end
	plan(c, t)
	if order or piece then
		return answer(c, order and 'push' or 'piece', order or piece)
	end
	return answer(c, 'idle')
end

-- jit_plan_cycle: at the broker's start and after a change of the configuration. ARGV 3 terms, 4 what Test
-- Connection has to have proved (connection_test.lua; '' = nothing), 5 when its token ends, Unix ms (0 = not known;
-- token.lua). Answers 'ok'.
local function jit_plan_cycle(keys, args)
	local c = context(keys, args)
	local t = read_terms(args[3])
	if (args[4] or '') ~= '' then
		redis.call('HSET', c.pre .. 'pv:' .. t.app, 'needs', args[4])
	else
		redis.call('HDEL', c.pre .. 'pv:' .. t.app, 'needs')
	end
	plan_cycle(c, t)
	if unknown_over(c, t.app) then
		wake(c, t.app, c.now)
	end
	if args[5] then
		token_plan(c, t.app, args[5])
	end
	return answer(c, 'ok')
end

-- When the cycle after this one begins.
local function cycle_next(c, t)
	if condition(c, t.app).quarantined then
		return c.now + quarantine_pause(c, t)
	end
	return next_slot(c, t)
end

-- jit_cycle: the application's cycle is due. It takes what is deferred now; what is deferred later waits for the
-- next one. Never two at once: while one pushes, its successor is put off by a slot; one that is busy with its steps
-- alone makes room, and its successor goes on with them. In quarantine it tries one push.
-- ARGV 3 terms, 4 who begins it although it is not due ('' = it is due), 5 its steps (cycle_step.lua). Answers 'started'
-- with the number of memberships and what the steps have to do, 'empty', 'running', 'paused', or 'early' when it was
-- begun already by another broker.
local function jit_cycle(keys, args)
	local c = context(keys, args)
	local t = read_terms(args[3])
	local key = c.pre .. 'c:' .. t.app
	local cycle = cycle_get(c, t.app)
	unknown_over(c, t.app)
	if cycle.next > c.now and args[4] == '' then
		at(c, 'c:' .. t.app, cycle.next)
		return answer(c, 'early')
	end
	local running, paused = cycle.started > 0 and cycle.ended == 0, condition(c, t.app).paused
	if running and not paused and step_get(c, t.app) and cycle_has_pushed(c, t, cycle) then
		cycle_close(c, t, 'unfinished')
		running = false
	end
	local slot = (running or paused) and next_slot(c, t) or cycle_next(c, t)
	redis.call('HSET', key, 'next', slot)
	at(c, 'c:' .. t.app, slot)
	if running then
		wake(c, t.app, c.now)
		return answer(c, 'running')
	elseif paused then
		return answer(c, 'paused')
	end
	if args[4] ~= '' then
		app_event(c, t.app, 'cycle', args[4], '')
	end
	local had = deferred_count(c, t.app, c.now)
	local total = had + steps_begin(c, t.app, args[5] or '')
	redis.call('HINCRBY', key, 'count', total > 0 and 1 or 0)
	redis.call('HSET', key, 'started', c.now, 'ended', 0, 'total', total, 'pushes', 0, 'failures', 0, 'flying', 0,
		'trial', 1, 'had', had, 'by', args[4] == '' and 'schedule' or args[4])
	if total == 0 then
		redis.call('HSET', key, 'ended', c.now)
		return answer(c, 'empty')
	end
	wake(c, t.app, c.now)
	return answer(c, 'started', total)
end
