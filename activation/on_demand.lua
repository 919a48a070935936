-- jit_provision: one membership is pushed now because an operator wants to see how that goes. It is made what is
-- desired, and grants nothing; it takes a token as any other, and is allowed in quarantine, because its success ends that.
-- ARGV 3 terms, 4 id for the push, 5 group, 6 person. Answers {'push', now, next, order}, or with a number behind
-- {'throttled', now, next, when a token will be free}, 'busy' (a push is under way for it, or addition_waits),
-- 'paused', 'unproved' (Test Connection has not passed), or 'nothing' (nothing
-- is desired and nothing was given: who is there otherwise is left alone).
local function jit_provision(keys, args)
	local c = context(keys, args)
	local t = read_terms(args[3])
	local id, g, p = args[4], args[5], args[6]
	local under_way = get_push(c, id)
	if under_way then
		return answer(c, 'push', push_order(c, id, under_way))
	end
	local m = get_member(c, g, p, t.app)
	local want, h = wanted(c, m), condition(c, t.app)
	if m.u or (want and addition_waits(c, m)) then
		return answer(c, 'busy', 0)
	elseif not want and m.s == 0 then
		return answer(c, 'nothing', 0)
	elseif h.unproved then
		return answer(c, 'unproved', 0)
	elseif h.paused and (want or h.rest) then
		return answer(c, 'paused', 0)
	end
	local free = bucket_free(c, t)
	if free < 1 or (want and not token_for_activation(c, t)) then
		return answer(c, 'throttled', bucket_when(c, t, 1))
	end
	audit(c, 'provision', { a = t.app, g = g, p = p, u = user_name(c, p), b = 'operator' })
	return answer(c, 'push', push_begin(c, t, id, want and 'add' or 'remove', g, { m }, nil, true))
end
