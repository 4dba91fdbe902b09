"""What is measured, of whom, and what is to be reached."""

from typing import NamedTuple


class Entrant(NamedTuple):
    kind: str                   # a server of servers.py
    options: dict               # how it is started
    core: str                   # where its load is
    settings: dict              # of the load, beside those of the row


class Row(NamedTuple):
    settings: dict              # of the load: bench/compare/load.c
    entrants: dict              # by name; all take turns within a round
    figures: dict               # key: heading, which field of the load's answer
    rounds: int = 3             # more where they differ much


class Target(NamedTuple):
    name: str
    key: str
    ours: str
    other: str                  # '': the figure itself, not a ratio
    limit: float
    least: bool = False         # at least that; else at most


def entrant(kind, core='1', options=None, **settings):
    return Entrant(kind, options or {}, core, settings)


def entrants(*kinds):
    return {kind: entrant(kind) for kind in kinds}


RIVALS = entrants('ours', 'limit', 'nchan', 'ws on Node')
OURS = entrants('ours')
BOTH = dict(core='0,1', options=dict(workers=2, core='0,1'))

ROWS = (
    Row(dict(sockets=64, users=64, posts=60000), RIVALS,
        {'unicast': ('300 B to one socket, CPU us a post', 'cpu_us_post'),
         'unicast_posts': ('the same, posts/s', 'posts_s')}, rounds=7),

    Row(dict(sockets=64, users=64, posts=60000, size=2000), RIVALS,
        {'big': ('2 kB to one socket, CPU us a post', 'cpu_us_post')}),

    Row(dict(sockets=192, users=64, posts=30000), RIVALS,
        {'three': ('to three sockets, CPU us a delivery', 'cpu_us_delivery')}),

    Row(dict(sockets=10000, users=10000, everyone=1, posters=1, posts=20,
             rate=5), RIVALS,
        {'broadcast': ('to 10,000 sockets at once, CPU us a delivery',
                       'cpu_us_delivery')}),

    Row(dict(sockets=10000, users=10000, everyone=1, posters=1, posts=20,
             rate=5, hold=1, probe='/nothing'), entrants('ours', 'nchan'),
        {'blocked': ('the same: longest that it let another request wait, us',
                     'longest_us')}),

    # of a second each: what a neighbour does lasts for some
    Row(dict(sockets=64, users=64, posts=5000, rate=5000), RIVALS,
        {'p50': ('5,000/s: p50, us', 'p50_us'),
         'p99': ('5,000/s: p99, us', 'p99_us')}, rounds=15),

    Row(dict(sockets=8000, users=8000, idle=1), RIVALS,
        {'connect': ('CPU us a connect (ours: with a ticket)',
                     'connect_cpu_us')}, rounds=7),

    Row(dict(sockets=10000, users=10000, idle=1, late=1), RIVALS,
        {'memory': ("idle memory a socket beside nginx's slot (ours: with its "
                    'used ticket, which is remembered), B', 'memory')}),

    Row(dict(sockets=64, users=64, posts=60000),
        {'ours': entrant('ours'), 'ours, 2 workers': entrant('ours', **BOTH),
         'nchan': entrant('nchan'), 'nchan, 2 workers': entrant('nchan', **BOTH)
         },
        {'workers': ('two workers, 300 B to one socket, CPU us a post',
                     'cpu_us_post')}, rounds=7),

    Row(dict(sockets=0, users=1, posts=60000), entrants('nginx 204'),
        {'nothing': ('nginx answering 204, CPU us a post', 'cpu_us_post')}),

    Row(dict(sockets=1000, users=1000, batch=100, posters=4, posts=2000), OURS,
        {'batch': ('NDJSON, 100 a body, 1,000 users, CPU us an event delivered',
                   'cpu_us_delivery')}),

    Row(dict(sockets=0, users=1000, batch=100, posters=4, posts=4000), OURS,
        {'batch_alone': ('the same without sockets, CPU us an event',
                         'cpu_us_event')}),

    Row(dict(sockets=1, users=1, posts=100000), OURS,
        {'coalesced': ('all to one socket, CPU us a post', 'cpu_us_post')}),

    Row(dict(sockets=1000, users=1000, posts=200000, posters=64), OURS,
        {'tokens': ('1,000 sockets, token by token, CPU us a post',
                    'cpu_us_post')}),

    Row(dict(sockets=64, users=64, posts=100000, stream=1), OURS,
        {'stream': ('streams, a line when the last was answered, CPU us an '
                    'event', 'cpu_us_event')}),

    # one agent for each user, all tokens published one by one; beside it
    # what such an event costs that comes with no others
    Row(dict(sockets=1000, users=1000),
        {'ours': entrant('ours', posters=1000, stream=256, rate=200000,
                         posts=600000),
         'unicast': entrant('ours', posters=64, posts=100000)},
        {'streamed': ('1,000 streams, 200 tokens/s each, CPU us an event',
                      'cpu_us_event'),
         'streamed_sends': ('the same: sends a socket and second',
                            'sends_socket_s'),
         'streamed_s': ('the same: events/s that were delivered', 'posts_s')}),

    Row(dict(posters=20, posts=90000),
        {f'{who}, {n:,} users': entrant(who, users=n, sockets=n)
         for n in (100, 1000, 18000) for who in ('ours', 'limit')},
        {'sockets': ('growth, a socket each, CPU us a post', 'cpu_us_post')}),

    # each has its record and a full log: in memory that has been used before
    Row(dict(sockets=0, posters=20, posts=100000, warm=210000),
        {f'{n:,} users': entrant('ours', users=n, options=dict(
            zone='1024m', more='ws_mgr_log events=2;'))
         for n in (100, 1000, 10000, 100000)},
        {'users': ('growth, no sockets, CPU us a post', 'cpu_us_post')}),

    Row(dict(sockets=64, users=64, posts=150000),
        {f'{n:,} events': entrant('ours', options=dict(
            more=f'ws_mgr_log events={n} bytes=4m;')) for n in (1, 4096)},
        {'log': ('growth, by events in a log, CPU us a post', 'cpu_us_post')}),

    Row(dict(sockets=64, users=64, posts=100000),
        {f'{n} slots': entrant('ours', options=dict(slots=n))
         for n in (1, 16)},
        {'slots': ("growth, by workers' slots in use, CPU us a post",
                   'cpu_us_post')}),
)

# of more sockets than a load may have open, by Bench.crowd()
GROWTH = Row({}, {}, {'crowd_cpu': ('', 'cpu_us_event'),
                      'crowd_memory': ('', 'memory')})
CROWD = Row({}, {}, {'crowd': ('', 'seconds')})

# what --quick runs
QUICK = ('unicast', 'big', 'three', 'coalesced')

TARGETS = (
    Target('300 B against limit', 'unicast', 'ours', 'limit', 1.35),
    Target('300 B against nchan', 'unicast', 'ours', 'nchan', 0.65),
    Target('posts/s against nchan', 'unicast_posts', 'ours', 'nchan', 1.5,
           least=True),
    Target('2 kB against limit', 'big', 'ours', 'limit', 1.5),
    Target('two workers against one', 'workers', 'ours, 2 workers', 'ours',
           1.2),
    Target('three sockets against limit', 'three', 'ours', 'limit', 1.25),
    Target('broadcast against limit', 'broadcast', 'ours', 'limit', 1.3),
    Target('broadcast: the loop stands for, us', 'blocked', 'ours', '', 5000),
    Target('p50 against nchan', 'p50', 'ours', 'nchan', 1.0),
    Target('p99 against nchan', 'p99', 'ours', 'nchan', 1.0),
    Target('NDJSON, an event, us', 'batch_alone', 'ours', '', 1),
    Target('NDJSON, an event delivered, us', 'batch', 'ours', '', 7),
    Target('token stream against single posts', 'streamed', 'ours', 'unicast',
           1.0),
    Target('connect against nchan', 'connect', 'ours', 'nchan', 1.15),
    Target('100,000 sockets, an event to each, s', 'crowd', 'ours', '', 2),
    Target('growth: 100,000 sockets against 100, six workers', 'crowd_cpu',
           '100,000 users', '100 users', 1.1),
    Target('growth: their memory, a socket', 'crowd_memory', '100,000 users',
           '100 users', 1.1),
    Target('growth: 18,000 sockets against 100', 'sockets',
           'ours, 18,000 users', 'ours, 100 users', 1.1),
    Target('growth: the same of limit, for comparison', 'sockets',
           'limit, 18,000 users', 'limit, 100 users', 1.1),
    Target('growth: 100,000 users against 100', 'users', '100,000 users',
           '100 users', 1.1),
    Target('growth: logs of 4,096 against 1', 'log', '4,096 events',
           '1 events', 1.1),
    Target('growth: 16 slots against 1', 'slots', '16 slots', '1 slots', 1.1),
)
