#!/usr/bin/perl

# Both logs have positions, and a client may give both.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF', workers => 2);
    location /ws   { ws_mgr_socket; }
    location /api/ { ws_mgr_api events tickets broadcast; }
CONF

my $ann = $mgr->connect('ann');
my ($own, $all) = @{ $ann->{welcome} }{qw/ position broadcast_position /};

like $all, qr/^\w+-b\d+$/, 'a position in the broadcast log';
$ann->close(1000);

for my $n (1 .. 3) {
    $mgr->post({ type => 'own', user_id => 'ann', n => $n });
    $mgr->post({ type => 'all', user_id => '*', n => $n });
}

my $types = sub {
    my ($socket) = @_;

    $mgr->post({ type => 'fence', user_id => 'ann' });

    return join ' ', sort map { $_->{type} . ($_->{n} // '') }
                     $socket->events_to('fence');
};

my $both = $mgr->connect('ann', query => "last_event_id=$own,$all");
ok $both->{welcome}{resumed}, 'resumed';
is $both->{welcome}{replayed}, 6, 'with six events';
is $types->($both), 'all1 all2 all3 fence own1 own2 own3', 'of both';
$both->close(1000);

my $one = $mgr->connect('ann', query => "last_event_id=$own");

is join(' ', map { $_->{type} } $one->events(4)), 'own own own fence',
   'or only of her own';

my $none = $mgr->connect('bob');
$mgr->post({ type => 'all', user_id => '*', n => 4 });
is $none->event->{n}, 4, 'who gives none is live only';
