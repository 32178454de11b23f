package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/store"
)

// progress is what must outlive the scheduler, and is in the store for that:
//
//	counted     what is being counted; for anything else all begins anew
//	framework   the id under which the kernel knows this framework
//	life        how often it has started; ids of tasks and executors have it in them
//	out/…       what a mapper or a reducer has counted, compressed
//
// A job is done when its results are here, and its results are the same whoever makes
// them: so what is run twice is not counted twice.
type progress struct {
	space *store.Space
	id    sdk.FrameworkID
	life  int

	mu   sync.Mutex
	data map[string][]byte // out/…: JSON
}

// resume reads what an earlier life has left, and begins a new one.
func resume(ctx context.Context, counted string) (*progress, error) {
	space, err := store.Open(store.FromEnv("wordcount"))
	if err != nil {
		return nil, err
	}
	kvs, _, err := space.List(ctx, "")
	if err != nil {
		return nil, err
	}
	p := &progress{space: space, data: map[string][]byte{}}
	begin := store.Txn{If: []store.Compare{store.Absent("life")}}
	for _, kv := range kvs {
		switch kv.Key {
		case "counted":
			if string(kv.Value) != counted {
				_, err = p.commit(ctx, store.DeletePrefix(""))
				if err == nil {
					return resume(ctx, counted)
				}
			}
		case "framework":
			p.id = sdk.FrameworkID(kv.Value)
		case "life":
			p.life, err = strconv.Atoi(string(kv.Value))
			begin.If = []store.Compare{store.Unchanged("life", kv.Modified)}
		default:
			p.data[kv.Key], err = unzip(kv.Value)
		}
		if err != nil {
			return nil, fmt.Errorf("%s in the store: %w", kv.Key, err)
		}
	}
	p.life++
	begin.Then = []store.Op{store.Put("counted", []byte(counted)), store.Put("life", []byte(strconv.Itoa(p.life)))}
	if r, err := space.Commit(ctx, begin); err != nil || !r.Held {
		return nil, fmt.Errorf("begin life %d: held: %t: %w", p.life, r.Held, err)
	}
	return p, nil
}

func (p *progress) commit(ctx context.Context, ops ...store.Op) (store.Result, error) {
	return p.space.Commit(ctx, store.Txn{Then: ops})
}

// subscribed remembers the id under which to come back.
func (p *progress) subscribed(ctx context.Context, s *sdk.Subscribed) (err error) {
	if p.id == "" {
		p.id = s.FrameworkID
		_, err = p.commit(ctx, store.Put("framework", []byte(p.id)))
	}
	return err
}

// has tells whether all results are here that a job makes.
func (p *progress) has(j *job) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, path := range j.results() {
		if _, ok := p.data[path]; !ok {
			return false
		}
	}
	return true
}

// reduced joins what the reducers counted.
func (p *progress) reduced(reducers int) map[string]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	total := map[string]int{}
	for i := range reducers {
		var part map[string]int
		_ = json.Unmarshal(p.data[fmt.Sprintf("out/reduce-%d", i)], &part)
		for word, n := range part {
			total[word] += n
		}
	}
	return total
}

// ServeHTTP keeps what is PUT, and answers when it is in the store; GET gives it back.
func (p *progress) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	path := req.URL.Path[1:]
	if req.Method == http.MethodPut {
		data, err := io.ReadAll(req.Body)
		if err == nil {
			_, err = p.commit(req.Context(), store.Put(path, zip(data)))
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		p.mu.Lock()
		p.data[path] = data
		p.mu.Unlock()
		return
	}
	p.mu.Lock()
	data, ok := p.data[path]
	p.mu.Unlock()
	if !ok {
		http.NotFound(w, req)
		return
	}
	_, _ = w.Write(data)
}

func zip(data []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b) // writing to memory does not fail
	_, _ = w.Write(data)
	_ = w.Close()
	return b.Bytes()
}

func unzip(data []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}
