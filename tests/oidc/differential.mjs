// Compares the broker's token verifier with the library jose: the same tokens, good and hostile, the same verdicts.
// Where the broker is stricter, the row says why; nowhere may it be laxer. Usage: differential.mjs VERIFIER FOLDER, where
// VERIFIER is the built tests/oidc/verifier.c and FOLDER holds the node_modules of package.json.
// Prints "N passed, N failed".
import { spawn } from "node:child_process";
import { createHmac, createSign, generateKeyPairSync, sign as signBytes, constants, webcrypto } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const [verifierPath, modules] = process.argv.slice(2);
// Debian 12's Node.js 18 has these, but not as globals, where jose looks for them.
globalThis.crypto ??= webcrypto;
globalThis.CryptoKey ??= webcrypto.CryptoKey;
const jose = await import(pathToFileURL(resolve(modules, "node_modules/jose/dist/webapi/index.js")));

const ISSUER = "https://issuer.example.com";
const AUDIENCE = "api://jit";
const NOW = 1_800_000_000; // seconds
const SKEW = 60;
const ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA", "Ed25519"];

// -- keys ----------------------------------------------------------------------------------------------------

const pairs = {
	RS256: generateKeyPairSync("rsa", { modulusLength: 2048 }),
	PS256: generateKeyPairSync("rsa", { modulusLength: 2048 }),
	ES256: generateKeyPairSync("ec", { namedCurve: "P-256" }),
	EdDSA: generateKeyPairSync("ed25519"),
	stranger: generateKeyPairSync("ec", { namedCurve: "P-256" }),
	small: generateKeyPairSync("rsa", { modulusLength: 1024 }),
	ES384: generateKeyPairSync("ec", { namedCurve: "P-384" }),
};

const publish = (name, more) => ({ ...pairs[name].publicKey.export({ format: "jwk" }), kid: name, use: "sig", ...more });
const jwks = {
	keys: [
		publish("RS256", { alg: "RS256" }),
		publish("PS256", { alg: "PS256" }),
		publish("ES256", { alg: "ES256" }),
		publish("EdDSA", { alg: "EdDSA" }),
		publish("small", { alg: "RS256" }),
		publish("ES384", { alg: "ES384" }),
		publish("stranger", { kid: "encryption", use: "enc" }),
		publish("RS256", { kid: "any-rsa", alg: undefined }),
	],
};

// -- tokens --------------------------------------------------------------------------------------------------

const b64 = (data) => Buffer.from(data).toString("base64url");

function signature(how, key, data) {
	const bytes = Buffer.from(data);
	switch (how) {
	case "RS256":
		return createSign("sha256").update(bytes).sign(key);
	case "PS256":
		return signBytes("sha256", bytes, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 });
	case "PS256-salt20":
		return signBytes("sha256", bytes, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 20 });
	case "ES256":
		return signBytes("sha256", bytes, { key, dsaEncoding: "ieee-p1363" });
	case "ES256-der":
		return signBytes("sha256", bytes, { key, dsaEncoding: "der" });
	case "ES384":
		return signBytes("sha384", bytes, { key, dsaEncoding: "ieee-p1363" });
	case "EdDSA":
		return signBytes(null, bytes, key);
	case "HS256":
		return createHmac("sha256", key).update(bytes).digest();
	case "zeroes":
		return Buffer.alloc(64);
	case "nothing":
		return Buffer.alloc(0);
	}
	throw new Error(how);
}

const CLAIMS = { iss: ISSUER, aud: AUDIENCE, sub: "amira", exp: NOW + 300, iat: NOW - 10 };

// `header` and `claims` are objects laid over the usual ones, or texts that are taken as they stand.
function make({ alg = "ES256", how = alg, key = alg, header = {}, claims = {} } = {}) {
	const first = typeof header === "string" ? header : JSON.stringify({ alg, kid: key, typ: "JWT", ...header });
	const second = typeof claims === "string" ? claims : JSON.stringify({ ...CLAIMS, ...claims });
	const data = `${b64(first)}.${b64(second)}`;
	const secret = typeof key === "string" ? pairs[key].privateKey : key;
	return `${data}.${signature(how, secret, data).toString("base64url")}`;
}

// The last character of a part stands for bits that are not all used: another one with the same bits that are.
function otherEnd(text) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	return text.slice(0, -1) + alphabet[alphabet.indexOf(text.at(-1)) + 1];
}

const good = make();
const [head, body, tail] = good.split(".");
const pem = (name) => Buffer.from(pairs[name].publicKey.export({ format: "pem", type: "spki" }));
const without = (name) => JSON.stringify(Object.fromEntries(Object.entries(CLAIMS).filter(([key]) => key !== name)));
const twice = (name, value) => JSON.stringify(CLAIMS).replace("{", `{"${name}":${JSON.stringify(value)},`);
const ownKey = pairs.stranger.publicKey.export({ format: "jwk" });

// [what, token, why the broker is stricter where it is, moment in seconds]
const rows = [
	...["RS256", "PS256", "ES256", "EdDSA"].map((alg) => [`good ${alg}`, make({ alg })]),
	["good Ed25519 by its newer name", make({ alg: "Ed25519", how: "EdDSA", key: "EdDSA" }), "", NOW, "the key says EdDSA"],
	["good, a key for any RSA", make({ alg: "RS256", key: "RS256", header: { kid: "any-rsa" } })],
	["good, PS256 with the key for any RSA", make({ alg: "PS256", key: "RS256", header: { kid: "any-rsa" } })],
	["good, no typ", make({ header: { typ: undefined } })],
	["good, at+jwt", make({ header: { typ: "at+jwt" } })],
	["good, typ in capitals", make({ header: { typ: "JWT" } })],
	["good, several audiences", make({ claims: { aud: ["x", AUDIENCE] } })],
	["good, unknown members", make({ header: { x: 1 }, claims: { y: [1] } })],
	["good, not before now", make({ claims: { nbf: NOW } })],

	// The signature.
	["another key with this kid", make({ key: "stranger", header: { kid: "ES256" } })],
	["a kid that is not published", make({ header: { kid: "nobody" } })],
	["the key of another algorithm", make({ alg: "ES256", key: "ES256", header: { kid: "RS256" } })],
	["RS256 with the key of PS256", make({ alg: "RS256", key: "PS256" })],
	["PS256 with the key of RS256", make({ alg: "PS256", key: "RS256" })],
	["alg none", make({ alg: "none", how: "nothing", key: "ES256" })],
	["alg None", make({ alg: "None", how: "nothing", key: "ES256" })],
	["alg none with a signature", make({ alg: "none", how: "ES256", key: "ES256" })],
	["alg missing", make({ header: { alg: undefined } })],
	["alg of the wrong type", make({ header: { alg: ["ES256"] } })],
	["alg in small letters", make({ header: { alg: "es256" } })],
	["HS256 with the public key", make({ alg: "HS256", key: pem("RS256"), header: { kid: "RS256" } })],
	["HS256 with an empty key", make({ alg: "HS256", key: Buffer.alloc(0), header: { kid: "RS256" } })],
	["RS512 announced", make({ how: "RS256", key: "RS256", header: { alg: "RS512" } })],
	["ES384", make({ alg: "ES384", key: "ES384" })],
	["ES256 in DER", make({ how: "ES256-der" })],
	["PS256 with a short salt", make({ alg: "PS256", how: "PS256-salt20" })],
	["zeroes", make({ how: "zeroes" })],
	["no signature", make({ how: "nothing" })],
	["an RSA key of 1024 bits", make({ alg: "RS256", key: "small" })],
	["a key for encryption", make({ key: "stranger", header: { kid: "encryption" } })],
	["claims of another token", `${head}.${make({ claims: { sub: "olga" } }).split(".")[1]}.${tail}`],
	["header of another token", `${make({ header: { x: 1 } }).split(".")[0]}.${body}.${tail}`],
	["a bit of the signature", `${head}.${body}.${(tail[0] === "A" ? "B" : "A") + tail.slice(1)}`],
	["half a signature", `${head}.${body}.${tail.slice(0, 43)}`],
	["signature and more", `${head}.${body}.${tail.slice(0, -2)}AAAAAA`],

	// Keys that a token brings along.
	["jwk, signed with it", make({ key: "stranger", header: { kid: "mine", jwk: { ...ownKey, kid: "mine" } } })],
	["jwk under a published kid", make({ key: "stranger", header: { kid: "ES256", jwk: { ...ownKey, kid: "ES256" } } })],
	["jku", make({ key: "stranger", header: { kid: "mine", jku: "https://evil.example.com/keys" } })],
	["x5u", make({ key: "stranger", header: { kid: "mine", x5u: "https://evil.example.com/c" } })],
	["x5c", make({ key: "stranger", header: { kid: "mine", x5c: ["MIIB"] } })],
	["jwk, signed by the provider", make({ header: { jwk: ownKey } }), "an honest provider sends none; whoever does wants it used"],
	["jku, signed by the provider", make({ header: { jku: "https://issuer.example.com/keys" } }), "as above"],
	["x5c, signed by the provider", make({ header: { x5c: ["MIIB"] } }), "as above"],
	["x5u, signed by the provider", make({ header: { x5u: "https://issuer.example.com/c" } }), "as above"],

	// The header.
	["crit", make({ header: { crit: ["exp"], exp: NOW } })],
	["crit, empty", make({ header: { crit: [] } })],
	["crit with b64", make({ header: { crit: ["b64"], b64: true } }), "no extension is known here"],
	["b64 false", make({ header: { crit: ["b64"], b64: false } })],
	["no kid", make({ header: { kid: undefined } }), "jose takes the only key that fits the algorithm; here a token names its key"],
	["kid of the wrong type", make({ header: { kid: 7 } })],
	["kid empty", make({ header: { kid: "" } })],
	["kid with a path", make({ header: { kid: "../ES256" } })],
	["typ of a logout token", make({ header: { typ: "logout+jwt" } }), "a token of another kind must not sign anybody in"],
	["typ of an ID token's kind unknown", make({ header: { typ: "JOSE" } }), "as above"],
	["header twice alg", make({ header: '{"alg":"none","alg":"ES256","kid":"ES256"}' }), "which of two is meant cannot be told"],
	["header no object", make({ header: '["ES256"]' })],
	["header no JSON", make({ header: "alg" })],
	["header and more", make({ header: '{"alg":"ES256","kid":"ES256"} {}' })],

	// The form.
	["padding", `${head}.${body}.${tail}==`, "not the compact form's alphabet"],
	["padding of the header", `${head}=.${body}.${tail}`],
	["a blank at the end", `${good} `, "not the compact form's alphabet"],
	["a line end", `${good}\n`, "not the compact form's alphabet"],
	["base64 of the other alphabet", `${head}.${body}.${tail.slice(0, -4)}+/A=`],
	["another last character", `${head}.${body}.${otherEnd(tail)}`, "one token has one spelling"],
	["a part more", `${good}.e30`],
	["a part less", `${head}.${body}`],
	["an empty part", `${head}..${tail}`],
	["nothing", ""],
	["dots", ".."],
	["a NUL", `${head}.${body}.\0${tail}`],
	["five parts", "a.b.c.d.e"],
	["JSON instead", JSON.stringify({ payload: body, signatures: [{ protected: head, signature: tail }] })],

	// The claims.
	["another audience", make({ claims: { aud: "api://other" } })],
	["an audience that begins so", make({ claims: { aud: `${AUDIENCE}/more` } })],
	["an audience in capitals", make({ claims: { aud: AUDIENCE.toUpperCase() } })],
	["no audience", make({ claims: without("aud") })],
	["audiences, not ours", make({ claims: { aud: ["a", "b"] } })],
	["no audiences", make({ claims: { aud: [] } })],
	["audience of the wrong type", make({ claims: { aud: 7 } })],
	["audiences of the wrong type", make({ claims: { aud: [AUDIENCE, 7] } }), "a list of texts has texts"],
	["another issuer", make({ claims: { iss: "https://evil.example.com" } })],
	["the issuer with a slash", make({ claims: { iss: `${ISSUER}/` } })],
	["no issuer", make({ claims: without("iss") })],
	["issuer of the wrong type", make({ claims: { iss: [ISSUER] } })],
	["no subject", make({ claims: without("sub") }), "nobody would be signed in"],
	["subject empty", make({ claims: { sub: "" } }), "as above"],
	["subject of the wrong type", make({ claims: { sub: 7 } }), "as above"],
	["no end", make({ claims: without("exp") }), "a token ends"],
	["end as text", make({ claims: { exp: String(NOW + 300) } })],
	["expired", make({ claims: { exp: NOW - 300 } })],
	["expired by the skew", make({ claims: { exp: NOW - SKEW } })],
	["a second before that", make({ claims: { exp: NOW - SKEW + 1 } })],
	["a second after that", make({ claims: { exp: NOW - SKEW - 1 } })],
	["an end in fractions", make({ claims: { exp: NOW + 0.5 } })],
	["an end beyond all", make({ claims: '{"iss":"' + ISSUER + '","aud":"' + AUDIENCE + '","sub":"a","exp":1e300}' }), "no time that is one"],
	["a negative end", make({ claims: { exp: -1 } })],
	["not yet", make({ claims: { nbf: NOW + SKEW + 1 } })],
	["not yet, within the skew", make({ claims: { nbf: NOW + SKEW } })],
	["not before as text", make({ claims: { nbf: "soon" } })],
	["issued in the future", make({ claims: { iat: NOW + SKEW + 1 } }), "jose looks at that only where an age is asked for"],
	["issued as text", make({ claims: { iat: "now" } })],
	["issuer twice", make({ claims: twice("iss", ISSUER) }), "which of two is meant cannot be told"],
	["audience twice", make({ claims: twice("aud", "api://other") }), "as above"],
	["end twice", make({ claims: twice("exp", NOW + 9000) }), "as above"],
	["bound to a key", make({ claims: { cnf: { jkt: "x" } } }), "the sender's key would have to be proven"],
	["claims no object", make({ claims: "[]" })],
	["claims no JSON", make({ claims: "iss" })],
	["claims and more", make({ claims: `${JSON.stringify(CLAIMS)}{}` })],
	["claims not UTF-8", `${b64('{"alg":"ES256","kid":"ES256"}')}.${Buffer.from([0x7b, 0xff, 0x7d]).toString("base64url")}.${tail}`],
];

// -- the two sides -------------------------------------------------------------------------------------------

const folder = mkdtempSync(join(tmpdir(), "jit-tokens-"));
writeFileSync(join(folder, "jwks.json"), JSON.stringify(jwks));
const verifier = spawn(verifierPath, [ISSUER, AUDIENCE, join(folder, "jwks.json")], { stdio: ["pipe", "pipe", "inherit"] });
const answers = createInterface({ input: verifier.stdout })[Symbol.asyncIterator]();
const ended = new Promise((done) => verifier.on("close", (code, signal) => done(signal ?? code)));

async function ours(token, at) {
	verifier.stdin.write(`${at * 1000} ${Buffer.from(token).toString("hex")}\n`);
	const { value, done } = await answers.next();
	if (done) throw new Error("the verifier has ended");
	return value;
}

const keys = jose.createLocalJWKSet(jwks);

async function theirs(token, at) {
	try {
		await jose.jwtVerify(token, keys, {
			issuer: ISSUER,
			audience: AUDIENCE,
			algorithms: ALGORITHMS,
			clockTolerance: SKEW,
			currentDate: new Date(at * 1000),
		});
		return "ok";
	} catch (error) {
		return `refused ${error.code ?? error.message}`;
	}
}

let passed = 0;
let failed = 0;

for (const [what, token, stricter = "", at = NOW, laxer = ""] of rows) {
	const [us, them] = [await ours(token, at), await theirs(token, at)];
	const [weTake, theyTake] = [us === "ok", them === "ok"];
	const fits = laxer !== "" ? weTake && !theyTake : weTake === (stricter === "" ? theyTake : false) && (stricter === "" || theyTake);
	if (fits) {
		passed++;
		continue;
	}
	failed++;
	console.log(`${what}: the broker: ${us}; jose: ${them}${stricter && `; said to be stricter: ${stricter}`}`);
}

verifier.stdin.end();
const status = await ended;
rmSync(folder, { recursive: true });
if (status !== 0) console.log(`the verifier ended with ${status}`);
console.log(`${passed} passed, ${failed + (status === 0 ? 0 : 1)} failed`);
process.exitCode = failed === 0 && status === 0 ? 0 : 1;
