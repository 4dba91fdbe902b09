#!/usr/bin/perl

# What "make run" prints works as it is printed, and so does "make demo".

use FindBin;
use lib "$FindBin::Bin/../lib";
use File::Temp qw/ tempdir /;
use Test::WsMgr;

my $dir = tempdir(CLEANUP => 1);
my $port = Test::WsMgr::Nginx::free_port();
my $said = '';

chmod 0755, $dir;

my $pid = open my $run, '-|';

if ($pid == 0) {
    open STDERR, '>', "$dir/stderr";
    $ENV{PORT} = $port;
    { exec "$top/build-aux/run", Test::WsMgr::Nginx::module(),
           Test::WsMgr::Nginx::binary(), $dir }
    POSIX::_exit(127);
}

while (my $line = <$run>) {
    $said .= $line;
    last if $line =~ /make demo/;
}

like $said, qr/make demo PORT=$port/, 'it serves, and says what to try'
    or BAIL_OUT("stderr: " . slurp("$dir/stderr"));

my ($ticket) = $said =~ /^(ticket=.*\\\n.*)$/m;
my ($connect) = $said =~ /^(\S+ -m websockets .*)$/m;
my ($post) = $said =~ /^(curl .*\\\n.*)$/m;

# the second terminal, whose keyboard nobody touches
my $page = open my $terminal, '-|', 'setsid', 'bash', '-c',
                "$ticket\nsleep 60 | exec $connect 2>&1";
my $shown = '';

sub shows {
    my ($what) = @_;

    while ($shown !~ $what) {
        sysread $terminal, $shown, 4096, length $shown or return 0;
    }

    return 1;
}

ok shows(qr/"connection_established"/), 'the ticket lets the page in'
    or diag $shown;

my $answer = decode(scalar `$post -s`);

is $answer->{accepted}, 1, 'the event is accepted';
is $answer->{events}[0]{sockets}, 1, 'for the page';
ok shows(qr/"agent_started"/), 'and the page shows it' or diag $shown;

kill TERM => -$page;

my $demo = `$top/demo/demo 127.0.0.1:$port 2>&1`;

is $?, 0, 'the demo' or diag $demo;
like $demo, qr/in order, once/, 'which says what it saw';

kill QUIT => $pid;
waitpid $pid, 0;
is $?, 0, 'it ends well';

$demo = `$top/demo/demo 127.0.0.1:$port 2>&1`;

is $? >> 8, 1, 'a demo without a manager fails';
like $demo, qr/is "make run" running/, 'and says why';

# --- where it cannot ---

# runs it till its output ends, or till it says "make demo"
sub attempt {
    my ($at, %env) = @_;
    my $text = '';
    my $started = open my $out, '-|';

    if ($started == 0) {
        open STDERR, '>&', STDOUT;
        @ENV{keys %env} = values %env;
        { exec "$top/build-aux/run", $env{MODULE} // Test::WsMgr::Nginx::module(),
               Test::WsMgr::Nginx::binary(), $at }
        POSIX::_exit(127);
    }

    while (my $line = <$out>) {
        $text .= $line;
        last if $line =~ /make demo/;
    }

    return ($started, $text, $out);
}

sub ended {
    my ($started, $out, $signal) = @_;

    kill $signal => $started if $signal;
    waitpid $started, 0;

    my $code = $?;

    # all that hold the pipe have ended: no orphan
    local $SIG{ALRM} = sub { die };
    my $closed = eval { alarm 30; 1 while <$out>; alarm 0; 1 };

    ok $closed, 'nothing of it goes on';

    return $code;
}

my $taken = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1);
my $busy = $taken->sockport;
my ($started, $text, $out) = attempt($dir, PORT => $busy);

isnt ended($started, $out), 0, 'a port that is taken';
is $text, "make run: 127.0.0.1:$busy is taken; another port: make run PORT="
          . ($busy + 1) . "\n", 'one line, with a port to try';

for my $bad (['x', qr/^make run: PORT=x is no port: .*\n\z/],
             ['70000', qr/^make run: PORT=70000 is no port: .*\n\z/])
{
    ($started, $text, $out) = attempt($dir, PORT => $bad->[0]);
    isnt ended($started, $out), 0, "PORT=$bad->[0]";
    like $text, $bad->[1], 'one line';
}

$port = Test::WsMgr::Nginx::free_port();
($started, $text, $out) = attempt($dir, PORT => $port, HOST => '192.0.2.1');
isnt ended($started, $out), 0, 'HOST= of another machine';
like $text, qr/^make run: HOST=192\.0\.2\.1: .*\n\z/, 'one line';

($started, $text, $out) = attempt($dir, PORT => $port, MODULE => '/none.so');
isnt ended($started, $out), 0, 'nginx does not start';
like $text, qr/none\.so/, 'nginx says why';
unlike $text, qr/Open http/, 'and nothing is said to be there';

# --- two of them, one after another that was killed, a path with a space ---

my $odd = "$dir/a b/" . 'long' x 25;
my $other = Test::WsMgr::Nginx::free_port();
my ($second, $second_text, $second_out);

system 'mkdir', '-p', $odd;
chmod 0755, "$dir/a b", $odd;

($started, $text, $out) = attempt($odd, PORT => $port);
like $text, qr{Open http://127\.0\.0\.1:$port/}, 'in a path with a space';

($second, $second_text, $second_out) = attempt($odd, PORT => $other);
like $second_text, qr{Open http://127\.0\.0\.1:$other/}, 'a second one';

for my $each ($port, $other) {
    like scalar(`curl -s --noproxy '*' http://127.0.0.1:$each/`), qr/<html/,
         "the page at $each";
    like scalar(`curl -s --noproxy '*' -d '' 'http://127.0.0.1:$each/demo/ticket?user=ann'`),
         qr/"ticket_id"/, "the agent at $each";
}

is ended($second, $second_out, 'QUIT'), 0, 'the second one ends';

# nginx's workers outlive a master that is killed
my @workers = map { /^ *(\d+) .*worker process/ } `ps -o pid=,args= --ppid $started`;

kill KILL => $started, @workers;
is ended($started, $out) & 127, 9, 'the first one is killed';
ok -S "$odd/$port/api.sock", 'its socket is left behind';

($started, $text, $out) = attempt($odd, PORT => $port);
like $text, qr{Open http://127\.0\.0\.1:$port/}, 'no obstacle to the next';
like scalar(`curl -s --noproxy '*' -d '' 'http://127.0.0.1:$port/demo/ticket?user=ann'`),
     qr/"ticket_id"/, 'whose agent is its own';
is ended($started, $out, 'QUIT'), 0, 'ends well';

# --- HOST= ---

($started, $text, $out) = attempt($dir, PORT => $port, HOST => '127.0.0.2');
like $text, qr{Open http://127\.0\.0\.2:$port/}, 'HOST=';
like scalar(`curl -s --noproxy '*' http://127.0.0.2:$port/`), qr/<html/,
     'the page is there';
$demo = `$top/demo/demo 127.0.0.1:$port 2>&1`;
is $?, 0, 'make demo finds it' or diag $demo;
is ended($started, $out, 'QUIT'), 0, 'ends well';

sub slurp {
    open my $file, '<', shift or return '';
    local $/;

    return <$file>;
}

done_testing;
