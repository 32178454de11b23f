# The targets that a newcomer needs are up, demo and test; `make help` lists all.
GO      ?= go
PYTHON  ?= python3
VERSION ?= 0.1.0
LDFLAGS := -s -w -X main.version=$(VERSION)
export CGO_ENABLED ?= 0

help: ## list the targets
	@grep -E '^[a-z0-9-]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | expand -t 12
build: ## static binaries in bin/
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/ ./cmd/...
up: build ## a cluster on this machine; ctrl-C stops it
	bin/proffer up
demo: build ## the README's tour, by itself, in half a minute
	$(GO) run ./e2e/demo
compat: build ## every call of Marathon's and Chronos's Python clients, from PyPI, against a cluster
	$(PYTHON) e2e/compat/run.py
test: build ## every test
	CGO_ENABLED=$(if $(RACE),1,0) $(GO) test $(if $(RACE),-race) -timeout 14m $$($(GO) list ./... | grep -v /e2e) ./e2e/sim
	CGO_ENABLED=$(if $(RACE),1,0) $(GO) test $(if $(RACE),-race) -timeout 14m $$($(GO) list ./e2e/... | grep -v /e2e/sim) # alone: it measures processor time
race: ## every test with the race detector (needs gcc)
	$(MAKE) test RACE=1
check: ## gofmt, go vet, staticcheck
	@test -z "$$(gofmt -l .)" || { echo "gofmt wants to change:"; gofmt -l .; exit 1; }
	$(GO) vet ./...
	staticcheck ./...
bench: build ## the figures of the README's table
	bin/proffer-bench all
	$(GO) test ./kernel/consensus -run none -bench Commits -benchtime 1x
bench-large: build ## the rows with 10,000 simulated agents, 19,000 that register again with 200,000 tasks, and ten minutes at a high load
	PROFFER_MASTER_AGENT_TIMEOUT=30s bin/proffer-bench crowd --agents 10000
	PROFFER_MASTER_AGENT_TIMEOUT=60s bin/proffer-bench storm --agents 19000 --held 200000
	bin/proffer-bench gossip
	bin/proffer-bench alarms
golden: ## remake the golden bytes with protoc
	$(GO) test ./sdk/wire -run Golden -update
sim: ## the simulated cluster: SEED=n replays a run, HOURS=n explores from there on
	GOGC=800 $(GO) test ./e2e/sim -count=1 -timeout 0 -v -run $(if $(HOURS),Explore,Replay) -args -seed $(or $(SEED),1) -minutes $(or $(MINUTES),60) $(if $(HOURS),-hours $(HOURS))
plants: ## every planted bug must be found
	$(GO) test ./e2e/plants -run Score -v -count=1 -args -score
soak: build ## the long forms of the stories that make test tells in short
	PROFFER_SOAK=1 $(GO) test ./e2e/... ./kernel/sim/... ./kernel/consensus ./marathonish/fleet -run 'Soak|FullStore|Kill|Sim|Linear|Partition|Stopped|FullDisk|Syncs|Rolling|InTurn|Silence' -v -timeout 60m
.PHONY: help build up demo compat test race check bench bench-large golden sim plants soak
