-- Pushes: a token is taken, members are bound to the push, and its end says what came of each.

-- What the group is called, or its id in the application: '' = not known, or not to be read. The brokers have the name,
-- too, and find the id by it.
local function known_of(c, key, g)
	local text = redis.pcall('GET', c.pre .. key .. g)
	return type(text) == 'string' and text or ''
end

-- What a broker needs to carry the push out: id, application, group, add or remove, its cycle, the
-- group's name, its id in the application ('' = not known), then per member: person, names (JSON), pushes that failed
-- before, ids in the application, marks: 1 nobody but somebody else can have made them a member, m the broker has and
-- they are not shown any more, f nobody knows who they are, and those of user.lua.
local function push_order(c, id, push)
	local order = { id, push.ap, push.g, push.op, push.cy or 0,
		known_of(c, 'gn:', push.g), known_of(c, 'gi:', push.g) }
	for _, p in ipairs(push.m) do
		local m = get_member(c, push.g, p, push.ap)
		order[#order + 1] = p
		order[#order + 1] = redis.call('GET', c.pre .. 'u:' .. p) or '{}'
		order[#order + 1] = m.n
		order[#order + 1] = m.id or ''
		local adds = push.op == 'add'
		order[#order + 1] = adds and ((m.s == 0 or m.st and not m.dr) and '1' or m.dr and 'm' or '') .. user_marks(c, push.ap, p)
			or m.fo and 'f' or ''
	end
	return order
end

-- Begins a push for these memberships of one group; the caller has seen that a token is free.
local function push_begin(c, t, id, op, g, members, cycle, on_demand)
	bucket_take(c, t, id)
	local push = { ap = t.app, g = g, op = op, m = {}, cy = cycle, od = on_demand }
	for i, m in ipairs(members) do
		dequeue(c, m)
		push.m[i] = m.p
		m.u = id
		m.changed = true
		if op == 'add' then
			m.t = true
			for _, r in ipairs(requests_of(c, m)) do
				if (r.st == 'waiting' or r.st == 'deferred') and r.e > c.now then
					move(c, r, 'push')
				end
			end
		end
	end
	if members[1].fo then
		strangers_leave(c, g, id, c.now + t.lease)
	end
	redis.call('SET', c.pre .. 'push:' .. id, cmsgpack.pack(push))
	at(c, 'p:' .. id, c.now + t.lease)
	return push_order(c, id, push)
end

local function read_push(c, id)
	local raw = redis.call('GET', c.pre .. 'push:' .. id)
	return raw and cmsgpack.unpack(raw)
end

-- The push, as long as its broker may say what came of it.
local function get_push(c, id)
	local push = read_push(c, id)
	return push and not push.left and push or nil
end

-- Settles each member alone by work(person). Who cannot be settled, because something cannot be read, is what is left of
-- the push, as if its broker had died: only they are kept waiting. Answers why; nil when nobody is left.
local function push_settle(c, id, push, work)
	local left, failed, why = {}, 0, nil
	for _, p in ipairs(push.m) do
		local done, trouble = alone(c, function()
			read_member(c, push.g, p, push.ap)
			get_user(c, push.ap, p)
			failed = failed + (work(p) and 1 or 0)
		end)
		if not done then
			left[#left + 1] = p
			why = why or trouble
		end
	end
	if push.cy then
		redis.call('HINCRBY', c.pre .. 'c:' .. push.ap, 'flying', #left - #push.m)
		redis.call('HINCRBY', c.pre .. 'c:' .. push.ap, 'failures', failed)
	end
	if why then
		push.m, push.left = left, true
		redis.call('SET', c.pre .. 'push:' .. id, cmsgpack.pack(push))
	else
		redis.call('DEL', c.pre .. 'push:' .. id)
		off(c, 'p:' .. id)
		if push.op == 'remove' then
			strangers_left(c, push.ap, push.g, id)
		end
	end
	wake(c, push.ap, c.now)
	return why
end

-- Access that was being brought and did not arrive: try again after `delay` ms, or with the next cycle (-1).
local function push_again(c, m, delay)
	for _, r in ipairs(requests_of(c, m)) do
		if r.st == 'provisioning' then
			move(c, r, delay < 0 and 'defer' or 'retry')
		elseif r.st == 'waiting' and delay < 0 then
			move(c, r, 'defer')
		end
	end
end

-- Refused together with others, which changed nothing for anybody: it is tried again at once with half as many, until
-- the one who is refused is alone. What the cycle takes stays the cycle's.
local function push_split(c, m, push, parts)
	m.b = math.ceil(parts / 2)
	m.again = push.cy
	if push.op == 'add' then
		push_again(c, m, push.cy and -1 or 0)
	end
end

-- The application has what the push brought, or took away. `unverified`: it was accepted, but is not shown.
-- `standing`: they were a member before, and stay one when nothing grants it any more.
local function push_done(c, m, op, verdict)
	-- A standing member who is added once more (on demand), or only looked at, is still one.
	local stays = op == 'add' and m.st and (m.s == 1 or m.dr == 1 and verdict == 'standing')
	if op == 'add' and m.dr then
		drift_mended(c, m, verdict)
		verdict = verdict == 'standing' and 'done' or verdict
	elseif op == 'remove' then
		drift_remember(c, m)
	end
	m.s = op == 'add' and 1 or 0
	m.n, m.er, m.t, m.b = 0, nil, nil, nil
	m.nv = verdict == 'unverified' or nil
	m.st = verdict == 'standing' or stays or nil
	if op == 'remove' then
		m.id = nil
	else
		local group = string.match(m.id or '', '^[^\n]+')
		if group then
			redis.call('SET', c.pre .. 'gi:' .. m.g, group)
		end
		confirm(c, m)
	end
end

local DONE = { done = true, unverified = true, standing = true }

-- Somebody is a member already, and their removal had been confirmed not long ago: the application shows it late, or a
-- request that was given up has brought them back. That is the broker's doing: they are added once more, at once, and will
-- be removed.
local function push_returned(c, m, push, result)
	if result.verdict == 'standing' and not m.dr and drift_is_gone(c, m, result.ids) then
		result.verdict, result.in_doubt, result.parts = 'split', true, 2 * #push.m
		result.text = 'The application shows a membership whose removal it had confirmed; it is given again.'
	end
end

-- What came of one member. A removal is never given up: one that is refused is tried again like any other.
local function push_result(c, m, push, result)
	local op, verdict, in_doubt, delay, text = push.op, result.verdict, result.in_doubt, result.delay, result.text
	local ids, due = result.ids, nil
	m.u = nil
	m.changed = true
	-- Added once more (on demand), who was there is there.
	local was_there = op == 'add' and m.s == 1
	if in_doubt and not was_there then
		m.s = 2
		m.dr = m.dr and 2
	end
	if ids and ids ~= '' and (DONE[verdict] or op == 'add' and in_doubt) then
		m.id = ids
	end
	if op == 'add' then
		learn_user(c, m, result)
	end
	if DONE[verdict] then
		push_done(c, m, op, verdict)
	elseif verdict == 'refused' and op == 'add' and not was_there then
		m.er, m.b = text, nil
		for _, r in ipairs(requests_of(c, m)) do
			if WANTS[r.st] and r.st ~= 'in_force' then
				r.er = text
				move(c, r, 'refuse')
			end
		end
	elseif m.fo and verdict ~= 'split' then
		drift_forget(m)
	elseif verdict == 'skipped' then
		push_again(c, m, 0)
	elseif verdict == 'split' then
		m.er = text
		push_split(c, m, push, result.parts)
		due = c.now
	else
		m.er = text
		m.n = m.n + 1
		if op == 'add' then
			push_again(c, m, delay)
		end
		due = c.now + math.max(delay, 0)
	end
	settle(c, m, due)
end

-- The broker of this push has not been heard of for longer than the push may last: what it did is not known.
local function push_lost(c, id)
	local push = read_push(c, id)
	if not push then
		off(c, 'p:' .. id)
		return
	end
	local result = { verdict = 'retry', in_doubt = true, delay = 0, status = 0, took = 0,
		text = 'The broker that made this push stopped before its end.' }
	local why = push_settle(c, id, push, function(p)
		local m = get_member(c, push.g, p, push.ap)
		-- It may have created the user.
		result.marks = not get_user(c, push.ap, p).id and 'l' or ''
		log_push(c, nil, push, id, m, m.n + 1, result)
		push_result(c, m, push, result)
		return true
	end)
	if why then
		error(why, 0)
	end
end

-- Is that member still to be pushed? As jit_push_check says it: until when, and by which request.
local function still_pushed(c, push, p)
	local m = get_member(c, push.g, p, push.ap)
	local r = granted_by(c, m)
	local till
	if not drift_stands(c, m) then
		till = 0
	elseif push.op == 'add' then
		till = r and r.e or 0
	else
		till = r and 0 or 1
	end
	return till, r and r.id or '-'
end

-- jit_push_check, read only: is each member still to be pushed, immediately before it is sent?
-- ARGV 3 push id. Answers {'ok', now, ids, till ...}, or {'gone', ...}: in the order of the push, 0 = no longer, or not to be
-- read, else for an addition when the access ends, Unix ms, and in `ids`, parted by blanks, by which request ('-' = none).
local function jit_push_check(keys, args)
	local c = context(keys, args)
	local push = get_push(c, args[3])
	if not push then
		return { 'gone', c.now, 0 }
	end
	local out, ids = { 'ok', c.now, '' }, {}
	for _, p in ipairs(push.m) do
		local read, till, by = pcall(still_pushed, c, push, p)
		out[#out + 1] = read and till or 0
		ids[#ids + 1] = read and by or '-'
	end
	out[3] = table.concat(ids, ' ')
	return out
end

-- jit_held, read only: does the store know of a membership, because it is granted, was asked for, or may be in the
-- application? ARGV 3 group, 4 person, 5 application, 6 a request, where that one is asked for as well. Answers
-- {'ok', now, 0, 1|0, 1|0}.
local function jit_held(keys, args)
	local c = context(keys, args)
	local m = get_member(c, args[3], args[4], args[5])
	return { 'ok', c.now, 0, (m.s ~= 0 or m.u or #m.r > 0) and 1 or 0, args[6] and get_request(c, args[6]) and 1 or 0 }
end

-- What came of the members, as the arguments from the `first` on say it.
local function read_results(args, first, took)
	local results, parts = {}, 0
	for i = first, #args, 7 do
		results[#results + 1] = { p = args[i], verdict = args[i + 1], in_doubt = string.find(args[i + 2], '1', 1, true),
			marks = args[i + 2],
			delay = tonumber(args[i + 3]), status = args[i + 4], text = args[i + 5], ids = args[i + 6], took = took }
		parts = parts + (args[i + 1] == 'split' and 1 or 0)
	end
	for _, result in ipairs(results) do
		result.parts = parts
	end
	return results
end

local FAILED = { retry = true, refused = true }

-- jit_push_order: for the broker that began this push and did not get the answer. ARGV 3 push id. Answers
-- {'push', now, next, order}, or 'gone' when it was not begun or has ended.
local function jit_push_order(keys, args)
	local c = context(keys, args)
	local push = get_push(c, args[3])
	if not push then
		return answer(c, 'gone')
	end
	return answer(c, 'push', push_order(c, args[3], push))
end

-- jit_push_end: what came of a push.
-- ARGV 3 terms, 4 push id, 5 keep the token as if the push still ran (1), 6 close the bucket for so many ms, 7 what it
-- says of the application's health (condition.lua), 8 why, in words, 9 a chance from 0 to 1, 10 how long it took in ms,
-- then seven for each member: person, done|unverified|standing|retry|refused|skipped|split, marks: 1 in doubt and those
-- of push_user.lua, delay in ms (-1: with the next cycle), the application's status, error text, ids in the application
-- ('' = not known). Answers {'ok', now, next, end ...}, where the end of a member's access is another one now
-- (ends_at), else 0; or 'gone' when another broker has taken the push over.
local function jit_push_end(keys, args)
	local c = context(keys, args)
	local t = read_terms(args[3])
	local id = args[4]
	local close = tonumber(args[6])
	if close > 0 then
		bucket_close(c, t, close)
	end
	local push = get_push(c, id)
	if not push then
		return answer(c, 'gone')
	end
	if args[5] ~= '1' then
		bucket_return(c, t, id)
	end
	learn(c, t, args[7], tonumber(args[9]), args[8])
	local results, index, ends = read_results(args, 11, args[10]), {}, {}
	for i, result in ipairs(results) do
		index[result.p], ends[i] = i, 0
	end
	local why = push_settle(c, id, push, function(p)
		local i = index[p]
		local m, result = get_member(c, push.g, p, push.ap), results[i]
		local before = ends_at(c, m)
		push_returned(c, m, push, result)
		log_push(c, t, push, id, m, m.n + 1, result)
		push_result(c, m, push, result)
		local after = ends_at(c, m)
		ends[i] = after ~= before and after or 0
		return FAILED[result.verdict]
	end)
	log_trim(c, t)
	drift_tell_mended(c)
	if why then
		set_aside(c, 'tt', 'p:' .. id, push.ap, words_of(why))
	end
	return answer(c, 'ok', unpack(ends))
end
