/* clients/js in a page, through what happens to pages. */

import { ask, base, is, ok, run, until } from './lib.mjs';

const upTo = n => Array.from({ length: n }, (_, i) => i + 1);

await run(async browser => {
    const open = async (user, more = '', context) => {
        const page = await (context || await browser.newContext()).newPage();

        await page.goto(`${base}/js/client.html?user=${user}${more}`);

        return page;
    };
    const state = page => page.evaluate(() => window.client.state);
    const isOpen = (page, name) => until(
        () => state(page).then(s => s === 'open'), name);
    const has = async (page, n, name) => {
        await until(() => page.evaluate(() => window.kept.n.length)
                              .then(have => have >= n), `${name}: arrived`);
        is(await page.evaluate(() => window.kept.n), upTo(n),
           `${name}: all, once, in order`);
    };

    /* --- a run, and a reload in the midst of it --- */

    let page = await open('ann');

    await isOpen(page, 'open');
    await ask('post', 'ann', 1, 10);
    await has(page, 10, 'a run');

    const posting = ask('slowly', 'ann', 11, 60);

    await page.reload();
    await isOpen(page, 'open after a reload');
    await posting;
    await has(page, 60, 'a reload in the midst of a run');
    is(await page.evaluate(() => window.told.filter(t => t[0] !== 'close')), [],
       'nothing had to be told');

    /* --- its worker dies --- */

    await ask('kill');
    await until(() => page.evaluate(() => window.tickets).then(n => n > 1),
                'comes back with another ticket');
    await ask('post', 'ann', 61, 80);
    await has(page, 80, 'a worker that dies');

    /* --- the network goes --- */

    await isOpen(page, 'open again');
    await page.context().setOffline(true);
    await until(() => state(page).then(s => s !== 'open'), 'offline: seen');
    await ask('post', 'ann', 81, 100);
    await page.context().setOffline(false);
    await has(page, 100, 'a network that was cut');

    /* --- tickets that are not good --- */

    page = await open('bob', '&bad=2');
    await isOpen(page, 'in by the third ticket');
    is(await page.evaluate(() => window.tickets), 3, 'each was used once');

    /* --- one socket for all tabs --- */

    const context = await browser.newContext();
    const tabs = [await open('cid', '&share=cid', context)];

    await isOpen(tabs[0], 'a tab');
    tabs.push(await open('cid', '&share=cid', context),
              await open('cid', '&share=cid', context));
    await isOpen(tabs[1], 'a second one');
    await isOpen(tabs[2], 'a third one');
    is(await ask('sockets', 'cid'), '1', 'one socket for all');
    await ask('post', 'cid', 1, 5);

    for (const tab of tabs) await has(tab, 5, 'each tab');

    await tabs[0].close();
    await ask('post', 'cid', 6, 9);

    for (const tab of tabs.slice(1)) await has(tab, 9, 'the others go on');

    is(await ask('sockets', 'cid'), '1', 'with one socket');

    /* --- for good --- */

    page = await open('dan');
    await isOpen(page, 'dan');
    await ask('ban', 'dan');
    await until(() => state(page).then(s => s === 'closed'), 'sent away: stays');
    is(await page.evaluate(() => window.told.map(t => t.join())),
       ['close,4501', 'rejected,4501'], 'and is told why');
});
