#!/usr/bin/perl

# A client that reads slowly gets all that was owed to it, and the close frame:
# as long as it takes bytes, the close is waited for.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;
use Test::WsMgr::Frames;

my $mgr = echoing();
my $large = binary(random_bytes(2_000_000));
my $slow = socket_of($mgr, to => $mgr->unix);
my $stuck = socket_of($mgr, to => $mgr->unix);
my $stream = $slow->{stream};

$_->raw(bytes($large, bye(1000))) for $slow, $stuck;

# over as long as a stuck one is waited for, and longer
my $start = now();

while (now() - $start < patience(8)) {
    $stream->fill(now());
    wait_until { 0 } 0.5 / patience(1);
}

is_deeply [ heard($slow) ],
          [ Test::WsMgr::Frames::name($large), 'close 1000', 'end' ],
          'all of it, and goodbye';
isnt((heard($stuck))[-1], 'end', 'who takes nothing is given up');
