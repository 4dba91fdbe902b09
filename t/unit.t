#!/usr/bin/perl

# Each t/unit/<noun>.c, inside nginx.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/unit";
use Inside;
use Test::More;

for my $noun (nouns('unit', 'unit')) {
    subtest $noun => sub { inside('unit', $noun) };
}

done_testing();
