-- Notices on their way: from the outbox to those who want to know, each by a delivery of its own, which is tried
-- until it has arrived, or is parked where operators see it.
--   nd:DELIVERY   one delivery, packed: t target, to mailbox ('' = none), n attempts, c since when it is to be sent,
--                 er last answer, pk when it was parked, no the notice (notice.lua); of a digest hd how many notices it
--                 stands for, ln which
--   nq:TARGET     those that wait, delivery -> due; in the timetable as d:TARGET
--   nx:TARGET     what is known of the target, packed: till (it has asked for silence), gone (the fingerprint of the
--                 configuration under which it answered that it is there no more), lost (deliveries that found no room)
--   nt            the targets (set)    na: deliveries that wait, by age    np: those that are parked, by age of that
--   mb:MAILBOX mb:MAILBOX:PERSON    what was sent there (on account of that person) inside the window
--   mx:MAILBOX mh:MAILBOX           what was held back there, and the digest that will tell of it

local WAITING_MOST = 10000 -- of one target: the store is not to be filled by a receiver that is away
-- Who asks and withdraws often enough while a receiver is away can take all of that room: alarms have some of their own.
local ALARMS_MOST = 1000
local PARKED_MOST = 1000
local LINES_MOST = 20 -- of those that were held back, so many are named

local function get_delivery(c, id)
	local raw = redis.call('GET', c.pre .. 'nd:' .. id)
	return raw and cmsgpack.unpack(raw)
end

local function put_delivery(c, id, d)
	redis.call('SET', c.pre .. 'nd:' .. id, cmsgpack.pack(d))
end

local function get_target(c, target)
	local raw = redis.call('GET', c.pre .. 'nx:' .. target)
	return raw and cmsgpack.unpack(raw) or {}
end

local function put_target(c, target, x)
	redis.call('SET', c.pre .. 'nx:' .. target, cmsgpack.pack(x))
end

-- The target is looked at again when its first delivery is due, or when its silence is over.
local function plan_target(c, target)
	local first = redis.call('ZRANGE', c.pre .. 'nq:' .. target, 0, 0, 'WITHSCORES')
	if first[1] then
		at(c, 'd:' .. target, math.max(tonumber(first[2]), get_target(c, target).till or 0))
	else
		off(c, 'd:' .. target)
		if not next(get_target(c, target)) then
			redis.call('SREM', c.pre .. 'nt', target)
		end
	end
end

local function forget_delivery(c, id, d)
	redis.call('DEL', c.pre .. 'nd:' .. id)
	redis.call('ZREM', c.pre .. 'nq:' .. d.t, id)
	redis.call('ZREM', c.pre .. 'na', id)
	redis.call('ZREM', c.pre .. 'np', id)
end

-- Keeps it where operators see it; what has been there longest makes room.
local function park(c, id, d)
	d.pk = c.now
	put_delivery(c, id, d)
	redis.call('ZREM', c.pre .. 'nq:' .. d.t, id)
	redis.call('ZREM', c.pre .. 'na', id)
	redis.call('ZADD', c.pre .. 'np', c.now, id)
	local old = redis.call('ZRANGE', c.pre .. 'np', '-inf', c.now - math.max(c.keep, 1), 'BYSCORE', 'LIMIT', 0, 10)
	if redis.call('ZCARD', c.pre .. 'np') > PARKED_MOST then
		old[#old + 1] = redis.call('ZRANGE', c.pre .. 'np', 0, 0)[1]
	end
	for _, other in ipairs(old) do
		redis.call('ZREM', c.pre .. 'np', other)
		redis.call('DEL', c.pre .. 'nd:' .. other)
	end
end

-- Lets it wait for its target from `due` on.
local function queue_delivery(c, id, d, due)
	redis.call('SADD', c.pre .. 'nt', d.t)
	redis.call('ZADD', c.pre .. 'nq:' .. d.t, due, id)
	redis.call('ZADD', c.pre .. 'na', d.c, id)
	redis.call('ZADD', c.pre .. 'tt', 'LT', math.max(due, get_target(c, d.t).till or 0), 'd:' .. d.t)
end

-- A notice as name, value pairs: the request as it was then, and what the store knows besides.
local function view_notice(c, n)
	local r = n.r
	local out = {}
	if r.id then
		out = view(c, r)
	else
		for name, value in pairs(r) do
			out[#out + 1] = name
			out[#out + 1] = value
		end
	end
	for name, value in pairs({ kind = n.k, number = n.i, told_at = string.format('%.0f', n.t),
		overdue_since = n.du and string.format('%.0f', n.du),
		person = r.p and redis.call('GET', c.pre .. 'u:' .. r.p),
		group_name = r.g and known_of(c, 'gn:', r.g) }) do
		out[#out + 1] = name
		out[#out + 1] = value or ''
	end
	return out
end

local function view_delivery(c, id, d)
	local out = view_notice(c, d.no)
	for name, value in pairs({ delivery = id, target = d.t, to = d.to, tries = d.n, held = d.hd or 0,
		lines = d.ln or '', answer = d.er or '', made_at = string.format('%.0f', d.c),
		parked_at = d.pk and string.format('%.0f', d.pk) or 0,
		due_at = redis.call('ZSCORE', c.pre .. 'nq:' .. d.t, id) or 0 }) do
		out[#out + 1] = name
		out[#out + 1] = value
	end
	return out
end

-- What the notice tells is not so any more: the membership that has ended is given by another request.
local function is_overtaken(c, n)
	return n.k == 'activation.ended' and wanted(c, get_member(c, n.r.g, n.r.p, n.r.ap))
end

-- An approver need not be asked any more: it was decided, or the next stage has its turn.
local function is_settled(c, d)
	if d.no.k ~= 'approval.requested' or d.to == '' then
		return false
	end
	local r = get_request(c, d.no.r.id)
	return not r or r.st ~= 'awaiting' or r.sg ~= d.no.r.sg
end

-- jit_notices: what is in the outbox. ARGV 3 most. Answers {'ok', now, next, notice ...}.
local function jit_notices(keys, args)
	local c = context(keys, args)
	local list = redis.call('ZRANGE', c.pre .. 'no', 0, tonumber(args[3]) - 1)
	local out = {}
	for _, raw in ipairs(list) do
		local n = cmsgpack.unpack(raw)
		if is_overtaken(c, n) then
			redis.call('ZREM', c.pre .. 'no', raw)
		else
			out[#out + 1] = view_notice(c, n)
		end
	end
	if #out == 0 then
		if redis.call('ZCARD', c.pre .. 'no') == 0 then
			off(c, 'n:')
		else
			at(c, 'n:', c.now)
		end
	end
	return answer(c, 'ok', unpack(out))
end

-- jit_notice_spread: a notice leaves the outbox for those who want to know.
-- ARGV 3 its number, then for each delivery: id, target, mailbox, delay in ms. Answers 'ok', or 'gone' when another
-- broker has done it.
local function jit_notice_spread(keys, args)
	local c = context(keys, args)
	local raw = redis.call('ZRANGE', c.pre .. 'no', args[3], args[3], 'BYSCORE')[1]
	if raw then
		local most = WAITING_MOST + (ALARMS[cmsgpack.unpack(raw).k] and ALARMS_MOST or 0)
		redis.call('ZREM', c.pre .. 'no', raw)
		for i = 4, #args - 3, 4 do
			local id, target = args[i], args[i + 1]
			if redis.call('ZCARD', c.pre .. 'nq:' .. target) < most then
				local d = { t = target, to = args[i + 2], n = 0, c = c.now + tonumber(args[i + 3]), no = cmsgpack.unpack(raw) }
				put_delivery(c, id, d)
				queue_delivery(c, id, d, d.c)
			else
				local x = get_target(c, target)
				x.lost = (x.lost or 0) + 1
				put_target(c, target, x)
			end
		end
	end
	if redis.call('ZCARD', c.pre .. 'no') == 0 then
		off(c, 'n:')
	end
	return answer(c, raw and 'ok' or 'gone')
end

-- A target that no broker's configuration has any more keeps its deliveries for a day.
local STRANDED_MS, STRANDED_LOOK_MS = 24 * 3600 * 1000, 60 * 1000

local function strand(c, target)
	for _, id in ipairs(redis.call('ZRANGE', c.pre .. 'nq:' .. target, 0, 99)) do
		local d = get_delivery(c, id)
		if d and d.c < c.now - STRANDED_MS then
			d.er = 'It is not configured any more.'
			park(c, id, d)
		end
	end
	plan_target(c, target)
	redis.call('ZADD', c.pre .. 'tt', 'XX', 'GT', c.now + STRANDED_LOOK_MS, 'd:' .. target)
end

-- jit_notice_take: deliveries to this target that are due, claimed for the length of the lease.
-- ARGV 3 target, 4 most (0: this broker does not know the target), 5 lease in ms, 6 fingerprint of its configuration.
-- Answers {'ok', now, next, delivery ...}; fewer than asked for means that no more are due.
local function jit_notice_take(keys, args)
	local c = context(keys, args)
	local target, most = args[3], tonumber(args[4])
	local x, out = get_target(c, target), {}
	if most == 0 then
		strand(c, target)
		return answer(c, 'ok')
	end
	if x.gone and x.gone ~= args[6] then
		x.gone = nil
		put_target(c, target, x)
	end
	local ids = (x.till or 0) > c.now and {}
		or redis.call('ZRANGE', c.pre .. 'nq:' .. target, '-inf', c.now, 'BYSCORE', 'LIMIT', 0, most)
	for _, id in ipairs(ids) do
		local d = get_delivery(c, id)
		if not d then
			redis.call('ZREM', c.pre .. 'nq:' .. target, id)
		elseif is_settled(c, d) then
			forget_delivery(c, id, d)
		elseif x.gone then
			d.er = 'The receiver has answered that it is gone (410): it gets nothing more until it is configured anew.'
			park(c, id, d)
		else
			redis.call('ZADD', c.pre .. 'nq:' .. target, c.now + tonumber(args[5]), id)
			if d.to ~= '' and d.hd then
				redis.call('DEL', c.pre .. 'mh:' .. d.to)
			end
			out[#out + 1] = view_delivery(c, id, d)
		end
	end
	plan_target(c, target)
	-- A whole batch that came to nothing may have more behind it.
	return answer(c, 'ok', #ids == most and #out < most and 1 or 0, unpack(out))
end

-- jit_notice_end: what came of a delivery.
-- ARGV 3 its id, 4 done|again|park|gone|held, 5 delay in ms (again), 6 what the receiver answered, 7 send this target
-- nothing for so many ms, 8 fingerprint of its configuration. Answers 'ok' or 'none'.
local function jit_notice_end(keys, args)
	local c = context(keys, args)
	local id, word = args[3], args[4]
	local d = get_delivery(c, id)
	if not d or d.pk then
		return answer(c, 'none')
	end
	local x = get_target(c, d.t)
	if word == 'gone' then
		x.gone = args[8]
	end
	if tonumber(args[7]) > 0 then
		x.till = c.now + tonumber(args[7])
	elseif word == 'done' then
		x.till = nil
	end
	put_target(c, d.t, x)
	if not next(x) then
		redis.call('DEL', c.pre .. 'nx:' .. d.t)
	end
	d.er = args[6]
	d.n = d.n + (word == 'held' and 0 or 1)
	if word == 'done' or word == 'held' then
		forget_delivery(c, id, d)
	elseif word == 'again' then
		put_delivery(c, id, d)
		redis.call('ZADD', c.pre .. 'nq:' .. d.t, c.now + tonumber(args[5]), id)
	else
		park(c, id, d)
	end
	plan_target(c, d.t)
	return answer(c, 'ok')
end

-- jit_notice_order: an operator has a delivery sent again now, with all its attempts, or thrown away.
-- ARGV 3 its id, 4 send|discard. Answers 'ok' or 'none'.
local function jit_notice_order(keys, args)
	local c = context(keys, args)
	local d = get_delivery(c, args[3])
	if not d then
		return answer(c, 'none')
	end
	audit(c, args[4] == 'send' and 'notice_send' or 'notice_discard', { r = d.no.r.id, g = d.no.r.g, p = d.no.r.p,
		a = d.no.r.ap, b = 'person', d = cjson.encode({ delivery = args[3], target = d.t, event = d.no.k }) })
	if args[4] == 'send' then
		local x = get_target(c, d.t)
		x.gone, x.till = nil, nil
		put_target(c, d.t, x)
		d.pk, d.n = nil, 0
		put_delivery(c, args[3], d)
		redis.call('ZREM', c.pre .. 'np', args[3])
		queue_delivery(c, args[3], d, c.now)
	else
		forget_delivery(c, args[3], d)
	end
	plan_target(c, d.t)
	return answer(c, 'ok')
end

-- Does the key hold less than `most` of the window, or this delivery already?
local function has_room(c, key, id, most, window)
	redis.call('ZREMRANGEBYSCORE', key, '-inf', c.now - window)
	return redis.call('ZSCORE', key, id) or redis.call('ZCARD', key) < most
end

-- jit_mailbox: may this mail go to the mailbox now? Called in the mailbox's lane, whatever lane the delivery is in.
-- What may not is counted, and a digest tells of it when the window is over.
-- ARGV 3 mailbox, 4 delivery, 5 person on whose account it is sent, 6 most mails to the mailbox, 7 most on account of
-- one person, 8 inside so many ms, 9 id of the digest, if one is begun, 10 what it says of this one, 11 what is counted
-- apart from other mails, '' = nothing. Answers 'send' or 'held'.
local function jit_mailbox(keys, args)
	local c = context(keys, args)
	local box, id, window = args[3], args[4], tonumber(args[8])
	local apart = (args[11] or '') ~= '' and args[11] .. ':' or ''
	local all, one = c.pre .. 'mb:' .. apart .. box, c.pre .. 'mb:' .. apart .. box .. ':' .. args[5]
	local held = c.pre .. 'mx:' .. box
	local may = has_room(c, all, id, tonumber(args[6]), window)
	may = has_room(c, one, id, tonumber(args[7]), window) and may
	for _, key in ipairs(may and { all, one } or { held }) do
		if not may and redis.call('ZSCORE', key, id) then
			return answer(c, 'held')
		end
		redis.call('ZADD', key, c.now, id)
		redis.call('PEXPIRE', key, window)
	end
	if may then
		return answer(c, 'send')
	end
	local digest = redis.call('GET', c.pre .. 'mh:' .. box)
	local d = digest and get_delivery(c, digest)
	if not d then
		digest = args[9]
		d = { t = 'mail', to = box, n = 0, c = c.now, hd = 0, ln = '', no = { k = 'notices.held', i = 0, t = c.now, r = {} } }
		redis.call('SET', c.pre .. 'mh:' .. box, digest, 'PX', 2 * window)
		queue_delivery(c, digest, d, c.now + window)
	end
	d.hd = d.hd + 1
	if d.hd <= LINES_MOST then
		d.ln = d.ln .. args[10] .. '\n'
	end
	put_delivery(c, digest, d)
	return answer(c, 'held')
end

-- jit_notice_list, read only: the targets, and of the deliveries those that are parked, then those that wait, newest
-- first. ARGV 3 most. Answers {'ok', now, 0, targets: {name, waiting, silent until, gone, lost} ..., then deliveries}.
local function jit_notice_list(keys, args)
	local c = context(keys, args)
	local most = tonumber(args[3])
	local targets, out = {}, {}
	local names = redis.call('SMEMBERS', c.pre .. 'nt')
	table.sort(names)
	for _, target in ipairs(names) do
		local x = get_target(c, target)
		targets[#targets + 1] = { target, redis.call('ZCARD', c.pre .. 'nq:' .. target), x.till or 0, x.gone and 1 or 0,
			x.lost or 0 }
	end
	for _, key in ipairs({ 'np', 'na' }) do
		for _, id in ipairs(most > #out and redis.call('ZRANGE', c.pre .. key, 0, most - #out - 1, 'REV') or {}) do
			local d = get_delivery(c, id)
			if d then
				out[#out + 1] = view_delivery(c, id, d)
			end
		end
	end
	return { 'ok', c.now, 0, targets, unpack(out) }
end
