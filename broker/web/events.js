// Listens to what changes. By fetch, because EventSource cannot send the token. Only while the page is in sight: a browser
// has few connections to one server.
import { token } from './call.js';

const SILENT_MS = 45000; // three signs of life have not come
const LASTED_MS = 10000; // a stream that worked
const PAUSE_MS = 500;
const PAUSE_MOST_MS = 15000;

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

const inSight = () =>
	new Promise((done) => {
		if (document.visibilityState === 'visible') done();
		else document.addEventListener('visibilitychange', () => done(), { once: true });
	});

// One stream to its end, whatever that is.
async function listen(changed, stopped) {
	const broken = new AbortController();
	const abort = () => broken.abort();
	const hide = () => document.visibilityState === 'hidden' && abort();
	let silence = setTimeout(abort, SILENT_MS);
	stopped.addEventListener('abort', abort);
	document.addEventListener('visibilitychange', hide);
	try {
		const headers = { accept: 'text/event-stream', authorization: `Bearer ${token()}` };
		const response = await fetch('/api/events', { headers, cache: 'no-store', signal: broken.signal });
		if (!response.ok) return;
		const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
		let rest = '';
		changed();
		for (;;) {
			const { value, done } = await reader.read();
			if (done) return;
			clearTimeout(silence);
			silence = setTimeout(abort, SILENT_MS);
			const lines = (rest + value).split('\n');
			rest = lines.pop();
			if (lines.some((line) => line.startsWith('data:'))) changed();
		}
	} catch {
		// It is begun again.
	} finally {
		clearTimeout(silence);
		stopped.removeEventListener('abort', abort);
		document.removeEventListener('visibilitychange', hide);
		abort();
	}
}

// Calls changed() whenever something may be other than it was; while nothing can be heard, at growing intervals. Until
// `stopped`, an AbortSignal.
export async function follow(changed, stopped) {
	let pause = PAUSE_MS;
	while (!stopped.aborted) {
		await inSight();
		const began = Date.now();
		await listen(changed, stopped);
		if (Date.now() - began > LASTED_MS) pause = PAUSE_MS;
		await sleep(pause * (0.5 + Math.random()));
		pause = Math.min(2 * pause, PAUSE_MOST_MS);
		if (!stopped.aborted) changed();
	}
}
