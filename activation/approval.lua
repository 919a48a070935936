-- Approvals: who may decide is policy, which the broker has looked at; here a decision counts once.

-- All user names of the one who decides, by which somebody is the same person.
local function names_of(args)
	local names = { [string.lower(args[9])] = true }
	for _, name in ipairs(cjson.decode(args[16] or '[]')) do
		names[string.lower(name)] = true
	end
	return names
end

-- One person may be known by an id here and by their name there, and have several of these; any makes them the same.
local function decision_of(r, stage, who, names)
	for _, d in ipairs(r.dc or {}) do
		if d.sg == stage and (d.by == who or names[string.lower(d.name)]) then
			return d
		end
	end
end

local function approvals_in(r, stage)
	local n = 0
	for _, d in ipairs(r.dc) do
		if d.sg == stage then
			n = n + 1
		end
	end
	return n
end

-- All stages are approved: the request is granted as of now, inside its limits, unless policy is against it (`why`).
-- Returns the order, or nil and the word for what keeps it from being granted.
local function grant_approved(c, t, r, push_id, by, limits, why)
	local m = get_member(c, r.g, r.p, r.ap)
	if why ~= '' then
		r.er = why
		move(c, r, 'refuse')
		settle(c, m)
		return nil, 'policy'
	end
	set_times(c, t, r)
	if r.e <= r.s then
		r.er = 'The time that was asked for was over when it was approved.'
		move(c, r, 'lapse')
		settle(c, m)
		return nil, 'past'
	end
	note_account(c, r, limits)
	local word = r.s <= c.now and exceeds(c, limits, r)
	if word then
		r.er = LIMIT_WORDS[word]
		move(c, r, 'refuse')
		settle(c, m)
		return nil, word
	end
	return grant(c, t, r, m, limits, push_id, by)
end

-- The decision that this webhook brought when it was received before: it stands, whatever has become of the request
-- since.
local function decided_by_message(r, message)
	for _, d in ipairs(r.dc or {}) do
		if message ~= '' and d.wid == message then
			return d
		end
	end
end

-- What a webhook was refused with: policy may be another one when it comes again, but the message says what it said. Who
-- sends it may try for days, each time with a new time stamp; a request may wait longer than that.
local REFUSED_MESSAGE_MS = 7 * 24 * 3600 * 1000

local function refused_key(c, message)
	return c.pre .. 'wr:' .. message
end

-- How long that is kept.
local function refused_ms(c, r)
	local waits = r and r.st == 'awaiting' and r.ax - c.now or 0
	return math.max(REFUSED_MESSAGE_MS, waits)
end

local function was_refused(c, message)
	return message ~= '' and redis.call('EXISTS', refused_key(c, message)) == 1
end

-- jit_refuse: policy no longer allows a scheduled request at its start.
-- ARGV 3 request id, 4 why. Answers 'ok', or 'gone' when it has left that state.
local function jit_refuse(keys, args)
	local c = context(keys, args)
	local r = get_request(c, args[3])
	if not r or r.st ~= 'scheduled' then
		return answer(c, 'gone')
	end
	r.er = args[4]
	move(c, r, 'refuse')
	settle(c, get_member(c, r.g, r.p, r.ap))
	return answer(c, 'ok')
end

-- jit_message_refused: a webhook about that request was refused.
-- ARGV 3 request id, 4 id of the webhook, 5 Approve|Deny, 6 what it was refused with. Answers {word, now, next, text}:
-- 'refused' with what it was refused with first, or 'ok' when it has decided before.
local function jit_message_refused(keys, args)
	local c = context(keys, args)
	local r = get_request(c, args[3])
	local before = r and decided_by_message(r, args[4])
	if before and before.res == args[5] and not before.no then
		return answer(c, 'ok', '')
	end
	local key = refused_key(c, args[4])
	redis.call('SET', key, args[6], 'NX', 'PX', string.format('%.0f', refused_ms(c, r)))
	return answer(c, 'refused', redis.call('GET', key) or args[6])
end

-- jit_decide: an approver's word on a stage. Deny ends the request; Approve counts towards the stage.
-- ARGV 3 terms, 4 request id, 5 push id, 6 limits, 7 stage (from 1), 8 who decides, 9 their name, 10 Approve|Deny,
-- 11 why, 12 approvals that the stage needs, 13 number of stages, 14 how long the next stage may wait, ms, 15 id of the
-- webhook that brought it or '', 16 all user names of the person who decides (a JSON array), 17 what policy has against
-- it by now, or '': that ends it with the last approval, as those before may come at an hour that it does not allow.
-- Answers {word, now, next, request, order or '', end (ends_at, where no push will say it)}: 'ok', or 'policy', 'past', 'full',
-- 'excluded', 'ineligible' where it was the last one and nothing could be granted (each also when the same person or
-- message says the same again),
-- 'decided' somebody was faster, or it is not awaited any more; 'own' nobody decides their own request; 'refused'
-- the webhook was refused when it came first; 'none'.
local function jit_decide(keys, args)
	local c = context(keys, args)
	local t = read_terms(args[3])
	local r = get_request(c, args[4])
	if not r or not r.dc then
		return answer(c, 'none', '', '')
	end
	local names = names_of(args)
	if r.p == args[8] or r.by == args[8] or names[string.lower(user_name(c, r.p))] then
		return answer(c, 'own', '', '')
	end
	local stage = tonumber(args[7])
	local before = decided_by_message(r, args[15] or '')
	if not before and was_refused(c, args[15] or '') then
		return answer(c, 'refused', view(c, r), '')
	end
	before = before or decision_of(r, stage, args[8], names)
	if before then
		local push = get_push(c, args[5])
		return answer(c, before.res == args[10] and (before.no or 'ok') or 'decided', view(c, r),
			push and push_order(c, args[5], push) or '')
	end
	if r.st ~= 'awaiting' or r.sg ~= stage or r.ax <= c.now then
		return answer(c, 'decided', view(c, r), '')
	end
	local said = { sg = stage, by = args[8], name = args[9], res = args[10], at = c.now, why = args[11],
		wid = args[15] ~= '' and args[15] or nil }
	r.dc[#r.dc + 1] = said
	r.changed = true
	c.why = args[11]
	local order
	if args[10] == 'Deny' then
		r.er = 'Denied by ' .. args[9] .. '.'
		move(c, r, 'deny', args[8])
		settle(c, get_member(c, r.g, r.p, r.ap))
	elseif approvals_in(r, stage) < tonumber(args[12]) then
		move(c, r, 'approve', args[8])
	elseif stage < tonumber(args[13]) then
		r.sg = stage + 1
		r.ax = c.now + tonumber(args[14])
		move(c, r, 'approve', args[8])
		at(c, 'a:' .. r.id, r.ax, r.ap)
	else
		-- What it brings has events of its own; that this approval was the last one, and whose, is one more.
		audit_move(c, r, 'approve', RULES.awaiting.approve, args[8])
		order, said.no = grant_approved(c, t, r, args[5], args[8], read_limits(args[6]), args[17] or '')
	end
	return answer(c, said.no or 'ok', view(c, r), order or '', order and 0 or ends_at(c, get_member(c, r.g, r.p, r.ap)))
end
