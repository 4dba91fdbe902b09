#!/usr/bin/perl

# Fifty reloads under load: nothing is missed, nothing leaks.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;
use Test::WsMgr::Chaos;

my $reloads = 50;
my $mgr = manager(<<'CONF', workers => 2, log_level => 'notice', http => <<'HTTP');
    location /ws   { ws_mgr_socket; }
    location /api/ { ws_mgr_api; }
    access_log off;
CONF
    ws_mgr_zone 32m;
    ws_mgr_log events=200 bytes=512k age=2s;
    ws_mgr_drain 200ms;
    keepalive_requests 1000000;
HTTP

sub descriptors { scalar(() = glob "/proc/$mgr->{pid}/fd/*") }

# what is used of shared memory, once nobody is left and the logs are old
sub used {
    my $zone;

    wait_until {
        my $status = $mgr->status;

        $zone = $status->{zone};
        return $status->{zone} && !$status->{connections}
               && !$status->{logs}{users} && !$status->{tickets};
    } 10;

    return $zone->{size} - $zone->{free};
}

my $descriptors = descriptors();
my $used = used();
my $done = 0;
my %old;

# one after the other, as soon as the new workers are there
my $tally = Test::WsMgr::Chaos->run(
    mgr => $mgr, seconds => 3600, rate => 1000, faults => [ 'next' ],
    pause => 0.02,
    deeds => { next => sub {
        my ($chaos) = @_;
        my @workers = $mgr->workers;

        return 'not now' if @workers != 2 || grep { $old{$_} } @workers;
        return $chaos->enough if $done == $reloads;

        %old = map { $_ => 1 } @workers;
        $done++;
        $mgr->signal('HUP');
    } });

is $tally->{faults}{next}, $reloads + 1, "$reloads reloads";
diag(sprintf '%d events posted, %d delivered, %d reconnects, %d gaps',
     @$tally{qw/ posted events reconnects gaps /});
diag(join "\n", @{ $tally->{said} }) if $tally->{said};
is $tally->{$_}, 0, $_ for qw/ lost repeated disordered leaked gaps resets /;
cmp_ok $tally->{shutdowns}, '>', $reloads, 'sockets were sent away';

$mgr->forget;
eventually { $mgr->children == 2 } 'the old workers have gone', 10;

my $status = $mgr->status;
is scalar @{ $status->{workers} }, 2, 'two slots are taken';
cmp_ok $_->{slot}, '<', 16, 'a low one' for @{ $status->{workers} };
is $mgr->counter('ws_mgr_dead_workers_total'), 0, 'none counts as dead';
is descriptors(), $descriptors, 'the master has the descriptors it had';

# tickets are there till they expire: revoked, since the test has issued them
$mgr->api(DELETE => "tickets/$_") for keys %{ $tally->{tickets} };
is used(), $used, 'of shared memory nothing is left';
