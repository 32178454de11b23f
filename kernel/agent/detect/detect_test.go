package detect

import (
	"testing"

	"github.com/profferhq/proffer/sdk"
)

func TestDetect(t *testing.T) {
	m, err := Detect(Options{Proc: "testdata/proc", WorkDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	r := sdk.Resources(m.Resources)
	if r.Scalar("cpus") != 3.9 || r.Scalar("mem") != 8192-1024-128 {
		t.Errorf("four processors and 8 GiB give %s", r)
	}
	if r.Scalar("disk") <= 0 || r.Ranges("ports").Range[0] != (sdk.Range{Begin: 31000, End: 32000}) {
		t.Errorf("disk and ports: %s", r)
	}
	half, err := Detect(Options{Proc: "testdata/proc", WorkDir: t.TempDir(), Fraction: 0.5, PortFirst: 21000, PortLast: 21999})
	if err != nil {
		t.Fatal(err)
	}
	if h := sdk.Resources(half.Resources); h.Scalar("cpus") != 1.9 || h.Ranges("ports").Range[0].Begin != 21000 {
		t.Errorf("half of it: %s", h)
	}
	names := map[string]string{}
	for _, a := range m.Attributes {
		names[a.Name] = a.Text.Value
	}
	if names["os"] != "linux" || names["kernel"] == "" {
		t.Errorf("attributes: %v", names)
	}
}

func TestErrorsNameTheFile(t *testing.T) {
	for _, o := range []Options{{Proc: "/no/such/proc", WorkDir: "/"}, {Proc: "testdata/proc", WorkDir: "/no/such/dir"}} {
		if _, err := Detect(o); err == nil || len(err.Error()) < 20 {
			t.Errorf("%+v: %v", o, err)
		}
	}
}
