-- Who is no longer eligible loses what they have, in groups that say so. Who is eligible is policy, which brokers know;
-- here is kept which policies they go by, so that none of them takes away what a newer one grants.
--   il:GROUP   requests of people's own that want access now (sorted set, all scores 0)
--   pv         policies -> "SINCE LAST": since when, and when last, a broker has told that it goes by them (hash)
-- Policies are known by a digest. A request keeps those by which it was granted as pv; with ol, its group was one that
-- takes away, and lu is when the person's eligibility ends by these policies.

local POLICIES_KEPT_MS = 86400000

local function told_since(c, grace)
	local text = redis.call('HGET', c.pre .. 'pv', c.policies)
	local since, last = string.match(text or '', '^(%d+) (%d+)$')
	return since and tonumber(last) > c.now - grace and tonumber(since) or nil
end

-- jit_policies: this broker goes by the policies of ARGV[2]; to be told again and again. ARGV 3 after how long of
-- silence a broker's policies count no more, ms. Answers 'ok'.
local function jit_policies(keys, args)
	local c = context(keys, args)
	local grace = math.max(tonumber(args[3]), 1)
	local all = redis.call('HGETALL', c.pre .. 'pv')
	for i = 1, #all, 2 do
		if tonumber(string.match(all[i + 1], '%d+$')) <= c.now - POLICIES_KEPT_MS then
			redis.call('HDEL', c.pre .. 'pv', all[i])
		end
	end
	redis.call('HSET', c.pre .. 'pv', c.policies,
		string.format('%.0f %.0f', told_since(c, grace) or c.now, c.now))
	return answer(c, 'ok')
end

-- Are these policies, in use since then, those that granted the request, or were they taken up since? Others never end it.
local function know_it(c, r, since)
	return since and (r.pv == c.policies or since >= r.s)
end

-- Have no other policies been in use for as long as `grace`?
local function are_alone(c, since, grace)
	local all = redis.call('HGETALL', c.pre .. 'pv')
	for i = 1, #all, 2 do
		if all[i] ~= c.policies and tonumber(string.match(all[i + 1], '%d+$')) > c.now - grace then
			return false
		end
	end
	return since <= c.now - grace
end

-- jit_plan_review: the group is to be looked at. ARGV 3 group, 4 in how many ms. Answers 'ok'.
local function jit_plan_review(keys, args)
	local c = context(keys, args)
	wake_review(c, args[3], c.now + tonumber(args[4]))
	return answer(c, 'ok')
end

-- jit_review: who has the group by a request of their own. ARGV 3 group, 4 behind that request ('' = from the first),
-- 5 most. Answers {'ok', now, next, request ...}, each with its person and the digest of what is kept of them.
local function jit_review(keys, args)
	local c = context(keys, args)
	local from = args[4] == '' and '-' or '(' .. args[4]
	local out = {}
	for _, id in ipairs(redis.call('ZRANGE', c.pre .. 'il:' .. args[3], from, '+', 'BYLEX', 'LIMIT', 0, args[5])) do
		local r = get_request(c, id)
		local v = r and view(c, r) or {}
		local person = r and redis.call('GET', c.pre .. 'u:' .. r.p) or '{}'
		v[#v + 1], v[#v + 2] = 'person', person
		v[#v + 1], v[#v + 2] = 'pk', redis.sha1hex(person)
		out[#out + 1] = v
	end
	return { 'ok', c.now, 0, unpack(out) }
end

-- jit_reviewed: all of the group has been looked at. ARGV 3 group, 4 when it is to be looked at again, if anybody has it
-- then; 0 = after the usual time. Answers 'ok'.
local function jit_reviewed(keys, args)
	local c = context(keys, args)
	local due = tonumber(args[4])
	if redis.call('EXISTS', c.pre .. 'il:' .. args[3]) == 0 then
		off(c, 'v:' .. args[3])
	else
		at(c, 'v:' .. args[3], math.min(due > c.now and due or c.now + REVIEW_MS, c.now + REVIEW_MS))
	end
	return answer(c, 'ok')
end

-- jit_lose: by the policies of ARGV[2] the person is no longer eligible: what the request gives ends now.
-- ARGV 3 request id, 4 the digest of the person (jit_review), 5 grace, ms, 6 why, 7 the guard's terms (guard.lua).
-- Answers 'ok'; 'gone' it wants no access any more; 'changed' more is known of the person by now; 'kept' an
-- administrator has made them eligible, or has answered the guard so; 'disputed' other policies are in use, or granted
-- it and are newer; 'held' by the guard.
local function jit_lose(keys, args)
	local c = context(keys, args)
	local r = get_request(c, args[3])
	if not r or not WANTS[r.st] or is_assigned(r) then
		return answer(c, 'gone')
	elseif not r.bg and eligible_at(c, r.g, r.p, c.now) then
		return answer(c, 'kept')
	elseif redis.sha1hex(redis.call('GET', c.pre .. 'u:' .. r.p) or '{}') ~= args[4] then
		return answer(c, 'changed')
	end
	local grace = tonumber(args[5])
	local since = told_since(c, math.max(grace, 1))
	local guarded = know_it(c, r, since) and guard_concerns(c, r)
	if guarded and r.gk then
		return answer(c, 'kept')
	elseif guarded then
		guard_count(c, r, grace)
	end
	if not know_it(c, r, since) or not are_alone(c, since, grace) then
		return answer(c, 'disputed')
	elseif guarded and not guard_lets(c, r, args[7]) then
		return answer(c, 'held')
	end
	r.er, c.why = args[6], args[6]
	finish(c, r, 'revoke', 'policy')
	return answer(c, 'ok')
end
