/* Chromium for tests: what a browser script needs, and how it asks the story
   that started it for what only that can do. */

import { createInterface } from 'node:readline';
import { createRequire } from 'node:module';

const require = createRequire(process.env.WS_MGR_CLIENTS + '/');
const { chromium } = require('playwright-core');

export const base = process.env.WS_MGR_BASE;

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
let n = 0, failed = 0;

/* "post 5" and the like; answered by a line */
export async function ask(...words) {
    process.stdout.write(`> ${words.join(' ')}\n`);
    return (await lines.next()).value;
}

export function ok(value, name) {
    n++;
    failed += !value;
    process.stdout.write(`${value ? 'ok' : 'not ok'} ${name}\n`);
}

export function is(got, expected, name) {
    const [a, b] = [got, expected].map(v => JSON.stringify(v));

    ok(a === b, name);
    if (a !== b) process.stdout.write(`# got ${a}, expected ${b}\n`);
}

export async function until(block, name, ms = 10000) {
    const end = Date.now() + ms;
    let value;

    do {
        value = await block();
        if (value) break;
        await new Promise(resolve => setTimeout(resolve, 20));
    } while (Date.now() < end);

    ok(value, name);

    return value;
}

export async function run(block) {
    const browser = await chromium.launch({
        executablePath: '/usr/bin/chromium',
        /* pages are kept for "back", as browsers do by default */
        ignoreDefaultArgs: ['--disable-back-forward-cache'],
        args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
    });

    try {
        await block(browser);
    } catch (error) {
        ok(false, error.stack.replace(/\n/g, ' | '));
    }

    await browser.close();
    process.stdout.write(`done ${n}\n`);
    process.exit(failed ? 1 : 0);
}
