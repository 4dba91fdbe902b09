#!/usr/bin/perl

# Every refusal of an upgrade, as an answer and as a close frame.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF');
    ws_mgr_connections user=1 address=1000;
    ws_mgr_ping off;

    location /ws          { ws_mgr_socket; }
    location /ws/admin    { ws_mgr_socket; ws_mgr_permission admin; }
    location /ws/total    { ws_mgr_socket; ws_mgr_connections total=1; }
    location /ws/address  { ws_mgr_socket; ws_mgr_connections address=1; }

    location /soft         { ws_mgr_socket; ws_mgr_refuse close; }
    location /soft/admin   { ws_mgr_socket; ws_mgr_refuse close;
                             ws_mgr_permission admin; }
    location /soft/total   { ws_mgr_socket; ws_mgr_refuse close;
                             ws_mgr_connections total=1; }
    location /soft/address { ws_mgr_socket; ws_mgr_refuse close;
                             ws_mgr_connections address=1; }

    # what a client that is let in needs beside a session, and a refused not
    location /deep { ws_mgr_refuse close; ws_mgr_forward /agent;
                     ws_mgr_notify /notice;

        location /deep/ws      { ws_mgr_socket; }
        location /deep/admin   { ws_mgr_socket; ws_mgr_permission admin; }
        location /deep/total   { ws_mgr_socket; ws_mgr_connections total=1; }
        location /deep/address { ws_mgr_socket; ws_mgr_connections address=1; }
    }

    location = /agent  { internal; return 204; }
    location = /notice { internal; return 204; }

    location /api/ { ws_mgr_api; }
CONF

# somebody is in, so that each limit of one is reached
my $used = $mgr->ticket('full');
my $full = $mgr->upgrade(ticket => $used);
my $fresh = sub { (ticket => $mgr->ticket('ann')) };

# code, status, close code and reason; where below /ws; the upgrade
my @table = (
    [ ticket_missing => 401, 1008, 'Invalid ticket', '', sub { } ],
    [ ticket_invalid => 401, 1008, 'Invalid ticket', '',
      sub { (ticket => 'A' x 43) } ],
    [ ticket_invalid => 401, 1008, 'Invalid ticket', '',
      sub { (ticket => 'short') } ],
    [ ticket_invalid => 401, 1008, 'Invalid ticket', '',
      sub { (ticket => 'A' x 42 . '!') } ],
    [ ticket_invalid => 401, 1008, 'Invalid ticket', '',
      sub { (query => 'ticket=' . 'A' x 44) } ],
    [ ticket_invalid => 401, 1008, 'Invalid ticket', '',
      sub { (query => 'ticket=%00%41') } ],
    [ ticket_used => 401, 1008, 'Ticket already used', '',
      sub { (ticket => $used) } ],
    [ forbidden => 403, 1008, 'Forbidden', '/admin', $fresh ],
    [ limit_user => 429, 1013, undef, '',
      sub { (ticket => $mgr->ticket('full')) } ],
    [ limit_total => 429, 1013, undef, '/total', $fresh ],
    [ limit_address => 429, 1013, undef, '/address', $fresh ],
    [ origin_denied => 403, undef, undef, '',
      sub { ($fresh->(), headers => { Origin => 'https://evil' }) } ],
    [ bad_request => 400, undef, undef, '',
      sub { ($fresh->(), headers => { 'Sec-WebSocket-Key' => 'short' }) } ],
    [ bad_request => 400, undef, undef, '',
      sub { ($fresh->(), headers => { 'Sec-WebSocket-Key' => undef }) } ],
    [ upgrade_required => 426, undef, undef, '',
      sub { ($fresh->(), headers => { 'Upgrade' => undef }) } ],
    [ upgrade_required => 426, undef, undef, '',
      sub { ($fresh->(), headers => { 'Sec-WebSocket-Version' => 12 }) } ],
);

for my $row (@table) {
    my ($code, $status, $close, $reason, $where, $how) = @$row;

    my $refused = sub {
        $mgr->is_problem($mgr->upgrade($how->(), path => "/ws$where")->answer,
                         $status, $code)
    };

    $mgr->counts($mgr->refusal($code), 1, $refused);
    next if !defined $close;

    for my $path ("/soft$where", '/deep' . ($where || '/ws')) {
        $mgr->counts($mgr->refusal($code), 1, sub {
            my $soft = $mgr->upgrade($how->(), path => $path);

            is $soft->status, 101, "$code, softly, $path";
            is $soft->closed, $close, "closed with $close";
            is $soft->close_reason, $reason, "$reason" if defined $reason;
            like $soft->close_reason, qr/^[ -~]{0,123}$/, 'plain ASCII';
            ok $soft->ended, 'and ended';
        });
    }
}

for my $row (@table) {
    my ($code, $status, $close, $reason, $where, $how) = @$row;
    my $headers = $mgr->upgrade($how->(), path => "/ws$where")
                      ->answer->{headers};

    if ($status == 429) {
        like $headers->{'retry-after'}, qr/^[1-9]\d*$/, "$code: Retry-After";
    }

    if ($status == 426) {
        is lc $headers->{upgrade}, 'websocket', "$code: Upgrade";
        is $headers->{'sec-websocket-version'}, 13, "$code: version";
    }

    # Origin and protocol faults are always plain HTTP
    if (!defined $close) {
        is $mgr->upgrade($how->(), path => "/soft$where")->status, $status,
           "$code is HTTP in close mode too";
    }
}

$mgr->post({ type => 'hello', user_id => 'full' });
is(($full->events(2))[1]{type}, 'hello', 'who was in was not disturbed');
