#!/usr/bin/perl

# "make deb": a package that installs, is enabled, works, and goes without a
# trace, in a root of its own over this machine's files.

use FindBin;
use lib "$FindBin::Bin/../lib";
use File::Temp qw/ tempdir /;
use Test::WsMgr;

plan skip_all => 'dpkg-buildpackage or dh_nginx is not there'
    if !-x '/usr/bin/dpkg-buildpackage' || !-x '/usr/bin/dh_nginx';
plan skip_all => 'not with sanitizers' if $ENV{WS_MGR_ASAN};

my $dir = tempdir(CLEANUP => 1);
my $built = `$top/build-aux/deb $dir/deb 2>&1`;

is $?, 0, 'it is built' or BAIL_OUT($built);

my ($package) = $built =~ /^(\S+\.deb)$/m;

like $package, qr{/libnginx-mod-http-ws-mgr_[\d.]+_\w+\.deb$}, $package;

my $control = `dpkg-deb -f $package Depends`;

like $control, qr/\bnginx-abi-/, 'for this very nginx';
unlike $control, qr/hiredis/, 'hiredis is in it';

my $symbols = `dpkg-deb --fsys-tarfile $package | tar -xO ./usr/lib/nginx/modules/ngx_http_ws_mgr_module.so > $dir/module.so; nm -D --defined-only $dir/module.so`;
my @foreign = grep { !/ngx_(?:http_)?ws_mgr_|ngx_modules?\b|ngx_module_(?:names|order)/ }
              $symbols =~ /^\S+ [A-TV-Z] (\S+)$/mg;

is "@foreign", '', 'it defines no symbols but its own';

SKIP: {
    skip 'only root has namespaces', 1 if $>;

    mkdir "$dir/root";
    my @said = `unshare --mount --net --pid --fork $top/t/deb/inside $dir/root $package 2>&1`;

    skip "no overlay here: @said", 1 if $? >> 8 == 77;

    is $?, 0, 'tried in a root of its own';

    for (@said) {
        /^(ok|not ok) (.*)/ ? ok $1 eq 'ok', $2 : diag $_;
    }
}

done_testing;
