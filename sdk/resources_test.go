package sdk_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/profferhq/proffer/sdk"
)

func parse(t testing.TB, text string) sdk.Resources {
	t.Helper()
	r, err := sdk.ParseResources(text)
	if err != nil {
		t.Fatalf("parse %q: %v", text, err)
	}
	return r
}

func TestParseResources(t *testing.T) {
	for _, row := range []struct{ in, out string }{
		{"", ""},
		{" ; ;", ""},
		{"cpus:4;mem:8192;ports:[31000-32000];rack:{a,b}", "cpus:4;mem:8192;ports:[31000-32000];rack:{a,b}"},
		{" cpus : 0.5 ; mem:1e3 ", "cpus:0.5;mem:1000"},
		{"cpus(ads):2;cpus:1;cpus(*):3", "cpus(ads):2;cpus:4"},
		{"cpus(a/b):2", "cpus(a/b):2"},
		{"cpus:0.1;cpus:0.1;cpus:0.1", "cpus:0.3"},
		{"cpus:0.0005", "cpus:0.001"},
		{"gpus:0;cpus:1", "cpus:1"},
		{"ports:[5-9, 1-4,20-20]", "ports:[1-9,20-20]"},
		{"ports:[7]", "ports:[7-7]"},
		{"ports:[0-18446744073709551615]", "ports:[0-18446744073709551615]"},
		{"bugs:{b , a}", "bugs:{a,b}"},
		{"licence seats:3", "licence seats:3"},
		{"mem:1.2345", "mem:1.235"},
		{"mem:1000000000000", "mem:1000000000000"},
	} {
		got, err := sdk.ParseResources(row.in)
		if err != nil {
			t.Errorf("%q: %v", row.in, err)
			continue
		}
		if got.String() != row.out {
			t.Errorf("%q: got %q, want %q", row.in, got, row.out)
		}
		if again := parse(t, got.String()); !again.Equal(got) {
			t.Errorf("%q: %q is read back as %q", row.in, got, again)
		}
	}
}

func TestParseResourcesRefused(t *testing.T) {
	for _, row := range []struct{ in, field, message string }{
		{"cpus", "resources.cpus", "missing value"},
		{"cpus:", "resources.cpus", "missing value"},
		{":4", "resources", "empty name"},
		{"cpus:four", "resources.cpus", "neither a number"},
		{"cpus:-1", "resources[0].scalar.value", "Resource 'cpus:-1' is invalid: Invalid scalar resource: value <= 0"},
		{"mem:1;cpus:0.0001", "resources[1].scalar.value", "Resource 'cpus:0' is invalid: Invalid scalar resource: value <= 0"},
		{"cpus:nan", "resources[0].scalar.value", "not a number"},
		{"cpus:inf", "resources[0].scalar.value", "value > 1000000000000"},
		{"cpus:-inf", "resources[0].scalar.value", "value <= 0"},
		{"cpus:1e13", "resources[0].scalar.value", "value > 1000000000000"},
		{"gpus:0.5", "resources[0].scalar.value", "The 'gpus' resource must be an unsigned integer"},
		{"ports:[5-1]", "resources.ports", "begin > end in [5-1]"},
		{"ports:[1-5,5-9]", "resources.ports", "overlapping ranges [1-5] and [5-9]"},
		{"ports:[1-5", "resources.ports", "bracket is not closed"},
		{"ports:[a-b]", "resources.ports", "not begin-end"},
		{"ports:[]", "resources.ports", "not begin-end"},
		{"ports:[-5]", "resources.ports", "not begin-end"},
		{"ports:[1-99999999999999999999]", "resources.ports", "not begin-end"},
		{"rack:{a,a}", "resources[0].set", "duplicated elements"},
		{"rack:{a", "resources.rack", "brace is not closed"},
		{"rack:{}", "resources.rack", "empty item"},
		{"rack:{a{b}", "resources.rack", `'{'`},
		{"cpus():1", "resources.cpus.role", "empty part"},
		{"cpus(a//b):1", "resources.cpus.role", "empty part"},
		{"cpus(-a):1", "resources.cpus.role", "dash"},
		{"cpus(..):1", "resources.cpus.role", `".."`},
		{"a/b:1", "resources", `'/'`},
		{strings.Repeat("x", 256) + ":1", "resources", "256 bytes"},
	} {
		got, err := sdk.ParseResources(row.in)
		var e *sdk.Error
		if !errors.As(err, &e) {
			t.Errorf("%q: got %q and error %v", row.in, got, err)
			continue
		}
		if e.Code != sdk.CodeInvalid || e.Field != row.field || !strings.Contains(e.Message, row.message) {
			t.Errorf("%q: got %s at %q: %q, want %q at %q", row.in, e.Code, e.Field, e.Message, row.message, row.field)
		}
	}
}

func TestValidate(t *testing.T) {
	scalar := func(v float64) sdk.Resource { return sdk.NewScalar("cpus", v) }
	static := func(roles ...string) sdk.Resource {
		x := scalar(1)
		for i, role := range roles {
			kind := sdk.ReservationDynamic
			if i == 0 {
				kind = sdk.ReservationStatic
			}
			x.Reservations = append(x.Reservations, sdk.ReservationInfo{Type: kind, Role: role})
		}
		return x
	}
	for _, row := range []struct {
		name           string
		in             sdk.Resource
		field, message string // empty when legal
	}{
		{"exact zero is legal", scalar(0), "", ""},
		{"negative", scalar(-0.001), ".scalar.value", "value <= 0"},
		{"rounds to zero", scalar(0.0004), ".scalar.value", "Resource 'cpus:0' is invalid: Invalid scalar resource: value <= 0"},
		{"rounds up", scalar(0.0005), "", ""},
		{"not a number", scalar(math.NaN()), ".scalar.value", "not a number"},
		{"infinite", scalar(math.Inf(1)), ".scalar.value", "value >"},
		{"type without value", sdk.Resource{Name: "cpus", Type: sdk.ValueRanges, Scalar: &sdk.Scalar{Value: 1}}, ".ranges", "Resource 'cpus:[]' is invalid: Invalid ranges resource"},
		{"two values", sdk.Resource{Name: "cpus", Type: sdk.ValueScalar, Scalar: &sdk.Scalar{Value: 1}, Set: &sdk.Set{}}, ".type", "more than one"},
		{"text", sdk.Resource{Name: "cpus", Type: sdk.ValueText}, ".type", `Unsupported resource type "TEXT"`},
		{"no type", sdk.Resource{Name: "cpus"}, ".type", "Unsupported"},
		{"reversed", sdk.NewRanges("ports", sdk.Range{Begin: 2, End: 1}), ".ranges", "begin > end"},
		{"overlapping", sdk.NewRanges("ports", sdk.Range{Begin: 4, End: 9}, sdk.Range{Begin: 1, End: 4}), ".ranges", "overlapping"},
		{"touching", sdk.NewRanges("ports", sdk.Range{Begin: 4, End: 9}, sdk.Range{Begin: 1, End: 3}), "", ""},
		{"name with control character", sdk.NewScalar("c\x01", 1), ".name", "not allowed"},
		{"pre form", sdk.Resource{Name: "cpus", Type: sdk.ValueScalar, Scalar: &sdk.Scalar{Value: 1}, Role: "ads"}, "", ""},
		{"dynamic to everybody", sdk.Resource{Name: "cpus", Type: sdk.ValueScalar, Scalar: &sdk.Scalar{Value: 1}, Role: "*", Reservation: &sdk.ReservationInfo{}}, ".reservation", "role '*'"},
		{"refined", static("a", "a/b", "a/b/c"), "", ""},
		{"refined sideways", static("a", "b"), ".reservations[1]", "below 'a'"},
		{"reserved to everybody", static("*"), ".reservations[0].role", "role '*'"},
		{"reserved to nonsense", static("a b"), ".reservations[0].role", "not allowed"},
	} {
		err := sdk.Resources{scalar(1), row.in}.Validate("task.resources")
		if row.message == "" {
			if err != nil {
				t.Errorf("%s: %v", row.name, err)
			}
			continue
		}
		var e *sdk.Error
		if !errors.As(err, &e) || e.Field != "task.resources[1]"+row.field || !strings.Contains(e.Message, row.message) {
			t.Errorf("%s: got %v, want %q at %q", row.name, err, row.message, row.field)
		}
	}
	if err := make(sdk.Resources, sdk.MaxResources+1).Validate("r"); err == nil {
		t.Error("too many entries are accepted")
	}
}

func TestArithmeticTables(t *testing.T) {
	for _, row := range []struct {
		a, b, sum, rest string
		contains        bool
	}{
		{"cpus:1", "cpus:1", "cpus:2", "", true},
		{"cpus:0.3", "cpus:0.1", "cpus:0.4", "cpus:0.2", true},
		{"cpus:1", "cpus:2", "cpus:3", "", false},
		{"cpus(ads):1;cpus:1", "cpus:2", "cpus(ads):1;cpus:3", "cpus(ads):1", false},
		{"ports:[1-10]", "ports:[3-4]", "ports:[1-10]", "ports:[1-2,5-10]", true},
		{"ports:[1-10]", "ports:[8-12]", "ports:[1-12]", "ports:[1-7]", false},
		{"ports:[1-2,5-6]", "ports:[3-4]", "ports:[1-6]", "ports:[1-2,5-6]", false},
		{"ports:[18446744073709551614-18446744073709551615]", "ports:[18446744073709551615]", "ports:[18446744073709551614-18446744073709551615]", "ports:[18446744073709551614-18446744073709551614]", true},
		{"rack:{a,b}", "rack:{b}", "rack:{a,b}", "rack:{a}", true},
		{"rack:{a}", "rack:{b}", "rack:{a,b}", "rack:{a}", false},
		{"cpus:1;mem:2", "", "cpus:1;mem:2", "cpus:1;mem:2", true},
		{"", "mem:1", "mem:1", "", false},
		{"x:1", "x:{a}", "x:1;x:{a}", "x:1", false},
	} {
		a, b := parse(t, row.a), parse(t, row.b)
		if got := a.Add(b).String(); got != row.sum {
			t.Errorf("%s + %s = %s, want %s", row.a, row.b, got, row.sum)
		}
		if got := a.Subtract(b).String(); got != row.rest {
			t.Errorf("%s - %s = %s, want %s", row.a, row.b, got, row.rest)
		}
		if got := a.Contains(b); got != row.contains {
			t.Errorf("%s contains %s: %t", row.a, row.b, got)
		}
	}
}

func TestQueries(t *testing.T) {
	r := parse(t, "mem:64;cpus:1.5;cpus(ads):2;ports:[5-6,1-2];rack:{b,a};ports(ads):[3-4]")
	if diff := cmp.Diff([]string{"cpus", "mem", "ports", "rack"}, r.Names()); diff != "" {
		t.Error(diff)
	}
	if r.Scalar("cpus") != 3.5 || r.Scalar("ports") != 0 || r.Millis("mem") != 64000 {
		t.Error("wrong scalars", r.Scalar("cpus"), r.Scalar("ports"), r.Millis("mem"))
	}
	if got := r.Ranges("ports").String(); got != "[1-6]" || r.Ranges("ports").Count() != 6 {
		t.Error("wrong ports", got)
	}
	if diff := cmp.Diff([]string{"a", "b"}, r.Set("rack")); diff != "" {
		t.Error(diff)
	}
	if got := r.Unreserved().String(); got != "mem:64;cpus:1.5;ports:[1-2,5-6];rack:{a,b}" {
		t.Error(got)
	}
	if got := r.ReservedTo("ads").String(); got != "cpus(ads):2;ports(ads):[3-4]" {
		t.Error(got)
	}
	if !(sdk.Resources{sdk.NewScalar("cpus", 0)}).Empty() || r.Empty() {
		t.Error("Empty is wrong")
	}
}

// TestForms: what Mesos 2.5 lists, and the third shape of its old endpoints.
func TestForms(t *testing.T) {
	amount := func() sdk.Resource { return sdk.NewScalar("cpus", 1) }
	labels := &sdk.Labels{Labels: []sdk.Label{{Key: "a", Value: "1"}, {Key: "b"}}}
	turned := &sdk.Labels{Labels: []sdk.Label{{Key: "b"}, {Key: "a", Value: "1"}}}
	pre := func(role string, info *sdk.ReservationInfo) sdk.Resource {
		x := amount()
		x.Role, x.Reservation = role, info
		return x
	}
	post := func(info ...sdk.ReservationInfo) sdk.Resource {
		x := amount()
		x.Reservations = info
		return x
	}
	both := post(sdk.ReservationInfo{Type: sdk.ReservationStatic, Role: "ads"})
	both.Role = "ads"
	for _, row := range []struct {
		name string
		a, b sdk.Resource
		same bool
	}{
		{"unreserved", pre("*", nil), post(), true},
		{"role absent", pre("", nil), post(), true},
		{"static", pre("ads", nil), post(sdk.ReservationInfo{Type: sdk.ReservationStatic, Role: "ads"}), true},
		{"third shape", both, pre("ads", nil), true},
		{"dynamic", pre("ads", &sdk.ReservationInfo{Principal: "p", Labels: labels}),
			post(sdk.ReservationInfo{Type: sdk.ReservationDynamic, Role: "ads", Principal: "p", Labels: turned}), true},
		{"other principal", pre("ads", &sdk.ReservationInfo{Principal: "p"}), pre("ads", &sdk.ReservationInfo{Principal: "q"}), false},
		{"other labels", pre("ads", &sdk.ReservationInfo{Labels: labels}), pre("ads", &sdk.ReservationInfo{}), false},
		{"static is not dynamic", pre("ads", nil), pre("ads", &sdk.ReservationInfo{}), false},
		{"roles", pre("ads", nil), pre("web", nil), false},
	} {
		a, b := sdk.Resources{row.a}, sdk.Resources{row.b}
		if got := a.Equal(b); got != row.same {
			t.Errorf("%s: equal is %t", row.name, got)
		}
		if got := a.Contains(b); got != row.same {
			t.Errorf("%s: contains is %t", row.name, got)
		}
		want := 2
		if row.same {
			want = 1
		}
		if got := a.Add(b); len(got) != want {
			t.Errorf("%s: the sum is %s", row.name, got.Describe())
		}
		if back := a.PreForm(); !back.Equal(a) || back[0].Reservations != nil || back[0].Role == "" {
			t.Errorf("%s: pre form is %+v", row.name, back)
		}
	}
	refined := post(sdk.ReservationInfo{Type: sdk.ReservationStatic, Role: "a"}, sdk.ReservationInfo{Type: sdk.ReservationDynamic, Role: "a/b"})
	if got := (sdk.Resources{refined}).PreForm(); len(got) != 0 {
		t.Errorf("a refined reservation is told in pre form: %+v", got)
	}
}

func TestAllocation(t *testing.T) {
	r := parse(t, "cpus:1;ports:[1-2]")
	got := r.Allocate("dev")
	if diff := cmp.Diff([]string{"dev"}, got.Allocations()); diff != "" {
		t.Error(diff)
	}
	if got.Equal(r) || got.Contains(r) || r.Contains(got) {
		t.Error("allocated and not allocated are taken for the same")
	}
	if !got.WithoutAllocation().Equal(r) {
		t.Errorf("without allocation: %s", got.WithoutAllocation())
	}
	if r[0].AllocationInfo != nil {
		t.Error("Allocate changed its receiver")
	}
	mixed := got.Add(r)
	if diff := cmp.Diff([]string{"", "dev"}, mixed.Allocations()); diff != "" {
		t.Error(diff)
	}
	if all := mixed.Allocate("x").String(); all != "cpus(allocated: x):2;ports(allocated: x):[1-2]" {
		t.Error(all)
	}
	if text := r.Reserve("ads").Allocate("*").Describe(); text != "cpus(allocated: *)(reservations: [(STATIC,ads)]):1; ports(allocated: *)(reservations: [(STATIC,ads)]):[1-2]" {
		t.Error(text)
	}
}

// TestWhole: what cannot be divided is neither merged nor split.
func TestWhole(t *testing.T) {
	volume := func(id string, size float64) sdk.Resource {
		x := sdk.NewScalar("disk", size)
		x.Disk = &sdk.DiskInfo{Persistence: &sdk.Persistence{ID: id}, Volume: &sdk.Volume{Mode: sdk.VolumeRW, ContainerPath: "a"}}
		return x
	}
	shared := volume("s", 5)
	shared.Shared = &sdk.SharedInfo{}
	r := sdk.Resources{volume("v", 10), volume("w", 10), sdk.NewScalar("disk", 10)}
	if !r.Contains(sdk.Resources{volume("v", 10)}) || r.Contains(sdk.Resources{volume("v", 5)}) || r.Contains(sdk.Resources{volume("x", 10)}) {
		t.Error("a volume is contained in part, or not at all")
	}
	if got := r.Subtract(sdk.Resources{volume("v", 5)}); !got.Equal(r) {
		t.Errorf("part of a volume was taken: %s", got)
	}
	if got := r.Subtract(sdk.Resources{volume("v", 10)}); len(got) != 2 || got.Contains(sdk.Resources{volume("v", 10)}) {
		t.Errorf("the volume is still there: %s", got)
	}
	two := sdk.Resources{shared}.Add(sdk.Resources{shared})
	if len(two) != 2 || (sdk.Resources{shared}).Contains(two) || !two.Contains(sdk.Resources{shared}) {
		t.Errorf("shared resources are not counted: %s", two)
	}
	copied := r.Normalize()
	r[0].Disk.Persistence.ID = "changed"
	if copied[0].Disk.Persistence.ID != "v" {
		t.Error("a copy shares its disk with the original")
	}
}

func TestRoles(t *testing.T) {
	for _, role := range []string{"*", "a", "a/b/c", "über", "a.b-c_d"} {
		if err := sdk.ValidateRole("roles[0]", role); err != nil {
			t.Error(err)
		}
	}
	for _, role := range []string{"", "/a", "a/", "a//b", ".", "a/..", "-a", "a/-b", "a b", "a\tb", "a*", "*/a", `a\b`, "a\x7f", strings.Repeat("a", 256)} {
		var e *sdk.Error
		if err := sdk.ValidateRole("roles[0]", role); !errors.As(err, &e) || e.Field != "roles[0]" {
			t.Errorf("%q: %v", role, err)
		}
	}
	if !sdk.IsSubrole("a/b", "a") || sdk.IsSubrole("ab", "a") || sdk.IsSubrole("a", "a") {
		t.Error("IsSubrole is wrong")
	}
}
