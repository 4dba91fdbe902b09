package Test::WsMgr::State::Model;

# What PROTOCOL.md promised, and nothing else: events of users, and what each
# client is due of them.
#
# An event of a user has a number, n, and a state: "accepted" (200), "refused"
# (an answer with an error: no client may ever see it), "maybe" (no answer, or
# Redis lost it: it may be seen, once).  A client is due each event that was
# accepted for it since its position, in order and once, until it is told of a
# loss.  A position that the client was told is as good as an event.
#
# What contradicts that is found(): lost, repeated, disordered, leaked, lie.

use strict;
use warnings;

sub new {
    my ($class) = @_;

    # losses: how often something may have been lost, that clients are told of;
    # tickets: how often a ticket may
    return bless { users => {}, found => [], losses => 0, tickets => 0,
                   step => 0 }, $class;
}

sub found {
    my ($self, $what, $text) = @_;

    push @{ $self->{found} }, substr "step $self->{step}: $what: $text", 0, 300;
}

sub user {
    my ($self, $name) = @_;

    return $self->{users}{$name} ||= { name => $name, n => 0, events => {},
                                       ids => {}, clients => {}, last => 0 };
}

# --- events ---

# an event that is about to be posted: its text, as a client has to see it
sub draft {
    my ($self, $name, $pad, %aim) = @_;
    my $user = $self->user($name);
    my $n = ++$user->{n};
    my $text = qq/"user_id":"$name","type":"n","n":$n,"event_id":"$name-$n",/
               . (defined $aim{thread} ? qq/"thread_id":"$aim{thread}",/ : '')
               . qq/"pad":"/ . "$name." x $pad . '"}';

    # who is due it: clients that could not be meant by mistake
    my @due = grep { !defined $aim{thread}
                     || ($_->{thread} // '') eq $aim{thread} && $_->{open} }
              values %{ $user->{clients} };

    return $user->{events}{$n} = { user => $user, n => $n, text => $text,
                                   aim => \%aim, state => 'maybe',
                                   due => \@due };
}

# what is posted for it
sub posted {
    my ($self, $event) = @_;

    return (defined $event->{aim}{thread} ? '{"audience":"thread",' : '{')
           . $event->{text};
}

sub accept {
    my ($self, $event, $id) = @_;
    my $user = $event->{user};
    my ($epoch, $seq) = ($id // '') =~ /^(\w+)-(\d+)$/;

    return $self->found(lie => "$user->{name}: accepted as " . ($id // 'nothing'))
        if !defined $epoch;

    my $other = $user->{ids}{$id};

    return $self->found(lie => "$user->{name}: $id is n $event->{n}, and was n $other")
        if defined $other && $other != $event->{n};

    $user->{ids}{$id} = $event->{n};

    $self->found(disordered => "$user->{name}: n $event->{n} is $id, the one before had $user->{id}")
        if defined $user->{id} && $user->{id} =~ /^\Q$epoch\E-(\d+)$/ && $1 >= $seq;

    @$event{qw/ state id epoch seq /} = ('accepted', $id, $epoch, $seq);
    $user->{id} = $id;

    for my $client (@{ $event->{due} }) {
        $client->{owed}{ $event->{n} } = 1
            if defined $client->{owed} && !$client->{seen}{ $event->{n} };
    }
}

sub refuse {
    my ($self, $event) = @_;

    $event->{state} = 'refused';

    $self->found(lie => "$event->{user}{name}: n $event->{n} was refused, and seen")
        if $event->{seen};
}

# Redis may have lost what was accepted since: nobody is due it any more
sub lose {
    my ($self, $since) = @_;

    $self->{losses}++;
    $self->{tickets}++;

    for my $user (values %{ $self->{users} }) {
        for my $n (grep { $_ > ($since->{ $user->{name} } // 0) }
                   keys %{ $user->{events} })
        {
            my $event = $user->{events}{$n};

            $event->{state} = 'maybe' if $event->{state} eq 'accepted';
            delete $_->{owed}{$n} for values %{ $user->{clients} };
        }

        # ids may be given again only in another epoch: they are kept
    }
}

# how far each user's events are
sub mark {
    my ($self) = @_;

    return { map { $_ => $self->{users}{$_}{n} } keys %{ $self->{users} } };
}

# --- clients: hashes with name, user, owed, seen, position, at (seq by epoch) ---

# a client without a position is due nothing that was before
sub fresh {
    my ($self, $client) = @_;

    @$client{qw/ owed seen at untold /} = ({}, {}, {}, 0);
    delete $client->{position};
    $self->user($client->{user})->{clients}{ $client->{name} } = $client;
}

# A client comes back with its position.  No thread is shown before it says so:
# of what was for a thread it is due nothing.
sub again {
    my ($self, $client) = @_;
    my $events = $self->user($client->{user})->{events};

    delete @{ $client->{owed} }{
        grep { defined $events->{$_}{aim}{thread} } keys %{ $client->{owed} } };
}

sub gone {
    my ($self, $client) = @_;

    delete $self->user($client->{user})->{clients}{ $client->{name} };
    delete @$client{qw/ owed seen at position /};
}

sub welcome {
    my ($self, $client, $position, $resumed) = @_;
    my ($epoch, $seq) = $position =~ /^(\w+)-(\d+)$/
        or return $self->wrong($client, lie => "position $position");

    if (!$client->{resumes}) {
        $client->{at}{$epoch} = $seq;
        $client->{position} = $position;
        $self->wrong($client, lie => 'resumed, without a position')
            if $resumed;

    } elsif (!$resumed) {
        $client->{untold} = 1;
        $self->wrong($client, lie => "not resumed from $client->{position}, "
                                     . 'and nothing was lost')
            if !$self->{losses} && $self->fits($client);
    }
}

# true where the log has to hold all that the client is due
sub fits {
    my ($self, $client) = @_;
    my $user = $self->user($client->{user});
    my ($seq) = $client->{position} =~ /-(\d+)$/;
    my ($last) = ($user->{id} // '-0') =~ /-(\d+)$/;

    return $last - $seq < ($self->{room} // 100);
}

# told that something is gone: what stands behind the position remains due
sub told {
    my ($self, $client, $what, $position) = @_;
    my ($epoch, $seq) = $position =~ /^(\w+)-(\d+)$/
        or return $self->wrong($client, lie => "$what to $position");
    my $events = $self->user($client->{user})->{events};

    $self->wrong($client, lie => "$what to $position, and nothing was lost")
        if !$self->{losses} && $self->fits($client) && $what ne 'gap evicted';

    for my $n (keys %{ $client->{owed} }) {
        my $event = $events->{$n};

        delete $client->{owed}{$n}
            if ($event->{epoch} // '') ne $epoch || $event->{seq} <= $seq;
    }

    $client->{seen} = {};
    $client->{at} = { $epoch => $seq };
    $client->{position} = $position;
    $client->{untold} = 0;
}

# an event that a client was sent: its id, and the members as posted
sub heard {
    my ($self, $client, $id, $text) = @_;
    my ($epoch, $seq) = $id =~ /^(\w+)-(\d+)$/;
    my ($name, $n) = $text =~ /^"user_id":"([^"]+)","type":"n","n":(\d+),/;
    my $user = $self->user($client->{user});
    my $event = defined $n && $name eq $user->{name} ? $user->{events}{$n} : undef;

    return $self->wrong($client, leaked => $text)
        if !$event || $text ne $event->{text};

    $event->{seen} = 1;

    $self->wrong($client, leaked => "n $n is for thread $event->{aim}{thread}")
        if defined $event->{aim}{thread} && defined $client->{thread}
           && $client->{thread} ne $event->{aim}{thread};
    $self->wrong($client, lie => "n $n, which was refused")
        if $event->{state} eq 'refused';
    $self->wrong($client, lie => "no gap came after resumed:false")
        if $client->{untold};
    $self->wrong($client, repeated => "n $n, $id") if $client->{seen}{$n};
    $self->wrong($client, disordered => "$id after seq $client->{at}{$epoch}")
        if defined $client->{at}{$epoch} && $seq <= $client->{at}{$epoch};
    $self->wrong($client, lie => "n $n is $id, and was accepted as $event->{id}")
        if $event->{state} eq 'accepted' && $event->{epoch} eq $epoch
           && $event->{seq} != $seq;

    if ($event->{state} eq 'accepted') {
        for my $m (sort { $a <=> $b } grep { $_ < $n } keys %{ $client->{owed} }) {
            $self->wrong($client, lost => "n $m ($user->{events}{$m}{id}), "
                                          . "n $n came after it");
            delete $client->{owed}{$m};
        }
    }

    delete $client->{owed}{$n};
    $client->{seen}{$n} = 1;
    $client->{at}{$epoch} = $seq;
    $client->{position} = $id;
}

sub wrong {
    my ($self, $client, $what, $text) = @_;

    $self->found($what => "$client->{name} ($client->{user}): $text");
}

# the log of a user, as GET events/{user} shows it: [ id, text ], …
sub log {
    my ($self, $name, @events) = @_;
    my $user = $self->user($name);
    my ($epoch_before, $seq_before) = ('', 0);
    my $last = 0;

    for (@events) {
        my ($id, $n) = @$_;
        my ($epoch, $seq) = $id =~ /^(\w+)-(\d+)$/;
        my $event = $user->{events}{$n};

        $self->found(lie => "the log of $name has n $n, which was refused")
            if $event && $event->{state} eq 'refused';
        $self->found(disordered => "the log of $name has $id after $seq_before")
            if $epoch eq $epoch_before && $seq <= $seq_before;
        $self->found(repeated => "the log of $name has n $n after $last")
            if $n == $last;

        ($epoch_before, $seq_before, $last) = ($epoch, $seq, $n);
    }
}

# what clients are still due, in words
sub debts {
    my ($self) = @_;

    return map {
        my $user = $_;
        map {
            my $client = $_;
            my @owed = sort { $a <=> $b } keys %{ $client->{owed} || {} };

            @owed ? "$client->{name} ($user->{name}): n @owed" : ();
        } values %{ $user->{clients} };
    } values %{ $self->{users} };
}

1;
