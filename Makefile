# The JIT group activation broker. `make demo` and `make test` are all that a new Debian machine needs;
# `make help` lists the rest. One Makefile, no recursion; every source file is named.

VARIANT ?= debug
B := build/$(VARIANT)
CC ?= gcc
V ?=
Q := $(if $(V),,@)

PACKAGES := libmicrohttpd libcjson hiredis libcurl libuv yaml-0.1 libcrypto
WARN := -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wvla -Wswitch-enum -Wmissing-prototypes \
	-Wstrict-prototypes -Wformat=2 -Wundef -Wpointer-arith -Wcast-qual -Wwrite-strings
CPPFLAGS_ALL = -D_GNU_SOURCE -I. -Ibroker -I$(B)/gen $(shell pkg-config --cflags $(PACKAGES)) $(CPPFLAGS)
LIBS = $(shell pkg-config --libs $(PACKAGES))
CFLAGS_ALL = -std=c11 -g -MMD -MP $(WARN) $(CFLAGS_VARIANT) $(CFLAGS)

ifeq ($(VARIANT),debug)
CFLAGS_VARIANT := -O1 -Werror
else ifeq ($(VARIANT),release)
CFLAGS_VARIANT := -O2 -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE -fstack-clash-protection -fcf-protection
LDFLAGS_VARIANT := -pie -Wl,-z,relro,-z,now
else ifeq ($(VARIANT),asan)
CFLAGS_VARIANT := -O1 -Werror -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
LDFLAGS_VARIANT := -fsanitize=address,undefined
else ifeq ($(VARIANT),tsan)
CFLAGS_VARIANT := -O1 -Werror -fsanitize=thread
LDFLAGS_VARIANT := -fsanitize=thread
else
$(error VARIANT is debug, release, asan or tsan)
endif

# -- sources, by folder ------------------------------------------------------------------------------------
BASE_SRC := broker/base/err.c broker/base/buf.c broker/base/log.c broker/base/clock.c broker/base/iso8601.c \
	broker/base/id.c broker/base/digest.c broker/base/json.c
STORE_SRC := broker/store/store.c
ACTIVATION_SRC :=
THROTTLE_SRC :=
SCIM_SRC :=
API_SRC :=
CONFIG_SRC :=
SANDBOX_SRC :=

# The Redis function library: these files, joined in this order.
LUA :=

LIB_SRC := $(BASE_SRC) $(STORE_SRC) $(ACTIVATION_SRC) $(THROTTLE_SRC) $(SCIM_SRC) $(API_SRC) $(CONFIG_SRC)

# -- tests: one program a file -------------------------------------------------------------------------------
UNIT_TESTS := 

obj = $(patsubst %.c,$(B)/%.o,$(1))

all:

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -c -o $@ $<

$(B)/libjit.a: $(call obj,$(LIB_SRC))
	$(Q)rm -f $@ && ar rcs $@ $^

$(B)/tests/unit/%: $(B)/tests/unit/%.o $(B)/libjit.a
	$(Q)$(CC) $(LDFLAGS_VARIANT) $(LDFLAGS) -o $@ $^ $(LIBS) -lcmocka

-include $(shell find $(B) -name '*.d' 2>/dev/null)
.PHONY: all
.SECONDARY:
