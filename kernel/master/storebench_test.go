package master

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/profferhq/proffer/sdk/store"
)

// BenchmarkStore is perf-14's floor over HTTP: four clients of one master, each
// call durable, or linearizable. The CPU time is that of master and clients.
func BenchmarkStore(b *testing.B) {
	t := &testing.T{}
	r := benchMaster(b, t)
	s, err := store.Open(store.Options{Addrs: []string{r.Addr()}, Space: "bench", Patience: time.Second})
	if err != nil {
		b.Fatal(err)
	}
	value := make([]byte, 512)
	var n atomic.Int64
	for _, one := range []struct {
		name string
		call func(key string) error
	}{
		{"commit", func(key string) error {
			_, err := s.Commit(b.Context(), store.Txn{Then: []store.Op{store.Put(key, value)}})
			return err
		}},
		{"get", func(string) error {
			_, err := s.Get(b.Context(), "k1")
			return err
		}},
	} {
		b.Run(one.name, func(b *testing.B) {
			b.SetParallelism(2) // times GOMAXPROCS, which is 2 on the machine of the goals
			before, began := cpuTime(), time.Now()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := one.call(fmt.Sprint("k", n.Add(1)%1000)); err != nil {
						b.Error(err)
					}
				}
			})
			b.ReportMetric(float64(b.N)/time.Since(began).Seconds(), "calls/s")
			b.ReportMetric(float64((cpuTime()-before).Microseconds())/float64(b.N), "cpu-µs/call")
		})
	}
}
