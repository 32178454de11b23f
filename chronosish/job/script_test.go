package job

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
)

// at is when the definitions of tests are accepted.
func at() time.Time { return time.Date(2026, 1, 1, 12, 0, 0, 250_900_000, time.UTC) }

// TestScripts runs testdata/*.txt: what bodies become, and what is answered to those
// that are wrong.
func TestScripts(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatalf("there are no scripts: %v", err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
				kind, ok := map[string]Kind{"any": Any, "iso8601": Scheduled, "dependency": Dependent}[d.Cmd]
				if !ok {
					d.Fatalf(t, "unknown command %s", d.Cmd)
				}
				var b strings.Builder
				for body := range strings.SplitSeq(d.Input, "\n;\n") {
					b.WriteString(read(t, []byte(body), kind, d.HasArg("stored")))
				}
				return b.String()
			})
		})
	}
}

func read(t *testing.T, body []byte, kind Kind, stored bool) string {
	t.Helper()
	j, err := Parse(body, kind, at())
	var r *Refusal
	switch {
	case errors.As(err, &r):
		return fmt.Sprintf("%d %s\n", r.Status, r.Message)
	case err != nil:
		t.Errorf("no refusal: %v", err)
	}
	data, err := json.Marshal(j)
	if err != nil {
		t.Fatal(err)
	}
	if back, err := Stored(data); err != nil || !reflect.DeepEqual(back, j) {
		t.Errorf("it reads back as another: %v", err)
	}
	if !stored {
		if data, err = plain(j.Shown(j.Schedule, History{})); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	if err := json.Indent(&out, data, "", "  "); err != nil {
		t.Fatal(err)
	}
	return out.String() + "\n"
}
