// The page in a real browser: node page.mjs FOLDER-WITH-NODE_MODULES STORY BASE-URL [ARGUMENT…]. Exit status 0 when the
// story went as it should; otherwise what went wrong, with what the browser had to say. Each state that a story passes
// is judged by axe, and nothing may break the page's own content security policy.
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import assert from 'node:assert/strict';

const [folder, story, base, ...rest] = process.argv.slice(2);
const require = createRequire(join(resolve(folder), 'package.json'));
const { chromium } = require('playwright-core');
const axe = require.resolve('axe-core/axe.min.js');
const PATIENCE_MS = 20000;

// Headless, silent on the network besides what the page does, and free to run as root.
const browser = await chromium.launch({
	executablePath: '/usr/bin/chromium',
	args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
const complaints = [];

async function open(prepare) {
	const context = await browser.newContext({ viewport: { width: 1000, height: 900 } });
	await prepare?.(context);
	const page = await context.newPage();
	page.setDefaultTimeout(PATIENCE_MS);
	page.on('pageerror', (error) => complaints.push(String(error)));
	page.on('console', (message) => {
		if (/Content Security Policy|Trusted/i.test(message.text())) complaints.push(message.text());
	});
	await page.goto(base);
	return page;
}

// The rules of WCAG 2.2 A and AA. The page's own policy lets no script in, so axe comes by the debugger's way.
async function judge(page, where) {
	const { violations } = await page.evaluate(
		`(() => { const module = undefined; ${require('node:fs').readFileSync(axe, 'utf8')}; return axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice']}); })()`,
	);
	for (const v of violations) complaints.push(`${where}: ${v.id}: ${v.help}: ${v.nodes.map((n) => n.html).join(' ')}`);
}

async function typeToken(page, token) {
	await page.getByLabel('Your token').fill(token);
	await judge(page, 'sign-in');
	await page.getByRole('button', { name: 'Sign in' }).click();
}

const card = (page, group) => page.locator(`article[data-group="${group}"]`);

async function activate(page, group, reason) {
	await card(page, group).getByLabel('Reason').fill(reason);
	await card(page, group).getByRole('button', { name: 'Activate' }).click();
	await page.locator('#said', { hasText: 'asked for' }).waitFor();
}

// Asks without the page, and answers the request.
async function ask(broker, token, request, path = '') {
	const response = await fetch(`${broker}/v1.0/identityGovernance/privilegedAccess/group/assignmentScheduleRequests${path}`, {
		method: 'POST',
		headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
		body: request && JSON.stringify({ accessId: 'member', ...request }),
	});
	const text = await response.text();
	assert.ok(response.ok, text);
	return text && JSON.parse(text);
}

const stories = {
	// A person takes a group, sees it count down, and gives it back.
	async person([token, group]) {
		const page = await open();
		await typeToken(page, token);
		await page.getByText('person1@example.com', { exact: true }).waitFor();
		await card(page, group).getByText('at most 8 hours', { exact: true }).waitFor();
		assert.equal(await card(page, group).getByLabel('For').inputValue(), 'PT1H');
		await judge(page, 'groups');
		// What is missing is said by the browser, and nothing is sent.
		await card(page, group).getByRole('button', { name: 'Activate' }).click();
		assert.equal(await card(page, group).getByLabel('Reason').evaluate((input) => input.validity.valueMissing), true);
		await activate(page, group, 'the test asks');
		await card(page, group).getByText('active, ').waitFor();
		await judge(page, 'active');
		let posts = 0;
		page.on('request', (request) => (posts += request.method() === 'POST' ? 1 : 0));
		await card(page, group).getByRole('button', { name: 'Give back' }).dblclick();
		await card(page, group).getByRole('button', { name: 'Activate' }).waitFor();
		assert.equal(posts, 1);
		await page.reload();
		await card(page, group).waitFor(); // still signed in, in this tab
		await page.getByRole('button', { name: 'Sign out' }).click();
		await page.getByLabel('Your token').waitFor();
	},
	// What the server refuses is said, and typed text is not lost to it.
	async refused([token, group]) {
		const page = await open();
		await typeToken(page, token);
		await card(page, group).getByLabel('For').selectOption('2 hours');
		await card(page, group).getByLabel('Reason').fill('the test asks');
		await card(page, group).getByLabel('Ticket').fill('INC0042');
		await card(page, group).getByRole('button', { name: 'Activate' }).click();
		await page.locator('#said', { hasText: 'TicketingRule' }).waitFor();
		assert.equal(await card(page, group).getByLabel('For').inputValue(), 'PT2H');
		assert.equal(await card(page, group).getByLabel('Reason').inputValue(), 'the test asks');
		assert.equal(await card(page, group).getByLabel('Ticket').inputValue(), 'INC0042');
		await judge(page, 'refused');
	},
	// The rules are told before one asks; it can begin later, be withdrawn, and the glass be broken by whom that is for.
	async rules([token, group]) {
		const page = await open();
		await typeToken(page, token);
		const text = 'at most 1 hour 30 minutes · from when the application has confirmed it · somebody has to agree';
		await card(page, group).getByText(text, { exact: true }).waitFor();
		const choices = await card(page, group).getByLabel('For').locator('option').allInnerTexts();
		assert.deepEqual(choices, ['15 minutes', '20 minutes (usual)', '30 minutes', '1 hour', '1 hour 30 minutes']);
		await card(page, group).getByText('Later, or in an emergency').click();
		await judge(page, 'unfolded');
		const tomorrow = new Date(Date.now() + 86400000 - new Date().getTimezoneOffset() * 60000).toISOString().slice(0, 16);
		await card(page, group).getByLabel('Begin at').fill(tomorrow);
		await card(page, group).getByLabel('Break the glass').check();
		await card(page, group).getByLabel('Ticket', { exact: true }).fill('INC0042');
		await activate(page, group, 'the test asks');
		await card(page, group).getByText(/^begins /).waitFor();
		await card(page, group).getByRole('button', { name: 'Withdraw' }).click();
		await card(page, group).getByLabel('Ticket', { exact: true }).fill('INC0042');
		await activate(page, group, 'the test asks');
		await card(page, group).getByText('waits for an approver').waitFor();
	},
	// What is typed in one card outlives what is done in another, what comes by itself, and the end of the sign-in; whoever
	// goes by keyboard stays where they are. Nobody else finds it.
	async kept([token, group, other, stranger]) {
		const page = await open();
		const reason = () => card(page, other).getByLabel('Reason').inputValue();
		const stands = (words) => page.waitForFunction((text) => document.activeElement?.textContent === text, words);
		const signIn = async (with_) => {
			await page.getByLabel('Your token').fill(with_);
			await page.getByRole('button', { name: 'Sign in' }).click();
			await card(page, other).waitFor();
		};
		await typeToken(page, token);
		assert.equal(await card(page, group).getByLabel('Ticket').getAttribute('title'), null);
		await card(page, other).getByLabel('Reason').fill('half a reason');
		await card(page, other).getByLabel('For').selectOption('2 hours');
		await card(page, other).getByText('Later', { exact: true }).click();
		await card(page, group).getByLabel('Reason').fill('the test asks');
		await card(page, group).getByLabel('Reason').press('Enter');
		await card(page, group).getByText('active, ').waitFor();
		assert.equal(await page.evaluate(() => document.activeElement?.dataset.group), group);
		assert.equal(await reason(), 'half a reason');
		await card(page, group).getByRole('button', { name: 'Give back' }).focus();
		const before = await card(page, group).elementHandle();
		await page.waitForFunction((node) => !node.isConnected, before); // time has gone on
		await stands('Give back');
		await judge(page, 'typed');
		await page.route('**/v1.0/**', (route) => route.fulfill({ status: 401, json: { error: { message: 'It has ended.' } } }));
		await ask(base, token, { action: 'selfDeactivate', groupId: group });
		await page.getByLabel('Your token').waitFor();
		await page.unroute('**/v1.0/**');
		await signIn(token);
		assert.equal(await reason(), 'half a reason');
		assert.equal(await card(page, other).getByLabel('For').inputValue(), 'PT2H');
		assert.equal(await card(page, other).getByLabel('Begin at').isVisible(), true);
		await page.route('**/v1.0/**', (route) => route.fulfill({ status: 401, json: { error: { message: 'It has ended.' } } }));
		await ask(base, token, { action: 'selfActivate', groupId: group, justification: 'the test asks' });
		await page.getByLabel('Your token').waitFor();
		await page.unroute('**/v1.0/**');
		await signIn(stranger);
		assert.equal(await reason(), '');
		assert.deepEqual(await page.evaluate(() => Object.keys(sessionStorage)), ['jit.token']);
	},
	// Whatever does not fit one page of a list is there, and what one has is, however much one has asked for since.
	async many([token, group, other]) {
		const start = new Date(Date.now() + 86400000).toISOString();
		await ask(base, token, { action: 'selfActivate', groupId: group, justification: 'the test asks' });
		for (let i = 0; i < 20; i++) {
			const scheduleInfo = { startDateTime: start, expiration: { type: 'afterDuration', duration: 'PT1H' } };
			const { id } = await ask(base, token, { action: 'selfActivate', groupId: other, justification: 'the test asks', scheduleInfo });
			await ask(base, token, undefined, `/${id}/cancel`);
		}
		const page = await open(async (context) => {
			await context.route(/eligibilityScheduleInstances.*policy$/, (route) => route.continue({ url: `${route.request().url()}&$top=1` }));
			// A role that one has no more, by what the server says next.
			await context.route('**/v1.0/me', (route) => route.fulfill({ json: { id: 'x', roles: ['operator'] } }), { times: 1 });
		});
		await typeToken(page, token);
		await card(page, other).getByRole('button', { name: 'Activate' }).waitFor();
		await card(page, group).getByText('active, ').waitFor();
		assert.equal(await page.locator('#requests tbody tr').count(), 20);
		await card(page, group).getByRole('button', { name: 'Give back' }).click();
		await card(page, group).getByRole('button', { name: 'Activate' }).waitFor();
	},
	// A token that is none leads back to the sign-in.
	async stranger() {
		const page = await open();
		await typeToken(page, 'not-a-token');
		await page.getByLabel('Your token').waitFor();
		assert.equal(await page.evaluate(() => sessionStorage.length), 0);
	},
	// An approver reads the reason as text, whatever it holds, and agrees or not.
	async approver([token, word, reason]) {
		const page = await open();
		await typeToken(page, token);
		const request = page.locator('article[data-request]');
		await request.getByText(reason, { exact: true }).waitFor();
		await judge(page, 'approvals');
		assert.equal(await page.locator('main img').count(), 0);
		await request.getByLabel('Your reason').fill('seen');
		await request.getByRole('button', { name: word }).click();
		await request.waitFor({ state: 'detached' });
	},
	// What somebody else's broker has been asked is seen here, told by the server or, where its word does not get through,
	// because the page looks by itself.
	async told([token, group, other, way]) {
		let streams = 0;
		const page = await open((context) =>
			context.route('**/api/events', (route) => {
				streams++;
				return way === 'deaf' ? route.abort() : route.continue();
			}),
		);
		await typeToken(page, token);
		await card(page, group).waitFor();
		await ask(other, token, { action: 'selfActivate', groupId: group, justification: 'the test asks' });
		await card(page, group).getByText('active, ').waitFor();
		assert.equal(streams === 1, way === 'hearing');
	},
	// Who does not look at the page does not listen either, and listens again as soon as they look.
	async unseen([token, group]) {
		const page = await open();
		const isStream = (request) => request.url().endsWith('/api/events');
		const turn = (state) =>
			page.evaluate((value) => {
				Object.defineProperty(document, 'visibilityState', { value, configurable: true });
				document.dispatchEvent(new Event('visibilitychange'));
			}, state);
		const begun = page.waitForRequest(isStream);
		await typeToken(page, token);
		await card(page, group).waitFor();
		await begun;
		const ended = page.waitForEvent('requestfailed', isStream);
		await turn('hidden');
		await ended;
		const again = page.waitForRequest(isStream);
		await turn('visible');
		await again;
	},
	// An operator sees how far an application's cycle is.
	async operator([token]) {
		const page = await open();
		await typeToken(page, token);
		const bar = page.getByRole('progressbar', { name: 'Running cycle' });
		await bar.waitFor();
		assert.deepEqual(await bar.evaluate((node) => [node.value, node.max]), [0, 1]);
		await page.getByText(/0 of 1, pushes: 1, failures: 0, until about \d/).waitFor();
		await judge(page, 'applications');
	},
	// The organisation's provider signs the person in; nothing of it is left in the address.
	async provider([group]) {
		const page = await open();
		await judge(page, 'providers');
		await page.getByRole('button', { name: /^Sign in at / }).click();
		await card(page, group).waitFor();
		assert.equal(new URL(page.url()).search, '');
		await activate(page, group, 'the test asks');
		await card(page, group).getByText('active, ').waitFor();
	},
	// Who has signed in too weakly for a group does so again, stronger, and finds what they had typed, also where they did not.
	async stronger([group, issuer]) {
		const page = await open();
		const again = () => page.getByRole('button', { name: 'Sign in again, stronger' }).click();
		const refuse = (value) =>
			fetch(`${issuer}/test/refuse`, { method: 'POST', body: JSON.stringify({ refuse: value }) });
		const found = async () => {
			assert.equal(await card(page, group).getByLabel('Reason').inputValue(), 'the test asks');
			assert.equal(await card(page, group).getByLabel('Ticket').inputValue(), 'INC0042');
			assert.equal(await card(page, group).getByLabel('For').inputValue(), 'PT15M');
		};
		await page.getByRole('button', { name: /^Sign in at / }).click();
		await card(page, group).getByLabel('For').selectOption('PT15M');
		await card(page, group).getByLabel('Ticket').fill('INC0042');
		await card(page, group).getByLabel('Reason').fill('the test asks');
		await card(page, group).getByRole('button', { name: 'Activate' }).click();
		await page.locator('#said', { hasText: 'MfaRule' }).waitFor();
		await judge(page, 'too weak');
		await refuse(true);
		await again();
		await page.locator('#said', { hasText: 'The provider refuses' }).waitFor();
		await found();
		await refuse(false);
		await card(page, group).getByRole('button', { name: 'Activate' }).click();
		await again();
		await page.waitForURL((url) => url.search === '' && url.origin === base);
		await card(page, group).getByRole('button', { name: 'Activate' }).waitFor();
		await page.waitForFunction((id) => document.activeElement?.dataset.group === id, group);
		await found();
		await card(page, group).getByRole('button', { name: 'Activate' }).click();
		await card(page, group).getByText('active, ').waitFor();
		assert.deepEqual(await page.evaluate(() => Object.keys(sessionStorage).sort()), ['jit.provider', 'jit.token']);
	},
	// A return from the provider that was not begun here signs nobody in.
	async planted() {
		const page = await open();
		await page.goto(`${base}/?code=stolen&state=made-up`);
		await page.locator('#said', { hasText: 'was not begun here' }).waitFor();
		assert.equal(await page.evaluate(() => sessionStorage.length), 0);
	},
};

let status = 0;
try {
	await stories[story](rest);
	assert.deepEqual(complaints, []);
} catch (error) {
	console.error(`${story}: ${error.stack ?? error}`);
	console.error(complaints.join('\n'));
	for (const context of browser.contexts())
		for (const page of context.pages()) console.error(await page.locator('body').innerText().catch(() => ''));
	status = 1;
}
await browser.close();
process.exit(status);
