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

// An ISO 8601 duration in milliseconds, and those in words: "1 hour 30 minutes".
const UNITS = [
	['day', 86400000],
	['hour', 3600000],
	['minute', 60000],
	['second', 1000],
];

export function durationMs(text) {
	const parts = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?)?$/.exec(text) ?? [];
	return UNITS.reduce((sum, [, ms], i) => sum + (Number(parts[i + 1]) || 0) * ms, 0);
}

export function duration(ms) {
	const words = [];
	for (const [unit, length] of UNITS) {
		const n = unit === 'second' ? ms / length : Math.floor(ms / length);
		if (n > 0) words.push(`${n} ${unit}${n === 1 ? '' : 's'}`);
		ms -= n * length;
	}
	return words.join(' ');
}

const WEEK = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'];
const short = (day) => day[0].toUpperCase() + day.slice(1, 3);

// "Mon to Fri"; days that do not follow each other one by one.
function days(names) {
	const first = WEEK.indexOf(names[0]);
	if (names.length === 7) return 'every day';
	if (names.length > 2 && names.every((name, i) => WEEK[first + i] === name)) return `${short(names[0])} to ${short(names.at(-1))}`;
	return names.map(short).join(', ');
}

// What a group asks of those who activate it.
export function rules(policy) {
	const { approvalStages: stages, authentication, hours } = policy;
	const parts = [`at most ${duration(durationMs(policy.maximumDuration))}`];
	if (policy.countsFrom === 'provisioned') parts.push('from when the application has confirmed it');
	for (const w of hours) parts.push(`${days(w.daysOfWeek)} ${w.from} to ${w.to} (${w.timeZone})`);
	if (authentication.length > 0) parts.push(`signed in with ${authentication.join(' or ')}`);
	if (stages > 0) parts.push(stages === 1 ? 'somebody has to agree' : `somebody has to agree ${stages} times`);
	return parts.join(' · ');
}

const ACTIONS = {
	selfActivate: 'activation',
	selfExtend: 'more time',
	selfRenew: 'renewal',
	selfDeactivate: 'given back',
	adminAssign: 'given by an administrator',
	adminUpdate: 'changed by an administrator',
	adminExtend: 'more time by an administrator',
	adminRenew: 'renewed by an administrator',
	adminRemove: 'taken away by an administrator',
};

export const action = (name) => ACTIONS[name] ?? name;

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
