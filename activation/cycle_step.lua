-- What a cycle does besides pushing what was deferred: its steps. The broker that begins it names them; when nothing
-- deferred is left they come one after another. Brokers carry a step out piece by piece, each within the bucket's
-- reserve. Where it is stands here, so that another broker goes on where one has died.
-- c:APP, besides what cycle.lua says: steps (those that are left, the present one first: "drift:12 users:30", names and
-- how much work they have left), at (where the present one is; it alone knows what that means), piece (the one under
-- way), till (when its broker is taken for dead), from (when the present step began, where that was in an earlier cycle),
-- looked (when the piece began to read the application), did (pieces of work that there was something to do about).

local function step_get(c, app)
	local v = redis.call('HMGET', c.pre .. 'c:' .. app, 'steps', 'at', 'piece', 'till')
	local name, left, rest = string.match(v[1] or '', '^(%a+):(%d+) ?(.*)$')
	return name and { name = name, left = tonumber(left), rest = rest, at = v[2] or '', piece = v[3] or '',
		till = tonumber(v[4] or '0') }
end

local function steps_left(c, app)
	local sum = 0
	for left in string.gmatch(redis.call('HGET', c.pre .. 'c:' .. app, 'steps') or '', ':(%d+)') do
		sum = sum + tonumber(left)
	end
	return sum
end

-- The steps of a new cycle. Those that the one before it has not finished come first, and go on where they were.
local function steps_begin(c, app, steps)
	local key = c.pre .. 'c:' .. app
	local count, order, sum = {}, {}, 0
	local former = step_get(c, app)
	-- What goes on is measured by when it began: by a new beginning it would never come to its end.
	local from = former and (redis.call('HGET', key, 'from') or redis.call('HGET', key, 'started'))
	for name, left in string.gmatch(steps, '(%a+):(%d+)') do
		-- How many users there are the store knows.
		left = (name == 'leavers' or name == 'attributes')
			and users_count(c, app, name, former and former.name == name and from or string.format('%.0f', c.now))
			or tonumber(left)
		-- Its broker is still going to say what came of it.
		if former and former.name == name and former.piece ~= '' and former.till > c.now then
			left = math.max(left, 1)
		end
		if left > 0 then
			count[name] = left
			sum = sum + left
		end
	end
	local text = (former and redis.call('HGET', key, 'steps') .. ' ' or '') .. steps
	for name in string.gmatch(text, '(%a+):') do
		if count[name] then
			order[#order + 1] = string.format('%s:%.0f', name, count[name])
			count[name] = nil
		end
	end
	redis.call('HSET', key, 'steps', table.concat(order, ' '), 'did', 0)
	if former and string.match(order[1] or '', '^%a+') == former.name then
		redis.call('HSET', key, 'from', from)
	else
		redis.call('HDEL', key, 'at', 'piece', 'till', 'from', 'looked')
	end
	return sum
end

-- The cycle has come to its end.
local function steps_end(c, app)
	redis.call('HDEL', c.pre .. 'c:' .. app, 'steps', 'at', 'piece', 'till', 'from', 'looked')
end

-- The next piece of the present step for this broker: its id, the application, the step, and where it is. The caller has
-- seen that the cycle may go on.
local function step_piece(c, t, id)
	local step = step_get(c, t.app)
	if not step or (step.piece ~= '' and step.piece ~= id and step.till > c.now) then
		return nil
	end
	redis.call('HSET', c.pre .. 'c:' .. t.app, 'piece', id, 'till', c.now + t.lease)
	return { id, t.app, step.name, step.at }
end

-- Is this piece under way? What a broker does for a piece that another one has taken over must change nothing.
local function step_holds(c, app, id)
	local step = step_get(c, app)
	return step and step.piece == id and step or nil
end

-- jit_step_end: a piece is over. ARGV 3 terms, 4 its id, 5 from where the step goes on, 6 is the step over (1), 7 how
-- much work that was, 8 and how much of it had something to do, 9 keep the token as if a request still ran (1), 10 close
-- the bucket for so many ms, 11 what it says of the application's health (condition.lua), 12 why, in words, 13 a chance
-- from 0 to 1, 14 failures. Answers 'ok', or 'gone' when another broker has taken the piece over.
local function jit_step_end(keys, args)
	local c = context(keys, args)
	local t = read_terms(args[3])
	local key = c.pre .. 'c:' .. t.app
	if tonumber(args[10]) > 0 then
		bucket_close(c, t, tonumber(args[10]))
	end
	local step = step_holds(c, t.app, args[4])
	if not step then
		return answer(c, 'gone')
	end
	if args[9] ~= '1' then
		bucket_return(c, t, args[4])
	end
	learn(c, t, args[11], tonumber(args[13]), args[12])
	redis.call('HINCRBY', key, 'did', args[8])
	redis.call('HINCRBY', key, 'failures', args[14])
	redis.call('HDEL', key, 'piece', 'till', 'looked')
	if args[6] == '1' then
		redis.call('HSET', key, 'steps', step.rest, 'at', '')
		redis.call('HDEL', key, 'from')
	else
		local left = math.max(step.left - tonumber(args[7]), 0)
		redis.call('HSET', key, 'at', args[5], 'steps',
			string.format('%s:%.0f%s', step.name, left, step.rest ~= '' and ' ' .. step.rest or ''))
	end
	wake(c, t.app, c.now)
	return answer(c, 'ok')
end
