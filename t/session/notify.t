#!/usr/bin/perl

# The agent backend hears who comes and goes, until it says that it has heard.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;
use Test::WsMgr::Backend;

my $backend = Test::WsMgr::Backend->start;
my ($port) = $backend->{address} =~ /:(\d+)/;

my $mgr = manager(<<"CONF", workers => 2, http => 'ws_mgr_drain 1s;');
    location /ws    { ws_mgr_socket; ws_mgr_notify /notices?from=ws; }
    location /quiet { ws_mgr_socket; }
    location /api/  { ws_mgr_api; }

    location /notices {
        internal;
        proxy_pass http://$backend->{address};
        proxy_connect_timeout 1s;
        proxy_set_header X-Real-IP \$remote_addr;
    }
CONF

my $ann = $mgr->connect('ann é');
my $got = $backend->request;
my $notice = $got->{message};

is $got->{uri}, '/notices?from=ws', 'to the location, with its query';
is $got->{headers}{'x-real-ip'}, '127.0.0.1', 'the address of the client';
is $notice->{type}, 'connect', 'somebody came';
is $notice->{user_id}, 'ann é', 'ann';
is $notice->{connection_id}, $ann->{id}, 'with this connection';
cmp_ok abs($notice->{ts} / 1000 - time), '<', 5, 'now';

$ann->close(1000);
$notice = $backend->request->{message};

is $notice->{type}, 'disconnect', 'somebody went';
is_deeply [ @$notice{qw/ user_id connection_id code by /} ],
          [ 'ann é', $ann->{id}, 1000, 'client' ], 'as she said herself';
like $notice->{seconds}, qr/^0?\.?\d/, 'soon';

my $bob = $mgr->connect('bob');
$backend->request;
$mgr->api('DELETE', 'users/bob?return=no');
$notice = $backend->request->{message};
is_deeply [ @$notice{qw/ type code by /} ], [ 'disconnect', 4501, 'server' ],
          'sent away';

my $cat = $mgr->connect('cat');
$backend->request;
$cat->abort;
$notice = $backend->request->{message};
is_deeply [ @$notice{qw/ type code by /} ], [ 'disconnect', 1006, 'lost' ],
          'lost';

# a refused upgrade is nobody's, and neither is another location
is $mgr->upgrade->status, 401, 'refused';
$mgr->connect('dan', path => '/quiet')->close;
my $eve = $mgr->connect('eve');
is $backend->request->{message}{user_id}, 'eve', 'the next to be heard of';

# --- a backend that is not there ---

$backend->stop;
my @crowd = map { $mgr->connect("user $_") } 1 .. 40;
$_->close for @crowd;

eventually { $mgr->counter('ws_mgr_notices_total{result="failed"}') > 40 }
    'notices that nobody takes';
is $mgr->counter('ws_mgr_notices_total{result="dropped"}'), 0,
   'and none is thrown away';

my $again = Test::WsMgr::Backend->start($port);
my %heard;

# at least once: one whose answer was late comes again
while (grep { @{ $heard{ $_->{id} } || [] } < 2 } @crowd) {
    my $notice = ($again->request(20) || last)->{message};
    my $types = $heard{ $notice->{connection_id} } ||= [];

    push @$types, $notice->{type} if !grep { $_ eq $notice->{type} } @$types;
}

is_deeply \%heard, { map { $_->{id} => [ 'connect', 'disconnect' ] } @crowd },
          'each that came and went, in this order';

# --- a worker that goes away ---

my $fay = $mgr->connect('fay');
is $again->request->{message}{type}, 'connect', 'she came';
$mgr->reload;

my %left = map { $_->{user_id} => $_ }
           map { $again->request(20)->{message} } 1 .. 2;

is_deeply [ sort keys %left ], [ 'eve', 'fay' ], 'both are sent away';
is $left{fay}{code}, 1012, 'by the reload';

$again->stop;
my $gus = $mgr->connect('gus');

$mgr->counts('ws_mgr_notices_total{result="dropped"}', 2, sub {
    $mgr->reload;
    is $gus->closed, 1012, 'he is sent away';
});
like $mgr->log('error.log'), qr/ws_mgr_notify: 2 notices were not taken/,
     'what nobody took while the worker drained is counted, and told';
