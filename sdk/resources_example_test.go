package sdk_test

import (
	"fmt"

	"github.com/profferhq/proffer/sdk"
)

func ExampleParseResources() {
	machine, err := sdk.ParseResources("cpus:4;mem:8192;ports:[31000-32000];rack:{a,b}")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(machine.Scalar("cpus"), machine.Ranges("ports").Count(), machine.Set("rack"))
	_, err = sdk.ParseResources("cpus:-1")
	fmt.Println(err)
	// Output:
	// 4 1001 [a b]
	// resources[0].scalar.value: Resource 'cpus:-1' is invalid: Invalid scalar resource: value <= 0
}

// A scheduler takes its tasks out of an offer.
func ExampleResources_Subtract() {
	offer, _ := sdk.ParseResources("cpus:1;mem:512;ports:[31000-31009]")
	task := sdk.Resources{
		sdk.NewScalar("cpus", 0.1), sdk.NewScalar("mem", 128), sdk.NewRanges("ports", sdk.Range{Begin: 31000, End: 31000}),
	}
	for n := 0; offer.Contains(task); n++ {
		fmt.Println("task", n, task)
		offer = offer.Subtract(task)
	}
	fmt.Println("left", offer)
	// Output:
	// task 0 cpus:0.1;mem:128;ports:[31000-31000]
	// left cpus:0.9;mem:384;ports:[31001-31009]
}

func ExampleResources_Add() {
	var sum sdk.Resources
	for range 3 {
		sum = sum.Add(sdk.Resources{sdk.NewScalar("cpus", 0.1)})
	}
	fmt.Println(sum, sum.Scalar("cpus") == 0.3)
	// Output: cpus:0.3 true
}

func ExampleResources_Allocate() {
	r, _ := sdk.ParseResources("cpus:2;cpus(ads):1")
	fmt.Println(r.Allocate("dev").Describe())
	// Output: cpus(allocated: dev):2; cpus(allocated: dev)(reservations: [(STATIC,ads)]):1
}

func ExampleParseAttributes() {
	list, _ := sdk.ParseAttributes("rack:a;level:3;span:[1-5]")
	for _, a := range list {
		fmt.Println(a.Name, a.Type, a.ValueText())
	}
	// Output:
	// rack TEXT a
	// level SCALAR 3
	// span RANGES [1-5]
}
