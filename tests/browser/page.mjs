// A browser on the running service: one page, what it asked for, and what it complained of.

import { createRequire } from 'node:module';
import { readFileSync, mkdirSync } from 'node:fs';
import { chromium } from 'playwright-core';

/** Where the service is, and the token of each role: what the test that runs these says. */
export const url = process.env.SERVICE_URL;
export const tokens = JSON.parse(process.env.SERVICE_TOKENS);

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const pictures = process.env.PICTURES;

/** Opens a page, gives it to the work, and afterwards refuses any request elsewhere and any error on the page. */
export async function withPage(options, work) {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
  try {
    const context = await browser.newContext({ viewport: { width: 1280, height: 1000 }, ...options });
    const page = await context.newPage();
    const elsewhere = [];
    const errors = [];
    page.on('request', (request) => {
      const asked = request.url();
      if (!asked.startsWith(url) && !asked.startsWith('data:') && !asked.startsWith('blob:')) elsewhere.push(asked);
    });
    page.on('console', (line) => {
      // A refusal that the page shows is told here, too.
      if (line.type() === 'error' && !line.text().includes('the server responded with a status of')) errors.push(line.text());
    });
    page.on('pageerror', (error) => errors.push(String(error)));
    await work(page);
    if (elsewhere.length) throw new Error(`asked elsewhere: ${elsewhere.join(' ')}`);
    if (errors.length) throw new Error(`errors on the page: ${errors.join('\n')}`);
  } finally {
    await browser.close();
  }
}

/** What an automated check of WCAG 2.2 AA finds, one line each. */
export async function barriers(page, within = 'body') {
  await page.evaluate(axe);
  const found = await page.evaluate(
    (within) => globalThis.axe.run(within, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }),
    within,
  );
  return found.violations.flatMap((rule) => rule.nodes.map((node) => `${rule.id}: ${rule.help}: ${node.html}`));
}

/** Keeps a picture where somebody asked for pictures. */
export async function picture(page, name) {
  if (!pictures) return;
  mkdirSync(pictures, { recursive: true });
  await page.screenshot({ path: `${pictures}/${name}.png`, fullPage: true });
}
