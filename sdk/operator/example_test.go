package operator_test

import (
	"context"
	"fmt"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/operator"
	"github.com/profferhq/proffer/sdk/sdktest"
)

// What the cluster has, and what became of one address that nobody serves. Against
// a real cluster the options come from operator.FromEnv().
func Example() {
	kernel, err := sdktest.Start(sdktest.Options{Agents: []sdktest.Agent{
		{Name: "alpha", Resources: "cpus:4;mem:1024"},
		{Name: "beta", Resources: "cpus:2;mem:512"},
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer kernel.Close()

	o := operator.DefaultOptions()
	o.Addrs, o.Token = []string{kernel.Addr()}, kernel.Token()
	client, err := operator.New(o)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()
	agents, err := client.Agents(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, agent := range agents.Agents {
		total := sdk.Resources(agent.TotalResources)
		fmt.Println(agent.AgentInfo.Hostname, "has", total.Scalar("cpus"), "cpus and", total.Scalar("mem"), "MB")
	}

	nobody, err := operator.New(operator.Options{Addrs: []string{"127.0.0.1:1"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = nobody.Tasks(context.Background())
	fmt.Println(operator.IsUnreachable(err), err)
	// Output:
	// alpha has 4 cpus and 1024 MB
	// beta has 2 cpus and 512 MB
	// true get tasks: cannot reach the cluster: no master answers (127.0.0.1:1: connection refused)
}
