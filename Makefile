# The JIT group activation broker. `make demo` and `make test` are all that a new Debian machine needs;
# `make help` lists the rest. Every source file is named. Make calls itself only after it has installed
# packages, and to build another variant.

VARIANT ?= debug
ifeq ($(origin CC),default)
CC := gcc
endif
# Objects of other flags or of another compiler never mix: each combination has its own folder.
B := build/$(VARIANT)$(if $(findstring clang,$(CC)),-clang)
V ?=
Q := $(if $(V),,@)
MAKEFLAGS += --no-builtin-rules
PREFIX ?= /usr/local
DESTDIR ?=
FUZZ_SECONDS ?= 60

PACKAGES := libmicrohttpd libcjson hiredis libcurl libuv yaml-0.1 libssl libcrypto
WARN := -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wvla -Wswitch-enum -Wmissing-prototypes \
	-Wstrict-prototypes -Wformat=2 -Wundef -Wpointer-arith -Wcast-qual -Wwrite-strings \
	-Wno-missing-field-initializers
# Asked for in recipes only, because `make test` may have to install pkg-config first.
CPPFLAGS_ALL = -D_GNU_SOURCE -I. -Ibroker -I$(B)/gen $(shell pkg-config --cflags $(PACKAGES)) $(CPPFLAGS)
LIBS = $(shell pkg-config --libs $(PACKAGES))
CFLAGS_ALL = -std=c11 -g -MMD -MP $(WARN) $(CFLAGS_VARIANT) $(CFLAGS)
LINK = $(CC) $(LDFLAGS_VARIANT) $(LDFLAGS) -o $@

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
else ifeq ($(VARIANT),fuzz)
CFLAGS_VARIANT := -O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
LDFLAGS_VARIANT := -fsanitize=address,undefined
else
$(error VARIANT is debug, release, asan, tsan or fuzz)
endif

# -- sources, by folder ------------------------------------------------------------------------------------
BASE_SRC := broker/base/err.c broker/base/buf.c broker/base/log.c broker/base/clock.c broker/base/iso8601.c \
	broker/base/id.c broker/base/digest.c broker/base/utf8.c broker/base/json.c
HTTP_SRC := broker/http/http.c broker/http/http_guard.c broker/http/http_mail.c broker/http/http_watch.c
STORE_SRC := broker/store/address.c broker/store/call.c broker/store/connection.c broker/store/node.c \
	broker/store/reader.c broker/store/reply.c broker/store/setup.c broker/store/store.c
STORE_SRC += broker/store/answer.c broker/store/barrier.c broker/store/cluster.c broker/store/node_expire.c \
	broker/store/question.c broker/store/sentinel.c broker/store/slots.c broker/store/tls.c broker/store/topology.c
ACTIVATION_SRC := activation/audit.c activation/audit_event.c activation/policy.c activation/policy_hours.c activation/policy_people.c activation/states.c activation/request.c activation/core.c \
	activation/activation.c activation/actor.c activation/ask.c activation/status.c activation/timetable.c activation/sweep.c activation/order.c activation/list.c activation/notices.c
ACTIVATION_SRC += activation/review.c
THROTTLE_SRC := throttle/throttle.c
AUDIT_SRC := broker/api/audit.c broker/audit/export.c broker/audit/keeper.c broker/audit/seal.c broker/audit/verify.c
ACTIVATION_SRC += activation/order_find.c
SIGNIN_SRC := broker/sign-in/base64url.c broker/sign-in/discovery.c broker/sign-in/identity.c broker/sign-in/issuer.c \
	broker/sign-in/jwks.c broker/sign-in/jwks_key.c broker/sign-in/jwt.c broker/sign-in/jwt_verify.c \
	broker/sign-in/max_age.c broker/sign-in/provider.c broker/sign-in/remembered.c broker/sign-in/signin.c
SCIM_SRC := scim-push/scim.c scim-push/answer.c scim-push/outcome.c scim-push/retry.c scim-push/names.c \
	scim-push/push.c scim-push/steps.c scim-push/reply.c scim-push/ask.c scim-push/recall.c \
	scim-push/verdict.c
SCIM_SRC += scim-push/attribute.c scim-push/dialect.c scim-push/mapping.c scim-push/mapping_compile.c scim-push/person.c \
	scim-push/reply_group.c scim-push/user.c scim-push/probe.c scim-push/expiry.c scim-push/listing.c
API_SRC := broker/api/router.c broker/api/sign_in.c broker/api/requests.c broker/api/lists.c broker/api/applications.c \
	broker/api/health.c broker/api/caller.c broker/api/submission.c broker/api/submit.c broker/api/approvals.c broker/api/hooks.c broker/recheck.c broker/terms.c broker/api/render.c broker/provision.c broker/person.c broker/fetch.c broker/issuers.c \
	broker/metrics.c broker/api/server.c broker/api/server_exchange.c broker/api/listen.c broker/api/target.c broker/api/error.c \
	broker/api/odata.c broker/api/pem.c
API_SRC += broker/api/pace.c
API_SRC += broker/api/page.c broker/api/sweep.c broker/arguments.c
API_SRC += broker/api/batch.c broker/api/batches.c broker/api/server_inner.c broker/api/list_query.c broker/api/object.c broker/api/eligible.c
ACTIVATION_SRC += activation/operate.c
API_SRC += broker/api/operate.c broker/api/provisioning_log.c broker/api/render_application.c
API_SRC += broker/api/connection.c
ACTIVATION_SRC += activation/on_demand.c
API_SRC += broker/api/on_demand.c
WEBHOOK_SRC := broker/webhook/approval.c broker/webhook/event.c broker/webhook/member.c broker/webhook/schedule.c \
	broker/webhook/signing.c broker/webhook/slack.c broker/webhook/standard.c
NOTICE_SRC := broker/notice/audience.c broker/notice/courier.c broker/notice/mail.c broker/notice/parcel.c \
	broker/notice/text.c broker/notice/words.c
API_SRC += broker/api/notices.c
CONFIG_SRC := broker/config.c broker/config_restart.c broker/config_address.c broker/config_build.c broker/config_check.c broker/config_claims.c \
	broker/config_audit.c \
	broker/config_example.c broker/config_files.c broker/config_items.c broker/config_layers.c \
	broker/config_lists.c broker/config_lookup.c broker/config_memory.c broker/config_notices.c broker/config_policy_check.c \
	broker/config_policy_values.c broker/config_redis.c broker/config_report.c broker/config_settings.c broker/config_tree.c \
	broker/config_values.c broker/config_zone.c
COMMAND_SRC := broker/command/account.c broker/command/activate.c broker/command/call.c broker/command/decide.c \
	broker/command/group.c broker/command/list.c broker/command/login.c broker/command/main.c \
	broker/command/operate.c broker/command/words.c
CONFIG_SRC += broker/config_scim.c
API_SRC += broker/api/openapi.c
SANDBOX_SRC := scim-push/sandbox/answer.c scim-push/sandbox/control.c scim-push/sandbox/directory.c \
	scim-push/sandbox/exchange.c scim-push/sandbox/fault.c scim-push/sandbox/fault_answer.c \
	scim-push/sandbox/filter.c scim-push/sandbox/group_patch.c scim-push/sandbox/groups.c \
	scim-push/sandbox/journal.c scim-push/sandbox/main.c scim-push/sandbox/membership.c \
	scim-push/sandbox/names.c scim-push/sandbox/page.c scim-push/sandbox/query.c scim-push/sandbox/scim.c \
	scim-push/sandbox/server.c scim-push/sandbox/text.c scim-push/sandbox/user_list.c \
	scim-push/sandbox/user_rules.c scim-push/sandbox/users.c
SANDBOX_SRC += scim-push/sandbox/about.c scim-push/sandbox/dialect.c scim-push/sandbox/group_list.c \
	scim-push/sandbox/patch_read.c scim-push/sandbox/rate.c scim-push/sandbox/roll.c scim-push/sandbox/state.c \
	scim-push/sandbox/user_path.c scim-push/sandbox/words.c

# The Redis function library: these files, joined in this order (activation/join.awk).
LUA_SRC := activation/lane.lua throttle/bucket.lua activation/queue.lua activation/audit.lua activation/notice.lua activation/request.lua \
	activation/condition.lua activation/provisioning_log.lua activation/membership.lua activation/push.lua activation/cycle.lua activation/connection.lua \
	activation/on_demand.lua activation/read.lua activation/eligibility.lua activation/submit.lua activation/approval.lua activation/eligibility_ask.lua \
	activation/list.lua activation/review.lua activation/application.lua activation/timetable.lua activation/notices.lua activation/audit_keep.lua activation/functions.lua
LUA := $(B)/gen/states.lua $(B)/gen/commands.lua $(LUA_SRC)

# The page, served as it is.
PAGE := $(addprefix broker/web/,page.html page.css page.js call.js dom.js sign_in.js words.js)

LIB_SRC := $(BASE_SRC) $(HTTP_SRC) $(STORE_SRC) $(ACTIVATION_SRC) $(THROTTLE_SRC) $(SCIM_SRC) $(SIGNIN_SRC) $(WEBHOOK_SRC) $(NOTICE_SRC) $(API_SRC) $(AUDIT_SRC) $(CONFIG_SRC)

# Shared by tests: private servers and programs, HTTP client, whole worlds of them.
SUPPORT_SRC := tests/support/store_fixture.c tests/support/wait.c tests/support/proc.c tests/support/http.c tests/support/http_many.c \
	tests/support/sandbox_proc.c tests/support/sandbox_log.c tests/support/broker_config.c \
	tests/support/broker_proc.c tests/support/redis_server.c tests/support/world.c tests/support/world_calls.c

SUPPORT_SRC += tests/support/scim_peer.c tests/support/push_story.c

SUPPORT_SRC += tests/support/loop_server.c

SUPPORT_SRC += tests/support/scene.c tests/support/scene_ask.c tests/support/scene_seen.c

SUPPORT_SRC += tests/support/redis_cluster.c tests/support/certificates.c tests/support/redis_sentinels.c
SUPPORT_SRC += tests/support/grant_oracle.c tests/support/grant_world.c

SUPPORT_SRC += tests/support/redis_gate.c tests/support/aftermath.c

SUPPORT_SRC += tests/support/lane.c tests/support/lane_story.c tests/support/lane_story_read.c \
	tests/support/lane_snapshot.c tests/support/lane_model.c
SUPPORT_SRC += tests/support/lane_story_notices.c tests/support/receivers.c

SUPPORT_SRC += tests/support/tokens.c tests/support/token_judge.c tests/support/provider_rounds.c \
	tests/support/signin_scene.c tests/support/oidc_provider.c tests/support/office.c

SUPPORT_SRC += tests/support/foreign_scim.c tests/support/books.c

# -- tests: one program a file, named tests/unit/test_x.c, tests/integration/test_x.c, tests/fuzz/fuzz_x.c ---
UNIT_TESTS := tests/unit/test_base_err.c tests/unit/test_base_buf.c tests/unit/test_base_id.c \
	tests/unit/test_base_digest.c tests/unit/test_base_log.c tests/unit/test_base_iso8601.c \
	tests/unit/test_base_json.c
SANDBOX_TESTS := tests/unit/test_sandbox.c tests/unit/test_sandbox_patch.c tests/unit/test_sandbox_text.c \
	tests/unit/test_sandbox_dialects.c tests/unit/test_sandbox_rates.c
UNIT_TESTS += $(SANDBOX_TESTS) tests/unit/test_sandbox_http.c tests/unit/test_sandbox_control.c
EXTRA_C += tests/unit/sandbox_world.c
UNIT_TESTS += tests/unit/test_support_log.c tests/unit/test_support_proc.c tests/unit/test_support_wait.c
UNIT_TESTS += tests/unit/test_store.c tests/unit/test_store_parts.c tests/unit/test_store_peer.c \
	tests/unit/test_store_setup.c
UNIT_TESTS += tests/unit/test_store_slots.c tests/unit/test_store_cluster.c tests/unit/test_store_replicas.c \
	tests/unit/test_store_sentinel.c tests/unit/test_store_tls.c
UNIT_TESTS += tests/unit/test_config.c tests/unit/test_config_example.c tests/unit/test_config_large.c \
	tests/unit/test_config_policy.c tests/unit/test_config_settings.c tests/unit/test_policy.c tests/unit/test_policy_hours.c \
	tests/unit/test_policy_people.c tests/unit/test_throttle.c
UNIT_TESTS += tests/unit/test_scim.c tests/unit/test_outcome.c tests/unit/test_retry.c tests/unit/test_push.c \
	tests/unit/test_push_faults.c tests/unit/test_push_removal.c tests/unit/test_http_tls.c tests/unit/test_http_reset.c
UNIT_TESTS += tests/unit/test_mapping.c tests/unit/test_user.c tests/unit/test_dialect.c tests/unit/test_push_dialects.c tests/unit/test_push_groups.c tests/unit/test_push_golden.c tests/unit/test_probe.c tests/unit/test_push_token.c tests/unit/test_listing.c tests/unit/test_scim_rules.c
UNIT_TESTS += tests/unit/test_server.c tests/unit/test_server_life.c tests/unit/test_server_listen.c \
	tests/unit/test_target.c tests/unit/test_odata.c
UNIT_TESTS += tests/unit/test_actor.c tests/unit/test_audit_seal.c
UNIT_TESTS += tests/unit/test_library.c tests/unit/test_library_push.c tests/unit/test_library_cycle.c \
	tests/unit/test_library_read.c tests/unit/test_states.c tests/unit/test_bucket.c \
	tests/unit/test_model.c
UNIT_TESTS += tests/unit/test_library_notices.c tests/unit/test_notice_audience.c tests/unit/test_notice_mail.c tests/unit/test_notice_text.c \
	tests/unit/test_http_guard.c
UNIT_TESTS += tests/unit/test_library_eligibility.c tests/unit/test_batch.c
UNIT_TESTS += tests/unit/test_library_condition.c
UNIT_TESTS += tests/unit/test_library_actions.c tests/unit/test_openapi.c
UNIT_TESTS += tests/unit/test_jwt.c tests/unit/test_jwt_form.c tests/unit/test_jwks.c tests/unit/test_discovery.c \
	tests/unit/test_provider.c tests/unit/test_identity.c tests/unit/test_signin.c tests/unit/test_signin_waiting.c
UNIT_TESTS += tests/unit/test_webhook_approval.c tests/unit/test_webhook_event.c tests/unit/test_webhook_schedule.c \
	tests/unit/test_webhook_slack.c tests/unit/test_webhook_standard.c
EXTRA_C += tests/webhooks/peer.c tests/oidc/verifier.c
UNIT_TESTS += tests/unit/test_grants.c tests/unit/test_races.c
INTEGRATION_TESTS := tests/integration/test_support.c tests/integration/test_world.c
INTEGRATION_TESTS += tests/integration/test_graph_sdk.c tests/integration/test_openapi_objects.c tests/integration/test_actions.c
INTEGRATION_TESTS += tests/integration/test_eligibility_race.c tests/integration/test_eligibility_claims.c
INTEGRATION_TESTS += tests/integration/test_first_five.c tests/integration/test_overflow.c tests/integration/test_lifecycle.c \
	tests/integration/test_reload.c tests/integration/test_push_trouble.c \
	tests/integration/test_application_away.c tests/integration/test_api_input.c \
	tests/integration/test_api_bytes.c tests/integration/test_api_lists.c \
	tests/integration/test_redis_check.c
INTEGRATION_TESTS += tests/integration/test_policy_acts.c tests/integration/test_lost_eligibility.c tests/integration/test_decision_races.c
INTEGRATION_TESTS += tests/integration/test_eligibility.c
INTEGRATION_TESTS += tests/integration/test_secrets.c
INTEGRATION_TESTS += tests/integration/test_roles.c
INTEGRATION_TESTS += tests/integration/test_batch.c
INTEGRATION_TESTS += tests/integration/test_notices.c tests/integration/test_notices_mail.c
INTEGRATION_TESTS += tests/integration/test_condition.c
INTEGRATION_TESTS += tests/integration/test_redis_cluster.c
INTEGRATION_TESTS += tests/integration/test_redis_secured.c tests/integration/test_redis_stall.c
INTEGRATION_TESTS += tests/integration/test_standing.c tests/integration/test_connection.c
INTEGRATION_TESTS += tests/integration/test_approval.c tests/integration/test_approval_webhook.c
INTEGRATION_TESTS += tests/integration/test_kill_broker.c tests/integration/test_dead_brokers.c \
	tests/integration/test_frozen_broker.c tests/integration/test_kill_redis.c tests/integration/test_two_brokers.c \
	tests/integration/test_rolling_restart.c
INTEGRATION_TESTS += tests/integration/test_sign_in.c tests/integration/test_sign_in_outage.c \
	tests/integration/test_sign_in_provider.c
UNIT_TESTS += tests/unit/test_config_sign_in.c tests/unit/test_config_sources.c
SUPPORT_SRC += tests/support/shell.c
INTEGRATION_TESTS += tests/integration/test_command.c
INTEGRATION_TESTS += tests/integration/test_page.c tests/integration/test_sweep.c
# Against the SCIM servers of other people, which npm brings.
INTEGRATION_TESTS += tests/integration/test_foreign_scim.c
# At random, with a seed.
INTEGRATION_TESTS += tests/integration/test_convergence.c
INTEGRATION_TESTS += tests/integration/test_dialects.c

INTEGRATION_TESTS += tests/integration/test_audit.c tests/integration/test_audit_export.c
INTEGRATION_TESTS += tests/integration/test_on_demand.c tests/integration/test_cycle.c
BENCH_SRC := tests/bench/bench.c tests/bench/load.c
FUZZERS := tests/fuzz/fuzz_json.c tests/fuzz/fuzz_iso8601.c
FUZZERS += tests/fuzz/fuzz_batch.c tests/fuzz/fuzz_submission.c
FUZZERS += tests/fuzz/fuzz_odata.c tests/fuzz/fuzz_config.c
FUZZERS += tests/fuzz/fuzz_scim_answer.c
SANDBOX_FUZZERS := tests/fuzz/fuzz_sandbox_call.c tests/fuzz/fuzz_sandbox_rules.c
FUZZERS += $(SANDBOX_FUZZERS)
FUZZERS += tests/fuzz/fuzz_redis_reply.c
FUZZERS += tests/fuzz/fuzz_jwt.c
FUZZERS += tests/fuzz/fuzz_webhook.c
FUZZERS += tests/fuzz/fuzz_notice.c
# These run under ASan and UBSan as well.
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
all: $(B)/jit-broker $(B)/jit $(B)/scim-sandbox ## the programs, in build/$(VARIANT)

deps: ## install what is needed to build and run (Debian packages)
	@deploy/deps.sh build

deps-test: ## install what the tests and checks need besides
	@deploy/deps.sh build test

demo: deps ## build and run the demonstration (DEMO_ONCE=1: once through, then stop)
	@[ -x build/release/jit-broker ] || echo "Building ..."
	@$(again) -s VARIANT=release all
	@BUILD=build/release deploy/demo/run

test: deps-test ## everything: unit, integration, sanitizers, fuzz corpus, lint
	@{ $(again) -k test-programs && $(again) VARIANT=asan asan-programs; } || { echo "0 passed, 1 failed"; exit 1; }
	+@$(again) test-run

test-programs: all $(B)/tests/webhooks/peer $(B)/tests/oidc/verifier $(if $(BENCH_SRC),$(B)/tests/bench/bench) $(call unit_programs,$(B:build/%=%)) $(call integration_programs,$(B:build/%=%))
asan-programs: all $(asan_programs) $(patsubst %.c,$(B)/%,$(FUZZERS))

LINTS := 'format: $(MAKE) format-check' 'include direction: tests/lint/check-layers' 'headers alone: $(MAKE) hdr-check' \
	'banned words: tests/lint/check-banned' 'limits: tests/lint/check-limits' \
	'test lists: $(MAKE) lists-check' 'drift: $(MAKE) drift-check' 'lua: $(MAKE) lua-check' \
	'shellcheck: tests/lint/check-scripts' 'test runner: tests/lint/check-runner' 'cppcheck: $(MAKE) cppcheck' 'clang-tidy: $(MAKE) -k tidy'
REPLAYS := $(foreach f,$(FUZZERS),'fuzz corpus $(notdir $(basename $(f))): build/asan/$(basename $(f)) \
	tests/fuzz/corpus/$(patsubst fuzz_%,%,$(notdir $(basename $(f))))')

# In a folder of its own, so that a demonstration that somebody looks at is not in the way.
DEMO := 'demo: DEMO_ONCE=1 DEMO_DIR=$(B)/demo BUILD=$(B) deploy/demo/run'

# Against libraries of other people, which npm brings.
REFERENCES := 'webhooks against standardwebhooks: $(MAKE) webhooks-check' 'tokens against jose: $(MAKE) tokens-check'

test-run:
	+@tests/run $(DEMO) $(REFERENCES) $(call integration_programs,$(B:build/%=%)) $(asan_programs) $(call unit_programs,$(B:build/%=%)) \
		$(REPLAYS) $(LINTS)

check-unit: $(call unit_programs,$(B:build/%=%)) ## the unit tests of this VARIANT
	@tests/run $^

check-integration: all $(call integration_programs,$(B:build/%=%)) ## the integration tests of this VARIANT
	@tests/run $(filter build/%/integration/%,$^)

check-asan: ## the tests and the fuzz corpus under ASan and UBSan
	@$(again) VARIANT=asan asan-programs
	@tests/run $(asan_programs) $(REPLAYS)

lint: ## all static checks
	+@tests/run $(LINTS)

bench: ## the benchmarks, of the release variant
	@$(again) VARIANT=release all build/release/tests/bench/bench
	@build/release/tests/bench/bench

fuzz: ## libFuzzer on each parser for FUZZ_SECONDS
	@$(again) CC=clang VARIANT=fuzz fuzz-run

install: ## programs, man pages, example configuration, unit (DESTDIR, PREFIX)
	@$(again) VARIANT=release all
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

$(B)/tests/integration/%: $(B)/tests/integration/%.o $(B)/libsupport.a $(B)/libjit.a
	$(Q)$(LINK) $^ $(LIBS) -lcmocka

$(patsubst %,$(B)/tests/integration/test_sign_in%,_outage _provider) $(B)/tests/integration/test_sign_in $(B)/tests/integration/test_command: | $(B)/oidc/installed

$(B)/tests/integration/test_notices: | $(B)/webhooks/installed
$(B)/tests/integration/test_page: | $(B)/oidc/installed $(B)/browser/installed
$(B)/tests/integration/test_graph_sdk: | $(B)/graph/installed
$(B)/tests/integration/test_eligibility_claims: | $(B)/oidc/installed

$(B)/tests/bench/bench: $(call obj,$(BENCH_SRC)) $(B)/libsupport.a $(B)/libjit.a
	$(Q)$(LINK) $^ $(LIBS) -lm -lcmocka

$(B)/tests/webhooks/peer $(B)/tests/oidc/verifier: %: %.o $(B)/libjit.a
	$(Q)$(LINK) $^ $(LIBS)

# A fuzz target replays its corpus in every variant but `fuzz`, where libFuzzer brings its own main.
$(B)/tests/fuzz/fuzz_%: $(B)/tests/fuzz/fuzz_%.o $(if $(filter fuzz,$(VARIANT)),,$(B)/tests/fuzz/replay.o) $(B)/libjit.a
	$(Q)$(LINK) $(if $(filter fuzz,$(VARIANT)),-fsanitize=fuzzer) $^ $(LIBS)

$(SANDBOX_FUZZERS:%.c=$(B)/%): %: %.o $(if $(filter fuzz,$(VARIANT)),,$(B)/tests/fuzz/replay.o) \
		$(call obj,$(filter-out %/main.c,$(SANDBOX_SRC))) $(B)/libjit.a
	$(Q)$(LINK) $(if $(filter fuzz,$(VARIANT)),-fsanitize=fuzzer) $^ $(LIBS)

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

$(B)/gen/library.c: $(B)/gen/library.lua
	$(Q){ echo '#include "activation/library.h"'; $(call embed,jit_library,$<); } >$@.tmp && mv $@.tmp $@

$(B)/gen/page.c: $(PAGE) Makefile
	@mkdir -p $(@D)
	$(Q){ echo '#include "api/page.h"'; \
		$(foreach f,$(PAGE),$(call embed,$(subst .,_,$(notdir $(f))),$(f));) } >$@.tmp && mv $@.tmp $@

$(B)/gen/openapi_schemas.c: broker/api/schemas.json Makefile
	@mkdir -p $(@D)
	$(Q){ echo '#include "api/openapi.h"'; $(call embed,openapi_schemas,$<); } >$@.tmp && mv $@.tmp $@

$(GEN_OBJ): %.o: %.c
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

hdr-check: ## each header compiles alone
	@set -e; for h in $(filter %.h,$(C_FILES)); do \
		echo "#include \"$$h\"" | $(CC) $(CPPFLAGS_ALL) -std=c11 $(WARN) -Werror -x c -fsyntax-only - || \
		{ echo "$$h does not compile alone"; exit 1; }; done

# Every C file is in a list of this Makefile, so that no test or source is forgotten.
lists-check:
	@for f in $(filter %.c,$(C_FILES)); do case " $(ALL_C) " in *" $$f "*) ;; *) echo "$$f is in no list"; bad=1;; esac; done; \
		for f in $(ALL_C); do [ -f $$f ] || { echo "$$f does not exist"; bad=1; }; done; [ -z "$$bad" ]
ALL_C = $(C_SRC) $(SUPPORT_SRC) $(UNIT_TESTS) $(INTEGRATION_TESTS) $(FUZZERS) $(BENCH_SRC) $(EXTRA_C) tests/fuzz/replay.c

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

lua-check: $(B)/gen/library.lua
	@luac5.1 -p $(filter-out $(B)/%,$(LUA)) $<

cppcheck:
	@cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 --enable=warning,performance,portability \
		--suppressions-list=tests/lint/cppcheck.txt --library=tests/lint/cppcheck.cfg -j2 -D_GNU_SOURCE -I. -Ibroker $(C_SRC)

# One stamp a file: only what changed is looked at again.
tidy: $(patsubst %.c,$(B)/tidy/%.ok,$(C_SRC) $(SUPPORT_SRC))

$(B)/tidy/%.ok: %.c $(B)/%.o .clang-tidy
	@mkdir -p $(@D)
	$(Q)clang-tidy --quiet --warnings-as-errors='*' $< -- -std=c11 $(WARN) $(CPPFLAGS_ALL) 2>$@.err || { cat $@.err; false; }
	@touch $@

-include $(shell find $(B) -name '*.d' 2>/dev/null)
.PHONY: all deps deps-test demo test test-programs asan-programs test-run check-unit check-integration check-asan \
	lint bench fuzz fuzz-run install clean help format format-check layers hdr-check lists-check drift-check webhooks-check tokens-check lua-check cppcheck tidy
.SECONDARY:
.DELETE_ON_ERROR:
