-- What a push that adds somebody has taught about the user.

-- The marks of its result: c the broker has created the user, l a creation has no answer, a the user is active again.
-- The user that is found after a creation without an answer is the broker's only where the push says so (c): somebody
-- else may have been quicker, and whose user it is decides about its end.
local function learn_user(c, m, result)
	local u, marks = get_user(c, m.ap, m.p), result.marks or ''
	local id = string.match(result.ids or '', '\n(.+)$')
	local function event(name)
		audit(c, name, { a = m.ap, g = m.g, p = m.p, u = user_name(c, m.p), b = 'broker' })
	end
	if string.find(marks, 'c', 1, true) then
		u.cb, u.cd, u.st, u.ia, u.gn, u.dt = c.now, nil, nil, nil, nil, nil
		user_changed(c, m.ap, 'created')
		event('user_created')
	elseif string.find(marks, 'l', 1, true) then
		u.cd = u.cd or c.now
	elseif id then
		-- Another user of this name is another one's.
		if u.id and u.id ~= id then
			u.cb, u.ia, u.dt = nil, nil, nil
		end
		u.cd = nil
		if u.gn then
			u.gn, u.dt = nil, nil
		end
	end
	if u.ia and string.find(marks, 'a', 1, true) then
		u.ia, u.dt = nil, nil
		event('user_reactivated')
	end
	u.id = id or u.id
	u.st = u.st or (result.verdict == 'standing' and not m.dr) or nil
	u.changed = true
end
