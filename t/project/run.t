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

sub slurp {
    open my $file, '<', shift or return '';
    local $/;

    return <$file>;
}

done_testing;
