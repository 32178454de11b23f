package allocator_test

import (
	"fmt"
	"time"

	"github.com/profferhq/proffer/kernel/allocator"
	"github.com/profferhq/proffer/sdk"
)

// One agent, two frameworks: each is offered what is left in its turn.
func Example() {
	now := time.Unix(0, 0)
	a := allocator.New(allocator.Options{})
	total, _ := sdk.ParseResources("cpus:4;mem:4096")
	a.AddAgent(allocator.Agent{ID: "agent-1", Total: total}, nil)
	a.AddFramework(allocator.Framework{ID: "batch", Roles: []string{"*"}})
	a.AddFramework(allocator.Framework{ID: "web", Roles: []string{"*"}})

	task, _ := sdk.ParseResources("cpus:1;mem:512")
	for range 3 {
		for _, o := range a.Allocate(now) {
			fmt.Println(o.Framework, "is offered", o.Resources.WithoutAllocation())
			if err := a.Accept(now, o.Holder, o.Resources, task, 5*time.Second); err != nil {
				fmt.Println(err)
			}
		}
	}
	for _, r := range a.Why(now, "web", "*") {
		fmt.Println("web and", r.Agent+":", r.Reason)
	}
	// Output:
	// batch is offered cpus:4;mem:4096
	// web is offered cpus:3;mem:3584
	// web and agent-1: the framework declined cpus:2;mem:3072
}
