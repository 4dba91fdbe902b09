package Test::WsMgr::State;

# A client that is drunk: takes the steps of a plan, one at a time, in a world
# of managers, and asks the model after each whether a promise was broken.

use strict;
use warnings;

use IO::Socket::INET;
use Test::More;
use Test::WsMgr::Chaos;
use Test::WsMgr::State::Client;
use Test::WsMgr::State::Model;
use Test::WsMgr::State::Plan;
use Test::WsMgr::State::World;
use Test::WsMgr::Wait qw/ now patience readable wait_until /;
use Time::HiRes ();

my $clients = 16;
my $users = 8;
my $room = 200;

# Worlds, one after the other, as tests: one for each seed, from WS_MGR_SEED on,
# and engine (WS_MGR_ENGINE), until WS_MGR_STATE seconds are over, or one has
# found something.  Options: engines; faults, where they are not those of the
# engine.
sub rounds {
    my ($class, %option) = @_;
    my $seconds = $ENV{WS_MGR_STATE} || 14;
    my @engines = split ' ', $ENV{WS_MGR_ENGINE} || $option{engines}
                             || 'shm redis';
    my $end = now() + $seconds;
    my $each = $seconds / @engines;

    $each = 20 if $each > 20;

    for (my $seed = $ENV{WS_MGR_SEED}; now() < $end; $seed++) {
        for my $engine (@engines) {
            my $run = $class->run(seed => $seed, engine => $engine,
                                  faults => $engine, seconds => $each, %option);

            $run->report;
            $_->finish for @{ $run->{world}{nodes} };
            return if $run->over;
        }
    }
}

sub report {
    my ($self) = @_;
    my ($engine, $seed, $tally) = @$self{qw/ engine seed tally /};
    my @found = @{ $self->{model}{found} };

    ok !@found, "$engine: what was promised, seed $seed"
        or diag join "\n", "SEED=$seed ENGINE=$engine", @found,
                           'the steps before:', @{ $self->{trail} };
    diag(sprintf '%s: seed %d, %d steps, %d posted (%d unknown), %d seen, '
                 . '%d welcomes, %d gaps, %d resets', $engine, $seed,
                 @$tally{qw/ steps posts unknown events welcomes gaps resets /});

    for my $kind (qw/ taken ends answers /) {
        my $of = $tally->{$kind} || {};

        note "$kind: ", join ', ', map { "$of->{$_} $_" } sort keys %$of;
    }

    cmp_ok $tally->{$_}, '>', 0, "$engine: there were $_"
        for qw/ steps posts events welcomes /;
}

# seed, engine (of the world), faults (of the plan), seconds
sub run {
    my ($class, %option) = @_;
    my $self = bless { trail => [], %option }, $class;

    local $SIG{PIPE} = 'IGNORE';

    $self->{tally} = { map { $_ => 0 } qw/ events welcomes gaps resets posts
                                           unknown steps / };
    $self->{plan} = Test::WsMgr::State::Plan->new(seed => $option{seed},
                                                  faults => $option{faults});
    $self->{model} = Test::WsMgr::State::Model->new;
    $self->{model}{room} = $room / 2;
    $self->{world} = Test::WsMgr::State::World->new(engine => $option{engine},
                                                    faults => $option{faults},
                                                    room => $room);
    $self->{clients} = [ map {
        Test::WsMgr::State::Client->new(
            name => "c$_", user => 'u' . $_ % $users, tally => $self->{tally},
            model => $self->{model});
    } 0 .. $clients - 1 ];
    $self->{users} = [ map { "u$_" } 0 .. $users - 1 ];
    $self->{saved} = {};

    my $end = now() + $option{seconds};

    while (now() < $end && !$self->over) {
        $self->step($self->{plan}->next);
    }

    $self->rest if !$self->over;
    $self->leave($_) for grep { $_->{socket} } @{ $self->{clients} };

    return $self;
}

sub over { scalar @{ $_[0]{model}{found} } }

sub step {
    my ($self, $step) = @_;
    my $deed = "step_$step->{name}";

    $self->{model}{step} = $step->{number};
    $self->{tally}{steps}++;
    $self->{tally}{taken}{ $step->{name} }++;

    my $said = $self->$deed(@{ $step->{draws} }) // '';

    push @{ $self->{trail} }, "$step->{number} $step->{name} $said";
    shift @{ $self->{trail} } if @{ $self->{trail} } > 40;

    $self->pump(0);

    if ($step->{number} % 20 == 0) {
        $self->{model}->found(fault => $_) for $self->{world}->faults;
    }
}

# all who are awake read what there is
sub pump {
    my ($self, $seconds) = @_;
    my ($set, %by) = ('');

    for my $client (grep { $_->{socket} && !$_->{asleep} } @{ $self->{clients} }) {
        my $fd = fileno $client->{socket};

        vec($set, $fd, 1) = 1;
        $by{$fd} = $client;
    }

    select $set, undef, undef, $seconds;

    for my $fd (sort { $a <=> $b } keys %by) {
        next if !vec $set, $fd, 1;
        $by{$fd}->read || $self->ended($by{$fd});
    }
}

# reads until it is so, or in vain
sub until {
    my ($self, $condition, $seconds) = @_;
    my $deadline = now() + patience($seconds // 3);

    while (!$condition->()) {
        return 0 if now() > $deadline || $self->over;
        $self->pump(0.01);
    }

    return 1;
}

sub client { $_[0]{clients}[ $_[1] % $clients ] }
sub node { $_[0]{world}{nodes}[ $_[1] % @{ $_[0]{world}{nodes} } ] }

sub ended {
    my ($self, $client) = @_;
    my $how = delete $client->{ended} // 'lost';

    $self->{tally}{ends}{$how}++;
    @$client{qw/ open asleep /} = (0, 0);
    $client->{how} = $how;
    delete $client->{socket};
}

sub leave {
    my ($self, $client) = @_;

    $client->close if $client->{socket};
    $client->{ended} = 'left';
    $self->ended($client);
}

# --- steps: each has draws, and returns what it did ---

sub step_enter {
    my ($self, $who, $node, $deflate, $resume) = @_;

    return $self->enter($self->client($who), $self->node($node),
                        $deflate % 3 > 0, $resume % 10 > 0);
}

sub enter {
    my ($self, $client, $node, $deflate, $resume) = @_;

    return 'is in' if $client->{socket};

    if (!$client->{ticket}) {
        my $answer = $self->{world}->ask($node, 'POST', 'tickets',
            qq/{"user_id":"$client->{user}","single_use":false,"ttl_seconds":3600}/);

        $client->{ticket} = ($answer->{json} || {})->{ticket_id}
            or return "no ticket $answer->{status}";
    }

    $client->{connect} = $node->address;
    $client->{deflate} = $deflate;
    delete $client->{thread};
    @$client{qw/ welcomed how untold /} = (0, undef, 0);

    my $how = $resume && defined $client->{position} ? 'again' : 'fresh';

    $self->{model}->$how($client);
    $client->open(defined $client->{position}) or return 'no connection';
    $client->{open} = 1;

    $self->until(sub { $client->{welcomed} || !$client->{socket} });

    if (!$client->{welcomed}) {
        my $how = $client->{how} // 'silence';

        $self->leave($client) if $client->{socket};

        # a ticket is good for an hour, unless Redis or a worker was lost
        if ($how eq 'closed 1008' || $how eq 'refused 401') {
            delete $client->{ticket};
            $self->{model}->wrong($client, lie => "a good ticket was $how")
                if !$self->{model}{tickets};
        }

        return $how;
    }

    return "$client->{name} of $client->{user}"
           . ($client->{resumes} ? " from $client->{position}" : '');
}

my @refusals = (
    [ '' ], [ '?ticket=x' ], [ '?ticket=' . 'A' x 43 ], [ '?ticket=' ],
    [ '?last_event_id=%00' ], [ '', 'Sec-WebSocket-Protocol: ws-mgr.v1, ticket.' ],
    [ '', 'Origin: http://elsewhere' ],
);

sub step_refused {
    my ($self, $node, $which) = @_;
    my ($query, $header) = @{ $refusals[ $which % @refusals ] };
    my $text = $self->raw_upgrade($node, $query, $header ? "$header\r\n" : '');

    # 101 and a close of 1008, 1012 or 1013; or HTTP
    my ($status, $rest) = $text =~ m{\AHTTP/1.1 (\d+).*?\r\n\r\n(.*)\z}s;
    my $code = length($rest // '') >= 4 ? unpack 'x2n', $rest : 0;

    $self->{model}->found(lie => "an upgrade with no ticket was $status")
        if defined $status && $status == 101 && $code !~ /^(1008|1012|1013)$/
           || defined $status && $status !~ /^(101|401|403|503)$/
              && !($status == 500 && $self->{world}{refusing});

    return ($status // 'nothing') . " $code";
}

sub raw_upgrade {
    my ($self, $node, $query, $headers) = @_;
    my $socket = IO::Socket::INET->new(PeerAddr => $self->node($node)->address)
        or return '';
    my ($text, $deadline) = ('', now() + patience(2));

    syswrite $socket, "GET /ws$query HTTP/1.1\r\nHost: x\r\n"
        . "Upgrade: websocket\r\nConnection: Upgrade\r\n"
        . "Sec-WebSocket-Version: 13\r\n${headers}"
        . "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";

    while (readable($socket, $deadline - now())) {
        sysread $socket, $text, 65536, length $text or last;
        last if $text =~ m{\r\n\r\n....}s;
    }

    return $text;
}

sub step_half {
    my ($self, $who, $node, $bytes) = @_;
    my $client = $self->client($who);

    if ($client->{socket}) {
        # the rest never comes
        syswrite $client->{socket},
                 substr pack('CCN', 0x81, 0x80 | 100, 0) . 'x' x 100, 0, 1 + $bytes % 90;
        $self->leave($client);

        return "half a frame of $client->{name}";
    }

    my $socket = IO::Socket::INET->new(PeerAddr => $self->node($node)->address)
        or return 'no connection';

    syswrite $socket, substr "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n", 0,
                      1 + $bytes % 40;

    return 'half a request';
}

sub step_leave {
    my ($self, $who, $how) = @_;
    my $client = $self->client($who);

    return 'is out' if !$client->{socket};

    if ($how % 3 == 0) {
        syswrite $client->{socket}, pack 'CCNn', 0x88, 0x82, 0, 1000;
        $self->until(sub { !$client->{socket} }, 1) if !$client->{asleep};
    } elsif ($how % 3 == 1) {
        $client->vanish;
    }

    $self->leave($client);

    return $client->{name};
}

sub step_sleep {
    my ($self, $who) = @_;
    my $client = $self->client($who);

    $client->{asleep} = !$client->{asleep} if $client->{socket};

    return $client->{name};
}

my @messages = (
    '{"type":"ping","ts":1}', '{"type":"ack","seq":1}', '{"type":"chat","text":"x"}',
    '{"type":"event_confirmation","id":"x","status":"confirmed"}', '{}', '[1',
);

sub tell {
    my ($self, $client, $text) = @_;

    syswrite $client->{socket},
             pack('CCN', 0x81, 0x80 | length $text, 0) . $text;
}

sub step_say {
    my ($self, $who, $which) = @_;
    my $client = $self->client($who);
    my $text = $messages[ $which % @messages ];

    $self->tell($client, $text) if $client->{socket};

    return $text;
}

# the pong says that the thread is shown, or that an error came before
sub step_thread {
    my ($self, $who, $which) = @_;
    my $client = $self->client($who);
    my $thread = 't' . $which % 3;

    return 'is out' if !$client->{socket} || $client->{asleep};

    my $before = $client->{ponged} // 0;
    my $errors = $client->{errors} // 0;

    delete $client->{thread};
    $self->tell($client, qq/{"type":"thread_switched","thread_id":"$thread"}/);
    $self->tell($client, $messages[0]);
    $client->{thread} = $thread
        if $self->until(sub { !$client->{socket}
                              || ($client->{ponged} // 0) > $before })
           && $client->{socket} && ($client->{errors} // 0) == $errors;

    return "$client->{name} $thread";
}

# --- posts ---

# a request with these events, and what its answer says of them
sub post {
    my ($self, $node, $query, @events) = @_;
    my $model = $self->{model};
    my @texts = map { $model->posted($_) } @events;
    my $body = @texts == 1 ? $texts[0] : '{"events":[' . join(',', @texts) . ']}';
    my $answer = $self->{world}->ask($node, 'POST', "events$query", $body);

    $self->{tally}{posts} += @events;
    $self->judge($answer, @events);

    return "$answer->{status} " . join ' ', map {
        "$_->{user}{name}:$_->{n}=" . ($_->{id} // $_->{state})
    } @events;
}

sub judge {
    my ($self, $answer, @events) = @_;
    my $model = $self->{model};
    my $results = ($answer->{json} || {})->{events};

    $self->{tally}{answers}{ $answer->{status} }++;

    if ($answer->{status} == 200) {
        return $model->found(lie => "an answer to " . @events . ": $answer->{body}")
            if @{ $results || [] } != @events;
    } elsif ($answer->{status} && $answer->{status} != 503
             && !($answer->{status} == 500 && $self->{world}{refusing}))
    {
        $model->found(lie => "a good post was $answer->{status} $answer->{body}");
    }

    for my $i (0 .. $#events) {
        my $result = $results->[$i];

        if ($result && defined $result->{id}) {
            $model->found(lie => "n $events[$i]{n} is a duplicate, and new")
                if $result->{duplicate} && $events[$i]{tries}++ == 0;
            $model->accept($events[$i], $result->{id});

        } elsif ($answer->{status} && !$self->{world}{redis}) {
            $model->refuse($events[$i]);

        } else {
            # Redis may have it, though its answer was late or lost
            $self->{tally}{unknown}++;
        }
    }
}

sub any { $_[0]{users}[ $_[1] % $users ] }

sub step_post {
    my ($self, $node, $user, $pad, $thread) = @_;

    # every fourth is for one thread
    my %aim = $thread % 4 ? () : (thread => 't' . $thread % 3);

    return $self->post($self->node($node), '', $self->{model}->draft(
        $self->any($user), $pad % 50 ? 1 + $pad % 60 : 3000, %aim));
}

# logs of one age have the same seqs
sub step_all {
    my ($self, $node, $pad) = @_;
    my $model = $self->{model};

    return join ' ', map {
        $self->post($self->node($node), '', $model->draft($_, 20 + $pad % 40))
    } @{ $self->{users} };
}

sub step_batch {
    my ($self, $node, $n, @who) = @_;
    my $model = $self->{model};
    my @events = map { $model->draft($self->any($who[ $_ % @who ] >> $_), 5) }
                 1 .. 2 + $n % 10;

    return $self->post($self->node($node), '', @events);
}

sub step_stream {
    my ($self, $node, $n, $user) = @_;
    my $model = $self->{model};
    my @events = map { $model->draft($self->any($user), 5) } 1 .. 1 + $n % 6;
    my @answers = $self->{world}->stream($self->node($node),
                                         map { $model->posted($_) } @events);

    $self->{tally}{posts} += @events;

    for my $event (@events) {
        my $result = shift @answers;

        $model->accept($event, $result->{id}) if $result && defined $result->{id};
    }

    return @events . " of $events[0]{user}{name}";
}

sub step_wait {
    my ($self, $node, $user, $what) = @_;

    return $self->post($self->node($node), '?timeout=30&wait='
                       . ($what % 2 ? 'sent' : 'confirmed'),
                       $self->{model}->draft($self->any($user), 10));
}

# the same event_id: the first answer again, or 409 for another body
sub step_repeat {
    my ($self, $node, $which) = @_;
    my $user = $self->{model}->user($self->any($which));
    my $event = $user->{events}{ $user->{n} };

    return 'none' if !$event || $event->{state} ne 'accepted';

    my $answer = $self->{world}->ask($self->node($node), 'POST', 'events',
                                     $self->{model}->posted($event));
    my $result = ($answer->{json}{events} || [])->[0];

    # where Redis has lost it, it is new
    if ($result && defined $result->{id} && !$self->{model}{losses}
        && ($result->{id} ne $event->{id} || !$result->{duplicate}))
    {
        $self->{model}->found(lie => "$event->{id} again is $answer->{body}");
    }

    if ($result && !$result->{duplicate}) {
        $event->{state} = 'maybe';
        delete $_->{owed}{ $event->{n} }, delete $_->{seen}{ $event->{n} }
            for values %{ $user->{clients} };
    }

    return "$answer->{status} $event->{user}{name}:$event->{n}";
}

my @bad = ('{', '{}', '{"type":"x","user_id":"null"}', '[]', '{"type":"x","user_id":"u1","seq":1}',
           '{"type":"x","user_id":"u1"}x', "{\"type\":\"\xff\",\"user_id\":\"u1\"}");

sub step_bad {
    my ($self, $node, $which) = @_;
    my $body = $bad[ $which % @bad ];
    my $answer = $self->{world}->ask($self->node($node), 'POST', 'events', $body);

    $self->{model}->found(lie => "$answer->{status} for $body")
        if $answer->{status} == 200 && $answer->{json}{accepted};

    return "$answer->{status} $body";
}

sub step_look {
    my ($self, $node, $which) = @_;
    my $user = $self->any($which);
    my $answer = $self->{world}->ask($self->node($node), 'GET', "events/$user");

    $self->{model}->log($user, map { [ $_->{id}, $_->{n} ] }
                               @{ $answer->{json}{events} || [] })
        if $answer->{status} == 200;

    return "$answer->{status} $user";
}

sub step_kick {
    my ($self, $node, $who, $what) = @_;
    my $client = $self->client($who);

    my $path = $what % 2 || !$client->{connection} ? "users/$client->{user}"
               : "connections/$client->{connection}";

    $self->{world}->ask($self->node($node), 'DELETE', $path);

    return $path;
}

# a user that is new in the place of one that is there, with the clients of it
sub step_newcomer {
    my ($self, $which, $node) = @_;
    my $i = $which % $users;
    my $name = 'n' . ++$self->{newcomers};

    for my $client (grep { $_->{user} eq $self->{users}[$i] } @{ $self->{clients} }) {
        $self->leave($client) if $client->{socket};
        $self->{model}->gone($client);
        $client->{user} = $name;
        delete @$client{qw/ ticket thread connection /};
        $self->enter($client, $self->node($node), 1, 0);
    }

    $self->{users}[$i] = $name;

    return $self->post($self->node($node), '', $self->{model}->draft($name, 30));
}

# --- faults ---

sub step_reload {
    my ($self, $node) = @_;

    $self->{world}->reload($self->node($node));
}

sub step_kill {
    my ($self, $node, $which) = @_;

    # of any shard that it held
    $self->{model}{$_}++ for qw/ losses tickets /;
    $self->{world}->kill($self->node($node), $which);
}

# back by seconds, or it stands where it stood before
sub step_clock {
    my ($self, $which, $how, $by) = @_;
    my $world = $self->{world};
    my $i = $world->{redis} && $which % 4 ? 2 : $which % 2;

    $self->{stood} ||= int(Time::HiRes::time() * 1_000_000);

    if ($how % 3 == 0) {
        $world->set_clock($i, 0);
    } elsif ($how % 3 == 1) {
        $world->set_clock($i, -1_000_000 * (1 + $by % 20));
    } else {
        $world->set_clock($i, 0, $self->{stood});
    }

    return "$i " . $how % 3;
}

# one call in n is refused from now on, or none
sub step_memory {
    my ($self, $n, $seed) = @_;

    $self->{model}{losses}++;

    return $self->{world}->refuse_memory(
        (0, 30, 100, 300, 1000)[ $n % 5 ], $seed);
}

sub step_slab {
    my ($self, $n) = @_;

    $self->{model}{losses}++;

    return $self->{world}->refuse_slab((0, 2, 5, 20, 50)[ $n % 5 ]);
}

sub step_save {
    my ($self) = @_;
    my $saved = $self->{model}->mark;

    return 'not now' if ($self->{world}->save // '') ne 'OK';

    $self->{saved} = $saved;

    return 'saved';
}

sub step_crash {
    my ($self, $how, $wait) = @_;
    my $with = ('all', 'its last save', 'its last save', 'nothing')[ $how % 4 ];

    $self->{saved} = $self->{model}->mark if $with eq 'all';
    $self->{saved} = {} if $with eq 'nothing';
    $self->{world}->crash($with);
    $self->{model}->lose($self->{saved});
    $self->{world}->healthy if $wait % 2;

    return $with;
}

sub step_pause {
    my ($self, $how) = @_;

    $self->{world}{redis}->signal($how % 2 ? 'STOP' : 'CONT');
    $self->{world}{redis}{stopped} = $how % 2;
}

# --- all faults end: each client comes, and has what it is due ---

sub step_rest {
    my ($self, $often) = @_;

    # seldom: it takes its time
    return 'not yet' if $often % 4 || $self->{tally}{steps} < 60;

    $self->rest;
}

sub rest {
    my ($self) = @_;
    my ($world, $model) = @$self{qw/ world model /};

    $world->{redis}->signal('CONT') if $world->{redis};
    $world->set_clock($_, 0) for 0 .. 2;
    $world->refuse_slab(0);
    $world->refuse_memory(0);
    $_->{asleep} = 0 for @{ $self->{clients} };

    $world->healthy
        || return $model->found(lie => 'not healthy, and nothing is wrong');

    for my $client (@{ $self->{clients} }) {
        $self->until(sub {
            $self->enter($client, $world->{nodes}[0], 1, 1) if !$client->{socket};
            return $client->{open} && $client->{welcomed};
        }, 10) || $model->wrong($client, lie => 'is not let in: '
                                . ($client->{how} // ''));
        return if $self->over;
    }

    for my $name (@{ $self->{users} }) {
        $self->until(sub {
            my $event = $model->draft($name, 5);

            $self->post($world->{nodes}[0], '', $event);
            return $event->{state} eq 'accepted';
        }, 10) || $model->found(lie => "no event of $name is accepted");
        return if $self->over;
    }

    # an old worker may have sent clients away meanwhile
    $self->until(sub {
        $self->enter($_, $world->{nodes}[0], 1, 1)
            for grep { !$_->{socket} } @{ $self->{clients} };
        return !$model->debts;
    }, 10)
        || $model->found(lost => "still due: " . join '; ', $model->debts);
}

1;
