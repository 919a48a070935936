-- What every function starts from: the lane's key prefix, Redis' clock, records, and the timetable.
--
-- Keys of a lane, all behind its hash tag {jN}: (KEYS[1] of every function):
--   tt                   timetable: sorted set, entry -> due, Unix ms; x:APP, y:APP: when the first of the application's
--                        own entries is due, which are in
--   tx:APP ty:APP        its ends (e), and all else that it may have a million of (s k a w o l); apart, so that one
--                        application's herd keeps nobody else waiting, nor its own ends (timetable.lua)
--                          s:REQUEST start   e:REQUEST end   p:PUSH its broker may have died
--                          u:seal u:export of the audit (audit.lua)
--                          q:APP waiting work and a token   c:APP next cycle   k:REQUEST end of its history
--                          v:GROUP who has it is looked at (review.lua)   g:APP is anything still held (guard.lua)
--                          t:APP its token's end is near (token.lua)
--                          a:REQUEST its approval runs out   w:REQUEST its end is near
--                          l:ELIGIBILITY its end, then that of its history
--                          o:GROUP:PERSON its removal is overdue   n: the outbox   d:TARGET deliveries (notices.lua)
--   r:REQUEST            one request          m:GROUP:PERSON    one membership       u:PERSON  names for SCIM
--   gn:GROUP gi:GROUP    the group's name and id in the application
--   us:APP:PERSON uq:APP ul:APP uc:APP  persons as users of the application (user.lua)
--   pv:APP    (hash)     what Test Connection has to prove, and has proved (connection_test.lua)
--   push:PUSH            a push under way     c:APP   (hash)    the cycle            audit…     (audit.lua)
--   b:APP bc:APP         the bucket (throttle/bucket.lua)
--   x r w d f :GROUP, xg rg wg dg fg dq :APP, x  queues (queue.lua)
--   mu: gu lk gone: fr: fn: fa: fp: fw:  what the drift check compares (drift.lua)
--   ip:PERSON ig:GROUP   indexes: request -> created, Unix ms; ia: those that wait for an approver;
--                        ib:PERSON those that somebody made for others
--   er:ELIGIBILITY       one eligibility (eligibility.lua)   el:GROUP:PERSON  those that are not closed
--   ep: eg: eb:          their indexes
--   h:APP                what keeps it from being pushed to (condition.lua)
--   l:APP  (stream)      its provisioning log      ch:APP (list)  its last cycles
--   aw                   applications that no broker knows (unknown.lua)
--   lv la                group, application -> memberships that are wanted now (hashes)
--   ik:KEY               what was asked and answered under an Idempotency-Key (key.lua)
--   sa                   what is set aside because it cannot be worked on (aside.lua)
--   pb lp ld             who has several accounts, and what those have (account.lua)
--   gs: gl: :APP, gh     what the guard counts and holds (guard.lua)   te  when tokens end (token.lua)
--
-- Every function that writes takes  ARGV[1] now, Unix ms; 0 = Redis' TIME (only tests pass another); behind it, where
--                                   somebody wants to be told: "NOW BEFORE OVERDUE |KIND|KIND|", how long before its
--                                   end an activation is near it, after how long a removal is overdue (ms; 0 = never)
--                                   ARGV[2] "KEEP_MS:POLICIES ACTOR": how long ended requests are kept, ms, by which
--                                           policies the broker goes (review.lua), and who asks (JSON,
--                                           activation/actor.h; "" = the broker itself)
-- and answers {word, now, due time of the timetable's first entry or 0, ...}. All are harmless when repeated.

local function context(keys, args)
	local now, before, overdue, kinds = string.match(args[1], '^(%d+) ?(%d*) ?(%d*) ?(.*)$')
	now = tonumber(now) or 0
	if now == 0 then
		local t = redis.call('TIME')
		now = t[1] * 1000 + math.floor(t[2] / 1000)
	end
	local keep, policies, actor = string.match(args[2] or '', '^(%d+):?(%w*) ?(.*)$')
	return { pre = keys[1], now = now, keep = tonumber(keep) or 0, actor = actor or '', policies = policies or '',
		requests = {}, members = {}, own = {}, users = {}, names = {}, conditions = {}, failed = {}, before = tonumber(before) or 0,
		overdue = tonumber(overdue) or 0, kinds = kinds or '' }
end

-- The terms of an application, as one argument:
-- "ID pushes per_ms reserve wait_ms cycle_ms cycle_phase_ms batch deadline_ms lease_ms
-- quarantine_failures quarantine_share log_keep_ms log_most quarantine_slowest_ms"; the last five may be left out
local function read_terms(text)
	local f = {}
	for word in string.gmatch(text, '%S+') do
		f[#f + 1] = word
	end
	return { app = f[1], limit = tonumber(f[2]), window = tonumber(f[3]), reserve = tonumber(f[4]),
		wait = tonumber(f[5]), cycle = tonumber(f[6]), phase = tonumber(f[7]), batch = tonumber(f[8]),
		deadline = tonumber(f[9]), lease = tonumber(f[10]), quarantine_failures = tonumber(f[11] or '50'),
		quarantine_share = tonumber(f[12] or '40'), log_keep = tonumber(f[13] or '2592000000'),
		log_most = tonumber(f[14] or '10000'), quarantine_slowest = tonumber(f[15] or '86400000') }
end

-- Entries of the timetable that stand for an application's own ones.
local OWN = { x = true, y = true }

-- Where that entry stands: among the application's own ones, or with `app` nil in the timetable itself.
local function timetable_of(c, entry, app)
	if not app then
		return c.pre .. 'tt'
	end
	local own = (entry:sub(1, 1) == 'e' and 'x:' or 'y:') .. app
	c.own[own] = c.own[own] or 'LT'
	return c.pre .. 't' .. own
end

local function at(c, entry, due, app)
	redis.call('ZADD', timetable_of(c, entry, app), due, entry)
end

local function off(c, entry, app)
	redis.call('ZREM', timetable_of(c, entry, app), entry)
end

-- Keeps in the timetable when each application's own entries are due. What is due keeps its place in line; what was
-- served ('XX') and is due still goes behind the others.
local function settle_own(c)
	for own, how in pairs(c.own) do
		local first = redis.call('ZRANGE', c.pre .. 't' .. own, 0, 0, 'WITHSCORES')
		if not first[1] then
			redis.call('ZREM', c.pre .. 'tt', own)
		elseif tonumber(first[2]) > c.now then
			redis.call('ZADD', c.pre .. 'tt', first[2], own)
		else
			redis.call('ZADD', c.pre .. 'tt', how, c.now, own)
		end
	end
	c.own = {}
end

-- Look at `due`, or earlier if that is planned already, whether who has the group is still eligible (review.lua).
local function wake_review(c, g, due)
	redis.call('ZADD', c.pre .. 'tt', 'LT', due, 'v:' .. g)
end

-- Look at the application again at `due`, or earlier if that is planned already.
local function wake(c, app, due)
	redis.call('ZADD', c.pre .. 'tt', 'LT', due, 'q:' .. app)
end

-- Records are read once and written once in a call, so that a request that is reached by two ways is one table.

local function get_request(c, id)
	local r = c.requests[id]
	if r == nil then
		local raw = redis.call('GET', c.pre .. 'r:' .. id)
		r = raw and cmsgpack.unpack(raw) or false
		if r then
			r.id, r.by = id, r.by or r.p
		end
		c.requests[id] = r
	end
	return r or nil
end

-- The id that the application gave to whom this membership is about; nil = not known.
local function user_of(m)
	return string.match(m.id or '', '\n(.+)$')
end

-- A membership, packed; what would say nothing is left out:
--   ap  application                               r   ids of its requests that are not closed
--   s   what the application has: 0 absent, 1 present, 2 not known
--   u   the push that is under way for it         q   the queue it waits in
--   x   it is to be removed                       l   it counts as live
--   t   a token was found for it                  b   the most that may share a push with it since one was refused
--   id  how the application knows group and person (opaque)
--   n   failed pushes in a row                    er  what the application said last
--   nv  accepted but not verified                 st  a standing member, whom the broker did not make one
--   cu  it counts for its user (user.lua)         w   under whose name it is listed (account.lua)
--   k un lk dr fo  (drift.lua)
local function get_member(c, g, p, app)
	local key = 'm:' .. g .. ':' .. p
	local m = c.members[key]
	if m == nil then
		local raw = redis.call('GET', c.pre .. key)
		m = raw and cmsgpack.unpack(raw) or { ap = app, r = {}, s = 0, n = 0 }
		m.g, m.p = g, p
		m.indexed = m.k and user_of(m)
		c.members[key] = m
	end
	return m
end

-- The requests of a membership, oldest first.
local function requests_of(c, m)
	local list = {}
	for i = 1, #m.r do
		list[i] = get_request(c, m.r[i])
	end
	return list
end

-- Most people ask for themselves: that is not written down.
local function write_request(c, r)
	local id, by = r.id, r.by
	r.id, r.by = nil, by ~= r.p and by or nil
	redis.call('SET', c.pre .. 'r:' .. id, cmsgpack.pack(r))
	r.id, r.by = id, by
end

-- Adds to a number in a hash, which has no zeros. Where the hash cannot be read those who look into it are stopped by that;
-- nothing that is only counted keeps access from ending.
local function count_in(c, hash, name, more)
	if redis.pcall('HINCRBY', c.pre .. hash, name, more) == 0 then
		redis.call('HDEL', c.pre .. hash, name)
	end
end

-- Who may be in the group in the application, for comparing (drift.lua): under which id, where it is known, and how many
-- under one that is not; and of how many who are wanted that can be said at all.
local function index_member(c, m)
	local there = m.s ~= 0 or m.u
	local user = m.s ~= 0 and user_of(m) or nil
	local unknown = there and not user_of(m) or nil
	if user ~= m.indexed then
		local key = c.pre .. 'mu:' .. m.g
		if m.indexed and redis.call('HGET', key, m.indexed) == m.p then
			redis.call('HDEL', key, m.indexed)
		end
		if user then
			redis.call('HSET', key, user, m.p)
		end
		m.indexed, m.k = user, user and true
	end
	if unknown ~= m.un then
		m.un = unknown
		count_in(c, 'gu', m.g, unknown and 1 or -1)
	end
	if m.l ~= m.lk then
		m.lk = m.l
		count_in(c, 'lk', m.g, m.l and 1 or -1)
	end
end

local function write_member(c, m)
	local key = c.pre .. 'm:' .. m.g .. ':' .. m.p
	local there = #m.r > 0 or m.s ~= 0 or (m.u or m.q) ~= nil
	if there ~= (m.cu or false) and not m.fo then
		user_count(c, m, there)
		m.cu = there or nil
	end
	index_member(c, m)
	if not there then
		redis.call('DEL', key)
	else
		redis.call('SET', key, cmsgpack.pack({
			ap = m.ap, r = m.r, s = m.s, u = m.u, q = m.q, x = m.x, l = m.l, t = m.t, b = m.b, id = m.id,
			n = m.n, er = m.er, nv = m.nv, st = m.st, k = m.k, un = m.un, lk = m.lk, dr = m.dr, fo = m.fo,
			cu = m.cu, w = m.w
		}))
	end
end

-- Writes what the call has changed. The requests last: what fails before has left them as they were, and is done anew.
local function write_records(c)
	for _, m in pairs(c.members) do
		if m.changed then
			m.changed = nil
			write_member(c, m)
		end
	end
	for _, u in pairs(c.users) do
		if u.changed then
			u.changed = nil
			write_user(c, u)
		end
	end
	for _, r in pairs(c.requests) do
		if r and r.changed then
			r.changed = nil
			write_request(c, r)
		end
	end
end

-- Writes what the call has changed and gives the answer.
local function answer(c, word, ...)
	write_records(c)
	settle_own(c)
	local first = redis.call('ZRANGE', c.pre .. 'tt', 0, 0, 'WITHSCORES')
	return { word, c.now, first[2] and tonumber(first[2]) or 0, ... }
end
