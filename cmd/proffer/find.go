package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/operator"
	"github.com/profferhq/proffer/sdk/wire"
)

// operator makes the client of the operator's API.
func (c *client) operator() (*operator.Client, error) {
	addrs, token, err := c.access()
	if err != nil {
		return nil, err
	}
	o := operator.DefaultOptions()
	o.Addrs, o.Token, o.Transport = addrs, token, c.transport
	return operator.New(o)
}

// allTasks lists the tasks that run, that are unreachable, and, with ended, those that are over.
func allTasks(t *sdk.GetTasks, ended bool) []sdk.Task {
	if t == nil {
		return nil
	}
	out := slices.Concat(t.Tasks, t.UnreachableTasks)
	if ended {
		out = append(out, t.CompletedTasks...)
	}
	return out
}

// findTask finds a task by its id, or by the beginning of it when that fits only one.
func findTask(ctx context.Context, op *operator.Client, id string) (sdk.Task, error) {
	tasks, err := op.Tasks(ctx)
	if err != nil {
		return sdk.Task{}, err
	}
	var fits []sdk.Task
	for _, t := range allTasks(tasks, true) {
		if string(t.TaskID) == id {
			return t, nil
		}
		if strings.HasPrefix(string(t.TaskID), id) {
			fits = append(fits, t)
		}
	}
	switch len(fits) {
	case 1:
		return fits[0], nil
	case 0:
		return sdk.Task{}, sdk.Errorf(sdk.CodeNotFound, "", "no task is called %s; `proffer ps --all` lists them", id)
	}
	var ids []string
	for _, t := range fits[:min(len(fits), 5)] {
		ids = append(ids, string(t.TaskID))
	}
	return sdk.Task{}, usagef("%s is the beginning of %d tasks' ids (%s …); give more of it", id, len(fits), strings.Join(ids, ", "))
}

// printJSON prints API objects as one JSON array, in the mapping of Mesos's API.
func printJSON[T any](c *client, objects []T) error {
	parts := make([]string, len(objects))
	for i := range objects {
		text, err := wire.Marshal(wire.JSON, &objects[i])
		if err != nil {
			return err
		}
		parts[i] = string(text)
	}
	_, err := fmt.Fprintf(c.io.out, "[%s]\n", strings.Join(parts, ","))
	return err
}

// printObject prints one object of the client's own as JSON.
func (c *client) printObject(object any) error {
	text, err := json.Marshal(object)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(c.io.out, string(text))
	return err
}

// amount is what a list of resources has of a scalar, as text.
func amount(list []sdk.Resource, name string) string {
	return fmt.Sprintf("%g", sdk.Resources(list).Scalar(name))
}
