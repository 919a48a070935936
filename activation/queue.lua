-- What waits for a token, per application and kind:
--   x  removals          due = when to try (again)
--   r  retries           due = when to try again an activation whose push failed or was not sent; they keep their
--                        place until a token is free, because they had found one already
--   w  activations       due = since when they wait for a token; t.wait later they are deferred
--   d  deferred ones     due = when they were deferred; a cycle takes what was deferred before it began
--   f  who does not belong there (drift.lua); to be removed by the cycle that has found them
-- Members wait per group (KIND:GROUP, person -> due), because one push serves one group, and the groups per
-- application (KINDg:APP, group -> its earliest due). dq:APP has all deferred ones of the application in the order
-- in which they were deferred (GROUP:PERSON -> due), so that a place in the queue costs the same in any queue. The set
-- `x` has all memberships of the lane that are to be removed (GROUP:PERSON -> since when), pushes under way included:
-- what is in it is access that outlives its end.

-- Keeps the group's place in line with its earliest member.
local function queue_settle(c, kind, app, g)
	local first = redis.call('ZRANGE', c.pre .. kind .. ':' .. g, 0, 0, 'WITHSCORES')
	if first[1] then
		redis.call('ZADD', c.pre .. kind .. 'g:' .. app, first[2], g)
	else
		redis.call('ZREM', c.pre .. kind .. 'g:' .. app, g)
	end
end

local function dequeue(c, m)
	if m.q then
		redis.call('ZREM', c.pre .. m.q .. ':' .. m.g, m.p)
		queue_settle(c, m.q, m.ap, m.g)
		if m.q == 'd' then
			redis.call('ZREM', c.pre .. 'dq:' .. m.ap, m.g .. ':' .. m.p)
		end
		m.q = nil
		m.changed = true
	end
end

-- Puts the membership into that queue and no other. Without `due` a place that it has already is kept.
local function enqueue(c, m, kind, due)
	if m.q == kind and not due then
		return
	end
	dequeue(c, m)
	local of_cycle = kind == 'd' or kind == 'f'
	if of_cycle and m.again then
		due = m.again
	elseif of_cycle then
		-- A cycle has counted what it takes: who is deferred in the millisecond of its beginning comes after it.
		local started = tonumber(redis.call('HGET', c.pre .. 'c:' .. m.ap, 'started') or '0')
		due = math.max(due or c.now, started + 1)
	end
	m.q = kind
	m.changed = true
	redis.call('ZADD', c.pre .. kind .. ':' .. m.g, due or c.now, m.p)
	queue_settle(c, kind, m.ap, m.g)
	if kind == 'd' then
		redis.call('ZADD', c.pre .. 'dq:' .. m.ap, due, m.g .. ':' .. m.p)
	else
		wake(c, m.ap, due or c.now)
	end
end

-- The group of this kind whose earliest member is due first: group and due, or nil.
local function queue_first(c, kind, app)
	local first = redis.call('ZRANGE', c.pre .. kind .. 'g:' .. app, 0, 0, 'WITHSCORES')
	if first[1] then
		return first[1], tonumber(first[2])
	end
end

-- Up to `most` members of the group that are due by `till`, earliest first.
local function queue_due(c, kind, g, till, most)
	return redis.call('ZRANGE', c.pre .. kind .. ':' .. g, '-inf', till, 'BYSCORE', 'LIMIT', 0, most)
end

-- How many pushes the removals that are due need, counted up to `enough`.
local function removals_need(c, t, enough)
	local need = 0
	local groups = redis.call('ZRANGE', c.pre .. 'xg:' .. t.app, '-inf', c.now, 'BYSCORE', 'LIMIT', 0, enough)
	for i = 1, #groups do
		need = need + math.ceil(redis.call('ZCOUNT', c.pre .. 'x:' .. groups[i], '-inf', c.now) / t.batch)
	end
	return need
end

-- Members of this kind over all groups of the application, of those that are due by `till`.
local function queue_count(c, kind, app, till)
	local n = 0
	local groups = redis.call('ZRANGE', c.pre .. kind .. 'g:' .. app, '-inf', till, 'BYSCORE')
	for i = 1, #groups do
		n = n + redis.call('ZCOUNT', c.pre .. kind .. ':' .. groups[i], '-inf', till)
	end
	return n
end

-- The same for the deferred ones.
local function deferred_count(c, app, till)
	return redis.call('ZCOUNT', c.pre .. 'dq:' .. app, '-inf', till)
end

-- The place of a deferred membership in the order of deferral, 1 = first; 0 when it is not deferred.
local function queue_place(c, m)
	local place = redis.call('ZRANK', c.pre .. 'dq:' .. m.ap, m.g .. ':' .. m.p)
	return place and place + 1 or 0
end
