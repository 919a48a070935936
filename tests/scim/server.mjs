// SCIM servers of other people on loopback, for integration tests: node server.mjs NAME LOG, run from a
// copy beside the node_modules, with NAME being one of scimmy and better-auth. Prints "listening URL", the base of its SCIM calls, when it can be asked. Its
// bearer token is "sandbox-token". LOG gets one JSON line for each SCIM request, in the form of the sandbox's log.
// Its own state, past all SCIM, is at GET /test/state: {"groups":{NAME:[userName or id, ...]},"users":[userName, ...]}.
import { appendFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { randomUUID, webcrypto } from 'node:crypto';

// Node.js 18, which Debian 12 has, keeps it in a module.
globalThis.crypto ??= webcrypto;

const TOKEN = 'sandbox-token';
const [name, log] = process.argv.slice(2);

const servers = {
	// SCIMMY leaves storing to its user: here a map each. What its own PATCH has made of a resource comes in whole.
	async scimmy() {
		const { default: SCIMMY } = await import('scimmy');
		const { default: SCIMMYRouters } = await import('scimmy-routers');
		const { default: express } = await import('express');
		const stores = { User: new Map(), Group: new Map() };

		for (const [type, store] of Object.entries(stores)) {
			const key = type === 'User' ? 'userName' : 'displayName';
			SCIMMY.Resources.declare(SCIMMY.Resources[type], {
				ingress(resource, data) {
					for (const other of store.values()) {
						if (other.id !== resource.id && other[key].toLowerCase() === data[key].toLowerCase())
							throw new SCIMMY.Types.Error(409, 'uniqueness', `${key} is taken`);
					}
					const id = resource.id ?? randomUUID();
					if (resource.id && !store.has(id)) throw new SCIMMY.Types.Error(404, null, 'not found');
					store.set(id, { ...JSON.parse(JSON.stringify(data)), id });
					return store.get(id);
				},
				egress(resource) {
					if (!resource.id) return resource.filter?.match([...store.values()]) ?? [...store.values()];
					if (!store.has(resource.id)) throw new SCIMMY.Types.Error(404, null, 'not found');
					return store.get(resource.id);
				},
				degress(resource) {
					if (!store.delete(resource.id)) throw new SCIMMY.Types.Error(404, null, 'not found');
				},
			});
		}

		const app = express();
		app.use('/scim/v2', new SCIMMYRouters({
			type: 'bearer',
			handler(request) {
				if (request.header('Authorization') !== `Bearer ${TOKEN}`) throw new Error('wrong token');
				return 'broker';
			},
		}));
		return {
			path: '/scim/v2',
			handle: app,
			state: () => ({
				users: [...stores.User.values()].map((user) => user.userName),
				groups: Object.fromEntries([...stores.Group.values()].map((group) => [
					group.displayName,
					(group.members ?? []).map(({ value }) => stores.User.get(value)?.userName ?? value),
				])),
			}),
		};
	},

	async 'better-auth'(origin) {
		const { betterAuth } = await import('better-auth');
		const { toNodeHandler } = await import('better-auth/node');
		const { memoryAdapter } = await import('better-auth/adapters/memory');
		const { scim } = await import('@better-auth/scim');
		const { getAuthTables } = await import('better-auth/db');
		const tables = {};
		const options = {
			baseURL: origin,
			secret: 'a secret that protects nothing at all',
			database: memoryAdapter(tables),
			rateLimit: { enabled: false },
			telemetry: { enabled: false },
			logger: { level: 'error' },
			plugins: [scim({
				connections: [{ id: 'broker', credentials: [{ type: 'bearer', id: 'one', token: TOKEN }] }],
			})],
		};
		for (const { modelName } of Object.values(getAuthTables(options))) tables[modelName] = [];
		const auth = betterAuth(options);
		const name = (id) => tables.scimUser.find((user) => user.id === id)?.userName ?? id;
		return {
			path: '/api/auth/scim/v2',
			handle: toNodeHandler(auth),
			state: () => ({
				users: tables.scimUser.map((user) => user.userName),
				groups: Object.fromEntries(tables.scimGroup.map((group) => [
					group.displayName,
					tables.scimGroupMember
						.filter((member) => member.groupId === group.id)
						.map((member) => name(member.scimUserId)),
				])),
			}),
		};
	},
};

// One line for each request, written before its answer can be read.
function record(request, response) {
	const entry = { received_ms: Date.now(), method: request.method, path: request.url };
	const parts = [];
	const end = response.end;

	request.on('data', (part) => parts.push(part));
	response.end = function (...rest) {
		const text = Buffer.concat(parts).toString();
		let body = null;
		try {
			body = text === '' ? null : JSON.parse(text);
		} catch {
			body = text;
		}
		appendFileSync(log, `${JSON.stringify({
			...entry, answered_ms: Date.now(), status: response.statusCode, client_gone: false, body,
		})}\n`);
		return end.apply(this, rest);
	};
}

const server = createServer();
server.listen(0, '127.0.0.1', async () => {
	const origin = `http://127.0.0.1:${server.address().port}`;
	const foreign = await servers[name](origin);

	server.on('request', (request, response) => {
		if (request.url === '/test/state') {
			response.writeHead(200, { 'content-type': 'application/json' });
			response.end(JSON.stringify(foreign.state()));
			return;
		}
		record(request, response);
		foreign.handle(request, response);
	});
	console.log(`listening ${origin}${foreign.path}`);
});
