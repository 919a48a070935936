-- The one place where a request changes its state: by a row of the table in states.c.
--
-- A request, packed; times in Unix ms; what would say nothing is left out:
--   st  state            ac  action                ap  application       g   group           p   person
--   by  who asked, where it is not the person      h   hash of what was asked
--   c   created          a   asked start           s   start             e   end             d   asked duration
--   j   justification    tn  ts  ticket            cd  customData
--   cf  when confirmed   en  when closed           er  last error
--   ck  its time counts from the confirmation      bg  the glass was broken: no approval, at any hour
-- With an approval:
--   aw  how long a stage may wait                  ax  until when this one does
--   sg  the stage, from 1                          dc  the decisions
-- And pv ol lu how it may be lost (review.lua), gk gw the guard (guard.lua).

-- States in which access is wanted, as long as the end has not come.
local WANTS = { waiting = true, deferred = true, provisioning = true, in_force = true }
-- States of a request whose membership is to be removed.
local ENDS = { expiring = true, revoking = true }

local REVIEW_MS = 60000 -- who has a group that takes away is looked at so often

-- Given by an administrator, not asked for by the person.
local function is_assigned(r)
	return string.sub(r.ac or '', 1, 5) == 'admin'
end

-- A request of a person's own begins to want access, or does so no more (review.lua).
local function list_wanted(c, r, was)
	if WANTS[was] and not WANTS[r.st] then
		redis.call('ZREM', c.pre .. 'il:' .. r.g, r.id)
	elseif WANTS[r.st] and not WANTS[was] and not is_assigned(r) then
		r.pv = c.policies
		redis.call('ZADD', c.pre .. 'il:' .. r.g, 0, r.id)
		if r.ol then
			wake_review(c, r.g, math.min(c.now + REVIEW_MS, r.lu or c.now + REVIEW_MS))
		end
	end
end

local function can(r, event)
	return RULES[r.st][event] ~= nil
end

-- Moves the request by that event, does the rest of the row and writes the audit event, all in this step.
local function move(c, r, event, by)
	local row = RULES[r.st][event]
	if not row then
		error('no rule for ' .. r.st .. ' on ' .. event)
	end
	audit_move(c, r, event, row, by)
	local was = r.st
	r.st = row.to
	r.changed = true
	list_wanted(c, r, was)
	if row.ask then
		r.ax = c.now + r.aw
		at(c, 'a:' .. r.id, r.ax, r.ap)
		redis.call('ZADD', c.pre .. 'ia:', r.c, r.id)
	end
	if row.decided then
		off(c, 'a:' .. r.id, r.ap)
		redis.call('ZREM', c.pre .. 'ia:', r.id)
	end
	if row.at_start then
		at(c, 's:' .. r.id, r.s, r.ap)
	end
	if row.confirmed then
		if r.ck then
			r.e = c.now + r.d
			at(c, 'e:' .. r.id, r.e, r.ap)
		end
		r.cf = c.now
	end
	if row.at_end then
		if r.a then
			off(c, 's:' .. r.id, r.ap)
		end
		at(c, 'e:' .. r.id, r.e, r.ap)
	end
	if row.close then
		off(c, 's:' .. r.id, r.ap)
		off(c, 'e:' .. r.id, r.ap)
		r.en = c.now
		at(c, 'k:' .. r.id, c.now + c.keep, r.ap)
	end
	tell_row(c, r, row, was)
end

-- Forgets a closed request whose history is over, and with the last one of a person their names.
local function purge(c, id, app)
	off(c, 'k:' .. id, app)
	local r = get_request(c, id)
	if r and r.en then
		redis.call('DEL', c.pre .. 'r:' .. id)
		redis.call('ZREM', c.pre .. 'ip:' .. r.p, id)
		redis.call('ZREM', c.pre .. 'ig:' .. r.g, id)
		redis.call('ZREM', c.pre .. 'ib:' .. (r.by or ''), id)
		if redis.call('EXISTS', c.pre .. 'ip:' .. r.p, c.pre .. 'm:' .. r.g .. ':' .. r.p) == 0 then
			redis.call('DEL', c.pre .. 'u:' .. r.p)
			note_person(c, r.p, '')
			user_forget(c, r.ap, r.p)
		end
		c.requests[id] = nil
	end
end
