package words

import "testing"

func TestCompare(t *testing.T) {
	direct := Count([]byte("the cat_1, the\tdog:é 07 7"))
	for result, want := range map[string]string{
		"07 1\n7 1\ncat_1 1\ndog 1\nthe 2\n":        "",
		"07 2\ncat_1 1\ndog 1\nthe 2\n":             `"07": the jobs counted 2, a direct count gives 1`,
		"07 1\n7 1\ncat_1 1\ndog 1\n":               `"the": the jobs counted none, a direct count gives 2`,
		"07 1\n7 1\ncat_1 1\ndog 1\nthe 2\nthe 2\n": `"the" stands in the result twice`,
		"07 1\n7 1\ncat_1 1\ndog 1\nthe 2\nx 1\n":   `"x": the jobs counted 1, a direct count gives 0`,
		"the": `"the" is no line of a result`,
	} {
		got := ""
		if err := Compare(result, direct); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q: %s", result, got)
		}
	}
}
