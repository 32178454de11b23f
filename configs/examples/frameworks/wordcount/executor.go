package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/executor"
)

// runExecutor is the program on an agent: it runs every mapper and reducer that is
// launched there, each in a goroutine.
func runExecutor() error {
	env, err := executor.FromEnv(os.Getenv)
	if err != nil {
		return err
	}
	var mu sync.Mutex
	kill := map[sdk.TaskID]context.CancelFunc{}
	driver, err := executor.New(executor.Options{Env: env, Handle: func(d *executor.Driver, e *sdk.ExecutorEvent) {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case e.Launch != nil:
			ctx, cancel := context.WithCancel(context.Background())
			kill[e.Launch.Task.TaskID] = cancel
			go runTask(ctx, d, e.Launch.Task)
		case e.Kill != nil:
			if cancel := kill[e.Kill.TaskID]; cancel != nil {
				cancel()
			}
		case e.Type == sdk.ExecutorEventShutdown:
			for _, cancel := range kill {
				cancel()
			}
			d.Stop(time.Second)
		}
	}})
	if err != nil {
		return err
	}
	return driver.Run(context.Background())
}

// runTask tells how a job begins and ends.
func runTask(ctx context.Context, d *executor.Driver, task sdk.TaskInfo) {
	tell := func(state sdk.TaskState, message string) {
		d.Update(sdk.ExecutorUpdate{Status: sdk.TaskStatus{TaskID: task.TaskID, State: state, Message: message}})
	}
	tell(sdk.TaskRunning, "")
	var j job
	err := json.Unmarshal(task.Data, &j)
	if err == nil {
		err = work(ctx, &j)
	}
	switch {
	case ctx.Err() != nil:
		tell(sdk.TaskKilled, "killed")
	case err != nil:
		tell(sdk.TaskFailed, err.Error())
	default:
		tell(sdk.TaskFinished, "")
	}
}

// work is what a mapper or a reducer does.
func work(ctx context.Context, j *job) error {
	if j.Mappers > 0 {
		return reduce(ctx, j)
	}
	if j.Slow {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Minute):
		}
	}
	text, err := fetch(ctx, j.URL+"/text", fmt.Sprintf("bytes=%d-%d", j.Text.From, j.Text.To-1))
	if err != nil {
		return err
	}
	counts := count(text)
	for r, path := range j.results() {
		if err := put(ctx, j.URL+"/"+path, share(counts, r, j.Reducers)); err != nil {
			return err
		}
	}
	return nil
}

// reduce adds the mappers' counts of this reducer's words.
func reduce(ctx context.Context, j *job) error {
	total := map[string]int{}
	for m := range j.Mappers {
		data, err := fetch(ctx, fmt.Sprintf("%s/out/map-%d/%d", j.URL, m, j.Reducer), "")
		if err != nil {
			return err
		}
		var part map[string]int
		if err := json.Unmarshal(data, &part); err != nil {
			return err
		}
		for word, n := range part {
			total[word] += n
		}
	}
	return put(ctx, j.URL+"/out/"+j.Name, total)
}

func fetch(ctx context.Context, url, span string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	if span != "" {
		req.Header.Set("Range", span)
	}
	return do(req)
}

func put(ctx context.Context, url string, counts map[string]int) error {
	data, err := json.Marshal(counts)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, url, bytes.NewReader(data))
	if err != nil {
		return err
	}
	_, err = do(req)
	return err
}

func do(req *http.Request) ([]byte, error) {
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode >= 300 {
		err = fmt.Errorf("%s: %s", req.URL, resp.Status)
	}
	return data, err
}
