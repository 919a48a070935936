-- Two steps of the cycle (cycle_step.lua): `leavers`, users whom the broker created and who have no membership any more
-- are deactivated or deleted; `attributes`, those of the users who have one, or whom it created, are brought in line with
-- what is known of them. Each change takes a token; so does each look at some of them.

-- The user is being deactivated or deleted: nobody makes them a member meanwhile.
local function user_leaves(c, m)
	return (get_user(c, m.ap, m.p).u or 0) > c.now
end

-- The membership waits until that has ended, or its broker is taken for dead.
local function user_hold(c, m)
	local u = get_user(c, m.ap, m.p)
	u.w = u.w or {}
	u.w[#u.w + 1] = m.g
	u.changed = true
	m.t = true
	settle(c, m, u.u)
end

-- Does an addition have to wait for the end of its user, or of people who do not belong into the group?
local function addition_waits(c, m)
	return user_leaves(c, m) or strangers_till(c, m.g) ~= nil
end

local function addition_hold(c, m)
	if user_leaves(c, m) then
		user_hold(c, m)
	else
		strangers_hold(c, m, strangers_till(c, m.g))
	end
end

-- Users of this piece: person, their names (JSON, '' = forgotten), the application's id, the digest of the last update,
-- whether an end is in doubt (1).
local function user_task(c, out, app, p)
	local u = get_user(c, app, p)
	for _, value in ipairs({ p, redis.call('GET', c.pre .. 'u:' .. p) or '', u.id or '', u.fx or '', u.dt and '1' or '' }) do
		out[#out + 1] = value
	end
	return u
end

-- jit_users_take: a token and what is to be done in this piece of the step. ARGV 3 terms, 4 piece, 5 step, 6 most.
-- Answers {'ok', now, next, five for each user (above) ...}, 'none' (the step is over), 'wait' (no token is free), or
-- 'gone' when another broker has the piece.
local function jit_users_take(keys, args)
	local c = context(keys, args)
	local t = read_terms(args[3])
	if not step_holds(c, t.app, args[4]) then
		return answer(c, 'gone')
	elseif bucket_free(c, t) <= t.reserve then
		return answer(c, 'wait')
	end
	local leavers = args[5] == 'leavers'
	local v = redis.call('HMGET', c.pre .. 'c:' .. t.app, 'from', 'started')
	local out = {}
	for _, p in ipairs(redis.call('ZRANGE', c.pre .. (leavers and 'ul:' or 'uq:') .. t.app, '-inf', '(' .. (v[1] or v[2]),
		'BYSCORE', 'LIMIT', 0, leavers and 1 or args[6])) do
		local u = user_task(c, out, t.app, p)
		if leavers then
			u.u = c.now + t.lease
			u.changed = true
		end
	end
	if #out == 0 then
		return answer(c, 'none')
	end
	bucket_take(c, t, args[4])
	return answer(c, 'ok', unpack(out))
end

-- jit_users_go: is the user still to go? From then on it is in doubt whether they have. ARGV 3 application, 4 piece,
-- 5 person, 6 deactivate|delete. Answers 'ok', or 'no'.
local function jit_users_go(keys, args)
	local c = context(keys, args)
	local u = get_user(c, args[3], args[5])
	if not (step_holds(c, args[3], args[4]) and u.n == 0 and u.cb and not u.st and (u.u or 0) > c.now) then
		return answer(c, 'no')
	end
	u.db = u.dt or u.db
	u[args[6] == 'delete' and 'gn' or 'ia'], u.dt = c.now, true
	u.changed = true
	return answer(c, 'ok')
end

local CHANGES = { update = 'updated', deactivate = 'deactivated', delete = 'deleted' }

local function log_user(c, t, piece, u, op, result)
	local entry = { 'i', piece, 'g', '', 'p', u.p, 'o', op, 'v', result.verdict, 's', result.status, 'w', result.text, 'ms',
		result.took, 'n', 1, 'c', 'cycle' }
	log_add(c, t, u.ap, entry)
end

-- The user is not there any more, by the broker's doing or by another's.
local function user_gone(c, u)
	u.gn, u.id, u.cb, u.ia, u.dt = c.now, nil, nil, nil, nil
end

-- What came of one user's end.
local function end_user(c, u, op, result)
	local verdict = result.verdict
	if verdict == 'done' and op == 'delete' then
		user_gone(c, u)
	elseif verdict == 'done' then
		u.ia, u.dt = c.now, nil
	elseif verdict == 'kept' then
		u.kp, u.dt, u.ia, u.gn = true, nil, nil, nil
	elseif not (result.in_doubt or u.db) then
		u.ia, u.gn, u.dt = nil, nil, nil
	end
	u.u, u.db = nil, nil
	-- Not again in this cycle.
	u.lf = u.lf and c.now
	for _, g in ipairs(u.w or {}) do
		settle(c, get_member(c, g, u.p, u.ap), c.now)
	end
	u.w = nil
end

-- jit_users_end: what came of the piece's users; its token and claim are given back by jit_step_end. ARGV 3 terms,
-- 4 piece, 5 update|deactivate|delete, 6 how long it took in ms, then six for each user: person, done|same|gone|kept|skipped|
-- retry|refused, marks (1: an end that is in doubt), the application's status, its words, the digest of the update that it has
-- accepted. For an update that is done, the words are the attributes. Answers 'ok', or 'gone' when another broker has taken
-- the piece over.
local function jit_users_end(keys, args)
	local c = context(keys, args)
	local t = read_terms(args[3])
	local op = args[5]
	if not step_holds(c, t.app, args[4]) then
		return answer(c, 'gone')
	end
	for i = 7, #args, 6 do
		local u = get_user(c, t.app, args[i])
		local result = { verdict = args[i + 1], in_doubt = args[i + 2] == '1', status = args[i + 3], text = args[i + 4],
			took = args[6] }
		if result.verdict == 'done' then
			user_changed(c, t.app, CHANGES[op])
			audit(c, 'user_' .. CHANGES[op], { a = t.app, p = u.p, u = user_name(c, u.p), b = 'broker', y = result.text })
			result.text = ''
		end
		if result.verdict ~= 'same' and result.verdict ~= 'gone' then
			log_user(c, t, args[4], u, op, result)
		end
		if result.verdict == 'gone' then
			user_gone(c, u)
		end
		if op == 'update' then
			u.fx = args[i + 5] ~= '' and args[i + 5] or nil
			redis.call('ZADD', c.pre .. 'uq:' .. t.app, 'XX', c.now, u.p)
		else
			end_user(c, u, op, result)
		end
		u.changed = true
	end
	return answer(c, 'ok')
end
