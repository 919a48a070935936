// A stronger sign-in, where that is what is missing.
import { element } from './dom.js';
import { say } from './say.js';
import { begin, current } from './sign_in.js';

// The button for it, made of what the server has against what was asked. `leave` is called before the page is left.
export function stronger({ acrValues }, leave) {
	const provider = current();
	if (!acrValues || !provider) return undefined;
	const again = () => {
		leave();
		begin(provider, acrValues).catch((error) => say(error.message));
	};
	return element('button', { onclick: again }, 'Sign in again, stronger');
}
