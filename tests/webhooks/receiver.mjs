// A webhook receiver that checks every message with the reference library: node receiver.mjs MODULES SECRET...
//   POST /hook/NAME      a message; answered as /test/answer has said, 204 at first
//   POST /test/answer    {"status": 503, "headers": {...}, "hang": true}
//   GET  /test/received  all messages so far: {hook, id, timestamp, verified, answered, body}
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';

const [, , modules, ...secrets] = process.argv;
const { Webhook } = createRequire(resolve(modules, 'package.json'))('standardwebhooks');
const received = [];
let answer = { status: 204 };

async function read(request) {
	const chunks = [];
	for await (const chunk of request) chunks.push(chunk);
	return Buffer.concat(chunks).toString('utf8');
}

function verified(body, headers) {
	return secrets.every((secret) => {
		try {
			new Webhook(secret).verify(body, headers);
			return true;
		} catch {
			return false;
		}
	});
}

async function take(request, response) {
	const body = await read(request);
	const message = {
		hook: request.url.slice('/hook/'.length),
		id: request.headers['webhook-id'],
		timestamp: request.headers['webhook-timestamp'],
		verified: verified(body, request.headers),
		answered: answer.hang ? 0 : answer.status,
		body: JSON.parse(body),
	};
	received.push(message);
	if (answer.hang) return;
	response.writeHead(answer.status, answer.headers ?? {});
	response.end(answer.text ?? '');
}

const server = createServer(async (request, response) => {
	if (request.url.startsWith('/hook/')) {
		await take(request, response);
	} else if (request.url === '/test/answer') {
		answer = JSON.parse(await read(request));
		response.writeHead(200).end('{}');
	} else {
		response.writeHead(200, { 'content-type': 'application/json' });
		response.end(JSON.stringify({ count: received.length, messages: received }));
	}
});
server.listen(0, '127.0.0.1', () => console.log(`listening http://127.0.0.1:${server.address().port}`));
