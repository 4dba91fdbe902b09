#!/usr/bin/perl

# Events reach sockets of any window, and sockets without one, byte for byte
# alike; each is compressed once for a worker and a window, however many
# sockets it is for.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;
use Test::WsMgr::Deflate qw/ deflate inflate inflater /;

my $mgr = manager(<<'CONF', http => 'ws_mgr_log events=1000 bytes=16m;');
    location /ws   { ws_mgr_socket; ws_mgr_connections user=off; }
    location /api/ { ws_mgr_api; }
    location /all/ { ws_mgr_api broadcast; }
CONF

my $ext = 'permessage-deflate';
my @offers = (undef, $ext, map { "$ext; server_max_window_bits=$_" } 8 .. 15);
my $n = 0;

# what a larger window would match far back, and what it would match at once
my $far = join '', map { sprintf '%x', rand 16 } 1 .. 40_000;
my @pads = ('', 'x' x 300, 'x' x 100_000, "\x{e9}\x{4e2d}\x{1f600}" x 99,
            (map { substr($far, 0, $_) x (1 + 60_000 / $_) }
             200, 247, 248, 249, 250, 251, 255, 256, 257, 500, 511, 512, 513,
             1000, 4095, 4096, 4097, 16_384, 32_506, 32_767, 32_768),
            $far, join '', map { chr 35 + rand 56 } 1 .. 5000);

# an inflater sees what was made for a larger window than its own
for my $bits (10 .. 15) {
    my $text = substr($far, 0, 0.7 * 2 ** $bits) x 3;

    is inflate(inflater($bits - 1), deflate($text, bits => $bits)), undef,
       "a window of $bits bits is one too many";
}

my @sockets = map { $mgr->connect('ann', extensions => $_) } @offers;
my ($plain, @rest) = @sockets;

# all of them hear the same as the one that knows nothing of compression
sub same {
    my ($name, $events) = @_;
    my (@texts, $deflated);

    for (1 .. $events) {
        push @texts, $plain->next_text;
        fail 'uncompressed' if $plain->{deflated};
    }

    for my $socket (@rest) {
        my $good = 0;

        for my $text (@texts) {
            $good += ($socket->next_text // '') eq $text;
            $deflated++ if $socket->{deflated};
        }

        is $good, $events,
           "$name, a window of $socket->{window} bits: $events events";
    }

    return $deflated;
}

# one at a time
for my $pad (@pads) {
    my $name = length($pad) . ' characters, '
               . substr $pad =~ s/[^ -~]/?/gr, 0, 9;
    my $event = { type => 'n', user_id => 'ann', n => $n++, pad => $pad };

    $mgr->post($event);

    my $deflated = same($name, 1);

    is $deflated, length $pad > 250 ? scalar @rest : undef, 'compressed'
        if length $pad < 100 || length $pad > 250;
}

# many at once, and at once for all
$mgr->post([ map { { type => 'n', user_id => 'ann', n => $n++,
                     pad => $_ } } (@pads[0, 1, 3]) x 15 ]);
same('a batch', 45);

is $mgr->client->post('/all/events',
                      encode({ type => 'x', user_id => '*',
                               pad => 'to all ' x 99 }))->{status}, 200, '*';
same('a broadcast', 1);

# what is resumed is what was
my $welcome = $plain->{welcome};
my @again = map { $mgr->connect('ann', extensions => $_,
                      query => "last_event_id=$welcome->{position}") } @offers;
my $all = $again[0]{welcome}{replayed};

is $_->{welcome}{replayed}, $all, "$all are replayed" for @again;
($plain, @rest) = @again;
same('replayed', $all);
$_->drop for @again;

# a socket that lags catches up, and the others do not wait for it
($plain, @rest) = @sockets;
my @slow = map { $mgr->connect('ann', extensions => $_, to => $mgr->unix) }
           undef, $ext, "$ext; server_max_window_bits=8";

$mgr->post({ type => 'n', user_id => 'ann', n => $n++, pad => rand() . $far })
    for 1 .. 40;
same('the quick ones', 40);
($plain, @rest) = @slow;
same('the slow ones', 40);
$_->drop for @slow;

# once for a window
($plain, @rest) = @sockets;
my %event = (type => 'n', user_id => 'zoe', pad => 'x' x 1000);

for my $of (1, 2) {
    my @mixed = (undef, $ext, "$ext; server_max_window_bits=9")[0 .. $of];
    my @zoe = map { $mgr->connect('zoe', extensions => $_) } (@mixed) x 20;

    $mgr->counts('ws_mgr_deflated_total', $of, sub {
        $mgr->post(\%event);
        is $_->event->{pad}, $event{pad}, 'heard' for @zoe;
    });
    $_->drop for @zoe;
    eventually { $mgr->connections_of('zoe') == 0 } 'gone';
}

# and what it saves is known
my $saved = $mgr->counter('ws_mgr_deflated_saved_bytes_total');

cmp_ok $saved, '>', 0, "$saved bytes saved";
