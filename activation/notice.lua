-- What somebody should know is written down in the step in which it happens, where the brokers' configuration has
-- anybody who wants to know; who that is, they find out afterwards (notices.lua).
--   no  the outbox: sorted set of packed notices by their number; ni: the last number
-- A notice: i its number, k what it tells (the names in states.h), t when it happened, du since when something is
-- overdue, r the request as it was then, or of one {ap, g, p, er} what there is.

-- Tells of it: r is a request, or {ap = application, g = group, p = person, er = why}, whatever of it is known.
local function tell(c, kind, r, due)
	if not string.find(c.kinds, '|' .. kind .. '|', 1, true) then
		return
	end
	local copy = {}
	for name, value in pairs(r) do
		if name ~= 'h' and name ~= 'changed' then
			copy[name] = value
		end
	end
	local number = redis.call('INCR', c.pre .. 'ni')
	redis.call('ZADD', c.pre .. 'no', number, cmsgpack.pack({ i = number, k = kind, t = c.now, du = due, r = copy }))
	redis.call('ZADD', c.pre .. 'tt', 'NX', c.now, 'n:')
end

-- The notices of a transition by that row of the table, and the time of the one that says that the end is near.
local function tell_row(c, r, row, was)
	if was == 'new' and r.bg then
		tell(c, 'breakglass.used', r)
	end
	for _, kind in ipairs(row.tell or {}) do
		-- An approval that leaves its stage as it is asks nobody anew.
		if kind ~= 'approval.requested' or r.ns ~= r.sg then
			tell(c, kind, r)
		end
	end
	if row.ask or row.tell then
		r.ns = r.sg
	end
	if (row.at_end or row.confirmed) and c.before > 0 and r.e - c.before > c.now then
		at(c, 'w:' .. r.id, r.e - c.before, r.ap)
		r.wn = true
	elseif r.wn and row.close then
		off(c, 'w:' .. r.id, r.ap)
	end
end
