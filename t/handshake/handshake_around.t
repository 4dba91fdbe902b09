#!/usr/bin/perl

# What else nginx may do to a request that is an upgrade.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $slow = Test::WsMgr::Nginx::free_port();
my $body = 'x' x 200;

my $mgr = manager(<<'CONF', http => <<"HTTP", workers => 2);
    error_page 418 = @named;

    location /ws      { ws_mgr_socket; ws_mgr_connections user=off; }
    location /rewrite { rewrite ^ /ws last; }
    location /break   { ws_mgr_socket; rewrite ^ /else break; }
    location /if      { ws_mgr_socket; ws_mgr_permission admin;
                        if ($args) { set $x 1; } }
    location /named   { return 418; }
    location @named   { ws_mgr_socket; }
    location /slow    { ws_mgr_socket; limit_rate 10; }
    location /mirror  { ws_mgr_socket; mirror /copy; }
    location /copy    { internal; proxy_pass http://slow; }
    location /auth    { ws_mgr_socket; auth_request /check; }
    location /check   { internal; return 204; }
    location /never   { ws_mgr_socket; auth_request /no; }
    location /no      { internal; return 401; }
    location /sub     { auth_request /ws; return 200; }
    location /page    { ws_mgr_socket; error_page 401 /no; }
    location /limited { ws_mgr_socket; limit_except GET { deny all; } }
    location /api/    { ws_mgr_api; client_max_body_size 100; }
CONF
    upstream slow { server 127.0.0.1:$slow; }
    server { listen 127.0.0.1:$slow;
             location / { limit_rate 200; return 200 $body; } }
HTTP

for my $where (qw{ /ws /rewrite /break /named /slow /mirror /auth /limited }) {
    my $ticket = $mgr->ticket('ann');
    my $socket = $mgr->upgrade(path => $where, ticket => $ticket);

    is $socket->status, 101, "let in at $where";
    is $socket->event->{user_id}, 'ann', 'and served';
    $socket->say({ type => 'ping' });
    is $socket->event->{type}, 'pong', 'both ways';
    $socket->close(1000);

    $ticket = $mgr->ticket('ann');
    $socket = $mgr->upgrade(path => $where, query => "ticket=$ticket");
    is $socket->status, 101, 'by argument too';
    $socket->close(1000);
}

# the settings of the location hold in its "if"
$mgr->is_problem($mgr->upgrade(path => '/if', query => 'x=1',
                               ticket => $mgr->ticket('ann'))->answer,
                 403, 'forbidden');

# who is refused by another module has a ticket yet
my $ticket = $mgr->ticket('ann');

is $mgr->upgrade(path => '/never', ticket => $ticket)->status, 401, 'no access';
is $mgr->upgrade(ticket => $ticket)->status, 101, 'the ticket has survived';

# a subrequest is no upgrade, whatever the request is
$ticket = $mgr->ticket('ann');
isnt $mgr->upgrade(path => '/sub', ticket => $ticket)->status, 101,
     'a subrequest';
is $mgr->upgrade(ticket => $ticket)->status, 101, 'which has taken no ticket';

# an early frame is the first thing that the session reads
my $early = Test::WsMgr::WebSocket::build_frame(1, '{"type":"ping","ts":7}');
my $eager = $mgr->upgrade(ticket => $mgr->ticket('ann'), early => $early);

is_deeply [ map { $_->{type} } $eager->events(2) ],
          [ qw/ connection_established pong / ], 'an early frame';

# the body is the frames
for my $headers ({ 'Content-Length' => 5 }, { 'Transfer-Encoding' => 'chunked' })
{
    my $answer = $mgr->upgrade(ticket => $mgr->ticket('ann'),
                               headers => $headers,
                               early => "0\r\n\r\n")->answer;

    $mgr->is_problem($answer, 400, 'bad_request', join ' ', %$headers);
}

is $mgr->upgrade(ticket => $mgr->ticket('ann'),
                 headers => { 'Content-Length' => 0 })->status, 101,
   'a body of nothing is none';

# nor is the answer replaced by a page
$mgr->is_problem($mgr->upgrade(path => '/page')->answer, 401,
                 'ticket_missing', 'an error page');

# who goes while another module is still at work leaves nothing behind
$mgr->upgrade(path => '/mirror', ticket => $mgr->ticket('gone'))->abort;
eventually { $mgr->connections_of('gone') == 0 } 'gone';

# the size of a body is refused by us
my $large = $mgr->try_post({ type => 'x', user_id => 'ann', x => 'y' x 200 });
$mgr->is_problem($large, 413, 'too_large', 'client_max_body_size');
