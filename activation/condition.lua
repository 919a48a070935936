-- What keeps an application from being given anybody new: an operator's pause, and quarantine, in which an
-- application is that keeps failing. Removals go on in both, unless the pause says otherwise. All brokers read the
-- same hash h:APP in the step in which they act, so all follow at once:
--   paused       since when;             rest: removals rest as well (1)
--   quarantined  since when;             why: unauthorised, alien (it does not speak SCIM) or failing
--   text         what it said last;      trials: cycles that have tried it since
--   failed, passed  pushes since `first`;    row: those that failed in a row
--   hold         nothing that failed is tried again before that; removals have their own pauses

local HOLD_MOST = 60000

local function condition(c, app)
	local h = c.conditions[app]
	if not h then
		local v = redis.call('HMGET', c.pre .. 'h:' .. app, 'paused', 'rest', 'quarantined', 'why', 'text', 'trials',
			'hold', 'failed', 'passed', 'first')
		local test = redis.call('HMGET', c.pre .. 'pv:' .. app, 'needs', 'proof')
		h = { paused = v[1] and tonumber(v[1]), rest = v[2] == '1', quarantined = v[3] and tonumber(v[3]),
			why = v[4] or '', text = v[5] or '', trials = tonumber(v[6] or '0'), hold = tonumber(v[7] or '0'),
			failed = tonumber(v[8] or '0'), passed = tonumber(v[9] or '0'), first = tonumber(v[10] or '0') }
		h.unproved = test[1] and test[1] ~= '' and test[1] ~= test[2]
		c.conditions[app] = h
	end
	return h
end

-- Writes name, value pairs; what the call has read before is read again.
local function condition_set(c, app, ...)
	redis.call('HSET', c.pre .. 'h:' .. app, ...)
	c.conditions[app] = nil
end

local function condition_clear(c, app, ...)
	redis.call('HDEL', c.pre .. 'h:' .. app, ...)
	c.conditions[app] = nil
end

local function takes_additions(c, app)
	local h = condition(c, app)
	return not h.paused and not h.quarantined and not h.unproved
end

-- Why nobody is added now, for those who wait for it; nil when that is not so.
local function closed_words(c, app)
	local h = condition(c, app)
	if h.unproved then
		return 'The application has not passed Test Connection with its present settings.'
	elseif h.paused then
		return 'An operator has paused provisioning of this application.'
	elseif h.quarantined then
		return 'The application is in quarantine: ' .. h.text
	end
end

-- The audit event of something that happened to an application and not to one request.
local function app_event(c, app, event, by, words)
	audit(c, event, { a = app, b = by, y = words })
end

local function quarantine_enter(c, t, why, text)
	condition_set(c, t.app, 'quarantined', c.now, 'why', why, 'text', text, 'trials', 0)
	app_event(c, t.app, 'quarantine', 'broker', why .. ': ' .. text)
	tell(c, 'application.quarantined', { ap = t.app, er = text })
	wake(c, t.app, c.now)
end

-- What was kept back is not kept waiting: the next cycle begins at once.
local function quarantine_leave(c, t, by)
	condition_clear(c, t.app, 'quarantined', 'why', 'text', 'trials', 'failed', 'passed', 'first', 'row', 'hold')
	app_event(c, t.app, 'quarantine_over', by, '')
	redis.call('HSET', c.pre .. 'c:' .. t.app, 'next', c.now)
	at(c, 'c:' .. t.app, c.now)
	wake(c, t.app, c.now)
end

local function learn_success(c, t, h)
	if h.quarantined then
		quarantine_leave(c, t, 'application')
	elseif h.failed > 0 and c.now - h.first > t.cycle then
		condition_clear(c, t.app, 'failed', 'passed', 'first', 'row', 'hold')
	elseif h.failed > 0 then
		condition_clear(c, t.app, 'row', 'hold')
		condition_set(c, t.app, 'passed', h.passed + 1)
	end
end

local function learn_failure(c, t, h, why, chance, text)
	local row = redis.call('HINCRBY', c.pre .. 'h:' .. t.app, 'row', 1)
	local hold = math.floor(math.min(HOLD_MOST, 1000 * 2 ^ (row - 1)) * chance)
	local fresh = h.failed == 0 or (h.passed > 0 and c.now - h.first > t.cycle)
	local failed, passed = fresh and 1 or h.failed + 1, fresh and 0 or h.passed
	condition_set(c, t.app, 'failed', failed, 'passed', passed, 'first', fresh and c.now or h.first, 'hold',
		c.now + hold)
	local at_once = why ~= 'failing'
	if h.quarantined then
		if at_once and why ~= h.why then
			condition_set(c, t.app, 'why', why, 'text', text)
			app_event(c, t.app, 'quarantine', 'broker', why .. ': ' .. text)
			tell(c, 'application.quarantined', { ap = t.app, er = text })
		end
	elseif at_once or (failed >= t.quarantine_failures and failed * 100 > t.quarantine_share * (failed + passed)) then
		quarantine_enter(c, t, why, text)
	end
end

-- What a push has taught about the application's health: "ok", "failing", "unauthorised", "alien", or "" when it says
-- nothing (throttled, nothing sent). `chance` is from 0 to 1.
local function learn(c, t, health, chance, text)
	local h = condition(c, t.app)
	if health == 'ok' then
		learn_success(c, t, h)
	elseif health ~= '' then
		learn_failure(c, t, h, health, chance, text)
	end
end

-- In quarantine cycles come less and less often, down to what the terms say.
local function quarantine_pause(c, t)
	local h = condition(c, t.app)
	condition_set(c, t.app, 'trials', h.trials + 1)
	return math.min(t.cycle * 2 ^ h.trials, math.max(t.quarantine_slowest, t.cycle))
end

-- jit_operate: an operator's word about an application.
-- ARGV 3 terms, 4 pause | pause_all (removals rest as well) | resume | restart (clears quarantine and pause, and begins
-- a cycle at once). Answers 'ok', or 'same' when it was so already.
local function jit_operate(keys, args)
	local c = context(keys, args)
	local t = read_terms(args[3])
	local h = condition(c, t.app)
	local what = args[4]
	if what == 'pause' or what == 'pause_all' then
		local rest = what == 'pause_all'
		if h.paused and h.rest == rest then
			return answer(c, 'same')
		end
		condition_set(c, t.app, 'paused', h.paused or c.now, 'rest', rest and 1 or 0)
	elseif what == 'resume' then
		if not h.paused then
			return answer(c, 'same')
		end
		condition_clear(c, t.app, 'paused', 'rest')
	else
		redis.call('DEL', c.pre .. 'h:' .. t.app)
		c.conditions[t.app] = nil
		redis.call('HSET', c.pre .. 'c:' .. t.app, 'next', c.now)
		at(c, 'c:' .. t.app, c.now)
	end
	app_event(c, t.app, what, 'operator', '')
	wake(c, t.app, c.now)
	return answer(c, 'ok')
end
