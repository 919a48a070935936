-- What is kept of a person as a user of an application, apart from their names: it outlives memberships and requests,
-- because whom the broker has created is its to deactivate or to delete, and nobody else is.
-- us:APP:PERSON (packed):
--   id   the application's id of the user; nil = not known, or there is none
--   n    memberships of theirs that there are here (records m:…): wanted, waiting, present or in doubt
--   lf   since when they have none
--   cb   when the broker created the user; nil = it did not, or cannot tell
--   cd   since when a creation has no answer: the user may be the broker's
--   st   they hold memberships that the broker did not give; so they stay as they are
--   ia   since when the broker has the user deactivated    gn  since when the user is deleted
--   dt   whether ia or gn is in doubt: it is to be tried again
--   kp   found to be left alone, until they have a membership again
--   fx   the digest of the change of attributes that was sent last, until a look finds nothing to change
--   db   whether dt was so before the attempt that is under way
--   u    until when a piece of work that deactivates or deletes the user is under way (users.lua)
--   w    groups whose memberships wait for its end
-- uq:APP  users whose attributes are looked at: person -> when that was done last (sorted set)
-- uc:APP  how many users were created, updated, deactivated, deleted, since the application is here (hash)
-- ul:APP  users that the broker created and who have no membership: person -> since when (sorted set)

local function get_user(c, app, p)
	local key = 'us:' .. app .. ':' .. p
	local u = c.users[key]
	if not u then
		local raw = redis.call('GET', c.pre .. key)
		u = raw and cmsgpack.unpack(raw) or { n = 0 }
		u.ap, u.p = app, p
		c.users[key] = u
	end
	return u
end

local function in_set(c, key, p, is_in, score)
	if is_in then
		redis.call('ZADD', c.pre .. key, score or 'NX', unpack(score and { p } or { c.now, p }))
	else
		redis.call('ZREM', c.pre .. key, p)
	end
end

-- The broker has changed the user in that way.
local function user_changed(c, app, how)
	redis.call('HINCRBY', c.pre .. 'uc:' .. app, how, 1)
end

-- Writes the record, or forgets it when it says nothing, and puts the user where they belong.
local function write_user(c, u)
	local key = c.pre .. 'us:' .. u.ap .. ':' .. u.p
	local left = u.n == 0 and u.id and u.cb and not u.st and not u.kp and (u.dt or not (u.ia or u.gn))
	in_set(c, 'ul:' .. u.ap, u.p, left, u.lf)
	in_set(c, 'uq:' .. u.ap, u.p, u.id and not u.gn and not u.ia and (u.n > 0 or u.cb))
	if u.n > 0 or u.cb or u.cd or u.gn or u.ia or u.u then
		redis.call('SET', key, cmsgpack.pack({ id = u.id, n = u.n, lf = u.lf, cb = u.cb, cd = u.cd, st = u.st, ia = u.ia,
			gn = u.gn, dt = u.dt, db = u.db, kp = u.kp, fx = u.fx, u = u.u, w = u.w }))
	else
		redis.call('DEL', key)
	end
end

-- A membership of theirs has come into being, or is over.
local function user_count(c, m, there)
	local u = get_user(c, m.ap, m.p)
	u.n = math.max(u.n + (there and 1 or -1), 0)
	u.lf = u.n == 0 and c.now or nil
	u.kp = u.n == 0 and u.kp or nil
	u.changed = true
end

-- How many users the step (users.lua) of a cycle takes that began then.
local function users_count(c, app, step, from)
	return redis.call('ZCOUNT', c.pre .. (step == 'leavers' and 'ul:' or 'uq:') .. app, '-inf',
		'(' .. from)
end

-- What a push that adds somebody is to know of the user: g deleted, so that ids from memory may be out of date; i deactivated;
-- d an earlier creation of theirs has no answer; and behind a colon the application's id of the user who is there already,
-- as far as is known.
local function user_marks(c, app, p)
	local u = get_user(c, app, p)
	return (u.gn and 'g' or '') .. (u.ia and 'i' or '') .. (u.cd and 'd' or '') .. ':' .. (not u.gn and u.id or '')
end

-- The person is forgotten: so is what matters only for who comes back.
local function user_forget(c, app, p)
	local u = get_user(c, app, p)
	if u.n == 0 and not (u.cb and u.id) then
		u.cb, u.cd, u.gn, u.ia = nil, nil, nil, nil
		u.changed = true
	end
end
