# Joins the .lua files of the Redis function library, in their order. Lua allows 200 local names in one chunk: what a
# file keeps to itself is put out of the others' sight by a block of its own, and what a later file uses is declared
# before the block; the functions that brokers call, which are many, are put into one table. The files stay plain Lua, and line
# numbers within a file stay what they are.

# The names that a line at a file's outermost level declares: "local function x(", "local x, y = …". How many.
function declared(line, names)
{
	if (line ~ /^local function /) {
		sub(/^local function /, "", line)
		sub(/\(.*/, "", line)
	} else if (line ~ /^local [A-Za-z_]/) {
		sub(/^local /, "", line)
		sub(/ *=.*/, "", line)
		sub(/ *--.*/, "", line)
	} else {
		return 0
	}
	return split(line, names, / *, */)
}

FNR == 1 { file++ }

{
	lines[file, FNR] = $0
	length_of[file] = FNR
	for (i = declared($0, names); i > 0; i--)
		home[names[i]] = file
	text = $0
	sub(/--.*/, "", text)
	while (match(text, /[A-Za-z_][A-Za-z0-9_]*/)) {
		last_use[substr(text, RSTART, RLENGTH)] = file
		text = substr(text, RSTART + RLENGTH)
	}
}

# The line, with each name jit_… but those in quotes as a field of the table.
function in_table(line,    out)
{
	if (line ~ /^--/)
		return line
	while (match(line, /[^'A-Za-z0-9_.]jit_[a-z_]+/)) {
		out = out substr(line, 1, RSTART) "FUNCTIONS." substr(line, RSTART + 1, RLENGTH - 1)
		line = substr(line, RSTART + RLENGTH)
	}
	out = out line
	if (out ~ /^local (function )?FUNCTIONS\./)
		sub(/^local /, "", out)
	return out
}

function is_shared(line, names,    i)
{
	for (i = declared(line, names); i > 0; i--)
		if (last_use[names[i]] > home[names[i]])
			return 1
	return 0
}

END {
	if (lines[1, 1] ~ /^#!/) {
		print lines[1, 1]
		lines[1, 1] = ""
	}
	for (f = 1; f <= file; f++) {
		list = f == 1 ? "local FUNCTIONS = {}; " : ""
		declares = 0
		for (n = 1; n <= length_of[f]; n++) {
			lines[f, n] = in_table(lines[f, n])
			if (is_shared(lines[f, n], names)) {
				count = declared(lines[f, n], names)
				for (i = 1; i <= count; i++)
					list = list (declares++ == 0 ? "local " : ", ") names[i]
				sub(/^local /, "", lines[f, n])
			}
		}
		print list " do"
		for (n = 1; n <= length_of[f]; n++)
			print lines[f, n]
		print "end"
	}
}
