#!/usr/bin/perl

# When a socket ends, one line tells its life.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF', workers => 2);
    location /ws   { ws_mgr_socket; ws_mgr_message_size 1k; }
    location /api/ { ws_mgr_api; access_log off; }
CONF

# the line of a socket, once it is there
my $line = sub {
    my ($socket) = @_;
    my @lines;

    wait_until {
        @lines = grep { /WEBSOCKET/ && /connection=\Q$socket->{id}\E / }
                 split /\n/, $mgr->log('access.log');
    };
    is scalar(@lines), 1, 'one line';

    return $lines[0] // '';
};

my $ann = $mgr->connect('ann');

$mgr->post({ type => 'x', user_id => 'ann' });
$ann->event;
$ann->say({ type => 'ping' });
$ann->event;
unlike $mgr->log('access.log'), qr/WEBSOCKET/, 'none while it lives';
$ann->close(4321);

my $life = $line->($ann);

like $life, qr/user=ann /, 'who';
like $life, qr/seconds=\d+\.?\d* /, 'how long';
like $life, qr{in=2/\d+ }, 'frames and bytes that came in';
like $life, qr{out=4/\d+ }, 'and went out: welcome, event, pong, close';
like $life, qr/close=4321 by=client/, 'how it ended, and by whom';
like $life, qr/ 101 /, 'the status';
like $life, qr/ user=ann conn=\Q$ann->{id}\E /, 'the variables';

# the other ways to end
my @ends = (
    [ 'close=1000 by=client', sub { $_[0]->close(1000) } ],
    [ 'close=1005 by=client', sub { $_[0]->close } ],
    [ 'close=1006 by=lost', sub { $_[0]->abort } ],
    [ 'close=1006 by=lost', sub { $_[0]->drop } ],
    [ 'close=1002 by=server', sub { $_[0]->raw("\xff\xff") } ],
    [ 'close=1007 by=server', sub { $_[0]->text("\xff") } ],
    [ 'close=1009 by=server', sub { $_[0]->text('x' x 2000) } ],
    [ 'close=4005 by=server', sub { $mgr->api(DELETE => 'users/bob') } ],
);

for (@ends) {
    my ($expected, $end) = @$_;
    my $bob = $mgr->connect('bob');

    $end->($bob);
    $bob->closed;
    $bob->drop;
    like $line->($bob), qr/ \Q$expected\E/, $expected;
}

# a user that would break the line
my $odd = $mgr->connect(qq{a "b" \\ c\x{e9}});

$odd->close(1000);
unlike $line->($odd), qr/user=a "b"/, 'is escaped';

# a refusal is an ordinary line, with its reason
$mgr->upgrade(ticket => 'A' x 43);
eventually {
    $mgr->log('access.log')
        =~ m{"GET /ws HTTP/1.1" 401 .* refusal=ticket_invalid};
} 'a refused upgrade';

is((() = $mgr->log('access.log') =~ /WEBSOCKET/g), 10, 'no line too many');
