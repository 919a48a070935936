-- The audit: every change leaves an event in the lane's stream, in the same step as the change. The events of a lane
-- are numbered without a gap (the stream's ids are N-0), and each has a link: a hash over it and the link before.
--   audit       (stream)  the events: e event, r request, f from, t to, b by (who, or what caused it), g group, p person,
--                         u their user name, a application, ac what was asked, s start, x end, w who asked (JSON,
--                         activation/actor.h), y why, d what else there is to say (JSON), at when; times in Unix ms; h link
--   audit:head  (hash)    n number of the last event, h its link; zt up to which event they are sealed, zd the digest of that
--                         seal; s how long events may wait for one, ms; x up to which event they are exported
--   audit:seals (sorted)  the seals that are there: the digest -> the number of the last event that it covers
--   audit:anchor (hash)   where the events begin, once old ones are forgotten: n number of the last of them, h its link, d the
--                         digest of the last seal before, k m of the key
-- A broker seals and exports (activation/audit.h); the timetable's entries u:seal and u:export say when.
local AUDIT_FIELDS = { 'e', 'r', 'f', 't', 'b', 'g', 'p', 'u', 'a', 'ac', 's', 'x', 'w', 'y', 'd', 'at' }

local EXPORT_AFTER = 250 -- ms, so that one write to the disk takes many

-- The link of event n, whose values come with their lengths, so that nothing can be shifted from one to the next.
local function audit_link(before, n, list)
	local parts = { before, n }
	for i = 2, #list, 2 do
		parts[#parts + 1] = #list[i] .. ':' .. list[i]
	end
	return redis.sha1hex(table.concat(parts, ' '))
end

-- Where the head has been lost or is older than the stream, the numbering goes on behind the stream's last event: that
-- the chain is broken there will be found, and meanwhile nothing else must fail because of it.
local function audit_mend(c)
	local last = redis.call('XREVRANGE', c.pre .. 'audit', '+', '-', 'COUNT', 1)[1]
	local info = redis.call('XINFO', 'STREAM', c.pre .. 'audit')
	for i = 1, #info, 2 do
		if info[i] == 'last-generated-id' then
			return tonumber(string.match(info[i + 1], '^%d+')), last and last[2][#last[2]] or ''
		end
	end
end

-- Writes an event. `values` has those of the fields above that it needs.
local function audit(c, event, values)
	local key = c.pre .. 'audit'
	local head = redis.call('HMGET', key .. ':head', 'n', 'h', 's', 'x')
	local n, link = tonumber(head[1]) or 0, head[2] or ''
	local list = {}
	values.e, values.w, values.at = event, c.actor, c.now
	for i, name in ipairs(AUDIT_FIELDS) do
		local value = values[name] or ''
		list[2 * i - 1] = name
		list[2 * i] = type(value) == 'number' and string.format('%.0f', value) or value
	end
	local function add()
		local text = string.format('%.0f', n + 1)
		local hash = audit_link(link, text, list)
		list[#AUDIT_FIELDS * 2 + 1], list[#AUDIT_FIELDS * 2 + 2] = 'h', hash
		local done = redis.pcall('XADD', key, text .. '-0', unpack(list))
		if type(done) ~= 'table' then
			redis.call('HSET', key .. ':head', 'n', text, 'h', hash)
			return true
		end
		list[#list], list[#list - 1] = nil, nil
	end
	if not add() then
		n, link = audit_mend(c)
		add()
	end
	if head[3] then
		redis.call('ZADD', c.pre .. 'tt', 'LT', c.now + tonumber(head[3]), 'u:seal')
	end
	if head[4] then
		redis.call('ZADD', c.pre .. 'tt', 'NX', c.now + EXPORT_AFTER, 'u:export')
	end
end

-- How many events there are, are not sealed, are not exported; -1 where nobody has done that yet.
local function audit_figures(c)
	local v = redis.call('HMGET', c.pre .. 'audit:head', 'n', 'zt', 'x')
	local n = tonumber(v[1] or '0')
	return { redis.call('XLEN', c.pre .. 'audit'), v[2] and n - tonumber(v[2]) or -1, v[3] and n - tonumber(v[3]) or -1 }
end

-- What that person is called, as it is kept for SCIM.
local function called(c, p)
	if c.names[p] == nil then
		local text = redis.call('GET', c.pre .. 'u:' .. p)
		c.names[p] = text and cjson.decode(text) or {}
	end
	return c.names[p]
end

local function user_name(c, p)
	return called(c, p).userName or ''
end

-- How long the membership's access has outlived its end, ms; nil when it has not.
local function outlived(c, g, p)
	local since = redis.pcall('ZSCORE', c.pre .. 'x', g .. ':' .. p)
	return type(since) == 'string' and c.now - tonumber(since) or nil
end

-- What else an auditor wants to know of a request when it moves by that event.
local function audit_details(c, r, event)
	local d = {}
	if event == 'release' then
		d.outlivedMilliseconds = outlived(c, r.g, r.p)
	end
	if r.st == 'new' then
		d.ticketNumber, d.ticketSystem = r.tn, r.ts
	end
	d.breakGlass = r.bg and true or nil
	d.stage = (event == 'approve' or event == 'deny') and r.sg or nil
	return next(d) and cjson.encode(d) or ''
end

-- Events that speak for themselves only with what went wrong; others, with why the caller wants it (c.why).
local FAILURES = { refuse = true, lapse = true, time_out = true, retry = true }

local function audit_move(c, r, event, row, by)
	local why = FAILURES[event] and (r.er or get_member(c, r.g, r.p, r.ap).er) or c.why
	audit(c, event, { r = r.id, f = r.st, t = row.to, b = by or row.by, g = r.g, p = r.p, u = user_name(c, r.p),
		a = r.ap, ac = r.ac, s = r.s, x = r.e, y = why, d = audit_details(c, r, event) })
end
