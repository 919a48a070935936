-- Applications that have left the brokers' configuration. Nothing can be pushed to them: what was given stays there, and what
-- is to be removed waits until a broker has the application again. That is said once.
--   aw  (hash)  application -> "SINCE SAID": since when brokers that do not know it have come upon it and none has that does,
--               and whether that was said (0 or 1)

local UNKNOWN_MS = 4000 -- what a broker gives back is taken up by one that knows it in less

local function unknown_removals(c, app)
	return queue_count(c, 'x', app, '+inf')
end

-- A broker that does not know it has come upon it. Answers 1 when that has just been said, else 0.
local function unknown_note(c, app)
	local since, said = string.match(redis.call('HGET', c.pre .. 'aw', app) or '', '^(%d+) (%d)$')
	local wait, stay = unknown_removals(c, app), tonumber(redis.call('HGET', c.pre .. 'la', app) or '0')
	local say = since and said == '0' and tonumber(since) + UNKNOWN_MS <= c.now and wait + stay > 0
	redis.call('HSET', c.pre .. 'aw', app, (since or string.format('%.0f', c.now)) .. ' ' .. (say and '1' or said or '0'))
	if say then
		audit(c, 'application_unknown', { a = app, b = 'broker', y = string.format('No broker has the application in its '
			.. 'configuration any more. Memberships that stay in it until one has: %d whose time is over, %d in force.',
			wait, stay) })
	end
	return say and 1 or 0
end

-- A broker that knows it is at work. True: none was before.
local function unknown_over(c, app)
	return redis.call('HDEL', c.pre .. 'aw', app) == 1
end

local function is_unknown(c, app)
	return redis.call('HEXISTS', c.pre .. 'aw', app) == 1
end

-- Removals in all such applications of the lane.
local function unknown_in_lane(c)
	local n = 0
	local all = redis.call('HGETALL', c.pre .. 'aw')
	for i = 1, #all, 2 do
		n = n + unknown_removals(c, all[i])
	end
	return n
end
