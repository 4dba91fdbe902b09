package Test::WsMgr::Chaos;

# Two thousand events a second for two hundred users, whose sockets check all
# that they get, while workers are killed and reloaded, sockets vanish, sleep,
# come back with and without a position and are kicked, and memory runs short.

use strict;
use warnings;

use IO::Socket::INET;
use Test::WsMgr::Chaos::Client;
use Test::WsMgr::Wait qw/ now patience /;

my $users = 200;
my $batch = 25;
my $publishers = 8;

# mgr, seconds, rate (events a second), faults (their names), deeds (more of
# them), pause (the longest between two, in seconds); the tally
sub run {
    my ($class, %option) = @_;
    my $self = bless { rate => 2000, %option }, $class;

    local $SIG{PIPE} = 'IGNORE';

    $self->prepare;

    my $start = now();
    my $end = $start + $self->{seconds};

    $self->turn($end) while now() < $end && !$self->{enough};

    $self->{took} = now() - $start;
    $self->settle;

    return $self->{tally};
}

# ends what goes on, before its time
sub enough { $_[0]{enough} = 1 }

sub prepare {
    my ($self) = @_;
    my $mgr = $self->{mgr};

    $self->{tally} = { map { $_ => 0 } qw/ events welcomes gaps resets shutdowns
                       lost repeated disordered leaked reconnects posted
                       retries / };
    $self->{n} = {};
    $self->{clients} = [];
    $self->{by_fd} = {};
    $self->{later} = [];
    $self->{started} = now();

    for my $i (0 .. $users - 1) {
        # one in ten has events that fill a socket's buffer
        my $fat = $i % 10 == 0;
        my $user = "user$i";

        $self->{pad}{$user} = $fat ? 8000 : 150;

        for (1 .. ($fat ? 1 : 1 + $i % 2)) {
            push @{ $self->{clients} }, Test::WsMgr::Chaos::Client->new(
                user => $user, pad => $self->{pad}{$user}, fat => $fat,
                connect => $fat ? $mgr->unix : $mgr->address,
                tally => $self->{tally});
        }
    }

    for my $i (0 .. $publishers - 1) {
        push @{ $self->{publishers} },
            { users => [ grep { substr($_, 4) % $publishers == $i }
                         map { "user$_" } 0 .. $users - 1 ], next => 0 };
    }

    $self->enter($_, 0) for @{ $self->{clients} };
}

# --- the loop ---

sub turn {
    my ($self, $end) = @_;
    my $time = now();

    # in the order of time
    while (@{ $self->{later} } && $self->{later}[0][0] <= $time) {
        (shift @{ $self->{later} })->[1]->();
    }

    if (!$self->{settling}) {
        $self->misbehave if $self->{faults} && $time >= ($self->{next_fault} // 0);
        $self->publish($time);
    }

    my $set = '';
    vec($set, $_, 1) = 1 for keys %{ $self->{by_fd} };

    select $set, undef, undef, 0.002;

    for my $fd (keys %{ $self->{by_fd} }) {
        $self->{by_fd}{$fd}->() if vec $set, $fd, 1;
    }
}

sub in {
    my ($self, $seconds, $deed) = @_;

    $self->{later} = [ sort { $a->[0] <=> $b->[0] }
                       @{ $self->{later} }, [ now() + $seconds, $deed ] ];
}

# --- clients ---

sub enter {
    my ($self, $client, $resume) = @_;

    return $self->in(0.2, sub { $self->enter($client, $resume) })
        if !($client->{ticket} ||= $self->ticket($client->{user}))
           || !$client->open($resume);

    $self->listen($client);
}

sub listen {
    my ($self, $client) = @_;
    my $fd = fileno $client->{socket};

    $self->{by_fd}{$fd} = sub {
        return if $client->read;

        delete $self->{by_fd}{$fd};
        $self->ended($client);
    };
}

sub unlisten {
    my ($self, $client) = @_;

    delete $self->{by_fd}{ fileno $client->{socket} } if $client->{socket};
}

sub ended {
    my ($self, $client) = @_;
    my $how = delete $client->{ended};

    $self->{tally}{ends}{$how}++;
    $self->{tally}{reconnects}++;

    # what was in a shard that was lost
    delete $client->{ticket} if $how eq 'refused 401';

    $self->in(0.02 + rand 0.3, sub {
        $self->enter($client, $self->{settling} || rand() < 0.9);
    });
}

sub ticket {
    my ($self, $user) = @_;
    my $answer = $self->ask('POST', 'tickets',
        qq/{"user_id":"$user","single_use":false,"ttl_seconds":3600}/);

    $answer =~ /"ticket_id": *"([^"]+)"/ or return;
    $self->{tally}{tickets}{$1} = 1;

    return $1;
}

# a request on a connection of its own, as text; empty where it came to nothing
sub ask {
    my ($self, $method, $path, $body) = @_;
    my $socket = IO::Socket::INET->new(PeerAddr => $self->{mgr}->address)
        or return '';
    my ($answer, $deadline) = ('', now() + 5);

    $body //= '';
    syswrite $socket, "$method /api/$path HTTP/1.1\r\nHost: x\r\n"
        . "Connection: close\r\nContent-Type: application/json\r\n"
        . 'Content-Length: ' . length($body) . "\r\n\r\n$body";

    while (Test::WsMgr::Wait::readable($socket, $deadline - now())) {
        sysread $socket, $answer, 65536, length $answer or last;
    }

    return $answer;
}

# --- publishers: each posts for users of its own, a batch at a time, and the
# next only when the last was taken; what came to nothing is tried again ---

sub publish {
    my ($self, $time) = @_;
    my $due = $self->{rate} * ($time - $self->{started});

    for my $publisher (@{ $self->{publishers} }) {
        last if $self->{tally}{posted} >= $due;
        next if $publisher->{body};

        my @users = map {
            $publisher->{users}[ $publisher->{next}++
                                 % @{ $publisher->{users} } ]
        } 1 .. $batch;

        $publisher->{body} = join '',
            map { '{' . Test::WsMgr::Chaos::Client::body(
                      $_, ++$self->{n}{$_}, $self->{pad}{$_}) . "\n" } @users;
        $self->{tally}{posted} += $batch;
        $self->post($publisher);
    }
}

sub post {
    my ($self, $publisher) = @_;

    if (!$publisher->{socket}) {
        my $socket = IO::Socket::INET->new(PeerAddr => $self->{mgr}->address)
            or return $self->again($publisher);

        $publisher->{socket} = $socket;
        $publisher->{answer} = '';

        my $fd = fileno $socket;

        $self->{by_fd}{$fd} = sub { $self->answered($publisher, $fd) };
    }

    my $socket = $publisher->{socket};
    my $bytes = "POST /api/events HTTP/1.1\r\nHost: x\r\n"
        . "Content-Type: application/x-ndjson\r\n"
        . 'Content-Length: ' . length($publisher->{body}) . "\r\n\r\n"
        . $publisher->{body};

    while (length $bytes) {
        my $n = syswrite $socket, $bytes;

        last if !$n;
        substr($bytes, 0, $n) = '';
    }
}

sub answered {
    my ($self, $publisher, $fd) = @_;

    if (!sysread $publisher->{socket}, $publisher->{answer}, 65536,
                 length $publisher->{answer})
    {
        delete $self->{by_fd}{$fd};
        close delete $publisher->{socket};
        $self->again($publisher) if $publisher->{body};
        return;
    }

    $publisher->{answer} =~ /\AHTTP\/1.1 (\d+).*?Content-Length: (\d+).*?\r\n\r\n/s
        or return;

    my ($status, $head, $length) = ($1, $+[0], $2);

    return if length $publisher->{answer} < $head + $length;

    my $taken = $status == 200
                && $publisher->{answer} =~ /"accepted":$batch,"rejected":0/;

    substr($publisher->{answer}, 0, $head + $length) = '';

    return $self->again($publisher) if !$taken;

    delete $publisher->{body};
}

sub again {
    my ($self, $publisher) = @_;

    $self->{tally}{retries}++;
    $self->in(0.05 + rand 0.1, sub { $self->post($publisher) });
}

# --- faults ---

my %faults = (
    reload => sub {
        my ($self) = @_;

        # the master is asked once the last generation is there
        return 'not now' if $self->{mgr}->workers != $self->{mgr}{workers};
        $self->{mgr}->signal('HUP');
    },
    kill => sub {
        my ($self) = @_;
        my @workers = $self->{mgr}->workers or return 'not now';

        $self->{mgr}->kill_worker($workers[rand @workers]);
    },
    vanish => sub {
        my ($self) = @_;

        for my $client ($self->some(5)) {
            $self->unlisten($client);
            $client->vanish;
            $client->{ended} = 'vanished';
            $self->ended($client);
        }
    },
    sleep => sub {
        my ($self) = @_;
        my @fat = grep { $_->{fat} && $_->{socket} && !$_->{asleep} }
                  @{ $self->{clients} };
        my $client = $fat[rand @fat] or return 'not now';

        $client->{asleep} = 1;
        $self->unlisten($client);
        $self->in(1 + rand 5, sub {
            $client->{asleep} = 0;
            $self->listen($client) if $client->{socket};
        });
    },
    kick => sub {
        my ($self) = @_;

        $self->ask('DELETE', 'users/user' . int rand $users);
    },
    pressure => sub {
        my ($self) = @_;
        my $event = qq/{"type":"x","pad":"/ . 'x' x 60_000 . '"}';
        my $who = 'other' . int rand 1000;

        $self->ask('POST', "events?user=$who", $event) for 1 .. 20;
    },
);

# clients that are connected and awake
sub some {
    my ($self, $n) = @_;
    my @clients = grep { $_->{socket} && !$_->{asleep} } @{ $self->{clients} };

    return map { splice @clients, rand @clients, 1 }
           1 .. ($n < @clients ? $n : @clients);
}

sub misbehave {
    my ($self) = @_;
    my @kinds = sort @{ $self->{faults} };
    my $kind = $kinds[rand @kinds];

    my $deed = $self->{deeds}{$kind} || $faults{$kind};

    $self->{tally}{faults}{$kind}++ if ($deed->($self) // '') ne 'not now';
    $self->{next_fault} = now() + 0.01 + rand($self->{pause} || 0.4);
}

# --- the end: nothing happens any more, all that was posted arrives ---

sub settle {
    my ($self) = @_;
    my $deadline = now() + patience(30);

    $self->{settling} = 1;

    while (now() < $deadline) {
        $self->turn;

        next if grep { $_->{body} } @{ $self->{publishers} };

        if (!$self->{last_round}++) {
            # one more for each user, so that every socket hears of the end
            for my $publisher (@{ $self->{publishers} }) {
                my @users = @{ $publisher->{users} };

                $publisher->{body} = join '',
                    map { '{' . Test::WsMgr::Chaos::Client::body(
                              $_, ++$self->{n}{$_}, $self->{pad}{$_}) . "\n" }
                    @users;
                $self->post($publisher);
            }

            next;
        }

        last if !grep { ($_->{last} // 0) != $self->{n}{ $_->{user} } }
                @{ $self->{clients} };
    }

    for my $client (@{ $self->{clients} }) {
        my $n = $self->{n}{ $client->{user} };

        $client->found(lost => "heard of " . ($client->{last} // 'nothing')
                               . " last, $n were posted")
            if ($client->{last} // 0) != $n;

        $client->found(lost => 'no gap came after resumed:false')
            if $client->{untold};

        $self->unlisten($client);
        $client->close if $client->{socket};
    }

    close $_->{socket} for grep { $_->{socket} } @{ $self->{publishers} };
}

1;
