#!/usr/bin/perl

# What an operator copies is a configuration that nginx takes.

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::WsMgr;

open my $file, '<', "$FindBin::Bin/../conf.example" or die $!;
my $example = do { local $/; <$file> };

my ($exit, $said) = Test::WsMgr::Nginx->try(http => $example);

is $exit, 0, 'nginx -t' or diag $said;
unlike $said, qr/\[warn\]/, 'without a warning';

done_testing;
