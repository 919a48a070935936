-- Several accounts of one person (the setting `accounts`): where a limit counts people, they are one. All brokers read
-- the same, in the step in which they act:
--   pb   account -> the user name of the person behind it; of those alone who have several
--   lp   "GROUP NAME" -> that person's accounts whose memberships are wanted, one a line
--   ld   group -> memberships that are wanted and are not the first one of their person
-- What an account holds since before the setting named it is known when its membership is looked at after its next request.

-- Whose account it is by the policy under which something is asked for; '' = they have no other one.
local function note_person(c, p, name)
	if name == '' then
		redis.call('HDEL', c.pre .. 'pb', p)
	else
		redis.call('HSET', c.pre .. 'pb', p, name)
	end
end

-- The accounts of that person that have the group, or are about to.
local function accounts_in(c, g, name)
	local list = {}
	local text = name ~= '' and redis.call('HGET', c.pre .. 'lp', g .. ' ' .. name) or ''
	for p in string.gmatch(text or '', '[^\n]+') do
		list[#list + 1] = p
	end
	return list
end

local function list_account(c, g, name, p, live)
	local before, list = accounts_in(c, g, name), {}
	for _, other in ipairs(before) do
		if other ~= p then
			list[#list + 1] = other
		end
	end
	list[#list + 1] = live and p or nil
	if #list == 0 then
		redis.call('HDEL', c.pre .. 'lp', g .. ' ' .. name)
	else
		redis.call('HSET', c.pre .. 'lp', g .. ' ' .. name, table.concat(list, '\n'))
	end
	count_in(c, 'ld', g, math.max(#list - 1, 0) - math.max(#before - 1, 0))
end

-- Keeps under whose name the membership is listed (m.w); `live`: it is wanted.
local function list_under_person(c, m, live)
	local name = live and redis.call('HGET', c.pre .. 'pb', m.p) or nil
	if name ~= m.w then
		if m.w then
			list_account(c, m.g, m.w, m.p, false)
		end
		if name then
			list_account(c, m.g, name, m.p, true)
		end
		m.w = name
	end
end
