package executor_test

import (
	"context"
	"fmt"
	"time"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/executor"
	"github.com/profferhq/proffer/sdk/wire"
)

// A custom executor: it runs its tasks inside of its own process. Under an agent
// its environment comes from executor.FromEnv(os.Getenv).
func Example() {
	agent := newFakeAgent(wire.Msgpack)
	defer agent.close()

	d, err := executor.New(executor.Options{
		Env: agent.env(),
		Handle: func(d *executor.Driver, e *sdk.ExecutorEvent) {
			switch e.Type {
			case sdk.ExecutorEventSubscribed:
				fmt.Println("subscribed")
				agent.send(launch("count-to-three")) // a real agent sends it for the framework
			case sdk.ExecutorEventLaunch:
				task := e.Launch.Task
				d.Update(sdk.ExecutorUpdate{Status: sdk.TaskStatus{TaskID: task.TaskID, State: sdk.TaskRunning, Message: "counting"}})
				go func() {
					sum := 1 + 2 + 3
					d.Update(sdk.ExecutorUpdate{Status: sdk.TaskStatus{TaskID: task.TaskID, State: sdk.TaskFinished, Message: fmt.Sprint(sum)}})
					d.Stop(5 * time.Second)
				}()
			case sdk.ExecutorEventShutdown:
				d.Stop(5 * time.Second)
			}
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := d.Run(context.Background()); err != nil {
		fmt.Println(err)
	}
	for _, u := range agent.updates {
		fmt.Println(u.Status.TaskID, u.Status.State, u.Status.Message)
	}
	// Output:
	// subscribed
	// count-to-three TASK_RUNNING counting
	// count-to-three TASK_FINISHED 6
}
