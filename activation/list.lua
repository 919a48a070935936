-- Read-only functions: one request, lists, the application's and the lane's condition.

-- With the names of whose it is: of whoever is not configured, nobody else knows them.
local function with_names(show)
	return function(c, r)
		local out = show(c, r)
		local readable, names = pcall(called, c, r.p)
		for member, name in pairs({ user_name = 'userName', display_name = 'displayName' }) do
			out[#out + 1] = member
			out[#out + 1] = readable and type(names) == 'table' and names[name] or ''
		end
		return out
	end
end

local view_with_names = with_names(view)

-- jit_get. ARGV 3 request id.
-- Answers {'ok', now, next, request} or {'none', ...}.
local function jit_get(keys, args)
	local c = context(keys, args)
	local r = get_request(c, args[3])
	if not r then
		return answer(c, 'none')
	end
	local out = view_with_names(c, r)
	out[#out + 1] = 'person'
	out[#out + 1] = redis.call('GET', c.pre .. 'u:' .. r.p) or '{}'
	-- Policy will have its word again: it has to know whether an administrator has made the person eligible.
	if r.st == 'scheduled' or r.st == 'awaiting' then
		out[#out + 1] = 'eligible'
		out[#out + 1] = eligible_at(c, r.g, r.p, math.max(c.now, r.a or 0)) and 1 or 0
	end
	return answer(c, 'ok', out)
end

local function split(text)
	local set, any = {}, false
	for word in string.gmatch(text, '[^,]+') do
		set[word] = true
		any = true
	end
	return any and set or nil
end

-- What the entries of an index are, and how they are shown.
local REQUEST_LIST = { prefix = 'i', read = get_request, show = view_with_names }
local ELIGIBILITY_LIST = { prefix = 'e', read = get_eligibility, show = with_names(eligibility_view) }

-- The arguments that all lists share: 3 'p', 'g', 'a' or 'b' (person, group, those that wait for an approver, who
-- asked for somebody else), 4 its id ('' with 'a'), 5 created before or at, Unix ms ('+inf': from the newest), 6 with an
-- id below this when created at that very time ('' = none), 7 most, then filters, '' = any: 8 states (comma), 9 action,
-- 10 group, 11 person, 12 who asked, 13 the id itself.
local function read_list(c, kind, args)
	local states = split(args[8])
	return {
		key = c.pre .. kind.prefix .. args[3] .. ':' .. args[4], from = args[5], below = args[6],
		fits = function(r)
			return (not states or states[r.st]) and (args[9] == '' or r.ac == args[9])
				and (args[10] == '' or r.g == args[10]) and (args[11] == '' or r.p == args[11])
				and ((args[12] or '') == '' or r.by == args[12]) and ((args[13] or '') == '' or r.id == args[13])
		end,
	}
end

local LOOK_MAX = 1000 -- entries of an index in one call

-- Looks through the index, newest first, and calls `found` with each record that fits, until that says that it has
-- enough. Answers where it stopped: created and id, '' = at the end.
local function look(c, kind, list, found)
	local looked, offset = 0, 0
	repeat
		local page = redis.call('ZRANGE', list.key, list.from, '-inf', 'BYSCORE', 'REV', 'LIMIT', offset, 100,
			'WITHSCORES')
		for i = 1, #page, 2 do
			local id, created = page[i], page[i + 1]
			if list.below == '' or created ~= list.from or id < list.below then
				local r = kind.read(c, id)
				looked = looked + 1
				if (r and list.fits(r) and found(r)) or looked >= LOOK_MAX then
					return created, id
				end
			end
		end
		offset = offset + 100
	until #page < 200
	return '', ''
end

local function list_of(kind)
	return function(keys, args)
		local c = context(keys, args)
		local most, out = tonumber(args[7]), {}
		local created, id = look(c, kind, read_list(c, kind, args), function(r)
			out[#out + 1] = kind.show(c, r)
			return #out >= most
		end)
		return { 'ok', c.now, 0, created, id, unpack(out) }
	end
end

local function count_of(kind)
	return function(keys, args)
		local c = context(keys, args)
		local n = 0
		local _, id = look(c, kind, read_list(c, kind, args), function()
			n = n + 1
		end)
		return { 'ok', c.now, 0, n, id == '' and 1 or 0 }
	end
end

-- jit_list: requests of one person or one group, those that wait for an approver, or those that somebody made for
-- others, newest first. Answers {'ok', now, next, where it stopped looking: created and id ('' = at the end), request
-- ...}. jit_eligibility_list: the same of eligibilities.
local jit_list, jit_eligibility_list = list_of(REQUEST_LIST), list_of(ELIGIBILITY_LIST)

-- jit_count: how many a list has, with the list's arguments (5, 6 and 7 are not looked at but by who asks for the
-- whole). Answers {'ok', now, next, how many, 1 when that is all of them, 0 when it stopped after LOOK_MAX entries}.
local jit_count, jit_eligibility_count = count_of(REQUEST_LIST), count_of(ELIGIBILITY_LIST)
