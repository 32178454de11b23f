package sdk_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/profferhq/proffer/sdk"
)

func TestParseAttributes(t *testing.T) {
	got, err := sdk.ParseAttributes("rack:a; level:3 ;span:[1-5];zone:{x,y};version:1.2.3;odd:0x10;n:inf;kernel:a:b")
	if err != nil {
		t.Fatal(err)
	}
	text := func(name, value string) sdk.Attribute {
		return sdk.Attribute{Name: name, Type: sdk.ValueText, Text: &sdk.Text{Value: value}}
	}
	want := []sdk.Attribute{
		text("rack", "a"),
		{Name: "level", Type: sdk.ValueScalar, Scalar: &sdk.Scalar{Value: 3}},
		{Name: "span", Type: sdk.ValueRanges, Ranges: &sdk.Ranges{Range: []sdk.Range{{Begin: 1, End: 5}}}},
		{Name: "zone", Type: sdk.ValueSet, Set: &sdk.Set{Item: []string{"x", "y"}}},
		text("version", "1.2.3"), text("odd", "0x10"), text("n", "inf"), text("kernel", "a:b"),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	again, err := sdk.ParseAttributes(sdk.FormatAttributes(got))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(got, again); diff != "" {
		t.Error(diff)
	}
}

func TestParseAttributesRefused(t *testing.T) {
	for _, in := range []string{"rack", "rack:", ":a", "r/k:a", "span:[5-1]", "span:[1", "zone:{}", "rack:a\x01b"} {
		if got, err := sdk.ParseAttributes(in); sdk.CodeOf(err) != sdk.CodeInvalid {
			t.Errorf("%q: got %v, %v", in, got, err)
		}
	}
}
