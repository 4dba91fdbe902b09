/* What a newcomer does with the demo. */

import { ask, base, is, ok, run, until } from './lib.mjs';

await run(async browser => {
    const faults = [];
    const context = await browser.newContext({
        viewport: { width: 1080, height: 760 } });
    const open = async user => {
        const page = await context.newPage();

        page.on('pageerror', error => faults.push(error.message));
        await page.goto(`${base}/?user=${user}`);
        await until(() => page.textContent('#state').then(s => /open/.test(s)),
                    `${user} is connected`);

        return page;
    };
    const text = (page, id) => page.textContent('#' + id);

    const ann = await open('ann');
    const again = await open('ann');
    const bob = await open('bob');

    await ann.click('#go');
    await until(() => ann.textContent('#events')
                         .then(t => t.includes('search_flights')),
                'the agent works');

    /* in the midst of it */
    await ann.click('#drop');
    await until(() => text(ann, 'made').then(n => +n >= 2),
                'dropped, and comes back');

    await until(() => ann.textContent('#events')
                         .then(t => t.includes('How about three days')),
                'the agent answers', 20000);
    await until(async () => await text(ann, 'count') === await text(again, 'count'),
                'both tabs have as many events');
    is(await text(ann, 'lost'), '0', 'nothing was lost');
    is(await ann.locator('.tool.done').count(), 3, 'three tools, each done');
    ok(/[1-9]\d* in, [1-9]\d* out/.test(await text(ann, 'tokens')),
       'tokens are counted');
    is(await bob.locator('.card:not(aside .card)').count(), 0,
       'another user sees nothing of it');

    const to = await ask('screenshots');

    for (const scheme of ['light', 'dark']) {
        await ann.emulateMedia({ colorScheme: scheme });

        const picture = await ann.screenshot(
            to ? { path: `${to}/demo-${scheme}.png` } : {});

        ok(picture.length > 20000, `a picture, ${scheme}`);
    }

    await ann.setViewportSize({ width: 360, height: 740 });
    is(await ann.evaluate(() => document.documentElement.scrollWidth
                                <= innerWidth), true, 'fits a telephone');
    is(faults, [], 'no fault in the pages');
});
