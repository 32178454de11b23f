package fleet

import (
	"testing"

	"github.com/profferhq/proffer/marathonish/app"
	"github.com/profferhq/proffer/sdk/scheduler/mind"
)

// TestWhatIsDueMeanwhileGetsTheRest: an app is stored while an offer is kept for another.
// Its revive comes before the answer to that offer, which must not keep the rest of it
// back: nothing else would bring it again.
func TestWhatIsDueMeanwhileGetsTheRest(t *testing.T) {
	w := newWorld(t.Fatalf, 1)
	w.change(Change{Kind: Create, Apps: []*app.App{definition("/first", 1)}})
	for len(w.offers) == 0 { // and the offer is not stepped yet
		if len(w.inputs) == 0 {
			t.Fatal("nothing is offered")
		}
		in := w.inputs[0]
		w.inputs = w.inputs[1:]
		w.step(in)
		w.proffer()
	}
	offers := w.inputs
	w.inputs = nil
	w.now = w.now.Add(mind.ReviveGap)
	w.change(Change{Kind: Create, Apps: []*app.App{definition("/second", 1)}})
	w.step(w.inputs...)
	w.inputs = append(offers, w.inputs[1:]...)
	w.run()
	if n := len(w.live()); n != 2 {
		t.Errorf("%d instances were launched, and 2 apps want one each; %+v", n, w.f.Apps())
	}
}
