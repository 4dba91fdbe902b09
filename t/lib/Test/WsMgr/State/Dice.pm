package Test::WsMgr::State::Dice;

# Random numbers of a seed, the same on each machine and beside each other use
# of rand(): xorshift32.

use strict;
use warnings;

sub new {
    my ($class, $seed) = @_;
    my $state = ($seed * 2654435761 + 1) & 0xffffffff;

    return bless { state => $state || 1 }, $class;
}

# 0 to n - 1
sub below {
    my ($self, $n) = @_;
    my $x = $self->{state};

    $x ^= $x << 13 & 0xffffffff;
    $x ^= $x >> 17;
    $x ^= $x << 5 & 0xffffffff;
    $self->{state} = $x;

    return ($x >> 4) % $n;
}

sub chance {
    my ($self, $percent) = @_;

    return $self->below(100) < $percent;
}

# a key of a list of key => weight
sub one_of {
    my ($self, @weights) = @_;
    my $all = 0;

    $all += $weights[ 2 * $_ + 1 ] for 0 .. @weights / 2 - 1;

    my $at = $self->below($all);

    while (my ($name, $weight) = splice @weights, 0, 2) {
        return $name if ($at -= $weight) < 0;
    }
}

1;
