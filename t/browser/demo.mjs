/* What a newcomer does with the demo. */

import { ask, base, is, ok, run, until } from './lib.mjs';

await run(async browser => {
    const faults = [];
    const context = await browser.newContext({
        viewport: { width: 1080, height: 760 },
        reducedMotion: 'reduce' });
    const ready = (page, name) => until(
        () => page.textContent('#state').then(s => s === 'open'), name);
    const open = async user => {
        const page = await context.newPage();

        page.on('pageerror', error => faults.push(error.message));
        await page.goto(`${base}/?user=${user}`);
        await ready(page, `${user} is connected`);

        return page;
    };
    const text = (page, id) => page.textContent('#' + id);
    const says = (page, what, name, ms) => until(
        () => text(page, 'events').then(t => t.includes(what)), name, ms);
    const fits = page => page.evaluate(
        () => document.documentElement.scrollWidth <= innerWidth);
    const to = await ask('screenshots');
    const picture = async (page, name, shot = {}) => {
        const taken = await page.screenshot(
            to ? { path: `${to}/demo-${name}.png`, ...shot } : shot);

        ok(taken.length > 20000, `a picture, ${name}`);
    };

    const ann = await open('ann');
    const again = await open('ann');
    const bob = await open('bob');

    await ann.fill('#text', 'Where could I spend a long weekend?');
    await ann.click('#go');
    await says(ann, 'search_flights', 'the agent works');

    /* in the midst of it */
    await ann.click('#drop');
    await says(ann, 'an operator disconnected it (4005',
               'the drop is seen, and why');
    await says(ann, 'back after', 'and the return');
    await until(() => text(ann, 'made').then(n => +n >= 2),
                'dropped, and comes back');

    await says(ann, 'How about three days', 'the agent answers', 20000);
    await until(async () => await text(ann, 'count') === await text(again, 'count'),
                'both tabs have as many events');
    is(await text(ann, 'lost'), '0', 'nothing was lost');
    is(await ann.locator('.tool.done').count(), 3, 'three tools, each done');
    ok(/[1-9]\d* in, [1-9]\d* out/.test(await text(ann, 'tokens')),
       'tokens are counted');
    is(await bob.locator('#events li:not(.note)').count(), 0,
       'another user sees nothing of it');
    is(await ann.locator('#events li:not(.note) time small').evaluateAll(
        all => all.every(s => /^#\d+$/.test(s.textContent))), true,
       'each event has its seq');

    for (const scheme of ['light', 'dark']) {
        await ann.emulateMedia({ colorScheme: scheme });
        await ann.evaluate(() => document.querySelector('.note.cut')
            .scrollIntoView({ block: 'center' }));
        await picture(ann, scheme);
    }

    /* what was missed is marked: posted while there was no connection */
    const missed = await text(again, 'replayed');

    is(missed, '0', 'a tab that was there has no replay');
    await again.evaluate(() => {
        window.gate = window.fetch;
        window.fetch = async (...all) => {
            await new Promise(go => { window.openGate = go; });
            return window.gate(...all);
        };
    });
    await ask('kick', 'ann');
    await until(() => again.evaluate(() => !!window.openGate), 'it wants a ticket');
    await ask('post', 'ann', 'while_away');
    await again.evaluate(() => window.openGate());
    await says(again, 'while_away', 'arrives after the drop');
    is(await again.locator('.replayed').last().locator('b').textContent(),
       'while_away', 'and is marked as replayed');
    is(await text(again, 'replayed'), '1', 'and counted');

    /* any type, any length of word */
    await ask('post', 'ann', 'odd:type.of-event', 'x'.repeat(3000));
    await says(ann, 'odd:type.of-event', 'an event of any type');
    await ask('post', 'ann', 'agent_thinking');
    is(await fits(ann), true, 'a word of any length');

    /* a reload, and a tab that opens later */
    const n = await text(ann, 'count');

    await ann.reload();
    await until(async () => await text(ann, 'count') >= n,
                'a reload shows what was');
    await says(ann, 'from the log', 'and says so');
    is(await text(ann, 'lost'), '0', 'with nothing lost');
    is(await ann.locator('.tool.done').count(), 3, 'as it was');

    await again.setViewportSize({ width: 360, height: 740 });
    is(await fits(again), true, 'fits a telephone');
    await again.evaluate(() => scrollTo(0, 0));
    await picture(again, 'telephone');

    /* for good: why, and a way back */
    await ask('ban', 'ann');
    await says(ann, 'disconnected it for good (4501', 'why it was sent away');
    await ann.click('#again');
    await ready(ann, 'in again, by hand');
    is(faults, [], 'no fault in the pages');
});
