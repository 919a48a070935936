# The JIT group activation broker. `make demo` and `make test` are all that a new Debian machine needs;
# `make help` lists the rest. Make calls itself only after it has installed packages, and to build another variant.

VARIANT ?= debug
ifeq ($(origin CC),default)
CC := gcc
endif
# Objects of other flags or of another compiler never mix: each combination has its own folder.
B := build/$(VARIANT)$(if $(findstring clang,$(CC)),-clang)
V ?=
Q := $(if $(V),,@)
MAKEFLAGS += --no-builtin-rules
comma := ,
PREFIX ?= /usr/local
DESTDIR ?=
FUZZ_SECONDS ?= 60

PACKAGES := libmicrohttpd libcjson hiredis libcurl libuv yaml-0.1 libssl libcrypto libseccomp
WARN := -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wvla -Wswitch-enum -Wmissing-prototypes \
	-Wstrict-prototypes -Wformat=2 -Wundef -Wpointer-arith -Wcast-qual -Wwrite-strings \
	-Wno-missing-field-initializers
# Asked for in recipes only, because `make test` may have to install pkg-config first; and once, not for each file.
PACKAGE_FLAGS = $(eval PACKAGE_FLAGS := $$(shell pkg-config --cflags $(PACKAGES)))$(PACKAGE_FLAGS)
PACKAGE_LIBS = $(eval PACKAGE_LIBS := $$(shell pkg-config --libs $(PACKAGES)))$(PACKAGE_LIBS)
CPPFLAGS_ALL = -D_GNU_SOURCE -I. -Ibroker -I$(B)/gen $(PACKAGE_FLAGS) $(CPPFLAGS)
LIBS = $(PACKAGE_LIBS)
CFLAGS_ALL = -std=c11 -g -MMD -MP $(WARN) $(CFLAGS_VARIANT) $(CFLAGS)
LINK = $(CC) $(LDFLAGS_VARIANT) $(LDFLAGS) -o $@

ifeq ($(VARIANT),debug)
CFLAGS_VARIANT := -O1 -Werror
else ifeq ($(VARIANT),release)
CFLAGS_VARIANT := -O2 -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE -fstack-clash-protection \
	$(if $(filter x86_64-% i386-% i486-% i586-% i686-%,$(shell $(CC) -dumpmachine 2>/dev/null)),-fcf-protection)
LDFLAGS_VARIANT := -pie -Wl,-z,relro,-z,now
else ifeq ($(VARIANT),asan)
CFLAGS_VARIANT := -O1 -Werror -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
# Some two hundred programs: gold takes half the time of the usual linker.
LDFLAGS_VARIANT := -fsanitize=address,undefined $(if $(shell command -v ld.gold),-fuse-ld=gold)
else ifeq ($(VARIANT),tsan)
CFLAGS_VARIANT := -O1 -Werror -fsanitize=thread
LDFLAGS_VARIANT := -fsanitize=thread
else ifeq ($(VARIANT),fuzz)
CFLAGS_VARIANT := -O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
LDFLAGS_VARIANT := -fsanitize=address,undefined
else
$(error VARIANT is debug, release, asan, tsan or fuzz)
endif

# -- sources: a folder is a module, and every .c file in it belongs to it ------------------------------------
sources = $(sort $(wildcard $(addsuffix /*.c,$(1))))
COMMAND_SRC := $(call sources,broker/command)
SANDBOX_SRC := $(call sources,scim-push/sandbox)
LIB_SRC := $(filter-out broker/main.c activation/states_print.c $(COMMAND_SRC),\
	$(call sources,broker broker/* activation throttle scim-push))

# The Redis function library: these files, joined in this order (activation/join.awk).
LUA_SRC := activation/user.lua activation/lane.lua throttle/bucket.lua activation/queue.lua activation/audit.lua \
	activation/aside.lua activation/notice.lua activation/account.lua activation/request.lua \
	activation/condition.lua activation/provisioning_log.lua activation/membership.lua activation/drift.lua \
	activation/push_user.lua activation/push.lua activation/cycle_step.lua activation/users.lua \
	activation/unknown.lua activation/token.lua activation/cycle.lua activation/connection_test.lua \
	activation/on_demand.lua activation/read.lua activation/eligibility.lua activation/submit.lua \
	activation/approval.lua activation/eligibility_ask.lua activation/list.lua activation/guard.lua \
	activation/drift_check.lua activation/review.lua activation/application.lua activation/timetable.lua \
	activation/notices.lua activation/audit_keep.lua activation/key.lua activation/check.lua \
	activation/functions.lua
LUA := $(B)/gen/states.lua $(B)/gen/commands.lua $(LUA_SRC)

# The page, served as it is.
PAGE := $(addprefix broker/web/,page.html page.css page.js approvals.js call.js dom.js draft.js events.js groups.js say.js sign_in.js stronger.js \
	tables.js words.js)

# Shared by tests: private servers and programs, HTTP client, whole worlds of them.
SUPPORT_SRC := $(call sources,tests/support)

# -- tests: one program a file, named test_x.c or fuzz_x.c ---------------------------------------------------
UNIT_TESTS := $(sort $(wildcard tests/unit/test_*.c))
INTEGRATION_TESTS := $(sort $(wildcard tests/integration/test_*.c))
FUZZERS := $(sort $(wildcard tests/fuzz/fuzz_*.c))
BENCH_SRC := $(call sources,tests/bench)
TORTURE_SRC := $(call sources,tests/torture)
JUDGE_SRC := $(filter-out %_main.c,$(filter tests/torture/judge%,$(TORTURE_SRC)))
# Their memory runs out on purpose (tests/support/starve.h).
STARVED_TESTS := $(filter tests/unit/test_starved% tests/integration/test_starved%,$(UNIT_TESTS) $(INTEGRATION_TESTS))
STARVED := $(patsubst %,-Wl$(comma)--wrap=%,malloc calloc realloc strdup strndup)
# With the sandbox's own parts inside.
SANDBOX_TESTS := $(filter-out %_http.c %_control.c,$(filter tests/unit/test_sandbox%,$(UNIT_TESTS)))
# With the command's own parts inside.
COMMAND_FUZZERS := tests/fuzz/fuzz_command.c
SANDBOX_FUZZERS := $(filter tests/fuzz/fuzz_sandbox_%,$(FUZZERS))
# Programs and parts that tests use besides.
EXTRA_C := tests/unit/sandbox_world.c tests/webhooks/peer.c tests/oidc/verifier.c tests/fuzz/replay.c
# `make test` runs them under ASan and UBSan; check-unit and check-integration do without.
ASAN_TESTS = $(UNIT_TESTS) $(INTEGRATION_TESTS)

obj = $(patsubst %.c,$(B)/%.o,$(1))
unit_programs = $(patsubst tests/unit/%.c,build/$(1)/tests/unit/%,$(UNIT_TESTS))
integration_programs = $(patsubst tests/integration/%.c,build/$(1)/tests/integration/%,$(INTEGRATION_TESTS))
asan_programs := $(patsubst %.c,build/asan/%,$(ASAN_TESTS))
GEN_OBJ := $(B)/gen/library.o $(B)/gen/page.o $(B)/gen/openapi_schemas.o
C_SRC := $(LIB_SRC) $(SANDBOX_SRC) $(COMMAND_SRC) broker/main.c activation/states_print.c
C_FILES = $(shell find activation broker scim-push tests throttle -name '*.[ch]' | sort)
jobs = $(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j$(shell nproc))
again = $(MAKE) --no-print-directory $(jobs)

# -- what people call ----------------------------------------------------------------------------------------
all: deps ## the programs, in build/$(VARIANT)
	+@$(again) programs

programs: $(B)/jit-broker $(B)/jit $(B)/scim-sandbox

deps: ## install what is needed to build and run (Debian packages)
	@deploy/deps.sh build

deps-test: ## install what the tests and checks need besides
	@deploy/deps.sh build test

demo: deps ## build and run the demonstration (DEMO_ONCE=1: once through, then stop)
	@[ -x build/release/jit-broker ] || echo "Building ..."
	@$(again) -s VARIANT=release programs
	@BUILD=build/release deploy/demo/run

test: deps-test ## everything: unit, integration, sanitizers, fuzz corpus, lint
	@{ $(again) -k VARIANT=release test-programs && $(again) VARIANT=asan asan-programs; } || { echo "0 passed, 1 failed"; exit 1; }
	+@$(again) VARIANT=release test-run

test-programs: programs $(B)/tests/torture/torture $(B)/tests/webhooks/peer $(B)/tests/oidc/verifier $(if $(BENCH_SRC),$(B)/tests/bench/bench)
asan-programs: programs $(asan_programs) $(patsubst %.c,$(B)/%,$(FUZZERS))

LINTS := 'format: $(MAKE) format-check' 'include direction: tests/lint/check-layers' 'headers alone: $(MAKE) hdr-check' \
	'banned words: tests/lint/check-banned' 'limits: tests/lint/check-limits' \
	'test lists: $(MAKE) lists-check' 'drift: $(MAKE) drift-check' 'units: tests/lint/check-units $(B)' 'clang: nice $(MAKE) clang-check' 'lua: $(MAKE) lua-check' \
	'shellcheck: tests/lint/check-scripts' 'test runner: tests/lint/check-runner'
# Behind whatever else runs, and so in the time in which the tests wait for something.
LONG_LINTS := 'clang-tidy: nice $(MAKE) -k tidy' 'cppcheck: nice $(MAKE) cppcheck'
REPLAYS := $(foreach f,$(FUZZERS),'fuzz corpus $(notdir $(basename $(f))): build/asan/$(basename $(f)) \
	tests/fuzz/corpus/$(patsubst fuzz_%,%,$(notdir $(basename $(f))))')

# In a folder of its own, so that a demonstration that somebody looks at is not in the way.
DEMO := 'demo: DEMO_ONCE=1 DEMO_DIR=$(B)/demo BUILD=$(B) deploy/demo/run'

# That the programs which people install are protected as they should be.
HARDENING := 'hardening: tests/lint/check-hardening $(B)'

# The units as systemd runs them, in a container.
UNITS := 'units under systemd: tests/systemd/boot $(B)'

# Against libraries of other people, which npm brings.
REFERENCES := 'webhooks against standardwebhooks: $(MAKE) webhooks-check' 'tokens against jose: $(MAKE) tokens-check'

# What `make torture` does for ten minutes, for half a minute, always with the same seeds.
TORTURE := 'torture: $(B)/tests/torture/torture --short'

# The longest begin first, so that none of them is left over alone at the end.
LONG_TESTS := $(patsubst %,build/asan/tests/%,unit/test_model integration/test_foreign_scim integration/test_page \
	integration/test_command unit/test_bucket integration/test_sign_in_outage integration/test_lost_eligibility)

test-run:
	+@RUN_TIMEOUT=1080 tests/run $(LONG_LINTS) $(LONG_TESTS) $(DEMO) $(UNITS) $(HARDENING) $(TORTURE) $(REFERENCES) \
		$(filter-out $(LONG_TESTS),$(asan_programs)) $(REPLAYS) $(LINTS)

check-unit: deps-test ## the unit tests of this VARIANT
	+@$(again) $(call unit_programs,$(B:build/%=%))
	@tests/run $(call unit_programs,$(B:build/%=%))

check-integration: deps-test ## the integration tests of this VARIANT
	+@$(again) programs $(call integration_programs,$(B:build/%=%))
	@tests/run $(call integration_programs,$(B:build/%=%))

check-asan: deps-test ## the tests and the fuzz corpus under ASan and UBSan
	@$(again) VARIANT=asan asan-programs
	@tests/run $(asan_programs) $(REPLAYS)

# Unit programs that are left out: they would take minutes (random walks, thousands of groups, a new RSA key for each test), ...
NOT_UNDER_VALGRIND := bucket config_large config_policy grants herd model signin signin_waiting
# ... judge what is there in time, or how much time or memory it took, ...
NOT_UNDER_VALGRIND += base_json escrow_memory store_peer store_tls
# ... forbid themselves system calls, or answer them in the kernel's place, those that valgrind makes too, ...
NOT_UNDER_VALGRIND += confine escrow_synced
# ... look at memory that nobody has written to, ...
NOT_UNDER_VALGRIND += http_wipe
# ... ask for more memory than there can be, or let it run out on purpose.
NOT_UNDER_VALGRIND += base_buf $(patsubst tests/unit/test_%.c,%,$(filter tests/unit/%,$(STARVED_TESTS)))
VALGRIND_TESTS := $(filter-out $(NOT_UNDER_VALGRIND:%=build/debug/tests/unit/test_%),$(call unit_programs,debug))
# Stories in which the broker alone is under valgrind; it must end without an error or a leak. Others judge times.
VALGRIND_STORIES := $(patsubst %,build/debug/tests/integration/test_%,approval approval_webhook audit_export batch escrow \
	notices on_demand reload)
VALGRIND := valgrind -q --error-exitcode=99 --leak-check=full --num-callers=20 --show-leak-kinds=definite,possible \
	--errors-for-leak-kinds=definite,possible

valgrind: deps-test ## the broker in some stories, and the unit tests that can, under valgrind's memcheck
	@deploy/deps.sh valgrind
	@$(again) VARIANT=debug programs $(VALGRIND_TESTS) $(VALGRIND_STORIES)
	@RUN_LOGS=build/debug/valgrind RUN_TIMEOUT=600 RUN_JOBS=$$(nproc) tests/run \
		$(foreach t,$(VALGRIND_STORIES),'broker under memcheck $(notdir $(t)): JIT_TEST_UNDER="$(VALGRIND)" $(t)') \
		$(foreach t,$(VALGRIND_TESTS),'memcheck $(notdir $(t)): $(VALGRIND) $(t)')

# Where libuv's pool works beside the loop: files of the escrow and the audit, names that are resolved.
TSAN_TESTS := $(patsubst %,build/tsan/tests/unit/test_%,escrow escrow_several store store_parts http_tls) \
	$(patsubst %,build/tsan/tests/integration/test_%,audit_export audit_file escrow escrow_drain notices reload)

tsan: deps-test ## tests with threads beside the loop, under the thread sanitizer
	@$(again) VARIANT=tsan programs $(TSAN_TESTS)
	@tests/run $(TSAN_TESTS)

lint: deps-test ## all static checks
	+@tests/run $(LONG_LINTS) $(LINTS)

bench: deps-test ## the benchmarks, of the release variant (BENCH_LIVE=1000000 assignments, BENCH_IDLE=10000 applications; BENCH_PARTS="live idle": those alone)
	@$(again) VARIANT=release programs build/release/tests/bench/bench
	@build/release/tests/bench/bench $(BENCH_PARTS)

# Of the release variant, unless somebody says which.
TORTURE_VARIANT := $(if $(filter file,$(origin VARIANT)),release,$(VARIANT))
torture: deps-test ## break everything for TORTURE_SECONDS (600) while people come and go, and judge it (VARIANT=asan: sanitized)
	@$(again) VARIANT=$(TORTURE_VARIANT) programs $(addprefix build/$(TORTURE_VARIANT)/tests/torture/,torture judge)
	@build/$(TORTURE_VARIANT)/tests/torture/torture

fuzz: deps-test ## libFuzzer on each parser for FUZZ_SECONDS
	@$(again) CC=clang VARIANT=fuzz fuzz-run

install: deps ## programs, man pages, example configuration, unit (DESTDIR, PREFIX)
	@$(again) VARIANT=release programs
	install -d $(DESTDIR)$(PREFIX)/bin
	install -m 755 build/release/jit-broker build/release/jit build/release/scim-sandbox $(DESTDIR)$(PREFIX)/bin/
	@deploy/install-files $(DESTDIR)$(PREFIX)

clean: ## remove build/
	rm -rf build

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' Makefile | expand -t 20

# -- programs ------------------------------------------------------------------------------------------------
$(B)/jit-broker: $(B)/broker/main.o $(B)/libjit.a
	$(Q)$(LINK) $^ $(LIBS)

$(B)/jit: $(call obj,$(COMMAND_SRC)) $(B)/libjit.a
	$(Q)$(LINK) $^ $(LIBS)

$(B)/scim-sandbox: $(call obj,$(SANDBOX_SRC)) $(B)/libjit.a
	$(Q)$(LINK) $^ $(LIBS)

$(B)/libjit.a: $(call obj,$(LIB_SRC)) $(GEN_OBJ)
	$(Q)rm -f $@ && ar rcs $@ $^

$(B)/libsupport.a: $(call obj,$(SUPPORT_SRC))
	$(Q)rm -f $@ && ar rcs $@ $^

$(B)/tests/unit/%: $(B)/tests/unit/%.o $(B)/libsupport.a $(B)/libjit.a
	$(Q)$(LINK) $^ $(LIBS) -lcmocka

$(SANDBOX_TESTS:%.c=$(B)/%): %: %.o $(B)/tests/unit/sandbox_world.o \
		$(call obj,$(filter-out %/main.c,$(SANDBOX_SRC))) $(B)/libjit.a
	$(Q)$(LINK) $^ $(LIBS) -lcmocka

$(B)/tests/unit/test_sandbox_http $(B)/tests/unit/test_sandbox_control: | $(B)/scim-sandbox

$(B)/tests/integration/test_foreign_scim: | $(B)/scim/server.mjs

$(B)/tests/unit/test_http_tls: LIBS += -lssl

$(STARVED_TESTS:%.c=$(B)/%): private LDFLAGS += $(STARVED)

$(B)/tests/unit/test_starved_push: | $(B)/scim-sandbox
$(filter $(B)/tests/integration/%,$(STARVED_TESTS:%.c=$(B)/%)): | $(B)/tests/starved/jit-broker $(B)/scim-sandbox

$(B)/tests/starved/jit-broker: $(B)/broker/main.o $(B)/tests/support/starve.o $(B)/libjit.a
	@mkdir -p $(@D)
	$(Q)$(LINK) $(STARVED) $^ $(LIBS)

$(B)/tests/integration/%: $(B)/tests/integration/%.o $(B)/libsupport.a $(B)/libjit.a
	$(Q)$(LINK) $^ $(LIBS) -lcmocka

$(patsubst %,$(B)/tests/integration/test_sign_in%,_groups _names _outage _provider _strength) $(B)/tests/integration/test_sign_in $(B)/tests/integration/test_command_sign_in: | $(B)/oidc/installed

$(patsubst %,$(B)/tests/integration/test_notices%,_later _outcome) $(B)/tests/integration/test_notices: | $(B)/webhooks/installed
$(B)/tests/integration/test_page: | $(B)/oidc/installed $(B)/browser/installed
$(B)/tests/integration/test_graph_sdk: | $(B)/graph/installed
$(B)/tests/integration/test_eligibility_claims $(B)/tests/integration/test_two_providers $(B)/tests/integration/test_events $(B)/tests/integration/test_notices_mail: | $(B)/oidc/installed
$(patsubst %,$(B)/tests/integration/test_starved_%,keys sign_in) $(B)/tests/integration/test_secrets_wiped: | $(B)/oidc/installed

$(B)/tests/bench/bench: $(call obj,$(BENCH_SRC)) $(B)/libsupport.a $(B)/libjit.a
	$(Q)$(LINK) $^ $(LIBS) -lm -lcmocka

$(B)/tests/webhooks/peer $(B)/tests/oidc/verifier: %: %.o $(B)/libjit.a
	$(Q)$(LINK) $^ $(LIBS)

$(B)/tests/torture/torture: $(call obj,$(filter-out %/judge_main.c,$(TORTURE_SRC))) $(B)/libsupport.a $(B)/libjit.a
	$(Q)$(LINK) $^ $(LIBS) -lcmocka

# The judge alone, which shares no code with what it judges.
$(B)/tests/torture/judge: $(call obj,$(JUDGE_SRC) tests/torture/judge_main.c)
	$(Q)$(LINK) $^ $(shell pkg-config --libs libcjson)

$(patsubst %,$(B)/tests/unit/test_torture_judge%,_approvals _first) $(B)/tests/unit/test_torture_judge: %: %.o $(call obj,$(JUDGE_SRC)) $(B)/libsupport.a $(B)/libjit.a
	$(Q)$(LINK) $^ $(LIBS) -lcmocka

# A fuzz target replays its corpus in every variant but `fuzz`, where libFuzzer brings its own main.
$(B)/tests/fuzz/fuzz_%: $(B)/tests/fuzz/fuzz_%.o $(if $(filter fuzz,$(VARIANT)),,$(B)/tests/fuzz/replay.o) $(B)/libjit.a
	$(Q)$(LINK) $(if $(filter fuzz,$(VARIANT)),-fsanitize=fuzzer) $^ $(LIBS)

$(SANDBOX_FUZZERS:%.c=$(B)/%): %: %.o $(if $(filter fuzz,$(VARIANT)),,$(B)/tests/fuzz/replay.o) \
		$(call obj,$(filter-out %/main.c,$(SANDBOX_SRC))) $(B)/libjit.a
	$(Q)$(LINK) $(if $(filter fuzz,$(VARIANT)),-fsanitize=fuzzer) $^ $(LIBS)

$(COMMAND_FUZZERS:%.c=$(B)/%): %: %.o $(if $(filter fuzz,$(VARIANT)),,$(B)/tests/fuzz/replay.o) \
		$(call obj,$(filter-out %/main.c,$(COMMAND_SRC))) $(B)/libjit.a
	$(Q)$(LINK) $(if $(filter fuzz,$(VARIANT)),-fsanitize=fuzzer) $^ $(LIBS)

$(B)/tests/fuzz/fuzz_command: private LDFLAGS += -Wl,--wrap=call
$(B)/tests/fuzz/fuzz_records: private LDFLAGS += $(patsubst %,-Wl$(comma)--wrap=store_%,call lanes lane_of ready)

fuzz-run: $(patsubst %.c,$(B)/%,$(FUZZERS))
	@set -e; for f in $^; do name=$${f##*/fuzz_}; mkdir -p $(B)/corpus/$$name; \
		$$f -max_total_time=$(FUZZ_SECONDS) -artifact_prefix=$(B)/$$name- $(B)/corpus/$$name tests/fuzz/corpus/$$name; \
	done

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -c -o $@ $<

# -- generated: the Redis function library as a C array, with the state table printed from C -----------------
$(B)/states-print: $(B)/activation/states_print.o $(B)/activation/states.o
	$(Q)$(LINK) $^

$(B)/gen/states.lua: $(B)/states-print
	@mkdir -p $(@D)
	$(Q)$< --lua >$@.tmp && mv $@.tmp $@

# The commands of Redis that the functions call, so that they can find out whether all of them are permitted.
$(B)/gen/commands.lua: $(LUA_SRC)
	@mkdir -p $(@D)
	$(Q){ echo 'local COMMANDS = {'; \
		grep -ho "redis\.call('[A-Z]*'\(, '[A-Z]*'\)\{0,1\}" $^ | sed 's/.*(\(.*\)/\t{ \1 },/' | sort -u; \
		echo '}'; } >$@.tmp && mv $@.tmp $@

$(B)/gen/library.lua: $(LUA) activation/join.awk Makefile
	@mkdir -p $(@D)
	$(Q)awk -f activation/join.awk $(LUA) >$@.tmp && mv $@.tmp $@

# Prints a file as a C array of that name.
embed = { echo "const char $(1)[] = {"; od -An -v -tx1 $(2) | sed "s/ *\([0-9a-f][0-9a-f]\)/'\\\\x\1',/g"; \
	echo "0}; const size_t $(1)_len = sizeof($(1)) - 1;"; }

%/library.c: %/library.lua
	$(Q){ echo '#include "activation/library.h"'; $(call embed,jit_library,$<); \
		sed -n 's/^VERSION = \([0-9]*\)$$/const int jit_library_version = \1;/p' $<; } >$@.tmp && mv $@.tmp $@

# A broker of the next version, for the tests of rolling upgrades.
$(B)/tests/newer/library.lua: $(B)/gen/library.lua
	@mkdir -p $(@D)
	$(Q)awk '/^VERSION = [0-9]+$$/ { $$3++ } { print }' $< >$@.tmp && mv $@.tmp $@

$(B)/tests/newer/jit-broker: $(B)/broker/main.o $(B)/tests/newer/library.o $(B)/libjit.a
	$(Q)$(LINK) $^ $(LIBS)

$(B)/tests/integration/test_rolling_upgrade: | $(B)/tests/newer/jit-broker

$(B)/gen/page.c: $(PAGE) Makefile
	@mkdir -p $(@D)
	$(Q){ echo '#include "api/page.h"'; \
		$(foreach f,$(PAGE),$(call embed,$(subst .,_,$(notdir $(f))),$(f));) } >$@.tmp && mv $@.tmp $@

$(B)/gen/openapi_schemas.c: broker/api/schemas.json Makefile
	@mkdir -p $(@D)
	$(Q){ echo '#include "api/openapi.h"'; $(call embed,openapi_schemas,$<); } >$@.tmp && mv $@.tmp $@

$(GEN_OBJ) $(B)/tests/newer/library.o: %.o: %.c
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -c -o $@ $<

# -- checks --------------------------------------------------------------------------------------------------
format: ## reformat all C files
	clang-format -i $(C_FILES)

# Releases of clang-format differ in how they lay out macros and tables; Debian 12's is the one that decides.
format-check:
	@case "$$(clang-format --version)" in *' 14.'*) clang-format --dry-run -Werror $(C_FILES) ;; \
		*) echo "laid out by clang-format 14; this is another one" ;; esac

layers: ## who may include whom
	@tests/lint/check-layers

# The build has proved it of a header that a file of its name includes before anything else.
hdr-check: ## each header compiles alone
	@set -e; for h in $(filter %.h,$(C_FILES)); do \
		first=$$(grep -s -m1 '^#include' $${h%.h}.c) || first=; \
		case "$$first" in "#include \"$$h\"" | "#include \"$${h#broker/}\"") continue ;; esac; \
		echo "#include \"$$h\"" | $(CC) $(CPPFLAGS_ALL) -std=c11 $(WARN) -Werror -x c -fsyntax-only - || \
		{ echo "$$h does not compile alone"; exit 1; }; done

# Every C file belongs to something, so that no test or source is forgotten.
lists-check:
	@for f in $(filter %.c,$(C_FILES)); do case " $(ALL_C) " in *" $$f "*) ;; *) echo "$$f is in no list"; bad=1;; esac; done; \
		for f in $(ALL_C); do [ -f $$f ] || { echo "$$f does not exist"; bad=1; }; done; [ -z "$$bad" ]
ALL_C = $(C_SRC) $(SUPPORT_SRC) $(UNIT_TESTS) $(INTEGRATION_TESTS) $(FUZZERS) $(BENCH_SRC) $(TORTURE_SRC) $(EXTRA_C)

drift-check: $(B)/states-print $(B)/jit-broker $(B)/gen/commands.lua
	@tests/lint/check-drift $(B)

tokens-check: $(B)/tests/oidc/verifier $(B)/oidc/installed ## the token verifier against the library jose
	@node tests/oidc/differential.mjs $< $(B)/oidc

webhooks-check: $(B)/tests/webhooks/peer $(B)/webhooks/installed ## webhooks against the reference library
	@node tests/webhooks/differential.mjs $< $(B)/webhooks

# What npm brings for the tests in that folder.
$(B)/%/installed: tests/%/package.json tests/%/package-lock.json
	@mkdir -p $(@D) && cp $^ $(@D)
	$(Q)cd $(@D) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2
	@touch $@

# Beside its packages, because that is where node looks for them.
$(B)/scim/server.mjs: tests/scim/server.mjs $(B)/scim/installed
	@cp $< $@

# What clang says of the files that clang-tidy does not look at.
clang-check: $(GEN_OBJ)
	@clang -fsyntax-only -std=c11 $(WARN) -Werror $(CPPFLAGS_ALL) $(sort $(filter-out $(C_SRC) $(SUPPORT_SRC),$(ALL_C)))

lua-check: $(B)/gen/library.lua
	@luac5.1 -p $(filter-out $(B)/%,$(LUA)) $<

cppcheck:
	@cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 --enable=warning,performance,portability \
		--suppressions-list=tests/lint/cppcheck.txt --library=tests/lint/cppcheck.cfg -j2 -D_GNU_SOURCE -I. -Ibroker $(C_SRC)

# One stamp a file: only what changed is looked at again. The tests' files go without the analyzer, which takes four
# times as long as all else: they run under the sanitizers.
tidy: $(patsubst %.c,$(B)/tidy/%.ok,$(C_SRC) $(SUPPORT_SRC))

$(B)/tidy/tests/%.ok: TIDY_CHECKS := --checks='-clang-analyzer-*'
$(B)/tidy/%.ok: %.c $(B)/%.o .clang-tidy
	@mkdir -p $(@D)
	$(Q)clang-tidy --quiet $(TIDY_CHECKS) --warnings-as-errors='*' $< -- -std=c11 $(WARN) $(CPPFLAGS_ALL) 2>$@.err || { cat $@.err; false; }
	@touch $@

-include $(shell find $(B) -name '*.d' 2>/dev/null)
.PHONY: all programs deps deps-test demo test test-programs asan-programs test-run check-unit check-integration check-asan \
	lint bench valgrind tsan torture fuzz fuzz-run install clean help format format-check layers hdr-check lists-check drift-check webhooks-check tokens-check lua-check clang-check cppcheck tidy
.SECONDARY:
.DELETE_ON_ERROR:
