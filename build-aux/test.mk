# Unit tests and fuzz targets as loadable modules of a configured nginx tree.
#
#   make -C TREE -f build-aux/test.mk TOP=… OUT=… [NOUN=…] tests
#
# OUT/unit/<noun>.so for each t/unit/<noun>.c,
# OUT/fuzz/<noun>.so for each t/fuzz/<noun>.c.
#
# Each takes of the module's objects those that it needs.  A tree into whose
# nginx the module is linked has them all.

include objs/Makefile

.DEFAULT_GOAL :=	tests
.DELETE_ON_ERROR:

UNITS =		$(or $(NOUN),$(filter-out unit,$(basename $(notdir \
			$(wildcard $(TOP)/t/unit/*.c)))))
FUZZES =	$(if $(NOUN),,$(filter-out replay driver,$(basename \
			$(notdir $(wildcard $(TOP)/t/fuzz/*.c)))))

OBJECTS =	$(wildcard objs/addon/ngx_ws_mgr/*.o)
ARCHIVE =	$(if $(STATIC),,$(OUT)/ngx_ws_mgr.a)

COMPILE =	$(CC) -c -fPIC $(CFLAGS) -Wno-unused-parameter \
			$(ALL_INCS) -I $(TOP)/ngx_ws_mgr -I $(TOP)/t/unit \
			-MMD -MP -o $@ $<
LIBS =		-l:libhiredis.a -Wl,--exclude-libs,libhiredis.a -ljansson \
			-lcrypto -lcmocka -pthread

tests:	$(UNITS:%=$(OUT)/unit/%.so) $(FUZZES:%=$(OUT)/fuzz/%.so)

$(OUT)/ngx_ws_mgr.a:	$(OBJECTS)
	mkdir -p $(@D)
	rm -f $@
	ar rcs $@ $^

$(OUT)/unit/%.o:	$(TOP)/t/unit/%.c objs/ngx_auto_config.h
	mkdir -p $(@D)
	$(COMPILE)

$(OUT)/unit/%.run.o:	$(TOP)/t/unit/unit.c objs/ngx_auto_config.h
	mkdir -p $(@D)
	$(COMPILE) -DNGX_WS_MGR_UNIT=ngx_ws_mgr_unit_$*

$(OUT)/fuzz/%.o:	$(TOP)/t/fuzz/%.c objs/ngx_auto_config.h
	mkdir -p $(@D)
	$(COMPILE)

$(OUT)/unit/%.so:	$(OUT)/unit/%.run.o $(OUT)/unit/%.o $(ARCHIVE)
	$(LINK) -shared -o $@ $^ $(LDFLAGS) $(LIBS)

$(OUT)/fuzz/%.so:	$(OUT)/unit/replay.run.o $(OUT)/fuzz/replay.o \
			$(OUT)/fuzz/%.o $(ARCHIVE)
	$(LINK) -shared -o $@ $^ $(LDFLAGS) $(LIBS)

.SECONDARY:

-include $(wildcard $(OUT)/unit/*.d $(OUT)/fuzz/*.d)
