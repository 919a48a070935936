-- What cannot be worked on is set aside: one record that cannot be read keeps nobody else waiting. It is tried again and
-- again, because somebody's access may hang on it, and told until it is done.
--   sa  (sorted set)  "KEY ENTRY", an entry of that sorted set (tt, tx:APP, x:GROUP …) -> since when it is tried in vain

local SOONEST_MS, LATEST_MS = 5000, 300000 -- the pause before the next try grows as long as it has been in vain
local TIDY_MOST = 100

local function words_of(why)
	return string.sub(type(why) == 'table' and tostring(why.err) or tostring(why), 1, 200)
end

local function set_aside(c, key, entry, app, words)
	local name = key .. ' ' .. entry
	local since = tonumber(redis.call('ZSCORE', c.pre .. 'sa', name) or '') or c.now
	redis.call('ZADD', c.pre .. 'sa', since, name)
	redis.call('ZADD', c.pre .. key, c.now + math.min(math.max(c.now - since, SOONEST_MS), LATEST_MS), entry)
	c.failed[#c.failed + 1] = name .. ': ' .. words
	if since == c.now then
		audit(c, 'set_aside', { r = string.match(entry, '^[easkw]:(.*)$'), a = app, b = 'broker', y = name .. ': ' .. words })
	end
end

-- Answers what work() does; nil when it fails: then the entry of that key is set aside.
local function try(c, key, entry, app, work)
	local done, result = pcall(work)
	if not done then
		set_aside(c, key, entry, app, words_of(result))
		return nil
	end
	if c.any_aside then
		redis.call('ZREM', c.pre .. 'sa', key .. ' ' .. entry)
	end
	return result
end

-- Does work() with records of its own, which are written when it is done and forgotten when it fails: of what is done by
-- halves stays only what it has written itself, and doing it anew is harmless. Answers whether it is done, or false and why.
local function alone(c, work)
	local own = c.own
	local function forget()
		c.requests, c.members, c.users, c.own = {}, {}, {}, {}
	end
	forget()
	local done, why = pcall(function()
		work()
		write_records(c)
	end)
	for name, how in pairs(done and c.own or {}) do
		own[name] = own[name] or how
	end
	forget()
	c.own = own
	return done, why
end

-- What the whole lane needs, and what comes about anew: how to count it.
local COMES_ANEW = { sa = 'ZCARD', aw = 'HLEN', audit = 'XLEN', ['audit:head'] = 'HLEN' }

-- What is there in its place is kept under another name, and told. That events are missing in the audit will be found.
local function put_away(c)
	for key, count in pairs(COMES_ANEW) do
		local found = redis.pcall(count, c.pre .. key)
		if type(found) == 'table' then
			redis.call('RENAME', c.pre .. key, c.pre .. 'odd:' .. key)
			c.failed[#c.failed + 1] = key .. ': ' .. words_of(found)
		end
	end
	for _, words in ipairs(c.failed) do
		audit(c, 'set_aside', { b = 'broker', y = words })
	end
end

-- Reads all that an end of access touches, so that what cannot be read is met before anything is written.
local function read_member(c, g, p, app)
	local m = get_member(c, g, p, app)
	requests_of(c, m)
	user_name(c, p)
	return m
end

-- Can it be read what the person is as a user? A removal is pushed without it; its end needs it.
local function is_user_readable(c, app, p)
	return type(redis.pcall('GET', c.pre .. 'us:' .. app .. ':' .. p)) ~= 'table'
end

-- Forgets what has left its place in another way than by being done. True: something is set aside.
local function tidy_aside(c)
	local all = redis.call('ZRANGE', c.pre .. 'sa', 0, TIDY_MOST - 1)
	for _, name in ipairs(all) do
		local key, entry = string.match(name, '^(%S+) (.*)$')
		if redis.pcall('ZSCORE', c.pre .. key, entry) == false then
			redis.call('ZREM', c.pre .. 'sa', name)
		end
	end
	return #all > 0
end

-- How many entries of the lane are set aside, and since when the first of them (0 = none is).
local function aside_figures(c)
	local first = redis.call('ZRANGE', c.pre .. 'sa', 0, 0, 'WITHSCORES')
	return redis.call('ZCARD', c.pre .. 'sa'), tonumber(first[2] or '0')
end
