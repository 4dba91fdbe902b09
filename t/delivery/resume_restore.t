#!/usr/bin/perl

# session_restore: for clients that cannot set an argument.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF');
    location /ws   { ws_mgr_socket; }
    location /api/ { ws_mgr_api; }
CONF

my $post = sub { $mgr->post({ type => 'n', user_id => 'ann', n => $_[0] }) };
my @ids = map { $post->($_)->{id} } 1 .. 5;
my $restore = sub {
    my ($socket, $position) = @_;

    $socket->say({ type => 'session_restore', position => $position });
};

my $ann = $mgr->connect('ann');
$restore->($ann, $ids[1]);
is_deeply [ map { $_->{n} } $ann->events(3) ], [ 3, 4, 5 ], 'replayed';
$post->(6);
is $ann->event->{n}, 6, 'then live';

# once, and as the first message
$restore->($ann, $ids[1]);
my $error = $ann->event;
is $error->{type}, 'error', 'a second time is refused';
ok length $error->{code} && length $error->{message}, 'with code and message';

my $late = $mgr->connect('ann');
$late->say({ type => 'ping', ts => 1 });
is $late->event->{type}, 'pong', 'another message first';
$restore->($late, $ids[1]);
is $late->event->{type}, 'error', 'is too late';

# a position that is none, or of another life
for my $position ('nonsense', 'zzz-1', '', 7, undef) {
    my $odd = $mgr->connect('ann');

    $restore->($odd, $position);

    my $told = $odd->event;

    like $told->{type}, qr/^(gap|error)$/, 'told: ' . encode($position);
    $odd->close(1000);
}

# the odd case: an event was already sent
my $busy = $mgr->connect('ann');
$post->(7);
is $busy->event->{n}, 7, 'an event';
$restore->($busy, $ids[2]);
my $gap = $busy->event;
is $gap->{type}, 'gap', 'what lies before it is told as a gap';
is $gap->{reason}, 'late', 'since seq only rises on a socket';
$post->(8);
is $busy->event->{n}, 8, 'live goes on';
