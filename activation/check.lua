-- Is the lane's state whole? For backups that were restored (broker/recovery/backup.c): nothing is changed.

-- jit_check_groups: the groups of which the lane has live memberships, or such that are to be removed. Answers
-- {'ok', now, 0, group ...}.
local function jit_check_groups(keys, args)
	local c = context(keys, args)
	local seen, out = {}, { 'ok', c.now, 0 }
	local function add(g)
		if not seen[g] then
			seen[g] = true
			out[#out + 1] = g
		end
	end
	local live = redis.call('HGETALL', c.pre .. 'lv')
	for i = 1, #live, 2 do
		add(live[i])
	end
	for _, id in ipairs(redis.call('ZRANGE', c.pre .. 'x', 0, -1)) do
		add(string.match(id, '^[^:]*'))
	end
	return out
end

-- What the timetable must have of a request in that state.
local ENTRIES = { scheduled = 's:', awaiting = 'a:', waiting = 'e:', deferred = 'e:', provisioning = 'e:', in_force = 'e:' }

local function check_timetable(c, r, say)
	local entry = r.en and 'k:' or ENTRIES[r.st]
	local due = entry and redis.call('ZSCORE', timetable_of(c, entry, r.ap), entry .. r.id)
	local look = due and redis.call('ZSCORE', c.pre .. 'tt', (entry == 'e:' and 'x:' or 'y:') .. r.ap)
	if entry and not look and not redis.call('ZSCORE', c.pre .. 'tt', entry .. r.id) then
		say('request ' .. r.id .. ' (' .. r.st .. '): the timetable has no entry ' .. entry)
	end
end

local function check_member(c, r, m, say)
	local name = 'membership ' .. m.g .. ':' .. m.p
	local known = false
	for _, id in ipairs(m.r) do
		known = known or id == r.id
	end
	if not known then
		say('request ' .. r.id .. ' (' .. r.st .. '): its membership does not know it')
	end
	local leaves = redis.call('ZSCORE', c.pre .. 'x', m.g .. ':' .. m.p)
	if (m.x or ENDS[r.st]) and not leaves then
		say(name .. ': is to be removed, and is not among those that are')
	end
	if m.s ~= 0 and not m.st and not leaves and not m.u and not granted_by(c, m) then
		say(name .. ': nothing grants it, and nothing removes it')
	end
	if m.u and not (redis.call('EXISTS', c.pre .. 'push:' .. m.u) == 1 and redis.call('ZSCORE', c.pre .. 'tt', 'p:' .. m.u)) then
		say(name .. ': its push is lost')
	end
end

-- jit_check: requests of one group. ARGV 3 group, 4 the first of them, from 0, 5 most. Answers {'ok', now, 0, looked at,
-- not closed, granting access, problem ...}, problems in words.
local function jit_check(keys, args)
	local c = context(keys, args)
	local from, most = tonumber(args[4]), tonumber(args[5])
	local ids = redis.call('ZRANGE', c.pre .. 'ig:' .. args[3], from, from + most - 1)
	local out = { 'ok', c.now, 0, #ids, 0, 0 }
	local function say(text)
		out[#out + 1] = text
	end
	for _, id in ipairs(ids) do
		local r = get_request(c, id)
		if not r then
			say('request ' .. id .. ': is listed and not there')
		else
			check_timetable(c, r, say)
			if not r.en then
				out[5] = out[5] + 1
				out[6] = out[6] + (WANTS[r.st] and 1 or 0)
				-- What only waits, for its time or an approver, is a membership's as well.
				check_member(c, r, get_member(c, r.g, r.p, r.ap), say)
			end
		end
	end
	return out
end
