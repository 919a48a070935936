-- What callers see. A request is answered as name, value pairs: its own fields (request.lua) and what its
-- membership tells of the way to the application.

-- When the cycle begins that takes this deferred membership, or has begun.
local function cycle_of(c, m)
	local cycle = cycle_get(c, m.ap)
	local since = tonumber(redis.call('ZSCORE', c.pre .. 'd:' .. m.g, m.p) or '0')
	if cycle.started > 0 and cycle.ended == 0 and since > 0 and since <= cycle.started then
		return cycle.started
	end
	return cycle.next
end

local function view(c, r)
	local out = { 'id', r.id }
	for name, value in pairs(r) do
		if name == 'dc' then
			out[#out + 1] = 'decisions'
			out[#out + 1] = #value > 0 and cjson.encode(value) or '[]'
		elseif name ~= 'id' and name ~= 'changed' then
			out[#out + 1] = name
			out[#out + 1] = type(value) == 'number' and string.format('%.0f', value) or value
		end
	end
	local m = get_member(c, r.g, r.p, r.ap)
	local function add(name, value)
		out[#out + 1] = name
		out[#out + 1] = value
	end
	if not r.en and r.st ~= 'scheduled' and r.st ~= 'awaiting' then
		local words = r.st ~= 'in_force' and WANTS[r.st] and closed_words(c, m.ap) or m.er
		if words then
			add('member_error', words)
		end
		add('attempts', m.n)
		if m.q and m.q ~= 'd' then
			add('next_try', redis.call('ZSCORE', c.pre .. m.q .. ':' .. m.g, m.p))
		end
	end
	-- A deactivation is done when the membership is gone.
	if (r.ac == 'selfDeactivate' or r.ac == 'adminRemove') and (m.q == 'x' or m.u) then
		add('removing', 1)
	end
	if m.s == 1 and r.st == 'in_force' then
		add('unverified', m.nv and 1 or 0)
		add('standing', m.st and 1 or 0)
	end
	if r.st == 'deferred' then
		add('place', queue_place(c, m))
		add('next_cycle', cycle_of(c, m))
	end
	return out
end
