// Signing in with the organisation's provider: the authorization code grant with PKCE (RFC 7636). Where an environment
// takes static tokens, one can be typed instead.
import { call, setToken } from './call.js';

const PENDING = 'jit.sign-in';
const PROVIDER = 'jit.provider'; // with which one has signed in

const base64url = (bytes) =>
	btoa(String.fromCharCode(...new Uint8Array(bytes))).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');

const redirectUri = () => `${location.origin}/`;

async function discover(issuer) {
	const response = await fetch(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`);
	const document = await response.json();
	if (document.issuer !== issuer) throw new Error('The provider calls itself by another name.');
	return document;
}

// The providers that people can use here, and whether static tokens are taken.
export async function ways() {
	const answer = await call('GET', '/api/sign-in');
	return { providers: answer.value.filter((p) => p.clientId !== ''), staticTokens: answer.staticTokens };
}

// The provider that can be asked to sign the person in again; null when it was none.
export const current = () => JSON.parse(sessionStorage.getItem(PROVIDER) ?? 'null');

// The parameter by which this provider is asked for it.
const strength = ({ stepUp }, acrValues) =>
	stepUp === 'claims'
		? { claims: JSON.stringify({ access_token: { acrs: { essential: true, values: acrValues.split(' ') } } }) }
		: { acr_values: acrValues };

// Leaves the page for the provider's. `acrValues`: how strong a sign-in it is asked for.
export async function begin(provider, acrValues) {
	const { authorization_endpoint: address } = await discover(provider.issuer);
	const verifier = base64url(crypto.getRandomValues(new Uint8Array(32)));
	const state = base64url(crypto.getRandomValues(new Uint8Array(16)));
	const challenge = base64url(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier)));
	const url = new URL(address);
	sessionStorage.setItem(PENDING, JSON.stringify({ provider, verifier, state }));
	for (const [name, value] of Object.entries({
		...(acrValues && strength(provider, acrValues)),
		response_type: 'code',
		client_id: provider.clientId,
		redirect_uri: redirectUri(),
		scope: provider.scopes,
		state,
		code_challenge: challenge,
		code_challenge_method: 'S256',
	}))
		url.searchParams.set(name, value);
	location.assign(url);
}

// Back from the provider: trades the code for the token. False when this is no such return.
export async function finish() {
	const given = new URLSearchParams(location.search);
	const pending = JSON.parse(sessionStorage.getItem(PENDING) ?? 'null');
	if (!given.has('state')) return false;
	sessionStorage.removeItem(PENDING);
	history.replaceState(null, '', '/');
	if (!pending || given.get('state') !== pending.state) throw new Error('This sign-in was not begun here.');
	if (given.has('error')) throw new Error(`The provider refuses: ${given.get('error')}`);
	const { provider } = pending;
	const { token_endpoint: address } = await discover(provider.issuer);
	const response = await fetch(address, {
		method: 'POST',
		body: new URLSearchParams({
			grant_type: 'authorization_code',
			code: given.get('code'),
			redirect_uri: redirectUri(),
			client_id: provider.clientId,
			code_verifier: pending.verifier,
		}),
	});
	const answer = await response.json();
	if (!response.ok) throw new Error(`The provider refuses: ${answer.error}`);
	setToken(answer.access_token);
	sessionStorage.setItem(PROVIDER, JSON.stringify(provider));
	return true;
}
