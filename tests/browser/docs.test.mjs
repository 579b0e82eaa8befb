// Swagger UI as an officer uses it: authorise once, press "Execute", read.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { picture, tokens, url, withPage } from './page.mjs';

async function authorise(page, role) {
  await page.goto(`${url}/docs/`);
  await page.getByRole('button', { name: 'Authorize' }).click();
  await page.getByLabel('auth-bearer-value').fill(tokens[role]);
  await page.getByRole('button', { name: 'Apply credentials' }).click();
  await page.locator('.auth-btn-wrapper').getByRole('button', { name: 'Close' }).click();
}

/** Opens an operation by its id, executes it as it stands, and gives what was answered. */
async function execute(page, operation) {
  const block = page.locator(`[id$="-${operation}"]`);
  await block.locator('.opblock-summary-control').click();
  await block.getByRole('button', { name: 'Execute' }).click();
  const answer = block.locator('.live-responses-table');
  await answer.waitFor();
  const status = await answer.locator('.response-col_status').last().innerText();
  return { status: status.trim(), body: await answer.locator('.highlight-code, .microlight').first().innerText() };
}

test('operations are arranged by task, in the words of officers', async () => {
  await withPage({}, async (page) => {
    await page.goto(`${url}/docs/`);
    await page.getByText('May this person do this with this paper?').waitFor();
    const tasks = await page.locator('.opblock-tag a.nostyle').allInnerTexts();
    assert.deepEqual(tasks.map((task) => task.trim()), [
      'Ask', 'Determine and refer', 'Look up a past decision', 'Register', 'Documents', 'For systems',
    ]);
    await picture(page, 'docs');
  });
});

test('one token serves the page: ask, and read how it came about', async () => {
  await withPage({}, async (page) => {
    await authorise(page, 'monitoring_officer');
    const explained = await execute(page, 'explainDecision');
    assert.equal(explained.status, '200');
    assert.match(explained.body, /"text"/);
    const waiting = await execute(page, 'listReferrals');
    assert.equal(waiting.status, '200');
    assert.match(waiting.body, /"due"/);
    await picture(page, 'docs-explained');
  });
  await withPage({}, async (page) => {
    await authorise(page, 'pep');
    const decided = await execute(page, 'decide');
    assert.equal(decided.status, '200');
    assert.match(decided.body, /"outcome"/);
  });
});

test('an enquiry is chosen from examples and run by one click', async () => {
  await withPage({}, async (page) => {
    await authorise(page, 'officer');
    const enquired = await execute(page, 'enquire');
    assert.equal(enquired.status, '200');
    assert.match(enquired.body, /"headline": "Cllr /);
    const offered = await page.locator('[id$="-enquire"] .parameters select').allInnerTexts();
    assert.ok(offered.some((options) => options.includes('Cllr Posy Bennett, a ward councillor')), offered.join());
    await picture(page, 'docs-enquiry');
  });
});

test('without a token the page says what is missing', async () => {
  await withPage({}, async (page) => {
    await page.goto(`${url}/docs/`);
    const refused = await execute(page, 'listReferrals');
    assert.match(refused.status, /401/);
    assert.match(refused.body, /Credentials are needed/);
  });
});
