#!/usr/bin/perl

# Files that are no C stand in the module as they are written: the status page
# and the scripts for Redis (make embed).

use strict;
use warnings;

use Cwd qw/ abs_path /;
use File::Basename qw/ basename dirname /;
use File::Temp qw/ tempdir /;
use Test::More;

my $top = dirname(dirname(dirname(abs_path(__FILE__))));
my @scripts = map { s{^\Q$top/}{}r } glob "$top/ngx_ws_mgr/*/*.lua";

sub slurp {
    open my $file, '<:raw', $_[0] or die "$_[0]: $!";
    local $/;
    return scalar <$file>;
}

# the status and all that the command says
sub run {
    my $said = qx/cd $_[0] && $_[1] 2>&1/;

    return ($? >> 8, $said);
}

my ($status, $said) = run($top, 'build-aux/embed --check');

is $status, 0, 'the module has the page and the scripts (make embed)'
    or diag $said;
cmp_ok scalar @scripts, '>=', 6, 'scripts are found';

for my $script (@scripts) {
    ($status, $said) = run($top, "luac5.1 -p $script");
    is $status, 0, "$script compiles" or diag $said;
}

($status, $said) = run($top, "luacheck --no-color -q @scripts");
is $status, 0, 'luacheck finds nothing' or diag $said;

# what a mistake in a script is answered with
my $dir = tempdir(CLEANUP => 1);

system("cp -r $top/build-aux $top/ngx_ws_mgr $dir") == 0 or die;

sub script {
    open my $file, '>', "$dir/ngx_ws_mgr/engine/tell.lua" or die $!;
    print $file @_;
    close $file;
}

script("local a = 1\nreturn NGX_WS_MGR_ENGINE_TRIM, a\n");
($status, $said) = run($dir, 'build-aux/embed --check');
is $status, 1, 'a changed script is seen';
is $said, "ngx_ws_mgr/engine/ngx_ws_mgr_engine_script.c\n",
   'by the file that has the old one';

($status, $said) = run($dir, 'build-aux/embed');
is $status, 0, 'made anew';
like slurp("$dir/ngx_ws_mgr/engine/ngx_ws_mgr_engine_script.c"),
     qr/^"return "\nngx_value\(NGX_WS_MGR_ENGINE_TRIM\)\n", a\\n"$/m,
     'the compiler fills in the constant';
is +(run($dir, 'build-aux/embed --check'))[0], 0, 'and nothing differs';

script("return 1\nreturn NGX_WS_MGR_ENGINE_TRIMM\n");
($status, $said) = run($dir, 'build-aux/embed');
is $status, 1, 'a constant that no header has';
like $said, qr{engine/tell.lua:2: no header defines NGX_WS_MGR_ENGINE_TRIMM},
     'where and which';

script("return NGX_WS_MGR_ENGINE_IO_H_INCLUDED\n");
is +(run($dir, 'build-aux/embed'))[0], 1, 'nor a guard';

script("return NGX_WS_MGR_VALUE_TIME\n");
($status, $said) = run($dir, 'build-aux/embed');
is $status, 1, 'a constant that Lua would not read as C does';
like $said, qr{engine/tell.lua:1: NGX_WS_MGR_VALUE_TIME is no number}, 'said';

done_testing;
