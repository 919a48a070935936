-- The provisioning log: one entry for each member of each push, written in the same step as the push's end.
-- l:APP (stream): i push, g group, p person, o add|remove, of a user update|deactivate|delete, v what came of it, s the
-- application's HTTP status, w its words, ms how long the push took, n which attempt, c what made the push.
-- The person's names are looked up when the log is read, so that they are forgotten with the person.

local LOG_LOOK = 2000 -- entries that one call looks at

local function log_cause(push, m, attempt)
	if m.dr or m.fo then
		return 'drift'
	elseif push.cy then
		return 'cycle'
	elseif push.od then
		return 'onDemand'
	elseif push.op == 'remove' then
		return 'removal'
	end
	return attempt > 1 and 'retry' or 'activation'
end

-- An entry's id is the time of the step. Where the clock has gone back, Redis finds the next one. Without terms (`t` nil)
-- it is not known how many are kept: the next push that ends trims.
local function log_add(c, t, app, entry)
	local key = c.pre .. 'l:' .. app
	local done = redis.pcall('XADD', key, string.format('%.0f-*', c.now), unpack(entry))
	if type(done) == 'table' and done.err then
		redis.call('XADD', key, '*', unpack(entry))
	end
	if t then
		redis.call('XTRIM', key, 'MAXLEN', '~', t.log_most)
	end
end

local function log_push(c, t, push, id, m, attempt, result)
	log_add(c, t, push.ap, { 'i', id, 'g', m.g, 'p', m.p, 'o', push.op, 'v', result.verdict, 's', result.status, 'w', result.text,
		'ms', result.took, 'n', attempt, 'c', log_cause(push, m, attempt) })
end

local function log_trim(c, t)
	redis.call('XTRIM', c.pre .. 'l:' .. t.app, 'MINID', '~', string.format('%.0f', c.now - t.log_keep))
end

local function log_matches(e, want)
	return (want.person == '' or e.p == want.person) and (want.group == '' or e.g == want.group)
		and (want.result == '' or e.v == want.result)
end

-- jit_log, read only: entries of one application, newest first.
-- ARGV 3 application, 4 older than this entry's id ('+': from the newest), 5 not older than, Unix ms, 6 most, then
-- filters, '' = any: 7 person, 8 group, 9 result. Answers {'ok', now, 0, id where it stopped looking ('' = at the end),
-- entry ...}; an entry is name, value pairs with `id` and `names`.
local function jit_log(keys, args)
	local c = context(keys, args)
	local most, from, looked, out = tonumber(args[6]), args[4], 0, {}
	local want = { person = args[7], group = args[8], result = args[9] }
	local page
	repeat
		page = redis.call('XREVRANGE', c.pre .. 'l:' .. args[3], from == '+' and from or '(' .. from, args[5], 'COUNT',
			200)
		for _, entry in ipairs(page) do
			local e, pairs_of = {}, entry[2]
			for i = 1, #pairs_of, 2 do
				e[pairs_of[i]] = pairs_of[i + 1]
			end
			from = entry[1]
			looked = looked + 1
			if log_matches(e, want) then
				pairs_of[#pairs_of + 1] = 'id'
				pairs_of[#pairs_of + 1] = entry[1]
				pairs_of[#pairs_of + 1] = 'names'
				pairs_of[#pairs_of + 1] = redis.call('GET', c.pre .. 'u:' .. e.p) or ''
				out[#out + 1] = pairs_of
			end
			if #out >= most or looked >= LOG_LOOK then
				return { 'ok', c.now, 0, from, unpack(out) }
			end
		end
	until #page < 200
	return { 'ok', c.now, 0, '', unpack(out) }
end
