#!/usr/bin/perl

# The page of "make run", as a newcomer uses it.  WS_MGR_DOCS=1 takes the
# README's pictures.

use FindBin;
use lib "$FindBin::Bin/../lib";
use File::Temp qw/ tempdir /;
use Test::WsMgr;
use Test::WsMgr::Browser;

plan skip_all => 'no browser' if !clients_dir() || !-x '/usr/bin/chromium';

my $dir = tempdir(CLEANUP => 1);
my $port = Test::WsMgr::Nginx::free_port();

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
    last if $line =~ /make demo/;
}

eventually { -S "$dir/$port/agent.sock" } 'the agent is there';

my $client = Test::WsMgr::Http->new("127.0.0.1:$port");
my $post = sub {
    my ($user, $type, $text) = @_;

    $client->post('/api/events', encode({
        type => $type, user_id => $user, text => $text // '' }));
};

browse(demo => "http://127.0.0.1:$port",
       screenshots => sub { $ENV{WS_MGR_DOCS} ? "$top/docs" : $ENV{SHOTS} // '' },
       post => sub { $post->(@_)->{status} },
       kick => sub { $client->delete("/api/users/$_[0]")->{status} },
       ban => sub { $client->delete("/api/users/$_[0]?return=no")->{status} });

kill QUIT => $pid;
waitpid $pid, 0;
is $?, 0, 'ends well';
eventually { !-S "$dir/$port/agent.sock" } 'and so does the agent';

done_testing;
