// The page: what one may activate, what waits for one's decision, what one has asked for; for operators, the applications.
// It is a client of the same API as everybody else, asks anew when it is told that something has changed, and keeps nothing.
import { PIM, Refusal, call, list, setToken, token } from './call.js';
import { element } from './dom.js';
import { follow } from './events.js';
import { begin, current, finish, ways } from './sign_in.js';
import { isOpen, state, time } from './words.js';

const GAP_MS = 500; // between two readings, however much changes
const LOOK_MS = 60000; // what changes by time alone, nobody tells: an approval goes to others, an eligibility ends
const CYCLE_MS = 10000; // an application's figures while its cycle runs
const TICK_MS = 5000; // how much time is left
const DURATIONS = { '': 'the usual time', PT15M: '15 minutes', PT30M: '30 minutes', PT1H: '1 hour', PT2H: '2 hours', PT4H: '4 hours', PT8H: '8 hours' };
const DRAFT = 'jit.draft';
const GIVES = ['selfActivate', 'selfExtend', 'selfRenew', 'adminAssign', 'adminExtend', 'adminRenew', 'adminUpdate'];

const main = document.getElementById('main');
const said = document.getElementById('said');
let timer, ticking;
let listening; // an AbortController, from the sign-in on
let reading, again; // the parts are being read; what was read may be old by now
let parts; // what was read last
let names = new Map(); // group id -> name
let operator = true; // until the server has said no

const say = (text, button = '') => said.replaceChildren(text, button);

// -- a stronger sign-in ---------------------------------------------------------------------------------------

// Where that is what is missing. What is in the form waits in this tab, and is back in it whatever comes of it.
const stronger = (provider, acrValues, group, form) =>
	element(
		'button',
		{
			onclick: () => {
				sessionStorage.setItem(DRAFT, JSON.stringify({ group, fields: [...new FormData(form)] }));
				begin(provider, acrValues).catch((error) => say(error.message));
			},
		},
		'Sign in again, stronger',
	);

// Whoever stands in a form is typing: so what is back in it stays.
function restore() {
	const draft = JSON.parse(sessionStorage.getItem(DRAFT) ?? 'null');
	const form = draft && main.querySelector(`[data-group="${draft.group}"] form`);
	sessionStorage.removeItem(DRAFT);
	if (!form) return;
	for (const [name, value] of draft.fields) form.elements[name].value = value;
	form.elements.duration.focus();
}

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

const nameOf = (id) => names.get(id) ?? id;

// -- groups ---------------------------------------------------------------------------------------------------

function ask(group, action, form) {
	const given = new FormData(form);
	const body = {
		action,
		accessId: 'member',
		groupId: group,
		justification: given.get('reason'),
	};
	if (given.get('duration'))
		body.scheduleInfo = { expiration: { type: 'afterDuration', duration: given.get('duration') } };
	if (given.get('ticket')) body.ticketInfo = { ticketNumber: given.get('ticket'), ticketSystem: null };
	return call('POST', `${PIM}assignmentScheduleRequests`, body);
}

const giveBack = (group) =>
	call('POST', `${PIM}assignmentScheduleRequests`, { action: 'selfDeactivate', accessId: 'member', groupId: group });

function askForm(group, action, word) {
	const form = element(
		'form',
		{
			onsubmit: (event) => {
				event.preventDefault();
				act(
					() => ask(group, action, form),
					`${nameOf(group)}: asked for`,
					({ acrValues }) => acrValues && current() && stronger(current(), acrValues, group, form),
				);
			},
		},
		element(
			'label',
			{},
			'For',
			element(
				'select',
				{ name: 'duration' },
				Object.entries(DURATIONS).map(([value, text]) => element('option', { value }, text)),
			),
		),
		element('label', { class: 'wide' }, 'Reason', element('input', { name: 'reason', maxlength: '1000' })),
		element('label', {}, 'Ticket', element('input', { name: 'ticket', maxlength: '128' })),
		element('button', {}, word),
	);
	return form;
}

function openRequest(request) {
	const [text, look] = state(request);
	const group = request.groupId;
	const withdraw = ['PendingApproval', 'Granted'].includes(request.status) || request.provisioning?.state === 'deferred';
	return element(
		'div',
		{},
		element('p', { class: look }, text),
		withdraw &&
			element(
				'button',
				{
					onclick: () =>
						act(() => call('POST', `${PIM}assignmentScheduleRequests/${request.id}/cancel`), 'withdrawn'),
				},
				'Withdraw',
			),
		request.provisioning?.state === 'provisioned' &&
			element('button', { onclick: () => act(() => giveBack(group), `${nameOf(group)}: given back`) }, 'Give back'),
		request.provisioning?.lastError && element('p', { class: 'bad' }, request.provisioning.lastError),
	);
}

function groupCard(group, requests) {
	const open = requests.filter((r) => r.groupId === group && isOpen(r) && GIVES.includes(r.action));
	const active = open.some((r) => r.provisioning?.state === 'provisioned');
	return element(
		'article',
		{ 'data-group': group },
		element('h3', {}, nameOf(group)),
		open.map(openRequest),
		(open.length === 0 || active) && askForm(group, active ? 'selfExtend' : 'selfActivate', active ? 'Extend' : 'Activate'),
	);
}

// -- approvals ------------------------------------------------------------------------------------------------

async function decide(request, result, reason) {
	const approval = await call('GET', `${PIM}assignmentApprovals/${request.id}`);
	const stage = approval.stages.find((s) => s.status === 'InProgress');
	if (!stage) throw new Error('Somebody has decided already.');
	await call('PATCH', `${PIM}assignmentApprovals/${request.id}/stages/${stage.id}`, {
		reviewResult: result,
		justification: reason,
	});
}

function approvalCard(request) {
	const reason = element('input', { name: 'why', maxlength: '1000' });
	const button = (word, result, done) =>
		element('button', { type: 'button', onclick: () => act(() => decide(request, result, reason.value), done) }, word);
	return element(
		'article',
		{ 'data-request': request.id },
		element('h3', {}, `${request.principal?.displayName ?? request.principalId} asks for ${request.group?.displayName ?? request.groupId}`),
		element('p', {}, request.justification ?? 'No reason was given.'),
		element('p', { class: 'dim' }, `asked ${time(request.createdDateTime)}, for ${request.scheduleInfo?.expiration?.duration ?? 'as configured'}`),
		element(
			'form',
			{ onsubmit: (event) => event.preventDefault() },
			element('label', { class: 'wide' }, 'Your reason', reason),
			button('Approve', 'Approve', 'approved'),
			button('Deny', 'Deny', 'denied'),
		),
	);
}

// -- tables ---------------------------------------------------------------------------------------------------

function table(heads, rows) {
	return element(
		'div',
		{ class: 'scroll', tabindex: '0' },
		element(
			'table',
			{},
			element('thead', {}, element('tr', {}, heads.map((head) => element('th', { scope: 'col' }, head)))),
			element('tbody', {}, rows.map((cells) => element('tr', {}, cells.map((cell) => element('td', {}, cell))))),
		),
	);
}

const requestRow = (r) => [time(r.createdDateTime), r.action, r.group?.displayName ?? r.groupId, state(r)[0], r.justification ?? ''];

// How far the running cycle is, or when the next one begins.
function cycle({ current, nextDateTime }) {
	if (!current) return time(nextDateTime);
	const { done, total, pushes, failures, estimatedEndDateTime: end } = current;
	const text = `${done} of ${total}, pushes: ${pushes}, failures: ${failures}` + (end ? `, until about ${time(end)}` : '');
	return element('span', {}, element('progress', { max: Math.max(total, 1), value: done, 'aria-label': 'Running cycle' }), ' ', text);
}

const applicationRow = (a) => [a.id, a.health, a.throttle.tokensFree, a.waiting, a.deferred, a.removalsWaiting, a.guard.held || '', cycle(a.cycle)];

// -- the whole ------------------------------------------------------------------------------------------------

function section(title, ...children) {
	return element('section', {}, element('h2', {}, title), ...children);
}

async function applications() {
	if (!operator) return [];
	try {
		return await list('/api/applications');
	} catch (error) {
		if (error instanceof Refusal && error.status === 403) operator = false;
		return [];
	}
}

// What somebody is typing stays as it is while the page asks anew.
const isTyping = () =>
	['INPUT', 'SELECT'].includes(document.activeElement?.tagName) ||
	[...main.querySelectorAll('input')].some((input) => input.value !== '');

function show(eligible, requests, inbox, apps) {
	names = new Map(eligible.map((e) => [e.groupId, e.group?.displayName ?? e.groupId]));
	const groups = [...new Set(eligible.map((e) => e.groupId))];
	main.replaceChildren(
		inbox.length > 0 ? section('Waiting for your decision', inbox.map(approvalCard)) : '',
		section(
			'Your groups',
			groups.length > 0
				? groups.map((group) => groupCard(group, requests))
				: element('p', { class: 'dim' }, 'There is no group that you may activate.'),
		),
		requests.length > 0
			? section('Your requests', table(['Asked', 'Action', 'Group', 'State', 'Reason'], requests.map(requestRow)))
			: '',
		apps.length > 0
			? section('Applications', table(['Application', 'Health', 'Free pushes', 'Waiting', 'Deferred', 'Removals', 'Held', 'Cycle'], apps.map(applicationRow)))
			: '',
	);
}

// False when nobody is signed in any more.
async function read() {
	try {
		parts = await Promise.all([
			list(`${PIM}eligibilityScheduleInstances/filterByCurrentUser(on='principal')?$expand=group`),
			list(`${PIM}assignmentScheduleRequests/filterByCurrentUser(on='principal')?$top=20&$expand=group`),
			list(`${PIM}assignmentScheduleRequests/filterByCurrentUser(on='approver')?$expand=principal,group&$filter=status%20eq%20'PendingApproval'`),
			applications(),
		]);
		if (!isTyping()) show(...parts);
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

function start() {
	document.getElementById('who').replaceChildren(
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
	parts = undefined;
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
	restore();
	if (trouble) say(trouble);
} else {
	await welcome(trouble);
}
