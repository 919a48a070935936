// Microsoft Graph's own SDK, unmodified, as a client of the broker over TLS. Usage: client.mjs FOLDER BASE CASE, where
// FOLDER holds the node_modules of package.json and BASE is "https://127.0.0.1:PORT/"; NODE_EXTRA_CA_CERTS names the
// broker's certificate. Each case finds the world of test_graph_sdk.c as it was started. Exit status 0 when it holds.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { resolve } from "node:path";

const [modules, baseUrl, name] = process.argv.slice(2);
const sdk = createRequire(resolve(modules, "from-here.js"))("@microsoft/microsoft-graph-client");
const { Client, BatchRequestContent, BatchResponseContent, GraphError, PageIterator, RetryHandlerOptions } = sdk;

const PIM = "/identityGovernance/privilegedAccess/group/";
const person = (n) => `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`;
const group = (n) => `a0000000-0000-4000-8000-${String(n).padStart(12, "0")}`;
const OPERATOR = 0;
const PLAIN = 0, APPROVED = 1, NOBODYS = 2; // groups: as policy has them

function signedIn(n, token = `token-${n}`) {
	return Client.init({
		baseUrl,
		customHosts: new Set([new URL(baseUrl).hostname]),
		authProvider: (done) => done(null, token),
	});
}

const body = (more) => ({ accessId: "member", justification: "because", ...more });

function activation(who, groupId, more = {}) {
	const scheduleInfo = { expiration: { type: "afterDuration", duration: "PT1H" } };
	return body({ action: "selfActivate", principalId: person(who), groupId, scheduleInfo, ...more });
}

const activate = (who, groupId, more) =>
	signedIn(who).api(PIM + "assignmentScheduleRequests").post(activation(who, groupId, more));

// Asks until `holds` says yes; the broker pushes within a second.
async function until(get, holds) {
	const end = Date.now() + 60_000;
	for (;;) {
		const seen = await get();
		if (holds(seen)) return seen;
		assert.ok(Date.now() < end, `not in time: ${JSON.stringify(seen)}`);
	}
}

const provisioned = (who, id) =>
	until(() => signedIn(who).api(`${PIM}assignmentScheduleRequests/${id}`).get(), (r) => r.status === "Provisioned");

async function refusal(promise) {
	try {
		await promise;
	} catch (error) {
		assert.ok(error instanceof GraphError, String(error));
		return error;
	}
	assert.fail("it was not refused");
}

async function readAll(client, first) {
	const seen = [];
	await new PageIterator(client, first, (item) => seen.push(item)).iterate();
	return seen;
}

const inAnHour = (n) => new Date(Date.now() + (n + 1) * 3_600_000).toISOString();

const cases = {
	async activate() {
		const made = await activate(1, group(PLAIN));
		assert.equal(made.status, "PendingProvisioning");
		assert.equal(made.action, "selfActivate");
		assert.match(made["@odata.context"], /^https:.*\$metadata#.*assignmentScheduleRequests\/\$entity$/);
		const done = await provisioned(1, made.id);
		assert.ok(Date.parse(done.completedDateTime) >= Date.parse(done.createdDateTime));
		const mine = await signedIn(1).api(PIM + "assignmentScheduleInstances/filterByCurrentUser(on='principal')").get();
		assert.equal(mine.value.length, 1);
		assert.equal(mine.value[0].assignmentType, "activated");
		const again = await signedIn(1).api(PIM + "assignmentSchedules/" + mine.value[0].assignmentScheduleId)
			.expand("group,principal").get();
		assert.equal(again.group.displayName, "group-0");
		assert.equal(again.principal.userPrincipalName, "person1@example.com");
		// A deactivation needs no schedule.
		const ended = await signedIn(1).api(PIM + "assignmentScheduleRequests")
			.post(body({ action: "selfDeactivate", principalId: person(1), groupId: group(PLAIN) }));
		assert.equal(ended.status, "Revoked");
	},

	async pages() {
		const client = signedIn(2);
		for (let i = 0; i < 7; i++) {
			const scheduleInfo = {
				startDateTime: inAnHour(2 * i),
				expiration: { type: "AfterDuration", duration: "PT30M" },
			};
			const made = await activate(2, group(PLAIN), { scheduleInfo });
			assert.equal(made.status, "Granted");
		}
		const first = await client.api(PIM + "assignmentScheduleRequests")
			.filter(`principalId eq '${person(2)}' and groupId eq '${group(PLAIN)}' and status ne 'Revoked'`)
			.select("id,status,createdDateTime").orderby("createdDateTime desc").top(2).count(true).get();
		assert.equal(first["@odata.count"], 7);
		assert.equal(first.value.length, 2);
		const all = await readAll(client, first);
		assert.equal(new Set(all.map((r) => r.id)).size, 7);
		for (const r of all) assert.deepEqual(Object.keys(r).sort(), ["createdDateTime", "id", "status"]);
		const times = all.map((r) => Date.parse(r.createdDateTime));
		assert.deepEqual(times, [...times].sort((a, b) => b - a));
		// What has not begun can be withdrawn: no body either way.
		await client.api(`${PIM}assignmentScheduleRequests/${all[0].id}/cancel`).post(null);
		const gone = await client.api(`${PIM}assignmentScheduleRequests/${all[0].id}`).get();
		assert.equal(gone.status, "Canceled");
		const left = await client.api(PIM + "assignmentSchedules/filterByCurrentUser(on='principal')").get();
		assert.equal(left.value.length, 6);
	},

	async errors() {
		await activate(3, group(PLAIN), { scheduleInfo: { expiration: { type: "afterDuration", duration: "PT5H" } } });
		const exists = await refusal(activate(3, group(PLAIN)));
		assert.equal(exists.statusCode, 400);
		assert.match(exists.code, /^(RoleAssignmentExists|PendingRoleAssignmentRequest)$/);
		assert.match(exists.requestId, /^[0-9a-f-]{36}$/);
		assert.ok(exists.date instanceof Date && !Number.isNaN(exists.date.getTime()));
		const policy = await refusal(activate(3, group(NOBODYS), { justification: "" }));
		assert.equal(policy.code, "RoleAssignmentRequestPolicyValidationFailed");
		assert.match(policy.message, /^The following policy rules failed: \["EligibilityRule","JustificationRule"\]$/);
		assert.deepEqual(JSON.parse(policy.body).details.map((d) => d.rule), ["EligibilityRule", "JustificationRule"]);
		const missing = await refusal(signedIn(3).api(`${PIM}assignmentScheduleRequests/${group(9)}`).get());
		assert.equal(missing.statusCode, 404);
		const filter = await refusal(signedIn(3).api(PIM + "assignmentScheduleRequests").get());
		assert.equal(filter.statusCode, 400);
		const others = await refusal(signedIn(3).api(PIM + "eligibilityScheduleRequests").post(body({
			action: "adminAssign", principalId: person(3), groupId: group(NOBODYS),
			scheduleInfo: { expiration: { type: "noExpiration" } },
		})));
		assert.equal(others.statusCode, 403);
		const nobody = await refusal(signedIn(3, "no token of anybody's").api(PIM + "assignmentSchedules").get());
		assert.equal(nobody.statusCode, 401);
		assert.equal(nobody.code, "InvalidAuthenticationToken");
	},

	// The store stands still until the SDK has been told to come again: one request is made all the same.
	async retry() {
		const redis = Number(process.env.REDIS_PID);
		const told = [];
		const options = new RetryHandlerOptions(1, 5, (_delay, _attempt, _request, _options, response) => {
			told.push([response.status, response.headers.get("retry-after")]);
			process.kill(redis, "SIGCONT");
			return true;
		});
		process.kill(redis, "SIGSTOP");
		const made = await signedIn(4).api(PIM + "assignmentScheduleRequests").middlewareOptions([options])
			.post(activation(4, group(PLAIN)));
		assert.ok(told.length >= 1 && (told[0][0] === 503 || told[0][0] === 504), JSON.stringify(told));
		assert.match(told[0][1], /^[1-9][0-9]*$/);
		await provisioned(4, made.id);
		const mine = await signedIn(4).api(PIM + "assignmentScheduleRequests/filterByCurrentUser(on='principal')").get();
		assert.deepEqual(mine.value.map((r) => r.id), [made.id]);
	},

	async approve() {
		for (const [version, stages, word] of [["v1.0", "stages", "Approve"], ["beta", "steps", "Deny"]]) {
			const made = await activate(5, group(APPROVED));
			assert.equal(made.status, "PendingApproval");
			assert.equal(made.approvalId, made.id);
			const approver = signedIn(6);
			const inbox = await approver.api(PIM + "assignmentScheduleRequests/filterByCurrentUser(on='approver')")
				.filter("status eq 'PendingApproval'").version(version).get();
			assert.deepEqual(inbox.value.map((r) => r.id), [made.id]);
			const approval = await approver.api(`${PIM}assignmentApprovals/${made.approvalId}`).version(version).get();
			assert.equal(approval[stages][0].assignedToMe, true);
			const path = `${PIM}assignmentApprovals/${made.approvalId}/${stages}/${approval[stages][0].id}`;
			const decision = { reviewResult: word, justification: "seen" };
			await approver.api(path).version(version).patch(decision);
			// Once more is the same; another one's word comes too late.
			await approver.api(path).version(version).patch(decision);
			const late = await refusal(signedIn(7).api(path).version(version).patch({ reviewResult: "Approve" }));
			assert.equal(late.statusCode, 409);
			const own = await refusal(signedIn(5).api(path).version(version).patch({ reviewResult: "Approve" }));
			assert.equal(own.statusCode, 403);
			if (word === "Approve") {
				await provisioned(5, made.id);
				await signedIn(5).api(PIM + "assignmentScheduleRequests")
					.post(body({ action: "selfDeactivate", principalId: person(5), groupId: group(APPROVED) }));
			} else {
				const seen = await signedIn(5).api(`${PIM}assignmentScheduleRequests/${made.id}`).get();
				assert.equal(seen.status, "Denied");
			}
		}
	},

	async eligibility() {
		await refusal(activate(8, group(NOBODYS)));
		const operator = signedIn(OPERATOR);
		const made = await operator.api(PIM + "eligibilityScheduleRequests").post(body({
			action: "AdminAssign", principalId: person(8), groupId: group(NOBODYS),
			scheduleInfo: { startDateTime: new Date().toISOString(), expiration: { type: "NoExpiration" } },
		}));
		assert.equal(made.status, "Provisioned");
		assert.equal(made.scheduleInfo.expiration.type, "noExpiration");
		const mine = await signedIn(8).api(PIM + "eligibilityScheduleInstances/filterByCurrentUser(on='principal')").get();
		assert.ok(mine.value.some((i) => i.groupId === group(NOBODYS) && i.endDateTime === null));
		assert.ok(mine.value.some((i) => i.groupId === group(PLAIN)));
		await activate(8, group(NOBODYS));
		const made2 = await operator.api(PIM + "eligibilityScheduleRequests").post(body({
			action: "adminRemove", principalId: person(8), groupId: group(NOBODYS),
		}));
		assert.equal(made2.status, "Revoked");
	},

	async batch() {
		const url = (path) => new URL(path.slice(1), baseUrl).href;
		const headers = { "Content-Type": "application/json" };
		const steps = [
			{ id: "1", request: new Request(url(PIM + "assignmentScheduleRequests"),
				{ method: "POST", headers, body: JSON.stringify(activation(9, group(PLAIN))) }) },
			{ id: "2", dependsOn: ["1"], request: new Request(url(PIM +
				"assignmentSchedules/filterByCurrentUser(on='principal')?$select=id,status"), { method: "GET" }) },
			{ id: "3", dependsOn: ["2"], request: new Request(url(PIM + "nothing"), { method: "GET" }) },
			{ id: "4", dependsOn: ["3"], request: new Request(url(PIM + "nothing"), { method: "GET" }) },
		];
		const content = await new BatchRequestContent(steps).getContent();
		const answer = new BatchResponseContent(await signedIn(9).api("/$batch").post(content));
		assert.equal(answer.getResponseById("1").status, 201);
		const made = await answer.getResponseById("1").json();
		assert.equal(made.principalId, person(9));
		assert.equal((await answer.getResponseById("2").json()).value.length, 1);
		assert.equal(answer.getResponseById("3").status, 404);
		assert.equal(answer.getResponseById("4").status, 424);
	},
};

assert.ok(name in cases, `no case ${name}`);
await cases[name]();
