#!/usr/bin/perl

# clients/python: what it says to a real manager, and its types.

use FindBin;
use lib "$FindBin::Bin/../lib";
use File::Temp ();
use Test::WsMgr;

my $root = "$top/clients/python";
my $key = 'k' x 32;
my $dir = File::Temp::tempdir(CLEANUP => 1);

chmod 0755, $dir;
open my $keys, '>', "$dir/keys" or die $!;
print $keys "$key\n";
close $keys;

my $mgr = manager(<<"CONF", workers => 2, tls => 1);
    location /ws      { ws_mgr_socket; }
    location /api/    { ws_mgr_api; }
    location /strict/ { ws_mgr_api; ws_mgr_run_order enforce; }
    location /keyed/  { ws_mgr_api; ws_mgr_api_key $dir/keys; }
CONF

local %ENV = (%ENV, PYTHONPATH => $root, PYTHONDONTWRITEBYTECODE => 1,
              WS_MGR_API => 'http://' . $mgr->address . '/api/',
              WS_MGR_STRICT => 'http://' . $mgr->address . '/strict/',
              WS_MGR_KEYED => 'http://' . $mgr->address . '/keyed/',
              WS_MGR_KEY => $key,
              WS_MGR_TLS => "https://localhost:$mgr->{tls_port}/api/",
              WS_MGR_CA => $mgr->{dir} . '/cert.pem',
              WS_MGR_UNIX => $mgr->{dir} . '/http.sock',
              WS_MGR_WS => 'ws://' . $mgr->address . '/ws');

my $said = `/usr/bin/python3 -m unittest discover -s $root/tests 2>&1`;

is $?, 0, 'the tests of the client' or diag $said;
my ($n) = $said =~ /^Ran (\d+) tests/m;
cmp_ok $n // 0, '>=', 50, 'that many';

SKIP: {
    skip 'no mypy', 3 if !-x '/usr/bin/mypy';

    my $mypy = '/usr/bin/mypy --strict --python-version 3.9 --cache-dir=/dev/null';

    $said = `cd $root && $mypy ws_mgr 2>&1`;
    is $?, 0, 'types, strictly' or diag $said;

    # a user's program: right but for the two lines that say so
    my $program = "$root/tests/typed.py";
    open my $lines, '<', $program or die $!;
    my @lines = <$lines>;
    my @wrong = grep { $lines[$_ - 1] =~ /# wrong:/ } 1 .. @lines;

    $said = `cd $root && $mypy tests/typed.py 2>&1`;
    is scalar(@wrong), 2, 'two lines are wrong';
    is_deeply [ $said =~ /^tests\/typed.py:(\d+): error:/mg ], \@wrong,
              'and mypy finds these' or diag $said;
}
