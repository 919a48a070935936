-- The end of an application's secret token, of which nothing is heard over SCIM: it is configured. Operators are told
-- 90, 30, 7 days and a day before it, and when it has come; each once over all brokers, however often they start.
--   te  (hash)  application -> "END LAST": the token's end, Unix ms, and how many days before it was last told ('' = not
--               yet). Another end is another token, of which nothing has been told.

local TOKEN_DAY = 24 * 3600 * 1000
local TOKEN_DAYS = { 90, 30, 7, 1, 0 }

local function token_words(days)
	if days == 0 then
		return "The application's token has ended: the application refuses every push until it has another one."
	end
	return string.format("The application's token ends in %d day%s or less.", days, days == 1 and '' or 's')
end

-- Tells what is due of it, the latest only, and plans the next.
local function token_look(c, app)
	local finish, last = string.match(redis.call('HGET', c.pre .. 'te', app) or '', '^(%d+) (%d*)$')
	off(c, 't:' .. app)
	-- Of one that nobody has any more nobody wants to know it.
	if not finish or is_unknown(c, app) then
		return
	end
	local due
	for _, days in ipairs(TOKEN_DAYS) do
		local when = tonumber(finish) - days * TOKEN_DAY
		if when > c.now then
			at(c, 't:' .. app, when)
			break
		end
		due = days
	end
	if due and (last == '' or due < tonumber(last)) then
		redis.call('HSET', c.pre .. 'te', app, finish .. ' ' .. due)
		audit(c, 'token_ending', { a = app, b = 'time', x = tonumber(finish), y = token_words(due) })
		tell(c, 'token.ending', { ap = app, e = tonumber(finish), er = token_words(due) })
	end
end

-- The application's token ends then; '0' = that is not known.
local function token_plan(c, app, finish)
	local known = string.match(redis.call('HGET', c.pre .. 'te', app) or '', '^%d+')
	if finish == '0' and known then
		redis.call('HDEL', c.pre .. 'te', app)
	elseif finish ~= '0' and finish ~= known then
		redis.call('HSET', c.pre .. 'te', app, finish .. ' ')
	end
	if finish ~= '0' or known then
		token_look(c, app)
	end
end
