#!/usr/bin/perl

# The node has at most n sockets, whoever races for the last place.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF', workers => 4);
    location /ws   { ws_mgr_socket; ws_mgr_connections total=20; }
    location /api/ { ws_mgr_api; }
CONF

my @racing = map { $mgr->begin_upgrade(ticket => $mgr->ticket("user $_")) }
             1 .. 60;
my %ended;

$ended{ $_->finish->answer->{json}{code} // $_->status }++ for @racing;
is_deeply \%ended, { 101 => 20, limit_total => 40 }, 'twenty of sixty';

my ($in) = grep { $_->status == 101 } @racing;

$in->close(1000);
eventually { $mgr->status->{connections} == 19 } 'one has left';

my $more = $mgr->connect('one more');

is $more->status, 101, 'so one more is let in';
is $mgr->upgrade(ticket => $mgr->ticket('two more'))->status, 429,
   'and not two';
