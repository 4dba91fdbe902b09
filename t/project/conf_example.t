#!/usr/bin/perl

# conf.example: what an operator copies is a configuration that nginx takes, and
# that does what it says; only names, places and ports are others here.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;
use Test::WsMgr::Backend;
use Test::WsMgr::Http;
use Test::WsMgr::Redis;
use Test::WsMgr::WebSocket;

my $nginx = Test::WsMgr::Nginx->new(tls => 1);
my $redis = Test::WsMgr::Redis->start(args => [ '--requirepass', 'secret word' ]);
my $backend = Test::WsMgr::Backend->start;
my ($tls, $api) = map { Test::WsMgr::Nginx::free_port() } 1, 2;
my $dir = $nginx->{dir};
my $module = Test::WsMgr::Nginx::module();
my $key = 'k' x 40;

mkdir "$dir/logs";
chmod 0777, "$dir/logs";
$nginx->write_file(secret => "secret word\n");
$nginx->write_file(keys => "# the agents'\n$key\n");

open my $file, '<', "$top/conf.example" or die $!;
my $conf = do { local $/; <$file> };

my $set = sub {
    my ($old, $new) = @_;

    ok scalar($conf =~ s/\Q$old\E/$new/g), "has $old" or BAIL_OUT('not there');
};

$set->('include /etc/nginx/modules-enabled/*.conf;',
       ($module ? "load_module $module;" : '') . "\ndaemon off;");
$set->('/run/nginx.pid', "$dir/nginx.pid");
$set->('/var/log/nginx/', "$dir/logs/");
$set->('worker_processes auto', 'worker_processes 2');
$set->('redis://redis.internal:6379', $redis->unix);
$set->('/etc/nginx/redis.secret', "$dir/secret");
$set->('/etc/nginx/ws_mgr.keys', "$dir/keys");
$set->('set_real_ip_from 10.0.0.0/8', 'set_real_ip_from 127.0.0.0/8');
$set->('server 10.0.1.11:8000', "server $backend->{address}");
$set->("        server 10.0.1.12:8000;\n", '');
$set->('listen 443 ssl', "listen 127.0.0.1:$tls ssl");
$set->('/etc/nginx/tls/ws.example.org.pem', "$dir/cert.pem");
$set->('/etc/nginx/tls/ws.example.org.key', "$dir/key.pem");
$set->("        listen 10.0.0.10:8081;\n", '');
$set->('listen 127.0.0.1:8081', "listen 127.0.0.1:$api");
$set->('ws_mgr_zone 512m', 'ws_mgr_zone 32m');
$set->('include /etc/nginx/mime.types;', join ' ', 'include /etc/nginx/mime.types;',
       map { "${_}_temp_path $dir/temp/$_;" }
       qw/ client_body proxy fastcgi uwsgi scgi /);
$set->('user www-data;', $> ? '' : 'user www-data;');

$nginx->write_file('nginx.conf', $conf);

my ($exit, $said) = $nginx->check;

is $exit, 0, 'nginx -t' or diag $said;
unlike $said, qr/\[warn\]/, 'without a warning' or diag $said;

$nginx->{pid} = fork;

if ($nginx->{pid} == 0) {
    open STDERR, '>', "$dir/stderr";
    { exec $nginx->command }
    POSIX::_exit(127);
}

my @bearer = (Authorization => "Bearer $key");
my $client;

wait_until {
    $client = eval { Test::WsMgr::Http->new("127.0.0.1:$api") } or return;
    eval { $client->get('/ws-mgr/health')->{json}{status} eq 'healthy' };
} or BAIL_OUT('it does not come: ' . $nginx->log('logs/error.log'));

# --- services ---

my $post = sub {
    my ($path, $body, @headers) = @_;

    return $client->request(POST => "/api/$path", encode($body), @headers);
};

is $post->(tickets => { user_id => 'ann' })->{status}, 401, 'not without a key';

my $ticket = sub {
    my $answer = $post->(tickets => { user_id => $_[0],
                                      permissions => [ 'websocket' ] }, @bearer);

    return $answer->{json}{ticket_id};
};

is $post->(events => { type => 'tool_executing', user_id => 'ann' }, @bearer)
       ->{status}, 422, 'a schema is enforced';
is $client->get('/api/status', @bearer)->{status}, 404,
   'the status is not for services';
is $client->get('/ws-mgr/metrics')->{status}, 200, 'but for this machine';

# --- browsers ---

my $upgrade = sub {
    my ($ticket, %headers) = @_;
    my $socket = Test::WsMgr::WebSocket->start("127.0.0.1:$tls", tls => 1,
        headers => { Host => 'ws.example.org',
                     Origin => 'https://app.example.org', %headers },
        protocols => [ 'ws-mgr.v1', "ticket.$ticket" ]);

    return $socket->finish;
};

is $upgrade->($ticket->('eve'), Origin => 'https://evil.example')->status, 403,
   'a page of another site';

my $ann = $upgrade->($ticket->('ann'), 'X-Forwarded-For' => '192.0.2.7');

is $ann->status, 101, 'a page of ours, by TLS';
is $ann->event->{user_id}, 'ann', 'welcome';

my $come = $backend->request->{message};

is_deeply [ @$come{qw/ type user_id /} ], [ 'connect', 'ann' ],
          'the agents hear who came';

$ann->say({ type => 'ask', text => 'x' });
my $asked = $backend->request;

is $asked->{message}{text}, 'x', 'and what she says';

my $event = $post->(events => { type => 'hello', user_id => 'ann' }, @bearer)
            ->{json}{events}[0];

is $event->{nodes}, 1, 'an event, over Redis';
is $ann->event->{id}, $event->{id}, 'arrives';

my $spent = $upgrade->('x' x 43);

is $spent->closed, 1008, 'a bad ticket is told by a close code';

# the eleventh in place of the first
my @tabs = map { my $tab = $upgrade->($ticket->('ann')); $tab->event; $tab }
           1 .. 10;

is $ann->closed, 4502, 'the eleventh takes the place of the first';

$_->abort for @tabs;
kill QUIT => $nginx->{pid};
waitpid $nginx->{pid}, 0;
is $?, 0, 'ends well';
delete $nginx->{pid};

like $nginx->log('logs/ws_mgr.log'), qr/^192\.0\.2\.7 ann .* 101 /m,
     'the log has the address of the page';
unlike $nginx->log('logs/ws_mgr.log'), qr/ticket\.[^*]{8}/, 'and no ticket';
# the container may not have as many descriptors as the example
unlike $nginx->log('logs/error.log') =~ s/^.*setrlimit.*\n//mgr,
       qr/\[(?:alert|emerg|crit)\]/, 'no fault';

done_testing;
