#!/usr/bin/perl

# Whatever happens, each client has every event, in order, once, or was told:
# WS_MGR_CHAOS seconds of it, "make chaos".

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;
use Test::WsMgr::Chaos;

# --- first, that the clients see what there is to be seen ---

sub heard {
    my ($n, $seq, %other) = @_;
    my $body = Test::WsMgr::Chaos::Client::body($other{user} // 'ann', $n, 5);

    return qq/{"id":"e-$seq","seq":$seq,"ts":1,$body/;
}

my @stories = (
    [ 'all is well', [ heard(1, 1), heard(2, 2), heard(3, 4) ] ],
    [ 'one is lost', [ heard(1, 1), heard(3, 3) ], lost => 1 ],
    [ 'one comes twice', [ heard(1, 1), heard(1, 2) ], repeated => 1 ],
    [ 'two are swapped', [ heard(1, 1), heard(3, 3), heard(2, 2) ],
      lost => 1, repeated => 1, disordered => 1 ],
    [ "another's", [ heard(1, 1, user => 'bob') ], leaked => 1 ],
    [ 'changed', [ heard(1, 1) =~ s/xxxxx/xxyxx/r ], leaked => 1 ],
    [ 'told of a gap', [ heard(1, 1), '{"type":"gap"}', heard(9, 9) ] ],
    [ 'told of a reset', [ heard(5, 9), '{"type":"stream_reset","position":"f-0"}',
                           heard(5, 1) ] ],
);

for my $story (@stories) {
    my ($name, $frames, %found) = @$story;
    my %tally;
    my $client = Test::WsMgr::Chaos::Client->new(user => 'ann', pad => 5,
                                                 tally => \%tally);
    $client->take($_) for @$frames;
    is_deeply { map { $_ => $tally{$_} // 0 }
                qw/ lost repeated disordered leaked / },
              { lost => 0, repeated => 0, disordered => 0, leaked => 0, %found },
              "the clients see: $name";
}

# --- then for real ---

my $seconds = $ENV{WS_MGR_CHAOS} || 15;
my $mgr = manager(<<'CONF', workers => 4, log_level => 'notice', http => <<'HTTP');
    location /ws   { ws_mgr_socket; ws_mgr_ping 2s 2s; ws_mgr_refuse http; }
    location /api/ { ws_mgr_api; }
    access_log off;
CONF
    ws_mgr_zone 24m;
    ws_mgr_log events=200 bytes=512k;
    ws_mgr_drain 1s;
    keepalive_requests 1000000;
HTTP

my $rate = $ENV{WS_MGR_ASAN} ? 500 : 2000;
my @faults = qw/ reload kill vanish sleep kick pressure /;
my $tally = Test::WsMgr::Chaos->run(mgr => $mgr, seconds => $seconds,
                                    rate => $rate, faults => \@faults);

diag(sprintf '%d s: %d events posted (%d/s), %d retries, %d delivered, '
             . '%d reconnects, %d gaps, %d resets', $seconds, $tally->{posted},
             $tally->{posted} / $seconds,
             @$tally{qw/ retries events reconnects gaps resets /});
diag('faults: ' . join ', ', map { "$tally->{faults}{$_} $_" }
                             sort keys %{ $tally->{faults} });
diag('ends: ' . join ', ', map { "$tally->{ends}{$_} $_" }
                           sort keys %{ $tally->{ends} });
diag(join "\n", @{ $tally->{said} }) if $tally->{said};

# among other tests there may be no CPU for all of them
cmp_ok $tally->{posted}, '>=', ($ENV{WS_MGR_CHAOS} ? 0.9 : 0.4) * $rate * $seconds,
       'as many events as there were to be';
cmp_ok $tally->{faults}{$_} // 0, '>', 0, "there was a $_" for @faults;
is $tally->{$_}, 0, $_ for qw/ lost repeated disordered leaked /;
