#!/usr/bin/perl

# An address has at most n sockets.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF', workers => 4);
    location /ws   { ws_mgr_socket; ws_mgr_connections address=3; }
    location /api/ { ws_mgr_api; }
CONF

my @near = map { $mgr->connect("user $_") } 1 .. 3;

is $near[2]->status, 101, 'the third is let in';
$mgr->is_problem($mgr->upgrade(ticket => $mgr->ticket('one more'))->answer,
                 429, 'limit_address', 'the fourth is not');

my $far = $mgr->connect('far', from => '127.0.0.2');

is $far->status, 101, 'another address is';

(shift @near)->abort;
eventually { $mgr->status->{connections} == 3 } 'one is lost';
is $mgr->connect('one more')->status, 101, 'so one more is let in';
