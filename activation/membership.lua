-- A membership follows its requests: what is desired now, what the application has, and what has to be done.

local function wanted(c, m)
	for _, r in ipairs(requests_of(c, m)) do
		if WANTS[r.st] and r.e > c.now then
			return true
		end
	end
	return false
end

-- The request that grants the membership longest, as of now; nil when none does.
local function granted_by(c, m)
	local longest
	for _, r in ipairs(requests_of(c, m)) do
		if WANTS[r.st] and r.e > c.now and (not longest or r.e > longest.e) then
			longest = r
		end
	end
	return longest
end

-- When the access that the application has, or may have, is to end as of now, Unix ms; 0 when it has none that is the
-- broker's to end. The brokers write it down beside Redis (broker/escrow/): of a standing member nothing is to be removed.
local function ends_at(c, m)
	if m.st or (m.s == 0 and not m.u) then
		return 0
	end
	local r = granted_by(c, m)
	return r and r.e or c.now
end

-- Moves each of the membership's requests in one of these states by that event.
local function move_all(c, m, states, event, by)
	for _, r in ipairs(requests_of(c, m)) do
		if states[r.st] then
			move(c, r, event, by)
		end
	end
end

-- Closed requests leave the membership.
local function prune(c, m)
	local open = {}
	for _, r in ipairs(requests_of(c, m)) do
		if not r.en then
			open[#open + 1] = r.id
		end
	end
	if #open ~= #m.r then
		m.r = open
		m.changed = true
	end
end

-- Confirmed by the application, or found there: every request that wants it is in force.
local function confirm(c, m)
	for _, r in ipairs(requests_of(c, m)) do
		if WANTS[r.st] and r.st ~= 'in_force' and r.e > c.now then
			move(c, r, 'confirm')
		end
	end
end

-- The membership is gone, or is wanted again. (What `x` counts keeps nobody's access from ending: count_in.)
local function no_removal(c, m)
	if m.x then
		m.x = nil
		redis.pcall('ZREM', c.pre .. 'x', m.g .. ':' .. m.p)
		off(c, 'o:' .. m.g .. ':' .. m.p, m.ap)
	end
end

-- Since when nothing grants it: the end that was found late was one all the same.
local function ended_at(c, m)
	local last
	for _, r in ipairs(requests_of(c, m)) do
		if ENDS[r.st] or WANTS[r.st] then
			last = math.max(last or 0, r.e)
		end
	end
	return math.min(last or c.now, c.now)
end

-- What is not wanted and may be there is access that outlives its end, until its removal is confirmed.
local function must_go(c, m)
	if not m.x then
		local since = ended_at(c, m)
		m.x = true
		redis.pcall('ZADD', c.pre .. 'x', since, m.g .. ':' .. m.p)
		if c.overdue > 0 then
			at(c, 'o:' .. m.g .. ':' .. m.p, since + c.overdue, m.ap)
		end
	end
end

-- Keeps the number of memberships of the group, and of the application, that are wanted. What nobody wants any more is
-- nothing that the guard could hold.
local function count_live(c, m, live)
	list_under_person(c, m, live)
	if live ~= (m.l or false) then
		m.l = live or nil
		count_in(c, 'lv', m.g, live and 1 or -1)
		count_in(c, 'la', m.ap, live and 1 or -1)
		if not live then
			redis.call('ZREM', c.pre .. 'gs:' .. m.ap, m.g .. ':' .. m.p)
		end
	end
end

-- Puts the membership where it belongs; `want`: something grants it now.
local function place(c, m, want, due)
	if m.u then
		-- A push is bringing what nobody wants any more; should its broker be dead, that stays for a while.
		if not want then
			must_go(c, m)
		end
		return
	end
	if want then
		move_all(c, m, ENDS, 'release')
		no_removal(c, m)
		if m.s == 1 then
			-- What a removal that is no longer wanted has met with is over, too.
			m.n, m.er = 0, nil
			dequeue(c, m)
			confirm(c, m)
		else
			local kind = 'd'
			for _, r in ipairs(requests_of(c, m)) do
				if r.st == 'waiting' then
					kind = (m.n > 0 or m.t) and 'r' or 'w'
				end
			end
			enqueue(c, m, kind, due)
		end
	elseif m.s == 0 or m.st then
		-- A standing member was one before, and is not ours to remove.
		m.s, m.st, m.nv, m.id, m.dr = 0, nil, nil, nil, nil
		dequeue(c, m)
		move_all(c, m, ENDS, 'release')
		no_removal(c, m)
	elseif m.fo then
		enqueue(c, m, 'f', due)
	else
		must_go(c, m)
		enqueue(c, m, 'x', due)
	end
	prune(c, m)
end

-- The same after anything about it has changed. While a push is under way nothing is done: its end settles it. `due`: not
-- before then. It is counted last: what fails before is done anew, and must not count twice.
local function settle(c, m, due)
	prune(c, m)
	m.changed = true
	local want = wanted(c, m)
	place(c, m, want, due)
	count_live(c, m, want)
end

-- Ends one request: `event` names the ending when nothing is left to remove, `event`_remove when there is. A
-- membership that another request grants stays; one that a push is bringing may be there, and so must go.
local function finish(c, r, event, by)
	local m = read_member(c, r.g, r.p, r.ap)
	local granted = false
	for _, other in ipairs(requests_of(c, m)) do
		if other.id ~= r.id and WANTS[other.st] and other.e > c.now then
			granted = true
		end
	end
	if granted or ((m.s == 0 or m.st) and not m.u) then
		if event == 'expire' and r.st ~= 'in_force' then
			event = 'lapse'
		end
		move(c, r, event, by)
	else
		move(c, r, event .. '_remove', by)
	end
	settle(c, m)
end
