#!/usr/bin/perl

# Old paths, by contrib/compat; and docs/migrating.md names methods that there
# are.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

open my $file, '<', "$top/contrib/compat/old-paths.conf" or die $!;
my $compat = do { local $/; <$file> };

my $mgr = manager(<<"CONF");
    location /ws   { ws_mgr_socket; }
    location /api/ { ws_mgr_api; }
    $compat
CONF
my $old = 'ws_mgr_deprecated_total{name="path"}';

$mgr->counts($old, 3, sub {
    my $issued = $mgr->client->post('/api/websocket/ticket',
                                    encode({ user_id => 'ann' }));

    is $issued->{status}, 201, 'a ticket by the old path' or diag $issued->{body};

    my $ann = $mgr->upgrade(path => '/websocket',
                            query => "auth_ticket=$issued->{json}{ticket_id}");

    is $ann->status, 101, 'an upgrade by the old path and argument';
    $mgr->remember($issued->{json}{ticket_id});
    is $mgr->client->get('/ws/health')->{json}{status}, 'healthy', 'health';
    ok exists $mgr->client->get('/ws/stats')->{json}{counters}, 'statistics';
});
is $mgr->counter('ws_mgr_deprecated_total{name="ticket_argument"}'), 1,
   'the argument is counted too';
is $mgr->client->get('/ws/config')->{json}{websocket_url}, '/ws', 'config';
$mgr->counts($old, 0, sub { $mgr->api('GET', 'health') });

# a page of the world gets no ticket by the old path either
$mgr->is_problem($mgr->client->request('POST', '/api/websocket/ticket',
                     encode({ user_id => 'eve' }), 'X-Forwarded-For' => 'x'),
                 403, 'api_denied', 'the guard is that of the API');

# --- the document ---

open $file, '<', "$top/docs/migrating.md" or die $!;
my $document = do { local $/; <$file> };
my %named = map { $_ => 1 } $document =~ /\b(?:client|agent)\.(\w+)\(/g;
my $names = join ' ', sort keys %named;
my $said = `PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$top/clients/python /usr/bin/python3 -c "
import sys, ws_mgr
print([n for n in sys.argv[1:] if not hasattr(ws_mgr.Client, n) and not hasattr(ws_mgr.Emitter, n)])
" $names`;

cmp_ok scalar(keys %named), '>', 12, 'it names methods';
is $said, "[]\n", 'that there are';
