// One's requests, and for those who look after them the applications.
import { element } from './dom.js';
import { action, state, time } from './words.js';

function table(id, heads, rows) {
	return element(
		'div',
		{ id, class: 'scroll', tabindex: '0' },
		element(
			'table',
			{},
			element('thead', {}, element('tr', {}, heads.map((head) => element('th', { scope: 'col' }, head)))),
			element('tbody', {}, rows.map((cells) => element('tr', {}, cells.map((cell) => element('td', {}, cell))))),
		),
	);
}

const requestRow = (r) => [time(r.createdDateTime), action(r.action), r.group?.displayName ?? r.groupId, state(r)[0], r.justification ?? ''];

export const requestTable = (requests) => table('requests', ['Asked', 'For', 'Group', 'State', 'Reason'], requests.map(requestRow));

// How far the running cycle is, or when the next one begins.
function cycle({ current, nextDateTime }) {
	if (!current) return time(nextDateTime);
	const { done, total, pushes, failures, estimatedEndDateTime: end } = current;
	const text = `${done} of ${total}, pushes: ${pushes}, failures: ${failures}` + (end ? `, until about ${time(end)}` : '');
	return element('span', {}, element('progress', { max: Math.max(total, 1), value: done, 'aria-label': 'Running cycle' }), ' ', text);
}

const applicationRow = (a) => [a.id, a.health, a.throttle.tokensFree, a.waiting, a.deferred, a.removalsWaiting, a.guard.held || '', cycle(a.cycle)];

export const applicationTable = (applications) =>
	table('applications', ['Application', 'Health', 'Free pushes', 'Waiting', 'Deferred', 'Removals', 'Held', 'Cycle'], applications.map(applicationRow));
