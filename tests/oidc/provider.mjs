// A real OpenID provider on loopback, for integration tests: node provider.mjs FOLDER-WITH-NODE_MODULES.
// Prints "listening ISSUER" when it can be asked. Its client "jobs" with the secret "jobs-secret" gets tokens by client
// credentials (resource api://jit); its public client "desk" signs people in by the device grant,
// and "page" by the code grant with PKCE, where everybody who comes is amira. People sign in by a password (amr: pwd), and with
// a second factor (mfa) where acr_values ask for it. What a test wants besides stands under /test/, with JSON bodies:
//
//     POST /test/token   {alg, sub, audience, ttl, age, claims: nothing of it is required}: {access_token};
//                        with `age`, as it was made so many seconds ago
//     POST /test/confirm {user_code, sub}: what a person does who confirms the code that a device shows; with
//                        `deny`, who refuses it
//     POST /test/refuse  {refuse}: while true, whoever comes by the code grant does not sign in
//     POST /test/entra   {entra}: while true, a second factor is asked for as with Entra ID: by claims alone
//     POST /test/rotate  {keep}: new keys; the old ones stay published where `keep` is true
//     POST /test/down    {down}: while true, everything else is answered 503
//     GET  /test/counts  {discovery, keys}: how often each document was asked for
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { generateKeyPairSync } from 'node:crypto';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const AUDIENCE = 'api://jit';
const KEYS = {
	RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
	PS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
	ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
	EdDSA: () => generateKeyPairSync('ed25519'),
};

const require = createRequire(join(resolve(process.argv[2]), 'package.json'));
const { Provider, interactionPolicy } = await import(pathToFileURL(require.resolve('oidc-provider')));

let generation = 0;
let keys = [];
let provider;
let handle;
let down = false;
let refuse = false;
let entra = false;
const counts = { discovery: 0, keys: 0 };

function makeKeys() {
	generation += 1;
	return Object.entries(KEYS).map(([alg, make]) => ({
		...make().privateKey.export({ format: 'jwk' }),
		alg,
		use: 'sig',
		kid: `${alg}-${generation}`,
	}));
}

const acrsOf = ({ claims }) => (claims ? (JSON.parse(claims).access_token?.acrs?.values ?? []) : []);
const wantsMfa = (params) => (entra ? acrsOf(params) : (params.acr_values ?? '').split(' ')).includes('mfa');
const methods = (params) => (wantsMfa(params) ? ['pwd', 'mfa'] : ['pwd']);

// Whoever is signed in already has to sign in anew where that was not strong enough.
function strengthPolicy() {
	const policy = interactionPolicy.base();
	const check = new interactionPolicy.Check('acr_values', 'a stronger sign-in is wanted', ({ oidc }) =>
		wantsMfa(oidc.params) && !oidc.amr?.includes('mfa'));
	policy.get('login').checks.add(check);
	return policy;
}

// Each alg is signed with the first key that has it.
function makeProvider(issuer) {
	provider = new Provider(issuer, {
		jwks: { keys },
		clients: [
			{
				client_id: 'jobs',
				client_secret: 'jobs-secret',
				grant_types: ['client_credentials'],
				redirect_uris: [],
				response_types: [],
			},
			{
				client_id: 'desk',
				application_type: 'native',
				token_endpoint_auth_method: 'none',
				grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'],
				redirect_uris: [],
				response_types: [],
			},
			{
				client_id: 'page',
				application_type: 'native',
				token_endpoint_auth_method: 'none',
				grant_types: ['authorization_code', 'refresh_token'],
				redirect_uris: ['http://127.0.0.1/'], // on any port, as for native clients
				response_types: ['code'],
			},
		],
		extraParams: ['claims'],
		clientBasedCORS: () => true,
		interactions: { url: () => '/test/interaction', policy: strengthPolicy() },
		enabledJWA: { idTokenSigningAlgValues: Object.keys(KEYS) },
		features: {
			clientCredentials: { enabled: true },
			deviceFlow: { enabled: true },
			devInteractions: { enabled: false },
			resourceIndicators: {
				enabled: true,
				defaultResource: () => AUDIENCE,
				useGrantedResource: () => true,
				getResourceServerInfo: () => serverInfo({}),
			},
		},
		extraTokenClaims: (ctx, token) => token.extra?.claims ?? { ...claimsOf(token.accountId), ...strengthOf(ctx) },
		findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
	});
	handle = provider.callback();
}

const claimsOf = (account) =>
	account ? { preferred_username: `${account}@example.com`, groups: ['cloud'] } : { groups: ['timers'] };

function strengthOf({ oidc: { entities } }) {
	const { amr } = entities.AuthorizationCode ?? entities.DeviceCode ?? entities.RefreshToken ?? {};
	return amr && { amr };
}

function serverInfo({ alg = 'ES256', audience = AUDIENCE, ttl = 600 }) {
	return {
		scope: 'jit',
		audience,
		accessTokenTTL: ttl,
		accessTokenFormat: 'jwt',
		jwt: { sign: { alg } },
	};
}

// The provider's own token, made and signed by its own code.
async function makeToken(wanted) {
	const client = await provider.Client.find('jobs');
	const token = new provider.AccessToken({
		accountId: wanted.sub ?? 'amira',
		client,
		scope: 'jit',
		extra: { claims: { preferred_username: 'amira@example.com', groups: ['cloud'], ...wanted.claims } },
	});
	token.resourceServer = new provider.ResourceServer(AUDIENCE, serverInfo(wanted));
	const now = Date.now;
	Date.now = () => now() - (wanted.age ?? 0) * 1000;
	try {
		return { access_token: await token.save() };
	} finally {
		Date.now = now;
	}
}

// What the provider's own page does once a person has signed in there and agreed.
async function confirm({ user_code: text, sub = 'amira', deny = false }) {
	const code = await provider.DeviceCode.findByUserCode(text.replace(/\W/g, ''));
	if (deny) {
		Object.assign(code, { error: 'access_denied', errorDescription: 'refused' });
	} else {
		const grant = new provider.Grant({ accountId: sub, clientId: code.clientId });
		grant.addOIDCScope('openid offline_access');
		grant.addResourceScope(AUDIENCE, 'jit');
		Object.assign(code, {
			accountId: sub,
			grantId: await grant.save(),
			scope: 'openid offline_access jit',
			resource: AUDIENCE,
			claims: {},
			amr: methods(code.params),
			authTime: Math.floor(Date.now() / 1000),
		});
	}
	await code.save();
	return { confirmed: !deny };
}

// The provider's own page, for somebody who agrees with everything.
async function interact(request, response) {
	const details = await provider.interactionDetails(request, response);
	const result = {};
	if (refuse) {
		Object.assign(result, { error: 'access_denied', error_description: 'refused' });
	} else if (details.prompt.name === 'login') {
		result.login = { accountId: 'amira', amr: methods(details.params) };
	} else {
		const grant = new provider.Grant({ accountId: details.session.accountId, clientId: details.params.client_id });
		grant.addOIDCScope('openid offline_access');
		grant.addResourceScope(AUDIENCE, 'jit');
		result.consent = { grantId: await grant.save() };
	}
	await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: true });
}

async function readBody(request) {
	let text = '';
	for await (const part of request) text += part;
	return text === '' ? {} : JSON.parse(text);
}

async function control(request, issuer) {
	const body = await readBody(request);
	switch (request.url) {
	case '/test/token':
		return makeToken(body);
	case '/test/confirm':
		return confirm(body);
	case '/test/refuse':
		refuse = body.refuse === true;
		return { refuse };
	case '/test/entra':
		entra = body.entra === true;
		return { entra };
	case '/test/rotate':
		keys = [...makeKeys(), ...(body.keep ? keys : [])];
		makeProvider(issuer);
		return { generation };
	case '/test/down':
		down = body.down === true;
		return { down };
	case '/test/counts':
		return counts;
	}
	throw new Error(`no such call: ${request.url}`);
}

async function answerControl(request, response, issuer) {
	let status = 200;
	let body;
	try {
		body = await control(request, issuer);
	} catch (error) {
		status = 500;
		body = { error: String(error) };
	}
	response.writeHead(status, { 'content-type': 'application/json' });
	response.end(JSON.stringify(body));
}

const server = createServer();
server.listen(0, '127.0.0.1', () => {
	const issuer = `http://127.0.0.1:${server.address().port}`;
	keys = makeKeys();
	makeProvider(issuer);
	server.on('request', (request, response) => {
		if (request.url === '/test/interaction') {
			interact(request, response).catch((error) => response.writeHead(500).end(String(error)));
			return;
		}
		if (request.url.startsWith('/test/')) {
			answerControl(request, response, issuer);
			return;
		}
		if (request.url === '/.well-known/openid-configuration') counts.discovery += 1;
		if (request.url === '/jwks') counts.keys += 1;
		if (down) {
			response.writeHead(503).end();
			return;
		}
		handle(request, response);
	});
	console.log(`listening ${issuer}`);
});
