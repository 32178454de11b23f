package master

import (
	"slices"
	"strings"
	"testing"

	"github.com/profferhq/proffer/sdk/masters"
)

// TestAnswersNameTheMasters: to whom has a credential, where no stream is named.
func TestAnswersNameTheMasters(t *testing.T) {
	all := three(t)
	var want []string
	for _, m := range all {
		want = append(want, m.Addr())
	}
	slices.Sort(want)
	for _, m := range all {
		m.await(func() bool {
			resp, _ := m.do("GET", "/redirect", all[0].auth(), "")
			got := strings.Split(resp.Header.Get(masters.HeaderMasters), ",")
			slices.Sort(got)
			return slices.Equal(got, want)
		}, "all masters in an answer")
		if resp, _ := m.do("GET", "/health", all[0].auth(), ""); resp.Header[masters.HeaderMasters] != nil {
			t.Errorf("whoever asks is told: %v", resp.Header)
		}
		if resp, _ := m.do("POST", "/api/v1/scheduler", all[0].auth(streamHeader, "s"), "{}"); resp.Header[masters.HeaderMasters] != nil {
			t.Errorf("a call beside a stream is answered with more than it needs: %v", resp.Header)
		}
	}
}
