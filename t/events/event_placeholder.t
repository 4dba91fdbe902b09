#!/usr/bin/perl

# A placeholder in place of a user is refused.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $conf = <<'CONF';
    location /ws   { ws_mgr_socket; }
    location /api/ { ws_mgr_api; }
CONF

my $mgr = manager($conf);

for my $id (qw/ registry placeholder null undefined /) {
    $mgr->counts($mgr->rejection('placeholder_id'), 1, sub {
        $mgr->is_problem($mgr->try_post({ type => 'x', user_id => $id }),
                         422, 'placeholder_id', "user_id $id");
    });

    $mgr->is_problem($mgr->try_post({ type => 'x' }, "user=$id"), 422,
                     'placeholder_id', "?user=$id");
    $mgr->is_problem($mgr->try_post({ type => 'x',
                                      user_ids => [ 'ann', $id ] }),
                     422, 'placeholder_id', "user_ids with $id");
}

is $mgr->api(GET => 'users/ann')->{status}, 404, 'nothing for ann either';
is $mgr->try_post({ type => 'x', user_id => 'nullify' })->{status}, 200,
   'only the whole name';

my $own = manager($conf, http => 'ws_mgr_placeholder_ids TBD "n/a";');

$own->is_problem($own->try_post({ type => 'x', user_id => $_ }), 422,
                 'placeholder_id', "configured: $_") for 'TBD', 'n/a';
is $own->try_post({ type => 'x', user_id => 'null' })->{status}, 200,
   'in place of the usual list';

my $off = manager($conf, http => 'ws_mgr_placeholder_ids off;');

is $off->try_post({ type => 'x', user_id => 'null' })->{status}, 200, 'off';
