-- The bucket of an application: at most `limit` pushes that begin or end inside any `window` ms. A token is out
-- from the moment it is taken until `window` ms after its push has ended; while the push runs, until its deadline
-- plus `window`. b:APP holds the tokens that are out: push -> ms when its token is back. bc:APP closes the bucket
-- for all until then (the application said Retry-After).

-- How many tokens are free now.
local function bucket_free(c, t)
	local closed = tonumber(redis.call('GET', c.pre .. 'bc:' .. t.app) or '0')
	if closed > c.now then
		return 0
	end
	local out = redis.call('ZCOUNT', c.pre .. 'b:' .. t.app, '(' .. string.format('%.0f', c.now), '+inf')
	return math.max(t.limit - out, 0)
end

-- When `wanted` tokens will be free, as far as is known now; `now` when they are.
local function bucket_when(c, t, wanted)
	local closed = tonumber(redis.call('GET', c.pre .. 'bc:' .. t.app) or '0')
	local when = math.max(closed, c.now)
	local out = redis.call('ZRANGE', c.pre .. 'b:' .. t.app, '(' .. string.format('%.0f', c.now), '+inf', 'BYSCORE',
		'WITHSCORES')
	local surplus = #out / 2 - (t.limit - wanted)
	if surplus > 0 then
		when = math.max(when, tonumber(out[2 * surplus]))
	end
	return when
end

-- Takes a token for this push; the caller has seen that one is free. The millisecond more makes up for the
-- clock's rounding: a push that ended late in one millisecond and one that begins early in another.
local function bucket_take(c, t, push)
	local key = c.pre .. 'b:' .. t.app
	redis.call('ZREMRANGEBYSCORE', key, '-inf', c.now)
	redis.call('ZADD', key, c.now + t.deadline + t.window + 1, push)
end

-- The push has ended now: its token comes back one window later. Told after the deadline, it changes nothing: the
-- token may be back already, and in use.
local function bucket_return(c, t, push)
	redis.call('ZADD', c.pre .. 'b:' .. t.app, 'XX', 'LT', c.now + t.window + 1, push)
end

-- Nothing more is sent for so many ms, by nobody.
local function bucket_close(c, t, ms)
	local key = c.pre .. 'bc:' .. t.app
	local till = c.now + ms
	if till > tonumber(redis.call('GET', key) or '0') then
		redis.call('SET', key, string.format('%.0f', till), 'PX', ms + 1000)
	end
end
