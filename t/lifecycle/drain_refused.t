#!/usr/bin/perl

# Who was refused by a worker that goes away does not keep it by saying
# nothing, however long the others' goodbyes may take.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF', http => 'ws_mgr_drain 1h;');
    location /ws   { ws_mgr_socket; ws_mgr_refuse close; }
    location /api/ { ws_mgr_api; }
CONF

my $old = $mgr->connect('ann');
my $late = $mgr->begin_upgrade(ticket => $mgr->ticket('bob'), hesitant => 1);

# that it is in is known only by what came after it
is $mgr->connect('eve')->status, 101, 'a later upgrade';
ok $mgr->reload, 'a new worker';

$late->go_on;
is $late->finish->status, 101, 'refused after a 101';

# it does not answer the close frame; the others go
$_->drop for grep { $_ && $_ != $late } @{ $mgr->{sockets} };

eventually { $mgr->children == 1 } 'the old worker has gone', 12;
