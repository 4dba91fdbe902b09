#!/usr/bin/perl

# Ten thousand sockets of one user.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $sockets = $ENV{WS_MGR_FULL} ? 10_000 : 2_000;
my $mgr = manager(<<"CONF", workers => 4, connections => 16_384);
    location /ws   { ws_mgr_socket; ws_mgr_ping off;
                     ws_mgr_connections user=$sockets; }
    location /api/ { ws_mgr_api; }
CONF

my $ticket = $mgr->ticket('ann', single_use => JSON::PP::false);
my @sockets = map { $mgr->upgrade(ticket => $ticket) } 1 .. $sockets;

is scalar(grep { $_->status == 101 } @sockets), $sockets, 'all are let in';
is $mgr->upgrade(ticket => $ticket)->status, 429, 'and not one more';

my @ids = map { ($_->next_text // '') =~ /"connection_id":"([^"]+)"/ } @sockets;
my %different = map { $_ => 1 } @ids;

is scalar(keys %different), $sockets, 'all are welcomed';

for my $n (1 .. 3) {
    my $result = $mgr->post({ type => 'n', user_id => 'ann', n => $n });

    ok !defined $result->{sockets} || $result->{sockets} == $sockets,
       'matched, or not known';
}

for my $n (1 .. 3) {
    is scalar(grep { ($_->next_text // '') =~ /"n":$n\b/ } @sockets), $sockets,
       "each has event $n";
}

# one of many
my $result = $mgr->post({ type => 'one', user_id => 'ann',
                          connection_id => $ids[-1] });

is $result->{sockets} // 1, 1, 'for one of them';
is $sockets[-1]->event->{type}, 'one', 'which hears it';

my $start = now();

is $mgr->api(DELETE => 'users/ann')->{status}, 200, 'sent away';
is scalar(grep { $_->closed == 4005 } @sockets), $sockets, 'all of them';
note sprintf 'in %.2f s', now() - $start;
