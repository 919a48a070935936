// A stronger sign-in, where that is what is missing.
import { element } from './dom.js';
import { say } from './say.js';
import { begin, current } from './sign_in.js';

const DRAFT = 'jit.draft';

// The button for it, made of what the server has against what was asked. What is in the form waits in this tab, and is back in
// it whatever comes of it.
export function stronger({ acrValues }, group, form) {
	const provider = current();
	if (!acrValues || !provider) return undefined;
	const leave = () => {
		sessionStorage.setItem(DRAFT, JSON.stringify({ group, fields: [...new FormData(form)] }));
		begin(provider, acrValues).catch((error) => say(error.message));
	};
	return element('button', { onclick: leave }, 'Sign in again, stronger');
}

// Whoever stands in a form is typing: so what is back in it stays.
export function restore(main) {
	const draft = JSON.parse(sessionStorage.getItem(DRAFT) ?? 'null');
	const form = draft && main.querySelector(`[data-group="${draft.group}"] form`);
	sessionStorage.removeItem(DRAFT);
	if (!form) return;
	for (const [name, value] of draft.fields) {
		const field = form.elements[name];
		if (field?.type === 'checkbox') field.checked = true;
		else if (field) field.value = value;
		if (value) field?.closest('details')?.setAttribute('open', '');
	}
	form.elements.duration.focus();
}
