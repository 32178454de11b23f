package load

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Options say whom to ask, and how hard.
type Options struct {
	// Tasks is the URL of the service's tasks: …/v2/apps/{id}/tasks.
	Tasks string
	// Token authenticates at Tasks; the instances get none.
	Token string
	// Every is the time between two looks at Tasks; 0 for 250 ms.
	Every time.Duration
	// Clients is how many ask at the same time; 0 for 4.
	Clients int
	// Pause is what each client waits between two requests; 0 for 5 ms.
	Pause time.Duration
}

// Result is what became of the requests.
type Result struct {
	Requests int
	Failed   int
	First    error          // why the first one failed
	Versions map[string]int // answers by X-Version, the version of the app
	Indexes  map[string]int // answers by what they said, the index of the instance
}

// requestTime bounds one request.
const requestTime = 5 * time.Second

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 16 << 20

// run is one load that goes on.
type run struct {
	o    Options
	http *http.Client

	mu      sync.Mutex
	healthy []string // host:port
	next    int
	result  Result
}

// Run asks until ctx ends. It fails when it cannot see the instances at the beginning; when
// it cannot later, it goes on with those that it knows.
func Run(ctx context.Context, o Options) (Result, error) {
	if o.Every == 0 {
		o.Every = 250 * time.Millisecond
	}
	if o.Clients == 0 {
		o.Clients = 4
	}
	if o.Pause == 0 {
		o.Pause = 5 * time.Millisecond
	}
	r := &run{o: o, result: Result{Versions: map[string]int{}, Indexes: map[string]int{}}}
	transport := &http.Transport{DisableKeepAlives: true, DialContext: (&net.Dialer{}).DialContext}
	r.http = &http.Client{Transport: transport, Timeout: requestTime}
	if err := r.look(ctx); err != nil {
		return r.result, err
	}
	var all sync.WaitGroup
	all.Go(func() { r.watch(ctx) })
	for range o.Clients {
		all.Go(func() { r.client(ctx) })
	}
	all.Wait()
	return r.result, nil
}

// watch keeps the list of healthy instances fresh.
func (r *run) watch(ctx context.Context) {
	tick := time.NewTicker(r.o.Every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			_ = r.look(ctx) // what is known stays
		case <-ctx.Done():
			return
		}
	}
}

// look reads which instances are healthy.
func (r *run) look(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.o.Tasks, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Authorization", "Bearer "+r.o.Token)
	resp, err := r.http.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s: %s", r.o.Tasks, resp.Status, body)
	}
	list, err := Healthy(body)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.healthy = list
	return nil
}

// Healthy gives the addresses (host and first port) of the instances that a balancer would
// send requests to: those that run and pass all of their checks.
func Healthy(tasks []byte) ([]string, error) {
	var list struct {
		Tasks []struct {
			Host   string `json:"host"`
			Ports  []int  `json:"ports"`
			State  string `json:"state"`
			Checks []struct {
				Alive bool `json:"alive"`
			} `json:"healthCheckResults"`
		} `json:"tasks"`
	}
	if err := json.Unmarshal(tasks, &list); err != nil {
		return nil, fmt.Errorf("the list of tasks cannot be read: %w", err)
	}
	var out []string
	for _, t := range list.Tasks {
		well := t.State == "TASK_RUNNING" && len(t.Ports) > 0 && len(t.Checks) > 0
		for _, c := range t.Checks {
			well = well && c.Alive
		}
		if well {
			out = append(out, net.JoinHostPort(t.Host, strconv.Itoa(t.Ports[0])))
		}
	}
	return out, nil
}

// client asks one instance after the other.
func (r *run) client(ctx context.Context) {
	for {
		if addr := r.pick(); addr != "" {
			version, index, err := r.ask(addr)
			r.note(version, index, err)
		}
		select {
		case <-time.After(r.o.Pause):
		case <-ctx.Done():
			return
		}
	}
}

// pick takes the next of the healthy instances; none when there are none.
func (r *run) pick() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.healthy) == 0 {
		return ""
	}
	r.next++
	return r.healthy[r.next%len(r.healthy)]
}

// ask makes one request, which is not cut off when the load ends.
func (r *run) ask(addr string) (version, index string, err error) {
	resp, err := r.http.Get("http://" + addr + "/")
	if err != nil {
		return "", "", err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", addr, resp.Status)
	}
	return resp.Header.Get("X-Version"), string(body), err
}

func (r *run) note(version, index string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.result.Requests++
	if err == nil {
		r.result.Versions[version]++
		r.result.Indexes[index]++
		return
	}
	r.result.Failed++
	if r.result.First == nil {
		r.result.First = err
	}
}
