package main

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/sdktest"
)

// onTestKernel counts on a kernel inside this process: its simulated agents call
// what the executor would.
func onTestKernel(t *testing.T, agents ...sdktest.Agent) error {
	t.Helper()
	k := sdktest.New(t, sdktest.Options{Agents: agents, Run: func(task sdk.TaskInfo) sdktest.Outcome {
		var j job
		if err := json.Unmarshal(task.Data, &j); err != nil || j.Slow {
			return sdktest.Outcome{Endless: true}
		}
		if err := work(context.Background(), &j); err != nil {
			return sdktest.Outcome{State: sdk.TaskFailed, Message: err.Error()}
		}
		return sdktest.Outcome{}
	}})
	t.Setenv("PROFFER_ADDR", k.Addr())
	t.Setenv("PROFFER_TOKEN", k.Token())
	return run(config{root: goroot(), host: "127.0.0.1", megabytes: 2, pieces: 4, reducers: 2, bound: 60e9})
}

func TestCountsAgree(t *testing.T) {
	if err := onTestKernel(t, sdktest.Agent{}, sdktest.Agent{}); err != nil {
		t.Error(err)
	}
}

func TestABrokenCountIsSeen(t *testing.T) {
	t.Setenv("WORDCOUNT_BREAK", "1")
	err := onTestKernel(t, sdktest.Agent{}, sdktest.Agent{})
	if err == nil || !strings.Contains(err.Error(), `"func"`) {
		t.Errorf("err = %v", err)
	}
}
