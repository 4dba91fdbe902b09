# Unit tests and fuzz targets, in a configured nginx tree:
#
#   make -C TREE -f build-aux/test.mk TOP=… OUT=… [STATIC=1] [NOUN=…] tests
#   make -C TREE -f build-aux/test.mk TOP=… OUT=… fuzzers
#   make -C TREE -f build-aux/test.mk TOP=… OUT=… benches
#
# tests: OUT/unit/<noun>.so for each t/unit/<noun>.c, and OUT/fuzz/<noun>.so
# for each t/fuzz/<noun>.c, to be loaded into nginx.  Each takes of the objects
# of ngx_ws_mgr those that it needs; where STATIC, nginx has them all.
#
# fuzzers: OUT/<noun> for each t/fuzz/<noun>.c, with libFuzzer; nginx's own
# objects are taken as they are, ours are compiled again, so that what is
# undefined ends the run in ours only.
#
# benches: OUT/bench/frame.so of bench/frame/frame.c, to be loaded into nginx as
# the tests are.

include objs/Makefile

.DEFAULT_GOAL :=	none
.DELETE_ON_ERROR:
.SECONDARY:

NOUNS =		$(filter-out $(2),$(basename $(notdir $(wildcard $(1)/*.c))))
UNITS =		$(or $(NOUN),$(call NOUNS,$(TOP)/t/unit,unit))
FUZZES =	$(or $(NOUN),$(call NOUNS,$(TOP)/t/fuzz,driver replay))

# FOLDER/FILE of each source, as nginx's auto/make names the objects

OURS =		ngx_ws_mgr/ngx_ws_mgr_module $(patsubst \
			$(TOP)/ngx_ws_mgr/%.c,%,$(wildcard $(TOP)/ngx_ws_mgr/*/*.c))
ARCHIVE =	$(if $(STATIC),,$(OUT)/ngx_ws_mgr.a)

COMPILE =	mkdir -p $(@D) && $(CC) -c -fPIC $(CFLAGS) \
			$(ALL_INCS) \
			$(addprefix -I ,$(wildcard $(TOP)/ngx_ws_mgr/*/)) \
			-I $(TOP)/t/unit -MMD -MP -o $@ $<
# the hiredis that the module has

HIREDIS =	$(if $(shell grep -e -l:libhiredis.a objs/Makefile),$(strip \
			-l:libhiredis.a -Wl,--exclude-libs,libhiredis.a),-lhiredis)
LIBS =		$(HIREDIS) -ljansson \
			-lssl -lcrypto -lz -pthread

FAKES =		$(call NOUNS,$(TOP)/t/fake,)
PRELOADS =	$(call NOUNS,$(TOP)/t/preload,)

tests:	$(UNITS:%=$(OUT)/unit/%.so) \
	$(if $(NOUN),,$(FUZZES:%=$(OUT)/fuzz/%.so) \
		$(FAKES:%=$(OUT)/fake/%.so) \
		$(PRELOADS:%=$(OUT)/preload/%.so))

$(OUT)/ngx_ws_mgr.a:	$(wildcard $(OURS:%=objs/addon/%.o))
	rm -f $@
	ar rcs $@ $^

$(OUT)/unit/%.o:	$(TOP)/t/unit/%.c objs/ngx_auto_config.h
	$(COMPILE)

$(OUT)/unit/%.run.o:	$(TOP)/t/unit/unit.c objs/ngx_auto_config.h
	$(COMPILE) -DNGX_WS_MGR_UNIT=ngx_ws_mgr_unit_$*

$(OUT)/fuzz/%.o:	$(TOP)/t/fuzz/%.c objs/ngx_auto_config.h
	$(COMPILE)

$(OUT)/unit/%.so:	$(OUT)/unit/%.run.o $(OUT)/unit/%.o $(ARCHIVE)
	$(LINK) -shared -o $@ $^ $(SANITIZE) $(LIBS) -lcmocka

$(OUT)/fuzz/%.so:	$(OUT)/unit/replay.run.o $(OUT)/fuzz/replay.o \
			$(OUT)/fuzz/%.o $(ARCHIVE)
	$(LINK) -shared -o $@ $^ $(SANITIZE) $(LIBS) -lcmocka

# what is measured is the objects of the module itself

BENCHES =	frame

benches:	$(BENCHES:%=$(OUT)/bench/%.so)

$(OUT)/bench/frame.o:	$(TOP)/bench/frame/frame.c objs/ngx_auto_config.h
	$(COMPILE)

$(OUT)/bench/%.run.o:	$(TOP)/t/unit/unit.c objs/ngx_auto_config.h
	$(COMPILE) -DNGX_WS_MGR_UNIT=ngx_ws_mgr_bench_$*

$(OUT)/bench/%.so:	$(OUT)/bench/%.run.o $(OUT)/bench/%.o $(ARCHIVE)
	$(LINK) -shared -o $@ $^ $(SANITIZE) $(LIBS) -lcmocka

# loaded beside ours, of which they take what they need when they are loaded

$(OUT)/fake/%.o:	$(TOP)/t/fake/%.c objs/ngx_auto_config.h
	$(COMPILE)

$(OUT)/fake/%.so:	$(OUT)/fake/%.o
	$(LINK) -shared -o $@ $^ $(SANITIZE)

# for LD_PRELOAD, into processes that are not built here: no sanitizer

$(OUT)/preload/%.so:	$(TOP)/t/preload/%.c
	mkdir -p $(@D) && $(CC) -O2 -fPIC -shared -Wall -Wextra -Werror \
		-o $@ $<

# libFuzzer has a main() of its own

STRICT =	-fsanitize=undefined -fno-sanitize-recover=undefined
NGINX_OBJS =	$(shell find objs/src objs/ngx_modules.o -name '*.o' \
			! -path objs/src/core/nginx.o)

fuzzers:	$(FUZZES:%=$(OUT)/%)

$(OUT)/nginx.o:	objs/src/core/nginx.o
	mkdir -p $(@D)
	objcopy --redefine-sym main=ngx_ws_mgr_nginx_main $< $@

$(OUT)/ours/ngx_ws_mgr/%.o:	$(TOP)/ngx_ws_mgr/%.c objs/ngx_auto_config.h
	$(COMPILE) $(STRICT)

$(OUT)/ours/%.o:	$(TOP)/ngx_ws_mgr/%.c objs/ngx_auto_config.h
	$(COMPILE) $(STRICT)

$(OUT)/targets/%.o:	$(TOP)/t/fuzz/%.c objs/ngx_auto_config.h
	$(COMPILE) $(STRICT)

$(OUT)/%:	$(OUT)/targets/%.o $(OUT)/targets/driver.o \
		$(OURS:%=$(OUT)/ours/%.o) $(OUT)/nginx.o
	$(LINK) -fsanitize=fuzzer,address,undefined -o $@ $^ $(NGINX_OBJS) \
		$(LIBS) -lpcre2-8 -lcrypt -ldl

-include $(wildcard $(OUT)/*/*.d)
