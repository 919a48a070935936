-- Drift: what an application's groups hold against what they should. Here is what is kept for comparing; drift_check.lua
-- compares.
--   mu:GROUP    who is in the group by the broker's doing or was found there: id in the application -> person (hash)
--   gu          group -> memberships that may be there under an id that is not known yet (hash)
--   lk          group -> those of its wanted memberships (lv) whose records keep all this (hash): what a version has left
--               that did not compare is in neither of the two above
--   gone:GROUP  removals that the application has confirmed: "ID\nPERSON" -> when (sorted set), because a request that was
--               given up may still bring somebody back: who is found there then is no standing member
--   fr:GROUP    ids of those who were found not to belong there (set); fn:GROUP the same, of the check under way
--   fa:GROUP    id -> keep | remove, an operator's answer about them to the guard, as long as they are there (hash)
--   fp:GROUP    pushes under way that remove such people -> when their broker is taken for dead (sorted set)
--   fw:GROUP    persons whose addition waits until these have ended (set)
-- Of a membership: k it is in mu:, un it counts in gu, lk in lk; dr it should be there and was not found (1), or may
-- have been given again already (2); fo somebody else has put an unknown one into an exclusive group: its person is then "~ID".

local GONE_MS = 86400000

-- As of now, that one is to be gone.
local function drift_keep_gone(c, g, item)
	local key = c.pre .. 'gone:' .. g
	redis.call('ZREMRANGEBYSCORE', key, '-inf', c.now - GONE_MS)
	redis.call('ZADD', key, c.now, item)
	redis.call('PEXPIRE', key, GONE_MS)
end

local function drift_remember(c, m)
	local user = user_of(m)
	m.dr = nil
	if m.fo then
		-- Should they come back, that is news.
		redis.call('SREM', c.pre .. 'fr:' .. m.g, user)
		redis.call('SREM', c.pre .. 'fn:' .. m.g, user)
		redis.call('HDEL', c.pre .. 'fa:' .. m.g, user)
	elseif user then
		drift_keep_gone(c, m.g, user .. '\n' .. m.p)
	end
end

-- Has the application confirmed the removal of this membership, and was it not compared since? `ids`: as a push's result
-- has them.
local function drift_is_gone(c, m, ids)
	local user = string.match(ids or '', '\n(.+)$')
	return user and redis.call('ZSCORE', c.pre .. 'gone:' .. m.g, user .. '\n' .. m.p)
end

-- An addition of somebody who was not found has been confirmed. Who is there after all (standing) had not been away,
-- unless a push before has brought them back without learning it.
local function drift_mended(c, m, verdict)
	local tried = m.dr == 2
	m.dr = nil
	if verdict == 'standing' and not tried then
		return
	end
	audit(c, 'drift_missing', { r = m.r[1], b = 'broker', g = m.g, p = m.p, u = user_name(c, m.p), a = m.ap,
		y = 'The membership had been removed in the application; it has been given again.' })
	c.mended = c.mended or {}
	table.insert(c.mended, m)
end

-- What a push has mended is told once.
local function drift_tell_mended(c)
	local all = c.mended
	if all then
		tell(c, 'membership.drift', { id = #all == 1 and all[1].r[1] or nil, ap = all[1].ap, g = all[1].g,
			p = #all == 1 and all[1].p or nil,
			er = (#all == 1 and 'The membership' or #all .. ' memberships')
				.. ' had been removed in the application and were not to be; given again.' })
	end
end

-- Whoever it is will be found again, should they still be there and not belong there.
local function drift_forget(m)
	m.s, m.id, m.n, m.er = 0, nil, 0, nil
end

-- May the unknown one still be removed? Not if a membership of the broker's own may be meant.
local function drift_stands(c, m)
	return not m.fo or (redis.call('HGET', c.pre .. 'mu:' .. m.g, user_of(m)) == m.p
		and not redis.call('HGET', c.pre .. 'gu', m.g))
end

-- A push takes such people out of the group. Who they are nobody knows: somebody who is added meanwhile may be one of
-- them, and would lose what they were just given. So additions wait for its end; those before it, it waits for (above).
local function strangers_leave(c, g, id, till)
	redis.call('ZADD', c.pre .. 'fp:' .. g, till, id)
end

-- Until when additions to the group have to wait at most; nil = they have not.
local function strangers_till(c, g)
	local last = redis.call('ZRANGE', c.pre .. 'fp:' .. g, -1, -1, 'WITHSCORES')
	local till = tonumber(last[2] or '0')
	return till > c.now and till or nil
end

local function strangers_hold(c, m, till)
	redis.call('SADD', c.pre .. 'fw:' .. m.g, m.p)
	m.t = true
	settle(c, m, till)
end

-- The push has ended, or its broker is dead.
local function strangers_left(c, app, g, id)
	redis.call('ZREM', c.pre .. 'fp:' .. g, id)
	if strangers_till(c, g) then
		return
	end
	for _, p in ipairs(redis.call('SMEMBERS', c.pre .. 'fw:' .. g)) do
		settle(c, get_member(c, g, p, app), c.now)
	end
	redis.call('DEL', c.pre .. 'fw:' .. g)
end
