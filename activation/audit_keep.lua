-- The keeping of the audit: read, sealed, exported, forgotten. What brokers do with the events, each under its lease.

-- jit_audit_plan: this broker seals, and exports when it is told to. ARGV 3 how long events may wait for a seal, ms, 4 it
-- exports (1). Answers 'ok'.
local function jit_audit_plan(keys, args)
	local c = context(keys, args)
	local key = c.pre .. 'audit:head'
	redis.call('HSET', key, 's', args[3])
	redis.call('ZADD', c.pre .. 'tt', 'LT', c.now + tonumber(args[3]), 'u:seal')
	if args[4] == '1' then
		redis.call('HSETNX', key, 'x', '0')
		redis.call('ZADD', c.pre .. 'tt', 'NX', c.now, 'u:export')
	end
	return answer(c, 'ok')
end

-- jit_audit_note: an event that changes no request. ARGV 3 event, 4 why, 5 details (JSON, or ''). Answers 'ok'.
local function jit_audit_note(keys, args)
	local c = context(keys, args)
	audit(c, args[3], { b = c.actor == '' and 'broker' or 'person', y = args[4], d = args[5] })
	return answer(c, 'ok')
end

-- Refusals of one caller that are written in a minute; what is beyond is counted, and the count told as it grows.
local REFUSED_MOST, REFUSED_MS = 20, 60000

-- 1, 10, 100, …
local function is_round(n)
	while n >= 10 and n % 10 == 0 do
		n = n / 10
	end
	return n == 1
end

-- jit_refused: something was refused that somebody wanted. ARGV 3 their id, 4 their user name, 5 request, 6 group, 7
-- action, 8 why, 9 details (JSON object, or ''), 10 whose refusals are counted together: theirs, or those of who names
-- people. Answers 'ok', or 'counted' when it is not worth an event of its own.
local function jit_refused(keys, args)
	local c = context(keys, args)
	local key = c.pre .. 'rf:' .. (args[10] or args[3]) .. ':' .. string.format('%.0f', math.floor(c.now / REFUSED_MS))
	local n = redis.call('INCR', key)
	if n == 1 then
		redis.call('PEXPIRE', key, 2 * REFUSED_MS)
	end
	if n > REFUSED_MOST + 1 and not is_round(n) then
		return answer(c, 'counted')
	end
	local d = args[9]
	if n > REFUSED_MOST then
		d = cjson.encode({ thisMinute = n, further = 'counted, not written' })
	end
	audit(c, 'refused', { r = args[5], g = args[6], ac = args[7], b = args[3], p = args[3], u = args[4], y = args[8],
		d = d })
	return answer(c, 'ok')
end

-- jit_audit_read, read only. ARGV 3 the number of the event before the first, 4 most.
-- Answers {'ok', now, 0, head, anchor (name, value pairs both), {id, {name, value ...}} ...}.
local function jit_audit_read(keys, args)
	local c = context(keys, args)
	local key = c.pre .. 'audit'
	return { 'ok', c.now, 0, redis.call('HGETALL', key .. ':head'), redis.call('HGETALL', key .. ':anchor'),
		unpack(redis.call('XRANGE', key, '(' .. args[3], '+', 'COUNT', args[4])) }
end

-- jit_audit_seal: the events after the last seal up to this one are sealed. ARGV 3 up to which event they were sealed
-- before, 4 up to which now, 5 the digest, 6 details of the seal (JSON). Answers 'ok', or 'gone' when another was faster.
local function jit_audit_seal(keys, args)
	local c = context(keys, args)
	local key = c.pre .. 'audit'
	if (redis.call('HGET', key .. ':head', 'zt') or '0') ~= args[3] then
		return answer(c, 'gone')
	end
	audit(c, 'seal', { b = 'broker', d = args[6] })
	redis.call('HSET', key .. ':head', 'zt', args[4], 'zd', args[5])
	redis.call('ZADD', key .. ':seals', args[4], args[5])
	return answer(c, 'ok')
end

-- jit_audit_exported: the events up to this one are where they were to go. ARGV 3 up to which they were before, 4 up to
-- which now, 5 the lease of the next ones, ms. Answers 'ok', 'more' when there are, or 'gone' when another was faster.
local function jit_audit_exported(keys, args)
	local c = context(keys, args)
	local key = c.pre .. 'audit:head'
	local v = redis.call('HMGET', key, 'n', 'x')
	if v[2] ~= args[3] then
		return answer(c, 'gone')
	end
	redis.call('HSET', key, 'x', args[4])
	if tonumber(v[1] or '0') > tonumber(args[4]) then
		at(c, 'u:export', c.now + tonumber(args[5]))
		return answer(c, 'more')
	end
	off(c, 'u:export')
	return answer(c, 'ok')
end

-- jit_audit_later: seal or export again after a while; what comes in meanwhile may bring it forward.
-- ARGV 3 'seal' or 'export', 4 ms. Answers 'ok'.
local function jit_audit_later(keys, args)
	local c = context(keys, args)
	at(c, 'u:' .. args[3], c.now + tonumber(args[4]))
	return answer(c, 'ok')
end

local FORGET_MOST = 500 -- events in one step

-- jit_audit_oldest, read only: the next events that may be forgotten, all up to one of these: where events are sealed, those
-- of the oldest seal; else as many as make a step. ARGV 3 made before, Unix ms, 4 only what is exported (1).
-- Answers {'ok', now, 0, number of the last of them, its link, digest of the seal or ''}, or 'none'.
local function jit_audit_oldest(keys, args)
	local c = context(keys, args)
	local key, limit = c.pre .. 'audit', tonumber(args[3])
	local head = redis.call('HMGET', key .. ':head', 'x', 'zt')
	local seal = redis.call('ZRANGE', key .. ':seals', 0, 0, 'WITHSCORES')
	local events = {}
	if seal[1] then
		events = redis.call('XRANGE', key, seal[2], seal[2])
	elseif not head[2] then
		events = redis.call('XRANGE', key, '-', '+', 'COUNT', FORGET_MOST)
	end
	for i = #events, 1, -1 do
		local v, n = events[i][2], string.match(events[i][1], '^%d+')
		local made = tonumber(v[#v - 2]) or 0
		if made < limit and (args[4] ~= '1' or tonumber(n) <= tonumber(head[1] or '0')) then
			return { 'ok', c.now, 0, n, v[#v], seal[1] or '' }
		end
	end
	return { 'none', c.now, 0 }
end

-- jit_audit_forget: forgets the events up to that one, and keeps what those after it are checked against.
-- ARGV 3 its number, 4 its link, 5 the digest, 6 the key's name, 7 the mac of all this. Answers 'ok', or 'gone'.
local function jit_audit_forget(keys, args)
	local c = context(keys, args)
	local key = c.pre .. 'audit'
	local event = redis.call('XRANGE', key, args[3], args[3])[1]
	if not event or event[2][#event[2]] ~= args[4] then
		return answer(c, 'gone')
	end
	redis.call('HSET', key .. ':anchor', 'n', args[3], 'h', args[4], 'd', args[5], 'k', args[6], 'm', args[7])
	redis.call('XTRIM', key, 'MINID', string.format('%.0f', tonumber(args[3]) + 1))
	redis.call('ZREMRANGEBYSCORE', key .. ':seals', '-inf', args[3])
	return answer(c, 'ok')
end
