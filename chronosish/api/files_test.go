package api

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/profferhq/proffer/chronosish/job"
)

// TestListsAreBrief: a list tells of a large file inside a job its size, the job itself has
// it whole; and a job that is sent as a list has shown it keeps its files.
func TestListsAreBrief(t *testing.T) {
	r := newReal(t)
	small, large := job.Fetch{}.WithData("data:;base64,", make([]byte, 100)).URI, job.Fetch{}.WithData("data:text/x;base64,", make([]byte, 500<<10)).URI
	plain := "data:," + strings.Repeat("%41", 5000)
	body := fmt.Sprintf(`{"name":"a","command":"x","schedule":"R/2090-01-01T00:00:00Z/P1D","fetch":[{"uri":%q,"output_file":"s"},{"uri":%q,"output_file":"l"},{"uri":%q}]}`, small, large, plain)
	if got := r.ask("POST", "iso8601", body); got != "204" {
		t.Fatal(got)
	}
	before := r.state()
	uris := func(document string) string {
		var d job.Document
		if err := json.Unmarshal([]byte(document), &d); err != nil {
			t.Fatalf("%v: %.200s", err, document)
		}
		for i, f := range d.Fetch {
			if f.URI != d.URIs[i] {
				t.Errorf("uris has %.50s for %.50s", d.URIs[i], f.URI)
			}
		}
		return strings.Join(d.URIs, " ")
	}
	if got := uris(r.ask("GET", "job/a", "")); got != strings.Join([]string{small, large, plain}, " ") {
		t.Errorf("the job itself has %.300s", got)
	}
	var shown string
	for _, list := range []string{"jobs", "jobs/search?name=a"} {
		shown = strings.Trim(r.ask("GET", list, ""), "[]")
		if got := uris("{" + strings.SplitN(shown, "{", 2)[1]); got != small+" data:text/x;size=512000;base64, data:;size=5000," {
			t.Errorf("%s has %.300s", list, got)
		}
	}
	if got := r.ask("POST", "iso8601", shown); got != "204" || r.state() != before {
		t.Errorf("sent as it was shown: %s, and %t", got, r.state() == before)
	}
	if got := r.ask("POST", "iso8601", strings.Replace(shown, `"owner":""`, `"owner":"me"`, 1)); got != "204" {
		t.Errorf("sent with another owner: %s", got)
	}
	if got := r.ask("GET", "job/a", ""); uris(got) != strings.Join([]string{small, large, plain}, " ") || !strings.Contains(got, `"owner":"me"`) {
		t.Errorf("afterwards the job has %.300s", got)
	}
	before = r.state()
	for what, wrong := range map[string]string{
		"another job":     strings.Replace(shown, `"name":"a"`, `"name":"b"`, 1),
		"another size":    strings.ReplaceAll(shown, "512000", "512001"),
		"another place":   `{"name":"a","command":"x","schedule":"R/2090-01-01T00:00:00Z/P1D","fetch":[{"uri":"data:text/x;size=512000;base64,"}]}`,
		"and too much":    `{"name":"a","command":"x","schedule":"R/2090-01-01T00:00:00Z/P1D","fetch":[{"uri":"data:,x"},{"uri":"data:text/x;size=512000;base64,"},{"uri":"data:,` + strings.Repeat("x", 20<<10) + `"}]}`,
		"of no such file": `{"name":"a","command":"x","schedule":"R/2090-01-01T00:00:00Z/P1D","fetch":[{"uri":"data:;size=100;base64,"}]}`,
	} {
		if got := r.ask("POST", "iso8601", wrong); !strings.Contains(got, "Bad Request") || r.state() != before {
			t.Errorf("%s: %.300s", what, got)
		}
	}
}
