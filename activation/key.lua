-- What was asked under a caller's Idempotency-Key. The same key is the same request again, from its first use on, and for
-- a day after its last one; what was done under it is answered as it was then. The keys are in the lane of their own
-- hash, so that the same one is found whatever lane it is about:
--   ik:NAME   h digest of what was asked; s, b status and body of the answer; o, u who does it now, and until when nobody
--             else does (a broker that dies leaves that to pass)

local KEY_MS = 24 * 3600 * 1000

local function get_key(c, name)
	local raw = redis.call('GET', c.pre .. 'ik:' .. name)
	return raw and cmsgpack.unpack(raw)
end

local function set_key(c, name, key)
	redis.call('SET', c.pre .. 'ik:' .. name, cmsgpack.pack(key), 'PX', KEY_MS)
end

-- jit_key_take: somebody is about to do what is asked under a key.
-- ARGV 3 name of the key, 4 digest, 5 who, 6 how long nobody else may do it meanwhile, ms; 0 = what is asked can be
-- repeated by itself. Answers {word, now, next, status, body}: 'ok' do it, 'same' it was done, and answered with that; 'reused'
-- something else was asked under the key; 'busy' somebody else is doing it.
local function jit_key_take(keys, args)
	local c = context(keys, args)
	local key = get_key(c, args[3])
	local lease = tonumber(args[6])
	if key and key.h ~= args[4] then
		return answer(c, 'reused')
	elseif key and key.s then
		return answer(c, 'same', key.s, key.b)
	elseif key and key.u and key.u > c.now and key.o ~= args[5] then
		return answer(c, 'busy')
	end
	set_key(c, args[3], lease > 0 and { h = args[4], o = args[5], u = c.now + lease } or { h = args[4] })
	return answer(c, 'ok')
end

-- jit_key_end: what came of it. ARGV 3 name of the key, 4 who took it, 5 status of the answer, 6 its body; status '' =
-- nothing was done, and somebody may do it again. Answers 'ok', or 'gone' when it is no longer theirs.
local function jit_key_end(keys, args)
	local c = context(keys, args)
	local key = get_key(c, args[3])
	if not key or key.o ~= args[4] then
		return answer(c, 'gone')
	end
	set_key(c, args[3], { h = key.h, s = tonumber(args[5]), b = args[5] ~= '' and args[6] or nil })
	return answer(c, 'ok')
end
