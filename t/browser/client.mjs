/* clients/js in a page, through what happens to pages. */

import { ask, base, is, ok, run, until } from './lib.mjs';

const upTo = n => Array.from({ length: n }, (_, i) => i + 1);

const at = (user, more) => `${base}/js/client.html?user=${user}${more}`;
const newPage = async (context, user, more = '') => {
    const page = await context.newPage();

    await page.goto(at(user, more));

    return page;
};
const state = page => page.evaluate(() => window.client.state);
const leads = page => page.evaluate(() => window.client.leads);
const isOpen = (page, name) => until(
    () => state(page).then(s => s === 'open'), name);
const has = async (page, n, name) => {
    await until(() => page.evaluate(() => window.kept.n.length)
                          .then(have => have >= n), `${name}: arrived`, 30000);
    is(await page.evaluate(() => window.kept.n), upTo(n),
       `${name}: all, once, in order`);
};

/* two tabs of one user, the first of which leads */
async function pair(browser, user) {
    const context = await browser.newContext();
    const first = await newPage(context, user, `&share=${user}`);

    await isOpen(first, `${user}: a tab`);

    const second = await newPage(context, user, `&share=${user}`);

    await isOpen(second, `${user}: a second one`);
    is([await leads(first), await leads(second)], [true, false],
       `${user}: the first one leads`);

    return { context, first, second,
             cdp: await context.newCDPSession(first) };
}

/* tabs with different threads hear each its own */
async function threads(browser) {
    const context = await browser.newContext();
    const tabs = {};

    for (const thread of ['a', 'b']) {
        tabs[thread] = await newPage(context, 'eve',
                                     `&share=eve&thread=${thread}`);
        await isOpen(tabs[thread], `thread ${thread}`);
    }

    for (const thread of ['a', 'b']) {
        await ask('thread', 'eve', thread, 1, 3);
        await has(tabs[thread], 3, `thread ${thread}`);
    }

    await tabs.a.evaluate(() => window.client.show('b'));
    await isOpen(tabs.a, 'shows the other thread');
    await until(() => ask('sockets', 'eve').then(n => n === '1'),
                'one socket is left');
    await ask('thread', 'eve', 'b', 4, 6);
    await has(tabs.b, 6, 'thread b');
    await has(tabs.a, 6, 'a tab that changed its thread');
    await context.close();
}

/* a tab comes back with an older position than the leader has */
async function behind(browser) {
    const { context, first, second } = await pair(browser, 'fay');

    await ask('post', 'fay', 1, 3);
    await has(second, 3, 'a tab that goes');
    await second.goto('about:blank');
    await ask('post', 'fay', 4, 6);
    await has(first, 6, 'the one that stays');
    await second.goto(at('fay', '&share=fay'));
    await has(second, 6, 'the tab that is back');
    is(await leads(second), false, 'as a follower');
    await ask('post', 'fay', 7, 9);
    await has(first, 9, 'the one that stays, afterwards');
    await has(second, 9, 'the tab that is back, afterwards');
    await context.close();
}

/* a leader that goes to another page lets go, also where the browser keeps the
   page, which comes back as a follower */
async function leaves(browser) {
    const { context, first, second } = await pair(browser, 'gus');

    await first.evaluate(url => { location.href = url; }, `${base}/js/index.js`);
    await until(() => leads(second), 'goes: the other one leads');
    await isOpen(second, 'goes: and is open');
    is(await ask('sockets', 'gus'), '1', 'one socket');
    await ask('post', 'gus', 1, 5);
    await has(second, 5, 'the tab that stays');
    await first.evaluate(() => { history.back(); }).catch(() => {});
    await until(() => first.evaluate(() => window.restored).catch(() => {}),
                'the page is restored as it was');
    await has(first, 5, 'a page that is back');
    is(await leads(first), false, 'as a follower');
    is(await ask('sockets', 'gus'), '1', 'one socket for both');
    await context.close();
}

/* a leader that hangs without an event loses the lead */
async function hangs(browser) {
    const { context, first, second, cdp } = await pair(browser, 'hal');

    await cdp.send('Debugger.enable');
    await cdp.send('Debugger.pause');
    await ask('post', 'hal', 1, 5);         /* wakes it: it stops there */
    await until(() => leads(second), 'hangs: the other one leads', 40000);
    await isOpen(second, 'hangs: and is open');
    await has(second, 5, 'beside a tab that hangs');
    await cdp.send('Debugger.resume');
    await until(() => leads(first).then(l => !l), 'back: it leads no more');
    await has(first, 5, 'a tab that hung');
    await until(() => ask('sockets', 'hal').then(n => n === '1'),
                'one socket for both');
    await context.close();
}

await run(async browser => {
    const open = async (user, more, context) => newPage(
        context || await browser.newContext(), user, more);

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

    /* the lead passes to a tab that never had a socket, and late */
    for (const tab of tabs.slice(1)) {
        await tab.evaluate(() => {
            window.gate = new Promise(open => { window.open_gate = open; });
        });
    }

    await tabs[0].close();
    await until(async () => (await Promise.all(tabs.slice(1).map(leads)))
                                .includes(true), 'another one leads');
    await ask('post', 'cid', 6, 9);
    await ask('broadcast', 10, 12);

    for (const tab of tabs.slice(1)) {
        await tab.evaluate(() => window.open_gate());
    }

    for (const tab of tabs.slice(1)) await has(tab, 12, 'the others go on');

    is(await ask('sockets', 'cid'), '1', 'with one socket');
    await context.close();

    await threads(browser);
    await behind(browser);
    await leaves(browser);
    await hangs(browser);

    /* --- for good --- */

    page = await open('dan');
    await isOpen(page, 'dan');
    await ask('ban', 'dan');
    await until(() => state(page).then(s => s === 'closed'), 'sent away: stays');
    is(await page.evaluate(() => window.told.map(t => t.join())),
       ['close,4501', 'rejected,4501'], 'and is told why');
});
