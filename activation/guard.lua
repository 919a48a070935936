-- The guard. When the configuration shrinks and would take more memberships of an application away than is usual, none
-- of them is taken until an operator has answered. What the configuration would take is counted while its broker still
-- waits for others to go by it, too, so that all of it is known before the first one goes. What ends by itself, what a
-- person gives back and what an operator removes is never held; and what is held still ends at its own end.
--   gs:APP  (sorted set)  memberships (GROUP:PERSON) that the configuration would take -> until when that counts, unless
--                         they are looked at again before
--   gl:APP  (sorted set)  those that it has taken -> until when they count
--   gh      (hash)        application -> since when its guard holds
--   la      (hash)        application -> memberships that are wanted now
-- Strangers in a group that is `exclusive: remove` (drift_check.lua) are counted and held with them, as GROUP:~ID.
-- A request keeps the operator's answer: gk (1) it is kept until its own end, gw until when it may be taken.

local GUARD_COUNTS_MS = 180000 -- who has a group is looked at every minute
local GUARD_SHARE_FROM = 5 -- a share of few says nothing: so many may go in any case, as far as the number allows
local GUARD_PAGE = 500

local function guard_key(r)
	return r.g .. ':' .. r.p
end

-- Since when the application's guard holds; nil when it does not.
local function guard_since(c, app)
	return tonumber(redis.call('HGET', c.pre .. 'gh', app) or '')
end

-- Does the configuration take the request away, rather than its own end as the policies knew it that granted it?
local function guard_concerns(c, r)
	return r.pv ~= c.policies and not (r.lu and r.lu <= c.now) and not (r.gw and tonumber(r.gw) > c.now)
end

local function guard_tidy(c, app)
	redis.call('ZREMRANGEBYSCORE', c.pre .. 'gs:' .. app, '-inf', c.now)
	redis.call('ZREMRANGEBYSCORE', c.pre .. 'gl:' .. app, '-inf', c.now)
end

-- The configuration would take it.
local function guard_count(c, r, grace)
	local till = c.now + GUARD_COUNTS_MS + 2 * grace
	redis.call('ZADD', c.pre .. 'gs:' .. r.ap, till, guard_key(r))
	if guard_since(c, r.ap) then
		at(c, 'g:' .. r.ap, till)
	end
end

local function guard_hold(c, app, n, all, most, share)
	redis.call('HSET', c.pre .. 'gh', app, c.now)
	local words = string.format('The configuration would remove %d of %d memberships. More than %d, or %d in a hundred, '
		.. 'are removed only when an operator agrees; until then they are kept.', n, all, most, share)
	at(c, 'g:' .. app, c.now + GUARD_COUNTS_MS)
	app_event(c, app, 'guard', 'broker', words)
	tell(c, 'removals.held', { ap = app, er = words })
end

-- May it be taken now? `terms`: "MOST SHARE WINDOW": so many, and so many of a hundred, may be taken within the window
-- (ms). A broker that names none has no guard. `group`, of strangers: {later, how many of the group's are to be counted yet;
-- left, how many there are; members, whom the broker knows of there}: their share is one of the group, so that none is emptied.
local function guard_lets(c, r, terms, group)
	local most, share, window = string.match(terms or '', '^(%d+) (%d+) (%d+)$')
	if not most then
		return true
	elseif guard_since(c, r.ap) then
		return false
	end
	guard_tidy(c, r.ap)
	local taken = redis.call('ZCARD', c.pre .. 'gl:' .. r.ap)
	local n = redis.call('ZCARD', c.pre .. 'gs:' .. r.ap) + taken + (group and group.later or 0)
	local all = tonumber(redis.call('HGET', c.pre .. 'la', r.ap) or '0') + taken
	local part, whole = n, all
	if group then
		part, whole = group.left, group.left + group.members
		all = all + group.left
	end
	if n > tonumber(most) or (part > GUARD_SHARE_FROM and part * 100 > tonumber(share) * whole) then
		guard_hold(c, r.ap, n, all, most, share)
		return false
	end
	redis.call('ZADD', c.pre .. 'gl:' .. r.ap, c.now + tonumber(window), guard_key(r))
	return true
end

-- Nothing more is held: all of it has ended, or the configuration has it again.
local function due_guard(c, app)
	off(c, 'g:' .. app)
	guard_tidy(c, app)
	local last = redis.call('ZRANGE', c.pre .. 'gs:' .. app, -1, -1, 'WITHSCORES')
	if not guard_since(c, app) then
		return
	elseif last[1] then
		at(c, 'g:' .. app, tonumber(last[2]))
		return
	end
	redis.call('HDEL', c.pre .. 'gh', app)
	app_event(c, app, 'guard_over', 'time', 'Nothing is held any more.')
end

-- How many of the application's memberships are held, and since when.
local function guard_held(c, app)
	local since = guard_since(c, app)
	return since and redis.call('ZCOUNT', c.pre .. 'gs:' .. app, c.now, '+inf') or 0, since or 0
end

-- The same for the whole lane.
local function guard_held_in_lane(c)
	local n = 0
	local all = redis.call('HGETALL', c.pre .. 'gh')
	for i = 1, #all, 2 do
		n = n + guard_held(c, all[i])
	end
	return n
end

local function guard_answer_one(c, key, app, what)
	local g, p = string.match(key, '^([^:]*):(.*)$')
	redis.call('ZREM', c.pre .. 'gs:' .. app, key)
	if string.sub(p, 1, 1) == '~' then
		redis.call('HSET', c.pre .. 'fa:' .. g, string.sub(p, 2), what)
		return
	end
	for _, r in ipairs(requests_of(c, get_member(c, g, p, app))) do
		if WANTS[r.st] and not is_assigned(r) then
			r.gk = what == 'keep' and 1 or nil
			r.gw = what == 'remove' and c.now + GUARD_COUNTS_MS or nil
			r.changed = true
		end
	end
	if what == 'remove' then
		wake_review(c, g, c.now)
	end
end

-- jit_guard: an operator's answer to what is held. ARGV 3 terms, 4 remove | keep. Answers 'ok'; 'more' when it is to be
-- called again for what is left; 'none' when nothing is held.
local function jit_guard(keys, args)
	local c = context(keys, args)
	local app = read_terms(args[3]).app
	if not guard_since(c, app) then
		return answer(c, 'none')
	end
	for _, key in ipairs(redis.call('ZRANGE', c.pre .. 'gs:' .. app, 0, GUARD_PAGE - 1)) do
		guard_answer_one(c, key, app, args[4])
	end
	if redis.call('ZCARD', c.pre .. 'gs:' .. app) > 0 then
		return answer(c, 'more')
	end
	redis.call('HDEL', c.pre .. 'gh', app)
	off(c, 'g:' .. app)
	app_event(c, app, 'guard_' .. args[4], 'operator', '')
	return answer(c, 'ok')
end
