-- The drift check, a step of the cycle (cycle_step.lua): the broker reads group by group what the application has, and
-- these functions say what it should have, and act on what was found, each in a few steps however large the group.

-- jit_drift_find: the first of these groups that there is something to compare in, and a token for reading it.
-- ARGV 3 terms, 4 piece, then two for each group: its id, '' | report | remove (it is exclusive).
-- Answers {'look', now, next, its number from 1, its id in the application or ''}, 'nothing', 'wait' (no token is free
-- for the cycle), or 'gone' (another broker has the piece).
local function jit_drift_find(keys, args)
	local c = context(keys, args)
	local t = read_terms(args[3])
	if not step_holds(c, t.app, args[4]) then
		return answer(c, 'gone')
	end
	for i = 5, #args, 2 do
		local g = args[i]
		if args[i + 1] ~= '' or redis.call('EXISTS', c.pre .. 'mu:' .. g, c.pre .. 'gone:' .. g) > 0 then
			if bucket_free(c, t) <= t.reserve then
				return answer(c, 'wait')
			end
			bucket_take(c, t, args[4])
			redis.call('HSET', c.pre .. 'c:' .. t.app, 'till', c.now + t.lease, 'looked', c.now)
			redis.call('DEL', c.pre .. 'fn:' .. g)
			return answer(c, 'look', (i - 3) / 2, known_of(c, 'gi:', g))
		end
	end
	return answer(c, 'nothing')
end

-- What the application has confirmed since then it may not have shown yet when it was read.
local function drift_margin(c, t)
	return tonumber(redis.call('HGET', c.pre .. 'c:' .. t.app, 'looked') or c.now) - t.window
end

-- Should the application show this membership?
local function drift_expects(c, t, m)
	if m.s ~= 1 or m.u or m.q or m.fo or not wanted(c, m) then
		return false
	end
	for _, r in ipairs(requests_of(c, m)) do
		if r.cf and r.cf > drift_margin(c, t) then
			return false
		end
	end
	return true
end

local GONE_PAGE, RECENT_MOST = 100, 500

-- Whoever is told to be gone is taken from the list when they have been compared, so the next page is what is left of it.
local function drift_gone(c, t, g)
	local key, margin = c.pre .. 'gone:' .. g, drift_margin(c, t)
	local gone = redis.call('ZRANGE', key, '-inf', margin, 'BYSCORE', 'LIMIT', 0, GONE_PAGE)
	local more = redis.call('ZCOUNT', key, '-inf', margin) > #gone
	local out = { more and 'gone' or '' }
	local function add(items, word)
		for _, item in ipairs(items) do
			local user, p = string.match(item, '^([^\n]*)\n(.*)$')
			out[#out + 1] = user
			out[#out + 1] = p
			out[#out + 1] = word
		end
	end
	add(gone, 'gone')
	if not more then
		add(redis.call('ZRANGE', key, '(' .. string.format('%.0f', margin), '+inf', 'BYSCORE', 'LIMIT', 0, RECENT_MOST), 'known')
	end
	return out
end

-- jit_drift_page, read only: whom the broker knows of in the group. ARGV 3 terms, 4 group, 5 '0', or what the page before
-- named. Answers {'ok', now, 0, what to ask for next ('' = this was the last), then for each: id in the application,
-- person, expected (is to be there) | gone (was removed, and is not to be there) | known (nothing can be said)}.
local function jit_drift_page(keys, args)
	local c = context(keys, args)
	local t = read_terms(args[3])
	local g = args[4]
	if args[5] == 'gone' then
		return { 'ok', c.now, 0, unpack(drift_gone(c, t, g)) }
	end
	local page = redis.call('HSCAN', c.pre .. 'mu:' .. g, args[5], 'COUNT', 100)
	local out = { page[1] == '0' and 'gone' or page[1] }
	for i = 1, #page[2], 2 do
		local p = page[2][i + 1]
		out[#out + 1] = page[2][i]
		out[#out + 1] = p
		out[#out + 1] = drift_expects(c, t, get_member(c, g, p, t.app)) and 'expected' or 'known'
	end
	return { 'ok', c.now, 0, unpack(out) }
end

-- Is the broker sure of the ids of all whom it has put into the group?
local function drift_is_sure(c, g)
	if redis.call('HGET', c.pre .. 'gu', g) then
		return false
	end
	-- Who is wanted is in mu:, counts in gu, or is not there; unless a version that did not compare has left them so.
	return redis.call('HGET', c.pre .. 'lv', g) == redis.call('HGET', c.pre .. 'lk', g)
end

-- The cycle takes it, as if it had been there when the cycle began.
local function drift_enqueue(c, t, m)
	m.s = 2
	m.again = cycle_get(c, t.app).started
	redis.call('HINCRBY', c.pre .. 'c:' .. t.app, 'total', 1)
	settle(c, m)
end

-- Should be there and was not found: the cycle looks for them, and gives it again where they are not there.
local function drift_miss(c, t, g, p)
	local m = get_member(c, g, p, t.app)
	if not drift_expects(c, t, m) then
		return 0
	end
	m.dr = 1
	drift_enqueue(c, t, m)
	return 1
end

-- Its removal was confirmed, and it was found all the same: it goes again, as any membership whose time is over. Who is
-- about to be given it is looked for first, and must not be taken for somebody whom the broker did not make a member.
local function drift_return(c, t, g, item, id)
	local user, p = string.match(item, '^([^\n]*)\n(.*)$')
	local m = get_member(c, g, p, t.app)
	redis.call('ZREM', c.pre .. 'gone:' .. g, item)
	if m.s ~= 0 or redis.call('HEXISTS', c.pre .. 'mu:' .. g, user) == 1 then
		return 0
	elseif m.u or m.q then
		drift_keep_gone(c, g, item)
		return 0
	end
	m.s, m.id = 2, id .. '\n' .. user
	audit(c, 'drift_returned', { b = 'broker', g = g, p = p, u = user_name(c, p), a = t.app,
		y = 'The membership was in the application although its removal had been confirmed; it is removed again.' })
	settle(c, m)
	return 1
end

-- What becomes of strangers, by ARGV 6 of jit_drift_found: "report"; or "remove MOST SHARE WINDOW LEFT", the guard's terms and
-- how many strangers of the group the broker still has to tell of, those of this call (`told`) included.
local function drift_rule(c, g, text, told)
	local what, guard, left = string.match(text, '^(%a+) (%d+ %d+ %d+) (%d+)$')
	left = tonumber(left or '0')
	return { removes = (what or text) == 'remove', guard = guard, left = left, later = math.max(left - told, 0),
		members = redis.call('HLEN', c.pre .. 'mu:' .. g) }
end

-- What the guard keeps of a stranger is what it keeps of a request, as far as there is any.
local function stranger(t, g, user)
	return { ap = t.app, g = g, p = '~' .. user }
end

local function stranger_may_go(c, t, g, user, rule)
	local said = redis.call('HGET', c.pre .. 'fa:' .. g, user)
	if said then
		return said == 'remove'
	elseif not guard_lets(c, stranger(t, g, user), rule.guard, rule) then
		return false
	end
	rule.left = rule.left - 1
	return true
end

local MET = {
	report = 'nothing is changed.',
	remove = 'the membership is removed.',
	held = 'the membership is removed only when an operator agrees.',
}

-- Somebody whom nobody has granted it is in an exclusive group. Answers 1 when that is news.
local function drift_meet(c, t, g, id, user, rule)
	local m, met = get_member(c, g, '~' .. user, t.app), 'report'
	if rule.removes then
		met = stranger_may_go(c, t, g, user, rule) and 'remove' or 'held'
	end
	if met ~= 'held' then
		redis.call('ZREM', c.pre .. 'gs:' .. t.app, g .. ':' .. m.p)
	end
	if met == 'remove' then
		m.fo, m.id = true, id .. '\n' .. user
		drift_enqueue(c, t, m)
	end
	redis.call('SADD', c.pre .. 'fn:' .. g, user)
	if redis.call('SISMEMBER', c.pre .. 'fr:' .. g, user) == 1 then
		return 0
	end
	audit(c, 'drift_foreign', { b = 'broker', g = g, a = t.app, d = cjson.encode({ userId = user }),
		y = 'Somebody was added to an exclusive group in the application; ' .. MET[met] })
	return 1
end

local JUST_GONE_MOST = 5000

-- Those who were removed so lately that the application may still show them; nil = so many that they cannot all be looked
-- through here.
local function drift_just_gone(c, t, g)
	local users = {}
	local gone = redis.call('ZRANGE', c.pre .. 'gone:' .. g, drift_margin(c, t), '+inf', 'BYSCORE', 'LIMIT', 0, JUST_GONE_MOST)
	for _, item in ipairs(gone) do
		users[string.match(item, '^[^\n]*')] = true
	end
	return #gone < JUST_GONE_MOST and users or nil
end

local function drift_meet_all(c, t, g, args)
	local gone = drift_is_sure(c, g) and drift_just_gone(c, t, g)
	if not gone then
		return answer(c, 'unsure', 0)
	end
	local rule, strangers, count = drift_rule(c, g, args[6], #args - 7), {}, 0
	for i = 8, #args do
		if not gone[args[i]] and redis.call('HEXISTS', c.pre .. 'mu:' .. g, args[i]) == 0 then
			strangers[#strangers + 1] = args[i]
		end
	end
	-- The guard knows them all before the first one goes.
	for _, user in ipairs(rule.removes and strangers or {}) do
		if redis.call('HEXISTS', c.pre .. 'fa:' .. g, user) == 0 then
			guard_count(c, stranger(t, g, user), t.cycle)
		end
	end
	for _, user in ipairs(strangers) do
		count = count + drift_meet(c, t, g, args[7], user, rule)
	end
	return answer(c, 'ok', count)
end

-- jit_drift_found: what the comparison has found. ARGV 3 terms, 4 piece, 5 group, 6 what: missing | returned | absent |
-- report | remove MOST SHARE WINDOW LEFT (drift_rule), 7 the group's id in the application, then at most 100 of them:
-- persons (missing); "ID\nPERSON" (returned; absent: they are as gone as they should be); ids in the application of
-- those who do not belong there. Answers 'ok' with how many are new, 'unsure' when who belongs there cannot be said
-- now, or 'gone'.
local function jit_drift_found(keys, args)
	local c = context(keys, args)
	local t = read_terms(args[3])
	local g, what = args[5], args[6]
	if not step_holds(c, t.app, args[4]) then
		return answer(c, 'gone', 0)
	elseif what == 'report' or string.find(what, '^remove') then
		return drift_meet_all(c, t, g, args)
	end
	local count = 0
	for i = 8, #args do
		if what == 'absent' then
			redis.call('ZREM', c.pre .. 'gone:' .. g, args[i])
		else
			local act = what == 'missing' and drift_miss or drift_return
			count = count + act(c, t, g, args[i], args[7])
		end
	end
	return answer(c, 'ok', count)
end

-- An operator's answer lasts as long as whom it is about is found there.
local function drift_tidy_answers(c, g)
	local answers = redis.call('HGETALL', c.pre .. 'fa:' .. g)
	for i = 1, #answers, 2 do
		if redis.call('SISMEMBER', c.pre .. 'fr:' .. g, answers[i]) == 0 then
			redis.call('HDEL', c.pre .. 'fa:' .. g, answers[i])
		end
	end
end

-- jit_drift_end: the group has been compared. ARGV 3 terms, 4 piece, 5 group, 6 how many were found again after their
-- removal, 7 how many do not belong there and are new, 8 are those removed (1). Answers 'ok', or 'gone'.
local function jit_drift_end(keys, args)
	local c = context(keys, args)
	local t = read_terms(args[3])
	local g = args[5]
	if not step_holds(c, t.app, args[4]) then
		return answer(c, 'gone')
	end
	if redis.call('EXISTS', c.pre .. 'fn:' .. g) == 1 then
		redis.call('RENAME', c.pre .. 'fn:' .. g, c.pre .. 'fr:' .. g)
	else
		redis.call('DEL', c.pre .. 'fr:' .. g)
	end
	drift_tidy_answers(c, g)
	if args[6] ~= '0' then
		tell(c, 'membership.drift', { ap = t.app, g = g, er = args[6]
			.. ' were in the application although their removal had been confirmed; they are removed again.' })
	end
	if args[7] ~= '0' then
		tell(c, 'membership.drift', { ap = t.app, g = g, er = args[7] .. ' were added to this exclusive group in the '
			.. 'application; ' .. (args[8] ~= '1' and 'nothing is changed.'
				or guard_since(c, t.app) and 'they are removed when an operator agrees.' or 'they are removed.') })
	end
	return answer(c, 'ok')
end
