#!/usr/bin/perl

# Any inbound frame is a sign of life, and so is any part of one; what comes
# the other way is none.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;
use Test::WsMgr::Frames;

my $mgr = manager(<<'CONF');
    location /ws   { ws_mgr_socket; ws_mgr_ping 500ms 500ms;
                     ws_mgr_message_rate 1000/s burst=1000; }
    location /echo { ws_mgr_socket; ws_mgr_ping 500ms 500ms;
                     ws_mgr_forward echo; }
    location /slow { ws_mgr_socket; ws_mgr_ping 500ms 10s; }
    location /api/ { ws_mgr_api; }
CONF

my $long = bytes(text('x' x 1000));
my $at = 0;

# what each says over and over, and never an answer to a ping
my %says = (
    'a pong'            => [ '/ws', sub { bytes(pong('unasked')) } ],
    'a ping'            => [ '/ws', sub { bytes(ping()) } ],
    'a text'            => [ '/ws', sub { bytes(text('{"type":"ping"}')) } ],
    'binary'            => [ '/echo', sub { bytes(binary('x')) } ],
    'an empty message'  => [ '/echo', sub { bytes(text('')) } ],
    'an empty fragment' => [ '/echo', sub { bytes($at ? more('', fin => 0)
                                                  : text('', fin => 0)) } ],
    'bytes of a frame'  => [ '/ws', sub { substr $long, 10 * $at, 10 } ],
);

my %alive = map { $_ => $mgr->connect($_, path => $says{$_}[0],
                                      auto_pong => 0) }
            grep { $says{$_}[0] eq '/ws' } keys %says;

$alive{$_} //= $mgr->upgrade(ticket => $mgr->ticket($_), auto_pong => 0,
                             path => $says{$_}[0]) for keys %says;

my $mute = $mgr->connect('mute', auto_pong => 0);
my $patient = $mgr->connect('patient', path => '/slow', auto_pong => 0);
my $start = now();

while (now() - $start < 2.5) {
    $alive{$_}->raw($says{$_}[1]->()) for sort keys %says;
    $mgr->post({ type => 'x', user_id => 'mute' });
    $_->message(0) for values %alive, $mute;
    $at++;
    wait_until { 0 } 0.1 / patience(1);
}

for my $name (sort keys %alive) {
    is $alive{$name}->closed(0.01), 0, "$name is life";
}

is $mute->closed, 4002, 'hearing is not';
is $mgr->counter('ws_mgr_server_closes_total{cause="no_pong"}'), 1, 'counted';

# the timeout is that of the location, and one ping is not followed by others
is $patient->closed(0.01), 0, 'who has time';
is $patient->{pings}, 1, 'is asked once in it';
