// The groups that one may activate: what each asks, before one asks, and what one has there.
import { PIM, call } from './call.js';
import { element } from './dom.js';
import { duration, durationMs, isOpen, rules, state } from './words.js';

const USUAL_DURATIONS = ['PT15M', 'PT30M', 'PT1H', 'PT2H', 'PT4H', 'PT8H', 'PT12H', 'P1D'];
const TAKES = ['selfDeactivate', 'adminRemove'];
const REQUESTS = `${PIM}assignmentScheduleRequests`;

const gives = (request) => isOpen(request) && !TAKES.includes(request.action);
const nameOf = ({ group, groupId }) => group?.displayName ?? groupId;

function ask(group, what, form) {
	const given = new FormData(form);
	const start = given.get('start');
	return call('POST', REQUESTS, {
		action: what,
		accessId: 'member',
		groupId: group,
		justification: given.get('reason'),
		scheduleInfo: {
			...(start && { startDateTime: new Date(start).toISOString() }),
			expiration: { type: 'afterDuration', duration: given.get('duration') },
		},
		...(given.get('ticket') && { ticketInfo: { ticketNumber: given.get('ticket'), ticketSystem: null } }),
		...(given.has('glass') && { breakGlass: true }),
	});
}

const giveBack = (group) => call('POST', REQUESTS, { action: 'selfDeactivate', accessId: 'member', groupId: group });

// The usual durations that the group allows, its own default and its longest.
function durations({ minimumDuration: least, defaultDuration: usual, maximumDuration: most }) {
	const fits = USUAL_DURATIONS.filter((d) => durationMs(d) >= durationMs(least) && durationMs(d) <= durationMs(most));
	const byLength = new Map([...fits, usual, most].map((d) => [durationMs(d), d]));
	return [...byLength.keys()]
		.sort((a, b) => a - b)
		.map((ms) => {
			const isUsual = ms === durationMs(usual);
			return element('option', { value: byLength.get(ms), selected: isUsual }, duration(ms) + (isUsual ? ' (usual)' : ''));
		});
}

function reasonField({ isJustificationRequired: required, minimumJustificationLength: least }) {
	return element(
		'label',
		{ class: 'wide' },
		required ? 'Reason' : 'Reason, if you like',
		element('input', { name: 'reason', maxlength: '1000', required, placeholder: least > 1 && `at least ${least} characters` }),
	);
}

function ticketField({ isTicketRequired: required, ticketPattern: pattern }) {
	return element(
		'label',
		{},
		required ? 'Ticket' : 'Ticket, if there is one',
		element('input', { name: 'ticket', maxlength: '128', required, title: pattern && `It looks like ${pattern}` }),
	);
}

// What few need.
function more(policy, isNew) {
	const glass = policy.isBreakGlassAllowed && 'Break the glass: nobody is asked, everybody concerned is told';
	if (!isNew) return undefined;
	return element(
		'details',
		{},
		element('summary', {}, glass ? 'Later, or in an emergency' : 'Later'),
		element('label', {}, 'Begin at', element('input', { name: 'start', type: 'datetime-local' })),
		glass && element('label', { class: 'check' }, element('input', { name: 'glass', type: 'checkbox' }), glass),
	);
}

function askForm(eligibility, isNew, act) {
	const { groupId, policy } = eligibility;
	const form = element(
		'form',
		{
			onsubmit: (event) => {
				event.preventDefault();
				act(form, () => ask(groupId, isNew ? 'selfActivate' : 'selfExtend', form), `${nameOf(eligibility)}: asked for`);
			},
		},
		element('label', {}, isNew ? 'For' : 'From now, for', element('select', { name: 'duration' }, durations(policy))),
		reasonField(policy),
		ticketField(policy),
		element('button', {}, isNew ? 'Activate' : 'Extend'),
		more(policy, isNew),
	);
	return form;
}

function openRequest(request, act) {
	const [text, look] = state(request);
	const isActive = request.provisioning?.state === 'provisioned';
	const withdraw = ['PendingApproval', 'Granted'].includes(request.status) || request.provisioning?.state === 'deferred';
	const button = (word, work, done) => element('button', { onclick: (event) => act(event.target, work, done) }, word);
	return element(
		'div',
		{},
		element('p', { class: look }, text),
		withdraw && button('Withdraw', () => call('POST', `${REQUESTS}/${request.id}/cancel`), 'withdrawn'),
		isActive && button('Give back', () => giveBack(request.groupId), `${nameOf(request)}: given back`),
		request.provisioning?.lastError && element('p', { class: 'bad' }, request.provisioning.lastError),
	);
}

// Those that one may activate, each once, and those that one has without that.
export function groupsOf(eligible, requests) {
	const had = requests.filter(gives).map(({ groupId, group }) => ({ groupId, group }));
	const byId = new Map([...had, ...eligible].map((e) => [e.groupId, e]));
	return [...byId.values()].sort((a, b) => nameOf(a).localeCompare(nameOf(b)));
}

// Groups that one has and may not activate again have a card without a form. `act` does what a button or form is for, which it
// is told first.
export function groupCard(eligibility, requests, act) {
	const { groupId, policy } = eligibility;
	const open = requests.filter((r) => r.groupId === groupId && gives(r));
	const isActive = open.some((r) => r.provisioning?.state === 'provisioned');
	return element(
		'article',
		{ id: groupId, tabindex: '-1', 'data-group': groupId },
		element('h3', {}, nameOf(eligibility)),
		policy && element('p', { class: 'dim' }, rules(policy)),
		open.map((request) => openRequest(request, act)),
		policy && (open.length === 0 || isActive) && askForm(eligibility, !isActive, act),
	);
}

