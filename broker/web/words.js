// Times, durations and states in words.
import { serverNow } from './call.js';

export function time(text) {
	if (!text) return '';
	const at = new Date(text);
	const today = new Date(serverNow()).toDateString() === at.toDateString();
	return at.toLocaleString([], today ? { timeStyle: 'medium' } : { dateStyle: 'medium', timeStyle: 'short' });
}

// What is left until then, by the server's clock: "1 h 05 min", "4 min 20 s".
export function left(text) {
	const s = Math.max(0, Math.round((Date.parse(text) - serverNow()) / 1000));
	const two = (n) => String(n).padStart(2, '0');
	if (s >= 3600) return `${Math.floor(s / 3600)} h ${two(Math.floor((s % 3600) / 60))} min`;
	return s >= 60 ? `${Math.floor(s / 60)} min ${two(s % 60)} s` : `${s} s`;
}

// How far a request is: words and how they look.
export function state(request) {
	const p = request.provisioning ?? {};
	if (request.status === 'PendingApproval') return ['waits for an approver', 'wait'];
	if (request.status === 'Granted') return [`begins ${time(request.scheduleInfo?.startDateTime)}`, 'wait'];
	switch (p.state) {
		case 'provisioned':
			return [p.endDateTime ? `active, ${left(p.endDateTime)} left` : 'active', 'good'];
		case 'deferred':
			return [
				`the application may not be sent more just now; its next sync cycle is at ${time(p.nextCycleDateTime)}` +
					(p.placeInQueue ? ` (place ${p.placeInQueue})` : ''),
				'wait',
			];
		case 'pushing':
		case 'waiting':
			return ['on its way to the application', 'wait'];
		case 'removing':
			return ['being removed', 'wait'];
		case 'failed':
			return [request.status === 'Denied' ? 'denied' : 'failed', 'bad'];
		default:
			return [request.status === 'Canceled' ? 'withdrawn' : 'ended', 'dim'];
	}
}

export const isOpen = (request) =>
	['PendingApproval', 'Granted'].includes(request.status) ||
	['waiting', 'pushing', 'deferred', 'provisioned', 'removing'].includes(request.provisioning?.state);
