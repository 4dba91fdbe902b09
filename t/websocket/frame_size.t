#!/usr/bin/perl

# Messages of up to 16 MB, in memory that grows with what has come and not with
# what was announced, and that is given back.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;
use Test::WsMgr::Frames;

my $mgr = echoing();
my ($worker) = $mgr->workers;
my $MB = 1 << 20;
my $bytes = random_bytes(16 * $MB);

sub memory { $mgr->memory($worker, $_[0]) }

# an announced length costs nothing, nor does what comes of it byte by byte
my $start = memory('VmRSS');
my @announcing = map { socket_of($mgr) } 1 .. 60;

for my $socket (@announcing) {
    in_pieces($socket, 0, "\x82\xff" . pack('Q>', 16 * $MB) . 'mask',
              'a few', 'bytes');
    $socket->raw('x' x 3000);
}

$mgr->watched('health');

takes_less memory('VmRSS') - $start, 1024,
           'kB for 60 messages of 16 MB that begin';
$_->drop for @announcing;

# each size, as text and as binary
for my $size (map { $_ * 1024 } 64, 256, 1024, 4096, 8192, 16_384) {
    my $text = text(random_text($size));
    my $binary = binary(substr $bytes, 0, $size);
    my $k = $size / 1024;

    rows $mgr, [ "text of $k kB", [ $text ], $text ],
               [ "binary of $k kB", [ $binary ], $binary ];
}

# the most that there was for one message: twice what was gathered, while it
# grows, or what was gathered and its echo
takes_less memory('VmHWM') - $start, 3.5 * 16 * 1024, 'kB at most for one';

# and again: nothing is left of it.  What malloc keeps for the next one, and when
# it gives that back, is its own affair: it is less than one of them
my $once = memory('VmRSS');
my $socket = socket_of($mgr);

for (1 .. 20) {
    $socket->binary($bytes);
    is length $socket->message(10)->{payload}, length $bytes, 'once more';
}

takes_less memory('VmRSS') - $once, 16 * 1024, 'kB left by twenty more';

# what is larger is refused by its header, or as soon as the sum is
my $limit = 16 * $MB;
my $head = "\xff" . pack('Q>', $limit + 1) . 'mask';
my $half = substr $bytes, 0, $limit / 2;

rows $mgr, [ 'text of one more', [ "\x81$head" ], 1009 ],
           [ 'binary of one more', [ "\x02$head" ], 1009 ],
           [ 'nothing more', [ binary($half, fin => 0),
                               more($half, fin => 0), more('') ],
             binary($half . $half) ];

my $sum = socket_of($mgr);

$sum->raw(bytes(binary($half, fin => 0), more($half, fin => 0)) . "\x80\x81");
$sum->raw('mask');
is_deeply [ heard($sum) ], [ 'close 1009', 'end' ], 'one more in sum';

is $mgr->counter('ws_mgr_server_closes_total{cause="message_too_big"}'), 7,
   'counted';
