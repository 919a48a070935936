// Compares the broker's Standard Webhooks with the reference library: each verifies what the other has signed, and
// both refuse what was tampered with. Usage: differential.mjs PEER FOLDER [SEED], where PEER is the built
// tests/webhooks/peer.c and FOLDER holds the node_modules of package.json. Prints "N passed, N failed".
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { createInterface } from "node:readline";

const [peerPath, modules, seedText] = process.argv.slice(2);
const { Webhook } = createRequire(resolve(modules, "from-here.js"))("standardwebhooks");
const TOLERANCE = 300;
const CASES = 150;

// -- chance that can be repeated (mulberry32) ----------------------------------------------------------------

const seed = Number(seedText ?? Math.floor(Math.random() * 2 ** 32)) >>> 0;
let state = seed;

function below(limit) {
	state = (state + 0x6d2b79f5) >>> 0;
	let t = Math.imul(state ^ (state >>> 15), state | 1);
	t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
	return ((t ^ (t >>> 14)) >>> 0) % limit;
}

const pick = (list) => list[below(list.length)];
const times = (count, make) => Array.from({ length: count }, make);

function randomSecret() {
	return "whsec_" + Buffer.from(times(24 + below(41), () => below(256))).toString("base64");
}

// Printable ASCII without blank and full stop.
function randomId() {
	const signs = times(94, (_, i) => String.fromCharCode(33 + i)).filter((c) => c !== ".");
	return times(1 + below(128), () => pick(signs)).join("");
}

// Any text of Unicode, since the reference library signs text; now and then large, empty or with a NUL.
function randomBody() {
	const length = pick([0, 1, 20, 20, 200, 2000, 12000]);
	const ranges = [[0, 0x7f], [0x20, 0x5f], [0x80, 0x77f], [0x800, 0xcfff], [0xe000, 0x1000], [0x10000, 0x100000]];
	return times(length, () => {
		const [first, count] = pick(ranges);
		return String.fromCodePoint(first + below(count));
	}).join("");
}

// -- the two sides -------------------------------------------------------------------------------------------

let now = 1_800_000_000_000;
Date.now = () => now;

const peer = spawn(peerPath, [], { stdio: ["pipe", "pipe", "inherit"] });
const answers = createInterface({ input: peer.stdout, crlfDelay: Infinity })[Symbol.asyncIterator]();
const ended = new Promise((done) => peer.on("close", (code, signal) => done(signal ?? code)));

const hex = (text) => (text === undefined ? "-" : "x" + Buffer.from(text).toString("hex"));

async function ask(...words) {
	peer.stdin.write(words.join(" ") + "\n");
	const { value, done } = await answers.next();
	if (done) throw new Error("the peer has ended");
	return value;
}

const message = (m) => [hex(m.id), hex(m.timestamp), hex(m.body)];

async function ourSign(secrets, m) {
	const answer = await ask("sign", secrets.join(","), ...message(m));
	return answer.startsWith("signed ") ? answer.slice(7) : answer;
}

const ourVerify = (secrets, m, signature) =>
	ask("verify", secrets.join(","), ...message(m), hex(signature), now);

const theirSign = (secret, m) => new Webhook(secret).sign(m.id, new Date(Number(m.timestamp) * 1000), m.body);

function theirVerify(secret, m, signature) {
	const headers = { "webhook-id": m.id, "webhook-timestamp": m.timestamp, "webhook-signature": signature };
	try {
		new Webhook(secret).verify(m.body, headers, { jsonParse: false });
		return "valid";
	} catch (error) {
		return error.name === "WebhookVerificationError" ? "refused" : String(error);
	}
}

// -- rows ----------------------------------------------------------------------------------------------------

let passed = 0;
let failed = 0;

function expect(what, got, want) {
	if (got === want) {
		passed++;
		return;
	}
	failed++;
	console.log(`${what}: ${got} instead of ${want}`);
}

async function bothRefuse(what, secret, m, signature) {
	expect(`${what}, the library`, theirVerify(secret, m, signature), "refused");
	expect(`${what}, the broker`, (await ourVerify([secret], m, signature)).split(" ")[0], "refused");
}

function randomMessage() {
	const offset = below(2 * TOLERANCE + 1) - TOLERANCE;
	return { id: randomId(), timestamp: String(Math.floor(now / 1000) + offset), body: randomBody() };
}

// One character of the text becomes another one.
function change(text, alphabet) {
	const at = below(text.length);
	const others = alphabet.filter((c) => c !== text[at]);
	return text.slice(0, at) + pick(others) + text.slice(at + 1);
}

async function agree() {
	const secret = randomSecret();
	const m = randomMessage();
	const theirs = theirSign(secret, m);
	const ours = await ourSign([secret], m);
	expect("the signature", ours, theirs);
	expect("ours to them", theirVerify(secret, m, ours), "valid");
	expect("theirs to us", await ourVerify([secret], m, theirs), "valid");
	return { secret, m, signature: theirs };
}

async function tamper({ secret, m, signature }) {
	const letters = [..."abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/"];
	const [version, base64] = signature.split(",");
	const second = Number(m.timestamp);
	const near = second < now / 1000 ? second + 1 : second - 1;
	await bothRefuse("another body", secret, { ...m, body: m.body + pick([" ", "\n", "0", "\0"]) }, signature);
	if (m.body !== "") await bothRefuse("a shorter body", secret, { ...m, body: [...m.body].slice(1).join("") }, signature);
	await bothRefuse("another id", secret, { ...m, id: change(m.id, letters) }, signature);
	await bothRefuse("another time", secret, { ...m, timestamp: String(near) }, signature);
	await bothRefuse("another secret", randomSecret(), m, signature);
	await bothRefuse("another signature", secret, m, `${version},${change(base64.slice(0, -1), letters)}=`);
	await bothRefuse("a cut signature", secret, m, signature.slice(0, -1 - below(44)));
	await bothRefuse("another version", secret, m, `${pick(["v1a", "v2", "v0", "V1", ""])},${base64}`);
	// The border between id, time and body cannot be moved.
	await bothRefuse("a moved border", secret, { ...m, id: m.id.slice(0, -1) || "x", timestamp: m.timestamp, body: m.id.at(-1) + m.body }, signature);
	for (const name of ["id", "timestamp"])
		for (const value of [undefined, ""])
			await bothRefuse(`no ${name}`, secret, { ...m, [name]: value }, signature);
	await bothRefuse("no signature", secret, m, undefined);
	await bothRefuse("an empty signature", secret, m, "");
}

// A list of signatures, some by secrets that the receiver does not know, and a receiver with several secrets.
async function rotate() {
	const m = randomMessage();
	const secrets = times(1 + below(4), randomSecret);
	const signers = times(1 + below(4), () => (below(3) === 0 ? pick(secrets) : randomSecret()));
	const list = signers.map((secret) => theirSign(secret, m));
	for (let i = below(4); i > 0; i--) list.splice(below(list.length + 1), 0, pick(["v1a,AAAA", "v2,x", "v1,", "w"]));
	const header = list.join(" ");
	const any = secrets.some((secret) => theirVerify(secret, m, header) === "valid");
	expect("a rotation", (await ourVerify(secrets, m, header)).split(" ")[0], any ? "valid" : "refused");
	const ours = await ourSign(secrets, m);
	for (const secret of secrets) expect("each secret of ours", theirVerify(secret, m, ours), "valid");
	expect("a secret that is not ours", theirVerify(randomSecret(), m, ours), "refused");
}

async function clocks() {
	const secret = randomSecret();
	for (const offset of [-100000, -302, -301, -300, -299, -1, 0, 1, 299, 300, 301, 302, 100000])
		for (const fraction of [0, 1, 500, 999]) {
			now = 1_800_000_000_000 + fraction;
			const m = { id: "clock", timestamp: String(1_800_000_000 + offset), body: "{}" };
			const signature = theirSign(secret, m);
			const want = Math.abs(offset) <= TOLERANCE ? "valid" : "refused";
			expect(`${offset} s, the library`, theirVerify(secret, m, signature), want);
			expect(`${offset} s, the broker`, (await ourVerify([secret], m, signature)).split(" ")[0], want);
		}
	now = 1_800_000_000_000;
}

// What the library lets pass and the broker does not, on purpose; each with the reason that it gives.
async function stricter() {
	const secret = randomSecret();
	const m = { id: "strict", timestamp: "1800000000", body: "{}" };
	const signature = theirSign(secret, m);
	const dotted = { ...m, id: "a.b" };
	const rows = [
		["a full stop", dotted, theirSign(secret, dotted), "full stop"],
		["a leading zero", { ...m, timestamp: "01800000000" }, signature, "whole number"],
		["a time with a tail", { ...m, timestamp: "1800000000abc" }, signature, "whole number"],
		["a time with a sign", { ...m, timestamp: "+1800000000" }, signature, "whole number"],
		["a signature with a tail", m, signature + ",v1", "No signature matches"],
	];
	for (const [what, changed, given, reason] of rows) {
		expect(`${what}, the library`, theirVerify(secret, changed, given), "valid");
		const answer = await ourVerify([secret], changed, given);
		expect(`${what}, the broker`, answer.startsWith("refused ") && answer.includes(reason), true);
	}
	expect("a secret that is too short", await ask("sign", "whsec_AAAA", ...message(m)), "bad");
	expect("an id that cannot be sent", await ask("sign", secret, ...message(dotted)), "refused");
}

console.log(`seed ${seed}`);
for (let i = 0; i < CASES; i++) {
	await tamper(await agree());
	await rotate();
}
await clocks();
await stricter();
peer.stdin.end();
expect("the peer's end", await ended, 0);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
