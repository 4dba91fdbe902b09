#!/usr/bin/perl

# The API is closed but to loopback, unless the operator says so.

use FindBin;
use lib "$FindBin::Bin/../lib";
use IO::Socket::UNIX;
use Test::WsMgr;

my $conf = <<'CONF';
    location /ws           { ws_mgr_socket; }
    location /api/         { ws_mgr_api; }
    location /api/key/     { ws_mgr_api; ws_mgr_api_key %s; }
    location /api/allowed/ { ws_mgr_api; allow 127.0.0.0/8; deny all; }
    location /api/denied/  { ws_mgr_api; deny 127.0.0.2; allow all; }
CONF

my $dir = File::Temp::tempdir(CLEANUP => 1);
my $file = "$dir/keys";

chmod 0755, $dir;
open my $keys, '>', $file;
print $keys "secret-one-of-ann\nsecret-two-of-bob\n";
close $keys;

my $proxied = "unix:$dir/proxied.sock";
my $mgr = manager("listen $proxied proxy_protocol;\n" . sprintf $conf, $file);
my $get = sub {
    my ($path, @headers) = @_;

    return $mgr->api(GET => $path, undef, @headers);
};

is $get->('health')->{status}, 200, 'loopback';
is $mgr->client(to => $mgr->unix)->get('/api/health')->{status}, 200, 'unix';

for my $header ('X-Forwarded-For', 'Forwarded') {
    $mgr->counts('ws_mgr_api_denied_total', 1, sub {
        $mgr->is_problem($get->('health', $header => '127.0.0.1'), 403,
                         'api_denied', "$header came through a proxy");
    });

    my $answer = $mgr->client(to => $mgr->unix)
                     ->get('/api/health', $header => 'for=127.0.0.1');
    is $answer->{status}, 403, 'on a unix socket too';
}

# nor is who a proxy speaks for in its own protocol
my $socket = IO::Socket::UNIX->new(Peer => "$dir/proxied.sock");

print $socket "PROXY TCP4 127.0.0.1 127.0.0.1 1025 80\r\n"
              . "GET /api/health HTTP/1.0\r\n\r\n";
$socket->flush;
like scalar <$socket>, qr/ 403 /, 'the PROXY protocol is a proxy\'s';
$socket->close;

# with a key
is $get->('key/health', Authorization => "Bearer $_")->{status}, 200,
   "key $_" for 'secret-one-of-ann', 'secret-two-of-bob';
is $get->('key/health', Authorization => 'bearer secret-one-of-ann')->{status}, 200,
   'the scheme in any case';
is $get->('key/health', Authorization => 'Bearer secret-one-of-ann',
          'X-Forwarded-For' => '192.0.2.1')->{status}, 200, 'from afar';

for my $wrong (undef, 'Bearer', 'Bearer ', 'Bearer secret-one-of-an',
               'Basic secret-one-of-ann', 'Bearer secret-one-of-anna',
               'Bearer secret-one-of-anns',
               'Bearer secret-one-of-annsecret',
               'Bearer secret-one-of-anm', 'secret-one-of-ann',
               'Bearer secret-one-of-ann secret-two-of-bob', "Bearer \x{1}")
{
    my $answer = $get->('key/health', Authorization => $wrong);
    my $name = ($wrong // 'none') =~ s/[^ -~]/?/gr;

    next if $answer->{status} == 400 && $name =~ /\?/;
    $mgr->is_problem($answer, 401, 'api_key', "wrong key: $name");
    is $answer->{headers}{'www-authenticate'}, 'Bearer', 'WWW-Authenticate';
}

unlike $mgr->log('error.log') . $mgr->log('access.log'), qr/secret-o/,
       'no key in the logs';

# allow and deny
is $get->('allowed/health')->{status}, 200, 'allowed';
is $get->('denied/health')->{status}, 200, 'not denied';
is $get->('denied/health', 'X-Forwarded-For' => '192.0.2.1')->{status}, 200,
   'allowed to all, whatever they came through';

my $denied = $mgr->client(from => '127.0.0.2')->get('/api/denied/health');
is $denied->{status}, 403, 'denied';

# what is refused does nothing
$mgr->api(POST => 'events', { type => 'x', user_id => 'ann' },
          'X-Forwarded-For' => '192.0.2.1');
is $get->('users/ann')->{status}, 404, 'nothing was stored';
