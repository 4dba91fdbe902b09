/* The status page, as an operator sees it, also on a telephone. */

import { ask, base, is, ok, run, until } from './lib.mjs';

await run(async browser => {
    const page = await browser.newPage();
    const faults = [];

    page.on('pageerror', error => faults.push(error.message));
    page.on('console', m => m.type() === 'error' && faults.push(m.text()));
    page.on('request', r => r.url().startsWith(base)
                            || faults.push(`asks for ${r.url()}`));

    const answer = await page.goto(`${base}/api/`);
    const policy = answer.headers()['content-security-policy'];

    ok(/default-src 'none'/.test(policy) && !/unsafe/.test(policy),
       'a strict policy');
    await until(() => page.textContent('#health')
                          .then(text => text === 'healthy'), 'healthy');
    await until(() => page.textContent('#users')
                          .then(text => text.includes('ann')), 'ann is online');

    const color = () => page.evaluate(
        () => getComputedStyle(document.body).backgroundColor);
    const light = await color();

    await page.emulateMedia({ colorScheme: 'dark' });
    ok(await color() !== light, 'dark, where that is preferred');

    await ask('post', 30);
    await until(() => page.locator('#plots section').nth(2).textContent()
                          .then(text => /[1-9]/.test(text)),
                'a rate of events is seen');
    await until(() => page.evaluate(() => [...document.querySelectorAll('canvas')]
        .every(c => c.getContext('2d')
            .getImageData(0, 0, c.width, c.height).data.some(v => v))),
        'each plot has a line');

    await ask('refuse');
    await until(() => page.textContent('#refused')
                          .then(text => text.includes('ticket_missing')),
                'a refusal is named');

    await page.setViewportSize({ width: 360, height: 740 });
    is(await page.evaluate(() => document.documentElement.scrollWidth
                                 <= innerWidth), true,
       'nothing is beyond the edge of a telephone');

    await page.click('button[aria-label="disconnect ann"]');
    is(await ask('closed'), '4005', 'ann was disconnected');
    await until(() => page.textContent('#users')
                          .then(text => text.includes('nobody')),
                'and is gone from the list');

    await ask('stop');
    await until(() => page.textContent('#fault').then(text => text.length > 0),
                'a manager that is gone is told');
    is(faults.filter(f => !/ERR_CONNECTION|Failed to load/.test(f)), [],
       'no fault in the console, nothing asked of others');
});
