// What waits for one's decision.
import { PIM, call } from './call.js';
import { element } from './dom.js';
import { action, duration, durationMs, time } from './words.js';

async function decide(request, result, reason) {
	const approval = await call('GET', `${PIM}assignmentApprovals/${request.id}`);
	const stage = approval.stages.find((s) => s.status === 'InProgress');
	if (!stage) throw new Error('Somebody has decided already.');
	await call('PATCH', `${PIM}assignmentApprovals/${request.id}/stages/${stage.id}`, {
		reviewResult: result,
		justification: reason,
	});
}

// "activation for 2 hours, from 14:00, asked 12:31:02, ticket INC42"
function details(request) {
	const { startDateTime: start, expiration } = request.scheduleInfo ?? {};
	const parts = [action(request.action)];
	if (expiration?.duration) parts[0] += ` for ${duration(durationMs(expiration.duration))}`;
	if (expiration?.endDateTime) parts[0] += ` until ${time(expiration.endDateTime)}`;
	if (Date.parse(start) > Date.parse(request.createdDateTime)) parts.push(`from ${time(start)}`);
	parts.push(`asked ${time(request.createdDateTime)}`);
	if (request.ticketInfo?.ticketNumber) parts.push(`ticket ${request.ticketInfo.ticketNumber}`);
	return parts.join(', ');
}

// `act` does what a button is for, which it is told first.
export function approvalCard(request, act) {
	const reason = element('input', { name: 'why', maxlength: '1000' });
	const button = (word, result, done) =>
		element('button', { type: 'button', onclick: (event) => act(event.target, () => decide(request, result, reason.value), done) }, word);
	return element(
		'article',
		{ id: request.id, tabindex: '-1', 'data-request': request.id },
		element('h3', {}, `${request.principal?.displayName ?? request.principalId} asks for ${request.group?.displayName ?? request.groupId}`),
		element('p', {}, request.justification ?? 'No reason was given.'),
		element('p', { class: 'dim' }, details(request)),
		element(
			'form',
			{ onsubmit: (event) => event.preventDefault() },
			element('label', { class: 'wide' }, 'Your reason', reason),
			button('Approve', 'Approve', 'Approved.'),
			button('Deny', 'Deny', 'Denied.'),
		),
	);
}
