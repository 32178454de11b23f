package job

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func fetching(files ...Fetch) string {
	var list []string
	for _, f := range files {
		list = append(list, fmt.Sprintf(`{"uri":%q,"output_file":%q,"extract":false}`, f.URI, f.OutputFile))
	}
	return `{"name":"a","command":"sh x.sh","fetch":[` + strings.Join(list, ",") + `]}`
}

// TestHalfAMebibyteTravels: files of 512 KiB in all are taken, in base64 or written out, and
// one byte more is refused with the file and the size.
func TestHalfAMebibyteTravels(t *testing.T) {
	of := func(name string, size int) Fetch {
		return Fetch{OutputFile: name}.WithData("data:;base64,", []byte(strings.Repeat("\xff", size)))
	}
	escaped := Fetch{URI: "data:," + strings.Repeat("%ff", 60<<10), OutputFile: "y.sh"}
	for what, c := range map[string]struct{ body, refusal string }{
		"all in one":    {fetching(of("x.sh", MaxInline)), ""},
		"all in two":    {fetching(of("x.sh", MaxInline-7), of("y.sh", 7)), ""},
		"a byte more":   {fetching(of("x.sh", MaxInline+1)), "fetch has files of 524289 bytes in all with x.sh, which has 524289, and at most 524288 can travel inside a task; fetch larger ones over http."},
		"more in two":   {fetching(of("x.sh", 300<<10), of("y.sh", 300<<10)), "fetch has files of 614400 bytes in all with y.sh, which has 307200, and at most 524288 can travel inside a task; fetch larger ones over http."},
		"written out":   {fetching(escaped, of("x.sh", 500<<10)), "fetch has files of 573440 bytes in all with x.sh, which has 512000, and at most 524288 can travel inside a task; fetch larger ones over http."},
		"no comma":      {fetching(Fetch{URI: "data:x"}), "fetch[0].uri is a data: URI that has no comma before its data."},
		"a bad percent": {fetching(Fetch{URI: "data:,%zz"}), "fetch[0].uri is a data: URI that has a bad percent sign."},
		"damaged":       {fetching(Fetch{URI: "data:;base64,!!"}), "fetch[0].uri is a data: URI that has base64 that is damaged."},
		"other base64":  {fetching(Fetch{URI: "data:text/plain; BASE64,_-8"}), ""},
		"a large line":  {`{"name":"a","command":"` + strings.Repeat("x", 449<<10) + `"}`, "The definition has 460416 bytes without its files, and at most 458752 are allowed; put what is large into a file and fetch it."},
	} {
		got := ""
		if _, err := Parse([]byte(c.body), Any, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)); err != nil {
			got = err.Error()
		}
		if got != c.refusal {
			t.Errorf("%s: %.300s", what, got)
		}
	}
}

// FuzzData: what Data takes apart WithData puts together again, letter for letter, and both
// agree with what agents read.
func FuzzData(f *testing.F) {
	for _, s := range []string{"data:;base64,aGk=", "data:text/x;base64,", "data:;base64,aG\nk=", "data:,hi", "data:;base64,aGl", "http://h/,", "data:a,b;base64,aGk=", "data:;base64,aGn="} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		x := Fetch{URI: uri}
		prefix, data, ok := x.Data()
		if !ok {
			return
		}
		if again := (Fetch{}).WithData(prefix, data); again.URI != uri {
			t.Errorf("%q comes back as %q", uri, again.URI)
		}
		if n, err := x.inlineSize(); n != len(data) || err != nil {
			t.Errorf("%q has %d bytes, and %d, %v", uri, len(data), n, err)
		}
	})
}
