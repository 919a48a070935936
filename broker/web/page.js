// The page: what waits for one's decision, what one may activate, what one has asked for; for operators and auditors, the
// applications. It is a client of the same API as everybody else, asks anew when it is told that something has changed, and keeps nothing.
import { approvalCard } from './approvals.js';
import { PIM, Refusal, call, list, setToken, token } from './call.js';
import { element } from './dom.js';
import { keep, retype, take, typed } from './draft.js';
import { follow } from './events.js';
import { groupCard, groupsOf } from './groups.js';
import { say } from './say.js';
import { begin, finish, ways } from './sign_in.js';
import { stronger } from './stronger.js';
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
let acting; // something is being sent
let me, isSure; // who is signed in; after a failure that is asked again: roles may be others by now

// Does what a button or form of a card is for. What the server has against it stands at the foot of the page, and what was
// typed stays for another try. One at a time: a second click is none.
async function act(origin, work, done) {
	const { id } = origin.closest('article');
	if (acting) return;
	acting = true;
	try {
		await work();
	} catch (error) {
		say(error.message, stronger(error, () => keep(typed(main), me.id)));
		return;
	} finally {
		acting = false;
	}
	say(done);
	const card = document.getElementById(id);
	card?.querySelector('form')?.reset();
	card?.focus({ preventScroll: true });
	await refresh();
}

// -- the whole ------------------------------------------------------------------------------------------------

const sees = ({ roles }) => roles.includes('operator') || roles.includes('auditor');

function section(title, ...children) {
	return element('section', {}, element('h2', {}, title), ...children);
}

// Under somebody's hands nothing is made anew.
const isTyping = () => ['INPUT', 'SELECT'].includes(document.activeElement?.tagName);

// Where somebody stands who goes by keyboard: on a card or table, or on what in it has these words.
function place() {
	const at = document.activeElement;
	const part = main.contains(at) && at.closest('article, .scroll');
	return part && { id: part.id, words: at.textContent };
}

// There, or as near to it as there still is something.
function stand({ id, words }) {
	const part = document.getElementById(id);
	const same = [...(part?.querySelectorAll('button, summary') ?? [])].find((node) => node.textContent === words);
	(same ?? part ?? main).focus({ preventScroll: true });
}

function show(eligible, { newest, older }, inbox, apps) {
	const requests = [...newest, ...older];
	const groups = groupsOf(eligible, requests);
	const kept = take(me.id);
	const drafts = [...typed(main), ...kept];
	const at = kept.length > 0 ? { id: kept[0].card } : place();
	main.replaceChildren(
		inbox.length > 0 ? section('Waiting for your decision', inbox.map((request) => approvalCard(request, act))) : '',
		section(
			'Your groups',
			groups.length > 0
				? groups.map((group) => groupCard(group, requests, act))
				: element('p', { class: 'dim' }, 'There is no group that you may activate.'),
		),
		newest.length > 0 ? section('Your requests', requestTable(newest)) : '',
		apps.length > 0 ? section('Applications', applicationTable(apps)) : '',
	);
	retype(drafts);
	if (at) stand(at);
}

// One's newest requests, and apart from them what older ones have not come to their end.
async function own() {
	const requests = `${PIM}assignmentScheduleRequests/filterByCurrentUser(on='principal')?$expand=group`;
	const [{ value: newest }, asked, given] = await Promise.all([
		call('GET', `${requests}&$top=20`),
		list(`${requests}&$filter=status%20eq%20'PendingApproval'`),
		list(`${PIM}assignmentSchedules/filterByCurrentUser(on='principal')?$expand=group`),
	]);
	const known = new Set(newest.map((request) => request.id));
	const older = [...asked, ...given.map((schedule) => ({ ...schedule, id: schedule.createdUsing }))];
	return { newest, older: older.filter((request) => !known.has(request.id)) };
}

// False when nobody is signed in any more.
async function read() {
	try {
		if (!isSure) {
			me = await call('GET', '/v1.0/me');
			isSure = true;
			showWho();
		}
		parts = await Promise.all([
			list(`${PIM}eligibilityScheduleInstances/filterByCurrentUser(on='principal')?$expand=group,policy`),
			own(),
			list(`${PIM}assignmentScheduleRequests/filterByCurrentUser(on='approver')?$top=500&$expand=principal,group&$filter=status%20eq%20'PendingApproval'`),
			sees(me) ? list('/api/applications') : [],
		]);
		if (!isTyping()) show(...parts);
	} catch (error) {
		if (error instanceof Refusal && error.status === 401) {
			const drafts = typed(main);
			setToken(null);
			if (me) keep(drafts, me.id);
			await welcome(error.message);
			return false;
		}
		isSure = false;
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
	parts = me = isSure = undefined;
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
	if (trouble) say(trouble);
} else {
	await welcome(trouble);
}
