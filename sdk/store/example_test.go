package store_test

import (
	"context"
	"fmt"
	"time"

	"github.com/profferhq/proffer/sdk/sdktest"
	"github.com/profferhq/proffer/sdk/store"
)

// A framework that survives itself: one instance leads, and what it decides is
// stored under the guard of its leadership, so that no instance of the past can
// decide anything. Against a real cluster the options come from
// store.FromEnv("state").
func Example() {
	kernel, err := sdktest.Start(sdktest.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer kernel.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()

	space, err := store.Open(kernel.Store("mine", "state"))
	if err != nil {
		fmt.Println(err)
		return
	}
	lead, err := space.Lead(ctx, "leader", "instance 1", 5*time.Second)
	if err != nil {
		fmt.Println(err)
		return
	}
	decide := store.Txn{
		If:   []store.Compare{lead.Guard(), store.Absent("run/1")},
		Then: []store.Op{store.Put("run/1", []byte("on agent 7"))},
	}
	for range 2 {
		result, err := space.Commit(ctx, decide)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println("decided:", result.Held)
	}
	runs, revision, err := space.List(ctx, "run/")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, kv := range runs {
		fmt.Printf("%s %s, version %d\n", kv.Key, kv.Value, kv.Version)
	}
	if err := lead.Resign(ctx); err != nil {
		fmt.Println(err)
		return
	}
	for event, err := range space.Watch(ctx, "leader", revision) {
		fmt.Println(event.KV.Key, "deleted:", event.Deleted, err)
		break
	}
	// Output:
	// decided: true
	// decided: false
	// run/1 on agent 7, version 1
	// leader deleted: true <nil>
}
