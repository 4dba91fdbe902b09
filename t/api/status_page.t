#!/usr/bin/perl

# The page at the API's root.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;
use Test::WsMgr::Browser;

my $mgr = manager(<<'CONF', workers => 2);
    location /ws    { ws_mgr_socket; ws_mgr_ping off; }
    location /api/  { ws_mgr_api; }
    location /some/ { ws_mgr_api events; }
CONF

my %html = (Accept => 'text/html,application/xhtml+xml');

my $status = $mgr->status;

is_deeply [ @$status{qw/ closing tickets ticket_bytes /} ], [ 0, 0, 0 ],
          'no tickets, nobody who is being sent away';
$mgr->issue('ann');
$status = $mgr->status;
is $status->{tickets}, 1, 'a ticket';
cmp_ok $status->{ticket_bytes}, '>', 43, 'and its memory';

is $mgr->api('GET', '', undef)->{headers}{'content-type'}, 'application/json',
   'a list for programs';
like $mgr->api('GET', '', undef, %html)->{headers}{'content-type'},
     qr{^text/html}, 'a page for people';
is $mgr->client->get('/some/', %html)->{headers}{'content-type'},
   'application/json', 'and none where it had nothing to show';
$mgr->is_problem($mgr->api('GET', '', undef, %html, 'X-Forwarded-For' => 'x'),
                 403, 'api_denied', 'nor to who may not');

SKIP: {
    skip 'no browser', 1 if !clients_dir() || !-x '/usr/bin/chromium';

    my $ann = $mgr->connect('ann');
    my $long = $mgr->connect('x' x 250);

    browse(status => 'http://' . $mgr->address,
        post => sub { $mgr->post({ type => 'x', user_id => 'ann' })
                          for 1 .. $_[0]; 'ok' },
        refuse => sub { $mgr->upgrade; 'ok' },
        closed => sub { $ann->events(30); $ann->closed },
        sockets => sub { scalar $mgr->connections_of($_[0]) },
        screenshots => sub { $ENV{SHOTS} // '' },
        die => sub { $mgr->kill_worker(($mgr->workers)[0]); 'ok' },
        stop => sub { $mgr->forget; $mgr->quit; 'ok' },
    );
}
