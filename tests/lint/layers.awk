# Reads the rules, then the C files; see tests/lint/layers.
function exists(path,    line, found) {
	found = (getline line < path) >= 0
	close(path)
	return found
}

# The file that the compiler would take, seen from the top folder.
function resolve(from, name,    dir) {
	dir = from
	sub(/[^\/]*$/, "", dir)
	if (exists(dir name))
		return dir name
	return exists(name) ? name : "broker/" name
}

function allowed(list, path,    n, prefix, i) {
	n = split(list, prefix, " ")
	for (i = 1; i <= n; i++)
		if (index(path, prefix[i]) == 1)
			return 1
	return 0
}

FNR == NR {
	if ($0 !~ /^#/ && NF) {
		key = $1
		sub(/:$/, "", key)
		sub(/^[^ ]* */, "")
		rules[key] = $0
		if (key ~ /^\[/)
			closed[substr(key, 2, length(key) - 2)] = $0
	}
	next
}

FNR == 1 {
	own = ""
	for (key in rules)
		if (index(FILENAME, key) == 1 && length(key) > length(own))
			own = key
}

/^[ \t]*#[ \t]*include[ \t]*"/ {
	split($0, part, "\"")
	target = resolve(FILENAME, part[2])
	wrong = own == "" || (!allowed(rules[own], target) && index(target, own) != 1)
	for (folder in closed)
		wrong = wrong || (index(target, folder) == 1 && !allowed(closed[folder], FILENAME))
	if (wrong) {
		print FILENAME ":" FNR ": must not include " target
		bad = 1
	}
}

/^[ \t]*#[ \t]*include[ \t]*</ {
	match($0, /<[^>]*>/)
	header = substr($0, RSTART, RLENGTH)
	if (header in rules && !allowed(rules[header], FILENAME)) {
		print FILENAME ":" FNR ": must not include " header
		bad = 1
	}
}

END { exit bad }
