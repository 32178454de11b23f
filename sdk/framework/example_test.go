package framework_test

import (
	"context"
	"fmt"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/framework"
	"github.com/profferhq/proffer/sdk/sdktest"
)

// A whole framework: it runs one command, on the first offer that it gets, and
// tears itself down when the command has ended. Against a real cluster its options
// come from framework.FromEnv("once").
func Example() {
	kernel, err := sdktest.Start(sdktest.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer kernel.Close()

	f, err := framework.New(kernel.Framework("once"))
	if err != nil {
		fmt.Println(err)
		return
	}
	need, err := sdk.ParseResources("cpus:0.5;mem:64")
	if err != nil {
		fmt.Println(err)
		return
	}
	err = f.Run(context.Background(), framework.Handlers{
		Offers: func(_ context.Context, offers []sdk.Offer) error {
			if err := f.Suppress(); err != nil { // one offer is enough
				return err
			}
			return f.Launch(offers[0], sdk.TaskInfo{
				Name: "seven", TaskID: "seven-1", Resources: need,
				Command: &sdk.CommandInfo{Value: "exit 7"},
			})
		},
		Update: func(ctx context.Context, status sdk.TaskStatus) error {
			fmt.Printf("%s %s %q\n", status.TaskID, status.State, status.Message)
			if status.State == sdk.TaskRunning {
				return nil
			}
			return f.Teardown(ctx)
		},
	}.Handle)
	fmt.Println("the end:", err)
	// Output:
	// seven-1 TASK_RUNNING ""
	// seven-1 TASK_FAILED "Command exited with status 7"
	// the end: <nil>
}
