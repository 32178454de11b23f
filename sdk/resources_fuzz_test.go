package sdk_test

import (
	"testing"

	"github.com/profferhq/proffer/sdk"
)

// FuzzParseResources: whatever is accepted is valid, and says the same when it
// is printed and read again.
func FuzzParseResources(f *testing.F) {
	for _, seed := range []string{
		"cpus:4;mem:8192;ports:[31000-32000];rack:{a,b}", "cpus(ads):2;cpus:0.0005", "ports:[1-2,4-5];ports:[3]",
		"x:[0-18446744073709551615]", "cpus:nan", "a(b/c):{d}", "gpus:0", "m:1e12;m:1e12",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := sdk.ParseResources(text)
		if err != nil {
			if sdk.CodeOf(err) != sdk.CodeInvalid {
				t.Fatalf("%q: code %s", text, sdk.CodeOf(err))
			}
			return
		}
		for _, name := range r.Names() {
			if r.Scalar(name) > sdk.MaxScalar {
				return // a sum may be larger than what may be written
			}
		}
		again, err := sdk.ParseResources(r.String())
		if err != nil {
			t.Fatalf("%q is printed as %q, which is refused: %v", text, r, err)
		}
		if !again.Equal(r) || again.String() != r.String() {
			t.Fatalf("%q is printed as %q and read as %q", text, r, again)
		}
		if !r.Contains(again) || !r.Subtract(again).Empty() {
			t.Fatalf("%q does not contain itself", r)
		}
	})
}

// FuzzParseAttributes: whatever is accepted says the same when printed and read again.
func FuzzParseAttributes(f *testing.F) {
	for _, seed := range []string{"rack:a;level:3;span:[1-5]", "a:{b,c}", "v:1.2.3", "x:1e5", "k:[;]"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		list, err := sdk.ParseAttributes(text)
		if err != nil {
			return
		}
		printed := sdk.FormatAttributes(list)
		again, err := sdk.ParseAttributes(printed)
		if err != nil || sdk.FormatAttributes(again) != printed {
			t.Fatalf("%q is printed as %q and read as %v, %v", text, printed, again, err)
		}
	})
}
