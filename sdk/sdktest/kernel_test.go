package sdktest_test

import (
	"context"
	"testing"
	"time"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/framework"
	"github.com/profferhq/proffer/sdk/sdktest"
)

// launchOnce is a framework that runs one command and ends with its last state.
func launchOnce(t *testing.T, k *sdktest.Kernel, command string) sdk.TaskStatus {
	t.Helper()
	f, err := framework.New(k.Framework("once"))
	if err != nil {
		t.Fatal(err)
	}
	var last sdk.TaskStatus
	resources, err := sdk.ParseResources("cpus:1;mem:64")
	if err != nil {
		t.Fatal(err)
	}
	err = f.Run(t.Context(), framework.Handlers{
		Offers: func(_ context.Context, offers []sdk.Offer) error {
			return f.Launch(offers[0], sdk.TaskInfo{
				Name: "t", TaskID: "t1", Resources: resources, Command: &sdk.CommandInfo{Value: command},
			})
		},
		Update: func(_ context.Context, status sdk.TaskStatus) error {
			last = status
			switch status.State {
			case sdk.TaskRunning, sdk.TaskStaging:
				return nil
			}
			return framework.Stop
		},
	}.Handle)
	if err != nil {
		t.Fatal(err)
	}
	return last
}

func TestATaskRunsInMilliseconds(t *testing.T) {
	began := time.Now()
	k := sdktest.New(t, sdktest.Options{})
	status := launchOnce(t, k, "exit 7")
	if status.State != sdk.TaskFailed || status.Message != "Command exited with status 7" {
		t.Errorf("status = %+v", status)
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("took %v", took)
	}
}
