# shellcheck shell=bash
# Completion of jit for bash; the words come from the command itself.
_jit() {
	local word=${COMP_WORDS[COMP_CWORD]} words
	if ((COMP_CWORD == 1)); then
		words=$(jit --complete 2>/dev/null)
	elif [[ $word == -* ]]; then
		words=$(jit --complete "${COMP_WORDS[1]}" 2>/dev/null)
	elif ((COMP_CWORD == 2)) && [[ ${COMP_WORDS[1]} =~ ^(activate|extend|deactivate)$ ]]; then
		words=$(jit groups --json 2>/dev/null | jq -r '.value[].group.displayName' 2>/dev/null)
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -o default -F _jit jit
