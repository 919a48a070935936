-- Who may activate a group because an administrator said so, beside those whom the policy file names.
-- An eligibility is what one eligibilityScheduleRequest gives. It has those fields of a request (request.lua) that
-- mean something here, st only once it is closed: 'expired', 'revoked', 'canceled'. Whether it holds is judged by
-- its times whenever somebody looks: s <= t < e. The timetable closes it at its end, for the audit.

local ELIGIBILITY_MAX = 32 -- of one person in one group that are not closed

local function get_eligibility(c, id)
	local raw = redis.call('GET', c.pre .. 'er:' .. id)
	local e = raw and cmsgpack.unpack(raw)
	if e then
		e.id = id
		if not e.en then
			e.st = e.s > c.now and 'scheduled' or e.e > c.now and 'in_force' or 'expired'
		end
	end
	return e or nil
end

local function write_eligibility(c, e)
	local id = e.id
	e.id = nil
	redis.call('SET', c.pre .. 'er:' .. id, cmsgpack.pack(e))
	e.id = id
end

-- Those that are not closed, oldest first: {{id, s, e}, ...}, so that one read tells whether somebody is eligible.
local function eligibilities_of(c, g, p)
	local raw = redis.call('GET', c.pre .. 'el:' .. g .. ':' .. p)
	return raw and cmsgpack.unpack(raw) or {}
end

local function write_eligibilities(c, g, p, list)
	local key = c.pre .. 'el:' .. g .. ':' .. p
	if #list == 0 then
		redis.call('DEL', key)
	else
		redis.call('SET', key, cmsgpack.pack(list))
	end
end

local function eligible_at(c, g, p, t)
	for _, x in ipairs(eligibilities_of(c, g, p)) do
		if x[2] <= t and t < x[3] then
			return true
		end
	end
	return false
end

-- Every change of an eligibility leaves its audit event in the same step.
local function trace_eligibility(c, e, event, from, by)
	audit(c, event, { r = e.id, f = from, t = e.st, b = by or 'time', g = e.g, p = e.p, u = user_name(c, e.p), a = e.ap,
		ac = e.ac, s = e.s, x = e.e, y = c.why })
end

-- Closes it: 'expired', 'revoked' or 'canceled'. Its history is kept as long as a request's.
local function close_eligibility(c, e, to, by)
	local from, open = e.st, {}
	e.st, e.en = to, c.now
	write_eligibility(c, e)
	trace_eligibility(c, e, 'eligibility_' .. to, from, by)
	at(c, 'l:' .. e.id, c.now + c.keep, e.ap)
	for _, x in ipairs(eligibilities_of(c, e.g, e.p)) do
		if x[1] ~= e.id then
			open[#open + 1] = x
		end
	end
	write_eligibilities(c, e.g, e.p, open)
	wake_review(c, e.g, c.now)
end

-- Its entry in the timetable has come: it ends, or the time is over for which its history is kept.
local function due_eligibility(c, id, app)
	local e = get_eligibility(c, id)
	if not e then
		off(c, 'l:' .. id, app)
	elseif not e.en and e.e <= c.now then
		close_eligibility(c, e, 'expired')
	elseif not e.en then
		at(c, 'l:' .. id, e.e, app)
	elseif e.en + c.keep > c.now then
		at(c, 'l:' .. id, e.en + c.keep, app)
	else
		off(c, 'l:' .. id, app)
		redis.call('DEL', c.pre .. 'er:' .. id)
		redis.call('ZREM', c.pre .. 'ep:' .. e.p, id)
		redis.call('ZREM', c.pre .. 'eg:' .. e.g, id)
		redis.call('ZREM', c.pre .. 'eb:' .. e.by, id)
	end
end
