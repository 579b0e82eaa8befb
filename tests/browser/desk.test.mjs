// The desk as an officer uses it, page by page; each page without barriers that a machine can find.

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { barriers, picture, tokens, url, withPage } from './page.mjs';

async function signIn(page, role) {
  await page.goto(`${url}/desk`);
  await page.getByLabel('Your key or access token').fill(tokens[role]);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { level: 1, name: 'May this person see this paper?' }).waitFor();
}

// Pages that say the same on any day; what the others say turns on working days and is asked for word by word below.
const REVIEWED = ['sign-in', 'home', 'rules', 'rule'];

/** No barriers, one main heading, a language, and what assistive technology is told of the page. */
async function isOpenToAll(page, name) {
  assert.deepEqual(await barriers(page), [], name);
  assert.equal(await page.locator('h1').count(), 1, name);
  assert.equal(await page.locator('html').getAttribute('lang'), 'en-GB');
  await picture(page, name);
  const told = await page.locator('main').ariaSnapshot();
  if (REVIEWED.includes(name)) isAsReviewed(name, told);
  return told;
}

/** Compares what assistive technology is told with what was reviewed; `UPDATE=1` writes it anew, to be read. */
function isAsReviewed(name, told) {
  const lasting = told
    .replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'ID')
    .replace(/sha256:[0-9a-f]{64}/g, 'HASH')
    .replace(/\d{4}-\d{2}-\d{2}(T[0-9:.]+Z)?/g, 'TIME')
    .replace(/\d{4}-\d{2}/g, 'MONTH')
    .replace(/\d{1,2} [A-Z][a-z]+ \d{4}(, \d{2}:\d{2})?/g, 'TIME')
    .replace(/version \d+/g, 'version N')
    .replace(/[A-Z][a-z]+ \d{4}/g, 'MONTH');
  const file = new URL(`./snapshots/${name}.yaml`, import.meta.url);
  if (process.env.UPDATE) {
    mkdirSync(new URL('./snapshots/', import.meta.url), { recursive: true });
    writeFileSync(file, `${lasting}\n`);
  }
  assert.equal(`${lasting}\n`, readFileSync(file, 'utf8'), name);
}

test('who has not signed in is shown where to, and a wrong token is told', async () => {
  await withPage({}, async (page) => {
    await page.goto(`${url}/desk/referrals`);
    await page.getByRole('alert').getByText('Sign in first.').waitFor();
    await page.getByLabel('Your key or access token').fill('pp_wrong');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('alert').getByText('not good').waitFor();
    const told = await isOpenToAll(page, 'sign-in');
    assert.match(told, /textbox "Your key or access token"/);
  });
});

test('an enquiry begins with a sentence, and can be reached by keyboard alone', async () => {
  await withPage({}, async (page) => {
    await signIn(page, 'monitoring_officer');
    const form = await isOpenToAll(page, 'home');
    for (const field of ['Who asks', 'Which paper', 'To do what', 'In what capacity', 'For what purpose']) {
      assert.match(form, new RegExp(`(combobox|textbox) "${field}"`));
    }
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Skip to the content');
    await page.getByLabel('Who asks').fill('cllr-okafor');
    await page.locator('#document').fill('doc:cabinet-repairs-contract');
    await page.getByLabel('In what capacity').selectOption('councillor');
    await page.getByLabel('For what purpose').selectOption('ward');
    await page.getByLabel('For what purpose').press('Tab');
    await page.keyboard.press('Enter');
    const headline = page.getByRole('heading', { level: 1 });
    await headline.getByText('Okafor').waitFor();
    assert.match(await headline.innerText(), /^Cllr .*Okafor may .*doc:cabinet-repairs-contract/);
    const told = await isOpenToAll(page, 'enquiry');
    assert.match(told, /heading "Why" \[level=2\]/);
    await page.emulateMedia({ media: 'print' });
    assert.equal(await page.locator('header').isVisible(), false, 'the page is printed without the desk around it');
    await picture(page, 'enquiry-printed');
  });
});

test('a paper has a list of those it is for', async () => {
  await withPage({}, async (page) => {
    await signIn(page, 'monitoring_officer');
    await page.locator('#audience-document').fill('doc:licensing-crown-bar');
    await page.getByRole('button', { name: 'List everyone' }).click();
    await page.getByRole('heading', { name: /^May have it in full/ }).waitFor();
    assert.match(await isOpenToAll(page, 'audience'), /rowheader "Cllr/);
  });
});

test('a referral is read and answered', async () => {
  await withPage({}, async (page) => {
    await signIn(page, 'monitoring_officer');
    await page.getByRole('link', { name: 'Referrals' }).click();
    await isOpenToAll(page, 'referrals');
    await page.locator('tbody th a').first().click();
    await page.getByRole('heading', { name: 'Record the answer' }).waitFor();
    const told = await isOpenToAll(page, 'referral');
    assert.match(told, /group/);
    await page.getByLabel('No', { exact: true }).check();
    await page.getByLabel('Who decided').fill('nobody-of-the-register');
    await page.getByLabel('Reasons').fill('The need is not shown.');
    await page.getByRole('button', { name: 'Record and close' }).click();
    await page.getByRole('alert').getByText('Nothing was recorded.').waitFor();
    await isOpenToAll(page, 'referral-refused');
  });
});

test('the rule book is searched and a rule is read', async () => {
  await withPage({}, async (page) => {
    await signIn(page, 'officer');
    await page.getByRole('link', { name: 'Rule book' }).click();
    await isOpenToAll(page, 'rules');
    await page.getByLabel('Find a rule').fill('curiosity');
    await page.getByRole('button', { name: 'Find' }).click();
    await page.locator('.rules a').first().click();
    await page.getByRole('heading', { name: 'As written' }).waitFor();
    await isOpenToAll(page, 'rule');
  });
});

test('decisions are counted, with a chart and the same in a table', async () => {
  await withPage({}, async (page) => {
    await signIn(page, 'information_governance');
    await page.getByRole('link', { name: 'Statistics' }).click();
    assert.match(await isOpenToAll(page, 'statistics'), /img "Decisions of each month/);
  });
});

test('it can be used on a telephone', async () => {
  await withPage({ viewport: { width: 360, height: 740 } }, async (page) => {
    await signIn(page, 'monitoring_officer');
    for (const [path, name] of [['/desk/home', 'home'], ['/desk/referrals', 'referrals'], ['/desk/policies', 'rules'], ['/desk/statistics', 'statistics']]) {
      await page.goto(`${url}${path}`);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      assert.ok(wide <= 0, `${name} is ${wide} too wide`);
      await isOpenToAll(page, `${name}-telephone`);
    }
  });
});

test('signing out forgets', async () => {
  await withPage({}, async (page) => {
    await signIn(page, 'officer');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.goto(`${url}/desk/home`);
    await page.getByText('Sign in first.').waitFor();
  });
});
