-- Test Connection: the tokens that its changes need, and what it has proved. An application whose configuration wants
-- a test is switched on only when one has passed with the present settings: until then nothing is pushed, not even
-- removals, because the wrong form of a removal may empty the whole group. pv:APP (hash): needs (what has to be
-- proved; the fingerprint of address and form), proof (what has been), at (when).

-- jit_test_take: a token for one change. ARGV 3 terms, 4 an id for it. Answers 'ok', or 'wait' when none is free.
local function jit_test_take(keys, args)
	local c = context(keys, args)
	local t = read_terms(args[3])
	if not token_for_activation(c, t) then
		return answer(c, 'wait')
	end
	bucket_take(c, t, args[4])
	return answer(c, 'ok')
end

-- jit_test_end: that change is over. ARGV 3 terms, 4 its id. Answers 'ok'.
local function jit_test_end(keys, args)
	local c = context(keys, args)
	bucket_return(c, read_terms(args[3]), args[4])
	return answer(c, 'ok')
end

-- jit_test_passed: the application is proved to take this form. ARGV 3 terms, 4 fingerprint. Answers 'ok'.
local function jit_test_passed(keys, args)
	local c = context(keys, args)
	local t = read_terms(args[3])
	redis.call('HSET', c.pre .. 'pv:' .. t.app, 'proof', args[4], 'at', c.now)
	c.conditions[t.app] = nil
	app_event(c, t.app, 'test_passed', 'operator', '')
	wake(c, t.app, c.now)
	return answer(c, 'ok')
end
