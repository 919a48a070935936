// The page: what waits for one's decision, what one may activate, what one has asked for; for operators and auditors, the
// applications. It is a client of the same API as everybody else, asks anew when it is told that something has changed, and keeps nothing.
import { approvalCard } from './approvals.js';
import { PIM, Refusal, call, list, setToken, token } from './call.js';
import { element } from './dom.js';
import { follow } from './events.js';
import { groupCard, groupsOf } from './groups.js';
import { say } from './say.js';
import { begin, finish, ways } from './sign_in.js';
import { restore } from './stronger.js';
import { applicationTable, requestTable } from './tables.js';

const GAP_MS = 500; // between two readings, however much changes
const LOOK_MS = 60000; // what changes by time alone, nobody tells: an approval goes to others, an eligibility ends
const CYCLE_MS = 10000; // an application's figures while its cycle runs
const TICK_MS = 5000; // how much time is left

const main = document.getElementById('main');
let timer, ticking;
let listening; // an AbortController, from the sign-in on
let reading, again; // the parts are being read; what was read may be old by now
let parts; // what was read last
let me; // who is signed in

// Does what a button or form is for. What the server has against it stands at the foot of the page, and what was typed
// stays for another try. `again` is a button that may help, made of what is against it.
async function act(work, done, again) {
	try {
		await work();
	} catch (error) {
		say(error.message, again?.(error) || '');
		return;
	}
	say(done);
	for (const form of main.querySelectorAll('form')) form.reset();
	document.activeElement?.blur();
	await refresh();
}

// -- the whole ------------------------------------------------------------------------------------------------

const sees = ({ roles }) => roles.includes('operator') || roles.includes('auditor');

function section(title, ...children) {
	return element('section', {}, element('h2', {}, title), ...children);
}

// What somebody is typing or choosing stays as it is while the page asks anew.
const isTyping = () =>
	['INPUT', 'SELECT'].includes(document.activeElement?.tagName) ||
	[...main.querySelectorAll('input')].some((input) => (input.type === 'checkbox' ? input.checked : input.value !== '')) ||
	[...main.querySelectorAll('option:checked')].some((option) => !option.defaultSelected);

const unfolded = () => [...main.querySelectorAll('article:has(details[open])')].map((card) => card.dataset.group);

function show(eligible, requests, inbox, apps) {
	const groups = groupsOf(eligible, requests);
	const open = unfolded();
	main.replaceChildren(
		inbox.length > 0 ? section('Waiting for your decision', inbox.map((request) => approvalCard(request, act))) : '',
		section(
			'Your groups',
			groups.length > 0
				? groups.map((group) => groupCard(group, requests, act))
				: element('p', { class: 'dim' }, 'There is no group that you may activate.'),
		),
		requests.length > 0 ? section('Your requests', requestTable(requests)) : '',
		apps.length > 0 ? section('Applications', applicationTable(apps)) : '',
	);
	for (const group of open) main.querySelector(`article[data-group="${group}"] details`)?.setAttribute('open', '');
}

// False when nobody is signed in any more.
async function read() {
	try {
		me ??= await call('GET', '/v1.0/me');
		parts = await Promise.all([
			list(`${PIM}eligibilityScheduleInstances/filterByCurrentUser(on='principal')?$expand=group,policy`),
			list(`${PIM}assignmentScheduleRequests/filterByCurrentUser(on='principal')?$top=20&$expand=group`),
			list(`${PIM}assignmentScheduleRequests/filterByCurrentUser(on='approver')?$expand=principal,group&$filter=status%20eq%20'PendingApproval'`),
			sees(me) ? list('/api/applications') : [],
		]);
		if (!isTyping()) show(...parts);
		showWho();
	} catch (error) {
		if (error instanceof Refusal && error.status === 401) {
			setToken(null);
			await welcome(error.message);
			return false;
		}
		say(error.message);
	}
	return true;
}

async function refresh() {
	again = true;
	if (reading) return;
	reading = true;
	clearTimeout(timer);
	let open = true;
	try {
		while (again && open) {
			again = false;
			open = await read();
			if (again) await new Promise((done) => setTimeout(done, GAP_MS));
		}
	} finally {
		reading = false;
	}
	if (open) timer = setTimeout(refresh, parts?.[3].some((a) => a.cycle.current) ? CYCLE_MS : LOOK_MS);
}

// Time goes on without anybody's telling, and what was read while somebody typed is shown once they do not.
const tick = () => parts && !isTyping() && show(...parts);

// Who is signed in, as soon as that is known, and the way out.
function showWho() {
	const roles = me?.roles.filter((role) => role !== 'requester') ?? [];
	document.getElementById('who').replaceChildren(
		me ? element('span', {}, [me.displayName ?? me.userPrincipalName, ...roles].join(', ')) : '',
		element(
			'button',
			{
				onclick: () => {
					setToken(null);
					location.assign('/');
				},
			},
			'Sign out',
		),
	);
}

function start() {
	showWho();
	listening = new AbortController();
	ticking = setInterval(tick, TICK_MS);
	follow(refresh, listening.signal);
	return refresh();
}

function tokenForm() {
	const field = element('input', { name: 'token', type: 'password', autocomplete: 'off', required: true });
	return element(
		'form',
		{
			onsubmit: (event) => {
				event.preventDefault();
				setToken(field.value.trim());
				main.replaceChildren();
				start();
			},
		},
		element('label', { class: 'wide' }, 'Your token', field),
		element('button', {}, 'Sign in'),
	);
}

// Nobody is signed in yet.
async function welcome(text) {
	listening?.abort();
	clearInterval(ticking);
	parts = me = undefined;
	const { providers, staticTokens } = await ways();
	say(text);
	document.getElementById('who').replaceChildren();
	main.replaceChildren(
		section(
			'Sign in',
			providers.map((p) =>
				element('p', {}, element('button', { onclick: () => begin(p).catch((error) => say(error.message)) }, `Sign in at ${new URL(p.issuer).host}`)),
			),
			staticTokens && tokenForm(),
			providers.length === 0 && !staticTokens && element('p', {}, 'No provider is configured for people; the command jit may help.'),
		),
	);
}

let trouble = '';
await finish().catch((error) => (trouble = error.message));
if (token()) {
	await start();
	restore(main);
	if (trouble) say(trouble);
} else {
	await welcome(trouble);
}
