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
    await until(() => page.locator('#plots figure').nth(2).textContent()
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

    /* axes have units and a span; both spans */
    const label = () => page.locator('canvas').nth(7).getAttribute('aria-label');

    ok(/\d [kM]B.*in the last 5 min/.test(await label()),
       'a plot is told to who does not see it, with its unit and span');
    await page.click('text=1 hour');
    ok(/in the last 60 min/.test(await label()), 'an hour too');

    /* a long name breaks nothing; what is sought is found */
    const long = 'x'.repeat(250);
    const find = async word => {
        await page.fill('#word', word);
        await page.press('#word', 'Enter');
    };

    await find('xxxx');
    await until(() => page.textContent('#users')
                          .then(t => t.includes(long) && !t.includes('ann')),
                'a part of a name finds');
    is(await page.evaluate(() => [...document.querySelectorAll('#users tr')]
        .every(tr => tr.offsetHeight < 60)), true, 'a long name stays a row');
    await find('nobody-such');
    await until(() => page.textContent('#users')
                          .then(t => /nobody of that name/.test(t)),
                'nobody of a name is told');
    await find('');

    /* one user, by the keyboard, and a page that can be linked */
    const name = page.locator('#users button.link[title=ann]');

    await name.waitFor();
    await name.focus();
    await page.keyboard.press('Enter');
    await until(() => page.textContent('#user-body')
                          .then(t => /online *yes.*"type":"x"/s.test(t)),
                'the view of a user: state and log');
    is(await page.evaluate(() => document.activeElement.id), 'user',
       'has the focus');
    is(new URL(page.url()).hash, '#ann', 'and an address');

    /* rows do not move under the pointer */
    await page.hover('#users');
    await until(() => page.textContent('#held')
                          .then(t => t.includes('held still')), 'rows hold still');

    const to = await ask('screenshots');

    for (const scheme of ['light', 'dark']) {
        await page.emulateMedia({ colorScheme: scheme });

        const shot = await page.screenshot({ fullPage: true,
            ...to && { path: `${to}/status-${scheme}.png` } });

        ok(shot.length > 20000, `a picture, ${scheme}`);
    }

    await page.setViewportSize({ width: 360, height: 740 });
    is(await page.evaluate(() => document.documentElement.scrollWidth
                                 <= innerWidth), true,
       'nothing is beyond the edge of a telephone');
    await page.screenshot({ fullPage: true,
                            ...to && { path: `${to}/status-telephone.png` } });
    await page.click('#user-close');
    await until(() => page.isHidden('#user'), 'the view of a user closes');

    /* a disconnect asks first */
    const away = page.locator('button[aria-label="disconnect ann"]');

    await away.click();
    await page.click('#ask button[value=""]');
    is(await ask('sockets', 'ann'), '1', 'cancelled: ann is still there');
    await away.click();
    await page.click('#ask button[value=yes]');
    is(await ask('closed'), '4005', 'ann was disconnected');
    await until(() => page.textContent('#users')
                          .then(text => !text.includes('ann')),
                'and is gone from the list');

    /* what happened is told, with a remedy */
    await ask('die');
    await until(() => page.textContent('#wrong')
                          .then(t => /workers died: 1 in/.test(t)
                                     && /dmesg/.test(t)),
                'a worker that died is told first, with a remedy', 20000);

    await ask('stop');
    await until(() => page.textContent('#wrong')
                          .then(text => /does not answer/.test(text)),
                'a manager that is gone is told');
    is(await page.textContent('#health'), 'unknown: no answer',
       'and is not called healthy');
    await until(() => page.getAttribute('#age', 'class').then(c => c === 'old'),
                'the data are old');
    is(faults.filter(f => !/ERR_CONNECTION|Failed to load/.test(f)), [],
       'no fault in the console, nothing asked of others');
});
