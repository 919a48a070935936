// Calls of the API as the person who is signed in. The token is kept in this tab alone and sent to this server alone.
export const PIM = '/v1.0/identityGovernance/privilegedAccess/group/';

const TOKEN = 'jit.token';
let ahead = 0; // the server's clock minus ours, ms

export const serverNow = () => Date.now() + ahead;
export const token = () => sessionStorage.getItem(TOKEN);

// Without a token nothing else of the person is kept either, but what draft.js keeps for them.
export function setToken(text) {
	if (text) sessionStorage.setItem(TOKEN, text);
	else sessionStorage.clear();
}

// What the server has against it, as one text for people.
export class Refusal extends Error {
	constructor(status, error) {
		const known = (error?.details ?? []).filter((d) => d.limit); // of others the message has said all
		const rules = known.map((d) => `${d.rule}: allowed ${d.limit}, given ${d.given}`);
		super([error?.message ?? `The server answered ${status}.`, ...rules].join('\n'));
		this.status = status;
		this.acrValues = error?.details?.find((d) => d.acrValues)?.acrValues; // of a sign-in that would do
	}
}

export async function call(method, path, body) {
	const headers = { accept: 'application/json' };
	if (token()) headers.authorization = `Bearer ${token()}`;
	if (body !== undefined) headers['content-type'] = 'application/json';
	// Under one key a repetition is harmless, should the browser repeat the call.
	if (method === 'POST') headers['idempotency-key'] = crypto.randomUUID();
	const response = await fetch(path, { method, headers, body: body && JSON.stringify(body), cache: 'no-store' });
	const date = Date.parse(response.headers.get('date') ?? '');
	if (!Number.isNaN(date)) ahead = date - Date.now();
	const text = await response.text();
	const json = text && response.headers.get('content-type')?.startsWith('application/json') ? JSON.parse(text) : null;
	if (!response.ok) throw new Refusal(response.status, json?.error);
	return json;
}

// All pages of a list. Where the next one is, the server says by the name that it goes by; here it has the page's own.
export async function list(path) {
	const { value, '@odata.nextLink': next } = await call('GET', path);
	if (!next) return value;
	const { pathname, search } = new URL(next);
	return [...value, ...(await list(pathname + search))];
}
