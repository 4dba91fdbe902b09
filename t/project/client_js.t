#!/usr/bin/perl

# clients/js: by itself, its types and size; and in a real browser, with a
# real manager, through what happens to pages.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;
use Test::WsMgr::Browser;

my $js = "$top/clients/js";

$ENV{WS_MGR_CLIENTS} = clients_dir() // '';

my ($node) = `node --version` =~ /^v(\d+)/;

plan skip_all => 'Node is older than 20: make clients brings one'
    if ($node // 0) < 20;

my $said = `node --test $js/tests/*.test.js 2>&1`;

is $?, 0, 'the tests of the client' or diag $said;
my ($n) = $said =~ /^# pass (\d+)$/m;
cmp_ok $n // 0, '>=', 49, 'that many';

plan skip_all => 'npm has not brought its packages' if !clients_dir();

my $bin = clients_dir() . '/node_modules';
my $size = `node -e 'const e = require("$bin/esbuild"); process.stdout.write("" + e.transformSync(require("fs").readFileSync("$js/index.js", "utf8"), { minify: true, format: "esm" }).code.length)'`;

cmp_ok $size, '>', 1000, 'minified';
cmp_ok $size, '<', 8000, "under 8 kB: $size";

$said = `cd $js && node $bin/typescript/bin/tsc --noEmit --strict --target es2022 --module nodenext --moduleResolution nodenext --lib es2022,dom tests/types.ts 2>&1`;
is $?, 0, 'its types' or diag $said;

my $mgr = manager(<<'CONF', workers => 2, http => 'include /etc/nginx/mime.types;');
    location /ws   { ws_mgr_socket; }
    location /api/ { ws_mgr_api events tickets users connections broadcast; }
    location /js/  { root .; }
CONF

share_files($mgr->path('js'), qw{ clients/js/index.js t/browser/client.html });

my $post = sub {
    my ($user, $from, $to) = @_;

    $mgr->post({ type => 'n', user_id => $user, n => $_ }) for $from .. $to;
};

SKIP: {
    skip 'no browser', 1 if !-x '/usr/bin/chromium';

    browse(client => 'http://' . $mgr->address,
        post => sub { $post->(@_) },
        slowly => sub {
            my ($user, $from, $to) = @_;

            for ($from .. $to) {
                $post->($user, $_, $_);
                select undef, undef, undef, 0.02;
            }
        },
        broadcast => sub {
            my ($from, $to) = @_;

            $mgr->post({ type => 'n', user_id => '*', n => 0 + $_ })
                for $from .. $to;
        },
        thread => sub {
            my ($user, $thread, $from, $to) = @_;

            $mgr->post({ type => 'n', user_id => $user, thread_id => $thread,
                         audience => 'thread', n => 0 + $_ }) for $from .. $to;
        },
        kill => sub {
            for my $pid ($mgr->workers) {
                $mgr->kill_worker($pid);
            }
        },
        sockets => sub { scalar $mgr->connections_of($_[0]) },
        ban => sub { $mgr->api('DELETE', "users/$_[0]?return=no"); 'ok' },
    );
}
